"""The options ``-q`` and ``-v``; -q may be typed before the command too."""

from __future__ import annotations

from typing import Any

import click

__all__ = [
    "is_quiet",
    "is_verbose",
    "quiet_option",
    "shared_by_command",
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
