"""The CSV that TensorBoard's page offers for one series."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from cbreplay import LogError, Run, load_runs
from tests.oracles.tensorboard_loader import load_points

ROWS = "Wall time,Step,Value\n1600000000.5,0,0.9\n1600000010.5,1,0.7\n"

JSON = "[[1600000000.5, 0, 0.9], [1600000010.5, 1, 0.7]]"


def read(directory: Path, name: str, text: str = ROWS) -> Run:
    log = directory / name
    log.write_text(text, encoding="ascii")
    (run,) = load_runs(log)
    return run


@pytest.mark.parametrize(
    ("file", "series"),
    [
        ("run-validation-tag-epoch_loss.csv", "val_loss"),
        ("run-fit_1_validation-tag-epoch_accuracy.csv", "val_accuracy"),
        ("run-train-tag-epoch_loss.csv", "loss"),
        ("run-.-tag-Loss_val.csv", "Loss_val"),
        ("download.csv", "Value"),
        ("val loss.csv", "val_loss"),
        ("train_loss.csv", "train_loss"),
        ("seed 3 val_kappa.csv", "val_kappa"),
        ("validation.csv", "Value"),
        ("run-validation-tag-epoch_loss.json", "val_loss"),
        ("download.json", "Value"),
    ],
)
def test_the_file_s_name_tells_the_series(
    tmp_path: Path, file: str, series: str
) -> None:
    text = JSON if file.endswith(".json") else ROWS
    run = read(tmp_path, file, text)
    assert list(run.series) == [series]
    assert list(run.series[series]) == [0.9, 0.7]
    assert run.epoch_seconds is not None
    assert list(run.epoch_seconds) == [None, 10.0]


def test_the_steps_of_keras_are_epochs(tmp_path: Path) -> None:
    late = ROWS.replace(",0,", ",1,").replace(",1,0.7", ",3,0.7")
    run = read(tmp_path, "run-train-tag-epoch_loss.csv", late)
    assert (run.first_epoch, list(run.series["loss"])) == (1, [0.9, None, 0.7])
    other = read(tmp_path, "run-train-tag-loss.csv", late)
    # steps that are no epochs are counted, and begin at the first
    assert list(other.series["loss"]) == [0.9, 0.7]


def test_a_download_is_found_in_a_directory(tmp_path: Path) -> None:
    (tmp_path / "run-train-tag-epoch_loss.csv").write_text(ROWS, encoding="ascii")
    (run,) = load_runs(tmp_path)
    assert list(run.series) == ["loss"]


def test_a_smoothed_curve_beside_the_values_is_left_out(tmp_path: Path) -> None:
    """A callback saw the values, and not the curve that the page draws of them."""
    rows = ROWS.replace("Value", "Value,Smoothed").replace("0.9", "0.9,0.9")
    rows = rows.replace("0.7", "0.7,0.78")
    (tmp_path / "run-train-tag-epoch_loss.csv").write_text(rows, encoding="ascii")
    (run,) = load_runs(tmp_path)
    assert {name: list(own) for name, own in run.series.items()} == {"loss": [0.9, 0.7]}
    assert "left out Smoothed" in " ".join(run.notes)


def test_files_called_by_their_series_may_have_blanks(tmp_path: Path) -> None:
    for name in ("loss.csv", "val loss.csv"):
        (tmp_path / name).write_text(ROWS, encoding="ascii")
    (run,) = load_runs(tmp_path)
    assert sorted(run.series) == ["loss", "val_loss"]


@pytest.mark.parametrize("run", ["val", "exp1_eval", "loss_valid"])
def test_a_tag_of_a_validation_run_is_of_the_validation(
    tmp_path: Path, run: str
) -> None:
    """add_scalars of torch makes a run for each curve, and each has the same tag."""
    (tmp_path / f"run-{run}-tag-loss.csv").write_text(ROWS, encoding="ascii")
    (found,) = load_runs(tmp_path)
    assert list(found.series) == ["val_loss"]


def test_a_thousand_values_may_be_a_sample(tmp_path: Path) -> None:
    # a sample holds the last value, so that steps without a gap are all there were
    for last, is_sample in ((999, False), (1200, True)):
        steps = [*range(999), last]
        rows = "".join(f"1600000000,{step},0.5\n" for step in steps)
        run = read(
            tmp_path, "run-train-tag-epoch_loss.csv", f"Wall time,Step,Value\n{rows}"
        )
        assert any("draws a sample" in note for note in run.notes) == is_sample


@pytest.mark.parametrize("x_axis", ["epoch", "step"])
def test_the_x_axis_need_not_be_said_where_keras_wrote_the_tag(
    tmp_path: Path, x_axis: Literal["epoch", "step"]
) -> None:
    log = tmp_path / "run-validation-tag-epoch_loss.csv"
    log.write_text(ROWS, encoding="ascii")
    (run,) = load_runs(log, x_axis=x_axis)
    assert list(run.series["val_loss"]) == [0.9, 0.7]
    assert run.axis_unit == "epochs"


def test_a_download_of_the_directory_itself_is_not_hidden(tmp_path: Path) -> None:
    (tmp_path / ".-tag-val_loss.csv").write_text(ROWS)
    (tmp_path / ".hidden.csv").write_text("epoch,loss\n0,0.5\n")
    (run,) = load_runs(tmp_path)
    assert list(run.series) == ["val_loss"]


SAMPLE = Path(__file__).parents[3] / "sample_logs" / "breast-cancer" / "tensorboard"


def save(
    directory: Path, files: dict[str, tuple[str, str]], *, digits: int = 7
) -> None:
    """Save series of a real training, by their writer and tag, as the page does."""
    for name, (writer, tag) in files.items():
        (events,) = (SAMPLE / writer).iterdir()
        rows = [
            f"{time:.{digits}f},{step},{value!r}"
            for time, step, own, value in load_points(events)
            if own == tag
        ]
        (directory / name).write_text("\n".join(["Wall time,Step,Value", *rows, ""]))


@pytest.mark.keras
@pytest.mark.parametrize(
    "files",
    [
        ("epoch_loss.csv", "epoch_loss (1).csv"),
        ("epoch_loss(1).csv", "epoch_loss.csv"),
        ("epoch_loss-1.csv", "epoch_loss-2.csv"),
    ],
)
def test_times_tell_the_validation_where_the_page_names_files_by_their_tag_alone(
    tmp_path: Path, files: tuple[str, str]
) -> None:
    tag = "epoch_loss"
    save(tmp_path, {files[0]: ("train", tag), files[1]: ("validation", tag)})
    (there,), (here,) = load_runs(SAMPLE), load_runs(tmp_path)
    for name in ("loss", "val_loss"):
        assert list(here.series[name]) == list(there.series[name])
    assert f"{files[0]} is of the training, and {files[1]} of its" in here.notes[-1]


@pytest.mark.keras
def test_several_tags_whose_names_lack_the_data_set_are_one_training(
    tmp_path: Path,
) -> None:
    files = {
        "epoch_loss.csv": ("validation", "epoch_loss"),
        "epoch_loss (1).csv": ("train", "epoch_loss"),
        # saved twice
        "epoch_loss (2).csv": ("train", "epoch_loss"),
        "epoch_accuracy.csv": ("train", "epoch_accuracy"),
        "epoch_accuracy (1).csv": ("validation", "epoch_accuracy"),
        "epoch_learning_rate.csv": ("train", "epoch_learning_rate"),
    }
    save(tmp_path, files)
    (there,), (here,) = load_runs(SAMPLE), load_runs(tmp_path)
    assert here.series.keys() == there.series.keys()
    for name, own in there.series.items():
        assert list(here.series[name]) == list(own)
    assert here.learning_rate is not None
    assert there.learning_rate is not None
    assert list(here.learning_rate) == list(there.learning_rate)
    assert here.rate_source == there.rate_source


@pytest.mark.keras
def test_times_without_fractions_do_not_tell_the_validation(tmp_path: Path) -> None:
    files = {
        "epoch_loss.csv": ("train", "epoch_loss"),
        "epoch_loss (1).csv": ("validation", "epoch_loss"),
    }
    save(tmp_path, files, digits=0)
    with pytest.raises(LogError, match="nothing tells which is which"):
        load_runs(tmp_path)


def test_downloads_of_one_tag_at_other_times_are_runs(tmp_path: Path) -> None:
    (tmp_path / "epoch_loss.csv").write_text(ROWS)
    later = ROWS.replace("16000000", "16000009").replace("0.7", "0.8")
    (tmp_path / "epoch_loss (1).csv").write_text(later)
    runs = load_runs(tmp_path)
    assert [list(run.series) for run in runs] == [["epoch_loss"]] * 2
    assert "whether it is of the training or of the validation" in runs[0].notes[-1]


def test_a_tag_is_saved_twice(tmp_path: Path) -> None:
    (tmp_path / "epoch_loss.csv").write_text(ROWS)
    (tmp_path / "epoch_loss (1).csv").write_text(ROWS)
    (run,) = load_runs(tmp_path)
    assert list(run.series["epoch_loss"]) == [0.9, 0.7]
    assert "is a copy: it was read once" in run.notes[-1]


# what pandas makes of EventAccumulator("logs").Scalars("val_loss")
EVENTS = "wall_time,step,value\n1600000000.5,0,0.9\n1600000010.5,1,0.7\n"
EVENTS_BELOW_AN_INDEX = (
    ",wall_time,step,value\n0,1600000000.5,0,0.9\n1,1600000010.5,1,0.7\n"
)
EVENTS_IN_ROWS = """[{"wall_time":1600000000.5,"step":0,"value":0.9},
    {"wall_time":1600000010.5,"step":1,"value":0.7}]"""


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("val_loss.csv", EVENTS),
        ("val_loss.csv", EVENTS_BELOW_AN_INDEX),
        ("val_loss.json", EVENTS_IN_ROWS),
    ],
)
def test_the_scalars_of_tensorboard_s_library_are_a_series(
    tmp_path: Path, file: str, text: str
) -> None:
    run = read(tmp_path, file, text)
    assert list(run.series) == ["val_loss"]
    assert list(run.series["val_loss"]) == [0.9, 0.7]
    assert run.epoch_seconds is not None
    assert list(run.epoch_seconds) == [None, 10.0]
