"""Whether a last row without a line end is whole, or was cut while it was written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cbreplay.readers.columns.header import holds_number

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["are_never_ended", "is_complete", "is_shorter"]

# files of a directory that are looked at, and how much of each
_MOST_FILES, _MOST_BYTES = 200, 1 << 20


def is_complete(cell: str) -> bool:
    """Tell whether a cell at the end of a file holds what a whole one would hold."""
    return (
        cell in ("NA", "nan", "inf", "-inf")
        or cell.endswith("]")
        or (holds_number(cell))
    )


def is_shorter(cell: str, above: Sequence[str]) -> bool:
    """Tell whether a number has fewer signs than all above it, as one that was cut.

    >>> is_shorter("0.4", ["0.4321", "0.4287"]), is_shorter("1.0", ["0.98", "0.99"])
    (True, False)
    """
    return (
        len(above) > 1 and not cell.endswith(".0") and len(cell) < min(map(len, above))
    )


def are_never_ended(source: str, delimiter: str) -> bool:
    """Tell whether the files beside one, with the same header, end like it.

    A writer that leaves out the last line end does so in each. A training that is being
    written lies beside others that have ended, or are cut inside other cells.
    """
    place, name = os.path.split(source)
    header = _rows_of(source)[:1]
    ending = os.path.splitext(name)[1]
    try:
        others = [
            entry.path
            for entry in os.scandir(place or os.curdir)
            if entry.name.endswith(ending) and entry.name != name and entry.is_file()
        ]
    except OSError:
        return False
    tables = [_rows_of(path) for path in sorted(others)[:_MOST_FILES]]
    alike = [rows for rows in tables if header and rows[:1] == header]
    return bool(alike) and all(_is_unended(rows, delimiter) for rows in alike)


def _rows_of(path: str) -> list[str]:
    """Return the lines of a small file, the last of them empty if it has a line end."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read(_MOST_BYTES)
    except (OSError, ValueError):
        return []
    return [] if len(text) == _MOST_BYTES else text.split("\n")


def _is_unended(rows: Sequence[str], delimiter: str) -> bool:
    """Tell whether a table ends with a whole row that has no line end."""
    cells = [[cell.strip() for cell in row.split(delimiter)] for row in rows if row]
    last = cells[-1]
    above = [row[-1] for row in cells[1:-1]]
    return (
        rows[-1] != ""
        and len(cells) > 1
        and len(last) == len(cells[0])
        and is_complete(last[-1])
        and not is_shorter(last[-1], above)
    )
