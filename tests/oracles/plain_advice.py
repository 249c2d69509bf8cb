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
    """A record of one series that is to fall, with what may be lost on it.

    `reached_plan` is whether it ended where it was planned to, be that known or read
    off the others; `own_patience` the one that ended it; `is_whole` whether a patience
    that is enough can be known at all.
    """

    name: str
    values: Sequence[float]
    reached_plan: bool
    loss_allowed: float
    own_patience: float = math.inf
    is_whole: bool = True

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
        # what its own stop left out of a log, nobody knows
        return self.tells(patience) and math.isinf(self.own_patience)

    def lost(self, patience: int, *, restores: bool) -> float:
        end = stop_at(self.values, patience, "min", restores=restores)
        value = self.values[end.kept]
        return max(0.0, value - self.best)

    def sufficient(self, most: int, *, restores: bool) -> int | None:
        """Return the smallest patience from which on nothing more is lost."""
        enough: int | None = None
        if not self.is_whole:
            return None
        for patience in range(most, 0, -1):
            if not self.prices(patience):
                continue
            if self.lost(patience, restores=restores) > self.loss_allowed:
                return enough
            enough = patience
        return enough


def gap_of(values: Sequence[float]) -> int:
    """Return how many values come after the first best one."""
    return len(values) - 1 - list(values).index(min(values))


def ends_of(
    logs: Sequence[Sequence[float]], planned: Sequence[bool], under: int | None
) -> list[tuple[bool, float]]:
    """Return of each log whether it reached a plan, and what patience ended it else.

    At least three logs of one length were planned for it, unless all end equally long
    after their best, as under a rule, or their gaps are those of several rules; of the
    others, three with one gap of two or more were ended by one, and so was each such
    one of four and more in which no gap stands alone. What never changes shows no rule.
    """
    reached = []
    for log, known in zip(logs, planned, strict=True):
        gaps = [gap_of(other) for other in logs if len(other) == len(log)]
        one_rule = len(set(gaps)) == 1 and gaps[0] >= 2
        no_plan = one_rule or _ended_by_rules(logs, len(log))
        reached.append(known or (len(gaps) >= 3 and not no_plan))
    silent = [
        log
        for log, there in zip(logs, reached, strict=True)
        if not there and len(set(log)) > 1
    ]
    gaps = [gap_of(log) for log in silent]
    paired = len(gaps) >= 4 and all(gaps.count(gap) >= 2 for gap in gaps)
    found = []
    for log, there in zip(logs, reached, strict=True):
        own = math.inf
        gap = gap_of(log)
        by_rule = gap >= 2 and (paired or gaps.count(gap) >= 3)
        if not there and under is not None:
            own = under
        elif not there and by_rule and len(set(log)) > 1:
            own = gap
        found.append((there, own))
    return found


def _ended_by_rules(logs: Sequence[Sequence[float]], length: int) -> bool:
    """Whether logs of one length end there by chance, each by one of several rules.

    Then each of their gaps, two at least, comes at as many lengths as they have gaps.
    """
    lengths: dict[int, set[int]] = {}
    for log in logs:
        if len(set(log)) > 1:
            lengths.setdefault(gap_of(log), set()).add(len(log))
    here = [gap for gap, ends in lengths.items() if length in ends]
    return len(here) > 1 and all(
        gap >= 2 and len(lengths[gap]) >= len(here) for gap in here
    )


def scale_of(values: Sequence[float]) -> float:
    """Return the size of the best value, or the way to it where it is near 0."""
    best = min(values)
    way = abs(values[0] - best)
    return (abs(best) if abs(best) >= 0.01 * way else way) or 1.0
