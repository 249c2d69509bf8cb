"""Logs of one training of which one begins inside another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cbreplay import load_runs

if TYPE_CHECKING:
    from pathlib import Path

LOSSES = np.random.default_rng(7).random(30).tolist()
OTHERS = np.random.default_rng(8).random(30).tolist()


def write(
    path: Path, begin: int, end: int, losses: list[float] = LOSSES, first: int = 0
) -> None:
    """Write the rows of some epochs, of all of which the first is called `first`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{first + at},{losses[at]},{losses[at] / 2}" for at in range(begin, end)]
    path.write_text("\n".join(["epoch,loss,val_loss", *rows, ""]))


@pytest.mark.parametrize(
    "kept",
    [
        # a log that keeps its last ten rows, saved now and then
        [(0, 10), (5, 15), (10, 20), (18, 28)],
        # its begin was cut
        [(0, 12), (6, 28)],
        [(0, 12), (6, 20), (9, 28)],
    ],
)
@pytest.mark.parametrize("first", [0, 1])
def test_logs_that_share_rows_are_one_training(
    tmp_path: Path, kept: list[tuple[int, int]], first: int
) -> None:
    for at, (begin, end) in enumerate(kept):
        write(tmp_path / f"copy_{at}.csv", begin, end, first=first)
    (run,) = load_runs(tmp_path)
    assert list(run.series["loss"]) == LOSSES[:28]
    assert (run.first_epoch, run.seams) == (0, ())
    assert "rows of the same training stand in copy_1.csv" in run.notes[-1]


def test_a_training_whose_first_rows_no_log_holds_begins_late(tmp_path: Path) -> None:
    write(tmp_path / "a" / "logs.csv", 5, 20)
    write(tmp_path / "b" / "logs.csv", 8, 25)
    (run,) = load_runs(tmp_path)
    assert list(run.series["loss"]) == LOSSES[5:25]
    assert run.first_epoch == 5


def test_rows_with_other_values_are_those_of_another_training(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", 0, 12)
    write(tmp_path / "b.csv", 6, 20, [*LOSSES[:11], *OTHERS])
    assert len(load_runs(tmp_path)) == 2


def test_a_log_that_may_go_on_with_two_others_goes_on_with_none(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", 0, 12)
    write(tmp_path / "b.csv", 0, 12, [OTHERS[0], *LOSSES[1:]])
    write(tmp_path / "c.csv", 5, 20)
    assert len(load_runs(tmp_path)) == 3


def test_trainings_that_failed_share_no_rows(tmp_path: Path) -> None:
    dead = [0.6931471805599453] * 30
    write(tmp_path / "a.csv", 0, 12, dead)
    write(tmp_path / "b.csv", 6, 20, dead)
    assert len(load_runs(tmp_path)) == 2


@pytest.mark.parametrize("lost", [((), (12,)), ((5,), (12,)), ((5,), (5, 12))])
def test_copies_of_which_each_lost_rows_are_one_training(
    tmp_path: Path, lost: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    for name, end, own in zip("ab", (20, 30), lost, strict=True):
        rows = [f"{at},{LOSSES[at]}" for at in range(end) if at not in own]
        (tmp_path / f"{name}.csv").write_text("\n".join(["epoch,val_loss", *rows, ""]))
    (run,) = load_runs(tmp_path)
    nowhere = {*lost[0]} & {*lost[1]}
    expected = [None if at in nowhere else loss for at, loss in enumerate(LOSSES)]
    assert list(run.series["val_loss"]) == expected
    told = [note for note in run.notes if note.startswith("no row for")]
    assert told == (
        ["no row for 1 of 30 epochs: 6 (counted from 1)"] if nowhere else []
    )


def test_a_rate_and_a_hole_of_one_log_are_filled_from_the_other(tmp_path: Path) -> None:
    rates = [0.5 ** (epoch // 4) for epoch in range(12)]
    rows = [f"{at},{LOSSES[at]},{rates[at]}" for at in range(12)]
    for name, kept in {"a": [*rows[:3], *rows[4:8]], "b": rows[2:]}.items():
        text = "\n".join(["epoch,loss,learning_rate", *kept, ""])
        (tmp_path / f"{name}.csv").write_text(text)
    (run,) = load_runs(tmp_path)
    assert list(run.series["loss"]) == LOSSES[:12]
    assert run.learning_rate is not None
    assert list(run.learning_rate) == rates


def test_a_log_that_begins_some_epochs_after_another_may_be_its_rest(
    tmp_path: Path,
) -> None:
    write(tmp_path / "part1.csv", 0, 10)
    write(tmp_path / "part2.csv", 15, 25)
    runs = load_runs(tmp_path)
    assert [(run.first_epoch, run.n_epochs) for run in runs] == [(0, 10), (15, 10)]
    assert runs[1].notes[-1] == (
        "between the end of part1.csv and its own beginning lie 5 epochs: if both are "
        "of one training, rows are lost there; each was read as a run"
    )


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_json_of_one_training_is_joined_as_tables_are(
    tmp_path: Path, ending: str
) -> None:
    for name, begin, end in (("a", 0, 12), ("b", 9, 30)):
        rows = [{"epoch": at, "val_loss": LOSSES[at]} for at in range(begin, end)]
        text = (
            "\n".join(map(json.dumps, rows)) if ending == "jsonl" else json.dumps(rows)
        )
        (tmp_path / f"{name}.{ending}").write_text(text)
    (run,) = load_runs(tmp_path)
    assert list(run.series["val_loss"]) == LOSSES
