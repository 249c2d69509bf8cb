"""A CSV that is not plain, read cell by cell.

Its cells may have decimal commas, or text around their numbers: ``85%``, ``1/50``.
"""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import LogError
from cbreplay.readers.base import Damage
from cbreplay.readers.columns.cells import holds_number, parse_cell
from cbreplay.readers.columns.column_names import EPOCH_NAMES, STEP_NAMES, is_epoch_name
from cbreplay.readers.columns.header import check_numbers, shown_names
from cbreplay.readers.columns.table import DECIMAL_COMMA, LogTable
from cbreplay.readers.columns.text_lines import NotUtf8Error
from cbreplay.readers.columns.text_rows import TextRows
from cbreplay.readers.columns.turned import are_turned, read_turned
from cbreplay.readers.columns.written_again import (
    OtherHeaderError,
    is_written_again,
    lines_above,
    lines_from,
)
from cbreplay.readers.files import BEFORE_ITS_FIRST
from cbreplay.series_names import is_rate_name

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.columns.column import LogColumn

__all__ = ["read_cells", "read_spelled"]


def read_cells(
    chunks: Callable[[], Generator[bytes, None, None]],
    source: str,
    options: ReadOptions,
    n_above: int = 0,
) -> LogTable:
    """Read a CSV, also one whose later fits have other columns, under their own header.

    Of a table that was written again with more columns, the last one is read. `chunks`
    returns its bytes from the beginning, and `n_above` is how many tables with other
    columns were found above it.

    Raises
    ------
    LogError
        If it is no CSV; when strict, also if it is damaged.
    """
    may_change = n_above < _MOST_HEADERS
    try:
        return _read_as_it_is(chunks, source, options, may_change=may_change)
    except OtherHeaderError as found:
        line, is_empty = found.line, found.is_empty
    if is_empty:
        table = read_cells(
            lambda: lines_from(chunks(), line), source, options, n_above + 1
        )
        note = f"above line {line}, left out: a header without rows"
        table.notes.insert(0, note)
        return table
    above = _read_as_it_is(lambda: lines_above(chunks(), line), source, options)
    try:
        below = read_cells(
            lambda: lines_from(chunks(), line), source, options, n_above + 1
        )
    except LogError:
        below = None
    if below is not None and is_written_again(above, below):
        note = f"from line {line} on its rows stand there again, with more columns"
        below.notes.insert(0, f"{note}: they were read once")
        return below
    if below is None or not _is_later_fit(above, below):
        return _read_as_it_is(chunks, source, options)
    above.add_below(below)
    return above


_MOST_HEADERS = 20


def _is_later_fit(above: LogTable, below: LogTable) -> bool:
    """Tell whether a table is of a fit after the one above it.

    Its epochs go on, or it has all columns of that one: the row of the best epoch may
    stand there once more, below some of the names.
    """
    epoch = above.first_of(EPOCH_NAMES)
    if epoch is None or epoch not in below.columns:
        return False
    last, first = above.columns[epoch].values[-1], below.columns[epoch].values[0]
    return bool(first > last) or above.columns.keys() <= below.columns.keys()


def _read_as_it_is(
    chunks: Callable[[], Generator[bytes, None, None]],
    source: str,
    options: ReadOptions,
    *,
    may_change: bool = False,
    encoding: str = "",
) -> LogTable:
    damage = Damage(options)
    try:
        with closing(chunks()) as given:
            text = TextRows(given, source, damage, encoding, may_change=may_change)
            if are_turned(text.first_rows):
                return read_turned(text, source, damage)
            check_numbers(text.first_rows, source)
            table = LogTable(source, damage, text.header)
            _fill(table, text)
            table.finish()
            return table
    except NotUtf8Error as error:
        table = _read_as_it_is(
            chunks, source, options, may_change=may_change, encoding="latin-1"
        )
        note = f"not UTF-8 at byte {error.byte}: the text was read as Latin-1"
        table.notes.insert(0, note)
        return table


def _fill(table: LogTable, text: TextRows) -> None:
    """Fill a table with the cells of a CSV."""
    commas = _DecimalCommas(text.delimiter)
    lines = [np.zeros(0, dtype=np.int64)]
    n_rows = 0
    for rows, places in text.batches():
        if rows:
            columns = zip(zip(*rows, strict=True), table.columns.items(), strict=True)
            for cells, (name, column) in columns:
                if commas.stand_in(name, cells, places):
                    column.add(cells, _parse_comma)
                elif not (text.lines.plain and column.add_plain(cells)):
                    column.add(cells, parse_cell)
            lines.append(np.array(places))
            n_rows += len(rows)
    table.lines = np.concatenate(lines)
    for column in table.columns.values():
        column.finish()
    table.crlf = text.lines.crlf
    table.repeated_header, table.said_fits = text.repeated_header, text.said_fits
    table.notes += text.notes
    table.leave_out(*commas.of_thousands(table.columns))
    if commas.first_line:
        table.notes.append(commas.note(table.source))
    if not n_rows:
        raise _without_rows(table)
    if any(column.texts for column in table.columns.values()):
        read_spelled(table)
    table.join_repeated()


def _without_rows(table: LogTable) -> LogError:
    if table.damage.errors:
        return table.damage.errors[0]
    header = shown_names(table.header)
    problem = f"there is no row under the header {header}, {BEFORE_ITS_FIRST}"
    hint = "Give a log with at least one whole epoch"
    return LogError(problem, source=table.source, hint=hint)


