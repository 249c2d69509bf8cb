"""Logs with a file for each series of one training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import load_runs

if TYPE_CHECKING:
    from pathlib import Path

LOSSES = [0.9, 0.7, 0.5, 0.6, 0.65]


def page(path: Path, values: list[float]) -> None:
    """What TensorBoard's page offers of one series."""
    rows = [f"{1.6e9 + at},{at},{value}" for at, value in enumerate(values)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["Wall time,Step,Value", *rows, ""]))


def live(path: Path, name: str, values: list[float]) -> None:
    """What DVCLive writes of one metric."""
    rows = [f"{step}\t{value}" for step, value in enumerate(values)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([f"step\t{name}", *rows, ""]))


@pytest.mark.parametrize(
    ("files", "series"),
    [
        (
            ["run-train-tag-epoch_loss.csv", "run-validation-tag-epoch_loss.csv"],
            ["loss", "val_loss"],
        ),
        (
            ["run-a_train-tag-epoch_loss.csv", "run-a_validation-tag-epoch_loss.csv"],
            ["loss", "val_loss"],
        ),
        (
            ["run-.-tag-Loss_train.csv", "run-.-tag-Loss_val.csv"],
            ["Loss_train", "Loss_val"],
        ),
    ],
)
def test_downloads_of_one_run_are_one_training(
    tmp_path: Path, files: list[str], series: list[str]
) -> None:
    page(tmp_path / files[0], [loss - 0.1 for loss in LOSSES])
    page(tmp_path / files[1], LOSSES)
    (run,) = load_runs(tmp_path)
    assert list(run.series) == series
    assert list(run.series[series[1]]) == LOSSES
    assert any("hold a series each" in note for note in run.notes)


@pytest.mark.parametrize(
    "files",
    [
        # of two runs, and two downloads of one series
        ["run-a_validation-tag-epoch_loss.csv", "run-b_validation-tag-epoch_loss.csv"],
        ["run-a-tag-Loss_val.csv", "run-a-tag-Loss_val.csv.gz"],
    ],
)
def test_downloads_of_the_same_series_are_none(
    tmp_path: Path, files: list[str]
) -> None:
    import gzip

    for at, name in enumerate(files):
        page(tmp_path / "plain.csv", [loss + at for loss in LOSSES])
        content = (tmp_path / "plain.csv").read_bytes()
        if name.endswith(".gz"):
            content = gzip.compress(content)
        (tmp_path / "runs").mkdir(exist_ok=True)
        (tmp_path / "runs" / name).write_bytes(content)
    assert len(load_runs(tmp_path / "runs")) == 2


def test_series_of_other_lengths_stay_apart(tmp_path: Path) -> None:
    page(tmp_path / "run-.-tag-Loss_train.csv", LOSSES)
    page(tmp_path / "run-.-tag-Loss_val.csv", LOSSES[:3])
    assert len(load_runs(tmp_path)) == 2


def test_the_metrics_of_dvclive_are_one_training(tmp_path: Path) -> None:
    metrics = tmp_path / "dvclive" / "plots" / "metrics"
    live(metrics / "train" / "loss.tsv", "loss", [loss - 0.1 for loss in LOSSES])
    live(metrics / "eval" / "loss.tsv", "loss", LOSSES)
    (run,) = load_runs(tmp_path)
    assert set(run.series) == {"eval/loss", "train/loss"}
    assert list(run.series["eval/loss"]) == LOSSES


def test_the_times_of_older_versions_of_dvclive_are_no_series(tmp_path: Path) -> None:
    metrics = tmp_path / "plots" / "metrics"
    for data_set in ("train", "eval"):
        rows = [f"{1.6e9 + at}\t{at}\t{loss}" for at, loss in enumerate(LOSSES)]
        path = metrics / data_set / "loss.tsv"
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(["timestamp\tstep\tloss", *rows, ""]))
    (run,) = load_runs(tmp_path)
    assert sorted(run.series) == ["eval/loss", "train/loss"]
    # files of one name are told apart
    assert "eval/loss.tsv, train/loss.tsv hold a series each" in " ".join(run.notes)


def test_downloads_of_several_runs_are_called_as_their_runs(tmp_path: Path) -> None:
    for at, name in enumerate(["seed0", "seed1"]):
        page(tmp_path / f"{name}_train-tag-epoch_loss.csv", LOSSES)
        losses = [loss + at / 8 for loss in LOSSES]
        page(tmp_path / f"{name}_validation-tag-epoch_loss.csv", losses)
    named = {run.name: run.series["val_loss"][0] for run in load_runs(tmp_path)}
    assert named == {"seed0": 0.9, "seed1": 1.025}
