"""The tables of ``simulate``: steps of one log, logs side by side, runs x settings."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from cbreplay.callbacks.base import format_callback
from cbreplay.cli.options import is_quiet, say
from cbreplay.cli.output import Column, Format, print_json, print_table
from cbreplay.errors import ConfigError, MissingExtraError
from cbreplay.grid import Choices
from cbreplay.outcomes import was_still_improving
from cbreplay.replay import Replay, replay_run
from cbreplay.words import (
    decimals_for,
    spoken_counting,
    spoken_epoch,
    spoken_evidence,
    spoken_semantics,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pandas as pd

    from cbreplay.callbacks.base import Callback
    from cbreplay.cli.options import Question
    from cbreplay.cli.reductions import ReductionTable
    from cbreplay.grid import Grid
    from cbreplay.staircase import Staircase

__all__ = ["print_cells", "print_overview", "print_steps", "write_parquet"]

_MOST_CELLS = 1_000_000
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
_WATCHED_CELLS = 2_000
_FEW_CELLS = 50


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
    columns = [Column(key, titles.get(key, key), _plain) for key in keys]
    columns += [Column(name, name, _plain) for name in staircase.steps[0].others]
    rows = []
    for step in staircase.steps:
        row = {key: getattr(step, key) for key in keys} | dict(step.others)
        for key in keys:
            if key.endswith("_epoch") and row[key] is not None:
                row[key] += shift
        rows.append(row)
    print_table(columns, rows, output)


def print_overview(
    staircases: Sequence[Staircase], question: Question, output: Format
) -> None:
    """Print one line a log: its best epoch, and the patience that keeps it."""
    objective = staircases[0].replay.objective
    columns = [
        Column("run", "run", align="left"),
        Column("recorded_epochs", "epochs"),
        Column("best_value", f"best {objective}", _significant),
        Column("best_epoch", "at", spoken_epoch),
        Column("patience", "patience", _plain),
        Column("stopped_epoch", "stops at", spoken_epoch),
        Column("epochs_saved", "saved", _plain),
        Column("regret", _beside_best(one.replay for one in staircases), _significant),
    ]
    print_table(columns, [_overview_row(one) for one in staircases], output)
    if output == "table":
        say(*_overview_remarks(staircases, question))


def _overview_remarks(
    staircases: Sequence[Staircase], question: Question
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
        yield f"still improving at the end of the log: {', '.join(improving)}"
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


def print_cells(question: Question, output: Format) -> None:
    """Replay every setting on every run, and print one line each."""
    grid = question.grid
    if grid is None:
        message = "cells are printed for a question that names settings"
        raise AssertionError(message)
    replays = _replay_cells(question, grid)
    reductions = _reductions(question, grid, replays)
    if output == "json":
        own: dict[str, Any] = {}
        if reductions is not None:
            own["reductions"] = reductions.totals()
        print_json(
            "simulate",
            runs=question.runs,
            replays=replays,
            configs=_configs(grid),
            **own,
            notes=question.left_out,
        )
        return
    # many cells share a replay
    told = {id(replay): _told(replay) for *_, replay in _distinct(replays)}
    rows = [
        {"config": config} | grid.values_of(config) | told[id(replay)]
        for _, config, replay in replays
    ]
    columns = _cell_columns(question, grid, replays, output)
    if reductions is not None:
        rows = [row | cell for row, cell in zip(rows, reductions.cells(), strict=True)]
        # for people, the evidence stands last
        place = len(columns) - (output != "csv")
        columns[place:place] = reductions.columns(output)
    print_table(columns, rows, output)
    if reductions is not None and output != "csv":
        click.echo()
        axes = reductions.total_columns(_axes(grid))
        print_table(axes, reductions.total_rows(), output)
    if output == "table":
        say(*_cell_remarks(grid, [replay for *_, replay in _distinct(replays)]))


def _distinct(
    replays: Sequence[tuple[int, int, Replay]],
) -> list[tuple[int, int, Replay]]:
    """Return the first cell of each replay, in order."""
    first: dict[int, tuple[int, int, Replay]] = {}
    for cell in replays:
        first.setdefault(id(cell[2]), cell)
    return list(first.values())


def _reductions(
    question: Question, grid: Grid, replays: Sequence[tuple[int, int, Replay]]
) -> ReductionTable | None:
    """Return what a ReduceLROnPlateau of the list is seen to do on many runs."""
    if len(question.runs) == 1:
        return None
    from cbreplay.cli.reductions import ReductionTable, tells_of_reductions

    if not tells_of_reductions(grid, len(question.runs)):
        return None
    return ReductionTable(grid, replays)


def _replay_cells(question: Question, grid: Grid) -> list[tuple[int, int, Replay]]:
    cells = len(grid) * len(question.runs)
    if cells > _MOST_CELLS:
        sentence = (
            f"{len(question.runs)} runs and {len(grid)} settings make {cells} replays, "
            f"{_MOST_CELLS} at most. Name fewer settings"
        )
        raise ConfigError(sentence)
    options = _options(question)
    if cells < _FEW_CELLS:
        # the sweep costs more to import than this
        return [
            (i, j, replay_run(run, config, **options))
            for i, run in enumerate(question.runs)
            for j, config in enumerate(grid)
        ]
    from cbreplay.sweep import replay_cells

    if cells < _WATCHED_CELLS or is_quiet() or not sys.stderr.isatty():
        return replay_cells(question.runs, grid, **options)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("replaying", total=cells)
        return replay_cells(
            question.runs,
            grid,
            progress=lambda done, _: progress.update(task, completed=done),
            **options,
        )


def _options(question: Question) -> dict[str, Any]:
    """Return what `replay_run` and `sweep_runs` are asked with."""
    return {
        "semantics": question.semantics,
        "initial_learning_rate": question.initial_lr,
        "objective": question.objective,
        "objective_mode": question.objective_mode,
    }


def write_parquet(question: Question) -> None:
    """Write every cell of a sweep to standard output, as a Parquet file."""
    if question.grid is None:
        sentence = (
            "--format parquet is for settings. Name some with -c or --patience, or "
            "leave it out"
        )
        raise ConfigError(sentence)
    from cbreplay.sweep import sweep_runs

    _check_parquet()
    write_frame(
        sweep_runs(question.runs, question.grid, **_options(question)).to_frame()
    )


def write_frame(frame: pd.DataFrame) -> None:
    """Write a table to standard output, as a Parquet file.

    Raises
    ------
    ConfigError
        If standard output is a terminal.
    MissingExtraError
        If pyarrow is not installed.
    """
    _check_parquet()
    import io

    written = io.BytesIO()
    frame.to_parquet(written, engine="pyarrow", index=False)
    click.echo(written.getvalue(), nl=False)


def _check_parquet() -> None:
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


def _configs(grid: Grid) -> list[dict[str, Any]]:
    return [
        {
            "callbacks": [format_callback(one) for one in config],
            "parameters": grid.values_of(position),
        }
        for position, config in enumerate(grid)
    ]


def _told(replay: Replay) -> dict[str, Any]:
    """Return what the row of a cell tells of its replay."""
    outcome = replay.outcome
    first = replay.reductions[0].epoch if replay.reductions else None
    file = replay.saves[-1][1] if replay.saves else None
    return {
        "run": replay.run.name,
        "evidence": replay.evidence,
        "spoken": spoken_evidence(replay),
        "stopped_epoch": replay.stopped_epoch,
        "kept_epoch": replay.kept_epoch,
        "kept_value": outcome.kept_value,
        "regret": outcome.regret,
        "trained_epochs": outcome.trained_epochs,
        "epochs_saved": outcome.epochs_saved,
        "seconds_saved": outcome.seconds_saved,
        "bounds": ";".join(f"{name}:{kind}" for name, kind in outcome.bounds.items()),
        "provisional": ";".join(outcome.provisional),
        "first_reduction_epoch": first,
        "reductions": len(replay.reductions),
        "divergence_epoch": replay.divergence_epoch,
        "saves": len(replay.saves),
        "last_saved_file": file,
        "last_saved_epoch": None if file is None else replay.files[file],
        "shown_saved": f"{'<= ' if outcome.bounds else ''}{outcome.epochs_saved}",
        "shown_kept": _provisional(
            spoken_epoch(replay.kept_epoch), outcome.provisional
        ),
    }


def _cell_columns(
    question: Question,
    grid: Grid,
    replays: Sequence[tuple[int, int, Replay]],
    output: Format,
) -> list[Column]:
    axes = _axes(grid)
    if output == "csv":
        keys = (
            "evidence stopped_epoch kept_epoch kept_value regret trained_epochs "
            "epochs_saved seconds_saved bounds provisional first_reduction_epoch "
            "reductions divergence_epoch saves last_saved_file last_saved_epoch"
        )
        raw = [Column(key, key) for key in keys.split()]
        return [Column("run", "run"), Column("config", "config"), *axes, *raw]
    outcomes = [replay.outcome for *_, replay in replays]
    objectives = {replay.objective for *_, replay in replays}
    objective = objectives.pop() if len(objectives) == 1 else "kept value"
    decimals = decimals_for([one.kept_value for one in outcomes])
    named = [Column("run", "run", align="left")] if len(question.runs) > 1 else []
    reduces = []
    if any(entry.changes_learning_rate for entry in grid[0]):
        reduces = [Column("first_reduction_epoch", "first reduces", spoken_epoch)]
    saves = []
    if any(replay.saves for *_, replay in replays):
        saves = [
            Column("saves", "saves"),
            Column("last_saved_file", "last file", _plain, align="left"),
            Column("last_saved_epoch", "of epoch", spoken_epoch),
        ]
    return [
        *named,
        *axes,
        *reduces,
        Column("stopped_epoch", "stops at", spoken_epoch),
        Column("shown_kept", "keeps"),
        Column("kept_value", objective, _number(decimals)),
        Column(
            "regret", _beside_best(replay for *_, replay in replays), _number(decimals)
        ),
        Column("shown_saved", "saved"),
        *saves,
        Column("spoken", "evidence", align="left"),
    ]


def _axes(grid: Grid) -> list[Column]:
    return [Column(name, _axis_title(name, grid), _plain) for name in grid.parameters]


def _axis_title(name: str, grid: Grid) -> str:
    """Return the parameter's own name where only one callback varies it."""
    short = name.rpartition(".")[2]
    same = [one for one in grid.parameters if one.rpartition(".")[2] == short]
    return short if len(same) == 1 else name


