"""Cells that are lists: a scheduler's ``get_last_lr()`` gives one rate a group."""

from __future__ import annotations

import re

from cbreplay.readers.columns.header import parse_cell

__all__ = ["listed_number"]

_LIST = re.compile(r"[\[(]([^\[\]()]*)[\])]")


def listed_number(cell: object, *, of_groups: bool) -> float | None:
    """Return the number of a list that holds one, or of a text that shows such a list.

    Parameters
    ----------
    cell : object
        The list, or its text.
    of_groups : bool
        Whether several numbers are those of groups of parameters: the first stands for
        them. Else there must be one: those of classes may be equal in one epoch alone.

    Examples
    --------
    >>> listed_number([0.5], of_groups=False), listed_number("[1e-3]", of_groups=True)
    (0.5, 0.001)
    >>> listed_number("[0.1, 0.1]", of_groups=False) is None
    True
    >>> listed_number("[0.1, 0.2]", of_groups=True)
    0.1
    """
    listed = cell
    if isinstance(cell, str):
        found = _LIST.fullmatch(cell.strip())
        listed = found[1].split(",") if found is not None else None
        if isinstance(listed, list) and len(listed) > 1 and not listed[-1].strip():
            # a tuple of one
            del listed[-1]
    if not isinstance(listed, (list, tuple)):
        return None
    try:
        numbers = [_number(value) for value in listed]
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers[0] if len(numbers) == 1 or (numbers and of_groups) else None


def _number(value: object) -> float:
    number = parse_cell(value) if isinstance(value, str) else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
    if number is None:
        raise ValueError(value)
    return number
