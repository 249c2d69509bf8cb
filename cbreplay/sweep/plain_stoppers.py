"""Rules that wait for a mean, or stop at a target, on a batch of runs.

They hold the weights of the best single value, and every version puts these back when
training ends, whatever ended it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.sweep.kernels.early_stopping import NEVER
from cbreplay.sweep.kernels.plain_stops import (
    find_best,
    find_reached,
    find_waited,
    smooth_values,
)
from cbreplay.sweep.lanes import first_beyond, in_pieces, read_lanes

if TYPE_CHECKING:
    from cbreplay.run import EpochArray
    from cbreplay.sweep.batch import Batch, Monitored
    from cbreplay.sweep.lanes import Lanes
    from cbreplay.sweep.plan import Slot

__all__ = ["PlainStopper"]

# parameters of every such rule; the others say which mean is taken
_NOT_OF_THE_MEAN = ("patience", "monitor", "mode", "min_delta", "restore_best_weights")


class PlainStopper:
    """One slot of kernel "smooths" or "reaches": where it stops, and what it holds.

    Its arguments, `stop` and `doubt` are as in `Stopper`.
    """

    def __init__(self, batch: Batch, slot: Slot, block_shape: tuple[int, ...]) -> None:
        self._batch, self._slot = batch, slot
        names = [name for name in slot.parameters if name != "restore_best_weights"]
        lanes = read_lanes(slot, block_shape, *names)
        self._restores = slot.along("restore_best_weights", block_shape).astype(
            np.bool_
        )
        self.doubt = np.full(len(batch.runs), NEVER)
        stop = np.empty((len(batch.runs), lanes.n_lanes), dtype=np.int32)
        watched = np.empty((1, lanes.n_lanes), dtype=np.int64)
        best: list[EpochArray] = []
        for (monitor, mode), alike in lanes.grouped("monitor", "mode"):
            series, sign = (
                batch.monitored(monitor),
                batch.sign(slot.kind, monitor, mode),
            )
            find = self._find_reached if slot.kernel == "reaches" else self._find_waited
            stop[:, alike] = series.at(find(lanes, alike, monitor, sign))
            watched[:, alike] = len(best)
            best.append(self._best_positions(series, sign))
        self.stop = lanes.place(stop, block_shape)
        self._best = np.array(best)
        self._watched = lanes.place(watched, block_shape)

    def _find_reached(
        self, lanes: Lanes, alike: EpochArray, monitor: str, sign: float
    ) -> EpochArray:
        """Return the steps at which some lanes reach their targets."""
        values = self._batch.monitored(monitor).values * sign
        targets = lanes.values("target")[alike] * sign
        pieces = in_pieces(np.arange(len(alike)), len(self._batch.runs))
        found = [find_reached(values, targets[piece]) for piece in pieces]
        return np.concatenate(found, axis=1)

    def _find_waited(
        self, lanes: Lanes, alike: EpochArray, monitor: str, sign: float
    ) -> EpochArray:
        """Return the steps at which some lanes have waited for a better mean."""
        batch, series = self._batch, self._batch.monitored(monitor)
        sizes, patience = np.abs(lanes.values("min_delta")), lanes.values("patience")
        # sums of such large numbers may be infinite: the scalar replay decides
        beyond = first_beyond(batch, monitor, sizes[alike])
        np.minimum(self.doubt, beyond, out=self.doubt)
        stop = np.empty((len(batch.runs), lanes.n_lanes), dtype=np.int64)
        own = [name for name in self._slot.parameters if name not in _NOT_OF_THE_MEAN]
        for values, same in lanes.grouped(*own):
            rule: Any = self._slot.example(**dict(zip(own, values, strict=True)))
            chosen = np.intersect1d(same, alike)
            means = smooth_values(series.values * sign, rule.smooth)
            for piece in in_pieces(chosen, len(batch.runs)):
                stop[:, piece] = find_waited(
                    means, series.n_steps, sizes[piece], patience[piece]
                )
        return stop[:, alike]

    def _best_positions(self, series: Monitored, sign: float) -> EpochArray:
        """Return the position of the best value up to each position; -1 before one."""
        batch, values = self._batch, series.values * sign
        # of an infinite value there is no mean, but it may be the best on the way to
        # a target
        is_plain = self._slot.kernel == "reaches"
        counted = ~np.isnan(values) if is_plain else np.isfinite(values)
        step, run = np.nonzero(find_best(values, counted))
        at = series.positions[run, step]
        best = np.full((len(batch.runs), int(batch.n_epochs.max())), -1)
        best[run, at] = at
        return np.maximum.accumulate(best, axis=1)

    def put_back(self, last: EpochArray, kept: EpochArray) -> None:
        """Put back the weights that are held at `last`, where training ends.

        Both are positions; `kept` is changed.
        """
        runs = np.arange(len(last)).reshape(-1, *(1 for _ in kept.shape[1:]))
        held = self._best[self._watched, runs, last]
        back = self._restores & (held >= 0)
        np.copyto(kept, held, where=back, casting="same_kind")
