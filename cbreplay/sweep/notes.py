"""The notes on the cells of a sweep, found without replaying the cells."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.evidence.validity import is_recorded_whole
from cbreplay.judging import Judging
from cbreplay.replay.notes import NAN_IS_BEST, note_broken_off, note_no_number, note_run
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.sweep.cells import first_broken_epoch, name_breaker
from cbreplay.sweep.kernels.early_stopping import NEVER
from cbreplay.sweep.objectives import VersionFinder, find_objectives
from cbreplay.sweep.plan import plan_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.sweep.plan import Slot
    from cbreplay.sweep.replays import SharedReplays
    from cbreplay.sweep.table import Sweep

__all__ = ["note_runs", "note_settings"]


def note_runs(sweep: Sweep) -> list[tuple[str, ...]]:
    """Return, for each run, the notes that hold under every setting of its monitor.

    The sweep has to hold its runs, and its lists to have kernels.
    """
    examples, _ = find_objectives(sweep.configs, plan_blocks(sweep.configs))
    versions = VersionFinder(
        sweep.judging or Judging(), itertools.chain.from_iterable(examples)
    )
    noted = []
    for run, swept in zip(sweep.records, sweep.runs, strict=True):
        resolved = versions.find(run)
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
    """Return, for each run, the notes that the decisions of some setting call for.

    The sweep is as in `note_runs`, and over a grid; `shared` are its replays.
    """
    noting = _SettingNotes(sweep, shared)
    return [tuple(dict.fromkeys(noting.of_run(row))) for row in range(len(sweep.runs))]


class _SettingNotes:
    """The notes that the decisions of a grid's settings call for, run by run."""

    def __init__(self, sweep: Sweep, shared: SharedReplays) -> None:
        self.sweep, self.shared = sweep, shared
        (self.block,) = plan_blocks(sweep.configs)
        self.reduces = self.block.reduces
        self.callbacks = read_callbacks(sweep.configs[0]).callbacks
        self.versions = VersionFinder(sweep.judging or Judging(), self.callbacks)
        stoppers = [slot for slot in self.block.slots if slot.kernel == "stops"]
        # the `best` of a replay is that of the first rule that stops
        self.stopper = stoppers[0] if stoppers else None

    def of_run(self, row: int) -> Iterator[str]:
        """Yield the notes of a run, some of them twice."""
        run = self.sweep.records[row]
        if self.reduces and run.other_learning_rate is not None:
            # only a replay tells which of two readings of the rate a note is about
            for column in range(len(self.sweep.configs)):
                yield from self.shared.at(row, column).noted.setting
            return
        yield from self._broken_off(row)
        if self.stopper is not None:
            yield from self._first_nan(row, self.stopper)
        yield from self._no_numbers(row)

    def _broken_off(self, row: int) -> Iterator[str]:
        """Say what is not known of an epoch in which the loss ends training."""
        sweep, run = self.sweep, self.sweep.records[row]
        epoch, breaker = first_broken_epoch(run, self.block), name_breaker(self.block)
        if epoch == NEVER or is_recorded_whole(run, epoch, breaker):
            return
        names = [rule.class_name for rule in self.callbacks]
        place = names.index(breaker or "")
        ended_there = sweep.stopped[row] & (sweep.stopped_epoch[row] == epoch)
        for code, judged in enumerate(sweep.runs[row].judged):
            here = ended_there & self._judged_by(code)
            if here.any():
                keeps_it = bool((here & sweep.cells.broken[row]).any())
                yield from note_broken_off(
                    self.callbacks, place, judged.name, epoch, keeps_it=keeps_it
                )

    def _first_nan(self, row: int, stopper: Slot) -> Iterator[str]:
        """Say so where a rule that stops takes a first value of NaN as its best."""
        run, shape = self.sweep.records[row], self.block.shape
        for monitor in stopper.tried("monitor"):
            series = run.monitored(monitor)
            if not np.isnan(series.values[series.recorded]).any():
                continue
            semantics = self.versions.find(run).semantics
            if not stopper.kind.monitor_rule(semantics).starts_empty:
                return
            logged = np.flatnonzero(series.recorded)
            # a start_from_epoch beyond the last logged value finds NEVER, and no value
            epochs = np.append(logged + run.first_epoch, NEVER)
            taken = np.searchsorted(epochs, stopper.along("start_from_epoch", shape))
            is_nan = np.append(np.isnan(series.values[logged]), [False])[taken]
            is_nan = is_nan & (stopper.along("monitor", shape) == monitor)
            takes = np.broadcast_to(is_nan, shape).reshape(-1)
            reached = np.broadcast_to(epochs[taken], shape).reshape(-1)
            reached = reached <= self.sweep.evident_epoch[row]
            if (takes & reached & ~self.sweep.diverged[row]).any():
                yield NAN_IS_BEST
                return

    def _no_numbers(self, row: int) -> Iterator[str]:
        """Say at which kept epochs the objective has no number."""
        sweep, run = self.sweep, self.sweep.runs[row]
        # of weights from the middle of an epoch `_broken_off` says it
        asked = sweep.kept[row] & ~sweep.cells.broken[row]
        for code, judged in enumerate(run.judged):
            without = np.isnan(judged.values)
            if judged.name is None or not without.any():
                continue
            at = np.where(asked, sweep.kept_epoch[row] - run.first_epoch, 0)
            found = at[asked & without[at] & self._judged_by(code)].tolist()
            for position in dict.fromkeys(found):
                yield note_no_number(judged.name, run.first_epoch + position)

    def _judged_by(self, code: int) -> Any:  # noqa: ANN401 - a mask, or True
        """Return which configs are judged by an objective of a run, by its number."""
        objectives = self.sweep.objectives
        return True if objectives is None else objectives == code
