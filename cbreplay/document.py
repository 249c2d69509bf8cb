"""An answer as one document: what it says, once, for every form that is written of it.

An answer builds a document from its own values (``answers/``, one module a question),
and a writer turns any document into one form (``writers/``, one module a form). Nothing
here is text that was cut, aligned or escaped for a form: a table holds values and says
of what kind each column is, and a number in a sentence is a `Fact`, so that every form,
and every test, finds the value itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from cbreplay.claims import Claim
from cbreplay.kinds import SCALED, is_number, spoken_span, spoken_value
from cbreplay.shown_digits import ValueScale, scale_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from cbreplay.kinds import Kind

__all__ = [
    "Block",
    "Cell",
    "Claim",
    "Code",
    "CodeBlock",
    "ColumnRows",
    "Command",
    "Deferred",
    "Document",
    "Fact",
    "Figure",
    "Gallery",
    "MadeColumn",
    "Moving",
    "Notice",
    "Pair",
    "Paragraph",
    "Points",
    "Row",
    "Section",
    "Span",
    "Strong",
    "Table",
    "TableColumn",
    "Text",
    "Trend",
    "facts_of",
    "footnotes",
    "plain_text",
    "say",
    "spoken_cells",
]


class Code(NamedTuple):
    """A name or a piece of code inside a sentence."""

    text: str


class Strong(NamedTuple):
    """What a hurried reader should not miss."""

    text: str


class Fact(NamedTuple):
    """A value inside a sentence, which every form writes as its kind is written.

    Parameters
    ----------
    value : object
        The value itself; an epoch counts from 0 here.
    kind : Kind
        What it means.
    name : str
        What it is in the answer's data, for example ``"best_epoch"``.
    scale : ValueScale or None
        Where it shares its decimals with others, as those of a table.
    """

    value: Any
    kind: Kind
    name: str = ""
    scale: ValueScale | None = None

    @property
    def text(self) -> str:
        """The value as people read it."""
        return spoken_value(self.value, self.kind, self.scale)


Part: TypeAlias = str | Code | Strong | Fact


class Text(NamedTuple):
    """A sentence or several: words, names, values, and what they claim.

    Parameters
    ----------
    parts : tuple of Part
        In order.
    claims : tuple of Claim
        What it says about the data.
    stamp : str
        Words that must not be parted from it, for example ``"fiction: "``: they stand
        before it, and where a form breaks it into lines before every line.
    """

    parts: tuple[Part, ...]
    claims: tuple[Claim, ...] = ()
    stamp: str = ""


def say(*parts: Part | Text, claims: Sequence[Claim] = (), stamp: str = "") -> Text:
    """Return a sentence made of its parts; a sentence among them is taken over whole.

    >>> best = say("best at epoch ", Fact(28, "epoch", "best_epoch"))
    >>> plain_text(say(best, " of 60"))
    'best at epoch 29 of 60'
    """
    whole = [part if isinstance(part, Text) else Text((part,)) for part in parts]
    return Text(
        tuple(inner for text in whole for inner in text.parts),
        (*claims, *(claim for text in whole for claim in text.claims)),
        stamp,
    )


def plain_text(text: Text) -> str:
    """Return a sentence without its marks, as people read it.

    >>> plain_text(say(Strong("Patience 5"), " of ", Code("val_loss")))
    'Patience 5 of val_loss'
    """
    words = [part if isinstance(part, str) else part.text for part in text.parts]
    return "".join([text.stamp, *words])


def facts_of(text: Text) -> dict[str, Any]:
    """Return the named values of a sentence."""
    return {
        part.name: part.value
        for part in text.parts
        if isinstance(part, Fact) and part.name
    }


class Paragraph(NamedTuple):
    """Sentences; small print steps back."""

    text: Text
    small: bool = False


class Points(NamedTuple):
    """Sentences below each other, one point each.

    Parameters
    ----------
    points : sequence of Text
        In order.
    columns : sequence of str
        Of footnotes to the table above, for each the title of the column that it is
        about, without which it is not shown; empty where it is about none.
    """

    points: Sequence[Text]
    columns: Sequence[str] = ()

    def without(self, left_out: Sequence[str]) -> Points:
        """Return it without the footnotes to columns that are left out."""
        if not self.columns:
            return self
        kept = [at for at, title in enumerate(self.columns) if title not in left_out]
        return Points([self.points[at] for at in kept])


def footnotes(notes: Iterable[tuple[str, Text]]) -> Points:
    """Return the footnotes to a table, each with the title of the column it is about.

    >>> notes = footnotes([("", say("all of 3 runs")), ("score", say("score: less"))])
    >>> [plain_text(point) for point in notes.without(["score"]).points]
    ['all of 3 runs']
    """
    listed = tuple(notes)
    return Points(
        tuple(text for _, text in listed), tuple(column for column, _ in listed)
    )


class Deferred(Sequence[Text]):
    """Sentences that are only worked out by a form that shows them.

    Parameters
    ----------
    work_out : callable
        Returns them.
    """

    def __init__(self, work_out: Callable[[], Iterable[Text]]) -> None:
        self._work_out = work_out

    @cached_property
    def _worked_out(self) -> tuple[Text, ...]:
        return tuple(self._work_out())

    def __len__(self) -> int:
        return len(self._worked_out)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - Sequence has two overloads
        return self._worked_out[index]


class Notice(NamedTuple):
    """Doubts, one point each."""

    points: Sequence[Text]


class CodeBlock(NamedTuple):
    """Lines to paste."""

    code: str
    language: Literal["python", "shell"]


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
        Where room is short, columns with a larger number go first; 0 never goes.
    shown : {"always", "people", "programs"}
        To whom.
    scale : ValueScale or None
        Of values, where other columns or sentences share their decimals.
    once : bool
        Whether a terminal leaves out what stands in the row above as well.
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
        """Where its cells stand."""
        return "right" if is_number(self.kind) else "left"


class Cell(NamedTuple):
    """A value with what has to be said about it.

    Parameters
    ----------
    value : object
        The value.
    bound : {"lower", "upper"} or None
        Whether the true value is at least or at most this.
    provisional : bool
        Whether it holds only so far: written in brackets.
    sign : str
        What stands before it: ``"+"``.
    of : object
        The whole that it is a part of, for people: ``6 of 7``.
    """

    value: Any
    bound: Literal["lower", "upper"] | None = None
    provisional: bool = False
    sign: str = ""
    of: Any = None


class Span(NamedTuple):
    """Two ends, both included; without a last one it is open."""

    first: Any
    last: Any


class Pair(NamedTuple):
    """What two rivals say, side by side: each a value or a `Cell`."""

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
        Where there are too many rows for a form, the larger ranks go first.
    shown : {"always", "programs"}
        To whom: people need no row that says what another one said.
    marked : bool
        Whether it is the one that the first sentence speaks of.
    """

    cells: Sequence[Any]
    rest: Text | None = None
    rank: int = 0
    shown: Literal["always", "programs"] = "always"
    marked: bool = False


