"""The tables of ``simulate`` without settings: steps of one log, logs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.cli.output import Column, Format, print_table
from cbreplay.cli.remarks import say
from cbreplay.outcomes import was_still_improving
from cbreplay.words import list_names, spoken_epoch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.cli.question import Question
    from cbreplay.replay import Replay
    from cbreplay.staircase import Staircase

__all__ = ["beside_best", "plain", "print_overview", "print_steps"]

# headings for people, whose epochs count from 1; CSV has the names, which count from 0
_STEP_TITLES = {
    "first_patience": "patience from",
    "last_patience": "patience to",
    "first_stopped_epoch": "stops at, from",
    "last_stopped_epoch": "stops at, to",
    "kept_epoch": "keeps",
    "most_epochs_saved": "saved, at most",
    "fewest_epochs_saved": "saved, at least",
}
_MOST_NAMES = 3


def print_steps(staircase: Staircase, output: Format) -> None:
    """Print one log's steps as CSV or Markdown, epochs zero-based in CSV alone."""
    objective, shift = staircase.replay.objective, 0 if output == "csv" else 1
    keys = [
        "first_patience",
        "last_patience",
        "first_stopped_epoch",
        "last_stopped_epoch",
        "evidence",
        "kept_epoch",
        "kept_value",
        "regret",
        "most_epochs_saved",
        "fewest_epochs_saved",
    ]
    titles = _STEP_TITLES | {"kept_value": objective} if shift else {}
    columns = [Column(key, titles.get(key, key), plain) for key in keys]
    columns += [Column(name, name, plain) for name in staircase.steps[0].others]
    rows = []
    for step in staircase.steps:
        row = {key: getattr(step, key) for key in keys} | dict(step.others)
        for key in keys:
            if key.endswith("_epoch") and row[key] is not None:
                row[key] += shift
        rows.append(row)
    print_table(columns, rows, output)


def print_overview(
    staircases: Sequence[Staircase],
    question: Question,
    output: Format,
    *,
    verbose: bool = False,
) -> None:
    """Print one line a log: its best epoch, and the patience that keeps it.

    Parameters
    ----------
    staircases : sequence of Staircase
        The logs' answers.
    question : Question
        What was asked, for the next command.
    output : {"table", "csv", "markdown"}
        How they are written.
    verbose : bool
        Whether the remarks name every run.
    """
    objective = staircases[0].replay.objective
    columns = [
        Column("run", "run", align="left"),
        Column("recorded_epochs", "epochs"),
        Column("best_value", f"best {objective}", _significant),
        Column("best_epoch", "at", spoken_epoch),
        Column("patience", "patience", plain),
        Column("stopped_epoch", "stops at", spoken_epoch),
        Column("epochs_saved", "saved", plain),
        Column("regret", beside_best(one.replay for one in staircases), _significant),
    ]
    print_table(columns, [_overview_row(one) for one in staircases], output)
    if output == "table":
        say(*_overview_remarks(staircases, question, verbose=verbose))


def _overview_remarks(
    staircases: Sequence[Staircase], question: Question, *, verbose: bool
) -> Iterator[str]:
    yield (
        "patience: the smallest that comes nearest to the best on record and stops "
        "inside the log"
    )
    improving = [
        one.replay.run.name
        for one in staircases
        if was_still_improving(
            one.replay.run, one.replay.objective, one.replay.objective_mode
        )
    ]
    if improving:
        most = len(improving) if verbose else _MOST_NAMES
        named = list_names(improving, most)
        hint = " (-v names them)" if len(improving) > most else ""
        yield f"still improving at the end of the log: {named}{hint}"
    yield "each run describes itself; none promises the next"
    yield f"next: cbreplay simulate {question.typed()} --patience 3,5,10,20"


def _overview_row(staircase: Staircase) -> dict[str, Any]:
    run, step = staircase.replay.run, staircase.sufficient_step()
    return {
        "run": run.name,
        "recorded_epochs": run.recorded_epochs,
        "best_epoch": staircase.best_epoch,
        "best_value": staircase.best_value,
        "patience": None if step is None else step.first_patience,
        "stopped_epoch": None if step is None else step.first_stopped_epoch,
        "epochs_saved": None if step is None else step.most_epochs_saved,
        "regret": None if step is None else step.regret,
    }


def plain(value: object) -> str:
    """Write a value that may be absent."""
    return "-" if value is None else str(value)


def beside_best(replays: Iterable[Replay]) -> str:
    """Name the regret: above the best where small is good, below it where large is."""
    modes = {replay.objective_mode for replay in replays}
    return (
        {"min": "above best", "max": "below best"}[modes.pop()]
        if len(modes) == 1
        else "off best"
    )


def _significant(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
