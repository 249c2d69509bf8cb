"""Numbers and epochs as a report writes them."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "count",
    "decimals_for",
    "spoken_epoch",
    "spoken_number",
    "spoken_range",
    "spoken_seconds",
]

_LARGEST_PLAIN = 1e7


def decimals_for(values: Iterable[float | None]) -> int:
    """Return how many decimals show four significant digits of the middle value.

    One extreme value so decides nothing about the column that it stands in.

    >>> decimals_for([0.4126, 0.3, 176.3]), decimals_for([123.4]), decimals_for([])
    (4, 1, 4)
    """
    sizes = [abs(one) for one in values if one is not None and math.isfinite(one)]
    known = [size for size in sizes if size > 0]
    if not known:
        return 4
    middle = statistics.median_low(known)
    return min(max(3 - math.floor(math.log10(middle)), 0), 10)


def spoken_number(value: float | None, decimals: int) -> str:
    """Write a number of a column; '-' where there is none.

    >>> [spoken_number(one, 4) for one in (0.3121, 0.0, None, 2e-9, 3e9)]
    ['0.3121', '0', '-', '2.0e-09', '3.000e+09']
    """
    if value is None:
        return "-"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if value == 0:
        return "0"
    if abs(value) >= _LARGEST_PLAIN:
        return f"{value:.3e}"
    text = f"{value:.{decimals}f}"
    # a difference too small for the column is still not zero
    return text if float(text) != 0 else f"{value:.1e}"


def spoken_epoch(epoch: int | None) -> str:
    """Write a zero-based epoch as people count it."""
    return "-" if epoch is None else str(epoch + 1)


def spoken_range(first: int, last: int | None) -> str:
    """Write both ends, once if they are one.

    >>> spoken_range(3, 3), spoken_range(2, 4), spoken_range(59, None)
    ('3', '2-4', '59 or more')
    """
    if last is None:
        return f"{first} or more"
    return str(first) if first == last else f"{first}-{last}"


def count(number: int, noun: str) -> str:
    """Write a number with its noun.

    >>> count(1, "epoch"), count(3, "epoch")
    ('1 epoch', '3 epochs')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def spoken_seconds(seconds: float) -> str:
    """Write a duration in its own unit.

    >>> spoken_seconds(3.21), spoken_seconds(320), spoken_seconds(32000)
    ('3.2 s', '5.3 min', '8.9 h')
    """
    for limit, divisor, unit in ((90, 1, "s"), (5400, 60, "min")):
        if seconds < limit:
            return f"{seconds / divisor:.1f} {unit}"
    return f"{seconds / 3600:.1f} h"
