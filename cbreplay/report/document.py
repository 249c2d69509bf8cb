"""A report as a tree of sections, tables, figures: data only.

Both writers read the same tree, so a page and its Markdown cannot disagree. Text in
the tree is plain; each writer escapes it for its own format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

__all__ = [
    "Block",
    "Code",
    "CodeBlock",
    "Column",
    "Document",
    "Figure",
    "Gallery",
    "Image",
    "Notice",
    "Paragraph",
    "Points",
    "Section",
    "Strong",
    "Table",
    "Text",
    "plain_text",
]


class Code(NamedTuple):
    """A name or a piece of code inside a sentence."""

    text: str


class Strong(NamedTuple):
    """What a hurried reader should not miss."""

    text: str


Text: TypeAlias = tuple[str | Code | Strong, ...]


def plain_text(text: Text) -> str:
    """Return a sentence without its marks.

    >>> plain_text((Strong("Patience 5"), " of ", Code("val_loss")))
    'Patience 5 of val_loss'
    """
    return "".join(one if isinstance(one, str) else one.text for one in text)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences; small print steps back."""

    text: Text
    small: bool = False


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Lines to paste."""

    code: str
    language: Literal["python", "shell"]


class Column(NamedTuple):
    """A column of a table: its heading, and where its cells stand."""

    title: str
    align: Literal["left", "right"] = "right"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text; the first cell of a row names it.

    The last cell of a row that has fewer than there are columns spans the rest.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str


class Image(NamedTuple):
    """A picture as bytes, for a light or a dark page, for a wide or a narrow one.

    Parameters
    ----------
    content : bytes
        The file.
    kind : {"svg", "png"}
        Its format.
    dark, narrow : bool
        Where it is shown.
    """

    content: bytes
    kind: Literal["svg", "png"]
    dark: bool = False
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with the words that say the same.

    Parameters
    ----------
    caption : str
        What it shows, standing without the picture too.
    alternative : str
        What someone who cannot see it is told.
    images : tuple of Image
        Its versions; the plain light one is there always.
    title : str
        Its name, where it has one of its own.
    table : Table or None
        Its numbers, where they stand nowhere else.
    """

    caption: str
    alternative: str
    images: tuple[Image, ...]
    title: str = ""
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Gallery:
    """Small figures beside each other."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Points:
    """Sentences below each other, one point each."""

    points: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """Doubts, one point each."""

    points: tuple[Text, ...]


Block: TypeAlias = Paragraph | CodeBlock | Table | Figure | Gallery | Points | Notice


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what is below it.

    Parameters
    ----------
    title : str
        The heading.
    blocks : tuple of Block
        In order.
    half : bool
        Whether it may stand beside the next one on a wide page.
    """

    title: str
    blocks: tuple[Block, ...]
    half: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A report.

    Parameters
    ----------
    title : str
        The answer in one sentence.
    lead : Text
        What was asked of what.
    sections : tuple of Section
        In order of use.
    """

    title: str
    lead: Text
    sections: tuple[Section, ...]
