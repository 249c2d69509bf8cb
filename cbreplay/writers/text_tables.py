"""A table as lines of text: columns fold away, sentences wrap, rows become records."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from cbreplay.document import Row, Table, TableColumn, Text, spoken_cells
from cbreplay.wording.words import count, visible_text
from cbreplay.writers.lines import firm, firm_words, wrap, wrap_words

__all__ = ["TableLines", "choose_rows", "table_lines"]

_GAP = "  "
_INDENT = " "
_NOTHING = "-"
# before a marked row
_SIGN = ">"
# with less room than this, a sentence goes below its row
_LEAST_ROOM = 24


class TableLines(NamedTuple):
    """A table as text, and the titles of the columns that had no room."""

    lines: list[str]
    left_out: Sequence[str] = ()


class _TextRow(NamedTuple):
    """A row as text.

    Parameters
    ----------
    cells : list of str
        A cell for each column; only the first where there is a `rest`.
    rest : str or None
        A sentence in place of the other cells.
    stamp : str
        What every line of its sentences begins with.
    marked : bool
        Whether it is the one that the headline is about.
    """

    cells: list[str]
    rest: str | None
    stamp: str
    marked: bool


class _TextGrid(NamedTuple):
    """The columns and rows that are shown, and what styles a line of a marked row."""

    columns: tuple[TableColumn, ...]
    rows: list[_TextRow]
    mark: Callable[[str], str]

    def widths(self, *, whole_titles: bool = True) -> list[int]:
        """Return the least width of each column; what can wrap needs no more."""
        widths = [
            len(column.title) if whole_titles else max(map(len, column.title.split()))
            for column in self.columns
        ]
        for row in self.rows:
            for place, cell in enumerate(row.cells):
                room = len(cell)
                if self.columns[place].kind == "sentence":
                    room = min(room, _LEAST_ROOM)
                widths[place] = max(widths[place], room)
        return widths

    def without(self, place: int) -> "_TextGrid":
        """Return the grid without a column."""
        return self._replace(
            columns=self.columns[:place] + self.columns[place + 1 :],
            rows=[
                row._replace(cells=row.cells[:place] + row.cells[place + 1 :])
                for row in self.rows
            ],
        )

    def marked(self, row: _TextRow, lines: Sequence[str]) -> Sequence[str]:
        """Return the lines of a row, with a sign before them where it is marked."""
        if not row.marked:
            return lines
        first, *rest = lines
        return [self.mark(_SIGN + first[len(_INDENT) :]), *map(self.mark, rest)]

    @property
    def n_sentences(self) -> int:
        """How many columns hold sentences."""
        return sum(column.kind == "sentence" for column in self.columns)


def table_lines(
    table: Table, width: int, mark: Callable[[str], str] = str
) -> TableLines:
    """Write a table in lines of at most a width.

    If there is too little room, headings are wrapped first, then columns are left out,
    those with the largest `fold` first. A last column of sentences is wrapped in its
    place while it has room; else, or if there are several such columns, the sentences
    are put below their row. If the columns that must stay are still too wide, each row
    becomes a record of all its cells. Sentences are broken between words, other cells
    not at all.

    Parameters
    ----------
    table : Table
        The table.
    width : int
        The columns of the terminal.
    mark : callable
        Styles a line of a marked row, which also begins with ``>``.
    """
    table = table.for_people()
    if not table.rows:
        return TableLines([])
    rows, n_hidden = choose_rows(table.rows, table.most_on_screen)
    chosen = table._replace(rows=tuple(rows))
    shown = tuple(
        column._replace(title=visible_text(column.title)) for column in table.columns
    )
    grid = _TextGrid(shown, _text_rows(chosen), mark)
    lines, folded = _written(grid, width)
    more = [count(n_hidden, "more row")] if n_hidden else []
    if folded:
        more.append(f"columns left out: {', '.join(folded)}")
    if more:
        note = f"({', '.join(more)}; --format csv has all)"
        lines += wrap(note, width, _INDENT, "  ")
    return TableLines(lines, folded)


def choose_rows(rows: Sequence[Row], most: int) -> tuple[list[Row], int]:
    """Return at most `most` rows, those of the least rank, and the number of others."""
    if len(rows) <= most:
        return list(rows), 0
    ranked = sorted(range(len(rows)), key=lambda place: (rows[place].rank, place))
    kept = sorted(ranked[:most])
    return [rows[place] for place in kept], len(rows) - most


def _text_rows(table: Table) -> list[_TextRow]:
    """Write the cells of a table for people; names in sentences are not broken."""
    sentences = [
        place for place, column in enumerate(table.columns) if column.kind == "sentence"
    ]
    rows = []
    for row, spoken in zip(table.rows, spoken_cells(table), strict=True):
        cells = [visible_text(cell) for cell in spoken]
        rest = None if row.rest is None else cells.pop()
        for place in sentences if rest is None else ():
            sentence = row.cells[place]
            if isinstance(sentence, Text):
                cells[place] = firm_words(sentence)
        rows.append(_TextRow(cells, rest, _stamp(row), row.marked))
    return rows


def _stamp(row: Row) -> str:
    """Return what every line of a row's sentences begins with."""
    stamps = (cell.stamp for cell in row.cells if isinstance(cell, Text))
    return visible_text(next(filter(None, stamps), ""))


