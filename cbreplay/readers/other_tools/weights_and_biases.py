"""Read what Weights & Biases exports: a run's history, or the chart of several runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.errors import LogError
from cbreplay.readers.base import Damage, ForeignLogError, LogReader
from cbreplay.readers.building.step_rows import fold_by
from cbreplay.readers.building.table_runs import build_runs
from cbreplay.readers.columns.column_names import FOLDS, RUNS, SETTINGS
from cbreplay.readers.columns.csv_table import read_table
from cbreplay.readers.columns.epoch_rows import runs_of_rows, tables_of_runs
from cbreplay.readers.columns.roles import check_rows_are_no_runs, never_go_back
from cbreplay.readers.columns.table import LogTable
from cbreplay.readers.columns.turned import rows_of_lists
from cbreplay.readers.other_tools.json_nested import flat_rows
from cbreplay.readers.other_tools.json_rows import (
    are_rows,
    is_number,
    rows_of_columns,
    split_rows,
)
from cbreplay.readers.other_tools.json_text import begins_as_json, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.run import Run

__all__ = ["WandbReader"]

# the last of each as Hugging Face's Trainer calls it
_STEPS_OF_TRAINER = ("trainer/global_step", "train/global_step", "global_step")
_STEPS = ("step", "_step", "global_step", *_STEPS_OF_TRAINER[:2])
_EPOCHS = ("epoch", "epoch/epoch", "train/epoch")
_LOW, _HIGH = "__MIN", "__MAX"
_WHOLE = "Export run.scan_history() as a list of rows"


class WandbReader(LogReader):
    """Reader of the exports of Weights & Biases, CSV or JSON."""

    def read(self, path: str) -> Iterator[Run]:
        """Yield each run in the export."""
        if begins_as_json(path):
            table = self._read_json(path)
        else:
            table = read_table(path, self.options)
        table.check_whole()
        chart = any(name.endswith(_LOW) for name in table.columns)
        parts = self._chart(table) if chart else _histories(table)
        for run, part in parts:
            _fold_history(part, self.options)
            for built in build_runs(part, self.options, self.metadata):
                yield replace(built, name=run) if run else built

    def _read_json(self, path: str) -> LogTable:
        damage = Damage(self.options)
        held = read_json(path, damage.max_bytes, damage)
        rows: Any = rows_of_columns(held) or held
        if isinstance(held, dict) and rows is held:
            listed = [own for own in held.values() if are_rows(own)]
            below = listed[0] if len(listed) == 1 else held
            rows = split_rows(held) or rows_of_lists(held) or below
        rows = _rows_of_runs(rows) or rows
        if isinstance(rows, dict) and any(map(is_number, rows.values())):
            problem = "this is one step of a run, as W&B's summary, and no history"
            raise ForeignLogError(problem, source=path, hint=_WHOLE)
        if not rows or not all(isinstance(row, dict) for row in rows):
            problem = "this JSON is no list of logged steps"
            raise ForeignLogError(problem, source=path, hint=_WHOLE)
        return LogTable.of_rows(flat_rows(rows), path, damage)

    def _chart(self, table: LogTable) -> Iterator[tuple[str, LogTable]]:
        """Yield each run of a chart, whose columns are called ``run - metric``."""
        x_name = next(iter(table.columns))
        if x_name.lower() not in (*_STEPS, *_EPOCHS):
            problem = f"the chart is drawn over {x_name!r}, not over epochs or steps"
            hint = "Draw it over epoch or Step, and export it again"
            raise ForeignLogError(problem, source=table.source, hint=hint)
        by_run: dict[str, dict[str, LogColumn]] = {}
        for name, cells in table.columns.items():
            run, _, metric = name.rpartition(" - ")
            if name != x_name and not name.endswith((_LOW, _HIGH)):
                by_run.setdefault(run, {})[metric or name] = cells
        notes = self._without_averages(table, by_run)
        for run, columns in by_run.items():
            missing = [cells.missing for cells in columns.values()]
            said = ~np.logical_and.reduce(missing)
            if not said.any():
                problem = f"there is no value of {', '.join(columns)}"
                hint = "Export a chart with values"
                raise LogError(problem, source=table.source, hint=hint)
            part = table.part(said, {x_name: table.columns[x_name], **columns})
            part.notes += notes
            yield run, part

    def _without_averages(
        self, table: LogTable, by_run: dict[str, dict[str, LogColumn]]
    ) -> list[str]:
        """Leave out the lines that are no values of one training, or refuse them.

        A chart of grouped runs, or of more steps than it has points, draws an average
        between MIN and MAX: no callback saw it.
        """
        averaged = [
            (run, metric)
            for run, columns in by_run.items()
            for metric in columns
            if _is_average(table, f"{run} - {metric}" if run else metric)
        ]
        if not averaged:
            return []
        run, metric = averaged[0]
        line = f"{run} - {metric}" if run else metric
        problem = (
            f"{line} is an average, of several runs or of several steps, for its MIN "
            "and MAX differ: no training saw these values"
        )
        for name, own in averaged:
            del by_run[name][own]
            if not by_run[name]:
                del by_run[name]
        if self.options.errors != "skip" or not by_run:
            skip = "; --errors skip reads the others" if by_run else ""
            hint = f"Export each run by itself (run.scan_history()){skip}"
            raise ForeignLogError(problem, source=table.source, hint=hint)
        others = f", and {len(averaged) - 1} others" if averaged[1:] else ""
        return [f"left out {line}{others}: an average, as charted"]


def _rows_of_runs(held: Any) -> list[dict[str, Any]]:
    """Return the rows of histories that stand below the names of their runs.

    >>> _rows_of_runs({"a": [{"_step": 0}], "b": [{"_step": 0}, {"_step": 1}]})
    [{'run': 'a', '_step': 0}, {'run': 'b', '_step': 0}, {'run': 'b', '_step': 1}]
    >>> _rows_of_runs([{"id": "x1", "history": [{"_step": 0}]}])
    [{'run': 'x1', '_step': 0}]
    """
    numbered = enumerate(held, start=1) if isinstance(held, list) else ()
    items = held.items() if isinstance(held, dict) else numbered
    named = [_named_history(own, f"{key}") for key, own in items]
    if not all(are_rows(rows) for _, rows in named):
        return []
    if len({name for name, _ in named}) < len(named):
        named = [(f"{name} {at}", own) for at, (name, own) in enumerate(named, start=1)]
    return [{"run": name, **row} for name, rows in named for row in rows]


def _named_history(held: Any, key: str) -> tuple[str, Any]:
    """Return the history of a run, below what it is called there, or else its key."""
    if not isinstance(held, dict):
        return key, held
    if any(is_number(held.get(name)) for name in _INTERNAL):
        # a step, which may hold what is no number
        return key, None
    lists = {name: own for name, own in held.items() if isinstance(own, list)}
    listed = [rows_of_lists(lists), *filter(are_rows, lists.values())]
    names = (held[name] for name in _CALLED if isinstance(held.get(name), str))
    return next(names, key), next(filter(None, listed), None)


_INTERNAL = ("_step", "_runtime", "_timestamp")
# what the API of W&B calls a run's name, and its identity
_CALLED = ("name", "run_name", "display_name", "run", "id", "run_id")


def _histories(table: LogTable) -> Iterator[tuple[str, LogTable]]:
    """Yield the rows of each run where a column names it, or else the whole table.

    A setting names one only where the steps begin anew: one run may change its own.
    """
    check_rows_are_no_runs(table)
    step = table.first_of(_STEPS)
    goes_on = step is not None and never_go_back(table.columns[step].values)
    called = (RUNS - SETTINGS | FOLDS if goes_on else RUNS) | {"name"}
    names, run = runs_of_rows(table, called)
    if run is None or not run.any():
        return iter([("", table)])
    return tables_of_runs(table, names, run)


def _is_average(table: LogTable, name: str) -> bool:
    low, high = table.columns.get(name + _LOW), table.columns.get(name + _HIGH)
    if low is None or high is None:
        return False
    there = ~low.missing & ~high.missing
    return bool((low.values[there] != high.values[there]).any())


def _steps_of(table: LogTable, options: ReadOptions) -> str | None:
    """Return the column of steps: to count evaluations the trainer's, if it is whole.

    W&B's own step counts calls, of which any may lie between two evaluations.
    """
    if options.x_axis == "step":
        for name in filter(None, (table.first_of([own]) for own in _STEPS_OF_TRAINER)):
            if never_go_back(table.columns[name].values):
                return name
    return table.first_of(_STEPS)


def _fold_history(table: LogTable, options: ReadOptions) -> None:
    """Rename the columns as Keras names them, and join the steps of each epoch."""
    time = table.first_of(("_timestamp", "_runtime"))
    if time is not None and not table.columns[time].missing.any():
        table.wall_times = table.columns[time].values
    epoch, step = table.first_of(_EPOCHS), _steps_of(table, options)
    # W&B's own steps count from 0; an epoch column may count as its user likes
    table.counts_from_zero = epoch is None
    for name in [*table.columns]:
        if name != step and (name.startswith(("_", "#")) or name.lower() in _STEPS):
            del table.columns[name]
    # WandbMetricsLogger writes epoch/loss, epoch/val_loss
    logged = [n for n in table.columns if n.startswith("epoch/") and n != epoch]
    table.rename({name: name.removeprefix("epoch/") for name in logged})
    # its exports are samples unless they are asked for whole
    table.may_be_drawn = True
    fold_by(table, epoch, step, options)
    if table.counts_from_zero and table.axis_unit == "epochs":
        table.begins_at = 0
