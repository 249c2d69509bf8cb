"""How a choice does on groups without a part in it: left out, or trained later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from cbreplay.generalization.promise import count_needed
from cbreplay.recommend.choice import Choice, pick_patience
from cbreplay.setting_costs.pricing import apart
from cbreplay.setting_costs.swept_settings import USUAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import BoolArray, EpochArray, FloatArray, Run
    from cbreplay.setting_costs.pricing import Priced
    from cbreplay.setting_costs.study import Study

__all__ = [
    "Forward",
    "LeftOut",
    "resample_mean",
    "score_left_out",
    "split_by_time",
    "validate_forward",
]

# the share of the bootstrap's means that lies in an interval
_INTERVAL = 0.9
_FEWEST_TO_RESAMPLE = 10
_DRAWS = 2000
_MOST_DRAWN = 1_000_000
# the fewest groups that choose, and that judge
_FEWEST_IN_TIME = 2


class LeftOut(NamedTuple):
    """The choice made without each group, scored on it.

    Parameters
    ----------
    mean_regret, score : float or None
        Means over the groups whose logs tell.
    n_groups : int
        How many these are.
    bounded : bool
        Whether some logs do not tell, so that the means are bounds for all groups.
    optimism : float or None
        By how much less the choice loses on the groups that chose it, in the
        objective's unit.
    interval : (float, float) or None
        An interval of the mean regret, by the bootstrap over groups; None for fewer
        than 10 of them.
    interval_share : float
        The share of the bootstrap's means that lies in it.
    usual_regret, usual_score : float or None
        Those of a fixed patience of 10, on the same groups.
    """

    mean_regret: float | None
    score: float | None
    n_groups: int
    bounded: bool
    optimism: float | None
    interval: tuple[float, float] | None
    interval_share: float
    usual_regret: float | None
    usual_score: float | None


def score_left_out(
    priced: Priced, choice: Choice, judged: tuple[FloatArray, FloatArray] | None = None
) -> LeftOut:
    """Score a choice on the groups that were left out of it.

    Each group is scored by what is chosen without it, so that no group has a part in
    the choice that it judges.

    Where the monitor was chosen too, `judged` are the regret and the score of each
    group, by the monitor and the patience that are chosen without it.
    """
    regret, score = judged or priced.judge(choice.left_out)
    known = ~np.isnan(score)
    if not known.any():
        return LeftOut(None, None, 0, True, None, None, _INTERVAL, None, None)
    inside = priced.at(priced.regret, choice.patience)
    both = known & ~np.isnan(inside)
    beside = known & ~np.isnan(priced.at(priced.score, USUAL))
    return LeftOut(
        float(regret[known].mean()),
        float(score[known].mean()),
        int(known.sum()),
        not known.all(),
        _mean(apart(regret[both], inside[both])),
        resample_mean(regret[known]),
        _INTERVAL,
        _mean(priced.at(priced.regret, USUAL)[beside]),
        _mean(priced.at(priced.score, USUAL)[beside]),
    )


def _mean(values: FloatArray) -> float | None:
    """Return the mean; None of no values."""
    return float(values.mean()) if len(values) else None


def resample_mean(values: FloatArray) -> tuple[float, float] | None:
    """Return a bootstrap interval of the mean; None for fewer than 10 groups.

    Groups are drawn with replacement; the epochs of one are not independent.
    """
    if len(values) < _FEWEST_TO_RESAMPLE:
        return None
    # sorted, so that the answer does not depend on the order of the runs
    ordered, draws = np.sort(values), np.random.default_rng(0)
    means = np.empty(_DRAWS)
    # thousands of values drawn all at once would take hundreds of megabytes
    step = max(_MOST_DRAWN // len(values), 1)
    for first in range(0, _DRAWS, step):
        part = means[first : first + step]
        drawn = draws.integers(0, len(values), (len(part), len(values)))
        part[:] = ordered[drawn].mean(axis=1)
    # nothing can be interpolated between a finite and an infinite mean
    how: Literal["linear", "closest_observation"] = "linear"
    if not np.isfinite(ordered[-1]):
        how = "closest_observation"
    low, high = np.quantile(
        means, [(1 - _INTERVAL) / 2, (1 + _INTERVAL) / 2], method=how
    )
    return float(low), float(high)


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


def validate_forward(study: Study, priced: Priced) -> Forward | None:
    """Choose by the groups that were trained first, and judge by those that came after.

    Left-out groups say how a choice does on groups like these. This says how it would
    have done in time: later trainings may differ from those before.

    None where a run does not tell when it began, or where the groups were trained side
    by side, or are too few.
    """
    times = _times(study.runs, study.panel.groups)
    if times is None:
        return None
    parts = split_by_time(*times, count_needed(study.confidence))
    if parts is None:
        return None
    older, newer = parts
    oldest, newest = (priced.take(np.flatnonzero(part)) for part in parts)
    pick = pick_patience(oldest, study.confidence)
    score = newest.at(newest.score, pick.patience)
    beside = newest.at(newest.score, USUAL)
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
    left to judge. A group that began before all of the choosing ones had begun neither
    chooses nor judges.

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
