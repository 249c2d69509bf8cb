"""A table of an answer: values in columns with a kind, and their text for people."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, Literal, NamedTuple

from cbreplay.document.sentences import Text, plain_text
from cbreplay.wording.kinds import SCALED, Kind, is_number, spoken_span, spoken_value
from cbreplay.wording.shown_digits import ValueScale, scale_of

__all__ = [
    "EVERY_ROW",
    "Cell",
    "ColumnRows",
    "MadeColumn",
    "Pair",
    "Row",
    "Span",
    "Table",
    "TableColumn",
    "keyed_row",
    "spoken_cells",
]


class TableColumn(NamedTuple):
    """A column of a table.

    Parameters
    ----------
    key : str
        Its name for programs, for example ``"kept_epoch"``.
    title : str
        Its heading for people.
    kind : Kind
        What its cells mean; it decides how they are written.
    fold : int
        If there is too little room, columns with a larger number are left out first; a
        column with 0 never is.
    shown : {"always", "people", "programs"}
        In which forms it is written.
    scale : ValueScale or None
        The decimals that it shares with other columns or sentences.
    once : bool
        Whether a terminal leaves out a cell that repeats the row above.
    """

    key: str
    title: str
    kind: Kind = "text"
    fold: int = 0
    shown: Literal["always", "people", "programs"] = "always"
    scale: ValueScale | None = None
    once: bool = False

    @property
    def align(self) -> Literal["left", "right"]:
        """How its cells are aligned."""
        return "right" if is_number(self.kind) else "left"

    def for_people_if(self, tells: bool) -> "TableColumn":  # noqa: FBT001 - read as a sentence
        """Return the column; if it tells people nothing, it is only for programs."""
        return self if tells else self._replace(shown="programs")


class Cell(NamedTuple):
    """A value with remarks on how exact it is.

    Parameters
    ----------
    value : object
        The value.
    bound : {"lower", "upper"} or None
        Whether the true value is at least or at most this.
    provisional : bool
        Whether it may still change: written in brackets.
    of : object
        The total that it is a part of, for people: ``6 of 7``.
    """

    value: Any
    bound: Literal["lower", "upper"] | None = None
    provisional: bool = False
    of: Any = None


class Span(NamedTuple):
    """A range with both ends included; open if the last is None."""

    first: Any
    last: Any


class Pair(NamedTuple):
    """The values of two rivals, side by side; each may be a `Cell`."""

    first: Any
    rival: Any


class Row(NamedTuple):
    """A row of a table.

    Parameters
    ----------
    cells : sequence of object
        A value, `Cell`, `Span`, `Pair` or `Text` for each column; None where there is
        none.
    rest : Text or None
        For people, a sentence in place of all cells but the first.
    rank : int
        If there are too many rows for a form, the larger ranks are left out first.
    shown : {"always", "programs"}
        In which forms it is written: people need no row that repeats another.
    marked : bool
        Whether it is the row that the headline is about.
    """

    cells: Sequence[Any]
    rest: Text | None = None
    rank: int = 0
    shown: Literal["always", "programs"] = "always"
    marked: bool = False


def keyed_row(
    columns: Sequence[TableColumn],
    cells: Mapping[str, Any],
    **remarks: Any,  # noqa: ANN401 - fields of a Row
) -> Row:
    """Return the row whose cells are given by the keys of their columns."""
    return Row(tuple(cells[column.key] for column in columns), **remarks)


def worked_out(make: Callable[[], Any]) -> Callable[[], Any]:
    """Return what can be pickled in place of a function: it returns the same."""
    return partial(_given, make())


def _given(value: object) -> object:
    return value


class MadeColumn(Sequence[Any]):
    """A column whose cells are made when they are used.

    Parameters
    ----------
    n_rows : int
        How many cells there are.
    make : callable
        Returns the cell of a row, by its position.
    """

    def __init__(self, n_rows: int, make: Callable[[int], Any]) -> None:
        self._n_rows, self._make = n_rows, make

    def __len__(self) -> int:
        return self._n_rows

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - Sequence has two overloads
        if isinstance(index, slice):
            return [self._make(row) for row in range(self._n_rows)[index]]
        return self._make(range(self._n_rows)[index])

    def __iter__(self) -> Iterator[Any]:
        return map(self._make, range(self._n_rows))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the cells: what makes them may hold anything."""
        return list, ([*self],)