def _cell_remarks(grid: Grid, replays: list[Replay]) -> list[str]:
    """Return what the table does not say: rules, settings, notes, doubts."""
    remarks = [f"[{', '.join(_written(entry) for entry in grid.entries)}]"]
    rules = sorted({spoken_semantics(one.semantics.name) for one in replays})
    counting = spoken_counting(one.run for one in replays)
    remarks.append(f"rules of {', '.join(rules)}; {counting}")
    if any(replay.outcome.provisional for replay in replays):
        remarks.append(
            "(in brackets): as if training had ended with the log; such figures are "
            "never compared"
        )
    unknown_to_keras = _unknown_to_keras(grid)
    if unknown_to_keras:
        remarks.append(
            f"Keras has no {' and no '.join(unknown_to_keras)}: with one setting, "
            "--keras-code prints the class to paste into a training script"
        )
    noted = [(one.run.name, (*one.run.notes, *one.notes)) for one in replays]
    for note in dict.fromkeys(note for _, notes in noted for note in notes):
        named = [name for name, notes in noted if note in notes]
        runs = list(dict.fromkeys(named))
        where = "" if len({one.run.name for one in replays}) == 1 else f"{runs[0]}: "
        more = f" (and {len(runs) - 1} more)" if len(runs) > 1 else ""
        remarks.append(f"note: {where}{note}{more}")
    return remarks


def _unknown_to_keras(grid: Grid) -> list[str]:
    """Return the rules of the list that are ours alone."""
    kinds = [
        one.kind if isinstance(one, Choices) else type(one) for one in grid.entries
    ]
    names = [one.__name__ for one in kinds if hasattr(one, "to_keras_code")]
    return list(dict.fromkeys(names))


def _written(entry: Callback | Choices) -> str:
    """Write a callback as Keras code, with ... for what is varied."""
    return entry.code if isinstance(entry, Choices) else format_callback(entry)


def _provisional(text: str, provisional: tuple[str, ...]) -> str:
    return f"({text})" if provisional else text


def _plain(value: object) -> str:
    return "-" if value is None else str(value)


def _beside_best(replays: Iterable[Replay]) -> str:
    """Name the regret: above the best where small is good, below it where large is."""
    modes = {replay.objective_mode for replay in replays}
    return (
        {"min": "above best", "max": "below best"}[modes.pop()]
        if len(modes) == 1
        else "off best"
    )


def _significant(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _number(decimals: int) -> Callable[[float | None], str]:
    return lambda value: "-" if value is None else f"{value:.{decimals}f}"
