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
    from cbreplay.run import EpochArray
    from cbreplay.sweep.batch import Batch
    from cbreplay.sweep.plan import Slot

__all__ = ["Parted", "part_rates"]

_NUMBERS = ("patience", "cooldown", "factor", "min_lr")
_LANES = ("monitor", "mode", "min_delta", *_NUMBERS)
_FEW_LANES = 16_384


class Parted(NamedTuple):
    """Where ReduceLROnPlateau parts from the record, on the axes of the block."""

    divergence: EpochArray
    first_reduction: EpochArray
    doubt: EpochArray


def part_rates(batch: Batch, slot: Slot, block_shape: tuple[int, ...]) -> Parted:
    """Find where each config first trains at another rate than recorded.

    Where the recorded rate can be read in two ways, the earlier end counts.
    """
    lanes = read_lanes(slot, block_shape, *_LANES)
    rule = batch.semantics.reduce_lr_on_plateau
    sizes, compared = read_sizes(lanes, rule), read_compared(rule, batch)
    patience, cooldown, factor, min_lr = map(lanes.values, _NUMBERS)
    doubt = np.full(len(batch.runs), NEVER)
    divergence = np.full((len(batch.runs), lanes.n_lanes), NEVER)
    first = np.full((len(batch.runs), lanes.n_lanes), NEVER)
    records = _records(batch)
    for monitor, mode, family in lanes.families():
        beyond = first_overflow(batch, monitor, compared, sizes[family], np.empty(0))
        np.minimum(doubt, beyond, out=doubt)
        series = batch.monitored(monitor)
        values = series.values * batch.sign(slot.kind, monitor, mode)
        few = len(batch.runs) * len(np.unique(sizes[family])) < _FEW_LANES
        for chosen in [family] if few else in_pieces(family, len(batch.runs)):
            own_sizes, lane = np.unique(sizes[chosen], return_inverse=True)
            settings = Settings(
                lane,
                patience[chosen],
                cooldown[chosen],
                factor[chosen],
                min_lr[chosen],
                batch.semantics.factor_precision,
            )
            for record in records:
                found = find_partings(
                    values,
                    series.n_steps,
                    series.positions,
                    record,
                    sizes=own_sizes,
                    settings=settings,
                    compared=compared,
                )
                _lower(divergence, chosen, found.divergence)
                _lower(first, chosen, found.first_reduction)
                doubt[found.overflown] = -1
    return Parted(
        lanes.place(divergence, block_shape), lanes.place(first, block_shape), doubt
    )


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


def _lower(all_of: EpochArray, chosen: EpochArray, found: EpochArray) -> None:
    all_of[:, chosen] = np.minimum(all_of[:, chosen], found)
