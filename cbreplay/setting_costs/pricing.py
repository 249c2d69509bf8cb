"""What every patience costs, on runs and on groups of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.generalization.promise import find_sufficient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import BoolArray, EpochArray, FloatArray
    from cbreplay.sweep import Sweep

__all__ = [
    "CellCosts",
    "ChoiceFrame",
    "Panel",
    "Priced",
    "RunStanding",
    "apart",
    "cells_of",
    "find_failed",
    "group_means",
    "price",
]

# codes of a sweep's evidence
_EXACT, _CENSORED = 0, 1


class RunStanding(NamedTuple):
    """How each run ended, and what it can tell: arrays of shape (n_runs,).

    Parameters
    ----------
    ended : bool array
        Whether it ended by its plan, so that a patience without a stop in the log never
        stops.
    cut : bool array
        Whether its own stopping rule ended it: what would have followed is unknown, and
        so is what any patience loses.
    tells : bool array
        Whether its sufficient patience can be known.
    length : array
        The epochs of the plan, or those that are recorded where it is unknown.
    """

    ended: BoolArray
    cut: BoolArray
    tells: BoolArray
    length: FloatArray


class ChoiceFrame(NamedTuple):
    """What a choice is for: the plan, the weight of training, the least patience.

    Parameters
    ----------
    plan : int or None
        How many values of the monitor a training is planned to have; None if unknown.
    cost_weight : float
        The score of training the whole plan, where losing the whole scale scores 1.
    floor : int
        The shortest patience that may be chosen: logs were cut by it, so that they do
        not tell what it missed.
    broken : float
        The share of the logs that ended before the plan without a stop: what a patience
        loses on them is only a bound.
    """

    plan: int | None
    cost_weight: float
    floor: int = 1
    broken: float = 0.0


class Panel(NamedTuple):
    """The runs that count, in groups, and what they are judged by.

    Parameters
    ----------
    rows : array of shape (n_runs,)
        Their rows in the sweep.
    names : tuple of str
        Their names.
    groups : tuple of array
        The positions, among `rows`, of each group's runs.
    scale, tolerance : array of shape (n_runs,)
        The scale of each run's regrets, and what it may lose.
    standing : RunStanding
        How each ended, and what it can tell.
    frame : ChoiceFrame
        What the choice is for.
    """

    rows: EpochArray
    names: tuple[str, ...]
    groups: tuple[EpochArray, ...]
    scale: FloatArray
    tolerance: FloatArray
    standing: RunStanding
    frame: ChoiceFrame

    def take_groups(self, chosen: Sequence[int]) -> Panel:
        """Return some of the groups; `rows` are then numbered from 0."""
        members = [self.groups[at] for at in chosen]
        at = np.concatenate(members)
        ends = np.cumsum([len(rows) for rows in members])
        rows = np.arange(len(at))
        return Panel(
            rows,
            tuple(self.names[row] for row in at),
            tuple(np.split(rows, ends[:-1])),
            self.scale[at],
            self.tolerance[at],
            RunStanding(*(column[at] for column in self.standing)),
            self.frame,
        )


class CellCosts(NamedTuple):
    """What settings cost on runs, arrays of shape (n_runs, n_settings).

    Parameters
    ----------
    exact : bool array
        Where the log tells it; elsewhere `regret` and `cost` mean nothing.
    regret : array
        What is lost, in the objective's unit; NaN where unknown, and infinite where the
        kept weights' objective is NaN. For a setting that goes on past the log, what it
        loses if training had ended there.
    cost : array
        The share of the planned epochs that are trained.
    silent : bool array
        Where the cell is incomplete or diverged.
    cut : bool array
        Where a run was ended by its own stopping rule, and its log tells what the
        setting keeps: that can be compared with the rule, but what is lost in all is
        not known.
    """

    exact: BoolArray
    regret: FloatArray
    cost: FloatArray
    silent: BoolArray
    cut: BoolArray

    def take(self, first: int, count: int) -> CellCosts:
        """Return `count` neighbouring settings from `first` on."""
        here = slice(first, first + count)
        return CellCosts._make(column[:, here] for column in self)


class Priced(NamedTuple):
    """What every patience costs on every group.

    Parameters
    ----------
    patience : array of shape (n_patience,)
        The values, ascending.
    sufficient : array of shape (n_groups,)
        The smallest that is enough on all runs of a group; infinity where unknown.
    regret, cost, score : array of shape (n_groups, n_patience)
        Means over the runs of a group: the regret, the share of the planned epochs
        that are trained, and both in one. NaN where a run's cell is not exact.
    lost, trained : array of shape (n_groups, n_patience)
        Means over those runs of a group that tell, by which a patience is chosen: the
        regret in each run's scale, less what every patience loses, and the share of the
        plan that is trained. NaN where no run of a group tells.
    lost_to_own, trained_to_own : array of shape (n_groups, n_patience)
        Means over those runs of a group that their own stopping rule ended: how much
        more is lost, and trained, than by that rule. 0 from its patience on, where such
        a log tells nothing. NaN where no run of a group was ended so.
    frame : ChoiceFrame
        What the choice is for.
    """

    patience: EpochArray
    sufficient: FloatArray
    regret: FloatArray
    cost: FloatArray
    score: FloatArray
    lost: FloatArray
    trained: FloatArray
    lost_to_own: FloatArray
    trained_to_own: FloatArray
    frame: ChoiceFrame

    def take(self, groups: EpochArray) -> Priced:
        """Return some of the groups."""
        columns = (column[groups] for column in self[1:-1])
        return Priced._make([self.patience, *columns, self.frame])

    def look_up(self, column: FloatArray, patience: EpochArray) -> FloatArray:
        """Return each group's value at its own patience, of shape (n_groups,)."""
        at = np.searchsorted(self.patience, patience)
        found: FloatArray = column[np.arange(len(column)), at]
        return found

    def judge(self, patience: EpochArray) -> tuple[FloatArray, FloatArray]:
        """Return the regret and the score of each group at its own patience."""
        return self.look_up(self.regret, patience), self.look_up(self.score, patience)

    def at(self, column: FloatArray, patience: int) -> FloatArray:
        """Return the groups' values at one patience."""
        return self.look_up(column, np.full(len(column), patience))


