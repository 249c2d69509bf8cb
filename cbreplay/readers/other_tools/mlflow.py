"""Read metric histories of MLflow and Comet: a row for each key and step."""

from __future__ import annotations

import itertools
import math
import os
import re
from collections import Counter
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.arguments import shown_value
from cbreplay.by_key import by_key
from cbreplay.errors import LogError
from cbreplay.readers.base import Damage, ForeignLogError, LogReader
from cbreplay.readers.building.evaluations import find_machine
from cbreplay.readers.building.step_rows import fold_by
from cbreplay.readers.building.table_runs import build_runs
from cbreplay.readers.columns.cell_by_cell import read_spelled
from cbreplay.readers.columns.column_names import name_on, prefix_of
from cbreplay.readers.columns.table import DECIMAL_COMMA, LogTable
from cbreplay.readers.columns.written_again import ENDINGS, leave_out_restored
from cbreplay.readers.files import open_log, read_beginning, read_chunks
from cbreplay.readers.formats import is_stored_metric
from cbreplay.readers.other_tools.comet import are_of_comet, with_steps
from cbreplay.readers.other_tools.json_rows import as_number, rows_of_columns
from cbreplay.readers.other_tools.json_text import begins_as_json, read_json
from cbreplay.readers.other_tools.mlflow_steps import (
    fits_of,
    steps_go_back,
    tell_steps,
    whole_number,
)
from cbreplay.readers.other_tools.mlflow_store import stored_rows
from cbreplay.readers.sizes import check_logs
from cbreplay.series_names import is_validation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.run import Run

__all__ = ["MLflowReader"]

# what a metric has one of
_SINGLE = (
    *("key", "value", "step", "timestamp"),
    *("metricname", "metricvalue", "epoch", "experimentkey"),
)
_NAMES = ("key", "metricname")
_RUN_NAMES = ("run_id", "run_uuid", "run id", "run", "run name", "name", "group")
# the name of a key in the data of a chart on MLflow's page, and in people's tables
_OTHER_KEYS = ("metric", "metric_name")


class MLflowReader(LogReader):
    """Reader of MLflow's histories: ``key``, ``value`` and ``step``.

    They stand in a CSV, as of a chart on MLflow's page, in JSON, or in MLflow's own
    store: the directory of a run, or the file of a metric. Comet's histories have other
    names for the same.
    """

    def read(self, path: str) -> Iterator[Run]:
        """Yield each run in the export."""
        yield from self.read_files([path])

    def read_files(self, paths: Sequence[str]) -> Iterator[Run]:
        """Yield each run in exports that hold some of its metrics each."""
        path, damage = paths[0], Damage(self.options)
        rows = [row for own in paths for row in _read_rows(own, damage)]
        of_comet = are_of_comet(rows)
        rows = with_steps(rows, path, damage) if of_comet else rows
        rows = _on_data_sets(rows) + _ends_beside(path, rows, damage)
        by_run = by_key(rows, _run_of)
        check_logs(len(by_run), path, damage.max_bytes)
        for name, own in by_run.items():
            fits = fits_of(own)
            for number, fit in enumerate(fits, start=1):
                parts = [name if len(by_run) > 1 else "", str(number)]
                called = "#".join(filter(None, parts[: len(fits)]))
                for run in self._read_fit(fit, path, damage, of_comet=of_comet):
                    yield run.with_name(called) if called else run

    def _read_fit(
        self,
        own: Sequence[Mapping[str, Any]],
        path: str,
        damage: Damage,
        *,
        of_comet: bool,
    ) -> Iterator[Run]:
        """Yield the training in the rows of a run, or of one of its fits."""
        logged, left_out = _of_model(own, path)
        told = tell_steps(logged, path)
        by_step, several = _by_step(told.rows, path)
        table = LogTable.of_rows(by_step, path, damage)
        table.notes += [*left_out, *told.notes]
        table.left_out |= told.left_out
        for key, others in several.items():
            table.columns[key].others = others
        doubled = {at for others in several.values() for at in others}
        # two loggers have two values of every step, and never go back
        table.written_again = bool(doubled) and (
            2 * len(doubled) < len(table) or steps_go_back(told.rows)
        )
        # each value has a row of its own, so that a missing one has no cell
        table.has_own_rows = {n for n, own in table.columns.items() if not own.words}
        read_spelled(table)
        table.check_whole()
        if not of_comet:
            leave_out_restored(table, "step", is_mlflow=True, ends=_ends(own))
        if self.options.x_axis != "step" and all(map(_is_of_epoch, own)):
            table.rename({"step": "epoch"})
        epoch = "epoch" if "epoch" in table.columns else None
        options = self.options
        is_told = options.x_axis is not None or options.parts == "rows"
        if epoch is None and not is_told and not of_comet and _are_batches(table):
            options = replace(options, x_axis="step")
            table.notes.append(_EACH_FEW)
        fold_by(table, epoch, "step", options)
        yield from build_runs(table, self.options, self.metadata)


