"""Rows and points in JSON, below names of data sets and series; rows of no epoch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cbreplay.readers.base import ForeignLogError
from cbreplay.readers.building.evaluations import count_hint
from cbreplay.readers.columns.cells import holds_number
from cbreplay.readers.columns.column_names import (
    EPOCH_NAMES,
    STEP_NAMES,
    name_on,
    prefix_of,
)
from cbreplay.readers.columns.data_sets import NAMED_ABOVE
from cbreplay.readers.columns.turned import count_upwards
from cbreplay.readers.columns.written_again import ENDINGS
from cbreplay.series_names import is_validation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.readers.base import ReadOptions

__all__ = [
    "are_numbers",
    "are_rows",
    "as_number",
    "is_number",
    "is_numbered",
    "lists_of_rows",
    "rows_of_columns",
    "rows_of_data_sets",
    "rows_of_index",
    "rows_of_points",
    "split_rows",
    "with_index",
    "with_steps",
    "without_heads",
]

_NUMBERING = frozenset((*EPOCH_NAMES, *STEP_NAMES))
_PAIR = 2


def rows_of_data_sets(held: Mapping[str, Any]) -> tuple[list[Any], list[str]] | None:
    """Return rows that are under the names of their data sets, with notes.

    >>> rows_of_data_sets({"val": [{"epoch": 1, "loss": 0.5}]})
    ([{'the name above its rows': 'val', 'epoch': 1, 'loss': 0.5}], [])
    """
    inner = [own for own in held.values() if isinstance(own, dict)]
    of_rows = {name: own for name, own in held.items() if are_rows(own)}
    if not of_rows and len(inner) == 1 and any(map(are_rows, inner[0].values())):
        return rows_of_data_sets(inner[0])
    prefixes = list(map(prefix_of, of_rows))
    if not prefixes or None in prefixes or prefixes == [""]:
        return None
    left_out = ", ".join(name for name in held if name not in of_rows)
    notes = [f"left out {left_out}: no rows of a data set"] if left_out else []
    rows = [row for own in of_rows.values() for row in own]
    counted = len(set(map(len, of_rows.values()))) == 1
    counted = counted and not any(map(is_numbered, rows))
    if counted:
        notes.append("there is no epoch: the rows of each data set were counted")
    return [
        {NAMED_ABOVE: name, **({"epoch": at} if counted else {}), **row}
        for name, own in of_rows.items()
        for at, row in enumerate(own)
    ], notes


def lists_of_rows(held: dict[str, Any]) -> dict[str, Any]:
    """Return rows as lists under their names, if these lists are equally long.

    Both are of one training then, and rows alone or lists alone would be half of it.

    >>> lists_of_rows({"train": [{"loss": 0.5}, {"loss": 0.25}], "val": [0.75, 0.5]})
    {'loss': [0.5, 0.25], 'val': [0.75, 0.5]}
    """
    of_rows = {
        name: own
        for name, own in held.items()
        if are_rows(own) and (prefix_of(name) is not None or all(map(is_numbered, own)))
    }
    lists = [own for own in held.values() if are_numbers(own)]
    if not of_rows or not lists:
        return held
    spread: dict[str, Any] = {}
    for name, own in held.items():
        found = {name: own}
        if name in of_rows:
            found = {
                key if key.lower() in _NUMBERING else name_on(key, name): [
                    row.get(key) for row in own
                ]
                for key in own[0]
            }
        if any(spread.get(key, values) != values for key, values in found.items()):
            return held
        spread |= found
    same_keys = all(
        row.keys() == own[0].keys() for own in of_rows.values() for row in own
    )
    lengths = {len(own) for own in [*of_rows.values(), *lists]}
    return spread if same_keys and len(lengths) == 1 else held


def is_numbered(row: object) -> bool:
    """Tell whether it is a row with its epoch or step, and no trial or model."""
    return isinstance(row, dict) and any(name.lower() in _NUMBERING for name in row)


def are_numbers(held: object, fewest: int = 2) -> bool:
    """Tell whether it is a list of several numbers, or of so many at least."""
    return isinstance(held, list) and len(held) >= fewest and all(map(is_number, held))


def are_rows(held: object) -> bool:
    """Tell whether it is a list of mappings, none of them empty."""
    if not isinstance(held, list) or not held:
        return False
    return all(isinstance(row, dict) and row for row in held)


def rows_of_columns(held: Any) -> list[dict[str, Any]] | None:
    """Return the rows of a table that pandas wrote by columns; None if it is none.

    Each row is told by its number in the index, which rows that were dropped leave out.

    >>> rows_of_columns({"step": {"0": 5, "2": 9}, "loss": {"0": 0.5, "2": 0.25}})
    [{'step': 5, 'loss': 0.5}, {'step': 9, 'loss': 0.25}]
    >>> rows_of_columns({"0": {"loss": 0.5}, "1": {"loss": 0.25}}) is None
    True
    """
    columns = [*held.values()] if isinstance(held, dict) else []
    index = columns[0] if columns and isinstance(columns[0], dict) else {}
    if not index or not all(re.fullmatch(_STEP, key) for key in index):
        return None
    if any(not isinstance(own, dict) or own.keys() != index.keys() for own in columns):
        return None
    return [{name: own[at] for name, own in held.items()} for at in index]


def split_rows(held: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of a DataFrame that was written with orient="split"."""
    names, rows = held.get("columns"), held.get("data")
    if not isinstance(names, list) or not isinstance(rows, list):
        return None
    whole = all(isinstance(row, list) and len(row) == len(names) for row in rows)
    if not rows or not whole or not all(isinstance(name, str) for name in names):
        return None
    named = [dict(zip(names, row, strict=True)) for row in rows]
    return with_index(named, held.get("index"))


