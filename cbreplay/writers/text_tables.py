"""A table as lines of text: columns fold away, then rows become records."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.document import spoken_cells
from cbreplay.words import count, visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.document import Row, Table, TableColumn

__all__ = ["choose_rows", "table_lines"]

_GAP = "  "
_INDENT = " "


class _Grid(NamedTuple):
    """The shown columns, and the cells of each row as text."""

    columns: tuple[TableColumn, ...]
    rows: list[list[str]]

    def widths(self) -> list[int]:
        """Return the width of each column; a sentence in a row does not count."""
        widths = [len(column.title) for column in self.columns]
        for row in self.rows:
            own = row if len(row) == len(self.columns) else row[:1]
            for place, cell in enumerate(own):
                widths[place] = max(widths[place], len(cell))
        return widths

    def without(self, place: int) -> _Grid:
        """Return it without a column."""
        return _Grid(
            self.columns[:place] + self.columns[place + 1 :],
            [
                [*row[:place], *row[place + 1 :]]
                if len(row) == len(self.columns)
                else row
                for row in self.rows
            ],
        )


def table_lines(table: Table, width: int) -> list[str]:
    """Write a table in lines of a width.

    Columns go in the order of their `fold`; where those that never go are still too
    wide, each row becomes a record, one line a column. No cell is broken inside.

    Parameters
    ----------
    table : Table
        The table.
    width : int
        The columns of the terminal.
    """
    if not table.rows:
        return []
    rows, n_hidden = choose_rows(table.rows, table.most_on_screen)
    chosen = table._replace(rows=tuple(rows))
    shown = tuple(
        column._replace(title=visible_text(column.title))
        for column in table.columns
        if column.shown != "programs"
    )
    texts = [[visible_text(cell) for cell in row] for row in spoken_cells(chosen)]
    grid, folded = _fold(_Grid(shown, texts), width)
    fits = _total(grid) <= width
    lines = [*(_aligned(grid, width) if fits else _records(grid, width))]
    more = [count(n_hidden, "more row")] if n_hidden else []
    if folded:
        more.append(f"without {', '.join(folded)}")
    if more:
        note = f"({'; '.join(more)}: --format csv has all)"
        lines += textwrap.wrap(
            note, width, initial_indent=_INDENT, subsequent_indent="  "
        )
    return lines


def choose_rows(rows: Sequence[Row], most: int) -> tuple[list[Row], int]:
    """Return at most so many rows, those of the least rank, and how many are left."""
    if len(rows) <= most:
        return list(rows), 0
    ranked = sorted(range(len(rows)), key=lambda place: (rows[place].rank, place))
    kept = sorted(ranked[:most])
    return [rows[place] for place in kept], len(rows) - most


def _fold(grid: _Grid, width: int) -> tuple[_Grid, list[str]]:
    """Take columns out until the rest fits, or none may go; return their titles."""
    folded: list[str] = []
    while _total(grid) > width:
        weights = [column.fold for column in grid.columns]
        if not any(weights):
            break
        # of equal ones, the last
        place = max(range(len(weights)), key=lambda at: (weights[at], at))
        folded.append(grid.columns[place].title)
        grid = grid.without(place)
    return grid, folded[::-1]


def _total(grid: _Grid) -> int:
    widths = grid.widths()
    return len(_INDENT) + sum(widths) + len(_GAP) * (len(widths) - 1)


def _aligned(grid: _Grid, width: int) -> Iterator[str]:
    widths = grid.widths()
    # the first cell of a row is its name
    aligns = ["left", *(column.align for column in grid.columns[1:])]
    heads = [[column.title for column in grid.columns]]
    if all(len(row) < len(widths) for row in grid.rows):
        # nothing stands below a heading
        heads = []
    for cells in [*heads, *grid.rows]:
        if len(cells) < len(widths):
            first = cells[0].ljust(widths[0])
            yield from textwrap.wrap(
                _GAP.join([first, *cells[1:]]),
                width,
                initial_indent=_INDENT,
                subsequent_indent=_INDENT + "  ",
                break_long_words=False,
                break_on_hyphens=False,
                drop_whitespace=True,
            )
            continue
        placed = [
            cell.rjust(room) if align == "right" else cell.ljust(room)
            for cell, room, align in zip(cells, widths, aligns, strict=True)
        ]
        yield (_INDENT + _GAP.join(placed)).rstrip()


def _records(grid: _Grid, width: int) -> Iterator[str]:
    """Write each row as a record: its name, and below it a line for each column."""
    longest = max(len(column.title) for column in grid.columns)
    for row in grid.rows:
        yield f"{_INDENT}{row[0]}"
        if len(row) < len(grid.columns):
            yield from _record_line("", row[1], 0, width)
            continue
        for column, cell in zip(grid.columns[1:], row[1:], strict=True):
            yield from _record_line(column.title, cell, longest, width)


def _record_line(title: str, cell: str, longest: int, width: int) -> list[str]:
    label = f"{_INDENT}  {title.ljust(longest)}{_GAP if title else ''}"
    return textwrap.wrap(
        cell,
        max(width, len(label) + 1),
        initial_indent=label,
        subsequent_indent=_INDENT + "    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
