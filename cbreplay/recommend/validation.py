"""Choices made without a group, scored on that group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from cbreplay.recommend.selection import (
    NEAR_TIE,
    needed_rank,
    sufficient_for_most,
)

if TYPE_CHECKING:
    from cbreplay.run import EpochArray, FloatArray

__all__ = [
    "FEWEST_TO_SHORTEN",
    "USUAL",
    "Choice",
    "Priced",
    "choose_patience",
    "is_clearly_better",
    "is_hasty",
    "leave_out_largest",
    "leave_out_sufficient",
    "resample_mean",
]

# the fixed patience that a choice has to be better than, by how much, and not by one
# group alone: where one could decide, what was recommended from nine of the sample logs
# was worse than 10 on the others in 37 draws of a hundred, and so in 1 or 2: the bench
# benchmarks/recommend.py shows it
USUAL = 10
_CLEARLY = 2 * NEAR_TIE
# where few groups all need little, that is often luck: what was enough for nine such
# curves was enough for half of the others, where nine tenths are promised
FEWEST_TO_SHORTEN = 12
_FEWEST_TO_RESAMPLE = 10
_DRAWS = 2000
_MOST_DRAWN = 1_000_000


class Priced(NamedTuple):
    """What every patience costs on every group.

    Parameters
    ----------
    patience : array of shape (n_patience,)
        The values, ascending.
    sufficient : array of shape (n_groups,)
        The smallest that is enough on all runs of a group; infinity where unknown.
    regret, cost, score : array of shape (n_groups, n_patience)
        Means over the runs of a group: the regret, the share of the recorded epochs
        that are trained, and both in one. NaN where a run's cell is not exact.
    """

    patience: EpochArray
    sufficient: FloatArray
    regret: FloatArray
    cost: FloatArray
    score: FloatArray

    def take(self, groups: EpochArray) -> Priced:
        """Return some of the groups."""
        columns = (one[groups] for one in self[1:])
        return Priced(self.patience, *columns)

    def look_up(self, column: FloatArray, patience: EpochArray) -> FloatArray:
        """Return each group's value at a patience of its own."""
        at = np.searchsorted(self.patience, patience)
        found: FloatArray = column[np.arange(len(column)), at]
        return found

    def at(self, column: FloatArray, patience: int) -> FloatArray:
        """Return the groups' values at one patience."""
        return self.look_up(column, np.full(len(column), patience))


class Choice(NamedTuple):
    """A patience, and how it was come to.

    Parameters
    ----------
    patience : int
        What is recommended.
    kind : {"guaranteed", "heuristic"}
        Whether it is the order statistic, so that the promise goes with it.
    sufficient : int
        What keeps the tolerance: the order statistic, or the largest known.
    rank_patience : int or None
        The order statistic that the promise is about; None where it is unknown.
    n_unknown : int
        On how many groups no patience in the logs is enough.
    fell_back : bool
        Whether a fixed 10 is recommended because the choice was not clearly better.
    capped : bool
        Whether it was held at what the logs were recorded under.
    left_out : array of shape (n_groups,)
        What would have been recommended without each group.
    tuned_left_out : array of shape (n_groups,)
        What would have kept the tolerance of the others.
    """

    patience: int
    kind: Literal["guaranteed", "heuristic"]
    sufficient: int
    rank_patience: int | None
    n_unknown: int
    fell_back: bool
    capped: bool
    left_out: EpochArray
    tuned_left_out: EpochArray

    @property
    def unknown(self) -> bool:
        """Whether the value that the rule asks for is not in the logs."""
        return self.rank_patience is None and self.n_unknown > 0


def choose_patience(priced: Priced, confidence: float, cap: int | None) -> Choice:
    """Choose the patience that keeps the tolerance, or the usual one.

    Parameters
    ----------
    priced : Priced
        The costs.
    confidence : float
        On what share of new groups it shall be enough.
    cap : int or None
        The patience that most of the logs were recorded under: nothing above it is
        ever recommended.
    """
    top = int(priced.patience[-1])
    usual = min(USUAL, top if cap is None else cap)
    most = sufficient_for_most(priced.sufficient, confidence)
    promised = most is not None and np.isfinite(most)
    if promised:
        wanted = float(most or 0)
        left_out = leave_out_sufficient(priced.sufficient, confidence)
    else:
        wanted = _at_least(priced.sufficient, usual)
        left_out = leave_out_largest(priced.sufficient, usual)
    capped = cap is not None and (wanted > cap or (not promised and usual < USUAL))
    sufficient = int(min(wanted, top if cap is None else cap))
    left = np.minimum(left_out, top if cap is None else cap)
    left = np.where(np.isfinite(left), left, usual).astype(np.int64)
    fell_back = sufficient != usual and (
        is_hasty(sufficient, usual, len(left)) or not _is_better(priced, left, usual)
    )
    patience = usual if fell_back else sufficient
    # a 10 above the order statistic seems to keep it too; but it is only called so
    # where the drawn runs are the easier ones, and then covered .85 of a promised .90
    keeps = promised and patience == most
    return Choice(
        patience,
        "guaranteed" if keeps else "heuristic",
        sufficient,
        int(most or 0) if promised else None,
        int(np.isinf(priced.sufficient).sum()),
        fell_back,
        capped,
        np.full(len(left), usual) if fell_back else left,
        left,
    )


