"""What is said beside an answer, on standard error; the options -q and -v."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import click

from cbreplay.errors import as_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = [
    "aside",
    "echo_path",
    "is_quiet",
    "is_verbose",
    "noted",
    "quiet_option",
    "remark",
    "say",
    "say_notes",
    "shared_by_command",
    "tell",
    "tell_lines",
    "verbose_option",
]


def _keep_for_all(
    context: click.Context, parameter: click.Parameter, value: bool
) -> None:
    """Store a flag for the whole command line, wherever it is typed."""
    if value and parameter.name:
        context.find_root().obj[parameter.name] = True


verbose_option = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    expose_value=False,
    callback=_keep_for_all,
    help="Say more: what nearly every answer would say, and every run, series and file "
    "by its name.",
)
quiet_option = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=_keep_for_all,
    help="Say nothing but the answer and its doubts: no remarks beside it, no progress "
    "and no next command.",
)


def is_quiet() -> bool:
    """Return whether nothing but the answer is wanted (-q)."""
    return bool(shared_by_command()["quiet"])


def is_verbose() -> bool:
    """Return whether what nearly every answer would say is wanted too (-v)."""
    return bool(shared_by_command().get("verbose"))


def shared_by_command() -> dict[str, Any]:
    """Return the dict of what is shared by everything that runs in one command."""
    shared: dict[str, Any] = click.get_current_context().find_root().obj
    return shared


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """Hide the progress line while other lines are printed."""
    context = click.get_current_context(silent=True)
    line = context.find_root().obj.get("line") if context is not None else None
    if line is None:
        yield
        return
    with line.lock:
        line.hide()
        yield
        line.show_if_due()


def tell(text: str) -> None:
    """Print on standard error; that this fails is ignored."""
    with contextlib.suppress(OSError), aside():
        click.echo(text, err=True)


def tell_lines(*lines: str) -> None:
    """Print lines on standard error, wrapped and without control characters."""
    from cbreplay.wording.plain_text import shortened
    from cbreplay.wording.words import visible_text

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


def say_notes(notes: Iterable[str]) -> None:
    """Print notes on what was read, unless -q silences them."""
    say(*(f"note: {note}" for note in notes))


def remark(*lines: str) -> None:
    """Print remarks about the whole answer, and keep them for its notes."""
    shared_by_command().setdefault("remarks", []).extend(lines)
    say(*lines)


def noted() -> list[str]:
    """Return the remarks so far, for the notes of an answer."""
    return list(shared_by_command().get("remarks", []))


def echo_path(path: Path) -> None:
    """Print the path of a file that was written, without control characters."""
    from cbreplay.wording.words import visible_text

    with aside():
        click.echo(visible_text(str(path)))
