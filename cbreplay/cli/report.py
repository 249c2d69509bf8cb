"""``cbreplay report``: the answer as one self-contained page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cbreplay.cli.options import (
    advice_options,
    log_options,
    setting_options,
)
from cbreplay.cli.outputs import echo_path, reserve_output
from cbreplay.cli.progress import watch
from cbreplay.cli.surroundings import import_matplotlib
from cbreplay.errors import ConfigError

if TYPE_CHECKING:
    from cbreplay.cli.question import Question
    from cbreplay.recommend import Advising
    from cbreplay.rules.base import Callback

__all__ = ["command"]


@click.command("report")
@log_options
@setting_options
@advice_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="An .html or .md file.",
)
def command(
    question: Question,
    output: Path,
    *,
    advising: Advising,
) -> None:
    """Write a page: what settings would have done, and what to doubt about it.

    Of several runs it begins with what cbreplay recommend says.

    \b
    cbreplay report logs.csv
    cbreplay report runs/ --tolerance 0.5%
    cbreplay report runs/ --patience 5 -o five.html
    cbreplay report runs/ --monitor val_loss,val_accuracy --objective val_accuracy
    """
    reserve_output(output, question.inputs, (".html", ".md", ".htm"))
    import_matplotlib()
    from cbreplay.report import build_report, write_report

    runs, callbacks = question.runs, _setting(question)
    several = len(question.monitors) > 1
    with watch("trying every patience") as tell:
        document = build_report(
            runs,
            callbacks=callbacks,
            monitor=question.monitors if several or question.named_monitor else None,
            mode=question.watched_mode,
            keep=question.keep or "best",
            judging=question.judging,
            **advising._asdict(),
            progress=tell,
            command=question.command_line,
            made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        )
    echo_path(write_report(document, output))


def _setting(question: Question) -> tuple[Callback, ...] | None:
    """Return the one setting that is asked about; None without any."""
    if question.grid is None:
        return None
    if len(question.grid) != 1:
        sentence = (
            f"a page is about one setting, and -c or --patience names "
            f"{len(question.grid)}. Choose one, or compare them: cbreplay simulate"
        )
        raise ConfigError(sentence)
    callbacks: tuple[Callback, ...] = question.grid[0]
    return callbacks
