"""Which columns of a table are series, and which one counts epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import LogError
from cbreplay.readers.columns.column_names import (
    INDEXES,
    STEP_NAMES,
    is_nameless,
)
from cbreplay.readers.columns.header import shown_names
from cbreplay.readers.columns.roles import (
    EXACT,
    are_epochs,
    check_one_kind,
    check_rows_are_epochs,
    find_epoch,
    tells_time,
)
from cbreplay.run import Series
from cbreplay.series_names import is_rate_name
from cbreplay.wording.note import Note
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import BoolArray, EpochArray

__all__ = ["MetricColumns"]

_LISTS = "its cells are lists, not single numbers"
_TEXT = "no cell is a number"


class MetricColumns:
    """The columns of a table that are series, beside the epoch of each row.

    Notes on what was assumed or left out are added to the table, and rows that are not
    whole are reported to its damage.

    Attributes
    ----------
    epochs : int array of shape (n_rows,)
        The epoch of each row.
    series : dict of str to Series
        The values of each metric, and the learning rate.
    whole : bool array of shape (n_rows,)
        Which rows hold nothing but numbers.

    Raises
    ------
    LogError
        If there is no metric or no whole row; when strict, also if a row is damaged.
    """

    def __init__(self, table: LogTable, options: ReadOptions) -> None:
        self.table, self.options = table, options
        self._damaged: dict[int, str] = {}
        self._bad: BoolArray = np.zeros(len(table), dtype=np.bool_)
        self._left_out: dict[str, list[str]] = {}
        self._n_empty, self._may_be_nan = 0, False
        self._everywhere: BoolArray = np.ones(len(table), dtype=np.bool_)
        columns = dict(table.columns)
        epoch_name = find_epoch(table)
        epoch_column = columns.pop(epoch_name) if epoch_name else None
        kept = {name: cells for name, cells in columns.items() if self._keeps(name)}
        self._check_columns(kept, epoch_name)
        table.notes += check_one_kind(
            table, None if epoch_column is None else epoch_column.values
        )
        for name, cells in kept.items():
            if not cells.whole:
                self._report_wrong(name, cells)
        self.epochs = self._epochs(epoch_column)
        self.whole: BoolArray = ~self._bad
        n_bad = int(np.count_nonzero(self._bad))
        if n_bad:
            self._drop_damaged()
        if n_bad == len(table):
            problem = "no row is whole"
            hint = "Give a log with at least one whole epoch"
            raise LogError(problem, source=table.source, hint=hint)
        self.series = {name: self._series(name, cells) for name, cells in kept.items()}
        table.not_logged |= {
            name
            for name, cells in kept.items()
            if (table.has_other_rows and _is_regular(cells))
            or (cells.n_na and cells.words == {"NA"})
        }
        self._note_left_out(kept)

    def _keeps(self, name: str) -> bool:
        """Tell whether a column is a series; note the reason if it is none."""
        column = self.table.columns[name]
        named = not is_nameless(name) and name != INDEXES[1]
        if column.whole and named and not self._tells_rows(name, column):
            return True
        self.table.check_decimal_comma(name)
        reason = self._reason_to_leave_out(name, column)
        if reason:
            self._left_out.setdefault(reason, []).append(name)
            self.table.left_out[name] = reason
        return not reason

    def _reason_to_leave_out(self, name: str, cells: LogColumn) -> str:
        none = cells.blank.all()
        lists = any(text.strip('"').startswith("[") for text in cells.texts.values())
        if none and lists:
            return _LISTS
        if is_nameless(name) or name == INDEXES[1]:
            return _nameless(name, cells)
        if not none:
            self.table.check_thousands(name)
            return self._tells_rows(name, cells)
        if not cells.wrong.any():
            return self._reason_of_empty(name, cells)
        grouped = self.table.grouped_number(name)
        return _TEXT if grouped is None else f"no cell is a plain number ({grouped[1]})"

    def _tells_rows(self, name: str, cells: LogColumn) -> str:
        """Say what of the rows a column tells; empty if it is a series."""
        # beside epochs, a callback may have logged a metric by such a name
        steps = self.table.is_counted and name.lower() in STEP_NAMES
        return "it counts steps" if steps and are_epochs(cells.values).all() else ""

    def _reason_of_empty(self, name: str, cells: LogColumn) -> str:
        if name.startswith("val_") and cells.n_na == len(self.table):
            # CSVLogger invents these when the first epoch has no validation
            return "Keras named it, and never logged a value (every cell is NA)"
        if self.options.empty == "nan":
            return ""
        if self.table.counted == "row":
            return "no row has a value of it"
        if self.table.is_shortened:
            return "no row that was kept has a value of it"
        return "every cell is empty" if cells.words <= {""} else "no cell has a value"

    def _check_columns(
        self, kept: dict[str, LogColumn], epoch_name: str | None
    ) -> None:
        metrics = [cells for name, cells in kept.items() if not is_rate_name(name)]
        if epoch_name is not None and any(cells.whole for cells in metrics):
            return
        header = shown_names(self.table.header)
        if not metrics and not self._left_out:
            problem = f"there is no metric; the columns are {header}"
            hint = "Log at least the loss"
            raise LogError(problem, source=self.table.source, hint=hint)
        if all(not cells.whole and cells.blank.all() for cells in metrics):
            for name in self.table.columns:
                self.table.check_thousands(name)
            problem = f"no cell of a metric is a number; the columns are {header}"
            hint = "Give the CSV that Keras's CSVLogger wrote"
            if self.table.counted == "row":
                hint = "Give one number for each epoch"
            raise LogError(problem, source=self.table.source, hint=hint)
        texts = any(not cells.whole and cells.wrong.any() for cells in kept.values())
        # columns of times are no reason against rows that are epochs
        columns = self.table.columns
        words = [
            name
            for name in self._left_out.get(_TEXT, [])
            if not tells_time(name, columns[name])
        ]
        if epoch_name is None and self.options.x_axis != "epoch":
            check_rows_are_epochs(self.table)
        if epoch_name is None and (texts or words or _LISTS in self._left_out):
            problem = f"there is no epoch column; the columns are {header}"
            hint = "Give the CSV that Keras's CSVLogger wrote, or name a column epoch"
            line = 1 if self.table.counted == "line" else None
            raise LogError(problem, source=self.table.source, line=line, hint=hint)

    def _report_wrong(self, name: str, cells: LogColumn) -> None:
        self._bad |= cells.wrong
        for row in cells.texts:
            text = f"{cells.text(row)!r} under {name} is not a number"
            self._damaged.setdefault(row, text)

    def _epochs(self, cells: LogColumn | None) -> EpochArray:
        """Read the epoch column; a cell that is no epoch damages its row."""
        if cells is None:
            # where trainings begin that have no epochs
            starts = np.array(self.table.first_rows(self.table.first_of(STEP_NAMES)))
            rows = np.arange(len(self.table))
            begun = starts[np.searchsorted(starts, rows, side="right") - 1]
            counted: EpochArray = rows - begun
            return counted
        good = are_epochs(cells.values)
        if good.all():
            whole: EpochArray = cells.values.astype(np.int64)
            return whole
        self._bad |= ~good
        for row in np.flatnonzero(~good)[:_SHOWN].tolist():
            self._damaged[row] = _no_epoch(cells.text(row), float(cells.values[row]))
        epochs: EpochArray = np.where(good, cells.values, 0).astype(np.int64)
        return epochs

    def _drop_damaged(self) -> None:
        for row in np.flatnonzero(self._bad).tolist():
            problem = self._damaged.get(row, "a cell is not a number")
            self.table.damage.report(self.table.error(problem, row))

    def _series(self, name: str, cells: LogColumn) -> Series:
        if cells.whole:
            return Series(cells.values, self._everywhere, cells.others)
        recorded = ~cells.blank
        has_own_rows = self.table.has_other_rows or name in self.table.has_own_rows
        n_missing = 0 if has_own_rows else int(cells.missing.sum())
        # a rate is never NaN, whatever --empty says
        may_be_nan = not is_rate_name(name)
        if n_missing and self.options.empty == "nan" and may_be_nan:
            self.table.notes.append(_filled_note(name, n_missing))
            recorded = ~cells.wrong
        elif n_missing and name not in self.table.scattered:
            self.table.empty_cells.add(name)
            self._n_empty += n_missing
            self._may_be_nan |= may_be_nan
        return Series(cells.values, recorded, cells.others)

    def _note_left_out(self, kept: dict[str, LogColumn]) -> None:
        if self._n_empty:
            nan = "--empty nan or empty='nan' reads it as NaN"
            if "#0" in self.table.columns and self.table.counted == "line":
                nan = f"pandas, which names no index, writes a NaN so: {nan}"
            hint = f" ({nan})" if self._may_be_nan else ""
            said = f"{self._missing()} was read as missing{hint}"
            self.table.notes.append(Note(said, "reading"))
        wrapped = {name: cells.wrapped for name, cells in kept.items() if cells.wrapped}
        if wrapped:
            name, cell = next(iter(wrapped.items()))
            cell = cell[:_SHOWN_LETTERS]
            several = cell.startswith(("[", "(")) and "," in cell
            which = "first number" if several else "number"
            said = f"{name}: the {which} in cells such as {cell} was taken"
            self.table.notes.append(said)
        for reason, names in self._left_out.items():
            shown = [_spoken(name) for name in names]
            self.table.notes.append(f"left out {', '.join(shown)}: {reason}")

    def _missing(self) -> str:
        """Say what a missing value looks like in the log."""
        if self.table.source == "DataFrame":
            return "NaN or None"
        if self.table.counted == "row":
            return "an absent value, null or None"
        cells = self.table.columns.values()
        words = {word for column in cells for word in column.words} - {"", "NA"}
        *most, last = ["an empty cell", "NA", *sorted(words)]
        return f"{', '.join(most)} or {last}"


def _is_regular(cells: LogColumn) -> bool:
    """Tell whether all values but the first and the last are equally far apart."""
    places = np.flatnonzero(~cells.missing)
    return len(np.unique(np.diff(places)[1:-1])) <= 1


_SHOWN, _SHOWN_LETTERS = 1000, 40


def _spoken(name: str) -> str:
    """Return a column's name, or the number of one without, counted from 1."""
    return f"column {int(name[1:]) + 1}" if is_nameless(name) else name


def _nameless(name: str, cells: LogColumn) -> str:
    if cells.missing.all():
        return "it has no name and no value"
    return "it has no name" + (
        ", as pandas writes its index" if name in INDEXES else ""
    )


def _no_epoch(text: str, value: float) -> str:
    if value < 0:
        return f"the epoch {text!r} is below 0"
    if value >= EXACT:
        return f"the epoch {text!r} is too large for one"
    return f"the epoch {text!r} is not a whole number"


def _filled_note(name: str, n_missing: int) -> str:
    """Say how many empty cells are NaN because the user says so."""
    were = "was" if n_missing == 1 else "were"
    return f"{name}: {count(n_missing, 'empty cell')} {were} read as NaN"
