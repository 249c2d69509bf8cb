"""What one setting costs on the runs, with its label: a row of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.setting_costs.pricing import CellCosts, Panel, Priced, group_means

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.rules.base import Callback
    from cbreplay.run import EpochArray, FloatArray

__all__ = ["ANY_OF", "Scored", "Setting", "beside_left_out", "score_setting"]

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
    rule: Callback | None
    parameters: Mapping[str, Any]


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
    expected_score : float or None
        What the next training is expected to score with this patience; None where the
        setting is another, or nothing is expected.
    left_out_regret, left_out_score : float or None
        Means over groups left out of the choice; None where nothing was chosen.
    keeps_tolerance : bool or None
        Whether no run loses more than the tolerance; None where no log shows such a
        loss, but not every log tells.
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
    expected_score: float | None = None

    @property
    def of_other_rule(self) -> bool:
        """Whether a rule other than the recommended one decides, or takes part."""
        return self.label not in _LABELS

    @property
    def setting(self) -> Setting:
        """What was scored."""
        return Setting(self.label, self.callbacks, self.rule, self.parameters)


def score_setting(panel: Panel, setting: Setting, cells: CellCosts) -> Scored:
    """Score one setting, whose cells are one column.

    The means are over the groups on all of whose runs it is exact.
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

    def mean(values: FloatArray) -> float:
        return float(group_means(values, told).mean())

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


def beside_left_out(scored: Scored, priced: Priced, without_each: EpochArray) -> Scored:
    """Return a setting with what its choice costs on the groups left out of it.

    `priced` are the values that it was chosen from, and `without_each`, of shape
    (n_groups,), what is chosen without each group.
    """
    regret, score = priced.judge(without_each)
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
    regret = cells.regret[counted, 0]
    # as in `score_setting`: what is lost against no number is unknown
    exact = cells.exact[counted, 0] & ~np.isnan(regret)
    within = regret <= panel.tolerance[counted]
    breaking = counted[exact & ~within]
    keeps = True if exact.all() else None
    return {
        "keeps_tolerance": False if len(breaking) else keeps,
        "told_runs": int(exact.sum()),
        "breaks_tolerance": tuple(panel.names[row] for row in np.sort(breaking)),
    }
