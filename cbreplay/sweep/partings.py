"""ReduceLROnPlateau on a batch of runs: where each config parts from the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.sweep.kernels.early_stopping import NEVER
from cbreplay.sweep.kernels.reduce_lr_on_plateau import Record, Settings, find_partings
from cbreplay.sweep.lanes import (
    first_overflow,
    in_pieces,
    read_compared,
    read_lanes,
    read_sizes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cbreplay.run import EpochArray
    from cbreplay.sweep.batch import Batch
    from cbreplay.sweep.kernels.reduce_lr_on_plateau import LaterReductions, Partings
    from cbreplay.sweep.lanes import Lanes
    from cbreplay.sweep.plan import Slot

__all__ = ["Parted", "part_rates"]

_NUMBERS = ("patience", "cooldown", "factor", "min_lr")
_LANES = ("monitor", "mode", "min_delta", *_NUMBERS)
_FEW_LANES = 16_384


class Parted(NamedTuple):
    """Where ReduceLROnPlateau parts from the record, by one reading of its rates.

    Parameters
    ----------
    divergence, first_reduction : array
        As in `Partings`, with an axis for the runs and one for each of the block.
    later : list of array
        The position of the second reduction, of the third and so on; NEVER where there
        is none. Axes as above.
    """

    divergence: EpochArray
    first_reduction: EpochArray
    later: list[EpochArray]

    def count_later(self, stop: EpochArray, shape: tuple[int, ...]) -> EpochArray:
        """Return how many reductions after the first are made up to `stop`."""
        counts = np.zeros(shape, dtype=np.int32)
        for made_at in self.later:
            counts += (made_at <= stop) & (made_at < NEVER)
        return counts


def part_rates(
    batch: Batch, slot: Slot, block_shape: tuple[int, ...]
) -> tuple[list[Parted], EpochArray]:
    """Find where each config first trains at another rate than recorded.

    Returns
    -------
    readings : list of Parted
        One for each way in which the recorded rates can be read.
    doubt : array of shape (n_runs,)
        The position of the first value that only the scalar replay can judge; -1 if a
        rate is such a value, NEVER if there is none.
    """
    lanes = read_lanes(slot, block_shape, *_LANES)
    asked = _Asked(batch, slot, lanes)
    shape = (len(batch.runs), lanes.n_lanes)
    # a rounded rate is compared in as many digits as it has: only the replay does that
    rounded = [bool(run.learning_rate_rounding) for run in batch.runs]
    doubt = np.where(rounded, -1, NEVER)
    records = _records(batch)
    divergence = [np.full(shape, NEVER) for _ in records]
    first = [np.full(shape, NEVER) for _ in records]
    later: list[list[LaterReductions]] = [[] for _ in records]
    for (monitor, mode), alike in lanes.grouped("monitor", "mode"):
        np.minimum(doubt, asked.first_overflow(monitor, alike), out=doubt)
        for chosen in asked.pieces(alike):
            for reading, record in enumerate(records):
                found = asked.find(monitor, mode, chosen, record)
                divergence[reading][:, chosen] = found.divergence
                first[reading][:, chosen] = found.first_reduction
                doubt[found.overflown] = -1
                own = found.later
                later[reading].append(own._replace(setting=chosen[own.setting]))
    readings = [
        Parted(
            lanes.place(divergence[reading], block_shape),
            lanes.place(first[reading], block_shape),
            [
                lanes.place(made_at, block_shape)
                for made_at in _in_order(later[reading], shape)
            ],
        )
        for reading in range(len(records))
    ]
    return readings, doubt


class _Asked:
    """The arguments of the kernel: the settings of a slot on a batch of runs."""

    def __init__(self, batch: Batch, slot: Slot, lanes: Lanes) -> None:
        rule = slot.kind.monitor_rule(batch.semantics)
        self.batch, self.kind = batch, slot.kind
        self.sizes, self.compared = read_sizes(lanes, rule), read_compared(rule, batch)
        self.numbers = [lanes.values(name) for name in _NUMBERS]

    def first_overflow(self, monitor: str, alike: EpochArray) -> EpochArray:
        """Return the first position of each run with a value beyond float32."""
        sizes = self.sizes[alike]
        return first_overflow(self.batch, monitor, self.compared, sizes, np.empty(0))

    def pieces(self, alike: EpochArray) -> Iterable[EpochArray]:
        """Return the settings in the parts in which the kernel decides them."""
        n_runs = len(self.batch.runs)
        if n_runs * len(np.unique(self.sizes[alike])) < _FEW_LANES:
            return [alike]
        return in_pieces(alike, n_runs)

    def find(
        self, monitor: str, mode: str, chosen: EpochArray, record: Record
    ) -> Partings:
        """Ask the kernel for some settings by one reading of the rates."""
        series = self.batch.monitored(monitor)
        sizes, lane = np.unique(self.sizes[chosen], return_inverse=True)
        patience, cooldown, factor, min_lr = (values[chosen] for values in self.numbers)
        precision = self.batch.semantics.factor_precision
        return find_partings(
            series.values * self.batch.sign(self.kind, monitor, mode),
            series.n_steps,
            series.positions,
            record,
            sizes=sizes,
            settings=Settings(lane, patience, cooldown, factor, min_lr, precision),
            compared=self.compared,
        )


def _in_order(
    pieces: list[LaterReductions], shape: tuple[int, ...]
) -> Iterator[EpochArray]:
    """Yield the position of every setting's second reduction, third, and so on."""
    columns = [np.concatenate(column) for column in zip(*pieces, strict=True)]
    run, setting, at = columns
    # sorted so that the reductions of one setting are neighbours, in their order
    order = np.lexsort((at, setting, run))
    track = (run * shape[1] + setting)[order]
    _, begin = np.unique(track, return_index=True)
    rank = np.arange(len(track)) - np.repeat(begin, np.diff([*begin, len(track)]))
    for nth in range(int(rank.max(initial=-1)) + 1):
        made_at = np.full(shape, NEVER)
        made_at.reshape(-1)[track[rank == nth]] = at[order][rank == nth]
        yield made_at


def _records(batch: Batch) -> list[Record]:
    """Return the rates of all runs by the first reading, and by the second."""
    records = []
    for reading in range(max(map(len, batch.rates))):
        rates = np.full((len(batch.runs), int(batch.n_epochs.max())), np.nan)
        known = np.zeros(len(batch.runs), dtype=np.bool_)
        for row, held in enumerate(batch.rates):
            values, known[row] = held[min(reading, len(held) - 1)]
            rates[row, : len(values)] = values
        records.append(Record(rates, known, batch.n_epochs))
    return records
