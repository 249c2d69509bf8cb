"""JSON with the lists of several trainings, or of one that each save wrote again."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from cbreplay.readers.columns.header import EPOCH_NAMES
from cbreplay.readers.columns.rate_names import is_rate_name
from cbreplay.readers.other_tools.json_nested import points_of

__all__ = ["is_history", "trainings_in", "trainings_of"]

_SEVERAL = 2
_DATA_SET = (
    r"(history|learn|train|training|val|valid|validation|eval|test|dev)[_-]?(set)?\d*"
)


def trainings_in(held: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the lists of each training; those of several stand under their names.

    Lists under the names of data sets are of one training.
    """
    return held if _are_trainings(held) else {"": held}


def _are_trainings(held: dict[str, Any]) -> bool:
    """Tell whether lists of several trainings stand under a name each."""
    several = bool(held) and all(map(is_history, held.values()))
    return several and not any(re.fullmatch(_DATA_SET, key.lower()) for key in held)


def is_history(held: object) -> bool:
    """Tell whether it is lists under their names, and no row and no curve.

    So it is where they are below ``history``, as in a Keras History that was dumped
    whole.
    """
    if not isinstance(held, dict) or points_of(held) is not None:
        return False
    if isinstance(held.get("history"), dict):
        return is_history(held["history"])
    listed = any(
        isinstance(values, list) and len(values) > 1 and not is_rate_name(name)
        for name, values in held.items()
    )
    is_row = any(
        name.lower() in EPOCH_NAMES and not isinstance(values, list)
        for name, values in held.items()
    )
    nested = any(isinstance(values, dict) for values in held.values())
    return listed and not is_row and not nested


def trainings_of(held: Any) -> tuple[Any, list[str]]:  # noqa: ANN401
    """Return a list of histories by their numbers; the last of those that grow."""
    notes = []
    if isinstance(held, dict) and _are_trainings(held):
        saved = [*held.values()]
        held = saved if _grows(saved) else held
    if _grows(held):
        times = "once" if len(held) == _SEVERAL else f"{len(held) - 1} times"
        notes.append(f"its lists stand there {times} more: they were read once")
        held = held[-1]
    if isinstance(held, list) and held and all(map(is_history, held)):
        held = {str(number): own for number, own in enumerate(held, start=1)}
    return held, notes


def _grows(held: object) -> bool:
    """Tell whether lists of a training stand there again at each save, with more.

    >>> _grows([{"loss": [0.5]}, {"loss": [0.5, 0.25]}])
    True
    """
    if not isinstance(held, list) or len(held) < _SEVERAL:
        return False
    if not all(isinstance(own, dict) and own for own in held):
        return False
    if not all(isinstance(values, list) for own in held for values in own.values()):
        return False
    return (
        is_history(held[-1])
        and all(
            own.keys() == following.keys()
            # NaN is like NaN when it is written
            and all(
                repr(values) == repr(following[name][: len(values)])
                for name, values in own.items()
            )
            for own, following in pairwise(held)
        )
    )