def with_index(rows: list[dict[str, Any]], index: object) -> list[dict[str, Any]]:
    """Return rows with their index as epochs, where it tells more than their order.

    >>> with_index([{"loss": 0.5}, {"loss": 0.25}], [0, 3])
    [{'epoch': 0, 'loss': 0.5}, {'epoch': 3, 'loss': 0.25}]
    >>> with_index([{"epoch": 0}, {"epoch": 3}], [0, 7])
    [{'epoch': 0}, {'epoch': 3}]
    """
    told = {name.lower().strip("_") for name in rows[0]} & _NUMBERING
    if told or not isinstance(index, list) or len(index) != len(rows):
        return rows
    if index == [*range(len(rows))] or not all(isinstance(at, int) for at in index):
        return rows
    return [{"epoch": at, **row} for at, row in zip(index, rows, strict=True)]


def rows_of_index(held: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of a table written by columns, if these are no plain lists.

    They are none if rows were dropped, or are steps, or if MLflow wrote one row more.
    Without a column of epochs the index counts them.
    """
    rows = rows_of_columns(held)
    if rows is None:
        return None
    names = {name.lower() for name in held}
    index = [*map(int, next(iter(held.values())))]
    plain = index == [*range(len(index))] and not names & {*STEP_NAMES, *ENDINGS}
    if plain:
        return None
    if names & {*EPOCH_NAMES, *STEP_NAMES}:
        return rows
    return [{"epoch": at, **row} for at, row in zip(index, rows, strict=True)]


def with_steps(held: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Leave out series of pairs at one step, beside others at several; with reasons.

    >>> with_steps({"a": [[0, 0.5], [1, 0.25]], "b": [[0, 0.5], [0, 0.75]]})
    ({'a': [[0, 0.5], [1, 0.25]]}, {'b': 'all 2 values stand at one step'})
    """
    if not all(map(_are_pairs, held.values())):
        return held, {}
    steps = {name: {point[0] for point in own} for name, own in held.items()}
    stepless = {
        name: f"all {len(own)} values stand at one step"
        for name, own in held.items()
        if len(steps[name]) == 1 < len(own)
    }
    if all(len(own) <= 1 for own in steps.values()):
        return held, {}
    return {name: own for name, own in held.items() if name not in stepless}, stepless


def rows_of_points(
    held: Mapping[str, Any], source: str, options: ReadOptions
) -> tuple[list[Any], list[str]] | None:
    """Return a row for each step of series that are lists of a step and a value each.

    With what to note; None if some hold something else.

    >>> from cbreplay.readers.base import ReadOptions
    >>> held = {"loss": [[0, 0.5], [1, 0.25]], "val_loss": [[1, 0.75]]}
    >>> rows_of_points(held, "log.json", ReadOptions())
    ([{'step': 0, 'loss': 0.5}, {'step': 1, 'loss': 0.25, 'val_loss': 0.75}], [])

    Raises
    ------
    ForeignLogError
        If the numbers before the values do not count, or count something else in
        another series.
    """
    held = {name: _as_pairs(own) for name, own in held.items()}
    if not held or not all(map(_are_pairs, held.values())):
        return None
    if all(len(points) < _PAIR for points in held.values()):
        return None
    for name, points in held.items():
        if not count_upwards([point[0] for point in points]):
            shown = ", ".join(map(str, points[:_PAIR]))
            problem = (
                f"{name} holds pairs, whose first numbers are no rising steps: {shown}"
            )
            hint = "Write one number for each epoch, or pairs of a step and its value"
            raise ForeignLogError(problem, source=source, hint=hint)
        if count_upwards([point[1] for point in points]) and len(points) > _PAIR:
            shown = ", ".join(map(str, points[:_PAIR]))
            problem = f"either number of {name} may be the step: {shown}"
            hint = f'Write {{"step": ..., "{name}": ...}} for each'
            raise ForeignLogError(problem, source=source, hint=hint)
    _check_steps(held, source, options)
    rows: dict[int, dict[str, Any]] = {}
    for name, points in held.items():
        for step, value in points:
            rows.setdefault(int(step), {"step": int(step)})[name] = value
    return [rows[step] for step in sorted(rows)], []


def _as_pairs(held: object) -> object:
    """Return the pairs of a mapping of steps, as pandas writes a column by its index.

    >>> _as_pairs({"1": 0.5, "2": 0.25})
    [[1, 0.5], [2, 0.25]]
    """
    if not isinstance(held, dict) or not held or "0" in held:
        # from 0 on it is a list
        return held
    if not all(re.fullmatch(_STEP, key) for key in held):
        return held
    return [[int(step), own] for step, own in held.items()]


_STEP = "[0-9]{1,9}"


def _are_pairs(held: object) -> bool:
    return isinstance(held, list) and all(
        isinstance(point, list)
        and len(point) == _PAIR
        and is_number(point[0])
        and (point[1] is None or is_number(point[1]))
        for point in held
    )


def as_number(value: object) -> float | None:
    """Return a number, also of a text, and NaN of "nan"; None if there is none."""
    try:
        return float(value)  # type: ignore[arg-type]  # what is no number is caught
    except (TypeError, ValueError, OverflowError):
        return None


def is_number(value: object) -> bool:
    """Tell whether a value is one number, or a text of one."""
    if isinstance(value, str):
        return holds_number(value)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_steps(held: Mapping[str, Any], source: str, options: ReadOptions) -> None:
    """Refuse series of which one counts epochs, perhaps, and another batches."""
    if options.x_axis is not None:
        return
    longest = max(held, key=lambda name: len(held[name]))
    known = {point[0] for point in held[longest]}
    for name, points in held.items():
        own = next((point[0] for point in points if point[0] not in known), None)
        if own is not None:
            problem = f"{name} has a value at {own}, where {longest} has none"
            problem += ": nothing says which of their values are of one epoch"
            judged = list(filter(is_validation, held))
            hint = (
                f"To {count_hint(judged)}" if judged else "Give each at the same steps"
            )
            raise ForeignLogError(problem, source=source, hint=hint)


def without_heads(
    rows: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[str], dict[int, str]]:
    """Leave out rows of which no name stands in any other: what was trained, and how.

    One comes first. Before which row, counted from 1, others stand, as of a process
    that went on, is returned too.
    """
    head = rows[0].keys()
    heads = [row.keys() == head for row in rows]
    others = [row for row, is_head in zip(rows, heads, strict=True) if not is_head]
    if len(others) <= 1 or any(head & row.keys() for row in others):
        return rows, [], {}
    said = ", ".join(head)
    n_above = [at + 1 - sum(heads[: at + 1]) for at, own in enumerate(heads) if own]
    fits = {at + 1: said for at in n_above if 0 < at < len(others)}
    which = "the first row, which says" if len(others) == len(rows) - 1 else "rows of"
    return others, [f"left out {which} {said}"], fits
