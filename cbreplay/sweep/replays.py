"""The full replay of every cell, shared by cells that are known to decide alike."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.judging import Judging
from cbreplay.replay import replay_run
from cbreplay.rules.registry import STOPPING
from cbreplay.sweep.cells import first_broken_epoch
from cbreplay.sweep.engine import sweep_runs
from cbreplay.sweep.kernels.early_stopping import NEVER
from cbreplay.sweep.plan import plan_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.grid import Grid
    from cbreplay.replay import Replay
    from cbreplay.replay.records import Step
    from cbreplay.rules.registry import Kernel
    from cbreplay.run import EpochArray, Run
    from cbreplay.sweep.plan import Block
    from cbreplay.sweep.table import Sweep

__all__ = ["SharedReplays"]


class SharedReplays:
    """The replays of a grid's cells, made when they are asked for, and shared.

    Configs that differ in patience alone, and stop in the same epoch or not at all,
    decide the same in every epoch: they share one replay, whose `callbacks` are those
    of the first of them. The sweep of the same tells these cells; it is None if none
    decide alike. Without `whole_trace` each replay holds only the steps of the last
    epoch, which show how it parts from the record: the whole trace takes most of the
    memory that many settings need on a long log.
    """

    def __init__(
        self,
        runs: Sequence[Run],
        grid: Grid,
        judging: Judging,
        sweep: Sweep | None,
        *,
        whole_trace: bool,
    ) -> None:
        self.runs, self.grid, self.judging = runs, grid, judging
        self._sweep, self._whole_trace = sweep, whole_trace
        (self._block,) = plan_blocks(grid)
        self._alike: dict[int, EpochArray] = {}
        self._made: dict[tuple[int, int], Replay] = {}

    @classmethod
    def of_grid(
        cls, runs: Sequence[Run], grid: Grid, judging: Judging, *, whole_trace: bool
    ) -> SharedReplays:
        """Return the replays of cells that are not swept yet."""
        (block,) = plan_blocks(grid)
        # without an axis whose cells may decide alike, a sweep would save no replay
        alike = bool(_merged_axes(block))
        sweep = sweep_runs(runs, grid, judging=judging) if alike else None
        return cls(runs, grid, judging, sweep, whole_trace=whole_trace)

    @classmethod
    def of_sweep(cls, sweep: Sweep) -> SharedReplays:
        """Return the replays of a sweep over a grid, without traces.

        The sweep has to hold its runs.
        """
        judging = sweep.judging or Judging()
        return cls(sweep.records, sweep.configs, judging, sweep, whole_trace=False)

    def at(self, row: int, column: int) -> Replay:
        """Return the replay of a cell, or of the first that decides like it."""
        first = column
        if self._sweep is not None:
            if row not in self._alike:
                self._alike[row] = _find_alike(self._sweep, row, self._block)
            first = int(self._alike[row][column])
        if (row, first) not in self._made:
            replay = replay_run(self.runs[row], self.grid[first], judging=self.judging)
            if not self._whole_trace:
                replay = replay._replace(trace=_of_last_epoch(replay.trace))
            self._made[row, first] = replay
        return self._made[row, first]

    def every(self, progress: Callable[[int, int], None] | None = None) -> list[Replay]:
        """Return the replay of every cell, run by run.

        `progress` is called after each run with the number of cells replayed so far and
        of all cells.

        Raises
        ------
        CbreplayError
            As `replay_run` for the first cell for which it does.
        """
        replays: list[Replay] = []
        n_runs, n_configs = len(self.runs), len(self.grid)
        for row in range(n_runs):
            replays += [self.at(row, column) for column in range(n_configs)]
            if progress is not None:
                progress(len(replays), n_runs * n_configs)
        return replays


def _of_last_epoch(trace: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps of the last epoch of a trace."""
    backwards = itertools.takewhile(
        lambda step: step.epoch == trace[-1].epoch, reversed(trace)
    )
    return tuple(backwards)[::-1]


def _merged_axes(block: Block) -> dict[Kernel | None, int]:
    """Return the axes of patience along which configs may decide alike, by kernel."""
    # of several rules that stop, a patience may say which of them asks first
    stopping = [slot for slot in block.slots if slot.kernel in STOPPING]
    waiting = [slot for slot in stopping if slot.kernel == "stops"]
    waiting = waiting if len(stopping) == 1 else []
    reducing = [slot for slot in block.slots if slot.kernel == "reduces"]
    if not block.vectorised:
        return {}
    return {
        slot.kernel: axis
        for slot in (*waiting, *reducing)
        if (axis := slot.parameters["patience"].axis) is not None
    }


def _find_alike(sweep: Sweep, row: int, block: Block) -> EpochArray:
    """Return, for each config on a run, the first config that decides alike.

    Configs that differ in patience alone decide the same in every epoch if they stop
    in the same one and never reduce the rate. Two that reduce it may do so again in
    different epochs, so the patience of a reduction is only merged where there is none.
    """
    merged = _merged_axes(block)
    numbers: EpochArray = np.arange(block.n_configs).reshape(block.shape)
    for axis in merged.values():
        numbers = np.broadcast_to(numbers.take([0], axis=axis), block.shape)
    stopped, diverged = sweep.stopped[row], sweep.diverged[row]
    stop = np.where(stopped, sweep.stopped_epoch[row], NEVER)
    run = sweep.records[row]
    # a rate that can be read in two ways may hide a reduction from the arrays
    reduces = sweep.reduced[row] | (run.other_learning_rate is not None)
    keys = [
        numbers.reshape(-1),
        stop,
        np.where(diverged, sweep.divergence_epoch[row], NEVER),
        np.where(reduces, _coordinate(block, merged.get("reduces")), -1),
        np.where(sweep.incomplete[row], sweep.gap_epoch[row], -1),
        # on a rounded log every setting may leave another decision open: share none
        np.where(
            sweep.incomplete[row] & bool(run.rounded_to),
            np.arange(block.n_configs),
            -1,
        ),
        # in the epoch in which a NaN ends training, a patience may end it too
        np.where(
            stopped & (stop == first_broken_epoch(run, block)),
            _coordinate(block, merged.get("stops")),
            -1,
        ),
    ]
    # one key after another: sorting a million cells by all keys at once takes eight
    # times the memory
    which: EpochArray = np.zeros(block.n_configs, dtype=np.int64)
    for key in keys:
        values, place = np.unique(key, return_inverse=True)
        joined = which * len(values) + place.reshape(-1)
        which = np.unique(joined, return_inverse=True)[1].reshape(-1)
    first = np.unique(which, return_index=True)[1]
    return np.asarray(first[which])


def _coordinate(block: Block, axis: int | None) -> EpochArray:
    """Return each config's index along an axis; 0 without one."""
    if axis is None:
        return np.zeros(block.n_configs, dtype=np.int64)
    along = np.indices(block.shape, sparse=True)[axis]
    return np.broadcast_to(along, block.shape).reshape(-1)
