"""The full replay of every cell, one for all cells that cannot but decide alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.judging import read_judging
from cbreplay.replay import replay_run
from cbreplay.sweep.engine import sweep_runs
from cbreplay.sweep.kernels.early_stopping import NEVER
from cbreplay.sweep.plan import plan_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Unpack

    from cbreplay.grid import Grid
    from cbreplay.judging import JudgingOptions
    from cbreplay.replay import Replay
    from cbreplay.run import EpochArray, Run
    from cbreplay.sweep.plan import Block
    from cbreplay.sweep.table import Sweep

__all__ = ["replay_cells"]


def replay_cells(
    runs: Sequence[Run],
    grid: Grid,
    *,
    progress: Callable[[int, int], None] | None = None,
    **judging: Unpack[JudgingOptions],
) -> list[tuple[int, int, Replay]]:
    """Replay every config of a grid on every run.

    Configs that differ in patience alone, and stop in the same epoch or not at all,
    decide the same in every epoch: they share one replay, whose `callbacks` are those
    of the first of them.

    Parameters
    ----------
    runs, grid : sequence of Run, Grid
        What is replayed on what.
    progress : callable, optional
        Called with the number of cells that are replayed and of all, now and then.
    **judging : semantics, initial_learning_rate, objective, objective_mode
        As in `replay_run`.

    Returns
    -------
    list of (run, config, Replay)
        Run by run, the configs in order.

    Raises
    ------
    CbreplayError
        As `replay_run` for the first cell for which it does.
    """
    chosen = read_judging(judging)
    (block,) = plan_blocks(grid)
    merged = _merged_axes(block)
    n_configs = len(grid)
    own = np.arange(n_configs)
    sweep = sweep_runs(runs, grid, judging=chosen) if merged else None
    cells: list[tuple[int, int, Replay]] = []
    for row, run in enumerate(runs):
        alike: EpochArray = own
        if sweep is not None and run.other_learning_rate is None:
            alike = _alike(sweep, row, block, merged)
        replays: dict[int, Replay] = {}
        for column, first in enumerate(alike.tolist()):
            if first not in replays:
                replays[first] = replay_run(run, grid[first], judging=chosen)
                if progress is not None:
                    progress(row * n_configs + column, len(runs) * n_configs)
            cells.append((row, column, replays[first]))
    return cells


def _merged_axes(block: Block) -> dict[str, int]:
    """Return the axes of patience along which configs may decide alike, by rule."""
    kinds = [slot.kind for slot in block.slots]
    # two that may stop in one epoch are told apart by who asked
    if not block.vectorised or "TerminateOnNaN" in kinds:
        return {}
    return {
        slot.kind: slot.parameters["patience"].axis
        for slot in block.slots
        if slot.kind in ("EarlyStopping", "ReduceLROnPlateau")
        and kinds.count(slot.kind) == 1
        and slot.parameters["patience"].axis is not None
    }


def _alike(sweep: Sweep, row: int, block: Block, merged: dict[str, int]) -> EpochArray:
    """Return, for each config on a run, the first config that decides alike."""
    configs = np.arange(block.n_configs)
    numbers: EpochArray = configs.reshape(block.shape)
    for axis in merged.values():
        numbers = np.broadcast_to(numbers.take([0], axis=axis), block.shape)
    stopped, diverged = sweep.stopped[row], sweep.diverged[row]
    horizon = sweep.runs[row].first_epoch + sweep.runs[row].n_epochs - 1
    last = np.where(stopped, sweep.stopped_epoch[row], horizon)
    reduces = sweep.cells.first_reduction[row] <= last
    keys = [
        numbers.reshape(-1),
        np.where(stopped, sweep.stopped_epoch[row], NEVER),
        np.where(diverged, sweep.divergence_epoch[row], NEVER),
        # a patience that reduces is its own
        np.where(reduces, _coordinate(block, merged.get("ReduceLROnPlateau")), -1),
    ]
    _, first, which = np.unique(
        np.stack(keys), axis=1, return_index=True, return_inverse=True
    )
    return np.asarray(first[which.reshape(-1)])


def _coordinate(block: Block, axis: int | None) -> EpochArray:
    """Return where each config stands along an axis."""
    along = np.zeros(block.shape, dtype=np.int64)
    if axis is not None:
        ones = [1] * len(block.shape)
        ones[axis] = -1
        along += np.arange(block.shape[axis]).reshape(ones)
    return along.reshape(-1)
