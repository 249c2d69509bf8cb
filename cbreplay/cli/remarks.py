"""What is said beside an answer: on standard error, and among its notes."""

from __future__ import annotations

import contextlib
import sys

import click

from cbreplay.cli.loudness import is_quiet, shared_by_command
from cbreplay.cli.progress import aside
from cbreplay.errors import as_options

__all__ = ["noted", "remark", "say", "tell", "tell_lines"]


def tell(text: str, *, end: str = "\n") -> None:
    """Print on standard error; that this fails is ignored."""
    with contextlib.suppress(OSError), aside():
        click.echo(text + end, nl=False, err=True)


def tell_lines(*lines: str) -> None:
    """Print lines on standard error, wrapped and without control characters."""
    from cbreplay.plain_text import shortened
    from cbreplay.words import visible_text

    shown = [shortened(visible_text(line)) for line in lines]
    if sys.stderr.isatty():
        shown = [_between_words(line) for line in shown]
    tell("\n".join(shown))


def _between_words(line: str) -> str:
    """Wrap a line to the width of the terminal, which would break inside words."""
    import textwrap

    from cbreplay.cli.terminal import terminal_width

    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.fill(
        line,
        terminal_width(sys.stderr),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def say(*lines: str) -> None:
    """Print remarks on standard error, unless -q silences them."""
    if lines and not is_quiet():
        tell_lines(*map(as_options, lines))


def remark(*lines: str) -> None:
    """Print remarks about the whole answer, and keep them for its notes."""
    shared_by_command().setdefault("remarks", []).extend(lines)
    say(*lines)


def noted() -> list[str]:
    """Return the remarks so far, for the notes of an answer."""
    return list(shared_by_command().get("remarks", []))
