"""Write a report as Markdown, one file without pictures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cbreplay.report.document import (
    Code,
    CodeBlock,
    Figure,
    Gallery,
    Notice,
    Paragraph,
    Strong,
    Table,
)
from cbreplay.words import visible_text

if TYPE_CHECKING:
    from cbreplay.report.document import Block, Document, Points, Text

__all__ = ["write_markdown"]

# what Markdown, or HTML inside it, would take for a sign; an underscore inside a word
# is none
_SIGNS = re.compile(r"([\\`*\[\]<>|~&$]|(?<!\w)_|_(?!\w))")
_FIRST_SIGN = re.compile(r"^(\s*\d*)([-+#=.)])")


def write_markdown(document: Document) -> str:
    """Return the report as Markdown.

    A figure becomes its caption: what it shows is said in words there, and its
    numbers stand in the tables.
    """
    parts = [f"# {_escape(document.title)}", _at_start(_text(document.lead))]
    for section in document.sections:
        parts.append(f"## {_escape(section.title)}")
        parts += [_block(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return _at_start(_text(block.text))
    if isinstance(block, CodeBlock):
        return _code_block(block)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Figure):
        table = "" if block.table is None else f"\n\n{_table(block.table)}"
        return f"Figure: {_caption(block)}{table}"
    if isinstance(block, Gallery):
        return "\n".join(f"- {_caption(one)}" for one in block.figures)
    return _notice(block)


def _caption(figure: Figure) -> str:
    title = f"**{_escape(figure.title)}** " if figure.title else ""
    return f"{title}{_escape(figure.caption)}"


def _notice(block: Notice | Points) -> str:
    return "\n".join(f"- {_text(point)}" for point in block.points)


def _text(text: Text) -> str:
    parts = []
    for one in text:
        if isinstance(one, Code):
            parts.append(_code(one.text))
        elif isinstance(one, Strong):
            parts.append(f"**{_escape(one.text)}**")
        else:
            parts.append(_escape(one))
    return "".join(parts)


def _escape(text: str) -> str:
    """Return text in which nothing is a sign."""
    return _SIGNS.sub(r"\\\1", visible_text(text))


def _at_start(text: str) -> str:
    """Keep the first word of a paragraph from starting a list or a heading."""
    return _FIRST_SIGN.sub(r"\1\\\2", text)


def _code(text: str) -> str:
    """Return text between backticks, more of them than it holds itself."""
    shown = visible_text(text)
    longest = max((len(one) for one in re.findall(r"`+", shown)), default=0)
    fence = "`" * (longest + 1)
    edge = " " if "`" in shown else ""
    return f"{fence}{edge}{shown}{edge}{fence}"


def _code_block(block: CodeBlock) -> str:
    lines = [visible_text(line) for line in block.code.split("\n")]
    longest = max((len(one) for one in re.findall(r"`+", block.code)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{block.language}", *lines, fence])


def _table(table: Table) -> str:
    rules = ["---:" if one.align == "right" else ":---" for one in table.columns]
    head = [_escape(one.title) for one in table.columns]
    width = len(table.columns)
    rows = [
        [*(_escape(cell) for cell in row), *[""] * (width - len(row))]
        for row in table.rows
    ]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, rules, *rows)]
    return "\n".join([_escape(table.caption), "", *lines])
