"""Names that Keras numbered: its second model's ``auc`` is called ``auc_1``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["are_numbered_anew", "are_one_metric", "renamed_note", "without_number"]

_NUMBERED = r"(?P<base>[A-Za-z]\w*?)_(?P<number>[0-9]+)"


def without_number(name: str) -> str:
    """Return a name without the number that Keras may have appended.

    >>> without_number("val_auc_1"), without_number("val_auc")
    ('val_auc', 'val_auc')
    """
    found = re.fullmatch(_NUMBERED, name)
    return found["base"] if found else name


def are_one_metric(names: Iterable[str], base: str) -> bool:
    """Tell whether names that have this base are those of one metric, by their numbers.

    One of them has no number, or the numbers follow each other: ``hits_5`` and
    ``hits_10`` are two metrics.

    >>> (
    ...     are_one_metric(["auc_2", "auc"], "auc"),
    ...     are_one_metric(["hits_5", "hits_10"], "hits"),
    ... )
    (True, False)
    """
    names = {*names}
    if base in names:
        return True
    numbers = sorted(_number(name, base) for name in names)
    return numbers[-1] - numbers[0] < len(numbers)


def are_numbered_anew(names: Sequence[str], others: Sequence[str]) -> bool:
    """Tell whether other names are the same ones, as Keras numbers a later model's.

    The first model's have no number, or the numbers go up by one.

    >>> are_numbered_anew(["loss", "auc"], ["loss", "auc_2"])
    True
    >>> are_numbered_anew(["auc_1"], ["auc_2"]), are_numbered_anew(["auc"], ["acc_1"])
    (True, False)
    """
    bases = [without_number(name) for name in names]
    if bases != [without_number(name) for name in others]:
        return False
    return len(set(bases)) == len(bases) and all(map(_goes_on, names, others, bases))


def _goes_on(name: str, other: str, base: str) -> bool:
    if name in (base, other):
        return True
    return other != base and _number(other, base) == _number(name, base) + 1


def _number(name: str, base: str) -> int:
    return int(name.removeprefix(f"{base}_"))


def renamed_note(numbered: Mapping[str, Sequence[str]]) -> str:
    """Say which names were read as which, the key."""
    listed = ", ".join(
        f"{_enumerated(others)} as {name}" for name, others in numbered.items()
    )
    return f"read {listed}: Keras numbers the metrics of a second model"


def _enumerated(names: Sequence[str]) -> str:
    *most, last = dict.fromkeys(names)
    if len(most) > _SHOWN:
        return f"{', '.join(most[:_SHOWN])}, ... and {last}"
    return f"{', '.join(most)} and {last}" if most else last


_SHOWN = 5
