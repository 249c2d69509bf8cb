"""Curves that add_scalars of a SummaryWriter writes into directories."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cbreplay import LogError, load_runs
from cbreplay.cli.log_here import find_log_here
from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from pathlib import Path

NAME = "events.out.tfevents.1600000000.host.1.0"
LOSSES = [0.9, 0.7, 0.5, 0.6]


def write(
    directory: Path,
    tag: str,
    steps: list[int],
    *,
    at: float = 1.6e9,
    times: float = 1.0,
) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    points = [
        (at + step, step, tag, times * LOSSES[i % len(LOSSES)])
        for i, step in enumerate(steps)
    ]
    write_events(directory / NAME, points)


@pytest.mark.parametrize("tag", ["loss", "epoch/loss"])
def test_curves_of_add_scalars_are_series_of_one_training(
    tmp_path: Path, tag: str
) -> None:
    # writer.add_scalars(tag, {"train": ..., "val": ...}) beside writer.add_scalar
    flat = tag.replace("/", "_")
    write(tmp_path, "lr", [0, 1, 2, 3])
    write(tmp_path / f"{flat}_train", tag, [0, 1, 2, 3])
    write(tmp_path / f"{flat}_val", tag, [0, 1, 2, 3])
    (run,) = load_runs(tmp_path, x_axis="epoch")
    assert set(run.series) == {f"{flat}_train", f"{flat}_val"}
    assert run.learning_rate is not None
    assert list(run.series[f"{flat}_val"]) == pytest.approx(LOSSES)
    assert any("as add_scalars writes them" in note for note in run.notes)


def test_a_curve_of_each_step_counts_by_the_validations_beside_it(
    tmp_path: Path,
) -> None:
    write(tmp_path, "lr", [0, 1])
    write(tmp_path / "loss_train", "loss", list(range(40)))
    write(tmp_path / "loss_val", "loss", [9, 19, 29, 39])
    (run,) = load_runs(tmp_path, x_axis="epoch")
    assert run.n_epochs == 4
    assert list(run.series["loss_val"]) == pytest.approx(LOSSES)


def test_a_writer_that_wrote_nothing_itself_has_its_curves(tmp_path: Path) -> None:
    write(tmp_path / "a", "none", [])
    write(tmp_path / "a" / "loss_train", "loss", [0, 1, 2])
    write(tmp_path / "a" / "loss_val", "loss", [0, 1, 2])
    (run,) = load_runs(tmp_path, x_axis="epoch")
    assert set(run.series) == {"loss_train", "loss_val"}


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        # of another tag, of several, and called by the tag alone
        ("run_2", ["loss"]),
        ("loss_val", ["loss", "acc"]),
        ("loss", ["loss"]),
    ],
)
def test_other_directories_below_a_training_are_trainings(
    tmp_path: Path, name: str, tags: list[str]
) -> None:
    write(tmp_path, "loss", [0, 1, 2, 3, 4])
    (tmp_path / name).mkdir()
    points = [(1.6e9 + step, step, tag, step / 8) for step in range(4) for tag in tags]
    write_events(tmp_path / name / NAME, points)
    assert len(load_runs(tmp_path, x_axis="epoch")) == 2


def test_runs_without_a_writer_above_them_are_trainings(tmp_path: Path) -> None:
    write(tmp_path / "loss_a", "loss", [0, 1, 2, 3])
    write(tmp_path / "loss_b", "loss", [0, 1, 2], times=0.75)
    write(tmp_path / "other", "loss", [0, 1], times=0.625)
    assert len(load_runs(tmp_path / "loss_a", x_axis="epoch")) == 1
    names = {run.name for run in load_runs(tmp_path, x_axis="epoch", errors="skip")}
    assert {"loss_a", "other"} <= names


@pytest.mark.parametrize("tag", ["loss", "epoch/loss", "Loss curve"])
def test_curves_of_tensorboardx_lie_a_directory_deeper(
    tmp_path: Path, tag: str
) -> None:
    # its tag has a line for each sign that is no letter; the directory keeps the sign
    write(tmp_path / "a", "lr", [0, 1, 2, 3])
    for curve in ("train", "val"):
        write(tmp_path / "a" / tag / curve, tag.replace(" ", "_"), [0, 1, 2, 3])
    for source in (tmp_path / "a", tmp_path):
        (run,) = load_runs(source, x_axis="epoch")
        assert set(run.series) == {f"{tag}/train", f"{tag}/val"}
        assert list(run.series[f"{tag}/val"]) == pytest.approx(LOSSES)


def test_a_curve_of_one_data_set_is_of_the_training_of_the_others(
    tmp_path: Path,
) -> None:
    for curve in ("loss/train", "loss/val", "acc/val"):
        write(tmp_path / curve, curve.partition("/")[0], [0, 1, 2])
    for source in (f"{tmp_path}{os.sep}", tmp_path):
        (run,) = load_runs(source, x_axis="epoch")
        assert set(run.series) == {"loss/train", "loss/val", "acc/val"}


def test_each_of_many_trainings_has_its_own_curves(tmp_path: Path) -> None:
    for number in range(3):
        place = tmp_path / f"run{number}"
        write(place, "none", [])
        for curve in ("train", "val"):
            # the beginning of another training would be a copy of it
            steps = [*range(4 + number)]
            write(place / "loss" / curve, "loss", steps, times=1 + number / 8)
    runs = load_runs(tmp_path, x_axis="epoch")
    assert [run.name for run in runs] == ["run0", "run1", "run2"]
    assert all(set(run.series) == {"loss/train", "loss/val"} for run in runs)


def test_trainings_below_a_writer_are_no_curves_of_it(tmp_path: Path) -> None:
    # called by a number, not by the tag; and one deeper than a curve lies
    write(tmp_path, "loss", [0, 1, 2, 3, 4])
    write(tmp_path / "loss" / "a" / "b", "loss", [0, 1, 2, 3])
    write(tmp_path / "seeds" / "1", "loss", [0, 1, 2])
    assert len(load_runs(tmp_path, x_axis="epoch", errors="skip")) == 3


def test_a_writer_without_a_value_of_its_own_hides_no_better_refusal(
    tmp_path: Path,
) -> None:
    write(tmp_path, "none", [])
    write(tmp_path / "loss" / "val", "loss", [0, 1, 2])
    with pytest.raises(LogError, match=r"--x-axis epoch|x_axis='epoch'"):
        load_runs(tmp_path)


@pytest.mark.parametrize("curve", ["loss_val", "loss/val"])
def test_the_log_here_is_the_training_and_not_its_newest_curve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, curve: str
) -> None:
    place = tmp_path / "runs" / "a"
    write(place, "lr", [0, 1, 2])
    write(place / curve, "loss", [0, 1, 2])
    os.utime(place / NAME, (0, 0))
    monkeypatch.chdir(tmp_path)
    assert tmp_path / find_log_here() == place
    monkeypatch.chdir(place)
    assert find_log_here() == os.curdir
