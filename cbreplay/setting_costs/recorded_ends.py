"""How each training ended: by its plan, by its own stopping rule, or otherwise.

A plain log says neither for how long its training was planned nor what ended it. Logs
that end at one epoch, at different distances from their best, were planned for it;
logs that end at one distance from their best, at different epochs, were stopped, and
so were those that end at a few distances, if none of them is alone with its own.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from cbreplay.by_key import by_key
from cbreplay.errors import CbreplayError
from cbreplay.evidence.outcomes import best_recorded_epoch
from cbreplay.evidence.training_course import ends_badly
from cbreplay.expressions import parse_recorded
from cbreplay.rules.base import class_name
from cbreplay.rules.parameters import defaults_of
from cbreplay.rules.registry import find_rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.run import Mode, Run

__all__ = [
    "FailedTraining",
    "PlanPart",
    "RecordedEnd",
    "find_endings",
    "find_failure",
    "is_constant",
    "part_by_plan",
    "recorded_stoppers",
    "usual_cadence",
]

# fewer logs that end alike show neither a plan nor a rule, and a shorter gap no rule
_FEWEST_ALIKE, _SHORTEST_GAP = 3, 2
# runs that all end at one epoch and were best in their first may have been stopped by a
# patience up to this; people hardly write a longer one
_LONGEST_GAP = 50


class RecordedEnd(NamedTuple):
    """How a run ended.

    Parameters
    ----------
    plan : int or None
        For how many epochs it was planned; None where that is unknown.
    reached : bool
        Whether it ended where it was planned to.
    own : int or None
        The patience of its own stopping rule, where that ended it.
    inferred : bool
        Whether the plan was inferred from other logs.
    guessed : bool
        Whether that patience was inferred from other logs.
    """

    plan: int | None
    reached: bool
    own: int | None
    inferred: bool = False
    guessed: bool = False

    @property
    def is_broken(self) -> bool:
        """Whether it ended before a plan that is known, and by no rule of its own."""
        return self.plan is not None and not self.reached and self.own is None

    @property
    def is_cut(self) -> bool:
        """Whether a rule of its own ended it before its plan."""
        return self.own is not None and not self.reached


class PlanPart(NamedTuple):
    """The runs that were planned alike.

    Parameters
    ----------
    plan : int or None
        For how many epochs; None where that differs or is unknown.
    inferred : bool
        Whether no log says so.
    rows : tuple of int
        The runs with this plan, and those without a known one that ended before it.
    n_reached : int
        How many of them ended where it ends.
    """

    plan: int | None
    inferred: bool
    rows: tuple[int, ...]
    n_reached: int


class FailedTraining(NamedTuple):
    """How a training failed.

    Parameters
    ----------
    how : {"not-finite", "interrupt", "error", "before-plan"}
        By a NaN or infinity, by what ended it, or because it ended before its plan.
    series : str or None
        The series with the NaN or infinity.
    """

    how: Literal["not-finite", "interrupt", "error", "before-plan"]
    series: str | None = None


def find_endings(
    runs: Sequence[Run],
    objective: Sequence[tuple[str, Mode]],
    recorded_under: int | None,
) -> list[RecordedEnd]:
    """Find what each training was planned for, and which its own rule ended.

    A plan comes first: what it explains, no rule has to. `recorded_under` is the
    patience that ended the logs that say nothing themselves.
    """
    found = [
        RecordedEnd(_known_plan(run), run.reached_plan, _own_patience(run))
        for run in runs
    ]
    gaps = [_gap(run, *judged) for run, judged in zip(runs, objective, strict=True)]
    # a series that never changes ends equally long after its best, whatever ended it
    constant = [
        is_constant(run, name) for run, (name, _) in zip(runs, objective, strict=True)
    ]
    for row in _explained_by_a_plan(runs, found, gaps, constant):
        if found[row].plan is None:
            end = runs[row].horizon + 1
            found[row] = found[row]._replace(plan=end, reached=True, inferred=True)
    silent = [
        row
        for row, run in enumerate(runs)
        if found[row].own is None and run.metadata is None and not found[row].reached
    ]
    if recorded_under is None:
        own = _alike({row: gaps[row] for row in silent if not constant[row]})
    else:
        own = dict.fromkeys(silent, recorded_under)
    for row, patience in own.items():
        is_guess = recorded_under is None
        found[row] = found[row]._replace(own=patience, guessed=is_guess)
    return found


def _alike(gaps: Mapping[int, int | None]) -> dict[int, int]:
    """Return the runs that end as long after their best as enough others do."""
    often = Counter(gaps.values())
    # each of four logs or more ends as long after its best as another one
    paired = len(gaps) > _FEWEST_ALIKE and min(often.values()) > 1
    return {
        row: gap
        for row, gap in gaps.items()
        if gap is not None
        and gap >= _SHORTEST_GAP
        and (paired or often[gap] >= _FEWEST_ALIKE)
    }


def _known_plan(run: Run) -> int | None:
    """Return the plan that is given; none where the record goes on after it."""
    plan = run.planned_epochs
    return None if plan is None or run.horizon >= plan else plan


def _explained_by_a_plan(
    runs: Sequence[Run],
    endings: Sequence[RecordedEnd],
    gaps: Sequence[int | None],
    constant: Sequence[bool],
) -> list[int]:
    """Return the runs whose common last epoch shows a plan, not a patience.

    At least three runs must end there, at different distances from their best, or at
    one that no patience explains. Nor is it a plan if several rounds of tuning, each
    stopped by its own patience, may have ended there by chance: then there are few
    distances, and each is also found at other last epochs, at as many as there are
    distances here. A log that never changes tells no distance. If one of the runs may
    still be training, its last epoch is no plan.

    `endings` tell which runs a rule of their own ended, `gaps` how many values come
    after the best of each, `constant` whether it has one value alone.
    """
    unruled = [row for row, ending in enumerate(endings) if ending.own is None]
    ends = by_key(unruled, lambda row: runs[row].horizon)
    ruled_at = {
        end: {gaps[row] for row in rows if not constant[row]}
        for end, rows in ends.items()
    }
    n_ends = Counter(gap for ruled in ruled_at.values() for gap in ruled)
    found = []
    for end, rows in ends.items():
        (gap, *others) = {gaps[row] for row in rows}
        one_rule = not others and _may_be_patience(gap, runs[rows[0]].n_epochs)
        ruled = ruled_at[end]
        rules = len(ruled) > 1 and all(
            gap is not None and gap >= _SHORTEST_GAP and n_ends[gap] >= len(ruled)
            for gap in ruled
        )
        growing = any(_still_grows(runs[row]) for row in rows)
        if len(rows) >= _FEWEST_ALIKE and not (one_rule or rules or growing):
            found += rows
    return found


def _may_be_patience(gap: int | None, n_epochs: int) -> bool:
    """Return whether a patience of `gap` may have ended runs of this length."""
    if gap is None:
        return False
    improved = gap < n_epochs - 1
    return gap >= _SHORTEST_GAP and (improved or gap <= _LONGEST_GAP)


def _still_grows(run: Run) -> bool:
    """Return whether a ``run.json`` records a planned fit without an end so far."""
    metadata = run.metadata
    if metadata is None or metadata.fit.epochs is None:
        return False
    return metadata.ended is None


def _own_patience(run: Run) -> int | None:
    """Return the patience of the rule that ended a run, as ``run.json`` has it."""
    ended = run.ended
    stoppers = [] if ended is None else recorded_stoppers(run) or []
    if ended is None or ended.by not in [rule.class_name for rule in stoppers]:
        return None
    # to Keras a patience of 0 is one of 1
    return max(int(min(rule.patience for rule in stoppers)), 1)


def _gap(run: Run, name: str, mode: Mode) -> int | None:
    """Return how many values come after the best one; None without a finite one."""
    best = best_recorded_epoch(run, name, mode)
    if best is None:
        return None
    after = run.monitored(name).recorded[best - run.first_epoch + 1 :]
    return int(np.count_nonzero(after))


def part_by_plan(runs: Sequence[Run], endings: Sequence[RecordedEnd]) -> list[PlanPart]:
    """Group the runs by their plans, the most frequent plan first.

    A run without a plan counts to the most frequent plan that is longer than it. Where
    no plan has three runs, all are one part.
    """
    often = Counter(
        ending.plan for ending in endings if ending.plan is not None and ending.reached
    )
    plans = sorted(
        (plan for plan in often if often[plan] >= _FEWEST_ALIKE),
        key=lambda plan: (-often[plan], -plan),
    )
    if not plans:
        return [_whole_part(endings)]
    rows: dict[int, list[int]] = {plan: [] for plan in plans}
    for row, run in enumerate(runs):
        plan = endings[row].plan
        if plan is None:
            plan = next((long for long in plans if long > run.horizon), None)
        if plan in rows:
            rows[plan].append(row)
    return [
        PlanPart(
            plan,
            all(
                endings[row].plan != plan or endings[row].inferred for row in rows[plan]
            ),
            tuple(rows[plan]),
            often[plan],
        )
        for plan in plans
    ]


def _whole_part(endings: Sequence[RecordedEnd]) -> PlanPart:
    """Return all runs as one part: of a plan, where all share one."""
    plans = {ending.plan for ending in endings}
    plan = next(iter(plans)) if len(plans) == 1 else None
    n_reached = sum(ending.reached for ending in endings)
    rows = tuple(range(len(endings)))
    return PlanPart(plan, inferred=False, rows=rows, n_reached=n_reached)


def usual_cadence(run: Run, monitor: str) -> int:
    """Return the most frequent distance, in epochs, between values of the monitor."""
    positions = np.flatnonzero(run.series[monitor].recorded)
    if len(positions) < 2:  # noqa: PLR2004 - one value has no distance
        return 1
    steps = Counter(np.diff(positions).tolist())
    return int(max(steps, key=lambda step: (steps[step], -step)))


def find_failure(run: Run, monitor: str) -> FailedTraining | None:
    """Return how a training failed: an end in NaN, or one that nobody planned.

    A NaN that numbers follow is no failure; but a first value of NaN is one, for
    nothing ever improves on it.
    """
    for name in dict.fromkeys(("loss", monitor)):
        series = run.series.get(name)
        if series is None:
            continue
        begun = series.values[series.recorded][:1]
        if np.isnan(begun).any() or ends_badly(series):
            return FailedTraining("not-finite", name)
    ended = run.ended
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
        if not _stops_by_patience(class_name(text)):
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
    return kind.stops_early and "patience" in defaults_of(kind)