class MadeColumn(Sequence[Any]):
    """A column whose cells are made when they are asked for.

    Parameters
    ----------
    n_rows : int
        How many there are.
    make : callable
        Returns the cell of a row.
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


class ColumnRows(Sequence[Row]):
    """The rows of a large table, held as columns: a form only touches what it shows.

    Parameters
    ----------
    columns : sequence of sequence
        The cells of each column, all equally many.
    marked : set of int
        The numbers of the rows that the first sentence speaks of.
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
        Whether ``--format markdown`` writes it, and ``--format csv`` where it is the
        first.
    most_on_screen : int
        How many rows a terminal shows, those of the least rank.
    """

    columns: tuple[TableColumn, ...]
    rows: Sequence[Row]
    caption: str
    is_answer: bool = False
    most_on_screen: int = 1000

    def for_people(self) -> Table:
        """Return it without the rows and the columns that are for programs alone."""
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

    def cells_of(self, place: int) -> Sequence[Any]:
        """Return the cells of a column, by its place."""
        if isinstance(self.rows, ColumnRows):
            return self.rows.columns[place]
        return [row.cells[place] for row in self.rows]


class Trend(NamedTuple):
    """A series in one line of characters, for a form that has no pictures."""

    label: str
    values: Sequence[float | None]
    caption: Text


class Figure(NamedTuple):
    """A picture as its points, with the words that say the same.

    Parameters
    ----------
    points : callable
        Returns the points that ``plots`` draws, of one of its own classes; they are
        only computed by a form with pictures.
    caption : str
        What it shows, standing without the picture too.
    legend : str
        What its colours and signs mean, for who sees it.
    alternative : str
        What someone who cannot see it is told.
    title : str
        Its name, where it has one of its own.
    small : bool
        Whether it is one of many.
    table : Table or None
        Its numbers, where they stand nowhere else.
    """

    points: Callable[[], Any]
    caption: str
    alternative: str
    title: str = ""
    small: bool = False
    table: Table | None = None
    legend: str = ""

    @property
    def words_below(self) -> str:
        """The caption, and what the signs in the picture mean."""
        return f"{self.caption} {self.legend}".rstrip()


class Gallery(NamedTuple):
    """Small figures beside each other."""

    figures: tuple[Figure, ...]


Block: TypeAlias = (
    Paragraph | Points | Notice | CodeBlock | Table | Trend | Figure | Gallery
)


class Section(NamedTuple):
    """A heading and what is below it.

    Parameters
    ----------
    title : str
        The heading.
    blocks : tuple of Block
        In order.
    half : bool
        Whether it may stand beside the next one on a wide page.
    on : {"both", "page", "screen", "asked"}
        Whether it belongs to the short answer at a terminal, to the page, or to both;
        what follows nearly every answer is on a page, and at a terminal when it is
        asked for.
    untitled : bool
        Whether a terminal leaves the heading out.
    """

    title: str
    blocks: tuple[Block, ...]
    half: bool = False
    on: Literal["both", "page", "screen", "asked"] = "both"
    untitled: bool = False


class Command(NamedTuple):
    """A command that may be useful next, to be copied."""

    label: str
    line: str


class Moving(NamedTuple):
    """Controls that look other settings up, for a form that can move.

    Parameters
    ----------
    members : callable
        Returns everything that they can look up, as JSON has it; None where there is
        nothing to move.
    before : str
        The title of the section before which they stand.
    stands_in : bool
        Whether they show what that section shows, which then is left out.
    """

    members: Callable[[], Mapping[str, Any] | None]
    before: str
    stands_in: bool = False


class Document(NamedTuple):
    """An answer.

    Parameters
    ----------
    question : str
        Which question it answers, for example ``"simulate"``.
    headline : Text
        The answer in one sentence.
    lead : Text
        What was asked of what, by whose rules.
    sections : tuple of Section
        In order of use.
    next : tuple of Command
        What to ask next.
    program : callable
        Returns the members of the JSON answer that are this question's own: ``runs``,
        ``configs``, ``results``, ``objective``, ... as ``schemas/answer.schema.json``
        has them.
    moving : Moving or None
        What can be moved, for a form that can.
    """

    question: str
    headline: Text
    lead: Text
    sections: tuple[Section, ...] = ()
    next: tuple[Command, ...] = ()
    program: Callable[[], Mapping[str, Any]] = dict
    moving: Moving | None = None

    def answer_table(self) -> Table | None:
        """Return the table that is the answer for programs, if there is one."""
        return next(iter(self.answer_tables()), None)

    def answer_tables(self, *, asked: bool = True) -> list[Table]:
        """Return the tables that are the answer: CSV has the first of them.

        Parameters
        ----------
        asked : bool
            With those that a terminal only shows when they are asked for.
        """
        return [
            block
            for section in self.sections
            for block in section.blocks
            if isinstance(block, Table)
            and block.is_answer
            and (asked or section.on != "asked")
        ]


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
            # how far values are apart is written as they are
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
    text = f"{bound}{cell.sign}{spoken_value(cell.value, kind, scale)}"
    text = text if cell.of is None else f"{text} of {cell.of}"
    return f"({text})" if cell.provisional else text
