"""Tables on their side: a row, or a list, for each series instead of a column."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.readers.columns.cells import holds_number, parse_cell
from cbreplay.readers.columns.column import LogColumn
from cbreplay.readers.columns.column_names import (
    EPOCH_NAMES,
    SETTINGS,
    STEP_NAMES,
    is_epoch_name,
    letters,
)
from cbreplay.readers.columns.counters import list_counts_on
from cbreplay.readers.columns.roles import EXACT, counts_rows
from cbreplay.readers.columns.table import LogTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers.base import Damage
    from cbreplay.readers.columns.text_rows import TextRows

__all__ = [
    "are_turned",
    "count_upwards",
    "read_turned",
    "rows_of_lists",
    "turned_names",
]

# at least a name and two numbers: a title may hold one number
_FEWEST = 3
_EPOCH = r"(?i)ep(och)?[ _-]?(?=[0-9])"


def are_turned(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether each of the first rows is a series: a name, and then numbers."""
    if not rows or len(rows[0]) < _FEWEST:
        return False
    header, *below = rows
    if not all(map(_holds_number, header[1:])) or holds_number(header[0]):
        return False
    named = all(
        row and _is_name(row[0]) and any(map(holds_number, row[1:])) for row in below
    )
    return named and (bool(below) or _is_name(header[0]))


def turned_names(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of the series in a table that stands on its side."""
    header, *below = rows
    listed = below if _numbers_epochs(header) else rows
    return [*(["epoch"] if listed is below else []), *(row[0] for row in listed)]


def read_turned(text: TextRows, source: str, damage: Damage) -> LogTable:
    """Read a table whose rows are series."""
    rows = [row for batch, _ in text.batches() for row in batch]
    epochs = ["epoch", *map(_number_of, text.header[1:])]
    listed = [epochs if _numbers_epochs(text.header) else text.header, *rows]
    names = [cells[0] for cells in listed]
    table = LogTable(source, damage, names)
    table.counted = "column"
    table.lines = np.arange(1, len(text.header))
    for column, cells in zip(table.columns.values(), listed, strict=True):
        column.add(cells[1:], parse_cell)
        column.finish()
    table.crlf = text.lines.crlf
    table.notes += text.notes
    table.notes.append("each row was read as a series: the table stands on its side")
    table.join_repeated()
    return table


def _number_of(name: str) -> str:
    """Return the number in ``epoch_3`` or ``Epoch 3``; else the name as it is."""
    return re.sub(_EPOCH, "", name)


def _holds_number(name: str) -> bool:
    return holds_number(_number_of(name))


def _is_name(cell: str) -> bool:
    # Epoch 3 is the name of an epoch, and of no series
    return any(letter.isalpha() for letter in cell) and not _holds_number(cell)


def _numbers_epochs(header: Sequence[str]) -> bool:
    """Tell whether the first row counts epochs, and is no series itself."""
    if is_epoch_name(header[0]):
        return True
    numbers = LogColumn()
    numbers.add(list(map(_number_of, header[1:])), parse_cell)
    numbers.finish()
    return counts_rows(numbers.values)


def rows_of_lists(
    held: Any,
    *,
    epochs: bool = True,
) -> list[dict[str, Any]] | None:
    """Return the rows of lists of one length, one of rising steps or of settings.

    None where the steps stand beside a list of epochs, unless these are `epochs` too.

    >>> rows_of_lists({"_step": [0, 7], "val_loss": [0.5, 0.25]})
    [{'_step': 0, 'val_loss': 0.5}, {'_step': 7, 'val_loss': 0.25}]
    >>> rows_of_lists({"steps": [9, 9], "val_loss": [0.5, 0.25]}) is None
    True
    """
    columns = [*held.values()] if isinstance(held, dict) else []
    lists = all(isinstance(own, list) for own in columns)
    if not lists or len({len(own) for own in columns}) != 1:
        return None
    names = {name.lower().strip("_"): own for name, own in held.items()}
    steps = [own for name, own in names.items() if name in STEP_NAMES]
    of_epochs = not names.keys().isdisjoint(EPOCH_NAMES)
    if not steps and not of_epochs:
        steps = [own for name, own in names.items() if list_counts_on(name, own)]
    told = epochs or not of_epochs
    of_settings = any(letters(name) in SETTINGS for name in names)
    if not of_settings and not (told and any(map(_count_in_parts, steps))):
        return None
    return [dict(zip(held, row, strict=True)) for row in zip(*columns, strict=True)]


def _count_in_parts(numbers: list[Any]) -> bool:
    """Tell whether numbers are whole, and rise but where a part of them begins again.

    >>> _count_in_parts([0, 10, 20, 10, 20, 30]), _count_in_parts([3, 1, 2, 0])
    (True, False)
    >>> _count_in_parts([0, 10, "end", None])
    False
    """
    if not all(isinstance(own, (int, float)) for own in numbers):
        return False
    begins = [at for at, (own, after) in enumerate(pairwise(numbers), 1) if after < own]
    parts = [numbers[a:b] for a, b in pairwise([0, *begins, len(numbers)])]
    return _FEW * len(begins) < len(numbers) and all(map(count_upwards, parts))


_FEW = 3


def count_upwards(numbers: list[Any]) -> bool:
    """Tell whether numbers are whole, and rise."""
    whole = all(
        isinstance(own, (int, float)) and 0 <= own < EXACT and own == int(own)
        for own in numbers
    )
    return whole and all(own < following for own, following in pairwise(numbers))
