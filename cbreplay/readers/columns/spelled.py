"""Numbers with text around them: ``85%``, ``1/50``, ``Epoch 3``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.columns.column_names import is_epoch_name, is_rate_name

if TYPE_CHECKING:
    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.readers.columns.table import LogTable

__all__ = ["read_spelled"]

_PERCENT = r"([+-]?[0-9]+(?:\.[0-9]*)?)\s*%"
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
        if is_epoch_name(name):
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
        cells.read_texts(values)
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
    cells.read_texts({row: float(held[1]) for row, held in known.items()})
    (plan,) = plans
    note = f"{name} is written as {shown!r}: its number was read"
    if plan is not None and int(plan) > 0:
        table.planned_epochs = int(plan)
        note += f", and {plan} epochs as the plan"
    table.notes.append(note)
