"""EarlyStopping on a batch of runs: where each config's stops, and what it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.sweep.kernels.early_stopping import NEVER, Stops, find_stops
from cbreplay.sweep.lanes import (
    first_overflow,
    in_pieces,
    read_compared,
    read_lanes,
    read_sizes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.run import BoolArray, EpochArray
    from cbreplay.sweep.batch import Batch
    from cbreplay.sweep.plan import Slot

__all__ = ["Stopper"]

# what decides how long a wait is; patience only decides where it ends
_LANES = ("monitor", "mode", "min_delta", "baseline", "start_from_epoch")


class Stopper:
    """One EarlyStopping of the list: where it stops, and whose weights it holds.

    `stop` and `held` have one axis for the runs and one for each of the block.
    """

    def __init__(
        self, batch: Batch, slot: Slot, block_shape: tuple[int, ...], *, alone: bool
    ) -> None:
        patience = slot.parameters["patience"]
        own = patience.axis is not None and patience.axis in slot.axes(*_LANES)
        self._lanes = read_lanes(slot, block_shape, *_LANES)
        self._pieces: list[tuple[EpochArray, Stops, str]] = []
        self._keeps_pieces = not alone
        self.doubt = np.full(len(batch.runs), NEVER)
        shape = (len(batch.runs), self._lanes.n_lanes)
        n_waits = 1 if own else len(patience.values)
        stop: EpochArray = np.empty(0, dtype=np.int32)
        held, last_held = stop, stop
        for chosen, found in self._find(batch, slot, own_patience=own):
            if len(chosen) == self._lanes.n_lanes:
                stop, held, last_held = found
                break
            if len(stop) == 0:
                stop = np.empty((*shape, n_waits), dtype=np.int32)
                held = np.empty_like(stop)
                last_held = np.empty(shape, dtype=np.int32)
            stop[:, chosen], held[:, chosen], last_held[:, chosen] = found
        if own or patience.axis is None:
            self.stop = self._lanes.place(stop[:, :, 0], block_shape)
            self.held = self._lanes.place(held[:, :, 0], block_shape)
        else:
            self.stop = self._lanes.place(stop, block_shape, patience.axis)
            self.held = self._lanes.place(held, block_shape, patience.axis)
        self.last_held = self._lanes.place(last_held, block_shape)
        numbers = np.arange(self._lanes.n_lanes)[None]
        self._lane = self._lanes.place(numbers, block_shape)
        self.restores = slot.along("restore_best_weights", block_shape).astype(np.bool_)

    def _find(
        self, batch: Batch, slot: Slot, *, own_patience: bool
    ) -> Iterator[tuple[EpochArray, list[EpochArray]]]:
        """Yield some lanes, and their stops, held and last held, as positions."""
        rule, lanes = slot.kind.monitor_rule(batch.semantics), self._lanes
        compared = read_compared(rule, batch)
        sizes, baselines = read_sizes(lanes, rule), lanes.values("baseline")
        starts = lanes.values("start_from_epoch")
        if own_patience:
            patience = lanes.values("patience")
        else:
            patience = slot.numbers("patience")
        for monitor, mode, family in lanes.families():
            beyond = first_overflow(
                batch, monitor, compared, sizes[family], baselines[family]
            )
            np.minimum(self.doubt, beyond, out=self.doubt)
            series = batch.monitored(monitor)
            sign = batch.sign(slot.kind, monitor, mode)
            for chosen in in_pieces(family, len(batch.runs)):
                stops = find_stops(
                    series.values * sign,
                    series.n_steps,
                    batch.first_steps(monitor, starts[chosen]),
                    sizes=sizes[chosen],
                    baselines=baselines[chosen] * sign,
                    patience=patience[chosen] if own_patience else patience,
                    own_patience=own_patience,
                    zero_first=series.positions[:, 0] + batch.first_epochs == 0,
                    compared=compared,
                )
                if self._keeps_pieces:
                    self._pieces.append((chosen, stops, monitor))
                steps = (stops.stop, stops.held, stops.last_held)
                yield chosen, [series.at(one) for one in steps]

    def keeps_alone(self, stop: EpochArray, batch: Batch) -> bool:
        """Return whether what is held is what is kept, whatever the setting.

        Then nobody else stops, and every config restores, also without a stop.
        """
        return (
            batch.semantics.restores_without_stop
            and stop is self.stop
            and bool(self.restores.all())
        )

    def put_back(
        self, stop: EpochArray, last: EpochArray, kept: EpochArray, batch: Batch
    ) -> None:
        """Put back the held weights where this Keras does, at `stop` or at the end.

        All are positions; `kept` is changed.
        """
        if not self.restores.any():
            return
        at_end = batch.semantics.restores_without_stop
        own = (self.stop == stop) & (stop < NEVER)
        if not at_end:
            # weights taken in the very epoch of the stop are those that are there
            np.copyto(kept, self.held, where=own & self.restores & (self.held != stop))
            return
        np.copyto(kept, self.held, where=own & self.restores)
        ended = ~own & (stop == NEVER) & (self.last_held < NEVER)
        np.copyto(
            kept, self.last_held, where=ended & self.restores, casting="same_kind"
        )
        foreign = np.broadcast_to(~own & (stop < NEVER) & self.restores, kept.shape)
        if foreign.any():
            self._put_back_elsewhere(foreign, last, kept, batch)

    def _put_back_elsewhere(
        self, where: BoolArray, last: EpochArray, kept: EpochArray, batch: Batch
    ) -> None:
        """Put back what is held where another callback stopped."""
        cells = np.nonzero(where)
        at = np.broadcast_to(last, kept.shape)[cells]
        lane = np.broadcast_to(self._lane, kept.shape)[cells]
        for chosen, stops, monitor in self._pieces:
            series = batch.monitored(monitor)
            here = np.isin(lane, chosen)
            run, among = cells[0][here], np.searchsorted(chosen, lane[here])
            # the steps up to that epoch
            step = np.array(
                [
                    np.searchsorted(series.positions[one], position, side="right") - 1
                    for one, position in zip(run, at[here], strict=True)
                ],
                dtype=np.int64,
            )
            held = stops.held_at(run * len(chosen) + among, step)
            some = held < NEVER
            index = tuple(one[here][some] for one in cells)
            kept[index] = series.positions[run[some], held[some]]
