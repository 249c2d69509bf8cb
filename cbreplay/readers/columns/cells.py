"""One cell of a text table: its number, or that it is missing, a word, or quoted."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "MISSING",
    "are_dashes",
    "are_words",
    "holds_number",
    "is_quoted_row",
    "parse_cell",
]

# cells that mean a missing value: empty, Keras's NA, and what Excel, pandas, R, Python,
# fastai, Hugging Face's tables and people write
MISSING = frozenset(
    (
        *("", "NA", "N/A", "n/a", "#N/A", "<NA>", "None", "null", "NULL", "-"),
        *("#na#", "No log"),
    )
)
# NaN and infinity as programs of older Windows write them, zeros at the end removed
_OF_WINDOWS = {
    **dict.fromkeys(("1.#QNAN", "-1.#QNAN", "1.#IND", "-1.#IND", "1.#SNAN"), "nan"),
    "1.#INF": "inf",
    "-1.#INF": "-inf",
}


def parse_cell(cell: str) -> float | None:
    """Return the number in a cell, or None for an empty one, ``NA`` or the like.

    Raises
    ------
    ValueError
        If the cell holds something else.

    Examples
    --------
    >>> parse_cell("0.009999999776482582"), parse_cell("NA")
    (0.009999999776482582, None)
    """
    cell = cell.strip()
    if cell in MISSING:
        return None
    # Python's float() also takes 1_0 and the digits of other scripts
    if "_" in cell or not cell.isascii():
        raise ValueError(cell)
    if "#" in cell:
        cell = _OF_WINDOWS.get(cell.upper().rstrip("0"), cell)
    value = float(cell)
    # 1e400 is a number that float() makes inf
    if math.isinf(value) and "inf" not in cell.lower():
        raise ValueError(cell)
    return value


def holds_number(cell: str) -> bool:
    """Tell whether a cell holds a number.

    >>> [holds_number(cell) for cell in ("0.5", "NA", "loss")]
    [True, False, False]
    """
    try:
        return parse_cell(cell) is not None
    except ValueError:
        return False


def are_dashes(cells: Sequence[str]) -> bool:
    """Tell whether a row is the line below the names of a Markdown table."""
    return all(re.fullmatch(":?-{3,}:?|", cell) for cell in cells)


def are_words(cells: Sequence[str]) -> bool:
    """Tell whether cells hold words, and neither numbers nor missing values."""
    said = [cell for cell in cells if cell]
    return bool(said) and not any(
        cell in MISSING or cell.startswith("[") or holds_number(cell) for cell in said
    )


def is_quoted_row(cell: str, delimiter: str) -> bool:
    """Tell whether one cell holds a whole row of numbers, put in quotes."""
    parts = cell.split(delimiter)
    return len(parts) > 1 and all(map(holds_number, parts))