def _fold(grid: _TextGrid, width: int) -> tuple[_TextGrid, list[int], list[str]]:
    """Remove columns until the rest fits, or no other may be removed.

    The remaining columns, their widths, and the titles of the removed ones.
    """
    folded: list[str] = []
    widths = grid.widths(whole_titles=False)
    while _total(widths) > width:
        weights = [column.fold for column in grid.columns]
        if not any(weights):
            break
        # of columns with the same fold, the last one
        place = max(range(len(weights)), key=lambda at: (weights[at], at))
        folded.append(grid.columns[place].title)
        grid = grid.without(place)
        del widths[place]
    whole = grid.widths()
    return grid, whole if _total(whole) <= width else widths, folded[::-1]


def _total(widths: Sequence[int]) -> int:
    return len(_INDENT) + sum(widths) + len(_GAP) * (len(widths) - 1)


def _written(grid: _TextGrid, width: int) -> tuple[list[str], list[str]]:
    """Write a grid in the first way that fits; return removed titles too."""
    ends_in_sentence = grid.columns[-1].kind == "sentence"
    if grid.n_sentences > ends_in_sentence:
        return [*_stacked(grid, width)], []
    fewer, widths, folded = _fold(grid, width)
    if _total(widths) <= width:
        return [*_aligned(fewer, widths, width)], folded
    if ends_in_sentence:
        return [*_stacked(grid, width)], []
    return [*_records(grid, width)], []


def _aligned(grid: _TextGrid, widths: list[int], width: int) -> Iterator[str]:
    """Write the cells of a column below each other, a sentence beside its row."""
    placed = _placing(grid)
    if any(row.rest is None for row in grid.rows):
        yield from _heading(grid, placed, widths)
    above: list[str] = []
    ends_in_sentence = grid.n_sentences > 0
    for row in grid.rows:
        if row.rest is not None:
            first = f"{_INDENT}{row.cells[0].ljust(widths[0])}{_GAP}"
            lines = wrap(row.rest, width, first, _INDENT + "  ")
        elif ends_in_sentence:
            *cells, sentence = row.cells
            start = _line_of(_unrepeated(cells, above, grid), placed, widths[:-1])
            start = start.ljust(len(_INDENT) + sum(widths[:-1]) + 2 * len(cells))
            lines = _hung(sentence, width, start, row.stamp)
        else:
            lines = [_line_of(_unrepeated(row.cells, above, grid), placed, widths)]
        yield from grid.marked(row, lines)
        above = row.cells


def _heading(
    grid: _TextGrid, placed: Sequence[Callable[[str, int], str]], widths: list[int]
) -> Iterator[str]:
    """Write the titles, in several lines if a column is narrower than its title."""
    titles = [
        wrap_words(column.title, room, "", "") if column.title else []
        for column, room in zip(grid.columns, widths, strict=True)
    ]
    n_lines = max(map(len, titles))
    for line in range(n_lines):
        # titles are aligned at the bottom
        words = [
            title[line - n_lines + len(title)] if line >= n_lines - len(title) else ""
            for title in titles
        ]
        yield _line_of(words, placed, widths)


