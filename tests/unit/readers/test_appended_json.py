"""JSON that a script appended to a file at each save, one document behind the other."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from cbreplay import LogError, load_runs
from cbreplay.errors import TruncatedLogError

if TYPE_CHECKING:
    from pathlib import Path

LOSS = [0.75, 0.5, 0.375, 0.5]
ROWS = [{"epoch": at, "val_loss": loss} for at, loss in enumerate(LOSS)]
SAVES = [ROWS[:n] for n in range(1, len(ROWS) + 1)]
GROWN = [{"val_loss": LOSS[:n]} for n in range(1, len(LOSS) + 1)]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("between", ["", "\n"])
@pytest.mark.parametrize(
    "documents",
    [ROWS, GROWN, SAVES, [ROWS, ROWS], [[row] for row in ROWS]],
    ids=["rows", "lists", "rows so far", "all rows twice", "a row in a list"],
)
def test_documents_behind_each_other_are_one_training(
    tmp_path: Path, documents: list[object], indent: int | None, between: str
) -> None:
    log = tmp_path / "history.json"
    log.write_text(between.join(json.dumps(own, indent=indent) for own in documents))
    (run,) = load_runs(log)
    assert list(run.series["val_loss"]) == LOSS


def test_lists_of_rows_that_do_not_grow_are_trainings(tmp_path: Path) -> None:
    other = [{"epoch": at, "val_loss": loss / 2} for at, loss in enumerate(LOSS)]
    log = tmp_path / "folds.json"
    log.write_text(json.dumps([ROWS, other]))
    assert [list(run.series["val_loss"]) for run in load_runs(log)] == [
        LOSS,
        [loss / 2 for loss in LOSS],
    ]


def test_lists_of_rows_without_epochs_are_refused(tmp_path: Path) -> None:
    """Nobody knows where one training ends."""
    folds = [[{"val_loss": loss} for loss in LOSS]] * 2
    log = tmp_path / "folds.json"
    log.write_text(json.dumps(folds))
    with pytest.raises(LogError, match="no lists of numbers"):
        load_runs(log)


def test_a_last_document_that_breaks_off_is_named(tmp_path: Path) -> None:
    log = tmp_path / "history.json"
    log.write_text("".join(json.dumps(row, indent=1) for row in ROWS)[:-5])
    with pytest.raises(TruncatedLogError, match="line 12: the JSON breaks off here"):
        load_runs(log)


def test_lists_that_no_frequency_fits_are_not_asked_for_one(tmp_path: Path) -> None:
    log = tmp_path / "history.json"
    log.write_text(json.dumps({"loss": LOSS, "val_loss": LOSS[:3]}))
    with pytest.raises(LogError, match="Give lists of one length"):
        load_runs(log)


def test_values_at_steps_beside_text_are_said_to_be_no_epochs(tmp_path: Path) -> None:
    """spaCy logs a score every 200 steps, its losses below a name, and epoch 0."""
    rows = (
        {"epoch": 0, "step": 200 * at, "score": loss, "losses": {"ner": loss}}
        for at, loss in enumerate(LOSS)
    )
    log = tmp_path / "metrics.jsonl"
    log.write_text(
        "".join(chain.from_iterable((json.dumps(row), "\n") for row in rows))
    )
    with pytest.raises(LogError, match="no column has one value for each epoch"):
        load_runs(log)
    (run,) = load_runs(log, x_axis="step")
    assert list(run.series["score"]) == LOSS


def test_a_document_behind_another_that_is_nested_too_deeply_is_refused(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log.json"
    log.write_text('{"loss":\n[0.5]}\n' + "[" * 100_000)
    with pytest.raises(LogError, match="nested too deeply for a log"):
        load_runs(log)
