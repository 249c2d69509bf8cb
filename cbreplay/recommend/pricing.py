"""What settings cost, run by run and group by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.recommend.answer import Scored
from cbreplay.recommend.selection import find_sufficient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.recommend.answer import Setting
    from cbreplay.run import BoolArray, EpochArray, FloatArray
    from cbreplay.sweep import Sweep

__all__ = [
    "Panel",
    "Priced",
    "SettingCells",
    "cells_of",
    "group_means",
    "price",
    "score_setting",
    "with_left_out",
]


class Panel(NamedTuple):
    """The runs that count, and by what they are judged.

    Parameters
    ----------
    rows : array of shape (n_runs,)
        Where they stand in the sweep.
    names : tuple of str
        Their names.
    groups : tuple of array
        The positions, among `rows`, of each group's runs.
    scale, tolerance : array of shape (n_runs,)
        The scale of each run's regrets, and what it may lose.
    cost_weight : float
        What training the whole record counts, beside losing the whole scale.
    own_patience : array of shape (n_runs,)
        The patience that a run's own EarlyStopping ended it by; infinity without.
    """

    rows: EpochArray
    names: tuple[str, ...]
    groups: tuple[EpochArray, ...]
    scale: FloatArray
    tolerance: FloatArray
    cost_weight: float
    own_patience: FloatArray


class SettingCells(NamedTuple):
    """What settings do on runs, arrays of shape (n_runs, n_settings).

    Parameters
    ----------
    exact : bool array
        Where the log tells it; elsewhere the others say nothing.
    regret : array
        What is lost, in the objective's unit; NaN where that is not known.
    cost : array
        The share of the recorded epochs that are trained.
    """

    exact: BoolArray
    regret: FloatArray
    cost: FloatArray

    def take(self, first: int, count: int) -> SettingCells:
        """Return some settings that stand side by side."""
        here = slice(first, first + count)
        return SettingCells(
            self.exact[:, here], self.regret[:, here], self.cost[:, here]
        )


class Priced(NamedTuple):
    """What every patience costs on every group.

    Parameters
    ----------
    patience : array of shape (n_patience,)
        The values, ascending.
    sufficient : array of shape (n_groups,)
        The smallest that is enough on all runs of a group; infinity where unknown.
    regret, cost, score : array of shape (n_groups, n_patience)
        Means over the runs of a group: the regret, the share of the recorded epochs
        that are trained, and both in one. NaN where a run's cell is not exact.
    """

    patience: EpochArray
    sufficient: FloatArray
    regret: FloatArray
    cost: FloatArray
    score: FloatArray

    def take(self, groups: EpochArray) -> Priced:
        """Return some of the groups."""
        return Priced(
            self.patience,
            self.sufficient[groups],
            self.regret[groups],
            self.cost[groups],
            self.score[groups],
        )

    def look_up(self, column: FloatArray, patience: EpochArray) -> FloatArray:
        """Return each group's value at a patience of its own."""
        at = np.searchsorted(self.patience, patience)
        found: FloatArray = column[np.arange(len(column)), at]
        return found

    def at(self, column: FloatArray, patience: int) -> FloatArray:
        """Return the groups' values at one patience."""
        return self.look_up(column, np.full(len(column), patience))


def cells_of(sweep: Sweep, rows: EpochArray, columns: EpochArray) -> SettingCells:
    """Return some cells of a sweep."""
    at = np.ix_(rows, columns)
    exact = sweep.evidence[at] == 0
    recorded = np.array([sweep.runs[row].n_epochs for row in rows])
    cost = sweep.trained_epochs[at] / recorded[:, None]
    return SettingCells(exact, sweep.regret[at], cost)


