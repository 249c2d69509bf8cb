"""EarlyStopping: where every patience stops, and whose weights are held there.

Before the stop, ``wait`` does not depend on patience: one pass for each setting of
the other parameters tells the stop of all of them.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.sweep.kernels.improvements import (
    Stretches,
    find_improvements,
    find_stretches,
    rounded,
)

if TYPE_CHECKING:
    from cbreplay.run import BoolArray, EpochArray, FloatArray
    from cbreplay.sweep.kernels.improvements import Compared

__all__ = ["NEVER", "Stops", "find_stops", "whole_patience"]

NEVER = 2**30


class Stops:
    """Where EarlyStopping stops, in steps.

    Parameters
    ----------
    stop : array of shape (n_runs, n_settings, n_patience)
        The step of the stop; NEVER where there is none.
    held : array of the same shape
        The step whose weights are held there, if weights are held.
    last_held : array of shape (n_runs, n_settings)
        The step whose weights are held at the run's end; NEVER if there is none.
    improved, n_steps, first_steps : array
        As `find_stretches` takes them.
    """

    def __init__(
        self,
        stop: EpochArray,
        held: EpochArray,
        last_held: EpochArray,
        *,
        improved: BoolArray,
        n_steps: EpochArray,
        first_steps: EpochArray,
    ) -> None:
        self.stop, self.held, self.last_held = stop, held, last_held
        self._cut = improved, n_steps, first_steps
        self._first_steps = first_steps

    @cached_property
    def stretches(self) -> Stretches:
        """Of all lanes, the settings of one run together."""
        return find_stretches(*self._cut)

    def held_at(self, lanes: EpochArray, steps: EpochArray) -> EpochArray:
        """Return the step whose weights are held after some steps; NEVER if none."""
        first = self._first_steps.reshape(-1)[lanes]
        held = np.maximum(self.stretches.last_improved(lanes, steps), first)
        return np.where(first <= steps, held, NEVER)


def whole_patience(patience: FloatArray, n_steps: int) -> EpochArray:
    """Return the wait at which each patience stops: whole, at least 1, and finite.

    After a step without improvement ``wait`` is 1 or more, so patience 1 and all below
    are one; more than there are steps never stops.
    """
    return np.clip(np.ceil(patience), 1, n_steps + 1).astype(np.int64)


def find_stops(
    values: FloatArray,
    n_steps: EpochArray,
    first_steps: EpochArray,
    *,
    sizes: FloatArray,
    baselines: FloatArray,
    patience: FloatArray,
    own_patience: bool,
    zero_first: BoolArray,
    compared: Compared,
) -> Stops:
    """Find the stop of every patience for every setting on every run.

    Parameters
    ----------
    values : array of shape (n_steps, n_runs)
        The monitored values, small is good; NaN past a run's end.
    n_steps : array of shape (n_runs,)
        The steps of each run.
    first_steps : array of shape (n_runs, n_settings)
        The first step that counts, by start_from_epoch.
    sizes, baselines : array of shape (n_settings,)
        The size of min_delta; the baseline, NaN for none.
    patience : array of shape (n_patience,), or (n_settings,)
        Each tried with every setting; or one for each setting.
    own_patience : bool
        Whether it is one for each setting.
    zero_first : bool array of shape (n_runs,)
        Whether the first step is epoch 0, at which Keras never stops.
    compared : Compared
        How this Keras compares.
    """
    most, _n_runs = values.shape
    n_settings = len(sizes)
    improved = find_improvements(values, first_steps, sizes, compared)
    waits = whole_patience(patience, most)
    find = _find_own if own_patience else _find_all
    stops = find(improved, n_steps, first_steps, waits)
    # where a step does not improve and yet cannot stop, wait skips a value
    skips = np.broadcast_to(~np.isnan(baselines), first_steps.shape)
    skips = skips | (zero_first[:, None] & (first_steps == 0) & ~improved[0])
    if not skips.any():
        return stops
    runs, settings = np.nonzero(skips)
    tested = _tested_waits(
        improved[:, runs, settings].T,
        values.T[runs],
        n_steps[runs],
        first_steps[runs, settings],
        sizes=sizes[settings],
        baselines=baselines[settings],
        zero_first=zero_first[runs],
        compared=compared,
    )
    first = _first_reaching(tested, waits[settings, None] if own_patience else waits)
    stops.stop[runs, settings] = first
    lane = np.repeat(runs * n_settings + settings, first.shape[1])
    at = stops.held_at(lane, np.minimum(first, most).reshape(-1))
    stops.held[runs, settings] = at.reshape(first.shape)
    return stops


def _find_all(
    improved: BoolArray, n_steps: EpochArray, first_steps: EpochArray, waits: EpochArray
) -> Stops:
    """Find the stop of every patience, where ``wait`` skips nothing."""
    stretches = find_stretches(improved, n_steps, first_steps)
    table = stretches.first_begins(int(waits.max()))
    begin = _columns(table, waits)
    stop = np.add(begin, waits - 1, dtype=np.int32)
    stop[begin == stretches.never] = NEVER
    held = np.subtract(begin, 1, dtype=np.int32)
    begins = first_steps.reshape(-1)
    np.maximum(held, begins[:, None], out=held, casting="same_kind")
    last = stretches.begin[stretches.last].reshape(first_steps.shape)
    shape = (*first_steps.shape, len(waits))
    found = Stops(
        stop.reshape(shape),
        held.reshape(shape),
        _last_held(last, n_steps, first_steps),
        improved=improved,
        n_steps=n_steps,
        first_steps=first_steps,
    )
    found.stretches = stretches
    return found


def _last_held(
    last: EpochArray, n_steps: EpochArray, first_steps: EpochArray
) -> EpochArray:
    """Return what is held at the end, given the last improving step."""
    begun = first_steps < n_steps[:, None]
    return np.where(begun, np.maximum(last, first_steps), NEVER)


def _find_own(
    improved: BoolArray, n_steps: EpochArray, first_steps: EpochArray, waits: EpochArray
) -> Stops:
    """Find the stop of one patience for each setting, where ``wait`` skips nothing.

    Steps are counted in the smallest type that holds them; a run's end is looked at
    when all are done.
    """
    most = len(improved)
    small = most < np.iinfo(np.uint8).max
    dtype: Any = np.uint8 if small else np.int32
    shape = first_steps.shape
    limit = np.ascontiguousarray(np.broadcast_to(waits, shape)).astype(dtype)
    wait, passed = np.zeros(shape, dtype=dtype), np.zeros(shape, dtype=dtype)
    mask = np.empty(shape, dtype=dtype)
    below, going = np.empty(shape, dtype=np.bool_), np.ones(shape, dtype=np.bool_)
    last_begin = int(first_steps.max(initial=0, where=first_steps <= most))
    for step in range(most):
        # all bits where there is no improvement, none where there is
        np.subtract(improved[step].view(np.uint8), dtype(1), out=mask, dtype=dtype)
        wait += 1
        wait &= mask
        if step < last_begin:
            wait[first_steps > step] = 0
        np.less(wait, limit, out=below)
        going &= below
        passed += going.view(np.uint8)
    stop = passed.astype(np.int32)
    stop[(stop >= n_steps[:, None]) | (first_steps > most)] = NEVER
    last = most - 1 - wait.astype(np.int32)
    held = np.maximum(stop - np.broadcast_to(waits, shape), first_steps)
    return Stops(
        stop[:, :, None],
        held.astype(np.int32)[:, :, None],
        _last_held(last, n_steps, first_steps),
        improved=improved,
        n_steps=n_steps,
        first_steps=first_steps,
    )


def _columns(table: EpochArray, waits: EpochArray) -> EpochArray:
    """Take columns; neighbours without a copy."""
    if len(waits) > 1 and (np.diff(waits) == 1).all():
        return table[:, waits[0] : waits[-1] + 1]
    taken: EpochArray = table.take(waits, axis=1)
    return taken


def _tested_waits(
    improved: BoolArray,
    values: FloatArray,
    n_steps: EpochArray,
    first_steps: EpochArray,
    *,
    sizes: FloatArray,
    baselines: FloatArray,
    zero_first: BoolArray,
    compared: Compared,
) -> EpochArray:
    """Return ``wait`` at each step where it is compared with patience, else 0.

    All of shape (n_lanes, n_steps) or (n_lanes,).
    """
    steps = np.arange(values.shape[1])
    on_value = compared.delta_on == "value"
    with np.errstate(all="ignore"):
        sides = values + sizes[:, None] if on_value else values
        left = rounded(sides, compared)
        right = rounded(baselines if on_value else baselines - sizes, compared)
        beaten = (left < right[:, None]) | np.isnan(baselines)[:, None]
    before = first_steps[:, None] - 1
    reset = np.where(improved & beaten, steps, before)
    np.maximum.accumulate(reset, axis=1, out=reset)
    tested = ~improved & (steps >= first_steps[:, None]) & (steps < n_steps[:, None])
    tested[:, 0] &= ~zero_first
    return np.where(tested, steps - reset, 0)


def _first_reaching(waited: EpochArray, waits: EpochArray) -> EpochArray:
    """Return the first step at which a wait is reached, of shape (n_lanes, n_waits)."""
    n_lanes, n_steps = waited.shape
    longest = np.maximum.accumulate(waited, axis=1)
    before = np.zeros_like(longest)
    before[:, 1:] = longest[:, :-1]
    lane, step = np.nonzero(waited > before)
    width = n_steps + 1
    first = np.full((n_lanes, width + 1), NEVER, dtype=np.int32)
    first[lane, waited[lane, step]] = step
    # a wait that was skipped is reached where the next larger one is
    backwards = first[:, ::-1]
    np.minimum.accumulate(backwards, axis=1, out=backwards)
    if waits.ndim == 1:
        return first[:, waits]
    return np.take_along_axis(first, waits, axis=1)
