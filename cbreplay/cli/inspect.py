"""``cbreplay inspect``: which runs and series are there, and what was odd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cbreplay.cli.options import Question, log_options
from cbreplay.cli.output import (
    Column,
    Format,
    format_option,
    print_json,
    print_table,
)
from cbreplay.words import visible_text

if TYPE_CHECKING:
    from cbreplay.run import Run

__all__ = ["command"]


@click.command("inspect")
@log_options
@format_option
def command(question: Question, output_format: Format) -> None:
    """Show which runs and series are there, and what was odd.

    \b
    cbreplay inspect logs.csv
    cbreplay inspect runs/ --format json
    """
    runs = question.runs
    if output_format == "json":
        print_json("inspect", runs=runs)
        return
    print_table(_COLUMNS, [_row(run) for run in runs], output_format)
    if output_format == "table":
        for run in runs:
            for note in run.notes:
                click.echo(f"{visible_text(run.name)}: {visible_text(note)}")


_COLUMNS = [
    Column("run", "run", align="left"),
    Column("epochs", "epochs"),
    Column("missing", "missing"),
    Column("planned", "planned", lambda value: "-" if value is None else str(value)),
    Column("learning_rate", "learning rate", align="left"),
    Column("series", "series", align="left"),
]


def _row(run: Run) -> dict[str, Any]:
    rate = run.learning_rate
    known = [] if rate is None else rate.values[rate.recorded].tolist()
    span = f"{min(known):.3g} to {max(known):.3g}" if known else "-"
    if known and min(known) == max(known):
        span = f"{known[0]:.3g}"
    missing = sum(not any(column) for column in zip(*_masks(run), strict=True))
    return {
        "run": run.name,
        "epochs": f"{run.first_epoch + 1}-{run.horizon + 1}",
        "missing": missing,
        "planned": run.planned_epochs,
        "learning_rate": span,
        "series": " ".join(run.series),
    }


def _masks(run: Run) -> list[list[bool]]:
    return [series.recorded.tolist() for series in run.series.values()]
