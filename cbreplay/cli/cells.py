"""The table of ``simulate`` with settings: every run under every setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cbreplay.answers.setting_cells import decide_settings, replay_settings
from cbreplay.cli.output import Column, Format, print_json, print_table
from cbreplay.cli.progress import watch
from cbreplay.cli.remarks import say
from cbreplay.grid import Choices
from cbreplay.rules.base import format_callback
from cbreplay.words import (
    decimals_for,
    spoken_counting,
    spoken_epoch,
    spoken_limit,
    spoken_semantics,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.cli.question import Question
    from cbreplay.cli.reductions import ReductionTable
    from cbreplay.grid import Grid
    from cbreplay.rules.base import Callback

__all__ = ["print_cells"]

_CSV_COLUMNS = (
    "evidence stopped_epoch kept_epoch kept_value regret trained_epochs epochs_saved "
    "seconds_saved bounds provisional first_reduction_epoch reductions "
    "divergence_epoch saves last_saved_file last_saved_epoch"
)


def print_cells(question: Question, output: Format) -> None:
    """Decide every setting on every run, and print one line each."""
    grid = question.grid
    if grid is None:
        message = "cells are printed for a question that names settings"
        raise AssertionError(message)
    if output == "json":
        _print_as_json(question, grid)
        return
    with watch("replaying") as tell:
        cells = decide_settings(question.runs, grid, question.judging, tell)
    reductions = _reductions(cells)
    if output == "csv":
        _print_as_csv(cells, reductions)
        return
    rows = _rows(cells)
    columns = _cell_columns(cells)
    if reductions is not None:
        rows = [row | cell for row, cell in zip(rows, reductions.cells(), strict=True)]
        columns[-1:-1] = reductions.columns(output)
    print_table(columns, rows, output)
    if reductions is not None:
        click.echo()
        axes = reductions.total_columns(_axes(grid))
        print_table(axes, reductions.total_rows(), output)
    if output == "table":
        say(*_cell_remarks(cells))


def _print_as_json(question: Question, grid: Grid) -> None:
    from cbreplay.answers.setting_cells import read_replays

    with watch("replaying") as tell:
        replays = replay_settings(question.runs, grid, question.judging, tell)
    own: dict[str, Any] = {}
    reductions = _reductions(read_replays(question.runs, grid, replays))
    if reductions is not None:
        own["reductions"] = reductions.totals()
    places = (
        (run, config)
        for run in range(len(question.runs))
        for config in range(len(grid))
    )
    print_json(
        "simulate",
        runs=question.runs,
        replays=[(*place, one) for place, one in zip(places, replays, strict=True)],
        configs=_configs(grid),
        **own,
    )


def _print_as_csv(cells: SettingCells, reductions: ReductionTable | None) -> None:
    """Print the columns as they are: a table of many cells takes no longer."""
    import csv
    import io

    grid, n_runs = cells.grid, len(cells.runs)
    keys = _CSV_COLUMNS.split()
    if reductions is not None:
        keys += [column.key for column in reductions.columns("csv")]
    values = [grid.values_of(config) for config in range(len(grid))]
    columns: list[Any] = [
        [run.name for run in cells.runs for _ in range(len(grid))],
        [*range(len(grid))] * n_runs,
        *([one[name] for one in values] * n_runs for name in grid.parameters),
        *(cells.columns[key] for key in keys),
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", "config", *grid.parameters, *keys])
    writer.writerows(zip(*columns, strict=True))
    click.echo(text.getvalue(), nl=False)


def _rows(cells: SettingCells) -> list[dict[str, Any]]:
    """Return the rows for people."""
    names = list(cells.columns)
    values = [cells.grid.values_of(config) for config in range(len(cells.grid))]
    told = [
        dict(zip(names, row, strict=True))
        for row in zip(*cells.columns.values(), strict=True)
    ]
    rows = []
    for place, row in enumerate(told):
        at, config = divmod(place, len(values))
        run = cells.runs[at]
        limit = spoken_limit(
            run, row["evidence"], row["divergence_epoch"], row["parted_by"]
        )
        kept = spoken_epoch(row["kept_epoch"])
        shown = {
            "run": run.name,
            "spoken": limit,
            "shown_saved": f"{'<= ' if row['bounds'] else ''}{row['epochs_saved']}",
            "shown_kept": f"({kept})" if row["provisional"] else kept,
        }
        rows.append(values[config] | row | shown)
    return rows


def _reductions(cells: SettingCells) -> ReductionTable | None:
    """Return what a ReduceLROnPlateau of the list is seen to do on many runs."""
    if len(cells.runs) == 1:
        return None
    from cbreplay.cli.reductions import ReductionTable, tells_of_reductions

    if not tells_of_reductions(cells.grid, len(cells.runs)):
        return None
    return ReductionTable(cells)


def _configs(grid: Grid) -> list[dict[str, Any]]:
    return [
        {
            "callbacks": [format_callback(one) for one in config],
            "parameters": grid.values_of(position),
        }
        for position, config in enumerate(grid)
    ]


def _cell_columns(cells: SettingCells) -> list[Column]:
    """Return the columns for people."""
    grid, held = cells.grid, cells.columns
    objectives = {name for name, _ in cells.judged_by}
    objective = objectives.pop() if len(objectives) == 1 else "kept value"
    number = _number(decimals_for(held["kept_value"]))
    named = [Column("run", "run", align="left")] if len(cells.runs) > 1 else []
    reduces = []
    if any(entry.changes_learning_rate for entry in grid[0]):
        reduces = [Column("first_reduction_epoch", "first reduces", spoken_epoch)]
    saves = []
    if any(held["saves"]):
        saves = [
            Column("saves", "saves"),
            Column("last_saved_file", "last file", plain, align="left"),
            Column("last_saved_epoch", "of epoch", spoken_epoch),
        ]
    return [
        *named,
        *_axes(grid),
        *reduces,
        Column("stopped_epoch", "stops at", spoken_epoch),
        Column("shown_kept", "keeps"),
        Column("kept_value", objective, number),
        Column("regret", _beside_best(cells), number),
        Column("shown_saved", "saved"),
        *saves,
        Column("spoken", "evidence", align="left"),
    ]


def _beside_best(cells: SettingCells) -> str:
    modes = {mode for _, mode in cells.judged_by}
    if len(modes) > 1:
        return "off best"
    return {"min": "above best", "max": "below best"}[modes.pop()]


def _axes(grid: Grid) -> list[Column]:
    return [Column(name, _axis_title(name, grid), plain) for name in grid.parameters]


def _axis_title(name: str, grid: Grid) -> str:
    """Return the parameter's own name where only one callback varies it."""
    short = name.rpartition(".")[2]
    same = [one for one in grid.parameters if one.rpartition(".")[2] == short]
    return short if len(same) == 1 else name


