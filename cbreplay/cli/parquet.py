"""Sweeps as a Parquet file on standard output."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from cbreplay.cli.progress import watch
from cbreplay.cli.refusals import check_replays, named_settings
from cbreplay.errors import ConfigError, MissingExtraError
from cbreplay.wording.plain_text import without_secrets

if TYPE_CHECKING:
    import pandas as pd

    from cbreplay.cli.question import Question

__all__ = ["check_parquet", "write_frame", "write_parquet"]


def write_parquet(question: Question) -> None:
    """Write every cell of a sweep to standard output, as a Parquet file."""
    grid = named_settings(question.grid, "--format parquet")
    from cbreplay.sweep import sweep_runs

    check_replays(question.runs, grid, question.reading.max_bytes, _AS_COLUMNS)
    with watch("replaying") as tell:
        sweep = sweep_runs(question.runs, grid, judging=question.judging, progress=tell)
    write_frame(sweep.to_frame())


# so many cells of a sweep as columns of numbers take the memory of one as objects
_AS_COLUMNS = 10


def write_frame(frame: pd.DataFrame) -> None:
    """Write a table to standard output, as a Parquet file without secrets of URLs."""
    import io

    written = io.BytesIO()
    texts = frame.select_dtypes(exclude=["number", "bool", "category"])
    shown = frame.assign(**{str(name): texts[name].map(_shown) for name in texts})
    shown.to_parquet(written, engine="pyarrow", index=False)
    click.echo(written.getvalue(), nl=False)


def _shown(cell: object) -> object:
    return without_secrets(cell) if isinstance(cell, str) else cell


def check_parquet() -> None:
    """Refuse to write Parquet to a terminal or without pyarrow, before any work.

    Raises
    ------
    ConfigError
        If standard output is a terminal.
    MissingExtraError
        If pyarrow is not installed.
    """
    if sys.stdout.isatty():
        sentence = (
            "--format parquet writes bytes, which a terminal cannot show. "
            "Redirect them: > cells.parquet"
        )
        raise ConfigError(sentence)
    try:
        import pyarrow  # noqa: F401, ICN001 - pandas writes with it
    except ImportError as error:
        what = "--format parquet"
        raise MissingExtraError(what, extra="parquet", missing="pyarrow") from error