def cells_of(
    sweep: Sweep, rows: EpochArray, columns: EpochArray, standing: RunStanding
) -> CellCosts:
    """Return some cells of a sweep; `standing` is that of its rows."""
    at = np.ix_(rows, columns)
    evidence = sweep.evidence[at]
    # a training that ends in NaN has failed: more epochs would not bring it back, so
    # what stops later than it did leaves it as it ended
    ended = standing.ended | find_failed(sweep, rows)
    told = (evidence == _EXACT) | ((evidence == _CENSORED) & ended[:, None])
    cost = sweep.trained_epochs[at] / standing.length[:, None]
    silent = sweep.diverged[at] | sweep.incomplete[at]
    # where the objective has a hole, what is lost against the best is only a bound
    whole = ~sweep.lacks_values[at]
    cut = (evidence == _EXACT) & standing.cut[:, None] & whole
    told = told & ~standing.cut[:, None] & whole
    ruined = _find_ruined(sweep, rows, columns)
    told |= ruined & (evidence == _CENSORED) & ~standing.cut[:, None]
    regret = np.where(ruined, np.inf, sweep.regret[at])
    return CellCosts(told, regret, cost, silent, cut)


def _find_ruined(sweep: Sweep, rows: EpochArray, columns: EpochArray) -> BoolArray:
    """Return where the objective is a logged NaN at the kept epoch, and no number.

    Such weights lose everything. A run that never logged a number has nothing to lose.
    """
    ruined = np.zeros((len(rows), len(columns)), np.bool_)
    for place, row in enumerate(rows.tolist()):
        is_nan = _logged_nan(sweep, row)
        if is_nan.any():
            first_epoch = sweep.runs[row].first_epoch
            kept = np.maximum(sweep.kept_epoch[row, columns] - first_epoch, 0)
            ruined[place] = is_nan[kept] & sweep.kept[row, columns]
    return ruined