def _at_least(sufficient: FloatArray, usual: int) -> float:
    """Return the largest sufficient patience, and the usual one where it is unknown."""
    if not np.isfinite(sufficient).all():
        return float(usual)
    return max(float(usual), float(sufficient.max()))


def is_hasty(sufficient: int, usual: int, n_groups: int) -> bool:
    """Return whether a shorter patience than the usual rests on too few groups.

    >>> is_hasty(4, 10, 11), is_hasty(4, 10, 12), is_hasty(20, 10, 4)
    (True, False, False)
    """
    return sufficient < usual and n_groups < FEWEST_TO_SHORTEN


def _is_better(priced: Priced, left_out: EpochArray, usual: int) -> bool:
    """Return whether a choice is clearly better than the usual on groups left out."""
    score = priced.look_up(priced.score, left_out)
    return is_clearly_better(score, priced.at(priced.score, usual))


def is_clearly_better(score: FloatArray, than: FloatArray) -> bool:
    """Return whether one score is clearly less than another, and not by one group.

    Parameters
    ----------
    score, than : array of shape (n_groups,)
        NaN where a group does not tell.

    Examples
    --------
    >>> usual = np.array([0.3, 0.3, 0.3])
    >>> is_clearly_better(np.array([0.2, 0.3, 0.3]), usual)
    False
    >>> is_clearly_better(np.array([0.2, 0.2, 0.3]), usual)
    True
    """
    apart = score - than
    apart = apart[~np.isnan(apart)]
    if len(apart) < 2:  # noqa: PLR2004 - one group, and none without it
        return False
    without_one = (apart.sum() - apart) / (len(apart) - 1)
    return bool(apart.mean() < -_CLEARLY and without_one.max() < 0)


def leave_out_sufficient(sufficient: FloatArray, confidence: float) -> FloatArray:
    """Return the order statistic of the other groups, for each group.

    Where these are too few by the one that is missing, their largest.
    """
    n_others = len(sufficient) - 1
    if n_others < 1:
        return np.full(len(sufficient), np.inf)
    rank = min(needed_rank(n_others, confidence), n_others)
    order = np.argsort(sufficient, kind="stable")
    ranked = sufficient[order]
    left_out = np.empty_like(sufficient)
    # without one of the smaller, the next larger has the rank
    left_out[order] = np.where(
        np.arange(n_others + 1) < rank, ranked[rank], ranked[rank - 1]
    )
    return left_out


def leave_out_largest(sufficient: FloatArray, usual: int) -> FloatArray:
    """Return the largest of the other groups and the usual, for each group.

    The usual where another group's is unknown.
    """
    largest = np.maximum(np.sort(sufficient)[::-1], usual)
    largest = np.append(largest, usual)
    unknown = np.isinf(sufficient)
    others_unknown = unknown.sum() - unknown > 0
    # only the largest itself is left with the second
    own = np.argmax(sufficient) == np.arange(len(sufficient))
    left_out = np.where(own, largest[1], largest[0])
    return np.where(others_unknown, float(usual), left_out)


def resample_mean(values: FloatArray, share: float = 0.9) -> tuple[float, float] | None:
    """Return an interval of the mean over groups like these; None for fewer than 10.

    The groups are drawn with replacement, and never their epochs.
    """
    if len(values) < _FEWEST_TO_RESAMPLE:
        return None
    # the same answer whatever the order of the runs
    ordered, draws = np.sort(values), np.random.default_rng(0)
    means = np.empty(_DRAWS)
    # thousands of values drawn all at once would take hundreds of megabytes
    step = max(_MOST_DRAWN // len(values), 1)
    for first in range(0, _DRAWS, step):
        part = means[first : first + step]
        drawn = draws.integers(0, len(values), (len(part), len(values)))
        part[:] = ordered[drawn].mean(axis=1)
    low, high = np.quantile(means, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)
