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
