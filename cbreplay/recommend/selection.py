"""Which patience: what promises something, what is cheapest, and what is chosen.

What is sufficient on a run is one number, its sufficient patience; of many runs the
number with a certain rank promises something about new ones. The choice takes it, or
the usual patience where that is safer.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from cbreplay.recommend.pricing import Priced
    from cbreplay.run import EpochArray, FloatArray

__all__ = [
    "FEWEST_TO_SHORTEN",
    "NEAR_TIE",
    "OFTEN",
    "USUAL",
    "Choice",
    "cheapest_patience",
    "choose_patience",
    "count_needed",
    "is_clearly_better",
    "is_hasty",
    "leave_out_largest",
    "leave_out_sufficient",
    "needed_rank",
    "shared_confidence",
    "sufficient_for_most",
    "unlucky_share",
]

# scores nearer than this are no reason to leave Keras's default
NEAR_TIE = 0.001
_UNLUCKY = 0.1
# how many groups a patience has to be priced on to be compared by its score
OFTEN = 0.8
# the fixed patience that a choice has to be better than, by how much, and not by one
# group alone: where one could decide, what was recommended from nine of the sample logs
# was worse than 10 on the others in 37 draws of a hundred, and so in 1 or 2: the bench
# benchmarks/recommend.py shows it
USUAL = 10
_CLEARLY = 2 * NEAR_TIE
# where few groups all need little, that is often luck: what was enough for nine such
# curves was enough for half of the others, where nine tenths are promised
FEWEST_TO_SHORTEN = 12


def needed_rank(n_groups: int, confidence: float) -> int:
    """Return which smallest sufficient patience promises the confidence.

    >>> needed_rank(9, 0.9), needed_rank(8, 0.9), needed_rank(4, 0.8)
    (9, 9, 4)
    """
    # (n + 1) * confidence is often a hair above the whole number that it means
    return math.ceil((n_groups + 1) * confidence - 1e-9)


def count_needed(confidence: float) -> int:
    """Return how many groups a promise needs at least.

    >>> count_needed(0.9), count_needed(0.8), count_needed(0.5)
    (9, 4, 1)
    """
    return max(math.ceil(confidence / (1 - confidence) - 1e-9), 1)


def shared_confidence(confidence: float, n_monitors: int) -> float:
    """Return what each of several monitors has to keep, so that the chosen one does.

    >>> round(shared_confidence(0.9, 2), 3)
    0.95
    """
    return 1 - (1 - confidence) / n_monitors


def sufficient_for_most(sufficient: FloatArray, confidence: float) -> float | None:
    """Return the order statistic; None where there are too few groups.

    >>> sufficient_for_most(np.array([4.0, 9.0, 2.0, 7.0]), 0.8)
    9.0
    >>> sufficient_for_most(np.array([4.0, 9.0, 2.0]), 0.8)
    """
    rank = needed_rank(len(sufficient), confidence)
    if rank > len(sufficient):
        return None
    return float(np.sort(sufficient)[rank - 1])


def unlucky_share(n_groups: int, rank: int) -> float:
    """Return what share one set of groups in ten may keep at most.

    The share of new groups for which the rank-th smallest of n is enough is at least
    Beta(rank, n + 1 - rank) distributed over sets of groups; this is its tenth
    percentile.

    >>> round(unlucky_share(9, 9), 3)  # 0.1 ** (1 / 9)
    0.774
    """
    # how many ways there are to choose i of n, from i = n down, as logarithms: for a
    # thousand groups the numbers themselves are beyond any float
    below = np.arange(n_groups - rank + 1)
    steps = np.log((n_groups + 1 - below[1:]) / below[1:])
    ways = np.concatenate([[0.0], np.cumsum(steps)])
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        # the share is below x where at least `rank` of n uniform numbers are
        terms = (n_groups - below) * math.log(middle) + below * math.log1p(-middle)
        share = math.fsum(np.exp(ways + terms).tolist())
        low, high = (middle, high) if share < _UNLUCKY else (low, middle)
    return low


def cheapest_patience(
    patience: EpochArray, score: FloatArray
) -> tuple[int, EpochArray, int] | None:
    """Return the patience with the least mean score; None where none can be compared.

    Means over different groups do not compare. So only values count that are priced
    on four groups in five, and only the groups on which all of these are. Of near
    ties the smallest wins: it is nearest to Keras's default.

    Parameters
    ----------
    patience : array of shape (n_patience,)
        The values, ascending.
    score : array of shape (n_groups, n_patience)
        What each costs; NaN where the log does not tell.

    Returns
    -------
    int, array of shape (n_groups,), int
        The choice of all groups; what the others would choose, for each group; and
        how many groups could be compared.

    Examples
    --------
    >>> cheapest_patience(
    ...     np.array([1, 2, 3]), np.array([[0.3, 0.1, 0.2], [0.1, 0.2, 0.3]])
    ... )
    (2, array([1, 2]), 2)
    """
    known = np.asarray(~np.isnan(score))
    often = np.flatnonzero(known.mean(axis=0) >= OFTEN)
    if not len(often):
        return None
    compared = np.all(known[:, often], axis=1)
    n_compared = int(compared.sum())
    if n_compared == 0:
        return None
    scores = np.where(compared[:, None], score[:, often], 0.0)
    total = scores.sum(axis=0)
    n_others = np.maximum(n_compared - compared, 1)[:, None]
    others = _first_near_tie((total - scores) / n_others)
    chosen = _first_near_tie(total[None] / n_compared)
    values = patience[often]
    return int(values[chosen[0]]), values[others], n_compared


def _first_near_tie(mean: FloatArray) -> EpochArray:
    near = mean <= mean.min(axis=1, keepdims=True) + NEAR_TIE
    first: EpochArray = np.argmax(near, axis=1)
    return first


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