def find_failed(sweep: Sweep, rows: EpochArray) -> BoolArray:
    """Return which of some runs ended with NaN as their objective, after numbers.

    Their last weights lose everything, and more epochs would not bring them back.
    """
    return np.array([_logged_nan(sweep, row)[-1] for row in rows.tolist()], np.bool_)


def _logged_nan(sweep: Sweep, row: int) -> BoolArray:
    """Return in which epochs a run's objective is a logged NaN.

    In none where it is never a number: such a run has nothing to lose.
    """
    run, name = sweep.records[row], sweep.runs[row].judged[0].name
    if name is None:
        return np.zeros(run.n_epochs, np.bool_)
    series = run.monitored(name)
    is_nan: BoolArray = series.recorded & np.isnan(series.values)
    return is_nan & np.isfinite(series.values).any()


def price(panel: Panel, cells: CellCosts, patience: EpochArray) -> Priced:
    """Return what every patience costs on every group."""
    standing, groups = panel.standing, panel.groups
    sufficient = find_sufficient(
        patience, cells.exact, cells.regret, panel.tolerance, silent=cells.silent
    )
    sufficient = np.where(standing.tells, sufficient, np.inf)
    regret = np.where(cells.exact, cells.regret, np.nan)
    cost = np.where(cells.exact, cells.cost, np.nan)
    share = cells.regret / panel.scale[:, None]
    # the cost of a setting that goes on past the end of a log is provisional: it is
    # neither averaged nor used to choose. What a log that broke off tells does count:
    # without it advice closed up to 30 points less of what can be gained where seven of
    # ten logs broke off
    counted = cells.exact & ~np.isnan(share)
    # a loss that every patience has (for example if another series is judged) is
    # subtracted, for it distinguishes none; it is known only where the longest patience
    # is exact. A run that loses everything by every patience has nothing to choose by
    least = np.where(counted, share, np.inf).min(axis=1, keepdims=True)
    unavoidable = np.where(counted[:, -1:], least, 0.0)
    avoidable = apart(share, unavoidable)
    return Priced(
        patience,
        _reduce_groups(np.maximum, sufficient, groups),
        group_means(regret, groups),
        group_means(np.where(np.isnan(regret), np.nan, cost), groups),
        group_means(
            regret / panel.scale[:, None] + panel.frame.cost_weight * cost, groups
        ),
        _means_where(counted, avoidable, groups),
        _means_where(counted, cells.cost, groups),
        _compare_to_own(cells.cut, share, groups),
        _compare_to_own(cells.cut, cells.cost, groups),
        panel.frame,
    )


def apart(values: FloatArray, others: FloatArray) -> FloatArray:
    """Return how far values are from others; two that are infinite are equal."""
    return np.subtract(
        values, others, where=values != others, out=np.zeros_like(values)
    )


def _compare_to_own(
    cut: BoolArray, values: FloatArray, groups: Sequence[EpochArray]
) -> FloatArray:
    """Return how much more every patience costs than the rules that ended the runs.

    The longest patience that a cut log tells stands for its rule.
    """
    longest = cut.shape[1] - 1 - np.argmax(cut[:, ::-1], axis=1)
    own = np.take_along_axis(values, longest[:, None], axis=1)
    compared = cut & np.isfinite(values) & np.isfinite(own)
    more = np.subtract(values, own, where=compared, out=np.zeros_like(values))
    return _means_where(cut.any(axis=1, keepdims=True) | compared, more, groups)


def _means_where(
    counted: BoolArray, values: FloatArray, groups: Sequence[EpochArray]
) -> FloatArray:
    """Return the means over those runs of each group that count; NaN without one."""
    told = _reduce_groups(np.add, counted.astype(np.float64), groups)
    total = _reduce_groups(np.add, np.where(counted, values, 0.0), groups)
    means: FloatArray = np.where(told > 0, total / np.maximum(told, 1), np.nan)
    return means


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
