"""How much the best loss still fell after the epoch of a first rate reduction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.holes import find_gap
from cbreplay.outcomes import has_ambiguous_best

if TYPE_CHECKING:
    from cbreplay.run import Mode, Run
    from cbreplay.staircase.build import Staircase

__all__ = ["LaterGain", "later_gain", "later_gains"]


class LaterGain(NamedTuple):
    """How much the best loss fell after the epoch in which a patience first reduces.

    Parameters
    ----------
    patience, epoch : int
        The patience, and the epoch (zero-based) at whose end it would first reduce.
    gain : float
        The fall of the best value after it, as a share of the best value up to it.
    """

    patience: int
    epoch: int
    gain: float


def later_gains(staircase: Staircase) -> tuple[LaterGain, ...]:
    """Return what the record still gained after each earlier first reduction.

    Only of reductions before any recorded one; none if the recorded rate rises: later
    epochs were not trained at the first rate.

    Parameters
    ----------
    staircase : Staircase
        The log's staircase; its `rate` says where a ReduceLROnPlateau would first act.
    """
    run, rate = staircase.replay.run, staircase.rate
    if rate.rises:
        return ()
    ends = rate.reductions[0].epoch if rate.reductions else run.horizon
    gains = []
    for patience, epoch in rate.first_reductions:
        gain = later_gain(run, staircase.objective, staircase.objective_mode, epoch)
        if gain is not None and epoch < ends:
            gains.append(LaterGain(patience, epoch, gain))
    return tuple(gains)


def later_gain(run: Run, name: str, mode: Mode, epoch: int) -> float | None:
    """Return by what share the best value of a loss fell after an epoch.

    None if shares of it mean nothing: for a series that should be large, or has zero or
    negative values; and if the best is not certain, because values are missing or an
    epoch has several.

    >>> from cbreplay.run import Run
    >>> run = Run.from_logs({"val_loss": loss} for loss in (4, 2, 3, 1.5))
    >>> later_gain(run, "val_loss", "min", 2), later_gain(run, "val_loss", "min", 3)
    (0.25, 0.0)
    """
    series = run.series[name]
    told = series.recorded & np.isfinite(series.values)
    before = series.values[told & (run.epochs <= epoch)]
    unsure = find_gap(run, name) is not None or has_ambiguous_best(run, name, mode)
    if mode == "max" or not len(before) or unsure:
        return None
    by_then, least = float(before.min()), float(series.values[told].min())
    return (by_then - least) / by_then if by_then > 0 <= least else None
