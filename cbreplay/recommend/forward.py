"""How a choice by the runs trained first does on those trained later."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.recommend.choice import USUAL, pick_patience
from cbreplay.recommend.promise import count_needed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.recommend.pricing import Priced
    from cbreplay.run import BoolArray, EpochArray, FloatArray, Run

__all__ = ["Forward", "split_by_time", "validate_forward"]

# the fewest groups that choose, and that judge
_FEWEST_IN_TIME = 2


class Forward(NamedTuple):
    """The choice of the oldest groups, judged by those that were trained after them.

    Parameters
    ----------
    n_older, n_newer : int
        How many groups chose, and how many judge.
    patience : int
        What the oldest choose.
    n_enough, n_unknown : int
        On how many of the newest it is enough, and on how many that is unknown.
    score, usual_score : float or None
        Means over the newest whose logs tell: its own, and that of a fixed 10.
    """

    n_older: int
    n_newer: int
    patience: int
    n_enough: int
    n_unknown: int
    score: float | None
    usual_score: float | None


def validate_forward(
    runs: Sequence[Run],
    groups: Sequence[EpochArray],
    priced: Priced,
    confidence: float,
) -> Forward | None:
    """Choose by the groups that were trained first, and judge by those that came after.

    Left-out groups say how a choice does on groups like these. This says how it would
    have done in time: later trainings may differ from those before.

    Parameters
    ----------
    runs : sequence of Run
        The runs that count.
    groups : sequence of array
        The positions of each group's runs among them.
    priced : Priced
        What every patience costs on the groups.
    confidence : float
        On what share of new groups a promise shall be kept.

    Returns
    -------
    Forward or None
        None where a run does not tell when it began, or where the groups were trained
        side by side, or are too few.
    """
    times = _times(runs, groups)
    if times is None:
        return None
    parts = split_by_time(*times, count_needed(confidence))
    if parts is None:
        return None
    older, newer = parts
    oldest, newest = (priced.take(np.flatnonzero(part)) for part in parts)
    pick = pick_patience(oldest, confidence)
    usual = min(USUAL, int(priced.patience[-1]))
    score = newest.at(newest.score, pick.patience)
    beside = newest.at(newest.score, usual)
    known = ~np.isnan(score) & ~np.isnan(beside)
    return Forward(
        int(older.sum()),
        int(newer.sum()),
        pick.patience,
        int((newest.sufficient <= pick.patience).sum()),
        int(np.isinf(newest.sufficient).sum()),
        float(score[known].mean()) if known.any() else None,
        float(beside[known].mean()) if known.any() else None,
    )


def _times(
    runs: Sequence[Run], groups: Sequence[EpochArray]
) -> tuple[FloatArray, FloatArray] | None:
    """Return when the first and the last run of each group began."""
    started = np.array([np.nan if run.started is None else run.started for run in runs])
    if np.isnan(started).any():
        return None
    first = np.array([started[rows].min() for rows in groups])
    last = np.array([started[rows].max() for rows in groups])
    return first, last


def split_by_time(
    first: FloatArray, last: FloatArray, needed: int
) -> tuple[BoolArray, BoolArray] | None:
    """Return which groups choose, and which began after all of those.

    At least half of the groups choose, and as many as a promise needs if two are then
    left to judge. A group that began before the last of the choosing ones is neither.

    Parameters
    ----------
    first, last : array of shape (n_groups,)
        When the first and the last run of each group began, in seconds.
    needed : int
        How many groups a promise needs.

    Returns
    -------
    (bool array, bool array) or None
        None where there are not two of each.

    Examples
    --------
    >>> first, last = np.array([6.0, 1, 2, 4, 3]), np.array([7.0, 1, 3, 5, 3])
    >>> [part.astype(int).tolist() for part in split_by_time(first, last, needed=9)]
    [[0, 1, 1, 0, 1], [1, 0, 0, 1, 0]]
    """
    n_groups = len(first)
    n_older = (n_groups + 1) // 2
    if needed <= n_groups - _FEWEST_IN_TIME:
        n_older = max(n_older, needed)
    ends = np.sort(last)[n_older - 1]
    older = last <= ends
    newer = first > ends
    if older.sum() < _FEWEST_IN_TIME or newer.sum() < _FEWEST_IN_TIME:
        return None
    return older, newer
