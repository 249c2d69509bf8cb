"""What goes to standard error beside an answer; -q silences it."""

from __future__ import annotations

import click

__all__ = ["is_quiet", "say"]


def say(*lines: str) -> None:
    """Print remarks on standard error, which -q silences; text is made visible."""
    if lines and not is_quiet():
        from cbreplay.words import visible_text

        click.echo("\n".join(visible_text(line) for line in lines), err=True)


def is_quiet() -> bool:
    """Return whether nothing but the answer is wanted (-q)."""
    return bool(click.get_current_context().find_root().obj["quiet"])
