"""A log of the training and one of its validation, in two files: one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import LogError, load_runs

if TYPE_CHECKING:
    from pathlib import Path

LOSSES = [0.75, 0.5, 0.375]
JUDGED = [0.875, 0.625, 0.75]


def write(
    path: Path,
    losses: list[float],
    name: str = "loss",
    first: int = 1,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = "".join(f"{at}\t{loss}\n" for at, loss in enumerate(losses, start=first))
    path.write_text(f"epoch\t{name}\n{rows}")


@pytest.mark.parametrize(
    ("trained", "judged", "name"),
    [
        # as the training scripts of 3D ResNets write them
        ("train.log", "val.log", "val_loss"),
        ("log_train_1.csv", "log_valid_1.csv", "val_loss"),
        ("Training.csv", "Validation.csv", "val_loss"),
        ("train.csv", "test.csv", "test_loss"),
        ("trainLog.csv", "valLog.csv", "val_loss"),
        ("loss.csv", "val_loss.csv", "val_loss"),
        ("train/log.csv", "val/log.csv", "val_loss"),
        ("a/train/train.csv", "a/val/val.csv", "val_loss"),
    ],
)
def test_files_that_are_called_by_their_data_sets_are_one_training(
    tmp_path: Path, trained: str, judged: str, name: str
) -> None:
    write(tmp_path / trained, LOSSES)
    write(tmp_path / judged, JUDGED)
    (run,) = load_runs(tmp_path)
    assert list(run.series["loss"]) == LOSSES
    assert list(run.series[name]) == JUDGED
    assert "are of one training" in run.notes[-1]


def test_files_of_other_epochs_metrics_or_places_are_runs_of_their_own(
    tmp_path: Path,
) -> None:
    write(tmp_path / "a" / "train.csv", LOSSES)
    write(tmp_path / "a" / "val.csv", JUDGED[:1])
    write(tmp_path / "b" / "train.csv", [0.625, 0.25, 0.125])
    write(tmp_path / "b" / "val.csv", JUDGED, name="mae")
    write(tmp_path / "c" / "training.csv", [0.5, 0.25, 0.0625])
    write(tmp_path / "c" / "train.csv", [0.5, 0.25, 0.03125])
    write(tmp_path / "d" / "train_1.csv", [0.5, 0.125, 0.0625])
    write(tmp_path / "d" / "val_2.csv", JUDGED)
    assert len(load_runs(tmp_path)) == 8


TEN = [1 / (epoch + 1) for epoch in range(10)]


@pytest.mark.parametrize(
    ("trained_first", "judged"),
    [
        # every second epoch, counted from 0 and from 1
        (0, [1, 3, 5, 7, 9]),
        (1, [2, 4, 6, 8, 10]),
        (0, [0, 5]),
        # the training was broken off before the validation of its last epoch
        (1, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (0, [4, 9]),
        # the last epoch is validated whatever its number is
        (0, [0, 4, 8, 9]),
    ],
)
def test_a_validation_of_every_few_epochs_is_laid_over_those_of_the_training(
    tmp_path: Path, trained_first: int, judged: list[int]
) -> None:
    write(tmp_path / "train.csv", TEN, first=trained_first)
    rows = "".join(f"{number}\t{number / 8}\n" for number in judged)
    (tmp_path / "val.csv").write_text(f"epoch\tloss\n{rows}")
    (run,) = load_runs(tmp_path)
    assert run.first_epoch == 0
    losses = {
        epoch: loss
        for epoch, loss in enumerate(run.series["val_loss"], start=trained_first)
        if loss is not None
    }
    assert losses == {number: number / 8 for number in judged}
    # how its file alone would be counted is no matter
    assert not any("no row for" in note for note in run.notes)
    assert f"with a value in {len(judged)} of 10 epochs" in run.notes[-1]


@pytest.mark.parametrize(
    "numbers",
    [
        # the number of a validation, or a log that breaks off: nobody knows
        [0, 1, 2, 3, 4],
        [0, 3, 4, 9],
        [0, 2, 4, 6, 8, 10],
        [9],
    ],
)
def test_a_validation_whose_epochs_do_not_go_with_the_training_is_doubtful(
    tmp_path: Path, numbers: list[int]
) -> None:
    write(tmp_path / "train.csv", TEN, first=0)
    rows = "".join(f"{number}\t0.5\n" for number in numbers)
    (tmp_path / "val.csv").write_text(f"epoch\tloss\n{rows}")
    runs = load_runs(tmp_path)
    assert [run.n_epochs for run in runs] == [10, numbers[-1] - numbers[0] + 1]
    assert "train.csv and val.csv may be of one training" in runs[0].notes[-1]


def test_series_that_say_themselves_that_they_are_of_a_validation_keep_their_names(
    tmp_path: Path,
) -> None:
    write(tmp_path / "train.csv", LOSSES, name="train_loss")
    write(tmp_path / "val.csv", JUDGED, name="val_loss")
    write(tmp_path / "test.csv", JUDGED[::-1], name="loss")
    (run,) = load_runs(tmp_path)
    assert {name: list(own) for name, own in run.series.items()} == {
        "train_loss": LOSSES,
        "val_loss": JUDGED,
        "test_loss": JUDGED[::-1],
    }


def test_a_trial_called_test_is_no_validation_of_another_log(tmp_path: Path) -> None:
    write(tmp_path / "logs.csv", LOSSES)
    write(tmp_path / "logs_test.csv", JUDGED)
    assert len(load_runs(tmp_path)) == 2


def test_trainings_in_directories_of_data_sets_are_called_by_the_ones_above(
    tmp_path: Path,
) -> None:
    for at, name in enumerate(["run1", "run2"]):
        write(tmp_path / name / "train" / "log.csv", [loss + at for loss in LOSSES])
        write(tmp_path / name / "val" / "log.csv", [loss + at for loss in JUDGED])
    runs = {run.name: list(run.series["val_loss"]) for run in load_runs(tmp_path)}
    assert runs == {"run1": JUDGED, "run2": [loss + 1 for loss in JUDGED]}


def test_files_of_a_single_column_are_read_by_their_names(tmp_path: Path) -> None:
    for name, losses in {"loss": LOSSES, "val_loss": JUDGED}.items():
        text = "\n".join([name, *map(str, losses), ""])
        (tmp_path / f"{name}.csv").write_text(text)
    with pytest.raises(LogError, match="given by its name, its rows are taken as ep"):
        load_runs(tmp_path)
    (run,) = load_runs(tmp_path / "loss.csv", tmp_path / "val_loss.csv")
    assert [*map(list, run.series.values())] == [LOSSES, JUDGED]
