"""Which values improve, for many runs and many settings of min_delta at once.

A *step* is a monitored epoch, counted from 0; epochs without the monitor are left out.
A *track* is one setting on one run: one run's part of a lane (`cbreplay.sweep.lanes`).
Smaller is better: a series with mode="max" is negated before it comes here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from cbreplay.monitor import Precision
    from cbreplay.run import BoolArray, EpochArray, FloatArray
    from cbreplay.sweep.kernels.candidates import Candidates

__all__ = [
    "Compared",
    "Improving",
    "Reached",
    "Stretches",
    "find_improvements",
    "find_stretches",
    "rounded",
]

_SMALLEST_NORMAL_FLOAT32 = np.float32(2.0**-126)
_BLOCK_BYTES = 2**19
# from this many on, moving memory costs more than one more call of numpy
_MANY_LANES = 2048


class Compared(NamedTuple):
    """How two values are compared, in numbers.

    Parameters
    ----------
    precision : {"float32", "float64"}
        To what both sides are rounded.
    delta_on : {"value", "reference"}
        Which side carries the size of min_delta; the sum is float64.
    starts_empty : bool
        Whether the first value improves, whatever it is; else it has to beat infinity.
    flush_subnormals : bool
        Whether float32 values below 2**-126 count as zero.
    """

    precision: Precision
    delta_on: Literal["value", "reference"]
    starts_empty: bool
    flush_subnormals: bool


def rounded(values: FloatArray, compared: Compared) -> FloatArray:
    """Round to the precision in which this Keras compares."""
    if compared.precision == "float64":
        return values
    single = values.astype(np.float32)
    if compared.flush_subnormals:
        single[np.abs(single) < _SMALLEST_NORMAL_FLOAT32] = 0
    return single


def _without_flush(
    values: FloatArray, sizes: FloatArray, compared: Compared
) -> Compared:
    """Return a comparison that does not flush subnormals, where none can come up.

    The sum of two float64 numbers of size 2**-60 or more is 0, or 2**-113 or more.
    """
    smallest = min(
        float(np.abs(held).min(initial=1, where=(held != 0) & np.isfinite(held)))
        for held in (values, sizes)
    )
    return compared._replace(
        flush_subnormals=compared.flush_subnormals and smallest < 2**-60
    )


def find_improvements(
    values: FloatArray,
    first_steps: EpochArray,
    sizes: FloatArray,
    compared: Compared,
) -> BoolArray:
    """Find the steps whose value improves on the best one before.

    Parameters
    ----------
    values : array of shape (n_steps, n_runs)
        The monitored values, float64; NaN past a run's end.
    first_steps : array of shape (n_runs, n_settings)
        The first step that counts; past every end where none does.
    sizes : array of shape (n_settings,)
        The size of min_delta: larger is harder.
    compared : Compared
        How this Keras compares.

    Returns
    -------
    bool array of shape (n_steps, n_runs, n_settings)
    """
    with np.errstate(all="ignore"):
        improving = Improving(values, first_steps, sizes, compared)
        improved = np.empty((len(values), *improving.row.shape), dtype=np.bool_)
        for step in range(len(improved)):
            improving.decide(step, improved[step])
    return improved if improving.across else improved.transpose(0, 2, 1)


class Improving:
    """Which values improve, step after step; takes what `find_improvements` takes.

    Overflows and NaN are ordinary, so callers silence numpy's warnings of them.
    """

    def __init__(
        self,
        values: FloatArray,
        first_steps: EpochArray,
        sizes: FloatArray,
        compared: Compared,
    ) -> None:
        n_steps, n_runs = values.shape
        # the longer axis is the inner one, which numpy goes through fastest
        self.across = len(sizes) >= n_runs
        lift = (slice(None), None) if self.across else (None, slice(None))
        offsets, begins = (
            (sizes, first_steps) if self.across else (sizes[:, None], first_steps.T)
        )
        compared = _without_flush(values, sizes, compared)
        plain = rounded(values, compared)
        self._begins, self._compared = begins, compared
        self._last_begin = int(begins.max(initial=0, where=begins <= n_steps))
        best = np.empty(begins.shape, dtype=plain.dtype)
        best[...] = np.inf if compared.delta_on == "value" else np.inf - offsets
        # tracks that begin after the last step never improve
        best[begins > n_steps] = -np.inf
        self._best, self._plain = best, plain[(slice(None), *lift)]
        self._put = _PutWhere(best) if best.size >= _MANY_LANES else _put_where
        self._shifted = _Shifted(values[(slice(None), *lift)], offsets, compared)
        self.row = np.empty(begins.shape, dtype=np.bool_)

    def decide(self, step: int, row: BoolArray) -> None:
        """Write into `row` which tracks improve at the next step."""
        left, right = self._shifted.at(step), self._plain[step]
        if self._compared.delta_on == "reference":
            left, right = right, left
        np.less(left, self._best, out=row)
        if step <= self._last_begin:
            row &= self._begins <= step
            if self._compared.starts_empty:
                row |= self._begins == step
        self._put(self._best, right, row)

    def next(self, step: int) -> BoolArray:
        """Return which tracks improve at the next step; overwritten by the one after.

        The shape is (n_runs, n_settings).
        """
        self.decide(step, self.row)
        return self.row if self.across else self.row.T


def _put_where(best: FloatArray, values: FloatArray, where: BoolArray) -> None:
    np.copyto(best, values, where=where)


class _PutWhere:
    """As `_put_where`, by bitwise operations: in large arrays a masked copy is slow."""

    def __init__(self, best: FloatArray) -> None:
        self._bits: Any = np.int32 if best.dtype == np.float32 else np.int64
        self._apart = np.empty(best.shape, dtype=self._bits)

    def __call__(self, best: FloatArray, values: FloatArray, where: BoolArray) -> None:
        bits = best.view(self._bits)
        np.bitwise_xor(bits, values.view(self._bits), out=self._apart)
        self._apart *= where
        bits ^= self._apart


class _Shifted:
    """The side of the comparison that carries min_delta, step by step.

    It is computed for several steps at once, or for one where there are many tracks.

    Parameters
    ----------
    values : array of shape (n_steps, ...)
        The values, in a shape that broadcasts with `offsets`.
    offsets : array
        The sizes of min_delta.
    compared : Compared
        How this Keras compares.
    """

    def __init__(
        self, values: FloatArray, offsets: FloatArray, compared: Compared
    ) -> None:
        self._values, self._compared = values, compared
        on_value = compared.delta_on == "value"
        self._offsets = offsets if on_value else -offsets
        self._plain = not offsets.any()
        width = values[0].size * offsets.size
        self._length = max(1, _BLOCK_BYTES // (4 * width))
        self._block = values
        # made once: fresh memory is slow
        shape = np.broadcast_shapes(values.shape[1:], offsets.shape)
        wide = width >= _MANY_LANES and not compared.flush_subnormals
        self._sums = np.empty(shape) if wide and not self._plain else None
        self._rounded: FloatArray = np.empty(
            shape if self._sums is not None else 0,
            dtype=np.float32 if compared.precision == "float32" else np.float64,
        )

    def at(self, step: int) -> FloatArray:
        """Return this side at a step, in an array that the next call overwrites."""
        if self._sums is not None:
            np.add(self._values[step], self._offsets, out=self._sums)
            np.copyto(self._rounded, self._sums, casting="same_kind")
            return self._rounded
        within = step % self._length
        if within == 0:
            block = self._values[step : step + self._length]
            sums = block if self._plain else block + self._offsets
            self._block = rounded(sums, self._compared)
        side: FloatArray = self._block[within]
        return side


class Reached(NamedTuple):
    """For each track and each wanted length, the first stretch that is as long.

    One stretch may be the first for several lengths in a row: they share one entry.

    Parameters
    ----------
    track, begin : array of shape (n_entries,)
        The track, and the stretch's `begin`.
    missing : bool array of the same shape
        Whether no stretch is that long; `begin` then means nothing.
    counts : array of the same shape
        For how many lengths the entry stands.
    shape : (n_tracks, n_lengths)
        The shape of the whole answer.
    """

    track: EpochArray
    begin: EpochArray
    missing: BoolArray
    counts: EpochArray
    shape: tuple[int, int]

    @classmethod
    def empty(cls, n_entries: int, shape: tuple[int, int]) -> Reached:
        """Return entries that are still to be filled."""
        numbers = np.zeros((3, n_entries), dtype=np.int64)
        missing = np.zeros(n_entries, dtype=np.bool_)
        return cls(numbers[0], numbers[1], missing, numbers[2], shape)

    def spread(self, told: EpochArray) -> EpochArray:
        """Return one number for each track and length, from one for each entry."""
        return np.repeat(told.astype(np.int32), self.counts).reshape(self.shape)


class Stretches(NamedTuple):
    """The steps without improvement between two improvements, track after track.

    Parameters
    ----------
    track : array of shape (n_stretches,)
        Its track; each track has at least one, and they are sorted by track.
    begin : array of shape (n_stretches,)
        The improving step before it, or the one before the first that counts.
    length : array of shape (n_stretches,)
        Its steps; negative where no step counts.
    last : array of shape (n_tracks,)
        The index of each track's last stretch.
    n_steps : int
        The longest length there can be.
    """

    track: EpochArray
    begin: EpochArray
    length: EpochArray
    last: EpochArray
    n_steps: int

    def first_reaching(self, waits: EpochArray) -> Reached:
        """Find, for each track and each wait, the first stretch that is as long.

        `waits` are ascending, from 1 or more to at most ``n_steps + 1``.
        """
        n_tracks, span = len(self.last), self.n_steps + 2
        offsets = self.track * self.track.dtype.type(span)
        longest = np.maximum.accumulate(self.length + offsets)
        before = np.zeros_like(longest)
        np.subtract(longest[:-1], offsets[1:], out=before[1:])
        # a maximum of the track before does not count in this one
        np.maximum(before, 0, out=before)
        record = np.flatnonzero(self.length > before)
        tracks = np.arange(n_tracks)
        beyond = np.maximum(longest[self.last] - tracks * span, 0)
        # each track gets one entry more, for the waits that no stretch of it reaches
        track = self.track[record]
        place = np.arange(len(record)) + track
        missing = np.cumsum(np.bincount(track, minlength=n_tracks)) + tracks
        up_to = np.searchsorted(waits, np.arange(span), side="right")
        reached = Reached.empty(len(record) + n_tracks, (n_tracks, len(waits)))
        reached.track[place], reached.track[missing] = track, tracks
        reached.begin[place] = self.begin[record]
        reached.missing[missing] = True
        reached.counts[place] = up_to[self.length[record]] - up_to[before[record]]
        reached.counts[missing] = len(waits) - up_to[beyond]
        return reached

    def last_improved(self, tracks: EpochArray, steps: EpochArray) -> EpochArray:
        """Return the last improving step of each track up to a step.

        Where none improves up to there, the step before the first that counts.
        """
        span = self.n_steps + 2
        keys = self.track.astype(np.int64) * span + self.begin + 1
        at = np.searchsorted(keys, tracks * span + steps + 1, side="right") - 1
        first = np.concatenate([[0], self.last[:-1] + 1])
        found: EpochArray = self.begin[np.maximum(at, first[tracks])]
        return found


def find_stretches(
    improved: BoolArray, candidates: Candidates, n_steps: EpochArray
) -> Stretches:
    """Cut every track into stretches: at each improvement, and at its run's end.

    Parameters
    ----------
    improved : bool array of shape (n_candidates, n_runs, n_settings)
        As `find_improvements` returns it.
    candidates : Candidates
        The steps of which `improved` tells; no other step improves.
    n_steps : array of shape (n_runs,)
        The steps of each run.
    """
    most, n_runs, n_settings = improved.shape
    n_tracks = n_runs * n_settings
    cuts = np.ones((n_tracks, most + 1), dtype=np.bool_)
    cuts[:, :most] = improved.reshape(most, -1).T
    counts = np.count_nonzero(cuts, axis=1)
    last = np.cumsum(counts) - 1
    # int32 where every index fits: half the memory
    small = n_tracks * (candidates.n_steps + 2) < np.iinfo(np.int32).max
    dtype: Any = np.int32 if small else np.int64
    tracks = np.arange(n_tracks, dtype=dtype)
    track = np.repeat(tracks, counts)
    # the last column is the end
    steps = np.concatenate([candidates.steps, n_steps[None]]).T.reshape(-1)
    back = np.arange(n_runs)[:, None] - tracks.reshape(n_runs, n_settings)
    at = np.flatnonzero(cuts)
    at += np.repeat(back * (most + 1), counts)
    ends = steps.astype(dtype)[at]
    begins = candidates.first_steps.reshape(-1) - 1
    begin = np.empty_like(ends)
    begin[1:] = ends[:-1]
    begin[0] = begins[0]
    begin[last[:-1] + 1] = begins[1:]
    return Stretches(track, begin, ends - begin - 1, last, candidates.n_steps)