def _are_batches(table: LogTable) -> bool:
    """Tell whether steps are those of the autologger with ``every_n_iter=4``.

    They are 4, 8, 12, ...; every 4th epoch is logged at 0, 4, 8, or is validated too.
    """
    steps = table.columns["step"].values
    begins_at = steps[0]
    multiples = begins_at * np.arange(1, len(steps) + 1)
    several = begins_at > 1 and len(steps) > _TRIPLE
    return bool(several and (steps == multiples).all()) and not any(
        map(is_validation, table.columns)
    )


_EACH_FEW = (
    "the first step is as far from 0 as from the next, as where the autologger logs "
    "every few batches (every_n_iter)"
)


def _run_of(row: Mapping[str, Any]) -> str:
    """Return the run that a row is of; empty where it does not say so."""
    return next((str(row[key]) for key in _RUN_NAMES if row.get(key)), "")


def _on_data_sets(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Name metrics as Keras does on a data set, where a column says which one it is.

    Those alone that several data sets have.

    >>> rows = [{"key": "loss", "subset": own} for own in ("train", "val")]
    >>> [row["key"] for row in _on_data_sets(rows)]
    ['loss', 'val_loss']
    """
    for name in rows[0].keys() - {*_SINGLE, *_RUN_NAMES}:
        told = [prefix_of(str(row.get(name))) for row in rows]
        if None in told or len(set(told)) == 1:
            continue
        pairs = {
            (str(row.get("key")), own) for row, own in zip(rows, told, strict=True)
        }
        n_sets = Counter(key for key, _ in pairs)
        return [
            {**row, "key": name_on(str(row.get("key")), str(row[name]))}
            if n_sets[str(row.get("key"))] > 1
            else row
            for row in rows
        ]
    return rows


def _ends(rows: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Return what the autologger says of an EarlyStopping that stopped.

    >>> _ends([{"key": "loss", "value": 0.5}, {"key": "restored_epoch", "value": 3}])
    {'restored_epoch': 3.0}
    """
    told = [row for row in rows if row.get("key") in ENDINGS]
    return {str(row["key"]): as_number(row.get("value")) for row in told}


def _ends_beside(
    path: str, rows: Sequence[Mapping[str, Any]], damage: Damage
) -> list[dict[str, Any]]:
    """Return what the autologger says of a stop, where each key has a file of its own.

    These are called by their keys, perhaps below the name of the run.
    """
    place, file = os.path.split(path)
    stem, ending = os.path.splitext(file)
    key = str(rows[0].get("key"))
    if key in ENDINGS or not stem.endswith(key):
        return []
    called = (f"{stem.removesuffix(key)}{name}{ending}" for name in ENDINGS)
    files = filter(os.path.isfile, (os.path.join(place, name) for name in called))
    return [row for told in files for row in _read_rows(told, damage)]


def _read_rows(path: str, damage: Damage) -> list[dict[str, Any]]:
    rows = _listed_rows(path, damage)
    if not rows:
        problem, hint = "there is no metric in it", "Export a run that logged metrics"
        raise LogError(problem, source=path, hint=hint)
    for row in rows:
        for name in _SINGLE:
            nameless = name in _NAMES and row.get(name) == ""
            if nameless or isinstance(row.get(name), (dict, list)):
                problem = f"a metric's {name} is {shown_value(row[name])}"
                raise LogError(problem, source=path, hint="Export the history again")
    return rows


def _listed_rows(path: str, damage: Damage) -> list[dict[str, Any]]:
    if os.path.isdir(path) or is_stored_metric(read_beginning(path, 100)):
        return [*stored_rows(path, damage)]
    rows: Any = (
        read_json(path, damage.max_bytes, damage)
        if begins_as_json(path)
        else _read_csv(path, damage)
    )
    rows = rows_of_columns(rows) or rows
    if isinstance(rows, list) and all(isinstance(own, list) for own in rows):
        rows = _of_saves(rows)
    if isinstance(rows, dict):
        if rows.get("next_page_token"):
            damage.remarks.append(_PAGED)
        # a run that mlflow-export-import wrote has all that MLflow knows of it
        rows = rows.get("mlflow", rows)
        rows = rows.get("metrics", rows) if isinstance(rows, dict) else rows
    if isinstance(rows, dict):
        # a list for each key, as get_metric_history returns it
        curves = [_named(name, own) for name, own in rows.items()]
        lists = [own for own in curves if isinstance(own, list)]
        rows = [*itertools.chain(*lists)] if len(lists) == len(curves) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        problem = "this is no list of metrics"
        hint = "Export what get_metric_history returns: key, value, step, timestamp"
        raise ForeignLogError(problem, source=path, hint=hint)
    lowered = [
        {name.lower().removeprefix("_"): value for name, value in row.items()}
        for row in rows
    ]
    named = [key for key in ("key", *_OTHER_KEYS) if lowered and key in lowered[0]]
    return [{**row, "key": row.get(named[0])} for row in lowered] if named else lowered


_PAGED = (
    "the server's answer goes on (next_page_token): what came later is not here; ask "
    "for the next pages too"
)


def _named(name: str, points: object) -> object:
    """Return the points of a curve as rows with its name."""
    if not isinstance(points, list):
        return points
    if points and all(isinstance(row, list) and len(row) == _TRIPLE for row in points):
        names = ("timestamp", "step", "value")
        points = [dict(zip(names, row, strict=True)) for row in points]
    if not all(isinstance(row, dict) for row in points):
        return points
    return [
        row if "key" in row else {"step": row.get("epoch"), **row, "key": name}
        for row in points
    ]


_TRIPLE = 3


def _of_model(
    rows: Sequence[Mapping[str, Any]], path: str
) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Leave out what MLflow measured of the machine, and of the end of a callback.

    The steps of what it measures of the machine count the measures.
    """
    machine, notes = find_machine(dict.fromkeys(str(row.get("key")) for row in rows))
    logged = [row for row in rows if row.get("key") not in {*ENDINGS, *machine}]
    if not logged:
        problem, hint = "there is no metric in it", "Export a run that logged metrics"
        if not machine:
            problem = "it says where a training stopped, and holds no metric"
            hint = "Give the files of the metrics: it is read beside them"
        raise LogError(problem, source=path, hint=hint)
    return logged, notes


def _is_of_epoch(row: Mapping[str, Any]) -> bool:
    """Tell whether a row is of an epoch, which is its step."""
    return row.get("epoch") is not None and row["epoch"] == row.get("step")


def _read_csv(path: str, damage: Damage, encoding: str = "") -> list[dict[str, str]]:
    """Read the rows of a CSV, whose keys are text.

    Several saves may stand one below the other, each below its header.
    """
    from cbreplay.readers.columns.text_lines import NotUtf8Error
    from cbreplay.readers.columns.text_rows import TextRows

    try:
        with closing(read_chunks(open_log(path), path)) as chunks:
            text = TextRows(chunks, path, damage, encoding)
            cells = [row for batch, _ in text.batches() for row in batch]
    except NotUtf8Error:
        return _read_csv(path, damage, "latin-1")
    damage.remarks += text.notes
    rows = [dict(zip(text.header, row, strict=True)) for row in cells]
    ends = itertools.pairwise([0, *sorted(text.repeated_header), len(rows)])
    rows = _of_saves([rows[begin:end] for begin, end in ends])
    return rows if text.delimiter == "," else list(map(_with_points, rows))


def _of_saves(saves: Sequence[list[Any]]) -> list[Any]:
    """Return the rows of the last save, if it holds those of all others; else of all.

    >>> _of_saves([["a"], ["b", "a"]]), _of_saves([["a", "a"], ["a"]])
    (['b', 'a'], ['a', 'a', 'a'])
    """
    *earlier, last = saves or [[]]
    held = Counter(map(repr, last))
    if all(Counter(map(repr, save)) <= held for save in earlier):
        return last
    return [*itertools.chain(*saves)]


def _with_points(row: dict[str, str]) -> dict[str, str]:
    """Return a row with decimal points, where commas separate no cells.

    >>> _with_points({"key": "loss", "value": "0,5"})
    {'key': 'loss', 'value': '0.5'}
    """
    return {
        name: cell.replace(",", ".") if re.fullmatch(DECIMAL_COMMA, cell) else cell
        for name, cell in row.items()
    }


def _by_step(
    rows: Sequence[Mapping[str, Any]], path: str
) -> tuple[list[dict[str, Any]], dict[str, dict[int, tuple[float, ...]]]]:
    """Make a row of the keys of each step, in the order of the steps.

    Return them with the earlier of several values of one key in a step.
    """
    held: dict[int, dict[str, list[Any]]] = {}
    for row in rows:
        step = whole_number(row.get("step"))
        key = row.get("key")
        if step is None or not isinstance(key, str):
            problem = f"the step {row.get('step')!r} of {key!r} is not a whole number"
            raise LogError(problem, source=path, hint="Export the history with steps")
        if key != "step":
            held.setdefault(step, {}).setdefault(key, []).append(row.get("value"))
    steps = []
    others: dict[str, dict[int, tuple[float, ...]]] = {}
    for at, step in enumerate(sorted(held)):
        own = held[step]
        steps.append({"step": step, **{key: values[-1] for key, values in own.items()}})
        for key, (*earlier, last) in own.items():
            # the last ones, if they are written in percent, are read by `read_spelled`
            texts = [str(value).removesuffix("%") for value in earlier if value != last]
            known = [*map(as_number, texts)]
            if known:
                others.setdefault(key, {})[at] = tuple(
                    math.nan if number is None else number for number in known
                )
    return steps, others
