"""How much is said: ``-q`` and ``-v``, which may stand before the command or after."""

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
    """Keep a flag that may stand before the command or after it."""
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
    help="Say nothing but the answer.",
)


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
