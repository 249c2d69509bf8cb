"""The promise: on what share of new groups a patience is enough.

A group of runs is reduced to one number, its sufficient patience: the smallest that
loses no more than the tolerance on any of its runs, infinite where the logs hold none.
Of n such numbers in ascending order the k-th is enough for a new group with probability
k / (n + 1), if the new group is of the same kind as these: this is the promise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.arguments import checked, shown_value
from cbreplay.errors import ConfigError

if TYPE_CHECKING:
    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = [
    "CONFIDENCES",
    "Promise",
    "check_confidence",
    "count_needed",
    "find_sufficient",
    "is_step",
    "leave_out_sufficient",
    "needed_rank",
    "settle_confidence",
    "shared_confidence",
    "sufficient_for_most",
    "unlucky_share",
]

# the share of sets of groups that are called unlucky: one in ten
_UNLUCKY = 0.1

# the default confidence: the first of these for which there are enough groups
CONFIDENCES = (0.9, 0.8)


class Promise(NamedTuple):
    """On what share of new groups a patience is enough, and by which order statistic.

    Parameters
    ----------
    patience : int
        The order statistic: the promise is about this patience.
    confidence : float
        On at least this share, averaged over many sets of groups like this one.
    n_groups, rank : int
        How many groups there are, and the rank of the patience among their sufficient
        ones.
    unlucky_share : float
        One set of groups in ten may keep it on no more than this share.
    n_kept : int
        On how many of these groups the recommended patience is known to be enough.
    """

    patience: int
    confidence: float
    n_groups: int
    rank: int
    unlucky_share: float
    n_kept: int


def find_sufficient(
    patience: EpochArray,
    exact: BoolArray,
    regret: FloatArray,
    tolerance: FloatArray,
    *,
    silent: BoolArray | None = None,
) -> FloatArray:
    """Return the smallest patience that is enough on each run.

    It is exact, and neither it nor any larger exact one has a regret above the
    tolerance. Where a larger one is incomplete or diverged, it is unknown: a hole at
    epoch 12 must not let patience 1 seem enough.

    Parameters
    ----------
    patience : array of shape (n_patience,)
        The values, ascending.
    exact : bool array of shape (n_runs, n_patience)
        Where the log tells what a patience does.
    regret : array of shape (n_runs, n_patience)
        What it loses; NaN, where that is not known, is never within the tolerance.
    tolerance : array of shape (n_runs,)
        What may be lost, in the unit of the regret.
    silent : bool array of shape (n_runs, n_patience), optional
        Where a cell is incomplete or diverged.

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
    if silent is not None:
        # below a patience of which the log says nothing, none is known to be enough
        enough &= ~np.logical_or.accumulate(silent[:, ::-1], axis=1)[:, ::-1]
    found = patience[np.argmax(enough, axis=1)].astype(np.float64)
    return np.where(enough.any(axis=1), found, np.inf)


def needed_rank(n_groups: int, confidence: float) -> int:
    """Return the rank k of the sufficient patience that the promise is about.

    The k-th smallest of n is enough for a new group with probability k / (n + 1), so k
    is the smallest rank for which that is the confidence. Above n there are too few
    groups for any promise.

    >>> needed_rank(9, 0.9), needed_rank(8, 0.9), needed_rank(4, 0.8)
    (9, 9, 4)
    """
    # by rounding, (n + 1) * confidence is often a little above a whole number
    return math.ceil((n_groups + 1) * confidence - 1e-9)


def check_confidence(confidence: float) -> None:
    """Raise ConfigError unless it is a share between 0 and 1."""
    if not 0 < confidence < 1:
        sentence = (
            f"confidence is {shown_value(confidence)}, where a share between 0 and 1 "
            "is expected"
        )
        raise ConfigError(sentence)


# more groups than there are anywhere
_MANY = 2**53


@checked
def count_needed(confidence: float, n_unknown: int = 0) -> int:
    """Return the fewest groups that a promise needs if `n_unknown` of them do not tell.

    >>> count_needed(0.9), count_needed(0.8), count_needed(0.5)
    (9, 4, 1)

    Of 19 the needed rank is 18, which leaves one whose patience may be unknown.

    >>> count_needed(0.9, n_unknown=1), needed_rank(19, 0.9)
    (19, 18)

    Raises
    ------
    ConfigError
        If the confidence is no share between 0 and 1.
    """
    check_confidence(confidence)
    return max(math.ceil((min(n_unknown, _MANY) + 1) / (1 - confidence) - 1 - 1e-9), 1)


def settle_confidence(asked: float | None, n_groups: int, n_monitors: int = 1) -> float:
    """Return the confidence: as asked, else .9, or .8 if there are too few groups.

    >>> settle_confidence(None, 9), settle_confidence(None, 8)
    (0.9, 0.8)
    >>> settle_confidence(None, 3), settle_confidence(0.9, 8)
    (0.9, 0.9)
    """
    if asked is not None:
        return asked
    for confidence in CONFIDENCES:
        if count_needed(shared_confidence(confidence, n_monitors)) <= n_groups:
            return confidence
    return CONFIDENCES[0]


def shared_confidence(confidence: float, n_monitors: int) -> float:
    """Return the confidence that each of several monitors needs for a joint promise.

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


def leave_out_sufficient(sufficient: FloatArray, confidence: float) -> FloatArray:
    """Return, for each group, the patience that the other groups would promise.

    Where these are too few for a promise, the largest sufficient patience of theirs.
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


def is_step(sufficient: FloatArray, patience: float | None) -> bool:
    """Return whether most groups have exactly this sufficient patience.

    Then the groups give no reason for a longer one.

    >>> is_step(np.array([20.0, 20.0, 3.0]), 20), is_step(np.array([20.0, 3.0]), 20)
    (True, False)
    """
    return 2 * int((sufficient == patience).sum()) > len(sufficient)


def unlucky_share(n_groups: int, rank: int) -> float:
    """Return the share of new groups that a promise keeps to if it was unlucky.

    A promise holds on average over many sets of n groups. From one such set the share
    of new groups for which the rank-th smallest is enough is Beta(rank, n + 1 - rank)
    distributed (at least so large, where values are equal); this is the tenth
    percentile: from one set in ten the share is this or less.

    >>> round(unlucky_share(9, 9), 3)  # 0.1 ** (1 / 9)
    0.774
    """
    # the logarithms of the binomial coefficients C(n, i), from i = n down: for a
    # thousand groups the coefficients themselves are beyond any float
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
