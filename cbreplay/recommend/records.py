"""What of the runs decides how far they are evidence for a choice."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from cbreplay.errors import CbreplayError
from cbreplay.expressions import parse_recorded
from cbreplay.outcomes import best_recorded_epoch
from cbreplay.rules.registry import find_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import Mode, Run

__all__ = [
    "FailedTraining",
    "OwnStops",
    "find_cadence",
    "find_failure",
    "find_own_stops",
    "recorded_stoppers",
]

# fewer logs that end alike, or a shorter gap, show no rule
_FEWEST_ALIKE = 3
_SHORTEST_GAP = 2


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


class OwnStops(NamedTuple):
    """Under which early stopping the logs were recorded.

    Parameters
    ----------
    patience : tuple of int or None
        Of each run that its own stopping rule ended; None for the others.
    cap : int or None
        The largest of them, where they are most of the runs.
    guessed : int or None
        The patience that is guessed from where the logs end; None where it is known.
    """

    patience: tuple[int | None, ...]
    cap: int | None
    guessed: int | None


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


def find_own_stops(
    runs: Sequence[Run],
    objective: Sequence[tuple[str, Mode]],
    recorded_under: int | None,
) -> OwnStops:
    """Find the runs that their own stopping rule ended, and its patience.

    From ``run.json``; from `recorded_under` where that says nothing; or because most
    logs end the same number of epochs after their best.
    """
    known = [_own_patience(run) for run in runs]
    open_ended = [
        row
        for row, run in enumerate(runs)
        if known[row] is None and run.metadata is None and not run.reached_plan
    ]
    guessed = None
    if recorded_under is not None:
        for row in open_ended:
            known[row] = recorded_under
    else:
        gaps = {row: _gap(runs[row], *objective[row]) for row in open_ended}
        guessed = _usual_gap([gap for gap in gaps.values() if gap is not None])
        for row, gap in gaps.items():
            if guessed is not None and gap == guessed:
                known[row] = guessed
    stopped_by = [patience for patience in known if patience is not None]
    cap = max(stopped_by) if 2 * len(stopped_by) > len(runs) else None
    return OwnStops(tuple(known), cap, guessed)


def _own_patience(run: Run) -> int | None:
    """Return the patience of the rule that ended a run, as ``run.json`` has it."""
    ended = None if run.metadata is None else run.metadata.ended
    stoppers = [] if ended is None else recorded_stoppers(run) or []
    if ended is None or ended.by not in [rule.class_name for rule in stoppers]:
        return None
    # to Keras a patience of 0 is one of 1
    return max(int(min(rule.patience for rule in stoppers)), 1)


def _gap(run: Run, name: str, mode: Mode) -> int | None:
    best = best_recorded_epoch(run, name, mode)
    return None if best is None else run.horizon - best


def _usual_gap(gaps: Sequence[int]) -> int | None:
    """Return how many epochs after their best most logs end; None if they differ."""
    if not gaps:
        return None
    (gap, often), *_ = Counter(gaps).most_common(1)
    alike = often >= _FEWEST_ALIKE and 2 * often > len(gaps)
    return gap if alike and gap >= _SHORTEST_GAP else None
