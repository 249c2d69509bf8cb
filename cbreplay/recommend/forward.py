"""The choice of the oldest runs, judged by the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.recommend.answer import Forward
from cbreplay.recommend.selection import count_needed
from cbreplay.recommend.validation import USUAL, choose_patience

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.recommend.study import Study
    from cbreplay.recommend.validation import Priced
    from cbreplay.run import BoolArray, EpochArray, FloatArray, Run

__all__ = ["split_by_time", "validate_forward"]

# as for a choice: one group says nothing about another
_FEWEST = 2


def validate_forward(study: Study, priced: Priced) -> Forward | None:
    """Choose by the groups that were trained first, and judge by those that came after.

    Left-out groups say how a choice does among groups like these; this says how it did
    when it would have been made: the next trainings need not be like the last.

    Parameters
    ----------
    study, priced : Study, Priced
        The groups, and what every patience costs on them.

    Returns
    -------
    Forward or None
        None where a run does not tell when it began, or where the groups were trained
        side by side, or are too few.
    """
    times = _times(study.runs, study.panel.groups)
    if times is None:
        return None
    parts = split_by_time(*times, count_needed(study.asked.confidence))
    if parts is None:
        return None
    older, newer = parts
    oldest, newest = (priced.take(np.flatnonzero(one)) for one in parts)
    choice = choose_patience(oldest, study.asked.confidence, study.own.cap)
    usual = min(USUAL, int(priced.patience[-1]))
    score, beside = (newest.at(newest.score, one) for one in (choice.patience, usual))
    known = ~np.isnan(score) & ~np.isnan(beside)
    return Forward(
        int(older.sum()),
        int(newer.sum()),
        choice.patience,
        int((newest.sufficient <= choice.patience).sum()),
        int(np.isinf(newest.sufficient).sum()),
        float(score[known].mean()) if known.any() else None,
        float(beside[known].mean()) if known.any() else None,
    )


def _times(
    runs: Sequence[Run], groups: Sequence[EpochArray]
) -> tuple[FloatArray, FloatArray] | None:
    """Return when the first and the last run of each group began."""
    started = np.array([np.nan if one.started is None else one.started for one in runs])
    if np.isnan(started).any():
        return None
    first = np.array([started[one].min() for one in groups])
    last = np.array([started[one].max() for one in groups])
    return first, last


def split_by_time(
    first: FloatArray, last: FloatArray, needed: int
) -> tuple[BoolArray, BoolArray] | None:
    """Return which groups choose, and which came after all of these.

    At least half of them choose, and as many as a promise needs where these leave two
    to judge. A group that began before the last of the oldest did is in neither.

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
    if needed <= n_groups - _FEWEST:
        n_older = max(n_older, needed)
    ends = np.sort(last)[n_older - 1]
    older = last <= ends
    newer = first > ends
    if older.sum() < _FEWEST or newer.sum() < _FEWEST:
        return None
    return older, newer
