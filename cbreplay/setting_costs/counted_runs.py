"""Which runs of a sweep count, those of each plan together, and why others do not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.setting_costs.copies import find_copies
from cbreplay.setting_costs.recorded_ends import (
    PlanPart,
    RecordedEnd,
    find_endings,
    part_by_plan,
    usual_cadence,
)
from cbreplay.setting_costs.swept_settings import Excluded, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.run import EpochArray, Run
    from cbreplay.sweep import Sweep

__all__ = ["RunsOfPlan", "count_runs"]


class RunsOfPlan(NamedTuple):
    """Runs that were planned alike: where they stand, how they ended, and the plan."""

    rows: EpochArray
    endings: Sequence[RecordedEnd]
    part: PlanPart


def count_runs(
    sweep: Sweep, monitor: str, recorded_under: int | None
) -> tuple[list[RunsOfPlan], list[Excluded]]:
    """Return the runs of each plan, the most first, and those that count for none.

    `monitor` tells how often a run was validated, and copies; `recorded_under` is the
    patience that the user says the logs were recorded under.
    """
    rows, gone = _keep_alike(sweep, monitor)
    parts = _part_runs(sweep, rows, recorded_under)
    return parts, [*gone, *_planned_otherwise(sweep, rows, parts)]


def _keep_alike(sweep: Sweep, monitor: str) -> tuple[EpochArray, list[Excluded]]:
    """Return the rows of the runs that are validated and judged alike.

    The others, and copies, are left out, each with the reason.
    """
    cadences = [usual_cadence(run, monitor) for run in sweep.records]
    modes = [run.judged[0].mode for run in sweep.runs]
    resumed = _find_resumed(sweep.records)
    found = find_copies(sweep.records, monitor).items()
    # a run that is left out is no reason to leave out its copy
    copies = {row: of for row, of in found if row not in resumed and of not in resumed}
    # cadence and mode are counted as pairs, so that some run has both usual values
    both = list(zip(cadences, modes, strict=True))
    left = {*copies, *resumed}
    usual, mode = _most_frequent(
        [held for row, held in enumerate(both) if row not in left]
    )
    kept: list[int] = []
    gone: list[Excluded] = []
    for row, run in enumerate(sweep.runs):
        why = None
        if row in copies:
            why = Reason("copy", {"of": sweep.runs[copies[row]].name})
        elif row in resumed:
            why = Reason("resumed", {})
        elif cadences[row] != usual:
            every = {"every": cadences[row], "usual": usual}
            why = Reason("cadence", {"series": monitor, **every})
        elif modes[row] != mode:
            why = Reason("direction", {"mode": modes[row]})
        if why is None:
            kept.append(row)
        else:
            gone.append(Excluded(run.name, why))
    return np.array(kept), gone


def _find_resumed(records: Sequence[Run]) -> set[int]:
    """Return the rows of runs that resume another, which are no whole trainings.

    The part before it may be a run, or a copy of one in another file that was read
    once. Where all that is asked about are such parts, they are compared as they are.
    """
    resumed = {row for row, run in enumerate(records) if run.resumes}
    return resumed if len(resumed) < len(records) else set()


def _most_frequent(values: list[Any]) -> Any:  # noqa: ANN401 - numbers or modes
    """Return the value that comes most often, the smallest of several."""
    counts = Counter(values)
    return max(sorted(counts), key=counts.__getitem__)


def _part_runs(
    sweep: Sweep, rows: EpochArray, recorded_under: int | None
) -> list[RunsOfPlan]:
    """Return the runs of each plan, those of which there are most first."""
    runs = [sweep.records[row] for row in rows]
    judged = [sweep.runs[row].judged[0] for row in rows]
    endings = find_endings(
        runs, [(series.name, series.mode) for series in judged], recorded_under
    )
    return [
        RunsOfPlan(rows[list(part.rows)], [endings[row] for row in part.rows], part)
        for part in part_by_plan(runs, endings)
    ]


def _planned_otherwise(
    sweep: Sweep, rows: EpochArray, parts: Sequence[RunsOfPlan]
) -> Iterator[Excluded]:
    """Yield the runs in no part, because too few share their plan."""
    counted = {row for part in parts for row in part.rows.tolist()}
    usual = parts[0].part.plan
    for row in rows.tolist():
        if row not in counted:
            run = sweep.records[row]
            facts = {"planned": run.planned_epochs, "usual": usual}
            yield Excluded(run.name, Reason("plan", facts))
