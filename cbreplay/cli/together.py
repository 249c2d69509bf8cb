"""Options that ask for two answers at once: none is passed over in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cbreplay.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["refuse_advising", "refuse_beside"]


def refuse_beside(option: str, why: str, others: Mapping[str, object]) -> None:
    """Refuse those of the others that have a value.

    Parameters
    ----------
    option : str
        What they do not go with.
    why : str
        What it does: ``"prints a setting as code"``.
    others : mapping of str to object
        The options, each with its value where that is not the usual one.

    Raises
    ------
    ConfigError
        If there is one, with the first.
    """
    given = [name for name, value in others.items() if value]
    if given:
        sentence = f"{option} {why}, and does not go with {given[0]}. Leave one out"
        raise ConfigError(sentence)


def refuse_advising(shown: str, instead: str) -> None:
    """Refuse what is typed about a recommendation, where none is shown.

    What a pyproject.toml says of recommendations is for the commands that make them.

    Parameters
    ----------
    shown : str
        What shows none: ``"--kind curve"``.
    instead : str
        What to choose.

    Raises
    ------
    ConfigError
        If there is such an option, with the first.
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
