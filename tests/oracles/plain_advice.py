"""What the patience values of many runs cost, once more, as loops over lists.

It shares nothing with the package: what advice claims is checked against it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from tests.oracles.plain_stop import best_of, stop_at

if TYPE_CHECKING:
    from collections.abc import Sequence


class PlainRun(NamedTuple):
    """A record of one series that is to fall, with what may be lost on it."""

    name: str
    values: Sequence[float]
    reached_plan: bool
    loss_allowed: float
    # above the patience that it was recorded under a log tells nothing
    own_patience: float = math.inf

    @property
    def best(self) -> float:
        best = best_of(self.values, "min")
        if best is None:
            message = "these runs have values"
            raise AssertionError(message)
        return best

    def tells(self, patience: int) -> bool:
        """Whether the record says what a patience would have done."""
        return (
            self.reached_plan or stop_at(self.values, patience, "min").stop is not None
        )

    def prices(self, patience: int) -> bool:
        """Whether it may be counted as evidence for it."""
        return self.tells(patience) and patience <= self.own_patience

    def lost(self, patience: int, *, restores: bool) -> float:
        end = stop_at(self.values, patience, "min", restores=restores)
        value = self.values[end.kept]
        return max(0.0, value - self.best)

    def sufficient(self, most: int, *, restores: bool) -> int | None:
        """Return the smallest patience from which on nothing more is lost."""
        enough: int | None = None
        for patience in range(most, 0, -1):
            if not self.prices(patience):
                continue
            if self.lost(patience, restores=restores) > self.loss_allowed:
                return enough
            enough = patience
        return enough


def scale_of(values: Sequence[float]) -> float:
    """Return the size of the best value, or the way to it where it is near 0."""
    best = min(values)
    way = abs(values[0] - best)
    return (abs(best) if abs(best) >= 0.01 * way else way) or 1.0
