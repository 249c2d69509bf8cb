"""What settings cost, run by run and group by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.recommend.answer import Scored

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.recommend.answer import Setting
    from cbreplay.run import BoolArray, EpochArray, FloatArray
    from cbreplay.sweep import Sweep

__all__ = [
    "CellCosts",
    "Panel",
    "Priced",
    "cells_of",
    "find_sufficient",
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
        The patience that a run's own stopping rule ended it by; infinity without.
    """

    rows: EpochArray
    names: tuple[str, ...]
    groups: tuple[EpochArray, ...]
    scale: FloatArray
    tolerance: FloatArray
    cost_weight: float
    own_patience: FloatArray


class CellCosts(NamedTuple):
    """What settings do on runs, arrays of shape (n_runs, n_settings).

    Parameters
    ----------
    exact : bool array
        Where the log tells it; elsewhere the others say nothing.
    regret : array
        What is lost, in the objective's unit; NaN where that is not known.
    cost : array
        The share of the recorded epochs that are trained.
    silent : bool array
        Where the log lacks what decides, or another training would have followed.
    """

    exact: BoolArray
    regret: FloatArray
    cost: FloatArray
    silent: BoolArray

    def take(self, first: int, count: int) -> CellCosts:
        """Return some settings that stand side by side."""
        here = slice(first, first + count)
        return CellCosts(
            self.exact[:, here],
            self.regret[:, here],
            self.cost[:, here],
            self.silent[:, here],
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


def cells_of(sweep: Sweep, rows: EpochArray, columns: EpochArray) -> CellCosts:
    """Return some cells of a sweep."""
    at = np.ix_(rows, columns)
    exact = sweep.evidence[at] == 0
    recorded = np.array([sweep.runs[row].n_epochs for row in rows])
    cost = sweep.trained_epochs[at] / recorded[:, None]
    silent = sweep.diverged[at] | sweep.incomplete[at]
    return CellCosts(exact, sweep.regret[at], cost, silent)


def price(panel: Panel, cells: CellCosts, patience: EpochArray) -> Priced:
    """Return what every patience costs on every group."""
    # above its own patience a log is no evidence, whatever it seems to hold
    exact = cells.exact & (patience[None] <= panel.own_patience[:, None])
    sufficient = find_sufficient(
        patience, exact, cells.regret, panel.tolerance, silent=cells.silent
    )
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
    tolerance. Where the log is silent about a larger one, it is not known: a hole at
    epoch 12 must not promise patience 1.

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
    silent : bool array of shape (n_runs, n_patience), optional
        Where a log has a hole, or another training would have followed.

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
        # below a patience about which the log is silent, none is known to be enough
        enough &= ~np.logical_or.accumulate(silent[:, ::-1], axis=1)[:, ::-1]
    found = patience[np.argmax(enough, axis=1)].astype(np.float64)
    return np.where(enough.any(axis=1), found, np.inf)


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


def score_setting(panel: Panel, setting: Setting, cells: CellCosts) -> Scored:
    """Score one setting on the groups on all of whose runs it is exact.

    Parameters
    ----------
    panel : Panel
        The runs.
    setting : Setting
        What is scored.
    cells : CellCosts
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


def _describe_kept(panel: Panel, cells: CellCosts) -> dict[str, Any]:
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