def _cell_remarks(cells: SettingCells) -> Iterator[str]:
    """Yield what the table does not say: rules, settings, notes, doubts."""
    grid = cells.grid
    yield f"[{', '.join(_written(entry) for entry in grid.entries)}]"
    rules = sorted({spoken_semantics(name) for name in cells.rules})
    yield f"rules of {', '.join(rules)}; {spoken_counting(cells.runs)}"
    if any(cells.columns["provisional"]):
        yield (
            "(in brackets): as if training had ended with the log; such figures are "
            "never compared"
        )
    unknown_to_keras = _unknown_to_keras(grid)
    if unknown_to_keras:
        yield (
            f"Keras has no {' and no '.join(unknown_to_keras)}: with one setting, "
            "--keras-code prints the class to paste into a training script"
        )
    noted: dict[str, list[str]] = {}
    for place, run in enumerate(cells.runs):
        about = (cells.run_notes[place], cells.list_notes, cells.setting_notes[place])
        for note in dict.fromkeys(
            [*run.notes, *(note for some in about for note in some)]
        ):
            noted.setdefault(note, []).append(run.name)
    for note, names in noted.items():
        where = "" if len(cells.runs) == 1 else f"{names[0]}: "
        more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
        yield f"note: {where}{note}{more}"


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


def _number(decimals: int) -> Callable[[float | None], str]:
    return lambda value: "-" if value is None else f"{value:.{decimals}f}"


def plain(value: object) -> str:
    """Write a value that may be absent."""
    return "-" if value is None else str(value)
