"""``cbreplay report``: the answer as one self-contained page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cbreplay.cli.help import GroupedCommand
from cbreplay.cli.options import advice_options, choosing_options, log_options
from cbreplay.cli.progress import watch
from cbreplay.cli.refusals import check_replays, refuse_advising, reserve_output
from cbreplay.cli.remarks import echo_path
from cbreplay.cli.typed import command_line
from cbreplay.cli.working_directory import import_matplotlib

if TYPE_CHECKING:
    from cbreplay.cli.question import Question
    from cbreplay.document import Document
    from cbreplay.grid import Grid
    from cbreplay.recommend import Advising

__all__ = ["command"]


@click.command("report", cls=GroupedCommand)
@log_options
@choosing_options
@advice_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="An .html or .md file.",
)
def command(question: Question, output: Path, *, advising: Advising) -> None:
    """Write a page: what settings would have done, and what to doubt about it.

    Of several runs it begins with what cbreplay recommend says.

    \b
    cbreplay report logs.csv
    cbreplay report runs/ --tolerance 0.5%
    cbreplay report runs/ --patience 5 -o five.html
    cbreplay report logs.csv --patience 5,10,20
    cbreplay report runs/ --monitor val_loss,val_accuracy --objective val_accuracy
    """
    reserve_output(output, question.inputs, (".html", ".md", ".htm"))
    import_matplotlib()
    from cbreplay.report import write_report

    if question.grid is not None and len(question.grid) > 1:
        document = _page_of_settings(question, question.grid)
    else:
        document = _page(question, advising)
    with watch("drawing the page"):
        written = write_report(document, output)
    echo_path(written)


def _page(question: Question, advising: Advising) -> Document:
    """Return the page about every patience, or about one setting."""
    from cbreplay.report import build_report

    several = len(question.monitors) > 1
    with watch("trying every patience") as tell:
        return build_report(
            question.runs,
            callbacks=None if question.grid is None else question.grid[0],
            monitor=question.monitors if several or question.named_monitor else None,
            mode=question.watched_mode,
            keep=question.keep or "best",
            judging=question.judging,
            **advising._asdict(),
            progress=tell,
            command=command_line(),
            made=_now(),
        )


def _page_of_settings(question: Question, grid: Grid) -> Document:
    """Return the page about several settings beside each other."""
    from cbreplay.report import build_settings_report

    refuse_advising("a page of several settings", "Name one setting or none")
    question.leave_out_unmonitored()
    check_replays(question.runs, grid, question.reading.max_bytes)
    with watch("replaying") as tell:
        return build_settings_report(
            question.runs,
            grid,
            judging=question.judging,
            progress=tell,
            command=command_line(),
            made=_now(),
        )


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
