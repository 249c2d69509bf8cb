"""What of the runs decides how far they are evidence for a choice."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from cbreplay.errors import CbreplayError
from cbreplay.expressions import parse_recorded
from cbreplay.rules.registry import find_rule

if TYPE_CHECKING:
    from cbreplay.run import Run

__all__ = [
    "FailedTraining",
    "find_cadence",
    "find_failure",
    "is_constant",
    "recorded_stoppers",
]


class FailedTraining(NamedTuple):
    """How a training failed.

    Parameters
    ----------
    how : {"not-finite", "interrupt", "error", "before-plan"}
        By a NaN or infinity, by what ended it, or because it ended before its plan.
    series : str or None
        Where the NaN or infinity stands.
    """

    how: Literal["not-finite", "interrupt", "error", "before-plan"]
    series: str | None = None


def find_cadence(run: Run, monitor: str) -> int:
    """Return after how many epochs the monitor is usually recorded again."""
    positions = np.flatnonzero(run.series[monitor].recorded)
    if len(positions) < 2:  # noqa: PLR2004 - one value has no distance
        return 1
    steps = Counter(np.diff(positions).tolist())
    return int(max(steps, key=lambda step: (steps[step], -step)))


def find_failure(run: Run, monitor: str) -> FailedTraining | None:
    """Return how a training failed: NaN, or an end that nobody planned."""
    for name in dict.fromkeys(("loss", monitor)):
        series = run.series.get(name)
        if series is None:
            continue
        wrong = series.recorded & ~np.isfinite(series.values)
        if wrong.any():
            return FailedTraining("not-finite", name)
    ended = None if run.metadata is None else run.metadata.ended
    if ended is not None and ended.by == "interrupt":
        return FailedTraining("interrupt")
    if ended is not None and ended.by == "error":
        return FailedTraining("error")
    if (
        (ended is None or ended.broken_off)
        and run.planned_epochs is not None
        and not run.reached_plan
    ):
        return FailedTraining("before-plan")
    return None


def is_constant(run: Run, monitor: str) -> bool:
    """Return whether a series never changes, so that it tells of no patience."""
    series = run.monitored(monitor)
    return len(np.unique(series.values[series.recorded])) == 1


def recorded_stoppers(run: Run) -> list[Any] | None:
    """Return the rules of a ``run.json`` that stop by a patience.

    None where it names no callbacks at all, or one of these cannot be read.
    """
    if run.metadata is None or not run.metadata.callbacks:
        return None
    stoppers: list[Any] = []
    for text in run.metadata.callbacks:
        if not _stops_by_patience(text.partition("(")[0].rpartition(".")[2]):
            continue
        try:
            stoppers += parse_recorded([text])
        except CbreplayError:
            return None
    return stoppers


def _stops_by_patience(name: str) -> bool:
    row = find_rule(name)
    if row is None:
        return False
    kind = row.load()
    parameters = [parameter.name for parameter in fields(kind)]
    return kind.stops_early and "patience" in parameters
