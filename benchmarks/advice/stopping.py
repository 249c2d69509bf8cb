"""When rules stop, and what that costs: plain arithmetic on many curves at once.

Every rule watches series of shape (n_runs, n_epochs) and is tried at several settings;
its answer has the shape (n_runs, n_settings). A rule that never asks to stop trains to
the end of the plan. The weights of the best watched epoch are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = [
    "Costs",
    "Stops",
    "Watch",
    "measure_costs",
    "measure_scale",
    "stop_by_patience",
    "stop_when",
    "watch_series",
]

# as in cbreplay: a best value this small beside the way to it says nothing of the scale
_NEAR_ZERO = 0.01


class Watch(NamedTuple):
    """What a rule knows at the end of each epoch, arrays (n_runs, n_epochs)."""

    wait: EpochArray
    best_epoch: EpochArray


class Stops(NamedTuple):
    """After which epoch each setting ends a run, and which epoch's weights it keeps."""

    last: EpochArray
    kept: EpochArray


class Costs(NamedTuple):
    """The shares: of the scale that is lost, and of the plan that is trained."""

    lost: FloatArray
    trained: FloatArray

    def score(self, cost_weight: float) -> FloatArray:
        """Return both in one."""
        return self.lost + cost_weight * self.trained


def watch_series(values: FloatArray, *, relative: float = 0.0) -> Watch:
    """Follow the least value so far; a NaN is no improvement, as in Keras.

    Parameters
    ----------
    values : array of shape (n_runs, n_epochs)
        What is watched; the least is best.
    relative : float
        By which share of the best value an improvement has to be better.
    """
    best = np.full(len(values), np.inf)
    at = np.zeros(len(values), int)
    wait, best_epoch = np.empty(values.shape, int), np.empty(values.shape, int)
    for epoch in range(values.shape[1]):
        margin = relative * np.abs(np.where(np.isinf(best), 0, best))
        better = values[:, epoch] < best - margin
        best = np.where(better, values[:, epoch], best)
        at = np.where(better, epoch, at)
        wait[:, epoch], best_epoch[:, epoch] = epoch - at, at
    return Watch(wait, best_epoch)


def stop_when(asked: Sequence[BoolArray], best_epoch: EpochArray) -> Stops:
    """Return where each of several settings first asks to stop.

    Parameters
    ----------
    asked : sequence of bool array of shape (n_runs, n_epochs)
        For each setting, when it would stop.
    best_epoch : array of shape (n_runs, n_epochs)
        Whose weights are kept, if training ends there.
    """
    n_epochs = best_epoch.shape[1]
    last = np.stack(
        [np.where(one.any(axis=1), one.argmax(axis=1), n_epochs - 1) for one in asked],
        axis=1,
    )
    return Stops(last, np.take_along_axis(best_epoch, last, axis=1))


def stop_by_patience(watch: Watch, patience: Sequence[int]) -> Stops:
    """Return where EarlyStopping stops.

    >>> losses = np.array([[0.9, 0.5, 0.6, 0.4, 0.7, 0.8, 0.3]])
    >>> stops = stop_by_patience(watch_series(losses), (1, 2, 3))
    >>> stops.last.tolist(), stops.kept.tolist()
    ([[2, 5, 6]], [[1, 3, 6]])
    """
    return stop_when([watch.wait >= value for value in patience], watch.best_epoch)


def measure_scale(objective: FloatArray) -> FloatArray:
    """Return on which scale the regrets of each run are judged: |best|."""
    best, first = np.nanmin(objective, axis=1), objective[:, 0]
    way = np.abs(first - best)
    scale = np.where(np.abs(best) >= _NEAR_ZERO * way, np.abs(best), way)
    return np.where(scale > 0, scale, 1.0)


def measure_costs(stops: Stops, objective: FloatArray) -> Costs:
    """Return what settings cost each run, judged by a series whose least is best."""
    best = np.nanmin(objective, axis=1)
    kept = np.take_along_axis(objective, stops.kept, axis=1)
    lost = (kept - best[:, None]) / measure_scale(objective)[:, None]
    return Costs(lost, (stops.last + 1) / objective.shape[1])
