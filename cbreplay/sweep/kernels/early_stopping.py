"""EarlyStopping: where every patience stops, and whose weights are held there.

Before the stop, ``wait`` does not depend on patience. So one pass for each setting of
the other parameters finds the stops of all patience values.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.sweep.kernels.candidates import find_candidates
from cbreplay.sweep.kernels.improvements import (
    Improving,
    Stretches,
    find_improvements,
    find_stretches,
    rounded,
)

if TYPE_CHECKING:
    from cbreplay.run import BoolArray, EpochArray, FloatArray
    from cbreplay.sweep.kernels.candidates import Candidates
    from cbreplay.sweep.kernels.improvements import Compared

__all__ = ["NEVER", "Stops", "find_stops", "whole_patience"]

NEVER = 2**30


class Improvements:
    """Which steps improve, computed when it is first needed.

    Parameters
    ----------
    candidates : Candidates
        The steps that may improve.
    sizes, compared, n_steps
        As `find_stops` takes them.
    """

    def __init__(
        self,
        candidates: Candidates,
        sizes: FloatArray,
        compared: Compared,
        n_steps: EpochArray,
    ) -> None:
        self.candidates, self.n_steps = candidates, n_steps
        self.parameters = candidates.values, candidates.first, sizes, compared

    @cached_property
    def improved(self) -> BoolArray:
        """Which candidates improve, of shape (n_candidates, n_runs, n_settings)."""
        return find_improvements(*self.parameters)

    @cached_property
    def stretches(self) -> Stretches:
        """The stretches without improvement; the tracks of one run stand together."""
        return find_stretches(self.improved, self.candidates, self.n_steps)


class Stops:
    """Where EarlyStopping stops, in steps.

    Parameters
    ----------
    stop : array of shape (n_runs, n_settings, n_patience)
        The step of the stop; NEVER where there is none.
    held : array of the same shape
        The step whose weights are held there, if weights are held; where there is no
        stop, at the run's end. NEVER if there is none.
    last_held : array of shape (n_runs, n_settings)
        The step whose weights are held at the run's end; NEVER if there is none.
        Meaningless for a setting that stops, if each has a patience of its own.
    wanted : Improvements
        Which steps improve.
    """

    def __init__(
        self,
        stop: EpochArray,
        held: EpochArray,
        last_held: EpochArray,
        wanted: Improvements,
    ) -> None:
        self.stop, self.held, self.last_held = stop, held, last_held
        self._wanted = wanted
        self._first_steps = wanted.candidates.first_steps

    def held_at(self, tracks: EpochArray, steps: EpochArray) -> EpochArray:
        """Return the step whose weights are held after some steps; NEVER if none."""
        first = self._first_steps.reshape(-1)[tracks]
        stretches = self._wanted.stretches
        held = np.maximum(stretches.last_improved(tracks, steps), first)
        return np.where(first <= steps, held, NEVER)


def whole_patience(patience: FloatArray, n_steps: int) -> EpochArray:
    """Return the wait at which each patience stops: whole, at least 1, and finite.

    After a step without improvement ``wait`` is 1 or more, so all patience values up to
    1 are alike; one above the number of steps never stops.
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
        The monitored values, smaller is better; NaN past a run's end.
    n_steps : array of shape (n_runs,)
        The steps of each run.
    first_steps : array of shape (n_runs, n_settings)
        The first step that counts, by start_from_epoch.
    sizes, baselines : array of shape (n_settings,)
        The size of min_delta; the baseline, NaN for none.
    patience : array of shape (n_patience,), or (n_settings,)
        Either each is tried with every setting, or each setting has its own.
    own_patience : bool
        Whether each setting has its own.
    zero_first : bool array of shape (n_runs,)
        Whether the first step is epoch 0, at which Keras never stops.
    compared : Compared
        How this Keras compares.
    """
    most = len(values)
    candidates = find_candidates(values, first_steps, sizes)
    wanted = Improvements(candidates, sizes, compared, n_steps)
    waits = whole_patience(patience, most)
    stops = (_find_own if own_patience else _find_all)(wanted, waits)
    # Keras does not compare `wait` with patience in epoch 0, nor in an epoch that
    # improves on the best value but not on the baseline: a patience that `wait` reaches
    # there stops later
    skips = np.broadcast_to(~np.isnan(baselines), first_steps.shape)
    if zero_first.any() and not compared.starts_empty:
        zero = zero_first[:, None] & (first_steps == 0)
        skips = skips | (zero & ~wanted.improved[0])
    if skips.any():
        runs, settings = np.nonzero(skips)
        tested = _tested_waits(
            candidates.spread(wanted.improved)[:, runs, settings].T,
            values.T[runs],
            n_steps[runs],
            first_steps[runs, settings],
            sizes=sizes[settings],
            baselines=baselines[settings],
            zero_first=zero_first[runs],
            compared=compared,
        )
        own = waits[settings, None] if own_patience else waits
        _skip(stops, tested, own, where=(runs, settings), ends=n_steps[runs] - 1)
    return stops


def _skip(
    stops: Stops,
    tested: EpochArray,
    waits: EpochArray,
    *,
    where: tuple[EpochArray, EpochArray],
    ends: EpochArray,
) -> None:
    """Correct the tracks in which ``wait`` passes a patience that is not compared.

    `tested` is what `_tested_waits` returns of them, `ends` are their last steps.
    """
    runs, settings = where
    tracks = runs * stops.stop.shape[1] + settings
    first = _first_reaching(tested, waits)
    stops.stop[where] = first
    after = np.minimum(first, ends[:, None]).reshape(-1)
    at = stops.held_at(np.repeat(tracks, first.shape[1]), after)
    stops.held[where] = at.reshape(first.shape)
    if waits.ndim == 1:
        # otherwise `last_held` is the same array as `held`, and set already
        stops.last_held[where] = stops.held_at(tracks, ends)


def _find_all(wanted: Improvements, waits: EpochArray) -> Stops:
    """Find the stop of every patience, where ``wait`` is compared in every epoch."""
    first_steps, stretches = wanted.candidates.first_steps, wanted.stretches
    distinct, place = np.unique(waits, return_inverse=True)
    reached = stretches.first_reaching(distinct)
    last = stretches.begin[stretches.last].reshape(first_steps.shape)
    last_held = _last_held(last, wanted.n_steps, first_steps)
    stop = reached.spread(np.where(reached.missing, NEVER, reached.begin))
    stop += distinct.astype(np.int32)
    np.minimum(stop, NEVER, out=stop)
    at_stop = np.maximum(reached.begin, first_steps.reshape(-1)[reached.track])
    at_end = last_held.reshape(-1)[reached.track]
    held = reached.spread(np.where(reached.missing, at_end, at_stop))
    if len(distinct) < len(waits) or (np.diff(place) < 0).any():
        stop, held = stop.take(place, axis=1), held.take(place, axis=1)
    shape = (*first_steps.shape, len(waits))
    return Stops(stop.reshape(shape), held.reshape(shape), last_held, wanted)


def _last_held(
    last: EpochArray, n_steps: EpochArray, first_steps: EpochArray
) -> EpochArray:
    """Return what is held at the end, given the last improving step."""
    held = np.maximum(last, first_steps, dtype=np.int32, casting="same_kind")
    begun = first_steps < n_steps[:, None]
    return held if begun.all() else np.where(begun, held, NEVER)


def _find_own(wanted: Improvements, waits: EpochArray) -> Stops:
    """Find the stops, if each setting has its own patience, compared in every epoch.

    A stop is due `patience` steps after the last improvement, and each improvement
    until then puts it off.
    """
    candidates, n_steps = wanted.candidates, wanted.n_steps
    first_steps, most = candidates.first_steps, candidates.n_steps
    dtype: Any = np.int16 if most < 2**13 else np.int32
    shape = first_steps.shape
    waited = np.ascontiguousarray(np.broadcast_to(waits, shape)).astype(dtype)
    due = waited + (first_steps - 1).astype(dtype)
    in_time, later = np.empty(shape, dtype=np.bool_), np.empty(shape, dtype=dtype)
    steps = candidates.steps.astype(dtype)[:, :, None]
    with np.errstate(all="ignore"):
        improving = Improving(*wanted.parameters)
        for number, step in enumerate(steps):
            np.less_equal(step, due, out=in_time)
            in_time &= improving.next(number)
            np.add(waited, step, out=later)
            later *= in_time
            np.maximum(due, later, out=due)
    never = (due >= n_steps[:, None]) | (first_steps > most)
    # the mask is used as a number, for a masked copy is slower
    stop = np.maximum(due, never * np.int32(NEVER), dtype=np.int32)
    held = _last_held(due - waited, n_steps, first_steps)
    return Stops(stop[:, :, None], held[:, :, None], held, wanted)


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

    All of shape (n_tracks, n_steps) or (n_tracks,).
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
    """Return the first step that reaches each wait, of shape (n_tracks, n_waits)."""
    n_tracks, n_steps = waited.shape
    longest = np.maximum.accumulate(waited, axis=1)
    before = np.zeros_like(longest)
    before[:, 1:] = longest[:, :-1]
    track, step = np.nonzero(waited > before)
    width = n_steps + 1
    first = np.full((n_tracks, width + 1), NEVER, dtype=np.int32)
    first[track, waited[track, step]] = step
    # a value that `wait` skipped counts as reached where the next larger one is
    backwards = first[:, ::-1]
    np.minimum.accumulate(backwards, axis=1, out=backwards)
    if waits.ndim == 1:
        return first[:, waits]
    return np.take_along_axis(first, waits, axis=1)
