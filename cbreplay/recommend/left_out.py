"""How a choice does on groups that are left out of it, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from cbreplay.recommend.choice import USUAL, Choice

if TYPE_CHECKING:
    from cbreplay.recommend.pricing import Priced
    from cbreplay.run import FloatArray

__all__ = ["LeftOut", "resample_mean", "score_left_out"]

# the share of the bootstrap's means that lies in an interval
_INTERVAL = 0.9
_FEWEST_TO_RESAMPLE = 10
_DRAWS = 2000
_MOST_DRAWN = 1_000_000


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
    priced: Priced,
    choice: Choice,
    regret: FloatArray | None = None,
    score: FloatArray | None = None,
) -> LeftOut:
    """Score a choice on the groups that were left out of it.

    Each group is scored by what is chosen without it, so that no group has a part in
    the choice that it judges.

    Parameters
    ----------
    priced, choice : Priced, Choice
        What was chosen, and from what.
    regret, score : array of shape (n_groups,), optional
        Where the monitor was chosen too, what was lost on each group without it.
    """
    if regret is None or score is None:
        regret = priced.look_up(priced.regret, choice.left_out)
        score = priced.look_up(priced.score, choice.left_out)
    known = ~np.isnan(score)
    if not known.any():
        return LeftOut(None, None, 0, True, None, None, _INTERVAL, None, None)
    inside = priced.at(priced.regret, choice.patience)
    both = known & ~np.isnan(inside)
    usual = min(USUAL, int(priced.patience[-1]))
    beside = known & ~np.isnan(priced.at(priced.score, usual))
    return LeftOut(
        float(regret[known].mean()),
        float(score[known].mean()),
        int(known.sum()),
        not known.all(),
        _mean(_apart(regret[both], inside[both])),
        resample_mean(regret[known]),
        _INTERVAL,
        _mean(priced.at(priced.regret, usual)[beside]),
        _mean(priced.at(priced.score, usual)[beside]),
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


def _apart(values: FloatArray, others: FloatArray) -> FloatArray:
    """Return how far values are from others; two that are infinite are equal."""
    return np.subtract(
        values, others, where=values != others, out=np.zeros_like(values)
    )
