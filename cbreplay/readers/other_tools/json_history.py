"""Read a Keras History, or rows of logs, as JSON; say what other JSON is instead."""

from __future__ import annotations

import json
import os
import re
from itertools import chain
from typing import TYPE_CHECKING, Any

from cbreplay.readers.base import Damage, ForeignLogError, LogReader
from cbreplay.readers.building.counted_steps import leave_out_stepless
from cbreplay.readers.building.evaluations import find_machine, left_out_notes
from cbreplay.readers.building.lists import read_lists
from cbreplay.readers.building.step_rows import fold_by, fold_data_sets
from cbreplay.readers.building.table_runs import build_runs
from cbreplay.readers.building.telling_columns import leave_out_said_tests
from cbreplay.readers.columns.cells import holds_number
from cbreplay.readers.columns.column import listed_numbers
from cbreplay.readers.columns.column_names import EPOCH_NAMES, STEP_NAMES, is_epoch_name
from cbreplay.readers.columns.counters import name_counter
from cbreplay.readers.columns.data_sets import lay_out_data_sets
from cbreplay.readers.columns.epoch_rows import sort_by_runs, tables_of_folds
from cbreplay.readers.columns.roles import (
    check_one_kind,
    check_rows_are_epochs,
)
from cbreplay.readers.columns.table import LogTable
from cbreplay.readers.columns.turned import rows_of_lists
from cbreplay.readers.columns.written_again import ENDINGS, leave_out_restored
from cbreplay.readers.other_tools.json_nested import (
    curves_by_name,
    flat_rows,
    flatten_lists,
    is_history,
    paired_lists,
    trainings_in,
    trainings_of,
    without_ends,
)
from cbreplay.readers.other_tools.json_rows import (
    are_numbers,
    is_number,
    is_numbered,
    lists_of_rows,
    rows_of_data_sets,
    rows_of_index,
    rows_of_points,
    split_rows,
    with_index,
    with_steps,
    without_heads,
)
from cbreplay.readers.other_tools.json_text import read_json, rows_of_epoch_files
from cbreplay.readers.sizes import check_columns, check_logs
from cbreplay.series_names import is_rate_name, is_validation
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.run import Run

__all__ = ["JsonHistoryReader"]

_EPOCH_KEY = r"(?i)(?:epoch[ _-]?)?([0-9]{1,9})"


class JsonHistoryReader(LogReader):
    """Reader of ``history.history``, of a History's attributes, or of rows, as JSON.

    Also of what pandas writes of a DataFrame: a mapping of rows under each name.
    """

    def read(self, path: str) -> Iterator[Run]:
        """Yield each training in the file."""
        damage = Damage(self.options)
        # a file, or a directory with a file for each epoch
        held = (
            rows_of_epoch_files(path, damage)
            if os.path.isdir(path)
            else read_json(path, damage.max_bytes, damage)
        )
        notes, beside = list[str](), list[str]()
        left_out: dict[str, str] = {}
        of_points = False
        held = curves_by_name(held, path)
        if isinstance(held, dict):
            measured, beside = find_machine(held)
            held = {name: own for name, own in held.items() if name not in measured}
            held = lists_of_rows(held)
            _check_names(held, path, damage.max_bytes)
            _refuse_known(held, path)
            found = rows_of_data_sets(held)
            pairs, left_out = with_steps(paired_lists(held))
            points = found or rows_of_points(pairs, path, self.options)
            of_points = found is None and points is not None
            held, notes = points or (_rows_of(held) or held, notes)
        held = _rows_in_lists(_rows_below_names(held, path))
        held, again = trainings_of(held)
        beside += again
        if isinstance(held, dict):
            for run in self._read_trainings(held, path):
                yield run.with_notes(*beside)
        elif isinstance(held, list) and held and all(map(_is_row, held)):
            rows, said, fits = without_heads(flat_rows(held))
            table = LogTable.of_rows(rows, path, damage)
            table.said_fits = fits
            table.notes += [*beside, *notes, *said, *left_out_notes(left_out)]
            table.left_out |= left_out
            if of_points:
                table.has_own_rows = {*table.columns}
            yield from self._read_folds(table)
        else:
            raise _foreign_json(path, held)

    def _read_folds(self, table: LogTable) -> Iterator[Run]:
        for name, part in tables_of_folds(table):
            self._fold(part)
            for run in build_runs(part, self.options, self.metadata):
                yield run.with_name(name) if name else run

    def _fold(self, table: LogTable) -> None:
        """Put the rows of each epoch together."""
        name_counter(table, self.options)
        epoch, step = table.first_of(("epoch", "epochs")), table.first_of(STEP_NAMES)
        leave_out_said_tests(table)
        if lay_out_data_sets(table):
            fold_data_sets(table, self.options)
            return
        sort_by_runs(table)
        if epoch is None and step is None:
            check_rows_are_epochs(table)
        epochs = None if epoch is None else table.columns[epoch]
        if epochs is not None and not epochs.missing.any():
            # what may be noted is noted of the epochs, later
            check_one_kind(table, epochs.values)
        if epoch is None and step is not None:
            leave_out_stepless(table, step)
        table.check_whole()
        counted = step or epoch
        if counted is not None and {*ENDINGS} & table.columns.keys():
            leave_out_restored(table, counted)
        fold_by(table, epoch, step, self.options)

    def _read_trainings(self, held: dict[str, Any], path: str) -> Iterator[Run]:
        """Yield the trainings in lists, of several each under its name."""
        trainings = trainings_in(held)
        check_logs(len(trainings), path, self.options.max_bytes)
        for name, own in trainings.items():
            for run in self._read_dict(own, path):
                yield run.with_name(name) if len(trainings) > 1 else run

    def _read_dict(self, held: dict[str, Any], path: str) -> Iterator[Run]:
        planned, epochs = None, None
        if isinstance(held.get("history"), dict):
            params = held.get("params")
            planned = params.get("epochs") if isinstance(params, dict) else None
            listed = held.get("epoch")
            epochs = listed if isinstance(listed, list) else None
            held = held["history"]
        held = flatten_lists(held)
        lists = {name: _as_list(name, values) for name, values in held.items()}
        kept = {name: values for name, values in lists.items() if values is not None}
        if all(map(is_epoch_name, kept)):
            raise _foreign_json(path, held)
        if epochs is None and not any(map(is_epoch_name, kept)):
            _refuse_models(held, path)
        texts = any(isinstance(value, str) for own in kept.values() for value in own)
        kept, ends = without_ends(kept)
        left_out = {
            name: _EMPTY if held[name] == [] else "no list of numbers"
            for name, values in lists.items()
            if values is None
        }
        notes = [_TEXTS] if texts else []
        notes += [*ends, *left_out_notes(left_out)]
        yield from read_lists(
            path,
            kept,
            self.options,
            epochs=epochs,
            # Keras's History has `epoch`, a list of its own beside the series
            counts_from_zero=epochs is not None,
            planned_epochs=planned,
            notes=notes,
            left_out=left_out,
        )