class ColumnRows(Sequence[Row]):
    """The rows of a large table, held as columns; rows are made when they are used.

    Parameters
    ----------
    columns : sequence of sequence
        The cells of each column, all equally many.
    marked : set of int
        The positions of the rows that the headline is about.
    """

    def __init__(
        self, columns: Sequence[Sequence[Any]], marked: AbstractSet[int] = frozenset()
    ) -> None:
        self.columns, self.marked = columns, marked

    def __len__(self) -> int:
        return len(self.columns[0])

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - Sequence has two overloads
        if isinstance(index, slice):
            return [self[row] for row in range(len(self))[index]]
        row = range(len(self))[index]
        cells = tuple(column[row] for column in self.columns)
        return Row(cells, marked=row in self.marked)

    def __iter__(self) -> Iterator[Row]:
        for row, cells in enumerate(zip(*self.columns, strict=True)):
            yield Row(cells, marked=row in self.marked)


# as many as there are: a reader may look for one of them
EVERY_ROW = 1_000_000


class Table(NamedTuple):
    """Rows of values; the first cell of a row names it.

    Parameters
    ----------
    columns : tuple of TableColumn
        In order.
    rows : sequence of Row
        In order.
    caption : str
        What it shows.
    is_answer : bool
        Whether ``--format markdown`` writes it, and ``--format csv`` if it is the first
        one.
    most_on_screen : int
        How many rows a terminal shows at most: those of the least rank.
    """

    columns: tuple[TableColumn, ...]
    rows: Sequence[Row]
    caption: str
    is_answer: bool = False
    most_on_screen: int = 1000

    def for_people(self) -> "Table":
        """Return the table without rows and columns that are only for programs."""
        places = [
            place
            for place, column in enumerate(self.columns)
            if column.shown != "programs"
        ]
        columns = tuple(self.columns[place] for place in places)
        if isinstance(self.rows, ColumnRows):
            columns_shown = [self.rows.columns[place] for place in places]
            shown = ColumnRows(columns_shown, self.rows.marked)
            return self._replace(columns=columns, rows=shown)
        rows = tuple(
            row._replace(cells=[row.cells[place] for place in places])
            for row in self.rows
            if row.shown != "programs"
        )
        return self._replace(columns=columns, rows=rows)

    def for_programs(self) -> list[tuple[str, Sequence[Any]]]:
        """Return the key of each column that programs read, with its cells."""
        return [
            (column.key, self.cells_of(place))
            for place, column in enumerate(self.columns)
            if column.shown != "people"
        ]

    def cells_of(self, place: int) -> Sequence[Any]:
        """Return the cells of a column, by its place."""
        if isinstance(self.rows, ColumnRows):
            return self.rows.columns[place]
        return [row.cells[place] for row in self.rows]


def spoken_cells(table: Table) -> list[list[str]]:
    """Write the cells of a table for people, without those for programs.

    Returns
    -------
    list of list of str
        A list for each row: of every shown column; or of the first cell and the
        sentence in place of the others, where the row has one.
    """
    table = table.for_people()
    scales = _scales(table)
    columns = list(enumerate(table.columns))
    lines = []
    for row in table.rows:
        cells = [
            _spoken_cell(row.cells[place], column.kind, scales.get(place))
            for place, column in columns[: 1 if row.rest else None]
        ]
        lines.append([*cells, plain_text(row.rest)] if row.rest else cells)
    return lines


def _scales(table: Table) -> dict[int, ValueScale]:
    """Return the scale of each column of values, and of differences between them."""
    rows = [row.cells for row in table.rows if not row.rest]
    found: dict[int, ValueScale] = {}
    of_values: ValueScale | None = None
    for place, column in enumerate(table.columns):
        if column.kind not in SCALED:
            continue
        scale = column.scale
        if scale is None and column.kind == "difference":
            # a difference has the decimals of the values
            scale = of_values
        found[place] = scale or scale_of(_numbers(cells[place] for cells in rows))
        if column.kind == "value":
            of_values = of_values or found[place]
    return found


def _numbers(cells: Iterable[Any]) -> Iterator[float]:
    """Yield the numbers among cells."""
    for cell in cells:
        value = cell.value if isinstance(cell, Cell) else cell
        if isinstance(value, int | float):
            yield value


def _spoken_cell(cell: Any, kind: Kind, scale: ValueScale | None) -> str:  # noqa: ANN401
    if not isinstance(cell, (Cell, Text, Span, Pair)):
        return spoken_value(cell, kind, scale)
    if isinstance(cell, Text):
        return plain_text(cell)
    if isinstance(cell, Span):
        return spoken_span(cell.first, cell.last, kind)
    if isinstance(cell, Pair):
        return " / ".join(_spoken_cell(side, kind, scale) for side in cell)
    if cell.value is None:
        return "-"
    bound = {"lower": ">= ", "upper": "<= ", None: ""}[cell.bound]
    # upper bounds are of savings only, which are never below 0: <= 0 is 0
    bound = "" if cell.bound == "upper" and cell.value == 0 else bound
    text = f"{bound}{spoken_value(cell.value, kind, scale)}"
    text = text if cell.of is None else f"{text} of {cell.of}"
    return f"({text})" if cell.provisional else text
