"""The settings of one callback along the axes of a block, as arrays for a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.by_key import by_key
from cbreplay.monitor import LARGEST_FLOAT32
from cbreplay.sweep.kernels.early_stopping import NEVER
from cbreplay.sweep.kernels.improvements import Compared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.keras.semantics import MonitorRule
    from cbreplay.run import EpochArray, FloatArray
    from cbreplay.sweep.batch import Batch
    from cbreplay.sweep.plan import Slot

__all__ = [
    "LANES_AT_ONCE",
    "Lanes",
    "first_beyond",
    "first_overflow",
    "in_pieces",
    "read_compared",
    "read_lanes",
    "read_sizes",
]

# small enough to stay in a processor's cache, large enough that a call costs nothing
LANES_AT_ONCE = 16_384


class Lanes(NamedTuple):
    """The settings of a slot along some of its axes, in C order: each is a lane.

    Parameters
    ----------
    axes, lengths : tuple of int
        The block's axes along which the settings vary, and the length of each.
    slot : Slot
        The slot.
    """

    axes: tuple[int, ...]
    lengths: tuple[int, ...]
    slot: Slot

    @property
    def n_lanes(self) -> int:
        """The number of settings."""
        return int(np.prod(self.lengths))

    def values(self, name: str, *, as_numbers: bool = True) -> Any:  # noqa: ANN401
        """Return a parameter's value in each lane; None becomes NaN as a number."""
        held = self.slot.parameters[name]
        if as_numbers:
            values = self.slot.numbers(name)
        else:
            values = np.array(held.values, dtype=object)
        if held.axis is None:
            return np.broadcast_to(values, (self.n_lanes,))
        place = self.axes.index(held.axis)
        if len(self.axes) == 1:
            return values
        ones = [1] * len(self.axes)
        ones[place] = -1
        return np.broadcast_to(values.reshape(ones), self.lengths).reshape(-1)

    def grouped(self, *names: str) -> list[tuple[tuple[Any, ...], EpochArray]]:
        """Return each combination of some parameters' values, with its lanes."""
        parameters = [self.slot.parameters[name] for name in names]
        if all(parameter.axis is None for parameter in parameters):
            only = tuple(parameter.values[0] for parameter in parameters)
            return [(only, np.arange(self.n_lanes))]
        columns = (self.values(name, as_numbers=False) for name in names)
        combined = list(zip(*columns, strict=True))
        held = by_key(range(len(combined)), combined.__getitem__)
        return [(values, np.array(lanes)) for values, lanes in held.items()]

    def place(self, array: Any, block_shape: tuple[int, ...], *more: int) -> Any:  # noqa: ANN401
        """Spread an array over the axes of a block, with length 1 where it is constant.

        Its shape is (n_runs, n_lanes, ...); `more` are the axes of the block that its
        axes after the second stand for.
        """
        labels = [*self.axes, *more]
        further = array.shape[2 : 2 + len(more)]
        cube = array.reshape(len(array), *self.lengths, *further)
        order = sorted(range(len(labels)), key=labels.__getitem__)
        cube = cube.transpose(0, *(1 + axis for axis in order))
        full = [1] * len(block_shape)
        for axis in labels:
            full[axis] = block_shape[axis]
        return cube.reshape(len(array), *full)


def read_lanes(slot: Slot, block_shape: tuple[int, ...], *names: str) -> Lanes:
    """Return the settings of a slot along the axes of some of its parameters."""
    axes = slot.axes(*names)
    return Lanes(axes, tuple(block_shape[axis] for axis in axes), slot)


def read_compared(rule: MonitorRule, batch: Batch) -> Compared:
    """Return how a rule compares in the version that decides a batch."""
    return Compared(
        rule.precision,
        rule.delta_on,
        rule.starts_empty,
        batch.semantics.flush_subnormals,
    )


def read_sizes(lanes: Lanes, rule: MonitorRule) -> FloatArray:
    """Return each lane's min_delta as this Keras takes it."""
    sizes = lanes.values("min_delta")
    return np.abs(sizes) if rule.absolute_min_delta else np.array(sizes)


def first_overflow(
    batch: Batch, monitor: str, compared: Compared, sizes: FloatArray, fixed: FloatArray
) -> EpochArray:
    """Return, for each run, the first position with a value that float32 may not hold.

    Keras raises an error there, or takes it as infinite; the scalar replay decides.
    """
    if compared.precision == "float64":
        return np.full(len(batch.runs), NEVER)
    finite = sizes[np.isfinite(sizes)]
    largest = float(np.abs(finite).max(initial=0))
    around = np.abs(fixed[np.isfinite(fixed)])
    if float(around.max(initial=0)) + largest > LARGEST_FLOAT32:
        return np.zeros(len(batch.runs), dtype=np.int64)
    return first_beyond(batch, monitor, finite)


def first_beyond(batch: Batch, monitor: str, sizes: FloatArray) -> EpochArray:
    """Return the first position at which a value and a size are beyond float32."""
    series = batch.monitored(monitor)
    none, largest = np.full(len(batch.runs), NEVER), np.abs(sizes).max(initial=0)
    sizes_of = np.abs(np.where(np.isfinite(series.values), series.values, 0))
    beyond = sizes_of + largest > LARGEST_FLOAT32
    if not beyond.any():
        return none
    step = np.where(beyond.any(axis=0), beyond.argmax(axis=0), len(series.values))
    return np.take_along_axis(series.positions, step[:, None], axis=1)[:, 0]


def in_pieces(alike: EpochArray, n_runs: int) -> Iterator[EpochArray]:
    """Yield settings in parts, each as large as is quick on so many runs."""
    size = max(1, LANES_AT_ONCE // n_runs)
    for begin in range(0, len(alike), size):
        yield alike[begin : begin + size]
