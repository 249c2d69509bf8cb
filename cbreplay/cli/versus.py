"""``cbreplay simulate --versus``: one list of callbacks against another, run by run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from cbreplay.answers.comparison import RivalLists, comparison_document
from cbreplay.cli.remarks import say
from cbreplay.cli.written import print_document
from cbreplay.errors import ConfigError
from cbreplay.replay import replay_run
from cbreplay.replay.compare import compare_replays

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.cli.output import Format
    from cbreplay.cli.question import Question
    from cbreplay.grid import Grid
    from cbreplay.rules.base import Callback

__all__ = ["print_versus"]


def print_versus(
    question: Question, texts: tuple[str, ...], output: Format | Literal["parquet"]
) -> None:
    """Replay the list of -c and the list of --versus on every run, and compare.

    Raises
    ------
    ConfigError
        If one of the two is not one setting, or they are judged by different series.
    """
    if output == "parquet":
        sentence = "--format parquet is for grids; --versus has --format csv and json"
        raise ConfigError(sentence)
    first = _one_list(question.grid, "-c")
    rival = _one_list(_rival(question, texts), "--versus")
    compared = [
        compare_replays(
            replay_run(run, first, judging=question.judging),
            replay_run(run, rival, judging=question.judging),
        )
        for run in question.runs
    ]
    print_document(comparison_document(RivalLists(first, rival, compared)), output)


def _one_list(grid: Grid | None, option: str) -> Sequence[Callback]:
    if grid is not None and len(grid) == 1:
        setting: Sequence[Callback] = grid[0]
        return setting
    problem = "names none" if grid is None else f"names {len(grid)}"
    sentence = (
        f"--versus compares one list with one, and {option} {problem}. "
        'Give one value for each, for example -c "EarlyStopping(patience=5)" '
        '--versus "EarlyStopping(patience=10)"'
    )
    raise ConfigError(sentence)


def _rival(question: Question, texts: tuple[str, ...]) -> Grid:
    from cbreplay.expressions import read_expressions
    from cbreplay.grid import make_grid

    read = read_expressions(texts, question.monitor_and_mode)
    say(*(f"note: {note}" for note in read.notes))
    return make_grid(read.entries)
