"""``--run NAME``: one name is one training, whatever directory is given."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_simulate import as_json
from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

# a fit of six epochs, and one that was resumed in its second
FITS = (
    ((0, 0.9), (1, 0.8), (2, 0.75), (3, 0.7), (4, 0.65), (5, 0.63)),
    ((1, 0.6), (2, 0.5), (3, 0.4)),
)


@pytest.fixture
def resumed(tmp_path: Path) -> Path:
    """A run directory whose CSV and event files hold both fits."""
    place = tmp_path / "above" / "resumed"
    lines = [f"{epoch},{loss}" for fit in FITS for epoch, loss in fit]
    place.mkdir(parents=True)
    (place / "logs.csv").write_text("\n".join(["epoch,loss", *lines, ""]))
    for at, fit in enumerate(FITS, 1):
        points = [(10.0 * at + epoch, epoch, "epoch_loss", loss) for epoch, loss in fit]
        write_events(place / "tb" / "train" / f"events.out.tfevents.{at}0.v2", points)
    return place


def first_losses(ask: Ask, *words: str | Path) -> list[float]:
    """The first loss of each run that is read: it tells the two fits apart."""
    answer = ask("inspect", *words, "--format", "json")
    assert answer.status == 0, answer.err
    return [{0: 0.9, 1: 0.6}[run["first_epoch"]] for run in as_json(answer.out)["runs"]]


def test_the_trainings_of_a_joined_directory_have_numbers(
    ask: Ask, resumed: Path
) -> None:
    answer = as_json(ask("inspect", resumed, "--format", "json").out)
    assert [run["name"] for run in answer["runs"]] == ["resumed#1", "resumed#2"]


@pytest.mark.parametrize("given", ["logs.csv", ".", "..", "tb", "./logs.csv#2"])
def test_the_path_of_a_part_means_one_training_whatever_is_given(
    ask: Ask, resumed: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.chdir(resumed)
    part = "tb#2" if given == "tb" else "logs.csv#2"
    assert first_losses(ask, given, "--run", part) == [0.6]


def test_a_part_keeps_its_number_where_the_other_is_left_out_as_a_copy(
    ask: Ask, resumed: Path
) -> None:
    first = resumed.parent / "first"
    first.mkdir()
    rows = (resumed / "logs.csv").read_text().splitlines(keepends=True)
    # it goes on, so that it has more of the first fit than the resumed directory
    (first / "logs.csv").write_text("".join([*rows[:7], "6,0.62\n"]))
    answer = as_json(ask("inspect", first, resumed, "--format", "json").out)
    named = {run["name"]: run["first_epoch"] for run in answer["runs"]}
    assert named == {"first": 0, "resumed#2": 1}


def test_a_path_that_may_be_several_runs_is_refused(ask: Ask, resumed: Path) -> None:
    again = resumed.parent / "again"
    shutil.copytree(resumed, again)
    text = (again / "logs.csv").read_text()
    (again / "logs.csv").write_text(text.replace("0.", "0.1"))
    shutil.rmtree(again / "tb")
    answer = ask("inspect", resumed.parent, "--run", "logs.csv#2")
    assert answer.status == 2
    assert "'logs.csv#2' may be several runs" in answer.err
    assert "there is no run" not in answer.err


def test_trainings_of_one_log_on_standard_input_have_numbers(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '[{"loss": [3, 2, 1]}, {"loss": [3, 2.5, 2]}]'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    answer = as_json(ask("inspect", "-", "--format", "json").out)
    assert [run["name"] for run in answer["runs"]] == ["stdin#1", "stdin#2"]


def test_a_seam_that_is_named_can_be_typed_as_it_stands(
    ask: Ask, tmp_path: Path
) -> None:
    log = tmp_path / "logs.csv"
    rows = [f"{epoch},{1 / (1 + epoch)}" for epoch in range(8)]
    log.write_text("\n".join(["epoch,loss", *rows, ""]))
    # initial_epoch=3: three epochs come before it, and people call its first one 4
    note = ask("inspect", log, "--seam", "3").out
    assert "a fit was resumed at epoch 4 (counted from 1)" in " ".join(note.split())
    # --seam 8: epoch 9 of 8
    said = " ".join(ask("inspect", log, "--seam", "8").out.split())
    assert "--seam 8 (8 epochs come before it) changes nothing" in said
    assert "no fit is resumed at epoch 9 of a log with epochs 1-8" in said
