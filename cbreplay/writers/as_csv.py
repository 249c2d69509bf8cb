"""A document's table as CSV: full precision, epochs from 0, columns for programs."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from cbreplay.document import Cell, Span, Text, plain_text
from cbreplay.wording.words import visible_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.document import Document, Table

__all__ = ["write_csv"]

# a trace may have tens of thousands of rows, each with a sentence
_ROWS_AT_ONCE = 8_192
# a spreadsheet takes a cell that begins so for a formula
_FORMULA_SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def write_csv(document: Document) -> str:
    """Return the answer's table as CSV, with a line feed at the end of each line."""
    table = document.answer_table()
    if table is None:
        message = f"the answer to {document.question} has no table"
        raise AssertionError(message)
    return table_as_csv(table)


def table_as_csv(table: Table) -> str:
    """Return the columns of a table that programs read."""
    shown = table.for_programs()
    lines = [",".join(_quoted(_harmless(key)) for key, _ in shown) + "\n"]
    for begin in range(0, len(table.rows), _ROWS_AT_ONCE):
        texts = [_written(cells[begin : begin + _ROWS_AT_ONCE]) for _, cells in shown]
        lines += [f"{line}\n" for line in map(",".join, zip(*texts, strict=True))]
    return "".join(lines)


def _written(cells: Sequence[Any]) -> list[str]:
    """Write the cells of a column; equal ones are worked out once."""
    kinds = set(map(type, cells))
    if not kinds <= _ALIKE:
        return [_quoted(_plain(cell)) for cell in cells]
    if kinds <= {float, type(None)}:
        # 0.0 and -0.0 are equal, but written differently
        texts = {cell: _quoted(_plain(cell)) for cell in set(cells) if cell != 0}
        return [texts[cell] if cell != 0 else repr(cell) for cell in cells]
    if len(kinds - {type(None)}) > 1:
        # 1 and 1.0 are equal too, but written differently
        return [_quoted(_plain(cell)) for cell in cells]
    texts = {cell: _quoted(_plain(cell)) for cell in set(cells)}
    return [texts[cell] for cell in cells]


_ALIKE = {int, float, str, type(None)}


def _quoted(value: Any) -> str:  # noqa: ANN401 - what `_plain` returns
    """Return a value as the csv module writes it in a row of several."""
    if isinstance(value, float):
        # numpy's float64 too, whose own repr is np.float64(...)
        return float.__repr__(value)
    if isinstance(value, int):
        return str(value)
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([value, ""])
    return line.getvalue().removesuffix(",\n")


def _plain(cell: Any) -> Any:  # noqa: ANN401 - a cell holds anything
    value = cell.value if isinstance(cell, Cell) else cell
    if isinstance(value, Text):
        value = plain_text(value)
    if isinstance(value, Span):
        value = value.first if value.first == value.last else f"{value.first}-"
    if value is None:
        return ""
    return _harmless(value) if isinstance(value, str) else value


def _harmless(text: str) -> str:
    """Return text without control characters, and no formula to a spreadsheet."""
    shown = visible_text(text)
    return f"'{shown}" if shown.startswith(_FORMULA_SIGNS) else shown
