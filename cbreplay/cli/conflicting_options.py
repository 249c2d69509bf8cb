"""Refuse options that do not go together, so that none is silently ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cbreplay.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["refuse_advising", "refuse_beside"]


def refuse_beside(option: str, why: str, others: Mapping[str, object]) -> None:
    """Refuse other options beside one.

    Parameters
    ----------
    option : str
        The option that they do not go with.
    why : str
        What it does: ``"prints a setting as code"``.
    others : mapping of str to object
        The other options with their values; a false value means that it is not given.

    Raises
    ------
    ConfigError
        If one is given; the first is named.
    """
    given = [name for name, value in others.items() if value]
    if given:
        sentence = f"{option} {why}, and does not go with {given[0]}. Leave one out"
        raise ConfigError(sentence)


def refuse_advising(shown: str, instead: str) -> None:
    """Refuse options about a recommendation in a command that shows none.

    Those that come from a pyproject.toml are ignored. `shown` is what shows none, as
    ``"--kind curve"``; `instead` what to choose instead.

    Raises
    ------
    ConfigError
        If one was typed; the first is named.
    """
    from cbreplay.recommend import Advising

    context = click.get_current_context()
    typed = click.core.ParameterSource.COMMANDLINE
    for name in Advising._fields:
        if context.get_parameter_source(name) is typed:
            sentence = (
                f"--{name.replace('_', '-')} is about a recommendation, which {shown} "
                f"does not show. {instead}, or leave it out"
            )
            raise ConfigError(sentence)
