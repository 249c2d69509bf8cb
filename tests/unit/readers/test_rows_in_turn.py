"""Rows that take turns: a script logs a training, then the validation, each epoch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cbreplay import Run, load_runs

if TYPE_CHECKING:
    from pathlib import Path

LOSS = [0.9, 0.7, 0.6, 0.5]
JUDGED = [0.95, 0.8, 0.7, 0.75]


def rows(n_rows: int = 8) -> list[dict[str, float]]:
    pairs = zip(LOSS, JUDGED, strict=True)
    logged = [row for loss, own in pairs for row in ({"loss": loss}, {"val_loss": own})]
    return [{"_step": step, **row} for step, row in enumerate(logged)][:n_rows]


def csv(logged: list[dict[str, float]], *names: str) -> str:
    cells = [",".join(str(row.get(name, "")) for name in names) for row in logged]
    return "\n".join([",".join(names), *cells, ""])


def read(directory: Path, name: str, text: str) -> Run:
    path = directory / name
    path.write_text(text, encoding="ascii")
    (run,) = load_runs(path)
    return run


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("history.csv", csv(rows(), "_step", "loss", "val_loss")),
        ("history.csv", csv(rows(), "loss", "val_loss")),
        ("history.csv", csv(rows(), "_step", "loss", "val_loss").replace("_", "", 1)),
        ("history.json", json.dumps(rows())),
        ("history.jsonl", "\n".join(map(json.dumps, rows()))),
    ],
)
def test_a_round_of_rows_is_one_epoch(tmp_path: Path, name: str, text: str) -> None:
    run = read(tmp_path, name, text)
    assert {name: list(own) for name, own in run.series.items()} == {
        "loss": LOSS,
        "val_loss": JUDGED,
    }
    assert any("its rows take turns" in note for note in run.notes)


def test_a_round_may_have_three_rows_and_the_last_be_cut(tmp_path: Path) -> None:
    logged = [
        {"_step": 3 * epoch + at, name: own / (at + 1)}
        for epoch, own in enumerate(LOSS)
        for at, name in enumerate(("loss", "val_acc", "val_loss"))
    ]
    run = read(tmp_path, "history.json", json.dumps(logged[:-1]))
    assert list(run.series["loss"]) == LOSS
    assert list(run.series["val_loss"].recorded) == [True, True, True, False]


def test_a_validation_of_every_second_epoch_is_none_of_them(tmp_path: Path) -> None:
    logged = rows()
    # the training is logged at each step: these are epochs
    every = [{"loss": 0.9 - 0.1 * at} | row for at, row in enumerate(logged)]
    run = read(tmp_path, "history.json", json.dumps(every))
    assert run.n_epochs == len(logged)


def test_rows_that_a_sample_left_take_no_turns(tmp_path: Path) -> None:
    """Nothing tells which steps were of one epoch: no answer holds for epochs."""
    logged = [row for row in rows() if row["_step"] not in {2, 5}]
    run = read(tmp_path, "history.json", json.dumps(logged))
    assert not any("its rows take turns" in note for note in run.notes)
