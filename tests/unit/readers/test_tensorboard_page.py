"""The CSV that TensorBoard's page offers for one series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from cbreplay import Run, load_runs

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_thousand_values_may_be_a_sample(tmp_path: Path) -> None:
    rows = "".join(f"1600000000,{step},0.5\n" for step in range(1000))
    run = read(
        tmp_path, "run-train-tag-epoch_loss.csv", f"Wall time,Step,Value\n{rows}"
    )
    assert any("draws a sample" in note for note in run.notes)


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
