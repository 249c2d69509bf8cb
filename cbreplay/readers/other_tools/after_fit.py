"""Leave out what Lightning logs outside ``fit``: tests and validations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.said_tests import leave_out_said_tests
from cbreplay.readers.building.step_rows import nearest_epochs
from cbreplay.readers.columns.column_names import is_rate_name
from cbreplay.series_names import is_validation
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import BoolArray, EpochArray

__all__ = ["leave_out_after_fit"]

_TEST = r"(?i)(^|[^a-z])test([^a-z]|$)"


def leave_out_after_fit(table: LogTable) -> None:
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
            and not _holds_words(cells)
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


def _holds_words(cells: LogColumn) -> bool:
    """Tell whether a column has only words, as the stage of each row."""
    return bool(cells.wrong.any() and cells.blank.all())


def _last(mask: BoolArray) -> int:
    """Return the last position that is true; -1 if none is."""
    there = np.flatnonzero(mask)
    return int(there[-1]) if len(there) else -1
