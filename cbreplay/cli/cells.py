"""The table of ``simulate`` with settings: every run under every setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cbreplay.answers.overview import beside_best
from cbreplay.cli.output import Column, Format, print_json, print_table
from cbreplay.cli.progress import watch
from cbreplay.cli.remarks import say
from cbreplay.errors import ConfigError
from cbreplay.grid import Choices
from cbreplay.replay import Replay, replay_run
from cbreplay.rules.base import format_callback
from cbreplay.words import (
    decimals_for,
    spoken_counting,
    spoken_epoch,
    spoken_evidence,
    spoken_semantics,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.cli.question import Question
    from cbreplay.cli.reductions import ReductionTable
    from cbreplay.grid import Grid
    from cbreplay.rules.base import Callback

__all__ = ["print_cells"]

_MOST_CELLS = 1_000_000
_FEW_CELLS = 50


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
    if cells < _FEW_CELLS:
        # the sweep costs more to import than this
        return [
            (i, j, replay_run(run, config, judging=question.judging))
            for i, run in enumerate(question.runs)
            for j, config in enumerate(grid)
        ]
    from cbreplay.sweep import replay_cells

    with watch("replaying") as tell:
        return replay_cells(
            question.runs, grid, progress=tell, judging=question.judging
        )


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
            Column("last_saved_file", "last file", plain, align="left"),
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
            "regret", beside_best(replay for *_, replay in replays), _number(decimals)
        ),
        Column("shown_saved", "saved"),
        *saves,
        Column("spoken", "evidence", align="left"),
    ]


def _axes(grid: Grid) -> list[Column]:
    return [Column(name, _axis_title(name, grid), plain) for name in grid.parameters]


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


def _number(decimals: int) -> Callable[[float | None], str]:
    return lambda value: "-" if value is None else f"{value:.{decimals}f}"


def plain(value: object) -> str:
    """Write a value that may be absent."""
    return "-" if value is None else str(value)
