"""Which steps can improve at all: for a min_delta of 0 or more, few.

An improving value is smaller than all values before it: it is below the last best by
min_delta, and the values since that best are not. Rounding keeps the order. So only a
step whose value is below all before it needs to be compared, whatever the setting.
(Smaller is better: `improvements` says why.)
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = ["Candidates", "find_candidates"]


class Candidates(NamedTuple):
    """The steps that may improve, of each run.

    Parameters
    ----------
    steps : array of shape (n_candidates, n_runs)
        The step of each candidate, upwards; past a run's last candidate, `n_steps`.
    values : array of the same shape
        Its value; NaN past a run's last candidate.
    first : array of shape (n_runs, n_settings)
        The first candidate that counts; past every end where none does.
    first_steps : array of the same shape
        The first step that counts, likewise.
    n_steps : int
        The steps of the longest run.
    """

    steps: EpochArray
    values: FloatArray
    first: EpochArray
    first_steps: EpochArray
    n_steps: int

    def spread(self, improved: BoolArray) -> BoolArray:
        """Return the same mask with a row for every step, not only the candidates."""
        every = np.zeros((self.n_steps, *improved.shape[1:]), dtype=np.bool_)
        candidate, run, setting = np.nonzero(improved)
        every[self.steps[candidate, run], run, setting] = True
        return every


def find_candidates(
    values: FloatArray, first_steps: EpochArray, sizes: FloatArray
) -> Candidates:
    """Find the steps that may improve under some of the settings.

    Parameters
    ----------
    values : array of shape (n_steps, n_runs)
        The monitored values, smaller is better; NaN past a run's end.
    first_steps : array of shape (n_runs, n_settings)
        The first step that counts; past every end where none does.
    sizes : array of shape (n_settings,)
        The size of min_delta: larger is harder.
    """
    n_steps, n_runs = values.shape
    starts = _starts(first_steps, n_steps)
    if not 0 < len(starts) <= n_steps // 4 + 1 or sizes.min(initial=0) < 0:
        steps = np.broadcast_to(np.arange(n_steps)[:, None], values.shape)
        return Candidates(steps, values, first_steps, first_steps, n_steps)
    marked = np.zeros(values.shape, dtype=np.bool_)
    for begin, end in itertools.pairwise([*starts, n_steps]):
        part = values[begin:end]
        smallest = np.fmin.accumulate(part, axis=0)
        marked[begin] = True
        # `not <=` instead of `>`: a number that follows only NaN is a candidate too
        np.less_equal(smallest[:-1], part[1:], out=marked[begin + 1 : end])
        marked[begin + 1 : end] |= np.isnan(part[1:])
        np.logical_not(marked[begin + 1 : end], out=marked[begin + 1 : end])
    run, step = np.nonzero(marked.T)
    counts = np.bincount(run, minlength=n_runs)
    most = int(counts.max())
    place = np.arange(len(run)) - (np.cumsum(counts) - counts)[run]
    steps = np.full((most, n_runs), n_steps)
    steps[place, run] = step
    held = np.full((most, n_runs), np.nan)
    held[place, run] = values[step, run]
    first = first_steps
    if len(starts) != 1 or starts[0] != 0 or first_steps.any():
        # every step at which a setting begins is a candidate, so its number is known
        number = np.full((n_runs, n_steps + 2), most + 1)
        number[run, step] = place
        first = np.take_along_axis(number, first_steps, axis=1)
    return Candidates(steps, held, first, first_steps, n_steps)


def _starts(first_steps: EpochArray, n_steps: int) -> list[int]:
    """Return the steps at which some setting begins to count."""
    if not first_steps.any():
        return [0]
    begins = np.zeros(n_steps + 2, dtype=np.bool_)
    begins[first_steps] = True
    return [int(step) for step in np.flatnonzero(begins[:n_steps])]