def price(panel: Panel, cells: SettingCells, patience: EpochArray) -> Priced:
    """Return what every patience costs on every group."""
    # above its own patience a log is no evidence, whatever it seems to hold
    exact = cells.exact & (patience[None] <= panel.own_patience[:, None])
    sufficient = find_sufficient(patience, exact, cells.regret, panel.tolerance)
    regret = np.where(exact, cells.regret, np.nan)
    cost = np.where(exact, cells.cost, np.nan)
    score = regret / panel.scale[:, None] + panel.cost_weight * cost
    return Priced(
        patience,
        _reduce_groups(np.maximum, sufficient, panel.groups),
        group_means(regret, panel.groups),
        group_means(np.where(np.isnan(regret), np.nan, cost), panel.groups),
        group_means(score, panel.groups),
    )


def group_means(values: FloatArray, groups: Sequence[EpochArray]) -> FloatArray:
    """Return the mean over the runs of each group; NaN where one is NaN."""
    sizes = np.array([len(rows) for rows in groups])
    totals = _reduce_groups(np.add, values, groups)
    means: FloatArray = totals / sizes.reshape(-1, *[1] * (values.ndim - 1))
    return means


def _reduce_groups(
    ufunc: np.ufunc, values: FloatArray, groups: Sequence[EpochArray]
) -> FloatArray:
    """Reduce the values of each group to one."""
    sizes = np.array([len(rows) for rows in groups])
    reduced: FloatArray = ufunc.reduceat(
        values[np.concatenate(groups)], np.cumsum(sizes) - sizes, axis=0
    )
    return reduced


def score_setting(panel: Panel, setting: Setting, cells: SettingCells) -> Scored:
    """Score one setting on the groups on all of whose runs it is exact.

    Parameters
    ----------
    panel : Panel
        The runs.
    setting : Setting
        What is scored.
    cells : SettingCells
        One column: what it does.
    """
    regret, cost = cells.regret[:, 0], cells.cost[:, 0]
    exact = cells.exact[:, 0] & ~np.isnan(regret)
    told = [rows for rows in panel.groups if exact[rows].all()]
    kept = _describe_kept(panel, cells)
    if not told:
        return Scored(*setting, 0, **kept)
    share = regret / panel.scale
    runs = np.concatenate(told)
    worst = runs[np.argmax(regret[runs])]
    mean = _over_groups(told)
    return Scored(
        *setting,
        len(told),
        mean(regret),
        float(regret[worst]),
        panel.names[worst] if regret[worst] > 0 else None,
        mean(share),
        mean(cost),
        mean(share) + panel.cost_weight * mean(cost),
        **kept,
    )


def with_left_out(scored: Scored, regret: FloatArray, score: FloatArray) -> Scored:
    """Return a setting with what it costs on groups that were left out of its choice.

    Parameters
    ----------
    scored : Scored
        The setting.
    regret, score : array of shape (n_groups,)
        What each group loses, and its score, by what is chosen without it; NaN where
        its logs do not tell.
    """
    known = ~np.isnan(score)
    if not known.any():
        return scored
    return scored._replace(
        left_out_regret=float(regret[known].mean()),
        left_out_score=float(score[known].mean()),
    )


def _describe_kept(panel: Panel, cells: SettingCells) -> dict[str, Any]:
    """Return on which runs a setting loses more than the tolerance, as in `Scored`."""
    counted = np.concatenate(panel.groups)
    exact = cells.exact[counted, 0]
    # what is not known to be within it is not, as in `find_sufficient`
    within = cells.regret[counted, 0] <= panel.tolerance[counted]
    breaking = counted[exact & ~within]
    keeps = True if exact.all() else None
    return {
        "keeps_tolerance": False if len(breaking) else keeps,
        "told_runs": int(exact.sum()),
        "breaks_tolerance": tuple(panel.names[row] for row in np.sort(breaking)),
    }


def _over_groups(groups: Sequence[EpochArray]) -> Callable[[FloatArray], float]:
    """Return what means the values of runs over groups."""
    return lambda values: float(group_means(values, groups).mean())
