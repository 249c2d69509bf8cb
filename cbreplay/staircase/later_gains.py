"""What a run still gained after the epoch in which its rate would first be reduced."""

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
    """What a run still gained after the epoch in which a patience would first reduce.

    Parameters
    ----------
    patience, epoch : int
        Which patience, and the epoch at whose end it would act first.
    gain : float
        By what share the best value fell after it.
    """

    patience: int
    epoch: int
    gain: float


def later_gains(staircase: Staircase) -> tuple[LaterGain, ...]:
    """Return what the record still gained after each earlier first reduction.

    Empty where the recorded rate is reduced in that epoch too, or rises: what followed
    was not trained at the first rate.

    Parameters
    ----------
    staircase : Staircase
        The log's answer, with where a ReduceLROnPlateau would first act.
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

    None where shares of it mean nothing: for a series that should be large, and for
    one that is zero or negative; and where the log lacks values, lower ones perhaps, or
    holds several for an epoch that may be the best.

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
