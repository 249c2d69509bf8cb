"""A document as Markdown, one file without pictures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cbreplay.arguments import checked
from cbreplay.document import (
    Code,
    CodeBlock,
    Figure,
    Gallery,
    Notice,
    Paragraph,
    Points,
    Strong,
    Table,
    Trend,
    spoken_cells,
)
from cbreplay.wording.words import visible_text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cbreplay.document import Block, Document, Part, Text

__all__ = ["table_as_markdown", "write_markdown"]

# characters that mean something in Markdown, or in HTML inside it; an underscore
# between two letters or digits does not; GitHub makes links of bare addresses
_SIGNS = r"(?i)([\\`*\[\]<>|~&$@]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.)"
_FIRST_SIGN = r"^(\s*\d*)([-+#=.)])"


@checked
def write_markdown(document: Document, *, left_out: Collection[str] = ()) -> str:
    """Return the answer as Markdown, without its pictures and the words about them.

    The numbers of the pictures are in the tables.

    Parameters
    ----------
    document : Document
        The answer.
    left_out : collection of str
        Where the sections that are left out belong: their `Section.on`.
    """
    first, *rest = _split(document.headline)
    parts = [f"# {_text(first)}", *(_at_start(_text(more)) for more in rest)]
    parts.append(_at_start(_text(document.lead)))
    for section in document.sections:
        if section.on not in left_out and not _is_of_pictures(section.blocks):
            n_tables = sum(isinstance(block, Table) for block in section.blocks)
            # the only table of a section needs no caption beside the section's title
            told = (
                table_as_markdown(block)
                if isinstance(block, Table) and n_tables == 1
                else _block(block)
                for block in section.blocks
            )
            blocks = [*filter(None, told)]
            parts += [f"## {_escape(section.title)}", *blocks] if blocks else []
    return "\n\n".join(part for part in parts if part) + "\n"


def _split(headline: Text) -> list[Text]:
    """Return the first sentence of a headline, and the others as one paragraph."""
    parts: list[Part] = []
    for part in headline.parts:
        # adjacent plain texts become one part
        joins = isinstance(part, str) and parts and isinstance(parts[-1], str)
        parts.append(f"{parts.pop()}{part}" if joins else part)
    for place, part in enumerate(parts):
        if isinstance(part, str) and ". " in part:
            end, _, start = part.partition(". ")
            first, rest = (*parts[:place], f"{end}."), (start, *parts[place + 1 :])
            return [headline._replace(parts=told) for told in (first, rest)]
    return [headline]


def _is_of_pictures(blocks: Sequence[Block]) -> bool:
    """Return whether a section holds only pictures and paragraphs about them."""
    told = [block for block in blocks if not isinstance(block, Paragraph)]
    return bool(told) and all(
        isinstance(block, Gallery)
        or (isinstance(block, Figure) and block.table is None)
        for block in told
    )


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return _at_start(_text(block.text))
    if isinstance(block, CodeBlock):
        return _code_block(block)
    if isinstance(block, Table):
        return f"{_at_start(_escape(block.caption))}\n\n{table_as_markdown(block)}"
    if isinstance(block, Trend):
        return ""
    return _points(block)


def _points(block: Figure | Gallery | Points | Notice) -> str:
    if isinstance(block, Figure):
        return "" if block.table is None else _block(block.table)
    if isinstance(block, Gallery):
        return ""
    return "\n".join(f"- {_at_start(_text(point))}" for point in block.points)


def _text(text: Text) -> str:
    parts = [_escape(text.stamp)]
    for part in text.parts:
        if isinstance(part, Code):
            parts.append(_code(part.text))
        elif isinstance(part, Strong):
            parts.append(f"**{_escape(part.text)}**")
        else:
            parts.append(_escape(part if isinstance(part, str) else part.text))
    return "".join(parts)


def _escape(text: str) -> str:
    """Return text with its special characters escaped."""
    return re.sub(_SIGNS, r"\\\1", visible_text(text))


def _at_start(text: str) -> str:
    """Keep the beginning of a paragraph from starting a list, a heading or code."""
    return re.sub(_FIRST_SIGN, r"\1\\\2", text.lstrip())


def _code(text: str) -> str:
    """Return text between backticks: one more than its longest run of them."""
    shown = visible_text(text)
    fence = _fence(shown, 1)
    edge = " " if "`" in shown else ""
    return f"{fence}{edge}{shown}{edge}{fence}"


def _code_block(block: CodeBlock) -> str:
    lines = [visible_text(line) for line in block.code.split("\n")]
    fence = _fence(block.code, 3)
    return "\n".join([f"{fence}{block.language}", *lines, fence])


def _fence(text: str, least: int) -> str:
    """Return more backticks than stand in a row anywhere in a text, or the least."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    return "`" * max(least, longest + 1)


def table_as_markdown(table: Table) -> str:
    """Return a table's rows for people as a Markdown table."""
    table = table.for_people()
    sides = ["left", *(column.align for column in table.columns[1:])]
    lines = [
        [_escape(column.title) for column in table.columns],
        ["---:" if side == "right" else ":---" for side in sides],
    ]
    for row, spoken in zip(table.rows, spoken_cells(table), strict=True):
        cells = [*map(_escape, spoken), *[""] * (len(sides) - len(spoken))]
        if row.marked:
            cells[0] = f"**{cells[0]}**"
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
