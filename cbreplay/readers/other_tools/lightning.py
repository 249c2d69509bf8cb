"""Read the ``metrics.csv`` of Lightning's CSVLogger: a row for each logging call.

Tests and validations outside ``fit`` stand in it too, and are left out.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import LogError
from cbreplay.evidence.cadence import count_lost_before
from cbreplay.readers.base import LogReader
from cbreplay.readers.building.step_rows import (
    fold_by,
    fold_data_sets,
    fold_steps,
    nearest_epochs,
)
from cbreplay.readers.building.table_runs import build_runs
from cbreplay.readers.building.telling_columns import leave_out_said_tests
from cbreplay.readers.columns.csv_table import read_table
from cbreplay.readers.columns.data_sets import lay_out_data_sets
from cbreplay.readers.columns.roles import (
    are_epochs,
    are_fractions,
    check_one_kind,
    read_ended_epochs,
)
from cbreplay.series_names import is_rate_name, is_validation
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import BoolArray, EpochArray, FloatArray, Run

__all__ = ["LightningReader"]


class LightningReader(LogReader):
    """Reader of CSVs with an ``epoch`` and a ``step`` column.

    Training and validation of one epoch stand in rows of their own, with gaps. The
    one value that a column has in an epoch is the epoch's.
    """

    def read(self, path: str) -> Iterator[Run]:
        """Yield each training in the file."""
        table = read_table(path, self.options)
        self._fold(table)
        yield from build_runs(table, self.options, self.metadata)

    def _fold(self, table: LogTable) -> None:
        """Merge the rows of each epoch."""
        if table.first_of(["epoch"]) is None:
            # of Aim, where nothing but steps was tracked
            fold = fold_data_sets if lay_out_data_sets(table) else fold_steps
            fold(table, self.options)
            return
        for name in ("epoch", "step"):
            table.rename({table.find(name): name})
        table.check_whole()
        # training and validation stand in rows of their own
        table.has_other_rows = True
        if self.options.x_axis != "step":
            read_ended_epochs(table, "epoch")
        if self.options.x_axis != "epoch" and are_fractions(table.columns["epoch"]):
            # a loop of one's own logged how much of the epochs was done
            fold_by(table, "epoch", "step", self.options)
            return
        _check_epochs(table)
        _leave_out_after_fit(table)
        lay_out_data_sets(table)
        epochs = set(table.columns["epoch"].values.tolist())
        from_one = {1, 2} <= epochs and 0 not in epochs and not _lacks_first(table)
        mixed = _mixed_stages(table)
        options = self.options
        across = options.x_axis is None and options.parts != "rows"
        across = across and _go_across(table)
        if across:
            options = replace(options, x_axis="step")
        # counted from 1
        logged = table.columns["step"].values + 1
        try:
            fold_by(table, "epoch", "step", options)
        except LogError as error:
            raise mixed or error from None
        _count_lost(table, logged)
        # a loop of one's own may write both columns too, and count from 1
        if across or not from_one:
            table.counts_from_zero = True
            table.framework = "Lightning"


def _count_lost(table: LogTable, logged: FloatArray) -> None:
    """Count those evaluations too that the steps show to be lost before the others."""
    if table.steps is None:
        return
    steps = table.steps
    if n_lost := count_lost_before(steps.astype(np.float64) + 1, logged):
        table.begins_at = 0
        table.columns["epoch"].values = table.columns["epoch"].values + n_lost
        table.steps = np.concatenate([np.repeat(steps[:1], n_lost), steps])


def _lacks_first(table: LogTable) -> bool:
    """Tell whether the steps show that an epoch came before the one of number 1.

    After 49 steps in it and 74 in number 2, an epoch has 25 steps: it is the second.
    """
    epochs, steps = (table.columns[name].values for name in ("epoch", "step"))
    first, second = (steps[epochs == number] for number in (1, 2))
    if np.isnan(first).all() or np.isnan(second).all():
        return False
    length = np.nanmax(second) - np.nanmax(first)
    # the steps of an epoch are counted from 0 or from 1, and epochs vary a little
    return bool(length > 1 and np.nanmax(first) + 1 >= _NEARLY_TWO * length)


_NEARLY_TWO = 1.75


def _go_across(table: LogTable) -> bool:
    """Tell whether validations stand at every so many steps, and epochs without one.

    Then no row is missing. Where a series has a value in each epoch, rows are epochs.
    """
    epochs, steps = (table.columns[name].values for name in ("epoch", "step"))
    judged = np.zeros(len(table), dtype=np.bool_)
    n_values = []
    for name, cells in table.columns.items():
        if is_validation(name):
            judged |= ~cells.missing
        elif name not in ("epoch", "step"):
            n_values.append(np.count_nonzero(~cells.missing))
    steps_apart, epochs_apart = (np.diff(own[judged]) for own in (steps, epochs))
    return (
        len(steps_apart) >= _FEWEST
        and bool((epochs_apart > 0).all() and (np.diff(steps_apart) == 0).all())
        and bool((np.diff(epochs_apart) != 0).any())
        and epochs[judged][-1] + 1 not in n_values
    )


# this many equal distances are no chance
_FEWEST = 5


def _check_epochs(table: LogTable) -> None:
    cells = table.columns["epoch"]
    wrong = np.flatnonzero(~cells.missing & ~are_epochs(cells.values))
    if len(wrong):
        row = int(wrong[0])
        problem = f"the epoch {cells.text(row)!r} is not a whole number"
        hint = "Give the metrics.csv that Lightning's CSVLogger wrote"
        raise table.error(problem, row, hint)


def _mixed_stages(table: LogTable) -> LogError | None:
    """Return the error of rows that are of several stages in one epoch.

    It counts only where no column has one value for each epoch.
    """
    epochs = table.columns["epoch"].values
    for stages in [cells for cells in table.columns.values() if cells.texts]:
        rows = list(stages.texts)
        pairs = {(float(epochs[row]), stages.texts[row]) for row in rows}
        if len(pairs) > len({epoch for epoch, _ in pairs}):
            try:
                # what may be noted is noted of the epochs, later
                check_one_kind(table, epochs)
            except LogError as error:
                return error
    return None


_TEST = r"(?i)(^|[^a-z])test([^a-z]|$)"


def _leave_out_after_fit(table: LogTable) -> None:
    """Leave out the rows that ``test`` and ``validate`` wrote, not ``fit``.

    Lightning writes them at the epoch and step that would come next, or once more at
    the last ones. A validation is known from one of the training by the rows of the
    training itself, by how many validations an epoch has, and by its step.
    """
    leave_out_said_tests(table)
    rows = _LoggedRows(table)
    dropped = rows.surplus_validations()
    dropped |= rows.tests_after(~dropped)
    if dropped.any():
        table.keep(~dropped)
        what = count(int(dropped.sum()), "row")
        table.notes.append(
            f"left out {what} of a test, or of a validation outside the training"
        )
    silent = [name for name in rows.tests if table.columns[name].missing.all()]
    for name in silent:
        del table.columns[name]
    if silent:
        are, them = ("is no", "it") if len(silent) == 1 else ("are no", "them")
        table.notes.append(
            f"{', '.join(silent)} {are} series here: only a test logged {them}"
        )


class _LoggedRows:
    """Which rows hold values of the training, of a validation, of a test."""

    def __init__(self, table: LogTable) -> None:
        names = [
            name
            for name, cells in table.columns.items()
            if name not in ("epoch", "step")
            and not is_rate_name(name)
            # it has only words, as the stage of each row
            and not (cells.wrong.any() and cells.blank.all())
        ]
        self.table = table
        self.tests = [name for name in names if re.search(_TEST, name)]
        judged = [
            name for name in names if is_validation(name) and name not in self.tests
        ]
        trained = [name for name in names if name not in (*judged, *self.tests)]
        self.judged, self.trained = map(table.rows_with, (judged, trained))
        steps = table.columns["step"]
        self.steps = np.where(steps.missing, -1, steps.values)
        nearest = nearest_epochs(table, table.columns["epoch"])
        unknown: EpochArray = np.zeros(len(table), dtype=np.int64)
        self.epochs = unknown if nearest is None else nearest

    def tests_after(self, kept: BoolArray) -> BoolArray:
        """Tell which rows hold a test, below all kept rows that hold another value."""
        others = (self.judged | self.trained) & kept
        after = np.arange(len(others)) > _last(others)
        return self.table.rows_with(self.tests) & after & bool(others.any())

    def surplus_validations(self) -> BoolArray:
        """Tell which rows are validations before the first or after the last step."""
        surplus = np.zeros(len(self.table), dtype=np.bool_)
        rows: EpochArray = np.flatnonzero(self.judged)
        if len(rows) > 1:
            n_before, n_after = self._n_before(rows), self._n_after(rows)
            surplus[rows[:n_before]] = True
            surplus[rows[len(rows) - n_after :]] = True
        return surplus

    def _n_after(self, rows: EpochArray) -> int:
        """Count the validations that come after those of the last epoch."""
        end = _last(self.trained)
        before = rows[self.epochs[rows] < self.epochs[end]]
        # with a row for every fifty steps, the epoch before may have no training row
        told = np.isin(self.epochs[before], self.epochs[self.trained])
        if end < 0 or not told.all():
            return self._n_after_unseen_training(rows)
        below = rows[rows > end]
        later = below[self.epochs[below] > self.epochs[end]]
        if len(later) and self.steps[later[0]] - self.steps[later[0] - 1] > 1:
            # the training went on, and broke off within the next epoch
            return 0
        own = int(np.count_nonzero(self.epochs[rows] == self.epochs[end]))
        more = self._irregular(rows[: len(rows) - len(later)], own, before)
        return len(later) + min(more, len(below) - len(later))

    def _n_after_unseen_training(self, rows: EpochArray) -> int:
        """Judge the last validation by epoch and step, if no training is logged."""
        before, last = rows[-2:]
        earlier = rows[self.epochs[rows] < self.epochs[last]]
        is_same = self.epochs[last] == self.epochs[before]
        if is_same and len(earlier):
            return self._irregular(rows, len(rows) - len(earlier), earlier)
        distances = np.diff(self.steps[rows[:-1]])
        further = self.steps[last] - self.steps[before]
        if is_same and not further:
            return 1
        return int(further <= 1 and len(distances) > 0 and bool((distances > 1).all()))

    def _irregular(self, rows: EpochArray, own: int, before: EpochArray) -> int:
        """Count what the last epoch has more than the others, and sooner after another.

        With a validation every 15 steps and 20 steps an epoch, every third has two; and
        an earlier epoch may have lost one. The training itself validates no sooner than
        after the steps before its first validation, or between any two.
        """
        more = max(own - self._usual_count(before), 0)
        steps = self.steps[rows]
        distances = np.diff(steps)
        first = steps[steps > 0].min(initial=np.inf) + 1
        while more and distances[-more] >= distances[:-more].min(initial=first):
            more -= 1
        return more

    def _n_before(self, rows: EpochArray) -> int:
        """Count the validations at step 0, before the training began."""
        begin = int(np.argmax(self.trained)) if self.trained.any() else 0
        early = rows[(rows < begin) & (self.steps[rows] <= 0)]
        epoch = self.epochs[rows[0]]
        own = int(np.count_nonzero(self.epochs[rows] == epoch))
        more = own - self._usual_count(rows[self.epochs[rows] > epoch])
        return min(max(more, 0), len(early))

    def _usual_count(self, rows: EpochArray) -> int:
        """Return how many validations most epochs have."""
        if not len(rows):
            return 1
        _, counts = np.unique(self.epochs[rows], return_counts=True)
        sizes, times = np.unique(counts, return_counts=True)
        return int(sizes[np.argmax(times)])


def _last(mask: BoolArray) -> int:
    """Return the last position that is true; -1 if none is."""
    there = np.flatnonzero(mask)
    return int(there[-1]) if len(there) else -1
