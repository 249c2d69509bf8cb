"""A document's table as CSV: full precision, epochs from 0, nothing for people."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from cbreplay.document import Cell, Span, Text, plain_text
from cbreplay.words import visible_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.document import Document, Table

__all__ = ["write_csv"]

# a spreadsheet takes a cell that begins so for a formula
_FORMULA_SIGNS = ("=", "+", "-", "@")


def write_csv(document: Document) -> str:
    """Return the answer's table as CSV, lines ended by a line feed."""
    table = document.answer_table()
    if table is None:
        message = f"the answer to {document.question} has no table"
        raise AssertionError(message)
    return table_as_csv(table)


def table_as_csv(table: Table) -> str:
    """Return the columns of a table that programs read."""
    places = [
        place for place, column in enumerate(table.columns) if column.shown != "people"
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_harmless(table.columns[place].key) for place in places])
    columns = [_plain_column(table.cells_of(place)) for place in places]
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue()


def _plain_column(cells: Sequence[Any]) -> Sequence[Any]:
    """Return the cells of a column as they are written; of many, quickly."""
    kinds = set(map(type, cells))
    if kinds <= _NUMBERS:
        return cells
    if kinds <= _NAMES:
        shown = {name: _plain(name) for name in set(cells)}
        return [shown[name] for name in cells]
    return [_plain(cell) for cell in cells]


# None is written as nothing
_NUMBERS, _NAMES = {int, float, bool, type(None)}, {str, type(None)}


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
    """Return text that neither steers a terminal nor is a spreadsheet's formula."""
    shown = visible_text(text)
    return f"'{shown}" if shown.startswith(_FORMULA_SIGNS) else shown
