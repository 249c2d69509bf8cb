"""Which patience: what promises something, what is cheapest, and what is chosen.

A group of runs is reduced to one number, its sufficient patience: the smallest that
loses no more than the tolerance on any of its runs, infinite where the logs hold none.
Of n such numbers in ascending order the k-th is enough for a new group with probability
k / (n + 1), if the new group is of the same kind as these: this is the promise. The
choice takes the number that the promise asks for, or a fixed usual patience where
nothing shows that to be better.
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

# scores nearer to each other than this are taken as equal
NEAR_TIE = 0.001
# of how many sets of groups like these one is called unlucky
_UNLUCKY = 0.1
# on what share of the groups a patience has to be priced to be compared by its score
OFTEN = 0.8
# the fixed patience that a choice has to be better than
USUAL = 10
# by how much, and not through one group alone: where one group could decide, what was
# chosen from nine of the sample logs was worse than 10 on the others in 37 draws of a
# hundred; since none can, in 1 or 2 (benchmarks/recommend.py)
_CLEARLY = 2 * NEAR_TIE
# from how many groups on a choice may be shorter than the usual patience: where few
# groups need little, that is often luck (what was enough for nine such curves was
# enough for half of the others, where nine tenths were promised)
FEWEST_TO_SHORTEN = 12


def needed_rank(n_groups: int, confidence: float) -> int:
    """Return the rank k of the sufficient patience that the promise is about.

    The k-th smallest of n is enough for a new group with probability k / (n + 1), so k
    is the smallest rank for which that is the confidence. Above n there are too few
    groups for any promise.

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
    """Return what each of several monitors has to promise, so that the chosen one does.

    Each may fail on its share of the allowed failures (Bonferroni).

    >>> round(shared_confidence(0.9, 2), 3)
    0.95
    """
    return 1 - (1 - confidence) / n_monitors


def sufficient_for_most(sufficient: FloatArray, confidence: float) -> float | None:
    """Return the sufficient patience of the needed rank; None for too few groups.

    Infinity where that is one of the groups whose logs hold none.

    >>> sufficient_for_most(np.array([4.0, 9.0, 2.0, 7.0]), 0.8)
    9.0
    >>> sufficient_for_most(np.array([4.0, 9.0, 2.0]), 0.8)
    """
    rank = needed_rank(len(sufficient), confidence)
    if rank > len(sufficient):
        return None
    return float(np.sort(sufficient)[rank - 1])


def unlucky_share(n_groups: int, rank: int) -> float:
    """Return the share of new groups that a promise keeps to if it was unlucky.

    A promise holds on average over many sets of n groups. From one such set the share
    of new groups for which the rank-th smallest is enough is Beta(rank, n + 1 - rank)
    distributed (at least so large, where values are equal); this is the tenth
    percentile: from one set in ten the share is this or less.

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
    """Return for each row where the first value stands that is all but the least."""
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
        Whether the promise is about this very patience.
    sufficient : int
        What keeps the tolerance: that of the promise, or where there is none the
        largest that any group needs, and the usual patience at least.
    rank_patience : int or None
        The sufficient patience that the promise is about; None without a promise.
    n_unknown : int
        On how many groups no patience in the logs is enough.
    fell_back : bool
        Whether the usual patience is recommended, for the sufficient one is not
        clearly better.
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
        """Whether nothing is promised because some logs hold no sufficient patience."""
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
    # a usual patience above the promised one seems to keep the promise too; but it is
    # only chosen where the runs happen to be the easier ones, and then it was enough
    # for .85 of new runs where .90 were promised
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
    """Return the largest sufficient patience, but no less than the usual one.

    The usual one where a group's is unknown.
    """
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
    """Return for each group what the promise of the other groups would be about.

    Where one group less is too few for a promise, the largest that the others need.
    """
    n_others = len(sufficient) - 1
    if n_others < 1:
        return np.full(len(sufficient), np.inf)
    rank = min(needed_rank(n_others, confidence), n_others)
    order = np.argsort(sufficient, kind="stable")
    ranked = sufficient[order]
    left_out = np.empty_like(sufficient)
    # without a group that needs less, the next larger one has the rank
    left_out[order] = np.where(
        np.arange(n_others + 1) < rank, ranked[rank], ranked[rank - 1]
    )
    return left_out


def leave_out_largest(sufficient: FloatArray, usual: int) -> FloatArray:
    """Return for each group the largest patience that the others need.

    No less than the usual one, which it is where what another group needs is unknown.
    """
    largest = np.maximum(np.sort(sufficient)[::-1], usual)
    largest = np.append(largest, usual)
    unknown = np.isinf(sufficient)
    others_unknown = unknown.sum() - unknown > 0
    # without the group that needs most, the second most counts
    own = np.argmax(sufficient) == np.arange(len(sufficient))
    left_out = np.where(own, largest[1], largest[0])
    return np.where(others_unknown, float(usual), left_out)
