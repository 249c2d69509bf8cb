"""``cbreplay inspect``: which runs and series are there, and what was odd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cbreplay.cli.help import GroupedCommand
from cbreplay.cli.options import Format, format_option, log_options
from cbreplay.cli.progress import watch
from cbreplay.cli.remarks import is_verbose, say
from cbreplay.cli.typed import typed_logs

if TYPE_CHECKING:
    from cbreplay.cli.question import Question

__all__ = ["command"]


@click.command("inspect", cls=GroupedCommand)
@log_options
@format_option
def command(question: Question, output_format: Format) -> None:
    """Show which runs and series are there, and what was odd.

    \b
    cbreplay inspect logs.csv
    cbreplay inspect runs/ -v
    cbreplay inspect runs/ --format json
    """
    from cbreplay.answers.inspection import inspection_document
    from cbreplay.cli.written import print_document

    verbose = is_verbose()
    with watch("looking at every series"):
        document = inspection_document(
            question.runs,
            question.survey.seen,
            verbose=verbose,
            typed=typed_logs(question),
        )
    if verbose and output_format == "csv":
        say(*document.program()["notes"])
    print_document(document, output_format)
