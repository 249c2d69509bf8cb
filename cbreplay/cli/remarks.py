"""What is said beside an answer: on standard error, and among its notes."""

from __future__ import annotations

import contextlib
from typing import Any

import click

from cbreplay.errors import as_options

__all__ = ["is_quiet", "is_verbose", "noted", "remark", "say", "tell", "tell_lines"]


def tell(text: str, *, end: str = "\n") -> None:
    """Print on standard error; an answer does not hang on whether that can be done."""
    with contextlib.suppress(OSError):
        click.echo(text + end, nl=False, err=True)


def tell_lines(*lines: str) -> None:
    """Print lines on standard error: no secrets, nothing that steers a terminal."""
    from cbreplay.plain_text import shortened
    from cbreplay.words import visible_text

    shown = (shortened(visible_text(line)) for line in lines)
    tell("\n".join(shown))


def say(*lines: str) -> None:
    """Print remarks on standard error, which -q silences; text is made visible."""
    if lines and not is_quiet():
        tell_lines(*map(as_options, lines))


def remark(*lines: str) -> None:
    """Say what concerns the whole answer, and keep it for the answer's notes."""
    _root().setdefault("remarks", []).extend(lines)
    say(*lines)


def noted() -> list[str]:
    """Return what has been remarked, for an answer that carries its own notes."""
    return list(_root().get("remarks", []))


def is_quiet() -> bool:
    """Return whether nothing but the answer is wanted (-q)."""
    return bool(_root()["quiet"])


def is_verbose() -> bool:
    """Return whether what nearly every answer would say is wanted too (-v)."""
    return bool(_root().get("verbose"))


def _root() -> dict[str, Any]:
    shared: dict[str, Any] = click.get_current_context().find_root().obj
    return shared
