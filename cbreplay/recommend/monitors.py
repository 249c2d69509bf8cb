"""Which of several monitors to stop on, and whether the logs can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.recommend.validation import Choice, Priced, choose_patience

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import EpochArray, FloatArray

__all__ = ["Ranking", "best_without_each", "rank_monitors"]

# how many standard errors apart two monitors have to be
_APART = 2.0
_FEWEST = 4


class Ranking(NamedTuple):
    """Which monitor to stop on.

    Parameters
    ----------
    first : int
        Its position; that of the first one, which the user named first, where another
        is not clearly better.
    choices : tuple of Choice
        The patience chosen for each.
    told_apart : bool
        Whether one is clearly better than the others.
    left_out : (array, array)
        The regret and the score on each group of what the others would choose.
    """

    first: int
    choices: tuple[Choice, ...]
    told_apart: bool
    left_out: tuple[FloatArray, FloatArray]


def rank_monitors(
    priced: Sequence[Priced], confidence: float, cap: int | None
) -> Ranking:
    """Choose a patience for each monitor, and compare these on groups left out."""
    found = tuple(choose_patience(one, confidence, cap) for one in priced)
    pairs = list(zip(priced, found, strict=True))
    regret = np.array([one.look_up(one.regret, c.left_out) for one, c in pairs])
    score = np.array([one.look_up(one.score, c.left_out) for one, c in pairs])
    known = ~np.isnan(score).any(axis=0)
    first, told_apart = _best(score[:, known])
    # without a group, its score has no part in the choice of the monitor
    without = np.full(score.shape[1], first)
    without[known] = best_without_each(score[:, known])
    groups = np.arange(score.shape[1])
    return Ranking(
        first, found, told_apart, (regret[without, groups], score[without, groups])
    )


def _best(score: FloatArray) -> tuple[int, bool]:
    """Return the monitor with the least score, if it is clearly least; else the first.

    Parameters
    ----------
    score : array of shape (n_monitors, n_groups)
        On the groups left out; every monitor is known on each.
    """
    n_groups = score.shape[1]
    if n_groups < _FEWEST:
        return 0, False
    least = int(np.argmin(score.mean(axis=1)))
    apart = np.delete(score, least, axis=0) - score[least]
    error = apart.std(axis=1, ddof=1) / np.sqrt(n_groups)
    clearly = bool((apart.mean(axis=1) > _APART * error).all())
    return (least if clearly else 0), clearly


def best_without_each(score: FloatArray) -> EpochArray:
    """Return which monitor would be chosen without each of the groups.

    What the mean and the spread are without one value follows from those of all, so
    this takes as long as looking at every group once.

    Parameters
    ----------
    score : array of shape (n_monitors, n_groups)
        On the groups left out; every monitor is known on each.
    """
    n_monitors, n_groups = score.shape
    n_others = n_groups - 1
    chosen = np.zeros(n_groups, dtype=np.int64)
    if n_others < _FEWEST:
        return chosen
    least = np.argmin(score.sum(axis=1, keepdims=True) - score, axis=0)
    for monitor in range(1, n_monitors):
        apart = np.delete(score, monitor, axis=0) - score[monitor]
        mean = apart.mean(axis=1, keepdims=True)
        off = apart - mean
        squares = (off**2).sum(axis=1, keepdims=True) - off**2 * n_groups / n_others
        error = np.sqrt(np.maximum(squares, 0) / (n_others - 1) / n_others)
        clearly = (mean - off / n_others > _APART * error).all(axis=0)
        chosen[(least == monitor) & clearly] = monitor
    return chosen
