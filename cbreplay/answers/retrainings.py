"""What it meant in retrainings if a record still improved after a reduction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["meant_in_retrainings"]

# what comes before a reduction stays, so no more can be lost than was still to come: up
# to this share that is said, and no count of retrainings
_LEAST = 0.01
# by how much the record still improved, up to this share; and how many retrainings with
# as much still to come ended more than 1 % worse by an earlier reduction
_BANDS = (
    (0.03, "57 % of those with 1 to 3 %"),
    (0.1, "77 % of those with 3 to 10 %"),
    (math.inf, "85 % of those with over 10 %"),
)


def meant_in_retrainings(gains: Iterable[float]) -> str:
    """Say how often retrainings with as much still to come ended worse.

    The best value before a reduction stays: where none came after it, none can be lost.

    >>> meant_in_retrainings([0.0])
    'A reduction there cannot make that best worse.'
    >>> meant_in_retrainings([0.2, 0.004, 0.02]).partition(" still to come")[0][48:]
    '57 % of those with 1 to 3 % and 85 % of those with over 10 %'
    """
    told = list(gains)
    counted = [gain for gain in told if gain > _LEAST]
    if not any(told):
        return "A reduction there cannot make that best worse."
    if not counted:
        return "A reduction there can make that best worse by no more than this."
    bands = {next(band for band in _BANDS if gain <= band[0]) for gain in counted}
    *others, last = (words for _, words in sorted(bands))
    shares = f"{', '.join(others)} and {last}" if others else last
    return (
        f"Of 2,208 retrainings with an earlier reduction, {shares} still to come ended "
        "more than 1 % worse."
    )
