"""Names for the trainings of one table, by columns such as model or seed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.readers.columns.rate_names import is_rate_name
from cbreplay.series_names import is_validation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import BoolArray, EpochArray

__all__ = ["name_parts"]

# a slash would be read as a directory, and a sentence is no name
_WORD = r"[\w.+-][\w.+ -]{0,30}"
_LONGEST = 60


def name_parts(table: LogTable, epochs: EpochArray, rows: EpochArray) -> dict[int, str]:
    """Return names for the trainings in a table, by the row where each begins.

    People put the trainings of a sweep one below the other, with columns such as
    ``model`` and ``seed``: these change only where the epochs begin anew.

    `rows` tells which row of the table each epoch is of.

    Returns
    -------
    dict of int to str
        As ``{0: "model=a,seed=1", 30: "model=a,seed=2"}``; empty if no column tells
        them apart.
    """
    begins = np.append(True, epochs[1:] <= epochs[:-1])
    told = {
        name: texts
        for name, cells in table.columns.items()
        if not (is_validation(name) or "loss" in name.lower())
        # a column with a val_ twin is a metric, even if it never changed
        and f"val_{name}" not in table.columns
        and re.fullmatch(_WORD, name)
        and (texts := _texts_of_parts(cells, rows, begins))
    }
    if all(map(is_rate_name, told)):
        # a fit that was begun again with another rate is no sweep
        return {}
    names = [""] * int(np.count_nonzero(begins))
    # a column with few values is a setting: these come first, a unique name last
    for name in sorted(told, key=lambda name: len(set(told[name]))):
        longer = [
            f"{before},{name}={text}" if before else f"{name}={text}"
            for before, text in zip(names, told[name], strict=True)
        ]
        if len(set(longer)) > len(set(names)):
            names = longer
    if len(set(names)) == 1 or max(map(len, names)) > _LONGEST:
        return {}
    return dict(zip(np.flatnonzero(begins).tolist(), _numbered(names), strict=True))


def _texts_of_parts(
    cells: LogColumn, rows: EpochArray, begins: BoolArray
) -> list[str] | None:
    """Return a column's text in each part; None if it changes inside of a part."""
    values: NDArray[Any]
    if cells.wrong.all() and (cells.blocks or len(cells.texts) == len(cells.wrong)):
        values = np.array(cells.words_of_rows())[rows]
    elif cells.blank.any():
        return None
    else:
        values = cells.values[rows]
    if ((values[1:] != values[:-1]) & ~begins[1:]).any():
        return None
    told = values[begins].tolist()
    texts = [text if isinstance(text, str) else f"{text:.6g}" for text in told]
    return texts if all(re.fullmatch(_WORD, text) for text in texts) else None


def _numbered(names: Sequence[str]) -> list[str]:
    """Return the names, with a number where several parts have the same."""
    if len(set(names)) == len(names):
        return list(names)
    met: dict[str, int] = {}
    numbered = []
    for name in names:
        met[name] = met.get(name, 0) + 1
        numbered.append(f"{name},run{met[name]}")
    return numbered
