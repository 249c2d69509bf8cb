"""`Document`, and the blocks that it is made of; tables are in `tables`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from cbreplay.document.sentences import Text
from cbreplay.document.tables import Table, worked_out

__all__ = [
    "Block",
    "CodeBlock",
    "Command",
    "Deferred",
    "Document",
    "Figure",
    "Gallery",
    "Moving",
    "Notice",
    "Paragraph",
    "Points",
    "Section",
    "Trend",
    "footnotes",
]

T = TypeVar("T")


class Paragraph(NamedTuple):
    """Sentences, perhaps in small print."""

    text: Text
    small: bool = False


class Points(NamedTuple):
    """Sentences below each other, one point each.

    Parameters
    ----------
    points : sequence of Text
        In order.
    columns : sequence of str
        For footnotes to the table above: the title of the column that each is about,
        or an empty text. A footnote is not shown without its column.
    """

    points: Sequence[Text]
    columns: Sequence[str] = ()

    def without(self, left_out: Sequence[str]) -> "Points":
        """Return the points without footnotes to columns that are left out."""
        if not self.columns:
            return self
        kept = [at for at, title in enumerate(self.columns) if title not in left_out]
        return Points([self.points[at] for at in kept])


def footnotes(notes: Iterable[tuple[str, Text]]) -> Points:
    """Return the footnotes to a table, each with the title of the column it is about.

    >>> from cbreplay.document import plain_text, say
    >>> notes = footnotes([("", say("all of 3 runs")), ("score", say("score: less"))])
    >>> [plain_text(point) for point in notes.without(["score"]).points]
    ['all of 3 runs']
    """
    listed = tuple(notes)
    return Points(
        tuple(text for _, text in listed), tuple(column for column, _ in listed)
    )


class Deferred(Sequence[T]):
    """Sentences or rows that are worked out on first use, by a form that shows them.

    Parameters
    ----------
    work_out : callable
        Returns the sentences or rows.
    """

    def __init__(self, work_out: Callable[[], Iterable[T]]) -> None:
        self._work_out = work_out

    @cached_property
    def _worked_out(self) -> tuple[T, ...]:
        return tuple(self._work_out())

    def __len__(self) -> int:
        return len(self._worked_out)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - Sequence has two overloads
        return self._worked_out[index]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what was worked out: the way to it may hold anything."""
        return tuple, (self._worked_out,)


class Notice(NamedTuple):
    """Doubts, one point each."""

    points: Sequence[Text]


class CodeBlock(NamedTuple):
    """Code to paste."""

    code: str
    language: Literal["python", "shell"]


class Trend(NamedTuple):
    """A series as a sparkline, for a form without pictures."""

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
        What it shows; understandable without the picture too.
    legend : str
        What its colours and signs mean.
    alternative : str
        A description for readers who cannot see it.
    title : str
        Its title, if it has one.
    small : bool
        Whether it is one of many.
    table : Table or None
        Its numbers, if they are in no other table.
    """

    points: Callable[[], Any]
    caption: str
    alternative: str
    title: str = ""
    small: bool = False
    table: Table | None = None
    legend: str = ""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the points themselves: the way to them may hold anything."""
        return Figure, (worked_out(self.points), *self[1:])

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
    """A heading and what is below it; without any words below it, no form shows it.

    Parameters
    ----------
    title : str
        The heading.
    blocks : tuple of Block
        In order.
    half : bool
        Whether it may be beside the next one on a wide page.
    on : {"both", "page", "asked"}
        Where it is shown: at a terminal and on a page, or on a page alone. "asked"
        means on a page, and at a terminal only with ``-v``.
    untitled : bool
        Whether a terminal leaves the heading out.
    """

    title: str
    blocks: tuple[Block, ...]
    half: bool = False
    on: Literal["both", "page", "asked"] = "both"
    untitled: bool = False


class Command(NamedTuple):
    """A command that may be useful next, to be copied."""

    label: str
    line: str


class Moving(NamedTuple):
    """Controls of a page that look up the answers for other settings.

    Parameters
    ----------
    members : callable
        Returns everything that they can look up, as JSON; None if there is nothing.
    before : str
        The title of the section before which they are placed.
    replaces : tuple of str
        The titles of the sections that a page without them shows in their place.
    """

    members: Callable[[], Mapping[str, Any] | None]
    before: str
    replaces: tuple[str, ...] = ()


class Document(NamedTuple):
    """An answer.

    Parameters
    ----------
    question : str
        Which question it answers, for example ``"simulate"``.
    headline : Text
        The answer in one sentence.
    lead : Text
        What was asked, about which runs, by the rules of which Keras.
    sections : tuple of Section
        The most useful first.
    next : tuple of Command
        Commands that may be useful next.
    program : callable
        Returns the members of the JSON answer that are this question's own: ``runs``,
        ``configs``, ``results``, ``objective``, ... as ``schemas/answer.schema.json``
        has them.
    moving : Moving or None
        Controls, for a page that can have some.
    """

    question: str
    headline: Text
    lead: Text
    sections: tuple[Section, ...] = ()
    next: tuple[Command, ...] = ()
    program: Callable[[], Mapping[str, Any]] = dict
    moving: Moving | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the members themselves: the way to them may hold anything."""
        return Document, (*self[:5], worked_out(self.program), self.moving)

    def answer_table(self) -> Table | None:
        """Return the table that is the answer for programs, if there is one."""
        blocks = (block for section in self.sections for block in section.blocks)
        tables = (block for block in blocks if isinstance(block, Table))
        return next((table for table in tables if table.is_answer), None)
