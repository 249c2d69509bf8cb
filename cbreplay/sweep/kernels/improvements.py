"""Which values improve, for many runs and many settings of min_delta at once.

A *step* is a monitored epoch, counted from 0; epochs without the monitor are left out.
A *lane* is one setting on one run. Small is good: a series of which large is good is
negated before it comes here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbreplay.monitor import Precision
    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = ["Compared", "Stretches", "find_improvements", "find_stretches", "rounded"]

_SMALLEST_NORMAL_FLOAT32 = np.float32(2.0**-126)
_BLOCK_BYTES = 2**19
# so many that memory counts, and a call does not
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
    """Return a comparison that need not look for subnormals, where none can come up.

    A sum of two float64 numbers of at least 2**-60 is 0, or at least 2**-113.
    """
    smallest = min(
        float(np.abs(one).min(initial=1, where=(one != 0) & np.isfinite(one)))
        for one in (values, sizes)
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
    n_steps, n_runs = values.shape
    # the longer axis runs fastest
    across = len(sizes) >= n_runs
    lift = (slice(None), None) if across else (None, slice(None))
    offsets, begins = (
        (sizes, first_steps) if across else (sizes[:, None], first_steps.T)
    )
    improved = np.empty((n_steps, *begins.shape), dtype=np.bool_)
    with np.errstate(all="ignore"):
        compared = _without_flush(values, sizes, compared)
        plain = rounded(values, compared)
        last_begin = int(begins.max(initial=0, where=begins <= n_steps))
        best = np.empty(begins.shape, dtype=plain.dtype)
        best[...] = np.inf if compared.delta_on == "value" else np.inf - offsets
        # where no step counts, nothing beats this
        best[begins > n_steps] = -np.inf
        shifted = _Shifted(values[(slice(None), *lift)], offsets, compared)
        for step in range(n_steps):
            row, left, right = improved[step], shifted.at(step), plain[step][lift]
            if compared.delta_on == "reference":
                left, right = right, left
            np.less(left, best, out=row)
            if step <= last_begin:
                row &= begins <= step
                if compared.starts_empty:
                    row |= begins == step
            np.copyto(best, right, where=row)
    return improved if across else improved.transpose(0, 2, 1)


class _Shifted:
    """The side that carries min_delta: of some steps at once, or of one if it is wide.

    Parameters
    ----------
    values : array of shape (n_steps, ...)
        The values, so that they go with `offsets`.
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
        """Return the side at a step; it is overwritten by the next."""
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


class Stretches(NamedTuple):
    """The steps without improvement between two improvements, lane after lane.

    Parameters
    ----------
    lane : array of shape (n_stretches,)
        Its lane; each lane has at least one, and they stand in order.
    begin : array of shape (n_stretches,)
        The improving step before it, or the one before the first that counts.
    length : array of shape (n_stretches,)
        Its steps; negative where no step counts.
    last : array of shape (n_lanes,)
        Where each lane's last stretch stands.
    n_steps : int
        The longest length there can be.
    """

    lane: EpochArray
    begin: EpochArray
    length: EpochArray
    last: EpochArray
    n_steps: int

    @property
    def never(self) -> int:
        """What stands for no step at all in `first_begins`."""
        return int(np.iinfo(self._dtype).max)

    @property
    def _dtype(self) -> type[np.signedinteger[Any]]:
        return np.int16 if self.n_steps < 2**14 else np.int32

    def first_begins(self, width: int) -> NDArray[np.signedinteger[Any]]:
        """Return where the first stretch of at least each length begins, plus one.

        Returns
        -------
        array of shape (n_lanes, width + 1)
            By the length, from 0 on (of which nothing is said); `never` where none is
            as long.
        """
        n_lanes, span = len(self.last), self.n_steps + 2
        keys = self.length + self.lane * span
        longest = np.maximum.accumulate(keys)
        before = np.zeros_like(keys)
        np.subtract(longest[:-1], self.lane[1:] * span, out=before[1:])
        # what stands before is another lane's
        np.maximum(before, 0, out=before)
        record = np.flatnonzero((self.length > before) & (before < width))
        begins = np.zeros((n_lanes, width + 1), dtype=self._dtype)
        begins[self.lane[record], before[record] + 1] = self.begin[record] + 1
        lanes = np.arange(n_lanes)
        beyond = np.maximum(longest[self.last] - lanes * span, 0) + 1
        inside = beyond <= width
        begins[lanes[inside], beyond[inside]] = self.never
        np.maximum.accumulate(begins, axis=1, out=begins)
        return begins

    def last_improved(self, lanes: EpochArray, steps: EpochArray) -> EpochArray:
        """Return the last improving step up to some steps; before the first: less."""
        span = self.n_steps + 2
        keys = self.lane * span + self.begin + 1
        at = np.searchsorted(keys, lanes * span + steps + 1, side="right") - 1
        first = np.concatenate([[0], self.last[:-1] + 1])
        found: EpochArray = self.begin[np.maximum(at, first[lanes])]
        return found


def find_stretches(
    improved: BoolArray, n_steps: EpochArray, first_steps: EpochArray
) -> Stretches:
    """Cut every lane where it improves, and at its run's end.

    Parameters
    ----------
    improved : bool array of shape (n_steps, n_runs, n_settings)
        As `find_improvements` returns it.
    n_steps : array of shape (n_runs,)
        The steps of each run.
    first_steps : array of shape (n_runs, n_settings)
        The first step that counts.
    """
    most, n_runs, n_settings = improved.shape
    lanes = np.arange(n_runs * n_settings)
    cuts = np.zeros((len(lanes), most + 1), dtype=np.bool_)
    cuts[:, :most] = improved.reshape(most, -1).T
    cuts[lanes, np.repeat(n_steps, n_settings)] = True
    counts = np.count_nonzero(cuts, axis=1)
    last = np.cumsum(counts) - 1
    lane = np.repeat(lanes, counts)
    ends = np.flatnonzero(cuts)
    ends -= lane * (most + 1)
    begins = first_steps.reshape(-1) - 1
    begin = np.empty_like(ends)
    begin[1:] = ends[:-1]
    begin[0] = begins[0]
    begin[last[:-1] + 1] = begins[1:]
    return Stretches(lane, begin, ends - begin - 1, last, most)
