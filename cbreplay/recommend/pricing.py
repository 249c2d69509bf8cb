"""What settings cost, run by run and group by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.recommend.answer import Scored
from cbreplay.recommend.selection import find_sufficient
from cbreplay.recommend.validation import Priced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.run import BoolArray, EpochArray, FloatArray
    from cbreplay.sweep import Sweep

__all__ = ["Cells", "Panel", "cells_of", "group_means", "price", "score_setting"]


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


class Cells(NamedTuple):
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

    def take(self, first: int, count: int) -> Cells:
        """Return some settings that stand side by side."""
        here = slice(first, first + count)
        return Cells(self.exact[:, here], self.regret[:, here], self.cost[:, here])


def cells_of(sweep: Sweep, rows: EpochArray, columns: EpochArray) -> Cells:
    """Return some cells of a sweep."""
    at = np.ix_(rows, columns)
    exact = sweep.evidence[at] == 0
    recorded = np.array([sweep.runs[row].n_epochs for row in rows])
    cost = sweep.trained_epochs[at] / recorded[:, None]
    return Cells(exact, sweep.regret[at], cost)


def price(panel: Panel, cells: Cells, patience: EpochArray) -> Priced:
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


def score_setting(panel: Panel, label: str, setting: str, cells: Cells) -> Scored:
    """Score one setting on the groups on all of whose runs it is exact.

    Parameters
    ----------
    panel : Panel
        The runs.
    label, setting : str
        As in `Scored`.
    cells : Cells
        One column.
    """
    regret, cost = cells.regret[:, 0], cells.cost[:, 0]
    exact = cells.exact[:, 0] & ~np.isnan(regret)
    told = [one for one in panel.groups if exact[one].all()]
    kept = _describe_kept(panel, cells)
    if not told:
        return Scored(label, setting, 0, **kept)
    share = regret / panel.scale
    runs = np.concatenate(told)
    worst = runs[np.argmax(regret[runs])]
    mean = _over_groups(told)
    return Scored(
        label,
        setting,
        len(told),
        mean(regret),
        float(regret[worst]),
        panel.names[worst] if regret[worst] > 0 else None,
        mean(share),
        mean(cost),
        mean(share) + panel.cost_weight * mean(cost),
        **kept,
    )


def _describe_kept(panel: Panel, cells: Cells) -> dict[str, Any]:
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
        "breaks_tolerance": tuple(panel.names[one] for one in np.sort(breaking)),
    }


def _over_groups(groups: Sequence[EpochArray]) -> Callable[[FloatArray], float]:
    return lambda values: float(group_means(values, groups).mean())
