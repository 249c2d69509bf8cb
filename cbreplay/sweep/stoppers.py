"""EarlyStopping on a batch of runs: where it stops, and whose weights it holds.

The same for every rule whose kernel is "stops".
"""

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

__all__ = ["WAIT_PARAMETERS", "Stopper"]

# the parameters on which `wait` depends; patience only says at which `wait` it stops
WAIT_PARAMETERS = ("monitor", "mode", "min_delta", "baseline", "start_from_epoch")


class Stopper:
    """One slot that stops: the position of its stop, and whose weights it holds.

    Parameters
    ----------
    batch, slot, block_shape : Batch, Slot, tuple of int
        The runs, the slot, and the lengths of the block's axes.
    alone : bool
        Whether no other rule of the list can stop training.

    Attributes
    ----------
    stop, held : array
        The position of the stop, and the one whose weights are held there; an axis for
        the runs, and one for each of the block. NEVER where there is none.
    last_held : array
        Whose weights are held at the end of the record, likewise.
    restores : bool array
        Whether weights are put back, by setting.
    doubt : array of shape (n_runs,)
        The first position that only the scalar replay can judge; NEVER if none.
    """

    def __init__(
        self, batch: Batch, slot: Slot, block_shape: tuple[int, ...], *, alone: bool
    ) -> None:
        patience = slot.parameters["patience"]
        # where patience varies along the axis of another of these parameters, as in
        # listed settings, each lane has its own; else each is tried in every lane
        own = patience.axis is not None and patience.axis in slot.axes(*WAIT_PARAMETERS)
        self._lanes = read_lanes(slot, block_shape, *WAIT_PARAMETERS)
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
        """Yield some lanes at a time, with their stop, held and last held positions."""
        rule, lanes = slot.kind.monitor_rule(batch.semantics), self._lanes
        compared = read_compared(rule, batch)
        sizes, baselines = read_sizes(lanes, rule), lanes.values("baseline")
        starts = lanes.values("start_from_epoch")
        if own_patience:
            patience = lanes.values("patience")
        else:
            patience = slot.numbers("patience")
        for (monitor, mode), alike in lanes.grouped("monitor", "mode"):
            beyond = first_overflow(
                batch, monitor, compared, sizes[alike], baselines[alike]
            )
            np.minimum(self.doubt, beyond, out=self.doubt)
            series = batch.monitored(monitor)
            sign = batch.sign(slot.kind, monitor, mode)
            for chosen in in_pieces(alike, len(batch.runs)):
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
                yield chosen, [series.at(found) for found in steps]

    def keeps_alone(self, stop: EpochArray, batch: Batch) -> bool:
        """Return whether every setting keeps the epoch whose weights it holds.

        So it is where no other rule stops, every config restores the best weights, and
        this version restores them also when nothing stopped the training.
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
            # weights held since the epoch of the stop itself are in the model anyway
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
        """Restore the held weights where another callback stopped."""
        cells = np.nonzero(where)
        at = np.broadcast_to(last, kept.shape)[cells]
        lane = np.broadcast_to(self._lane, kept.shape)[cells]
        for chosen, stops, monitor in self._pieces:
            series = batch.monitored(monitor)
            here = np.isin(lane, chosen)
            run, among = cells[0][here], np.searchsorted(chosen, lane[here])
            # the monitor's last step up to that epoch
            step = np.array(
                [
                    np.searchsorted(series.positions[row], position, side="right") - 1
                    for row, position in zip(run, at[here], strict=True)
                ],
                dtype=np.int64,
            )
            held = stops.held_at(run * len(chosen) + among, step)
            some = held < NEVER
            index = tuple(index[here][some] for index in cells)
            kept[index] = series.positions[run[some], held[some]]