def _placing(grid: _TextGrid) -> list[Callable[[str, int], str]]:
    """Return the function that pads the cells of each column."""
    return [
        # the first cell of a row is its name, on the left, unless it is an epoch
        str.rjust
        if column.align == "right" and (place or column.kind == "epoch")
        else str.ljust
        for place, column in enumerate(grid.columns)
    ]


def _line_of(
    cells: Sequence[str],
    placed: Sequence[Callable[[str, int], str]],
    widths: Sequence[int],
) -> str:
    texts = [
        place(cell, room)
        for place, cell, room in zip(placed, cells, widths, strict=False)
    ]
    return (_INDENT + _GAP.join(texts)).rstrip()


def _unrepeated(
    cells: Sequence[str], above: Sequence[str], grid: _TextGrid
) -> Sequence[str]:
    """Leave cells empty that repeat the row above, in columns with `once`."""
    once = [place for place, column in enumerate(grid.columns) if column.once]
    if not once:
        return cells
    return [
        "" if place in once and above[place : place + 1] == [cell] else cell
        for place, cell in enumerate(cells)
    ]


def _hung(sentence: str, width: int, start: str, stamp: str) -> list[str]:
    """Wrap a sentence with a hanging indent of the length of `start`."""
    first, rest = start + stamp, " " * len(start) + stamp
    return wrap_words(sentence, width, first, rest) or [start.rstrip()]


def _stacked(grid: _TextGrid, width: int) -> Iterator[str]:
    """Write the short cells of each row in a line, and its sentences below."""
    titles = [c.title for c in grid.columns if c.kind == "sentence"]
    longest = max(map(len, titles)) if len(titles) > 1 else 0
    for place, row in enumerate(grid.rows):
        if place and longest:
            yield ""
        short = _short_cells(row.cells, grid)
        yield from wrap_words(short, width, _INDENT, _INDENT + "    ")
        if row.rest is not None:
            yield from wrap(row.rest, width, _INDENT + "  ", _INDENT + "    ")
            continue
        for cell, column in zip(row.cells, grid.columns, strict=True):
            if column.kind == "sentence" and cell not in ("", _NOTHING):
                label = f"{column.title.ljust(longest)}{_GAP}" if longest else ""
                yield from _hung(cell, width, f"{_INDENT}  {label}", row.stamp)


def _short_cells(cells: Sequence[str], grid: _TextGrid) -> str:
    """Join the cells that are no sentences; a number is named by its column."""
    return _GAP.join(
        _named(cell, column)
        for cell, column in zip(cells, grid.columns, strict=False)
        if column.kind != "sentence" and cell != _NOTHING
    )


def _named(cell: str, column: TableColumn) -> str:
    if column.align == "right":
        return firm(f"{column.title} {cell}")
    return cell if column.kind == "code" else firm(cell)


def _records(grid: _TextGrid, width: int) -> Iterator[str]:
    """Write each row as a record: its name, and below it its other cells, named."""
    for row in grid.rows:
        first, *others = row.cells
        name = wrap_words(_named(first, grid.columns[0]), width, _INDENT, _INDENT)
        yield from grid.marked(row, name)
        if row.rest is not None:
            yield from wrap(row.rest, width, _INDENT + "  ", _INDENT + "    ")
            continue
        pairs = [
            _whole(f"{column.title} {cell}".strip(), width)
            for column, cell in zip(grid.columns[1:], others, strict=True)
            if cell != _NOTHING
        ]
        # records are told apart by where they begin
        yield from wrap_words(_GAP.join(pairs), width, _INDENT + "  ", _INDENT + "  ")


def _whole(pair: str, width: int) -> str:
    """Return a title and a cell as one word, unless they are longer than a line."""
    return firm(pair) if len(pair) <= width - len(_INDENT + "  ") else pair
