"""What click says of a command line that it does not take, and what to type instead."""

from __future__ import annotations

import io
import re

import click

from cbreplay.wording.near_names import nearest_name
from cbreplay.wording.words import list_names

__all__ = ["spoken_usage"]

# click's words, and what they mean
_PLAINLY = {
    "is not a valid integer range": "is not a whole number",
    "is not a valid integer": "is not a whole number",
    "is not a valid float range": "is not a number",
    "is not a valid float": "is not a number",
}
_SHOWN_COMMANDS = 3


def spoken_usage(error: click.ClickException) -> str:
    """Return the usage of a command, and what was wrong with how it was typed."""
    if isinstance(error, click.NoSuchOption):
        name, others = error.option_name, _other_commands(error) or _long_options(error)
        if others:
            # the option exists: no other one of a similar name is meant
            told = f"No such option {name!r}.{others}"
            error = click.NoSuchOption(name, told, ctx=error.ctx)
    shown = io.StringIO()
    error.show(shown)
    usage = shown.getvalue().rstrip().expandtabs(4)
    for clicks, plain in _PLAINLY.items():
        usage = usage.replace(clicks, plain)
    if isinstance(error, click.BadParameter):
        usage += _nearest_choice(error)
    return usage


def _nearest_choice(error: click.BadParameter) -> str:
    """Return which of the choices of an option a misspelt value may have meant."""
    told = re.match("'(.+)' is not one of '", error.message)
    kind = None if error.param is None else error.param.type
    if told is None or not isinstance(kind, click.Choice):
        return ""
    return nearest_name(told[1], map(str, kind.choices)).replace("; did", " Did")


def _long_options(error: click.NoSuchOption) -> str:
    """Return which options -p may have meant, of which click reads only a letter."""
    name, context = error.option_name, error.ctx
    if context is None or name.startswith("--"):
        return ""
    options = [option for own in context.command.params for option in own.opts]
    found = [option for option in options if option.startswith(f"-{name}")]
    told = (
        f" A name of several letters takes two dashes: {list_names(found, len(found))}."
    )
    return told if found else ""


def _other_commands(error: click.NoSuchOption) -> str:
    """Return which commands have an option that this one lacks."""
    context = error.ctx
    group = None if context is None else context.find_root().command
    if context is None or not isinstance(group, click.Group):
        return ""
    found = [
        f"cbreplay {name} {error.option_name}"
        for name in group.list_commands(context)
        if (command := group.get_command(context, name)) is not None
        and any(error.option_name in parameter.opts for parameter in command.params)
    ]
    return f" There is {list_names(found, _SHOWN_COMMANDS)}." if found else ""
