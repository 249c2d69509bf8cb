"""Read the ``metrics.csv`` of Lightning's CSVLogger: a row for each logging call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import LogError
from cbreplay.evidence.cadence import count_lost_before
from cbreplay.readers.base import LogReader
from cbreplay.readers.building.step_rows import fold_by, fold_data_sets, fold_steps
from cbreplay.readers.building.table_runs import build_runs
from cbreplay.readers.columns.csv_table import read_table
from cbreplay.readers.columns.data_sets import lay_out_data_sets
from cbreplay.readers.columns.roles import (
    are_epochs,
    are_fractions,
    check_one_kind,
    read_ended_epochs,
)
from cbreplay.readers.other_tools.after_fit import leave_out_after_fit
from cbreplay.series_names import is_validation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import FloatArray, Run

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
        leave_out_after_fit(table)
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
