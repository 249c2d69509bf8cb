"""Numbers with text around them: ``85%``, ``1/50``, ``Epoch 3``; lists of numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.columns.header import EPOCH_NAMES, parse_cell
from cbreplay.readers.columns.rate_names import is_rate_name

if TYPE_CHECKING:
    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.readers.columns.table import LogTable

__all__ = ["first_listed", "read_spelled"]

_PERCENT = r"([+-]?[0-9]+(?:\.[0-9]*)?)\s*%"
_LIST = r"[\[(]([^\[\]()]*)[\])]"
_EPOCH = (
    r"(?i)[\[(]?(?:epoch\s*)?#?\s*([0-9]{1,15})(?:\s*(?:/|of)\s*([0-9]{1,15}))?[\])]?"
)


def read_spelled(table: LogTable) -> None:
    """Read columns that hold nothing but such numbers, with a note.

    A column in which some cells are plain numbers is left as it is: it is not certain
    that these mean the same.
    """
    for name, cells in table.columns.items():
        if not cells.texts or not _all_text(cells):
            continue
        if name.lower() in EPOCH_NAMES:
            _read_epochs(table, name, cells)
        else:
            _read_percent(table, name, cells)


def _all_text(cells: LogColumn) -> bool:
    """Tell whether every cell that holds something is kept as text."""
    return len(cells.texts) == int(np.count_nonzero(~cells.missing))


def _read_percent(table: LogTable, name: str, cells: LogColumn) -> None:
    found = {row: re.fullmatch(_PERCENT, text) for row, text in cells.texts.items()}
    # a metric may be counted in percent; a rate is a factor
    power = "e-2" if is_rate_name(name) else ""
    values = {
        row: float(held[1] + power) for row, held in found.items() if held is not None
    }
    if len(values) == len(found):
        shown = next(iter(cells.texts.values()))
        _take(cells, values)
        table.notes.append(
            f"{name} is written in percent: {shown} was read as "
            f"{next(iter(values.values())):g}"
        )


def _read_epochs(table: LogTable, name: str, cells: LogColumn) -> None:
    found = {row: re.fullmatch(_EPOCH, text) for row, text in cells.texts.items()}
    known = {row: held for row, held in found.items() if held is not None}
    plans = {held[2] for held in known.values()}
    if len(known) < len(found) or len(plans) > 1:
        return
    shown = next(iter(cells.texts.values()))
    _take(cells, {row: float(held[1]) for row, held in known.items()})
    (plan,) = plans
    note = f"{name} is written as {shown!r}: its number was read"
    if plan is not None and int(plan) > 0:
        table.planned_epochs = int(plan)
        note += f", and {plan} epochs as the plan"
    table.notes.append(note)


def _take(cells: LogColumn, values: dict[int, float]) -> None:
    for row, value in values.items():
        cells.values[row] = value
        cells.wrong[row] = False
    cells.texts = {}


def first_listed(cell: object) -> float | None:
    """Return the first number of a list, or of a text that shows a list; else None.

    For learning rates of several parameter groups, the first is used. A list is never
    the value of a metric: it may hold one number for each class.

    >>> first_listed([0.5, 5]), first_listed("[1e-3]"), first_listed("(0.1,)")
    (0.5, 0.001, 0.1)
    """
    listed = cell
    if isinstance(cell, str):
        found = re.fullmatch(_LIST, cell.strip())
        listed = found[1].split(",") if found is not None else None
        if isinstance(listed, list) and len(listed) > 1 and not listed[-1].strip():
            # the comma of a tuple of one
            del listed[-1]
    if not isinstance(listed, (list, tuple)):
        return None
    try:
        numbers = [_number(value) for value in listed]
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers[0] if numbers else None


def _number(value: object) -> float:
    number = parse_cell(value) if isinstance(value, str) else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
    if number is None:
        raise ValueError(value)
    return number
