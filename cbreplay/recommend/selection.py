"""Sufficient patience of a run, and the order statistic that promises something."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = [
    "NEAR_TIE",
    "OFTEN",
    "cheapest_patience",
    "count_needed",
    "find_sufficient",
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


def find_sufficient(
    patience: EpochArray, exact: BoolArray, regret: FloatArray, tolerance: FloatArray
) -> FloatArray:
    """Return the smallest patience that is enough on each run.

    It is exact, and neither it nor any larger exact one has a regret above the
    tolerance.

    Parameters
    ----------
    patience : array of shape (n_patience,)
        The values, ascending.
    exact : bool array of shape (n_runs, n_patience)
        Where the log tells what a patience does.
    regret : array of shape (n_runs, n_patience)
        What it costs; NaN, where that is not known, is never within the tolerance.
    tolerance : array of shape (n_runs,)
        What may be lost, in the unit of the regret.

    Returns
    -------
    array of shape (n_runs,)
        Infinity where no patience in the log is enough.

    Examples
    --------
    >>> exact = np.array([[True, True, True, False]])
    >>> regret = np.array([[0.3, 0.0, 0.1, 0.0]])
    >>> patience = np.array([1, 2, 3, 4])
    >>> [
    ...     find_sufficient(patience, exact, regret, np.array([most])).item()
    ...     for most in (0.3, 0.1, 0.05)
    ... ]
    [1.0, 2.0, inf]
    """
    bad = exact & ~(regret <= tolerance[:, None])
    n_patience = len(patience)
    last_bad = np.where(
        bad.any(axis=1), n_patience - 1 - np.argmax(bad[:, ::-1], axis=1), -1
    )
    enough = exact & (np.arange(n_patience) > last_bad[:, None])
    found = patience[np.argmax(enough, axis=1)].astype(np.float64)
    return np.where(enough.any(axis=1), found, np.inf)


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