_EMPTY = "the list is empty"
_TEXTS = "numbers that were written as text were read as numbers"


def _check_names(held: dict[str, Any], path: str, most: int) -> None:
    """Refuse more lists than a log has, before each of them is looked at."""
    named = held["history"] if isinstance(held.get("history"), dict) else held
    # else they may be rows, each under its epoch
    if named and not re.fullmatch(_EPOCH_KEY, next(iter(named))):
        check_columns(len(named), path, most)


def _rows_below_names(held: object, path: str) -> object:
    """Return lists below one of names as rows: ``[["epoch", "loss"], [1, 0.5]]``."""
    if not isinstance(held, list) or len(held) <= 1:
        return held
    names, *rows = held
    if not isinstance(names, list) or len({*map(str, names)}) < len(names):
        return held
    if not names or not all(isinstance(name, str) for name in names):
        return held
    if any(map(holds_number, names)) or not all(isinstance(row, list) for row in rows):
        return held
    odd = next((row for row in rows if len(row) != len(names)), None)
    if odd is not None:
        row = rows.index(odd) + 2
        problem = f"list {row} holds {count(len(odd), 'value')}, and the first one, "
        problem += f"of names, {len(names)}"
        hint = "Give each row a value under each name; null where there is none"
        raise ForeignLogError(problem, source=path, hint=hint)
    return [dict(zip(names, row, strict=True)) for row in rows]


def _rows_in_lists(held: object) -> object:
    """Return lists of rows, one of each save or fit, as one list of their rows.

    >>> _rows_in_lists([[{"epoch": 0}], [{"epoch": 0}, {"epoch": 1}]])
    [{'epoch': 0}, {'epoch': 0}, {'epoch': 1}]
    """
    if not isinstance(held, list) or not held:
        return held
    # a DataFrame that each save wrote, as orient="split" does
    held = [(isinstance(own, dict) and split_rows(own)) or own for own in held]
    if not all(isinstance(own, list) and own for own in held):
        return held
    rows = [*chain.from_iterable(held)]
    # without their epochs nobody knows where one training ends
    return rows if all(map(is_numbered, rows)) else held


def _is_row(row: object) -> bool:
    return isinstance(row, dict)


