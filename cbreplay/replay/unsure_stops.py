"""For which patience values a log leaves the stop open: all are followed at once.

What a *way* is: see `choices`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.replay.records import Waited
    from cbreplay.run import BoolArray

__all__ = ["UnsureStops"]


class UnsureStops:
    """Which patience values still train on which ways, and from where each is unsure.

    A stop depends on patience and on the rule's state, and the state is that of the
    way. So all patience values that have not stopped on a way share it.

    Parameters
    ----------
    patience : sequence of float
        The patience values.
    restores : bool
        Whether a stop restores the best weights.
    most_ways : int
        A patience with more ways than these counts as unsure.
    """

    def __init__(
        self, patience: Sequence[float], *, restores: bool, most_ways: int
    ) -> None:
        self._patience = np.asarray(patience, dtype=np.float64)[:, None]
        self._restores, self._most_ways = restores, most_ways
        # rows are patience values, columns the ways
        self._trains = np.ones((len(patience), 1), dtype=np.bool_)
        self._undecided = np.ones(len(patience), dtype=np.bool_)
        self.unsure: list[int | None] = [None] * len(patience)

    def go_on(
        self,
        epoch: int,
        came_from: Sequence[Sequence[int]],
        waits: Sequence[Waited | None],
        *,
        ended: Sequence[bool],
    ) -> list[bool]:
        """Take an epoch into account; return which ways are to be followed further.

        Parameters
        ----------
        epoch : int
            The epoch.
        came_from : sequence of sequence of int
            For each way, the places of the earlier ways that lead to it.
        waits : sequence of Waited or None
            For each way, how long it has waited; None where no patience can stop.
        ended : sequence of bool
            Which ways end here, whatever the patience.
        """
        leads = np.zeros((self._trains.shape[1], len(came_from)), dtype=np.float32)
        for number, origins in enumerate(came_from):
            leads[origins, number] = 1
        trains = self._trains.astype(np.float32) @ leads > 0
        counted = [-math.inf if waited is None else waited.wait for waited in waits]
        stops = trains & (np.array(counted) >= self._patience)
        n_ways, n_stops = trains.sum(axis=1), stops.sum(axis=1)
        unsure = (n_stops > 0) & (n_stops < n_ways) | (n_ways > self._most_ways)
        if self._restores:
            held = [None if waited is None else waited.held for waited in waits]
            unsure |= _differ(held, stops)
        self._tell(unsure, epoch)
        self._undecided &= n_stops == 0
        trains[~self._undecided] = False
        follows = trains.any(axis=0) & ~np.array(ended)
        self._trains = trains[:, follows]
        wanted: list[bool] = follows.tolist()
        return wanted

    def end(self, epoch: int, kept: Sequence[int | None]) -> None:
        """Compare what the ways keep where training ends with the record."""
        if kept:
            self._tell(_differ(kept, self._trains), epoch)

    def _tell(self, unsure: BoolArray, epoch: int) -> None:
        for number in np.flatnonzero(unsure & self._undecided).tolist():
            self.unsure[number] = epoch
        self._undecided &= ~unsure


def _differ(kept: Sequence[int | None], among: BoolArray) -> BoolArray:
    """Return, for each row of `among`, whether its ways keep different epochs."""
    epochs = np.array([-1 if epoch is None else epoch for epoch in kept])
    least = np.where(among, epochs, np.iinfo(np.int64).max).min(axis=1)
    most = np.where(among, epochs, np.iinfo(np.int64).min).max(axis=1)
    differs: BoolArray = least < most
    return differs
