"""A log that was given alone says where the other data set of its training is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import load_runs
from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

EVENTS = "events.out.tfevents.10.v2"


def write_losses(path: Path, losses: tuple[float, ...]) -> None:
    rows = [f"{epoch},{loss}" for epoch, loss in enumerate(losses)]
    path.write_text("\n".join(["epoch,loss", *rows, ""]))


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directories of Keras's TensorBoard callback, below the working directory."""
    for at, writer in enumerate(("train", "validation")):
        points = [(10.0 + e, e, "epoch_loss", 0.5 - 0.1 * e + at) for e in range(4)]
        write_events(tmp_path / "tb" / writer / EVENTS, points)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "tb"


@pytest.mark.usefixtures("board")
@pytest.mark.parametrize("given", ["tb/train", "tb/train/", f"tb/train/{EVENTS}"])
def test_the_directory_above_is_named_where_the_training_alone_is_given(
    ask: Ask, given: str
) -> None:
    answer = ask("simulate", given)
    assert answer.status == 2
    assert "it is in tb/validation, which was not given: give tb instead" in answer.err
    # what it advises is answered
    assert ask("simulate", "tb").status == 0
    assert "fit had no validation data" not in answer.err


def test_from_inside_the_directory_too(
    ask: Ask, board: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(board / "train")
    assert "give .. instead" in ask("simulate", ".").err


def test_a_validation_alone_says_where_its_training_is(board: Path) -> None:
    (run,) = load_runs(board / "validation")
    assert f"its training is in {board}/train: give {board} instead" in run.notes


@pytest.mark.parametrize("given", ["train.csv", "val.csv"])
def test_both_files_are_named_where_a_data_set_alone_is_given(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    for name, values in (("train", (0.9, 0.8, 0.7)), ("val", (1.0, 0.9, 0.95))):
        write_losses(tmp_path / f"{name}.csv", values)
    monkeypatch.chdir(tmp_path)
    assert "give both, train.csv val.csv" in ask("simulate", given).err
    assert ask("simulate", "train.csv", "val.csv").status == 0


@pytest.mark.parametrize("other", ["test.csv", "other.csv"])
def test_a_file_that_is_no_validation_is_not_named(
    ask: Ask, tmp_path: Path, other: str
) -> None:
    write_losses(tmp_path / "train.csv", (0.9, 0.8, 0.7))
    write_losses(tmp_path / other, (1.0, 0.9, 0.95))
    assert other not in ask("simulate", tmp_path / "train.csv").err