def _rows_of(held: dict[str, Any]) -> list[Any] | None:
    """Return rows: of one line, below one name, of a DataFrame, of lists with steps."""
    if (split := split_rows(held)) is not None:
        return split
    rows = held.get("data")
    if rows and isinstance(rows, list) and "schema" in held and all(map(_is_row, rows)):
        # as pandas writes it with its schema, which calls a nameless index so
        index = [row.get("index") for row in rows]
        return with_index(
            [
                {name: own for name, own in row.items() if name != "index"}
                for row in rows
            ],
            index,
        )
    epochs = [own for name, own in held.items() if is_epoch_name(name)]
    if epochs and all(map(is_number, held.values())):
        return [held]
    listed = [own for own in held.values() if isinstance(own, list) and own]
    if len(listed) == 1 and all(map(is_numbered, listed[0])):
        return listed[0]
    numbered = [re.fullmatch(_EPOCH_KEY, name) for name in held]
    # a history under each number is a fold, or a save
    are_rows = all(map(_is_row, held.values())) and not any(
        map(is_history, held.values())
    )
    if held and all(numbered) and are_rows:
        pairs = zip(numbered, held.values(), strict=True)
        return [{"epoch": int(found[1]), **row} for found, row in pairs if found]
    return rows_of_index(held) or rows_of_lists(held, epochs=False)


def _as_list(name: str, values: object) -> list[Any] | None:
    """Return a list of numbers; pandas writes ``{"0": 0.5, "1": 0.25}``."""
    if isinstance(values, dict):
        numbered = {str(row) for row in range(len(values))} == values.keys()
        values = [values[str(row)] for row in range(len(values))] if numbered else None
    if not isinstance(values, list) or not values:
        return None
    of_groups = is_rate_name(name)
    numbers = all(
        value is None or is_number(value) or (of_groups and listed_numbers(value))
        for value in values
    )
    return values if numbers else None


# what Trainer logs as a summary when it is done
_SUMMED = ("_runtime", "_samples_per_second", "total_flos")


def _refuse_known(held: dict[str, Any], path: str) -> None:
    """Refuse what is known to be no log of epochs, by its name.

    Raises
    ------
    ForeignLogError
        If it is CatBoost's own log, or what one evaluation came to.
    """
    if {"meta", "iterations"} <= held.keys():
        problem = "this is CatBoost's own log, whose rows are trees and no epochs"
        hint = "For patience in trees, write evals_result_ as JSON: lists of numbers"
        raise ForeignLogError(problem, source=path, hint=hint)
    numbers = [name for name, value in held.items() if is_number(value)]
    judged = [
        name for name in numbers if name.lower() not in (*EPOCH_NAMES, *STEP_NAMES)
    ]
    is_summary = any(name.endswith(_SUMMED) for name in judged) or (
        judged and all(is_validation(name) for name in judged)
    )
    if is_summary and len(numbers) == len(held):
        problem = "this is what one evaluation or training came to, not a log of epochs"
        hint = "Give the log with a row for each epoch, such as trainer_state.json"
        raise ForeignLogError(problem, source=path, hint=hint)


def _refuse_models(held: dict[str, Any], path: str) -> None:
    """Refuse lists that stand beside a list of names: of models, of settings."""
    lengths = {len(own) for own in held.values() if are_numbers(own)}
    for name, values in held.items():
        if not isinstance(values, list) or len(values) <= 1:
            continue
        if lengths and len(values) not in lengths:
            # names of classes, beside lists of epochs
            continue
        texts = [value for value in values if isinstance(value, str)]
        words = [text for text in texts if not is_number(text)]
        if len(words) == len(values) == len(set(words)) and "time" not in name.lower():
            shown = " and ".join(map(repr, words[:2]))
            problem = f"its lists are no epochs: {name} is {shown}"
            hint = "Give a log with one value for each epoch"
            raise ForeignLogError(problem, source=path, hint=hint)


def _foreign_json(path: str, held: object) -> ForeignLogError:
    """Return the error of JSON in which nothing is a log, with what it is instead."""
    problem = "this JSON holds no lists of numbers, one number for each epoch"
    if held in ({}, []):
        problem = f"this JSON holds nothing: {held}"
    elif isinstance(held, dict) and all(values == [] for values in held.values()):
        problem = "the lists in this JSON are empty: there is no epoch in them"
    elif not isinstance(held, (dict, list)):
        shown = json.dumps(held)[:_SHOWN_LETTERS]
        problem = f"this JSON is {shown}, not the lists or rows of a log"
    hint = "Write history.history as JSON, or train with CSVLogger('logs.csv')"
    if are_numbers(held, fewest=1):
        problem = "this JSON is one list of numbers, without a name"
        hint = 'Give it its name: {"val_loss": [0.9, 0.8, ...]}'
    elif (
        isinstance(held, list)
        and held
        and all(are_numbers(own, fewest=1) for own in held)
    ):
        problem = "this JSON is lists of numbers, and nothing names what each is"
        hint = (
            'Write the names as the first list: [["epoch", "val_loss"], [1, 0.9], ...]'
        )
    return ForeignLogError(problem, source=path, hint=hint)


_SHOWN_LETTERS = 40
