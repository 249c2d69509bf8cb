"""Where a mean of the values has stopped improving, and where a target is reached.

Beside it, which value is the best so far: its weights are held. All compare in float64.
Smaller is better, as in `improvements`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from cbreplay.sweep.kernels.early_stopping import NEVER, find_stops
from cbreplay.sweep.kernels.improvements import Compared

if TYPE_CHECKING:
    from collections.abc import Callable

    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = ["find_best", "find_reached", "find_waited", "smooth_values"]

_Recent: TypeAlias = "tuple[FloatArray, ...]"
_PLAINLY = Compared("float64", "value", starts_empty=False, flush_subnormals=False)


def smooth_values(
    values: FloatArray,
    smooth: Callable[[_Recent, FloatArray], tuple[_Recent, FloatArray]],
) -> FloatArray:
    """Return the mean at each step, of shape (n_steps, n_runs).

    Parameters
    ----------
    values : array of shape (n_steps, n_runs)
        A value that is no finite number is left out: there the mean is NaN.
    smooth : callable
        Takes what the mean before is made of and the next value of every run; returns
        what this mean is made of, and the mean.
    """
    finite = np.isfinite(values)
    means = np.full(values.shape, np.nan)
    # the first finite value of every run, then the second of every run, and so on
    order = np.argsort(~finite, axis=0, kind="stable")
    counts, runs = finite.sum(axis=0), np.arange(values.shape[1])
    recent: _Recent = ()
    with np.errstate(all="ignore"):
        for number in range(int(counts.max(initial=0))):
            steps, told = order[number], number < counts
            recent, mean = smooth(recent, values[steps, runs])
            means[steps[told], runs[told]] = mean[told]
    return means


def find_waited(
    means: FloatArray, n_steps: EpochArray, sizes: FloatArray, patience: FloatArray
) -> EpochArray:
    """Return where each setting has waited for its patience; NEVER where it has not.

    Parameters
    ----------
    means : array of shape (n_steps, n_runs)
        What has to improve; NaN does not.
    n_steps : array of shape (n_runs,)
        The steps of each run.
    sizes, patience : array of shape (n_settings,)
        The size of min_delta, and the patience, of each setting.
    """
    n_runs, n_settings = means.shape[1], len(sizes)
    stops = find_stops(
        means,
        n_steps,
        np.zeros((n_runs, n_settings), dtype=np.int64),
        sizes=sizes,
        baselines=np.full(n_settings, np.nan),
        patience=patience,
        own_patience=True,
        zero_first=np.zeros(n_runs, dtype=np.bool_),
        compared=_PLAINLY,
    )
    waited: EpochArray = stops.stop[:, :, 0]
    return waited


def find_reached(values: FloatArray, targets: FloatArray) -> EpochArray:
    """Return the first step at which each target is reached; NEVER where none is.

    Of shape (n_runs, n_targets), for values of shape (n_steps, n_runs).
    """
    reached = values[:, :, None] <= targets
    return np.where(reached.any(axis=0), reached.argmax(axis=0), NEVER)


def find_best(values: FloatArray, counted: BoolArray) -> BoolArray:
    """Return the steps whose value is less than all before it that count."""
    least = np.fmin.accumulate(np.where(counted, values, np.nan), axis=0)
    best = counted.copy()
    # `not <=` instead of `>`: before the first that counts, the least is NaN
    best[1:] &= ~(least[:-1] <= values[1:])
    return best
