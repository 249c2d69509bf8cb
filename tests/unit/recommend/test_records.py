"""What of a run decides how far it is evidence."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from cbreplay import EarlyStopping, Run
from cbreplay.recommend.records import (
    FailedTraining,
    find_cadence,
    find_failure,
    find_own_stops,
    recorded_stoppers,
)
from cbreplay.run_metadata import parse_run_metadata


def run(losses: list[float | None], name: str = "run", **described: Any) -> Run:
    planned = described.pop("planned_epochs", None)
    made = Run.from_logs(
        [{"loss": 1.0, "val_loss": loss} for loss in losses],
        name=name,
        planned_epochs=planned,
    )
    if not described:
        return made
    return replace(made, metadata=parse_run_metadata(json.dumps(described), source=""))


@pytest.mark.parametrize(
    ("losses", "cadence"),
    [
        ([1.0, 0.9, 0.8, 0.7], 1),
        ([None, 0.9, None, 0.7, None, 0.6], 2),
        ([1.0, 0.9, None, 0.7, 0.6], 1),
        ([1.0], 1),
    ],
)
def test_the_cadence_is_the_usual_distance(
    losses: list[float | None], cadence: int
) -> None:
    assert find_cadence(run(losses), "val_loss") == cadence


@pytest.mark.parametrize(
    ("made", "failure"),
    [
        (run([1.0, math.nan]), FailedTraining("not-finite", "val_loss")),
        (run([1.0, 0.9], ended={"by": "interrupt"}), FailedTraining("interrupt")),
        (run([1.0, 0.9], planned_epochs=5), FailedTraining("before-plan")),
        (run([1.0, 0.9], planned_epochs=2), None),
        (run([1.0, 0.9]), None),
        (run([1.0, 0.9], planned_epochs=5, ended={"by": "EarlyStopping"}), None),
    ],
)
def test_how_a_run_failed(made: Run, failure: FailedTraining | None) -> None:
    assert find_failure(made, "val_loss") == failure


def test_recorded_stoppers_are_read_and_nothing_is_run() -> None:
    named = run([1.0], callbacks=["EarlyStopping(patience=3)", "CSVLogger('a')"])
    assert recorded_stoppers(named) == [EarlyStopping(patience=3)]
    assert recorded_stoppers(run([1.0], callbacks=["CSVLogger('a')"])) == []
    assert recorded_stoppers(run([1.0])) is None
    assert recorded_stoppers(run([1.0], callbacks=["EarlyStopping(oops)"])) is None


FALLING: list[float | None] = [0.9, 0.8, 0.7]


def own(runs: list[Run], recorded_under: int | None = None) -> Any:
    return find_own_stops(runs, [("val_loss", "min")] * len(runs), recorded_under)


def test_run_json_says_under_which_patience_a_run_was_ended() -> None:
    ended = run(
        [*FALLING, 0.8, 0.8],
        callbacks=["EarlyStopping(patience=2)"],
        ended={"by": "EarlyStopping", "epoch": 4},
    )
    found = own([ended, run(FALLING, seed=1)])
    assert found.patience == (2, None)
    # one of two is not most
    assert found.cap is None
    assert own([ended]).cap == 2


def test_logs_that_end_alike_after_their_best_were_probably_stopped() -> None:
    stopped = [run([*FALLING[:n], 0.95, 0.95, 0.95]) for n in (1, 2, 3)]
    found = own([*stopped, run([0.9, 0.8, 0.85])])
    assert found.patience == (3, 3, 3, None)
    assert (found.guessed, found.cap) == (3, 3)
    # two are no pattern, and a plan that was reached is none either
    assert own(stopped[:2]).guessed is None
    assert (
        own(
            [replace(one, planned_epochs=one.recorded_epochs) for one in stopped]
        ).guessed
        is None
    )


def test_recorded_under_says_it_for_logs_that_do_not() -> None:
    found = own([run(FALLING), run(FALLING, seed=1)], recorded_under=7)
    assert found.patience == (7, None)
    assert found.guessed is None
