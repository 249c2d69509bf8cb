"""What an answer is made of, one below the other, and the answer as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypeVar

from cbreplay.document.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cbreplay.document.on_pages import Figure, Gallery, Moving
    from cbreplay.document.sentences import Text

__all__ = [
    "Block",
    "CodeBlock",
    "Command",
    "Deferred",
    "Document",
    "Notice",
    "Paragraph",
    "Points",
    "Section",
    "Trend",
    "footnotes",
]

T = TypeVar("T")


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
    """Sentences, or rows, that are only worked out by a form that shows them.

    Parameters
    ----------
    work_out : callable
        Returns them.
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


class Notice(NamedTuple):
    """Doubts, one point each."""

    points: Sequence[Text]


class CodeBlock(NamedTuple):
    """Lines to paste."""

    code: str
    language: Literal["python", "shell"]


class Trend(NamedTuple):
    """A series in one line of characters, for a form that has no pictures."""

    label: str
    values: Sequence[float | None]
    caption: Text


Block: TypeAlias = (
    "Paragraph | Points | Notice | CodeBlock | Table | Trend | Figure | Gallery"
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
