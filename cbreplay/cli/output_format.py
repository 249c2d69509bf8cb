"""In which form an answer is written: ``--format``."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import click

__all__ = ["Format", "format_option", "sweep_format_option"]

Format: TypeAlias = Literal["table", "json", "csv", "markdown"]


def format_option(function: Any) -> Any:  # noqa: ANN401 - click's decorators
    """Add ``--format`` to a command."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(["table", "json", "csv", "markdown"]),
        default="table",
        show_default=True,
        help="How the answer is written.",
    )(function)


def sweep_format_option(function: Any) -> Any:  # noqa: ANN401 - click's decorators
    """Add ``--format`` to a command that can answer with a sweep."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(["table", "json", "csv", "markdown", "parquet"]),
        default="table",
        show_default=True,
        help="How the answer is written; parquet is for many settings.",
    )(function)
