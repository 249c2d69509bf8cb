"""Tables, JSON and CSV on standard output; everything else goes to standard error."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import click

from cbreplay.answers.describe import describe_results
from cbreplay.cli.remarks import noted
from cbreplay.words import visible_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cbreplay.replay import Replay
    from cbreplay.run import Run

__all__ = [
    "Column",
    "Format",
    "format_option",
    "print_json",
    "print_table",
    "sweep_format_option",
    "terminal_width",
]

Format: TypeAlias = Literal["table", "json", "csv", "markdown"]
_NARROWEST = 80
_WIDEST = 120


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


class Column(NamedTuple):
    """A column of a table.

    Parameters
    ----------
    key : str
        Its name in CSV.
    title : str
        Its heading for people.
    spoken : callable
        Turns a value into what people read.
    align : {"left", "right"}
        Where it stands.
    """

    key: str
    title: str
    spoken: Callable[[Any], str] = str
    align: Literal["left", "right"] = "right"


def print_table(
    columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], output: Format
) -> None:
    """Print rows as a table for people, as CSV with full precision, or as Markdown."""
    if output == "csv":
        click.echo(_as_csv(columns, rows), nl=False)
        return
    cells = [
        [visible_text(column.spoken(row[column.key])) for column in columns]
        for row in rows
    ]
    if output == "markdown":
        click.echo(_as_markdown(columns, cells))
    elif sys.stdout.isatty():
        _print_rich(columns, cells)
    else:
        click.echo("\n".join(_as_plain(columns, cells)))


def _as_csv(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.key for column in columns])
    for row in rows:
        writer.writerow(
            ["" if row[one.key] is None else row[one.key] for one in columns]
        )
    return text.getvalue()


def _as_markdown(columns: Sequence[Column], cells: list[list[str]]) -> str:
    rules = ["---:" if column.align == "right" else ":---" for column in columns]
    lines = [[column.title for column in columns], rules, *cells]
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)


def _as_plain(columns: Sequence[Column], cells: list[list[str]]) -> list[str]:
    lines = [[column.title for column in columns], *cells]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return [
        "  ".join(
            cell.rjust(width) if column.align == "right" else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        ).rstrip()
        for line in lines
    ]


def _print_rich(columns: Sequence[Column], cells: list[list[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(Text(column.title), justify=column.align, overflow="fold")
    for line in cells:
        table.add_row(*(Text(cell) for cell in line))
    Console(width=terminal_width(), highlight=False).print(table)


def terminal_width() -> int:
    """Return the columns to write in: 80, or more if the terminal is wider."""
    if not sys.stdout.isatty():
        return _NARROWEST
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        return _NARROWEST
    return min(max(columns, _NARROWEST), _WIDEST)


def print_json(
    command: str,
    *,
    runs: Sequence[Run],
    replays: Sequence[tuple[int, int, Replay]] = (),
    configs: Sequence[Mapping[str, Any]] = (),
    notes: Sequence[str] = (),
    semantics: str | None = None,
    **own: Any,  # noqa: ANN401 - a command's own part
) -> None:
    """Print the JSON answer of a command.

    Parameters
    ----------
    command : str
        Its name.
    runs : sequence of Run
        What was read.
    replays : sequence of (run, config, Replay)
        The results, with their indices.
    configs : sequence of mapping
        The settings.
    notes : sequence of str
        What concerns the whole answer.
    semantics : str, optional
        Whose rules they are; those of the first result by default.
    **own
        The command's own part of the answer.
    """
    from cbreplay.writers.as_json import answer_as_json

    members = describe_results(runs, replays)
    members["configs"] = list(configs)
    members["notes"] = [*notes, *members["notes"]]
    if semantics is not None:
        members["semantics"] = semantics
    click.echo(answer_as_json(command, members | own, noted()))
