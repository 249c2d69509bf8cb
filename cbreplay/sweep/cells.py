"""The cells of a block: what every config decides on every run of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.evidence.validity import is_recorded_whole
from cbreplay.rules.registry import STOPPING
from cbreplay.sweep.kernels.early_stopping import NEVER
from cbreplay.sweep.partings import part_rates
from cbreplay.sweep.plain_stoppers import PlainStopper
from cbreplay.sweep.stoppers import Stopper

if TYPE_CHECKING:
    from cbreplay.run import BoolArray, EpochArray, Run
    from cbreplay.sweep.batch import Batch
    from cbreplay.sweep.partings import Parted
    from cbreplay.sweep.plan import Block

__all__ = [
    "Cells",
    "decide_cells",
    "first_broken_epoch",
    "name_breaker",
    "pack_column",
    "put_column",
]


class Cells(NamedTuple):
    """What configs decide on runs; every array has the shape (n_runs, n_configs).

    Parameters
    ----------
    stopped, stopped_epoch : array
        Where training was stopped, and after which epoch.
    kept, kept_epoch : array
        Where it is known whose weights are kept, and whose.
    diverged, divergence_epoch : array
        Where a config parts from the recorded training before it stops, and the first
        epoch of which the log therefore says nothing.
    incomplete, gap_epoch : array
        Where the log lacks what decides, before a stop and before a divergence, and the
        first epoch for which it does. Read-only where no run has a hole.
    broken : array
        Where a NaN would break the kept epoch off in mid-batch, so that nothing is
        recorded of the weights at its end.
    first_reduction : array
        The first epoch at whose end the rate would be reduced, stopped or not; NEVER
        where there is none. Read-only where no config reduces.
    later_reductions : array
        How many reductions follow the first one, as far as the record is evidence.
        Read-only as above.
    """

    stopped: BoolArray
    stopped_epoch: EpochArray
    kept: BoolArray
    kept_epoch: EpochArray
    diverged: BoolArray
    divergence_epoch: EpochArray
    incomplete: BoolArray
    gap_epoch: EpochArray
    broken: BoolArray
    first_reduction: EpochArray
    later_reductions: EpochArray

    @classmethod
    def empty(
        cls, n_runs: int, n_configs: int, *, reduces: bool, holes: bool = False
    ) -> Cells:
        """Return cells that are still to be decided.

        `reduces` is whether a config may reduce the rate, `holes` whether a run lacks
        values.
        """
        shape = (n_runs, n_configs)
        # one array for all: the system hands out large pieces of memory faster
        epochs = np.zeros((3 + 2 * reduces, *shape), dtype=np.int32)
        masks = np.zeros((4, *shape), dtype=np.bool_)
        return cls(
            stopped=masks[0],
            stopped_epoch=epochs[0],
            kept=masks[1],
            kept_epoch=epochs[1],
            diverged=masks[2],
            divergence_epoch=epochs[2],
            incomplete=np.zeros(shape, dtype=np.bool_)
            if holes
            else np.broadcast_to(np.False_, shape),
            gap_epoch=np.zeros(shape, dtype=np.int32)
            if holes
            else _everywhere(0, shape),
            broken=masks[3],
            first_reduction=epochs[3] if reduces else _everywhere(NEVER, shape),
            later_reductions=epochs[4] if reduces else _everywhere(0, shape),
        )

    def rows(self, span: slice) -> Cells:
        """Return the cells of some runs, not copied."""
        columns: Any = (column[span] for column in self)
        return Cells(*columns)

    def cut_off(self, row: int, columns: EpochArray, gap: int) -> None:
        """Mark as incomplete what some configs decide on a run from an epoch on.

        They decide by a series with a hole, of which `gap` is the first epoch.
        """
        at = row, columns
        in_time = self.stopped[at] & (self.stopped_epoch[at] < gap)
        in_time |= self.diverged[at] & (self.divergence_epoch[at] <= gap)
        in_time |= self.incomplete[at] & (self.gap_epoch[at] <= gap)
        late = row, columns[~in_time]
        self.incomplete[late], self.gap_epoch[late] = True, gap
        for mask, epoch in (
            (self.stopped, self.stopped_epoch),
            (self.kept, self.kept_epoch),
            (self.diverged, self.divergence_epoch),
        ):
            mask[late], epoch[late] = False, 0
        self.broken[late] = False

    def packed(self) -> Cells:
        """Return the same in few bytes, to be sent and then unpacked by `put`."""
        return Cells(*map(pack_column, self))

    def put(self, packed: Cells) -> None:
        """Fill these cells, which are still empty, with the columns of packed ones."""
        for held, column in zip(packed, self, strict=True):
            put_column(held, column)


def pack_column(column: Any) -> Any:  # noqa: ANN401 - a column of any type
    """Return a column of whole numbers or a mask in few bytes, for `put_column`.

    Where all cells are equal, their value stands for them; a mask becomes bits, and
    numbers get the narrowest type that holds them.
    """
    first = column.reshape(-1)[0]
    if (column == first).all():
        return np.asarray(first)
    if column.dtype == np.bool_:
        return _Bits(column.size, np.packbits(column))
    for dtype in (np.uint8, np.int16):
        if column.min() >= 0 and column.max() <= np.iinfo(dtype).max:
            return column.astype(dtype)
    return column


def put_column(packed: Any, place: Any) -> None:  # noqa: ANN401 - as `pack_column`
    """Write a packed column into a new one, which is still all zeros."""
    if not place.flags.writeable:
        # `Cells.empty` made it of a single value, which is the value of every cell
        return
    if isinstance(packed, _Bits):
        mask = np.unpackbits(packed.packed, count=packed.size)
        place[...] = mask.view(np.bool_).reshape(place.shape)
    elif packed.ndim:
        place[...] = packed.reshape(place.shape)
    elif packed != 0:
        # zeros are there already, and memory that is never written is never used
        place[...] = packed


def _everywhere(value: int, shape: tuple[int, ...]) -> EpochArray:
    """Return a read-only column that is one value, and takes no memory."""
    return np.broadcast_to(np.int32(value), shape)


class _Bits(NamedTuple):
    """A mask with eight cells in a byte."""

    size: int
    packed: Any


def decide_cells(
    batch: Batch, block: Block, out: Cells
) -> tuple[EpochArray, EpochArray]:
    """Decide every config of a block on every run of a batch.

    The answers go into `out`, of shape (n_runs, n_configs of the block).

    Returns
    -------
    runs, configs : array
        The places of the cells that are left to the scalar replay: they reach values
        beyond float32, where Keras may raise an error, or a rounded rate.
    """
    shape = (len(batch.runs), *block.shape)
    doubt = np.full(len(batch.runs), NEVER)
    stoppers: list[Stopper | PlainStopper] = []
    ends = np.full(len(batch.runs), NEVER)
    readings: list[Parted] = []
    kernels = [slot.kernel for slot in block.slots]
    ending = [kernel for kernel in kernels if kernel in (*STOPPING, "breaks")]
    for slot in block.slots:
        if slot.kernel == "stops":
            alone = ending == ["stops"]
            stoppers.append(Stopper(batch, slot, block.shape, alone=alone))
        elif slot.kernel in STOPPING:
            stoppers.append(PlainStopper(batch, slot, block.shape))
        elif slot.kernel == "breaks":
            ends = np.array([_first_broken(run) for run in batch.runs])
        elif slot.kernel == "reduces":
            readings, wild = part_rates(batch, slot, block.shape)
            np.minimum(doubt, wild, out=doubt)
    stop = _lift(ends, shape)
    for stopper in stoppers:
        np.minimum(doubt, stopper.doubt, out=doubt)
        stop = stopper.stop if stop.min() == NEVER else np.minimum(stop, stopper.stop)
    divergence = _write_reductions(batch, readings, out, stop=stop, shape=shape)
    _write(batch, block, stoppers, out, stop=stop, divergence=divergence)
    if (ends < NEVER).any():
        _mark_broken(batch, block, stop, _lift(ends, shape), out)
    doubted = np.flatnonzero(doubt < NEVER)
    if len(doubted) == 0:
        return doubted, doubted
    last = np.minimum(stop, _lift(batch.n_epochs - 1, shape))
    reached = np.broadcast_to(last >= _lift(doubt, shape), shape)
    runs, configs = np.nonzero(reached.reshape(len(batch.runs), -1))
    return runs, configs


def _write_reductions(
    batch: Batch,
    readings: list[Parted],
    out: Cells,
    *,
    stop: EpochArray,
    shape: tuple[int, ...],
) -> EpochArray | None:
    """Write when the rate is reduced; return where the config parts from the record.

    Where the recorded rates can be read in two ways, the reading counts by which a
    config parts from the record sooner, if that is before it stops; else the first.
    """
    if not readings:
        if out.first_reduction.flags.writeable:
            out.first_reduction[...] = NEVER
        return None
    divergence, first = readings[0].divergence, readings[0].first_reduction
    later = readings[0].count_later(stop, shape) if readings[0].later else None
    for other in readings[1:]:
        sooner = (other.divergence <= stop) & (other.divergence < divergence)
        divergence = np.where(sooner, other.divergence, divergence)
        first = np.where(sooner, other.first_reduction, first)
        if later is not None or other.later:
            own = np.zeros(shape, dtype=np.int32) if later is None else later
            later = np.where(sooner, other.count_later(stop, shape), own)
    out.first_reduction.reshape(shape)[...] = np.minimum(
        first + _lift(batch.first_epochs, shape), NEVER
    )
    if later is not None:
        out.later_reductions.reshape(shape)[...] = later
    return divergence


def _lift(per_run: EpochArray, shape: tuple[int, ...]) -> EpochArray:
    """Give numbers, one a run, the axes of cells, to broadcast over configs."""
    return per_run.reshape(-1, *(1 for _ in shape[1:]))


def _write(
    batch: Batch,
    block: Block,
    stoppers: list[Stopper | PlainStopper],
    out: Cells,
    *,
    stop: EpochArray,
    divergence: EpochArray | None,
) -> None:
    """Write what is decided, given the positions of the stop and of the divergence."""
    shape = (len(batch.runs), *block.shape)
    first = _lift(batch.first_epochs, shape).astype(np.int32)
    stopped, kept = out.stopped.reshape(shape), out.kept.reshape(shape)
    stopped_epoch = out.stopped_epoch.reshape(shape)
    kept_epoch = out.kept_epoch.reshape(shape)
    np.less(stop, NEVER if divergence is None else divergence, out=stopped)
    np.add(stop, first, out=stopped_epoch, casting="same_kind")
    stopped_epoch *= stopped
    _write_kept(batch, stoppers, kept_epoch, stop)
    kept_epoch += first
    kept[...] = True
    if divergence is None:
        return
    diverged = out.diverged.reshape(shape)
    np.less_equal(divergence, stop, out=diverged)
    diverged &= divergence < NEVER
    divergence_epoch = out.divergence_epoch.reshape(shape)
    np.add(divergence, first, out=divergence_epoch, casting="same_kind")
    divergence_epoch *= diverged
    np.logical_not(diverged, out=kept)
    kept_epoch *= kept


def _write_kept(
    batch: Batch,
    stoppers: list[Stopper | PlainStopper],
    kept: EpochArray,
    stop: EpochArray,
) -> None:
    """Write whose weights are kept, as a position in its run."""
    ends = _lift(batch.n_epochs - 1, kept.shape).astype(np.int32)
    first_stopper = stoppers[0] if len(stoppers) == 1 else None
    if isinstance(first_stopper, Stopper) and first_stopper.keeps_alone(stop, batch):
        np.minimum(first_stopper.held, ends, out=kept)
        return
    last = np.minimum(stop, ends)
    kept[...] = last
    for stopper in stoppers:
        if isinstance(stopper, Stopper):
            stopper.put_back(stop, last, kept, batch)
        else:
            stopper.put_back(last, kept)


def first_broken_epoch(run: Run, block: Block) -> int:
    """Return the epoch in which TerminateOnNaN ends training; NEVER if none does."""
    if name_breaker(block) is None:
        return NEVER
    return min(run.first_epoch + _first_broken(run), NEVER)


def name_breaker(block: Block) -> str | None:
    """Return the class name of the rule that breaks an epoch off; None without one."""
    breaking = (slot for slot in block.slots if slot.kernel == "breaks")
    return next((slot.example().class_name for slot in breaking), None)


def _first_broken(run: Run) -> int:
    """Return the position of the first loss that is no number; NEVER if none."""
    loss = run.series["loss"]
    found = np.flatnonzero(loss.recorded & ~np.isfinite(loss.values))
    return int(found[0]) if len(found) else NEVER


def _mark_broken(
    batch: Batch, block: Block, stop: EpochArray, ends: EpochArray, out: Cells
) -> None:
    """Mark the kept epochs that a NaN breaks off here, but not in the record."""
    shape = (len(batch.runs), *block.shape)
    breaker = name_breaker(block)
    whole = [is_recorded_whole(run, run.horizon, breaker) for run in batch.runs]
    recorded_so = np.where(whole, batch.n_epochs - 1, NEVER)
    broken = (stop == ends) & (stop != _lift(recorded_so, shape))
    broken = broken & out.stopped.reshape(shape)
    broken &= out.kept_epoch.reshape(shape) == out.stopped_epoch.reshape(shape)
    out.broken.reshape(shape)[...] = broken
