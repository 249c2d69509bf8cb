"""``simulate`` with settings: every run under every setting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.answers.deciding import decide_fits, decide_settings
from cbreplay.answers.settings import settings_document
from cbreplay.cli.limits import check_replays
from cbreplay.cli.progress import watch
from cbreplay.cli.written import print_document

if TYPE_CHECKING:
    from cbreplay.cli.options import Format
    from cbreplay.cli.question import Question
    from cbreplay.grid import Grid

__all__ = ["print_cells"]


def print_cells(
    question: Question,
    grid: Grid,
    output: Format,
    *,
    same_callbacks: bool = False,
    each: bool = False,
) -> None:
    """Decide every setting on every run, and print the answer.

    With `same_callbacks` the runs are fits under the same callback instances; with
    `each` every run is shown below the summary of the settings.
    """
    check_replays(question, grid)
    with watch("replaying") as tell:
        if same_callbacks:
            cells = decide_fits(question.runs, grid, question.judging)
        else:
            cells = decide_settings(
                question.runs, grid, question.judging, tell, replayed=output == "json"
            )
    document = settings_document(
        cells,
        typed=question.typed(),
        typed_setting=question.typed_setting(),
        by_options=not question.expressions,
        # with --same-callbacks each fit is a row: it depends on the one before
        each=each or same_callbacks,
    )
    print_document(document, output)
