"""How scores are compared: which patience has the least; if another rule is better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cbreplay.run import EpochArray, FloatArray

__all__ = [
    "MOST_LOST",
    "NEAR_TIE",
    "OFTEN",
    "bounded",
    "cheapest_patience",
    "is_clearly_better",
]

# scores nearer to each other than this are taken as equal. If a promise wins only near
# ties, advice from 10 and from 30 runs closes 81 and 82 % of what it can gain over a
# fixed 10; if it wins against every longer patience too, 76 and 75 % (100 epochs;
# benchmarks/advice)
NEAR_TIE = 0.001

# a patience is compared by its score only if it is priced on this share of the groups
OFTEN = 0.8

# the largest share lost that is counted: no choice outweighs it, and sums stay finite
MOST_LOST = 1e6

# one score is clearly less than another if it is so by this much
_CLEARLY = 2 * NEAR_TIE


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
    scores = np.where(compared[:, None], bounded(score[:, often]), 0.0)
    total = scores.sum(axis=0)
    n_others = np.maximum(n_compared - compared, 1)[:, None]
    others = _first_near_tie((total - scores) / n_others)
    chosen = _first_near_tie(total[None] / n_compared)
    values = patience[often]
    return int(values[chosen[0]]), values[others], n_compared


def _first_near_tie(mean: FloatArray) -> EpochArray:
    """Return, for each row, the first place that is a near tie of the least value."""
    near = mean <= mean.min(axis=1, keepdims=True) + NEAR_TIE
    first: EpochArray = np.argmax(near, axis=1)
    return first


def bounded(shares: FloatArray) -> FloatArray:
    """Return losses and scores with a finite number in place of infinity.

    A share is infinite where the kept weights have an infinite loss. No choice should
    win by that, but inf - inf would make the other values incomparable too.
    """
    return np.minimum(shares, MOST_LOST)


def is_clearly_better(score: FloatArray, than: FloatArray) -> bool:
    """Return whether a score is clearly less than another, not by one group alone.

    Both have the shape (n_groups,), with NaN where a group does not tell.

    >>> usual = np.array([0.3, 0.3, 0.3])
    >>> is_clearly_better(np.array([0.2, 0.3, 0.3]), usual)
    False
    >>> is_clearly_better(np.array([0.2, 0.2, 0.3]), usual)
    True
    """
    apart = bounded(score) - bounded(than)
    apart = apart[~np.isnan(apart)]
    if len(apart) < 2:  # noqa: PLR2004 - one group, and none without it
        return False
    without_one = (apart.sum() - apart) / (len(apart) - 1)
    return bool(apart.mean() < -_CLEARLY and without_one.max() < 0)
