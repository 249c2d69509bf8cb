"""What settings cost: on runs, on groups of them, and over all groups."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.recommend.promise import find_sufficient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.run import BoolArray, EpochArray, FloatArray
    from cbreplay.sweep import Sweep

__all__ = [
    "ANY_OF",
    "CellCosts",
    "ChoiceFrame",
    "Panel",
    "Priced",
    "RunStanding",
    "Scored",
    "Setting",
    "cells_of",
    "group_means",
    "price",
    "score_setting",
    "with_left_out",
]

# codes of a sweep's evidence
_EXACT, _CENSORED = 0, 1


# the label of a patience and another rule in one list: the first that asks stops
ANY_OF = "AnyOf"


# the labels of settings of EarlyStopping itself, or without a rule; any other label is
# the name of another rule
_LABELS = frozenset(
    (
        *("recommended", "tolerance", "cheapest", "current", "default", "5", "10"),
        *("none", "hindsight", "all", "start", "min_delta"),
    )
)


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
    """The frame of a choice: plan, weight of training, and the least patience.

    Parameters
    ----------
    plan : int or None
        How many values of the monitor a training is planned to have; None if unknown.
    cost_weight : float
        The score of training the whole plan, where losing the whole scale scores 1.
    floor : int
        No shorter patience is chosen, because logs were cut by this one, and what they
        would have held is unknown.
    broke_off : bool
        Whether most logs ended before the plan without a stop, so that what a patience
        loses on them is only a bound.
    """

    plan: int | None
    cost_weight: float
    floor: int = 1
    broke_off: bool = False


class Panel(NamedTuple):
    """The runs that count, in groups, and what they are judged by.

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
        """Return some of the groups, with their runs numbered anew from 0."""
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
        Where the log tells it; elsewhere the other arrays mean nothing.
    regret : array
        What is lost, in the objective's unit; NaN where unknown. Of a setting that goes
        on past the log: what it loses if training ended there.
    cost : array
        The share of the planned epochs that are trained.
    silent : bool array
        Where the cell is incomplete or diverged.
    """

    exact: BoolArray
    regret: FloatArray
    cost: FloatArray
    silent: BoolArray

    def take(self, first: int, count: int) -> CellCosts:
        """Return `count` neighbouring settings from `first` on."""
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
        Means over the runs of a group: the regret, the share of the planned epochs
        that are trained, and both in one. NaN where a run's cell is not exact.
    lost, trained : array of shape (n_groups, n_patience)
        Means over those runs of a group that tell, by which a patience is chosen: the
        regret in each run's scale, less what every patience loses, and the share of the
        plan that is trained. NaN where no run of a group tells.
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
    frame: ChoiceFrame

    def take(self, groups: EpochArray) -> Priced:
        """Return some of the groups."""
        return Priced(
            self.patience,
            self.sufficient[groups],
            self.regret[groups],
            self.cost[groups],
            self.score[groups],
            self.lost[groups],
            self.trained[groups],
            self.frame,
        )

    def look_up(self, column: FloatArray, patience: EpochArray) -> FloatArray:
        """Return each group's value at a patience of its own."""
        at = np.searchsorted(self.patience, patience)
        found: FloatArray = column[np.arange(len(column)), at]
        return found

    def at(self, column: FloatArray, patience: int) -> FloatArray:
        """Return the groups' values at one patience."""
        return self.look_up(column, np.full(len(column), patience))


class Setting(NamedTuple):
    """A setting that an answer names.

    Parameters
    ----------
    label : str
        ``"recommended"``, ``"tolerance"``, ``"cheapest"``, ``"current"``,
        ``"default"``, ``"5"``, ``"10"``, ``"none"`` (no stopping), ``"hindsight"``
        (each run's best epoch), ``"all"`` (every epoch, and the best
        kept), ``"start"`` (a later start), ``"min_delta"``, the name of another rule,
        or ``"AnyOf"`` (a patience and another rule, whichever asks first).
    callbacks : tuple of Callback or None
        The whole list; None for the best epoch in hindsight, which no list knows.
    rule : Callback or None
        The one of them that the label is about; None where it is about the whole list,
        as for the setting in use.
    parameters : mapping
        Those of the rule's parameters that were chosen or tried.
    """

    label: str
    callbacks: tuple[Callback, ...] | None
    rule: Callback | None = None
    parameters: Mapping[str, Any] = MappingProxyType({})


class Scored(NamedTuple):
    """What a setting costs on the groups whose logs tell.

    Parameters
    ----------
    label, callbacks, rule, parameters : str, tuple, Callback, mapping
        Of the `Setting`.
    n_groups : int
        The groups on all of whose runs it is exact; the means are over these.
    mean_regret, worst_regret : float or None
        In the objective's unit: of the groups, and of a single run.
    worst_run : str or None
        Where it is worst; None where nothing is lost.
    lost_share : float or None
        The mean regret in each run's own scale.
    cost : float or None
        The share of the recorded epochs that are trained.
    score : float or None
        `lost_share` + cost_weight x `cost`.
    left_out_regret, left_out_score : float or None
        Means over groups left out of the choice; None where nothing was chosen.
    keeps_tolerance : bool or None
        Whether no run loses more than the tolerance; None where none is seen to, and
        not every log tells.
    told_runs : int
        The runs whose logs tell it.
    breaks_tolerance : tuple of str
        Those of them that lose more.
    """

    label: str
    callbacks: tuple[Callback, ...] | None
    rule: Callback | None
    parameters: Mapping[str, Any]
    n_groups: int
    mean_regret: float | None = None
    worst_regret: float | None = None
    worst_run: str | None = None
    lost_share: float | None = None
    cost: float | None = None
    score: float | None = None
    left_out_regret: float | None = None
    left_out_score: float | None = None
    keeps_tolerance: bool | None = None
    told_runs: int = 0
    breaks_tolerance: tuple[str, ...] = ()

    @property
    def of_other_rule(self) -> bool:
        """Whether another rule than the one that is recommended decides, or may."""
        return self.label not in _LABELS

    @property
    def setting(self) -> Setting:
        """What was scored."""
        return Setting(self.label, self.callbacks, self.rule, self.parameters)


def cells_of(
    sweep: Sweep, rows: EpochArray, columns: EpochArray, standing: RunStanding
) -> CellCosts:
    """Return some cells of a sweep; `standing` is that of its rows."""
    at = np.ix_(rows, columns)
    evidence = sweep.evidence[at]
    told = (evidence == _EXACT) | ((evidence == _CENSORED) & standing.ended[:, None])
    cost = sweep.trained_epochs[at] / standing.length[:, None]
    silent = sweep.diverged[at] | sweep.incomplete[at]
    # where the objective has a hole, what is lost against the best is only a bound
    told = told & ~standing.cut[:, None] & ~sweep.lacks_values[at]
    return CellCosts(told, sweep.regret[at], cost, silent)


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
    # without that the advice closed up to 30 points less where seven of ten broke off
    counted = cells.exact & ~np.isnan(share)
    # a loss that every patience has (as where another series is judged) is taken off,
    # for it distinguishes none; it is known only where the longest patience tells
    least = np.where(counted, share, np.inf).min(axis=1, keepdims=True)
    unavoidable = counted[:, -1:] & np.isfinite(least)
    avoidable = share - np.where(unavoidable, least, 0.0)
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
        panel.frame,
    )


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
        mean(share) + panel.frame.cost_weight * mean(cost),
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
    # NaN is not within the tolerance, as in `find_sufficient`
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
