"""Read a Keras History, or rows of logs, that somebody wrote as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cbreplay.readers.base import Damage, ForeignLogError
from cbreplay.readers.building.lists import read_lists
from cbreplay.readers.building.step_rows import fold_by
from cbreplay.readers.building.table_runs import build_runs
from cbreplay.readers.columns.header import (
    EPOCH_NAMES,
    STEP_NAMES,
    holds_number,
    parse_cell,
)
from cbreplay.readers.columns.table import LogTable
from cbreplay.readers.formats import FormatReader
from cbreplay.readers.other_tools.json_text import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.run import Run

__all__ = ["JsonHistoryReader"]


class JsonHistoryReader(FormatReader):
    """Reader of ``history.history``, of a History's attributes, or of rows, as JSON.

    Also of what pandas writes of a DataFrame: a mapping of rows under each name.
    """

    log_format = "json"

    def read(self, path: str) -> Iterator[Run]:
        """Yield each training in the file.

        Raises
        ------
        LogError
            If it is no JSON, or damaged.
        ForeignLogError
            If it is JSON of something else.
        """
        damage = Damage(self.options)
        held = read_json(path, damage)
        if isinstance(held, dict):
            held = _rows_of(held) or held
        if isinstance(held, dict):
            yield from self._read_dict(held, path)
        elif isinstance(held, list) and held and all(_is_row(one) for one in held):
            table = LogTable.of_rows(held, path, damage)
            table.check_whole()
            names = {name.lower(): name for name in table.columns}
            if "epochs" in names:
                names.setdefault("epoch", names["epochs"])
            step = next((names[name] for name in STEP_NAMES if name in names), None)
            fold_by(table, names.get("epoch"), step, self.options)
            yield from build_runs(table, self.options, self.metadata)
        else:
            raise _foreign(path, held)

    def _read_dict(self, held: dict[str, Any], path: str) -> Iterator[Run]:
        planned, epochs = None, None
        if isinstance(held.get("history"), dict):
            params = held.get("params")
            planned = params.get("epochs") if isinstance(params, dict) else None
            epochs = held.get("epoch")
            held = held["history"]
        lists = {name: _as_list(one) for name, one in held.items()}
        kept = {name: one for name, one in lists.items() if one is not None}
        if all(name.lower() in EPOCH_NAMES for name in kept):
            raise _foreign(path, held)
        notes = []
        if any(isinstance(value, str) for one in kept.values() for value in one):
            kept = {name: list(map(_as_number, one)) for name, one in kept.items()}
            notes.append("numbers that were written as text were read as numbers")
        if len(kept) < len(lists):
            names = ", ".join(name for name in lists if name not in kept)
            notes.append(f"left out {names}: no list of numbers")
        yield from read_lists(
            path,
            kept,
            self.options,
            epochs=epochs,
            # a list of its own is an attribute of Keras's History
            counts_from_zero=epochs is not None,
            planned_epochs=planned,
            notes=notes,
        )


def _is_row(one: object) -> bool:
    return isinstance(one, dict)


def _rows_of(held: dict[str, Any]) -> list[Any] | None:
    """Return the rows of one logged line, or of a DataFrame that pandas split."""
    names, rows = held.get("columns"), held.get("data")
    if isinstance(names, list) and isinstance(rows, list):
        whole = all(isinstance(row, list) and len(row) == len(names) for row in rows)
        if rows and whole and all(isinstance(name, str) for name in names):
            return [dict(zip(names, row, strict=True)) for row in rows]
    epochs = [one for name, one in held.items() if name.lower() in EPOCH_NAMES]
    if epochs and all(map(_is_number, held.values())):
        return [held]
    return None


def _is_number(one: object) -> bool:
    """Tell whether a value is one number, or text that says one."""
    if isinstance(one, str):
        return holds_number(one)
    return isinstance(one, (int, float)) and not isinstance(one, bool)


def _as_number(one: object) -> object:
    return parse_cell(one) if isinstance(one, str) else one


def _as_list(values: object) -> list[Any] | None:
    """Return a list of numbers; pandas writes ``{"0": 0.5, "1": 0.25}``."""
    if isinstance(values, dict):
        numbered = {str(row) for row in range(len(values))} == values.keys()
        values = [values[str(row)] for row in range(len(values))] if numbered else None
    if not isinstance(values, list) or not values:
        return None
    numbers = all(one is None or _is_number(one) for one in values)
    return values if numbers else None


def _foreign(path: str, held: object) -> ForeignLogError:
    problem = "this JSON holds no lists of numbers, one number for each epoch"
    if held in ({}, []):
        problem = f"this JSON holds nothing: {held}"
    elif isinstance(held, dict) and all(one == [] for one in held.values()):
        problem = "the lists in this JSON are empty: there is no epoch in them"
    elif not isinstance(held, (dict, list)):
        shown = json.dumps(held)[:_SHOWN_LETTERS]
        problem = f"this JSON is {shown}, not the lists or rows of a log"
    hint = "Write history.history as JSON, or train with CSVLogger('logs.csv')"
    return ForeignLogError(problem, source=path, hint=hint)


_SHOWN_LETTERS = 40
