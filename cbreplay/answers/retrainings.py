"""What a gain that was still to come has meant in retrainings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["meant_in_retrainings"]

# up to which share still to come, and in how many retrainings with as much to come an
# earlier reduction cost more than 1 %
_BANDS = (
    (0.01, "in none of those with up to 1 % still to come"),
    (0.03, "in 57 % of those with 1 to 3 % still to come"),
    (0.1, "in 77 % of those with 3 to 10 % still to come"),
    (math.inf, "in 85 % of those with over 10 % still to come"),
)


def meant_in_retrainings(gains: Iterable[float]) -> str:
    """Say how often retrainings with as much still to come ended worse.

    >>> meant_in_retrainings([0.2, 0.004, 0.3])[-58:]
    'to come and in 85 % of those with over 10 % still to come.'
    """
    bands = {next(band for band in _BANDS if gain <= band[0]) for gain in gains}
    told = " and ".join(words for _, words in sorted(bands))
    return f"In 2,208 retrainings an earlier reduction cost more than 1 %: {told}."
