"""Whether the last row of a text without a line end is whole."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from cbreplay.readers.columns.cells import holds_number

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["are_never_ended", "is_complete", "may_be_cut"]

# files of a directory that are looked at, and how much of each
_MOST_FILES, _MOST_BYTES = 200, 1 << 20


def is_complete(cell: str) -> bool:
    """Tell whether a cell at the end of a file holds what a whole one would hold."""
    return (
        cell in ("NA", "nan", "inf", "-inf") or cell.endswith("]") or holds_number(cell)
    )


def may_be_cut(cell: str, above: Sequence[str]) -> bool:
    """Tell whether a last number may lack digits, by the numbers above it.

    It may if all of them have more signs, if it is how one of them begins, or if its
    exponent may be lacking. A round number is whole where another above is round, and a
    share may end at 1.0.

    >>> may_be_cut("0.4", ["0.4321", "0.4287"]), may_be_cut("1.0", ["0.98", "0.99"])
    (True, False)
    >>> may_be_cut("0.43", ["0.5", "0.4321"]), may_be_cut("3.3", ["12.5", "4.1e-05"])
    (True, True)
    >>> may_be_cut("0.0", ["0.1127", "0.1044"]), may_be_cut("0.", ["1.0416"])
    (True, True)
    """
    is_shortest = bool(above) and len(cell) < min(map(len, above))
    is_share = cell == "1.0" and all(own.startswith("0.") for own in above)
    is_round = is_share or any(own.endswith(".0") for own in above)
    exponents = any(re.search(r"\d[eE]", own) for own in (cell, *above))
    return (
        (is_shortest and not (is_round and cell.endswith(".0")))
        or any(own.startswith(cell) and own != cell for own in above)
        or (exponents and re.fullmatch(_UP_TO_EXPONENT, cell) is not None)
    )


# as `1.5` and `1.5e-0` are of `1.5e-05`
_UP_TO_EXPONENT = r"[+-]?[1-9](\.\d+)?([eE][+-]?\d?)?"


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
        and not may_be_cut(last[-1], above)
    )
