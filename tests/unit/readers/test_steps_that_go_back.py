"""Rows of steps without an epoch, of a training that went back to a checkpoint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import LogError
from cbreplay.loading import load_runs

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay import Run

LOSSES = [0.9, 0.7, 0.6, 0.5, 0.45, 0.4, 0.42, 0.43, 0.44, 0.46]
# what the epochs from the fifth one on became when they were trained again
AGAIN = [0.451, 0.401, 0.421, 0.431, 0.441, 0.461]
# 7 epochs, and again from the fifth one on, as Ray's Tuner.restore writes its results
EPOCHS = [*enumerate(LOSSES[:7]), *enumerate(AGAIN, start=4)]

Rows = list[dict[str, Any]]


def whole_rows(apart: int) -> Rows:
    return [
        {"step": at * apart, "loss": loss - 0.1, "val_loss": loss}
        for at, loss in EPOCHS
    ]


def rows_of_each(apart: int) -> Rows:
    return [
        {"step": row["step"], name: row[name]}
        for row in whole_rows(apart)
        for name in ("loss", "val_loss")
    ]


def as_csv(rows: Rows) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(f"{row.get(name, '')}" for name in names) for row in rows]
    return "\n".join([",".join(names), *lines, ""])


def as_json_lines(rows: Rows) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def read(path: Path, rows: Rows, ending: str, **options: Any) -> list[Run]:
    log = path / f"log.{ending}"
    log.write_text(as_csv(rows) if ending == "csv" else as_json_lines(rows))
    return [*load_runs(log, **options)]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize("apart", [1, 10, 500])
@pytest.mark.parametrize("written", [whole_rows, rows_of_each])
def test_steps_that_go_back_begin_a_training_at_their_own_epoch(
    tmp_path: Path, written: Any, apart: int, ending: str
) -> None:
    first, second = read(tmp_path, written(apart), ending)
    assert (first.first_epoch, first.n_epochs) == (0, 7)
    assert (second.first_epoch, second.n_epochs) == (4, 6)
    assert second.series["val_loss"].values.tolist() == AGAIN


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize("written", [whole_rows, rows_of_each])
def test_a_training_that_was_resumed_at_an_earlier_step_is_joined_when_told(
    tmp_path: Path, written: Any, ending: str
) -> None:
    (run,) = read(tmp_path, written(10), ending, parts="join")
    assert run.n_epochs == 10
    assert run.series["val_loss"].values.tolist() == LOSSES[:4] + AGAIN


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_test_after_the_steps_is_no_epoch(tmp_path: Path, ending: str) -> None:
    rows = [{"step": at, "val_loss": loss} for at, loss in enumerate(LOSSES)]
    (run,) = read(tmp_path, [*rows, {"test_loss": 0.41}], ending)
    assert run.n_epochs == 10
    assert "left out 1 row without a step" in run.notes


def test_a_series_that_goes_on_where_steps_end_is_read_by_its_rows(
    tmp_path: Path,
) -> None:
    """Columns of other lengths side by side: the steps are those of the short one."""
    rows = [f"{at},{loss},{loss}" for at, loss in enumerate(LOSSES)]
    log = tmp_path / "all.csv"
    text = "\n".join(["step,short_loss,val_loss", *rows, ",,0.3", ",,0.2"])
    log.write_text(f"{text}\n", encoding="utf-8")
    (run,) = load_runs(log)
    assert list(run.series["val_loss"]) == [*LOSSES, 0.3, 0.2]
    assert list(run.series["short_loss"]) == [*LOSSES, None, None]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize("step", [{}, {"step": "final"}])
def test_a_row_whose_step_is_lost_is_damaged(
    tmp_path: Path, step: dict[str, str], ending: str
) -> None:
    rows: Rows = [{"step": at, "val_loss": loss} for at, loss in enumerate(LOSSES)]
    rows[5] = {**step, "val_loss": LOSSES[5]}
    with pytest.raises(LogError, match="is not a whole number") as caught:
        read(tmp_path, rows, ending)
    assert "errors='skip'" in str(caught.value)
    (run,) = read(tmp_path, rows, ending, errors="skip")
    assert not run.series["val_loss"].recorded[5]


@pytest.mark.parametrize("apart", [1, 10])
def test_lists_whose_steps_go_back_are_the_rows_that_they_are(apart: int) -> None:
    rows = whole_rows(apart)
    lists = {name: [row[name] for row in rows] for name in ("step", "val_loss")}
    first, second = load_runs(lists)
    assert (first.first_epoch, second.first_epoch) == (0, 4)
    assert [*second.series["val_loss"]] == AGAIN
