"""Everything that an answer is made of: which runs count, in groups, on what scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from cbreplay.groups import Grouping, find_groups
from cbreplay.recommend.copies import find_copies
from cbreplay.recommend.objective import Tolerance, measure_scale, resolve_tolerance
from cbreplay.recommend.pricing import Panel
from cbreplay.recommend.records import Own, find_cadence, find_own_stops

if TYPE_CHECKING:
    from cbreplay.recommend.advising import Advising
    from cbreplay.recommend.axes import Axes
    from cbreplay.run import EpochArray, Mode, Run
    from cbreplay.sweep import Sweep

__all__ = ["Study", "begin_study", "keep_alike"]


class Study(NamedTuple):
    """Everything that an answer is made of."""

    sweep: Sweep
    axes: Axes
    asked: Advising
    runs: list[Run]
    panel: Panel
    grouping: Grouping
    tolerance: Tolerance
    own: Own
    objective: str
    mode: Mode

    @property
    def noun(self) -> Literal["group", "run"]:
        """What is counted, left out and resampled."""
        return "run" if self.grouping.by in ("run", "seed") else "group"


def keep_alike(sweep: Sweep, axes: Axes, gone: list[tuple[str, str]]) -> EpochArray:
    """Return the runs that are validated and judged alike, and note the others."""
    monitor = axes.slices[0].monitor
    copies = find_copies(sweep.records, monitor)
    cadences = [find_cadence(run, monitor) for run in sweep.records]
    modes = [run.judged[0].mode for run in sweep.runs]
    counted = [row for row in range(len(modes)) if row not in copies]
    usual, mode = (
        _most_frequent([one[row] for row in counted]) for one in (cadences, modes)
    )
    kept = []
    for row, run in enumerate(sweep.runs):
        if row in copies:
            gone.append((run.name, f"a copy of {sweep.runs[copies[row]].name}"))
        elif cadences[row] != usual:
            why = (
                f"{monitor} is recorded {_spoken_cadence(cadences[row])}, not "
                f"{_spoken_cadence(usual)}: a patience counts records"
            )
            gone.append((run.name, why))
        elif modes[row] != mode:
            gone.append((run.name, f"judged the other way ({modes[row]})"))
        else:
            kept.append(row)
    return np.array(kept)


def _most_frequent(values: list[Any]) -> Any:  # noqa: ANN401 - numbers or modes
    return max(sorted(set(values)), key=values.count)


def _spoken_cadence(epochs: Any) -> str:  # noqa: ANN401 - a number
    return "every epoch" if epochs == 1 else f"every {epochs} epochs"


def begin_study(sweep: Sweep, axes: Axes, rows: EpochArray, asked: Advising) -> Study:
    """Group the runs that count, and find what each may lose."""
    runs = [sweep.records[row] for row in rows]
    judged = [sweep.runs[row].judged[0] for row in rows]
    grouping = find_groups(runs, asked.group_by)
    sizes = np.array([measure_scale(one) for one in judged])
    best, scale = sizes[:, 0], np.where(np.isnan(sizes[:, 1]), 1.0, sizes[:, 1])
    tolerance = resolve_tolerance(
        asked.tolerance, best, scale, [one for one in grouping.settings if len(one) > 1]
    )
    own = find_own_stops(
        runs, [(one.name, one.mode) for one in judged], asked.recorded_under
    )
    panel = Panel(
        rows,
        tuple(run.name for run in runs),
        tuple(np.array(one) for one in grouping.rows),
        scale,
        tolerance.by_run,
        asked.cost_weight,
        np.array([np.inf if one is None else one for one in own.patience]),
    )
    return Study(
        sweep,
        axes,
        asked,
        runs,
        panel,
        grouping,
        tolerance,
        own,
        judged[0].name,
        judged[0].mode,
    )