class _DecimalCommas:
    """Finds decimal commas, and whether commas of thousands are meant instead."""

    def __init__(self, delimiter: str) -> None:
        self.delimiter = delimiter
        self.first_line = 0
        # the columns with decimal points, and by column the first cell with a comma
        self._pointed: set[str] = set()
        self._cells: dict[str, str] = {}
        self._decimal: set[str] = set()
        # in a file whose cells commas separate, 1,234 in quotes may be of thousands
        self._plain = delimiter != ","
        self._first = ""

    def stand_in(self, name: str, cells: Sequence[str], lines: Sequence[int]) -> bool:
        """Tell whether a column has decimal commas; remember these, and its points."""
        if any("." in cell and holds_number(cell) for cell in cells):
            self._pointed.add(name)
        if "," not in "".join(cells):
            return False
        found = [
            (cell.strip(), line)
            for cell, line in zip(cells, lines, strict=True)
            if "," in cell and re.fullmatch(DECIMAL_COMMA, cell.strip())
        ]
        if found and not self.first_line:
            self._first, self.first_line = found[0]
        if any(not re.fullmatch(_THOUSANDS, cell) for cell, _ in found):
            self._plain = True
            self._decimal.add(name)
        if found:
            self._cells.setdefault(name, found[0][0])
        return bool(found)

    def of_thousands(self, names: Iterable[str]) -> tuple[list[str], str]:
        """Return the columns whose commas separate thousands, and why these go.

        They do if other columns, one of them a metric, have decimal points.
        """
        pointed = self._pointed - self._cells.keys()
        others = {*names} - self._cells.keys() - {*EPOCH_NAMES, *STEP_NAMES}
        told = self._pointed.isdisjoint(self._cells) and not self._decimal
        if not told or not pointed or all(map(is_rate_name, others)):
            return [], ""
        self.first_line = 0
        return [*self._cells], f"not every cell is a plain number ({self._first})"

    def note(self, source: str) -> str:
        """Say that decimal commas were read as such.

        Raises
        ------
        LogError
            If there are decimal points too, or all may be commas of thousands.
        """
        if self._pointed:
            problem = "decimal commas stand beside decimal points"
            hint = "Write decimal points throughout, as Keras does"
            raise LogError(problem, source=source, line=self.first_line, hint=hint)
        if not self._plain:
            problem = f"{self._first!r} has a decimal comma, or one of thousands"
            hint = "Write decimal points, as Keras does, or separate cells with ;"
            raise LogError(problem, source=source, line=self.first_line, hint=hint)
        if self.delimiter == ",":
            return "decimal commas were read as such: they stand in quotes"
        separator = _SPOKEN.get(self.delimiter, self.delimiter)
        return f"decimal commas were read as such: {separator} separates the cells"


_THOUSANDS = r"[+-]?[1-9][0-9]{0,2},[0-9]{3}"
_SPOKEN = {"\t": "a tab", " ": "a space"}


def _parse_comma(cell: str) -> float | None:
    """Read a cell with a decimal comma.

    >>> _parse_comma("0,25"), _parse_comma("3")
    (0.25, 3.0)
    """
    if "," in cell and not re.fullmatch(DECIMAL_COMMA, cell.strip()):
        raise ValueError(cell)
    return parse_cell(cell.replace(",", "."))


_PERCENT = r"([+-]?[0-9]+(?:\.[0-9]*)?)\s*%"
_EPOCH = (
    r"(?i)[\[(]?(?:epoch\s*)?#?\s*([0-9]{1,15})(?:\s*(?:/|of)\s*([0-9]{1,15}))?[\])]?"
)


def read_spelled(table: LogTable) -> None:
    """Read columns that hold nothing but such numbers, with a note.

    A column in which some cells are plain numbers is left as it is: it is not certain
    that these mean the same.
    """
    for name, cells in table.columns.items():
        # each cell that holds something has to be kept as text
        if not cells.texts or len(cells.texts) < np.count_nonzero(~cells.missing):
            continue
        if is_epoch_name(name):
            _read_epochs(table, name, cells)
        else:
            _read_percent(table, name, cells)


def _read_percent(table: LogTable, name: str, cells: LogColumn) -> None:
    found = {row: re.fullmatch(_PERCENT, text) for row, text in cells.texts.items()}
    # a metric may be counted in percent; a rate is a factor
    power = "e-2" if is_rate_name(name) else ""
    values = {
        row: float(held[1] + power) for row, held in found.items() if held is not None
    }
    if len(values) == len(found):
        shown = next(iter(cells.texts.values()))
        cells.read_texts(values)
        table.notes.append(
            f"{name} is written in percent: {shown} was read as "
            f"{next(iter(values.values())):g}"
        )


def _read_epochs(table: LogTable, name: str, cells: LogColumn) -> None:
    found = {row: re.fullmatch(_EPOCH, text) for row, text in cells.texts.items()}
    known = {row: held for row, held in found.items() if held is not None}
    plans = {held[2] for held in known.values()}
    if len(known) < len(found) or len(plans) > 1:
        return
    shown = next(iter(cells.texts.values()))
    cells.read_texts({row: float(held[1]) for row, held in known.items()})
    (plan,) = plans
    note = f"{name} is written as {shown!r}: its number was read"
    if plan is not None and int(plan) > 0:
        table.take_plan(int(plan))
    if table.planned_epochs:
        note += f", and {plan} epochs as the plan"
    table.notes.append(note)
