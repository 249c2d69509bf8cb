"""``cbreplay inspect``: which runs and series are there, and what was odd."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from cbreplay.cli.options import log_options
from cbreplay.cli.output import (
    Column,
    Format,
    format_option,
    print_json,
    print_table,
    terminal_width,
)
from cbreplay.cli.remarks import say
from cbreplay.words import count, visible_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.cli.question import Question
    from cbreplay.readers.discovery.training_files import Seen
    from cbreplay.run import Run

__all__ = ["command"]

# of more than so many series, so many are named
_MOST_SERIES, _FIRST_SERIES = 10, 6


@click.command("inspect")
@log_options
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Every series, and what became of each file that was there.",
)
@format_option
def command(question: Question, verbose: bool, output_format: Format) -> None:
    """Show which runs and series are there, and what was odd.

    \b
    cbreplay inspect logs.csv
    cbreplay inspect runs/ -v
    cbreplay inspect runs/ --format json
    """
    runs = question.runs
    seen = question.survey.seen
    if output_format == "json":
        notes = [_spoken(one) for one in seen] if verbose else []
        print_json("inspect", runs=runs, notes=notes)
        return
    few = output_format == "table" and not verbose
    print_table(_COLUMNS, [_row(run, few=few) for run in runs], output_format)
    if output_format == "table":
        for run in runs:
            for note in run.notes:
                click.echo("\n".join(_wrapped(f"{run.name}: {note}")))
        for line in [_spoken(one) for one in seen] if verbose else _summary(seen):
            click.echo(visible_text(line))
    elif verbose:
        say(*(_spoken(one) for one in seen))


def _spoken(one: Seen) -> str:
    return f"{one.fate}: {one.path} ({one.detail})"


def _summary(seen: Sequence[Seen]) -> list[str]:
    """Say how many files are in no run; nothing if none is."""
    fates = Counter(one.fate for one in seen if one.fate not in ("read", "joined"))
    if not fates:
        return []
    counted = ", ".join(f"{fates[fate]} {fate}" for fate in sorted(fates))
    return [f"{count(fates.total(), 'file')} in no run: {counted} (-v names them)"]


_COLUMNS = [
    Column("run", "run", align="left"),
    Column("epochs", "epochs"),
    Column("missing", "missing"),
    Column("planned", "planned", lambda value: "-" if value is None else str(value)),
    Column("learning_rate", "learning rate", align="left"),
    Column("series", "series", align="left"),
]


def _row(run: Run, *, few: bool) -> dict[str, Any]:
    rate = run.learning_rate
    known = [] if rate is None else rate.values[rate.recorded].tolist()
    span = f"{min(known):.3g} to {max(known):.3g}" if known else "-"
    if known and min(known) == max(known):
        span = f"{known[0]:.3g}"
    recorded = [series.recorded for series in run.series.values()]
    there = recorded[0].copy()
    for one in recorded[1:]:
        there |= one
    rows = "" if run.steps is None else " (evaluations)"
    return {
        "run": run.name,
        "epochs": f"{run.first_epoch + 1}-{run.horizon + 1}{rows}",
        "missing": run.n_epochs - int(there.sum()),
        "planned": run.planned_epochs,
        "learning_rate": span,
        "series": _few(list(run.series)) if few else " ".join(run.series),
    }


def _few(names: Sequence[str]) -> str:
    """Write names, of a great many only the first."""
    if len(names) <= _MOST_SERIES:
        return " ".join(names)
    more = len(names) - _FIRST_SERIES
    return f"{' '.join(names[:_FIRST_SERIES])} and {more} more (-v)"


def _wrapped(sentence: str) -> list[str]:
    return textwrap.wrap(
        visible_text(sentence),
        terminal_width(),
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
