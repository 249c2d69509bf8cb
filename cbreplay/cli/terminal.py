"""What a terminal shows: how wide it is, what is bold, which colour marks a row."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from cbreplay.writers.lines import ASCII_BARS, BARS

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["bars", "emphasise", "mark", "terminal_width"]

_IN_A_PIPE = 80
_NARROWEST, _WIDEST = 40, 400


def terminal_width(stream: TextIO | None = None) -> int:
    """Return the columns to write in: those of the terminal, 80 in a pipe.

    Standard output is asked, unless another stream is given.
    """
    stream = sys.stdout if stream is None else stream
    if not stream.isatty():
        return _IN_A_PIPE
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        return _IN_A_PIPE
    return min(max(columns, _NARROWEST), _WIDEST)


def emphasise(line: str) -> str:
    """Write a line in bold where a terminal shows it."""
    return click.style(line, bold=True) if _has_styles() else line


def mark(line: str) -> str:
    """Write a line in green where a terminal shows it and colours are wanted."""
    if not _has_styles() or os.environ.get("NO_COLOR"):
        return line
    return click.style(line, fg="green")


def _has_styles() -> bool:
    return os.environ.get("TERM") != "dumb" and sys.stdout.isatty()


def bars() -> str:
    """Return the characters of a line that this terminal can show."""
    try:
        BARS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII_BARS
    return BARS
