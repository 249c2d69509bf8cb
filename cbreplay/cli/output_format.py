"""The option ``--format``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, TypeVar

import click

__all__ = ["Format", "choose_format", "format_option"]

Format: TypeAlias = Literal["table", "json", "csv", "markdown"]
_Command = TypeVar("_Command", bound=Callable[..., Any] | click.Command)


def choose_format(*more: str, use: str = "") -> Callable[[_Command], _Command]:
    """Return a ``--format`` option with more forms, and what these are for."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(["table", "json", "csv", "markdown", *more]),
        default="table",
        show_default=True,
        help=f"How the answer is written{use}. In json and csv epochs count from 0.",
    )


format_option = choose_format()
