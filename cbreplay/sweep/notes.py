"""What a careful reader should know of the cells of a sweep, without replaying them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.judging import Judging
from cbreplay.replay.notes import NAN_IS_BEST, note_broken_off, note_no_number, note_run
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.rules.registry import resolve_semantics
from cbreplay.sweep.cells import (
    first_broken_epoch,
    is_recorded_whole,
    name_breaker,
)
from cbreplay.sweep.kernels.early_stopping import NEVER
from cbreplay.sweep.objectives import find_objectives
from cbreplay.sweep.plan import plan_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.base import Callback
    from cbreplay.sweep.plan import Block
    from cbreplay.sweep.replays import SharedReplays
    from cbreplay.sweep.table import Sweep

__all__ = ["note_runs", "note_settings"]


def note_runs(sweep: Sweep) -> list[tuple[str, ...]]:
    """Return, of each run, what holds of it under every setting that monitors alike.

    Parameters
    ----------
    sweep : Sweep
        One that holds its runs; its lists have kernels.
    """
    examples, _ = find_objectives(sweep.configs, plan_blocks(sweep.configs))
    judging = sweep.judging or Judging()
    listed = [rule for example in examples for rule in example]
    noted = []
    for run, swept in zip(sweep.records, sweep.runs, strict=True):
        resolved = resolve_semantics(
            judging.semantics, metadata=run.metadata, callbacks=listed
        )
        notes: dict[str, None] = {}
        for example, judged in zip(examples, swept.judged, strict=True):
            sets_rate = any(rule.changes_learning_rate for rule in example)
            objective = judged.name, judged.mode
            notes |= dict.fromkeys(
                note_run(run, example, resolved, objective, sets_rate=sets_rate)
            )
        noted.append(tuple(notes))
    return noted


def note_settings(sweep: Sweep, shared: SharedReplays) -> list[tuple[str, ...]]:
    """Return, of each run, what the decisions of some setting need to be said.

    Parameters
    ----------
    sweep : Sweep
        As above, over a grid.
    shared : SharedReplays
        Of the same cells.
    """
    (block,) = plan_blocks(sweep.configs)
    first = read_callbacks(sweep.configs[0]).callbacks
    noted = []
    for row, run in enumerate(sweep.records):
        if block.reduces and run.other_learning_rate is not None:
            # which reading counts, and where the other one parts, only a replay tells
            columns = range(len(sweep.configs))
            each = (shared.at(row, column).noted.setting for column in columns)
            noted.append(tuple(dict.fromkeys(note for some in each for note in some)))
            continue
        notes = [
            *_note_broken(sweep, row, block, first),
            *_note_first_nan(sweep, row, block),
            *_note_no_numbers(sweep, row),
        ]
        noted.append(tuple(dict.fromkeys(notes)))
    return noted


def _note_broken(
    sweep: Sweep, row: int, block: Block, callbacks: tuple[Callback, ...]
) -> Iterator[str]:
    """Say what is not known of an epoch in which the loss ends training."""
    run, swept = sweep.records[row], sweep.runs[row]
    epoch = first_broken_epoch(run, block)
    ended_there = sweep.stopped[row] & (sweep.stopped_epoch[row] == epoch)
    breaker = name_breaker(block)
    if is_recorded_whole(run, epoch, breaker) or not ended_there.any():
        return
    place = next(i for i, rule in enumerate(callbacks) if rule.class_name == breaker)
    for code, judged in enumerate(swept.judged):
        here = ended_there & _judged_by(sweep, code)
        if here.any():
            keeps_it = bool((here & sweep.cells.broken[row]).any())
            yield from note_broken_off(
                callbacks, place, judged.name, epoch, keeps_it=keeps_it
            )


def _note_first_nan(sweep: Sweep, row: int, block: Block) -> Iterator[str]:
    """Say so where a rule that stops takes a first value of NaN as its best."""
    slot = next((slot for slot in block.slots if slot.kernel == "stops"), None)
    if slot is None:
        return
    run, judging = sweep.records[row], sweep.judging or Judging()
    starts = slot.along("start_from_epoch", block.shape)
    monitors = slot.along("monitor", block.shape)
    for monitor in slot.tried("monitor"):
        series = run.monitored(monitor)
        logged = np.flatnonzero(series.recorded)
        if not np.isnan(series.values[logged]).any():
            continue
        resolved = resolve_semantics(
            judging.semantics, metadata=run.metadata, callbacks=[slot.example()]
        )
        if not slot.kind.monitor_rule(resolved.semantics).starts_empty:
            return
        # where nothing is monitored any more, there is no first value
        epochs = np.append(logged + run.first_epoch, NEVER)
        taken = np.searchsorted(epochs, starts)
        is_nan = np.append(np.isnan(series.values[logged]), [False])[taken]
        takes = np.broadcast_to((monitors == monitor) & is_nan, block.shape)
        reached = np.broadcast_to(epochs[taken], block.shape).reshape(-1)
        reached = reached <= sweep.evident_epoch[row]
        if (takes.reshape(-1) & reached & ~sweep.diverged[row]).any():
            yield NAN_IS_BEST
            return


def _note_no_numbers(sweep: Sweep, row: int) -> Iterator[str]:
    """Say at which kept epochs the objective has no number."""
    kept, run = sweep.kept[row], sweep.runs[row]
    at = np.where(kept, sweep.kept_epoch[row] - run.first_epoch, 0)
    for code, judged in enumerate(run.judged):
        without = np.isnan(judged.values)
        if without.any():
            found = at[kept & without[at] & _judged_by(sweep, code)].tolist()
            for position in dict.fromkeys(found):
                yield note_no_number(judged.name, run.first_epoch + position)


def _judged_by(sweep: Sweep, code: int) -> Any:  # noqa: ANN401 - a mask, or True
    """Return which configs are judged by an objective of a run, by its number."""
    return True if sweep.objectives is None else sweep.objectives == code
