"""A series in one line of characters."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ASCII_BARS", "BARS", "draw_sparkline"]

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-=+*#@"


def draw_sparkline(values: Sequence[float | None], width: int, bars: str = BARS) -> str:
    """Draw a series in one line of characters; a space where nothing is recorded.

    Parameters
    ----------
    values : sequence of float or None
        One per epoch; None where nothing was recorded.
    width : int
        At most so many characters.
    bars : str
        The characters, the lowest first.

    Examples
    --------
    >>> draw_sparkline([3.0, 2.0, None, None, None, 1.0], 6)
    '█ ▁'
    """
    n_recorded = sum(value is not None for value in values)
    drawn = [
        value if value is not None and math.isfinite(value) else None
        for value in values
    ]
    width = max(min(width, n_recorded), 1)
    edges = [round(i * len(drawn) / width) for i in range(width + 1)]
    heights = [
        _mean([value for value in drawn[start:end] if value is not None])
        for start, end in itertools.pairwise(edges)
    ]
    known = [height for height in heights if height is not None]
    if not known:
        return ""
    return "".join(
        " " if height is None else bars[_level(height, known, bars)]
        for height in heights
    )


def _level(height: float, known: Sequence[float], bars: str) -> int:
    """Return which bar shows a height; a few outliers do not flatten the rest."""
    ordered = sorted(known)
    low, high = ordered[len(known) // 20], ordered[len(known) - 1 - len(known) // 8]
    if high <= low:
        return 0
    share = min(max((height - low) / (high - low), 0.0), 1.0)
    return math.floor(share * (len(bars) - 1) + 0.5)


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
