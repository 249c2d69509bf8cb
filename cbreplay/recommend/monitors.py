"""Which of several monitors to stop on, by runs that had no part in the choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.recommend.choice import Choice, bounded, choose_patience

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.recommend.pricing import Priced
    from cbreplay.run import EpochArray, FloatArray

__all__ = ["Ranking", "best_without_each", "rank_monitors"]

# two monitors differ clearly if they are this many standard errors apart, on at least
# this many groups
_APART = 2.0
_FEWEST_TO_RANK = 4


class Ranking(NamedTuple):
    """Which monitor to stop on.

    Parameters
    ----------
    first : int
        The position of the chosen one: 0, that which the user named first, unless
        another is clearly better.
    choices : tuple of Choice
        The patience chosen for each.
    told_apart : bool
        Whether one is clearly better than the others.
    left_out : (array, array)
        The regret and the score on each group of the choice that the other groups make,
        of shape (n_groups,).
    """

    first: int
    choices: tuple[Choice, ...]
    told_apart: bool
    left_out: tuple[FloatArray, FloatArray]


def rank_monitors(
    priced: Sequence[Priced],
    confidences: tuple[float, float],
    objective: int | None = None,
) -> Ranking:
    """Choose a patience for each monitor, and compare these on groups left out.

    Parameters
    ----------
    priced : sequence of Priced
        The costs on each monitor.
    confidences : (float, float)
        As `choose_patience` takes them.
    objective : int, optional
        The position of a monitor that is the objective too: such a one is never called
        clearly better.
    """
    choices = tuple(choose_patience(costs, *confidences) for costs in priced)
    pairs = list(zip(priced, choices, strict=True))
    regret = np.array(
        [costs.look_up(costs.regret, choice.left_out) for costs, choice in pairs]
    )
    score = np.array(
        [costs.look_up(costs.score, choice.left_out) for costs, choice in pairs]
    )
    known = ~np.isnan(score).any(axis=0)
    first, told_apart = _best(score[:, known], objective)
    # a group's own score has no part in the choice of the monitor that it judges
    without = np.full(score.shape[1], first)
    without[known] = best_without_each(score[:, known], objective)
    groups = np.arange(score.shape[1])
    return Ranking(
        first, choices, told_apart, (regret[without, groups], score[without, groups])
    )


def _best(score: FloatArray, objective: int | None) -> tuple[int, bool]:
    """Return the monitor with the least score, if it is clearly least; else the first.

    Parameters
    ----------
    score : array of shape (n_monitors, n_groups)
        On the groups left out; every monitor is known on each.
    """
    n_groups = score.shape[1]
    if n_groups < _FEWEST_TO_RANK:
        return 0, False
    least = int(np.argmin(score.mean(axis=1)))
    apart = np.delete(score, least, axis=0) - score[least]
    error = apart.std(axis=1, ddof=1) / np.sqrt(n_groups)
    clearly = bool((apart.mean(axis=1) > _APART * error).all() and least != objective)
    return (least if clearly else 0), clearly


def best_without_each(score: FloatArray, objective: int | None = None) -> EpochArray:
    """Return which monitor would be chosen without each of the groups.

    The mean and the spread without one value are computed from those of all values, so
    the time grows only with the number of groups.

    Parameters
    ----------
    score : array of shape (n_monitors, n_groups)
        On the groups left out; every monitor is known on each.
    objective : int, optional
        Which monitor is judged by itself.
    """
    n_monitors, n_groups = score.shape
    n_others = n_groups - 1
    chosen = np.zeros(n_groups, dtype=np.int64)
    if n_others < _FEWEST_TO_RANK:
        return chosen
    score = bounded(score)
    least = np.argmin(score.sum(axis=1, keepdims=True) - score, axis=0)
    for monitor in range(1, n_monitors):
        if monitor == objective:
            continue
        apart = np.delete(score, monitor, axis=0) - score[monitor]
        mean = apart.mean(axis=1, keepdims=True)
        off = apart - mean
        squares = (off**2).sum(axis=1, keepdims=True) - off**2 * n_groups / n_others
        error = np.sqrt(np.maximum(squares, 0) / (n_others - 1) / n_others)
        clearly = (mean - off / n_others > _APART * error).all(axis=0)
        chosen[(least == monitor) & clearly] = monitor
    return chosen
