"""Everything that an answer is made of: which runs count, in groups, on what scale."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from cbreplay.errors import ConfigError
from cbreplay.groups import Grouping, find_groups
from cbreplay.recommend.answer import Excluded, Reason, Tolerance
from cbreplay.recommend.copies import find_copies
from cbreplay.recommend.pricing import Panel
from cbreplay.recommend.records import OwnStops, find_cadence, find_own_stops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.recommend.answer import Advising
    from cbreplay.recommend.axes import Axes
    from cbreplay.run import EpochArray, FloatArray, Mode, Run
    from cbreplay.sweep import Judged, Sweep

__all__ = [
    "Study",
    "begin_study",
    "keep_alike",
    "measure_scale",
    "read_tolerance",
    "resolve_tolerance",
]

_USUAL_SHARE = 0.01
# the spread of two is known to no better than three quarters of itself
_FEWEST_SEEDS = 3
# a best value this small beside the way to it says nothing about the scale
_NEAR_ZERO = 0.01


class Study(NamedTuple):
    """Everything that an answer is made of.

    Parameters
    ----------
    sweep, axes : Sweep, Axes
        Every patience on every run, and which settings these are.
    asked : Advising
        What was asked.
    runs : list of Run
        The runs that count.
    panel : Panel
        By what they are judged.
    grouping : Grouping
        Which of them count as one.
    tolerance : Tolerance
        What each may lose.
    own : OwnStops
        Under which early stopping they were recorded.
    objective, mode : str
        What is judged, and which way it improves.
    """

    sweep: Sweep
    axes: Axes
    asked: Advising
    runs: list[Run]
    panel: Panel
    grouping: Grouping
    tolerance: Tolerance
    own: OwnStops
    objective: str
    mode: Mode

    @property
    def unit(self) -> Literal["group", "run"]:
        """What is counted, left out and resampled."""
        return "run" if self.grouping.by in ("run", "seed") else "group"


def keep_alike(sweep: Sweep, axes: Axes, gone: list[Excluded]) -> EpochArray:
    """Return the runs that are validated and judged alike, and note the others."""
    monitor = axes.slices[0].monitor
    copies = find_copies(sweep.records, monitor)
    cadences = [find_cadence(run, monitor) for run in sweep.records]
    modes = [run.judged[0].mode for run in sweep.runs]
    counted = [row for row in range(len(modes)) if row not in copies]
    usual, mode = (
        _most_frequent([held[row] for row in counted]) for held in (cadences, modes)
    )
    kept = []
    for row, run in enumerate(sweep.runs):
        why = None
        if row in copies:
            why = Reason("copy", {"of": sweep.runs[copies[row]].name})
        elif cadences[row] != usual:
            every = {"every": cadences[row], "usual": usual}
            why = Reason("cadence", {"series": monitor, **every})
        elif modes[row] != mode:
            why = Reason("direction", {"mode": modes[row]})
        if why is None:
            kept.append(row)
        else:
            gone.append(Excluded(run.name, why))
    return np.array(kept)


def _most_frequent(values: list[Any]) -> Any:  # noqa: ANN401 - numbers or modes
    """Return the value that comes most often, the smallest of several."""
    counts = Counter(values)
    return max(sorted(counts), key=counts.__getitem__)


def begin_study(sweep: Sweep, axes: Axes, rows: EpochArray, asked: Advising) -> Study:
    """Group the runs that count, and find what each may lose."""
    runs = [sweep.records[row] for row in rows]
    judged = [sweep.runs[row].judged[0] for row in rows]
    grouping = find_groups(runs, asked.group_by)
    sizes = np.array([measure_scale(series) for series in judged])
    best, scale = sizes[:, 0], np.where(np.isnan(sizes[:, 1]), 1.0, sizes[:, 1])
    tolerance = resolve_tolerance(
        asked.tolerance,
        best,
        scale,
        [rows for rows in grouping.settings if len(rows) > 1],
    )
    own = find_own_stops(
        runs, [(series.name, series.mode) for series in judged], asked.recorded_under
    )
    panel = Panel(
        rows,
        tuple(run.name for run in runs),
        tuple(np.array(members) for members in grouping.rows),
        scale,
        tolerance.by_run,
        asked.cost_weight,
        np.array([np.inf if limit is None else limit for limit in own.patience]),
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


def measure_scale(judged: Judged) -> tuple[float, float]:
    """Return a run's best value, and the scale on which its regrets are judged.

    The scale is the size of the best value, or the way from the first value to the
    best where the best is near zero. NaN without a finite value.
    """
    finite = judged.values[np.isfinite(judged.values)]
    if not len(finite):
        return np.nan, np.nan
    best = float(finite.min() if judged.mode == "min" else finite.max())
    way = abs(float(finite[0]) - best)
    scale = abs(best) if abs(best) >= _NEAR_ZERO * way else way
    return best, scale or 1.0


def read_tolerance(text: str | float) -> tuple[Literal["absolute", "share"], float]:
    """Read ``0.002`` or ``"1%"``.

    >>> read_tolerance("1%"), read_tolerance(0.002)
    (('share', 0.01), ('absolute', 0.002))

    Raises
    ------
    ConfigError
        If it is neither, or negative.
    """
    kind: Literal["absolute", "share"] = "absolute"
    try:
        if isinstance(text, str) and text.strip().endswith("%"):
            kind, value = "share", float(text.strip()[:-1]) / 100
        else:
            value = float(text)
    except (TypeError, ValueError):
        value = -1.0
    if not 0 <= value < np.inf:
        sentence = (
            f"tolerance is {text!r}, where a number from 0 on in the objective's unit, "
            "or a share such as '1%', is expected. Give --tolerance or tolerance="
        )
        raise ConfigError(sentence)
    return kind, value


def resolve_tolerance(
    asked: str | float | None,
    best: FloatArray,
    scale: FloatArray,
    seeds: Sequence[Sequence[int]],
) -> Tolerance:
    """Return what each run may lose.

    Parameters
    ----------
    asked : str, float or None
        As in `recommend_config`.
    best, scale : array of shape (n_runs,)
        Of `measure_scale`.
    seeds : sequence of sequence of int
        The runs of each group that differ by seed.
    """
    near_zero = int(np.sum(np.isfinite(best) & (scale != np.abs(best))))
    if asked is not None:
        kind, value = read_tolerance(asked)
        by_run = scale * value if kind == "share" else np.full(len(scale), value)
        return Tolerance(kind, value, by_run, 0, near_zero)
    by_run, seeded = scale * _USUAL_SHARE, 0
    for rows in seeds:
        values = best[list(rows)]
        values = values[np.isfinite(values)]
        if len(values) >= _FEWEST_SEEDS:
            by_run[list(rows)] = values.std(ddof=1)
            seeded += 1
    usual: Literal["seeds", "share"] = "seeds" if seeded else "share"
    return Tolerance(usual, _USUAL_SHARE, by_run, seeded, near_zero)
