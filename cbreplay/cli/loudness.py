"""How much is said: ``-q`` and ``-v``, which may stand before the command or after."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["is_quiet", "is_verbose", "shared_by_command"]


def is_quiet() -> bool:
    """Return whether nothing but the answer is wanted (-q)."""
    return bool(shared_by_command()["quiet"])


def is_verbose() -> bool:
    """Return whether what nearly every answer would say is wanted too (-v)."""
    return bool(shared_by_command().get("verbose"))


def shared_by_command() -> dict[str, Any]:
    """Return what holds for the whole command that is being answered."""
    shared: dict[str, Any] = click.get_current_context().find_root().obj
    return shared
