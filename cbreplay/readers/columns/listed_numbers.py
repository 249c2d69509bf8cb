"""Cells that are lists: a scheduler's ``get_last_lr()`` gives one rate a group."""

from __future__ import annotations

import re

from cbreplay.readers.columns.header import parse_cell

__all__ = ["first_listed"]

_LIST = r"[\[(]([^\[\]()]*)[\])]"


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
