"""A document as text for a terminal, at any width."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.document import (
    CodeBlock,
    Notice,
    Paragraph,
    Points,
    Table,
    Trend,
    plain_text,
)
from cbreplay.wording.words import visible_text
from cbreplay.writers.lines import BARS, draw_sparkline, wrap, wrap_text
from cbreplay.writers.text_tables import table_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cbreplay.document import Block, Document, Section

__all__ = ["write_text"]

_LONGEST_TREND = 40
_LONGEST_LINE = 100


class _Screen(NamedTuple):
    """Options of `write_text` that the blocks need."""

    width: int
    bars: str
    mark: Callable[[str], str]


def write_text(
    document: Document,
    *,
    width: int = 80,
    bars: str = BARS,
    emphasis: Callable[[str], str] = str,
    mark: Callable[[str], str] = str,
    verbose: bool = False,
    folds_commands: bool = False,
) -> str:
    """Return the answer as text, in lines of at most `width` where that is possible.

    Parameters
    ----------
    document : Document
        The answer.
    width : int
        The columns of the terminal; tables use all of them, sentences at most 100. A
        longer name or command stays whole.
    bars : str
        The characters of sparklines, the lowest first.
    emphasis : callable
        Styles a line of the headline or of a section's title.
    mark : callable
        Styles a line of a marked row: the one that the headline is about.
    verbose : bool
        Whether to write sections that are shown only if asked for.
    folds_commands : bool
        Whether a command that is longer than a line goes on in the next, as a shell
        reads it, instead of being broken anywhere.
    """
    form = _Screen(width, bars, mark)
    room = min(width, _LONGEST_LINE)
    blocks = [
        [*map(emphasis, wrap_text(document.headline, room, "", ""))],
        wrap_text(document.lead, room, "", ""),
    ]
    left_out = ("page",) if verbose else ("page", "asked")
    for section in _in_screen_order(document.sections):
        if section.on not in left_out:
            title = [] if section.untitled else wrap(section.title, room, " ", " ")
            blocks += _section_blocks(section, [*map(emphasis, title)], form)
    commands = _command_lines(document, width if folds_commands else None)
    blocks.append(list(commands))
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _in_screen_order(sections: Sequence[Section]) -> list[Section]:
    """Move the doubts after the numbers: at a terminal the end is read first.

    A page has them first, for readers who stop at the numbers.
    """
    places = [place for place, held in enumerate(sections) if _holds_answer(held)]
    if not places:
        return list(sections)
    before, after = sections[: places[0]], sections[places[0] :]
    doubts = [section for section in before if _holds_doubts(section)]
    rest = [section for section in before if not _holds_doubts(section)]
    return [*rest, after[0], *doubts, *after[1:]]


def _holds_answer(section: Section) -> bool:
    return any(isinstance(block, Table) and block.is_answer for block in section.blocks)


def _holds_doubts(section: Section) -> bool:
    return any(isinstance(block, Notice) for block in section.blocks)


def _command_lines(document: Document, width: int | None) -> Iterator[str]:
    """Yield the next commands on lines of their own, to be copied."""
    longest = max((len(command.label) for command in document.next), default=0)
    for command in document.next:
        label = f"{command.label}:".ljust(longest + 1)
        line = visible_text(f" {label} {command.line}")
        if width is None or len(line) <= width:
            yield line
        else:
            yield from _continued(visible_text(command.line), f" {label} ", width)


def _continued(command: str, start: str, width: int) -> Iterator[str]:
    """Yield a command in lines that a shell joins; no word is broken."""
    line = start
    for word in re.findall(_SHELL_WORD, command):
        # room for the backslash
        if line.strip() and len(line) + len(word) + len(_GOES_ON) > width:
            yield f"{line.rstrip()}{_GOES_ON}"
            line = " " * 4
        line += f"{word} "
    yield line.rstrip()


_GOES_ON = " \\"
# a quoted part holds its spaces
_SHELL_WORD = r"""(?:[^\s"']|"[^"]*"|'[^']*')+"""


def _section_blocks(
    section: Section, head: list[str], form: _Screen
) -> Iterator[list[str]]:
    """Yield the lines of each block; the heading is above the first."""
    left_out: Sequence[str] = ()
    for block in section.blocks:
        if isinstance(block, Table):
            lines, left_out = table_lines(block, form.width, form.mark)
        elif isinstance(block, Points):
            lines = [*_block_lines(block.without(left_out), form)]
        else:
            lines = [*_block_lines(block, form)]
        if lines:
            yield [*head, *lines]
            head = []


def _block_lines(block: Block, form: _Screen) -> Iterator[str]:
    room = min(form.width, _LONGEST_LINE)
    if isinstance(block, Trend):
        yield from _trend_lines(block, form.width, form.bars)
    elif isinstance(block, CodeBlock):
        for line in block.code.split("\n"):
            yield f" {visible_text(line)}".rstrip()
    elif isinstance(block, Paragraph):
        yield from wrap_text(block.text, room)
    elif isinstance(block, Points | Notice):
        first = " - " if isinstance(block, Notice) else " "
        for point in block.points:
            yield from wrap_text(point, room, first)


def _trend_lines(trend: Trend, width: int, bars: str) -> Iterator[str]:
    """Draw a series between its name and its caption, or below them."""
    label, caption = visible_text(trend.label), visible_text(plain_text(trend.caption))
    room = width - len(label) - len(caption) - 4
    if room >= _SHORTEST_TREND:
        line = draw_sparkline(trend.values, min(room, _LONGEST_TREND), bars)
        yield f"{label}  {line}  {caption}"
        return
    yield from wrap(f"{label}: {caption}", width, "", "  ")
    yield draw_sparkline(trend.values, min(width, _LONGEST_TREND), bars)


_SHORTEST_TREND = 8
