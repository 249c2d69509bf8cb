"""A log of the training and one of its validation, in two files: one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import load_runs

if TYPE_CHECKING:
    from pathlib import Path

LOSSES = [0.75, 0.5, 0.375]
JUDGED = [0.875, 0.625, 0.75]


def write(path: Path, losses: list[float], name: str = "loss", first: int = 1) -> None:
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
    assert f"{trained} and {judged} are of one training" in run.notes[-1]


def test_files_of_other_epochs_metrics_or_places_are_runs_of_their_own(
    tmp_path: Path,
) -> None:
    write(tmp_path / "a" / "train.csv", LOSSES)
    write(tmp_path / "a" / "val.csv", JUDGED[:2])
    write(tmp_path / "b" / "train.csv", [0.625, 0.25, 0.125])
    write(tmp_path / "b" / "val.csv", JUDGED, name="mae")
    write(tmp_path / "c" / "training.csv", [0.5, 0.25, 0.0625])
    write(tmp_path / "c" / "train.csv", [0.5, 0.25, 0.03125])
    write(tmp_path / "d" / "train_1.csv", [0.5, 0.125, 0.0625])
    write(tmp_path / "d" / "val_2.csv", JUDGED)
    assert len(load_runs(tmp_path)) == 8
