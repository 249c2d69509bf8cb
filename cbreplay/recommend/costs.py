"""Which min_delta values the map of costs has, and what each costs by patience."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.arguments import checked
from cbreplay.errors import EvidenceError
from cbreplay.recommend.rivals import score_named
from cbreplay.recommend.scores import OFTEN
from cbreplay.setting_costs.study import Advising, Study, begin_studies
from cbreplay.setting_costs.swept_settings import USUAL
from cbreplay.setting_costs.tolerance import measure_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.recommend.answer import Recommendation
    from cbreplay.rules.base import Callback
    from cbreplay.run import BoolArray, EpochArray, FloatArray
    from cbreplay.setting_costs.scored import Scored, Setting
    from cbreplay.setting_costs.swept_settings import Slice
    from cbreplay.sweep import Sweep

__all__ = ["Costs", "measure_costs"]


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """What settings cost on the groups on which all of them can be priced.

    Means over different groups do not compare. So all means are over the groups that
    tell the recommended setting; if these are fewer than four in five of the groups
    that tell any setting, over the latter. A setting that one of them does not tell has
    no price.

    Parameters
    ----------
    patience : array of shape (n_patience,)
        The values, ascending.
    min_delta : tuple of float
        The values, ascending.
    told : int array of shape (n_min_delta, n_patience)
        On how many groups a setting is exact.
    regret, cost : array of shape (n_min_delta, n_patience)
        Means over the compared groups: what is lost in the objective's unit, and the
        share of the recorded epochs that is trained. NaN where not all of these tell.
    n_compared, n_groups : int
        The compared groups, and all.
    chosen : int
        Which min_delta the recommendation was chosen with.
    named : tuple of Scored
        The named settings that all compared groups tell, scored on these groups.
    """

    patience: EpochArray
    min_delta: tuple[float, ...]
    told: EpochArray
    regret: FloatArray
    cost: FloatArray
    n_compared: int
    n_groups: int
    chosen: int
    named: tuple[Scored, ...]

    def __repr__(self) -> str:
        """Return what was compared, without what each costs."""
        return (
            f"<Costs of {self.regret.size} settings on {self.n_compared} of "
            f"{self.n_groups} groups>"
        )

    def require_compared(self, unit: str) -> None:
        """Refuse where no setting has a price, so that a picture would be empty.

        What is compared is the unit, ``"run"`` or ``"group"``.

        Raises
        ------
        EvidenceError
            If no groups can be compared.
        """
        if not self.n_compared:
            sentence = (
                f"no patience is told by enough {unit}s to be compared, so there is "
                "nothing to draw. The recommendation says why"
            )
            raise EvidenceError(sentence)


@checked
def measure_costs(
    sweep: Sweep,
    advice: Recommendation,
    *,
    current: tuple[Callback, ...] | None = None,
    group_by: str | Sequence[Any] | None = None,
    recorded_under: int | None = None,
) -> Costs:
    """Price patience x min_delta on the runs of a recommendation.

    Parameters
    ----------
    sweep, advice : Sweep, Recommendation
        The sweep, and what was recommended from it.
    current, group_by, recorded_under : optional
        As they were given to `recommend_config`.
    """
    asked = Advising(
        None, advice.confidence, advice.cost_weight, group_by, recorded_under
    )
    (study, *_), _ = begin_studies(sweep, asked)
    study = study._replace(panel=study.compared)
    axes = study.axes
    chosen = next(slice_ for slice_ in axes.slices if slice_.monitor == advice.monitor)
    values = _min_deltas(study, chosen)
    place = int(np.searchsorted(axes.patience, advice.patience or USUAL))
    at = values.index(chosen.min_delta), place
    regret, cost = _price_all(study, chosen, values)
    known = ~np.isnan(regret)
    compared = _compare(known, at)
    priced = np.logical_and.reduce(known[compared], axis=0, initial=len(compared) > 0)
    panel = study.panel._replace(
        groups=tuple(study.panel.groups[group] for group in compared),
        tolerance=_tolerance_of(study, advice),
    )
    settings = _settings_of(advice, current) if len(compared) else []
    named = score_named(study._replace(panel=panel), chosen, settings)
    return Costs(
        axes.patience,
        values,
        known.sum(axis=0),
        _mean_where(priced, regret[compared]),
        _mean_where(priced, cost[compared]),
        len(compared),
        len(known),
        at[0],
        tuple(row for row in named if 0 < row.n_groups == len(compared)),
    )


def _settings_of(
    advice: Recommendation, current: tuple[Callback, ...] | None
) -> list[Setting]:
    """Return the settings that an answer names, with another in use if it is given."""
    return [
        scored.setting._replace(callbacks=current)
        if current and scored.label == "current"
        else scored.setting
        for scored in advice.settings
    ]


def _compare(known: BoolArray, at: tuple[int, int]) -> EpochArray:
    """Return the groups over which the means are taken.

    These are the groups that tell the recommended setting, so that its cost agrees with
    the table. A patience that some of them do not tell gets no number: a mean without
    those groups would be over the easier ones.

    Parameters
    ----------
    known : bool array of shape (n_groups, n_min_delta, n_patience)
        Where a group tells what a setting does.
    at : (int, int)
        The indices of the recommended min_delta and patience.
    """
    telling = known.any(axis=(1, 2))
    compared = np.flatnonzero(known[:, at[0], at[1]])
    if len(compared) < OFTEN * telling.sum():
        compared = np.flatnonzero(telling)
    return compared


def _tolerance_of(study: Study, advice: Recommendation) -> FloatArray:
    """Return what each run may lose by the recommendation."""
    tolerance = study.panel.tolerance.copy()
    for rows, group in zip(study.grouping.rows, advice.groups, strict=True):
        tolerance[list(rows)] = group.tolerance
    return tolerance


def _mean_where(priced: BoolArray, values: FloatArray) -> FloatArray:
    """Return the means over the groups where a setting is priced, and NaN elsewhere."""
    means = np.full(priced.shape, np.nan)
    if priced.any():
        means[priced] = values[:, priced].mean(axis=0)
    return means


def _min_deltas(study: Study, chosen: Slice) -> tuple[float, ...]:
    """Return the values that were asked about, or Keras's default and three decades.

    The decades are from a ten thousandth to a hundredth of what the best values reach.
    """
    asked = {
        slice_.min_delta
        for slice_ in study.axes.slices
        if slice_.monitor == chosen.monitor
    }
    if len(asked) == 1 and "min_delta" in study.axes.defaults:
        bests = [measure_scale(series).best for series in study.judged]
        tops = [abs(best) for best in bests if np.isfinite(best) and best != 0]
        power = math.ceil(math.log10(np.median(tops))) if tops else 0
        asked |= {0.0, *(float(f"1e{power - down}") for down in (4, 3, 2))}
    return tuple(sorted(asked))


def _price_all(
    study: Study, chosen: Slice, min_delta: tuple[float, ...]
) -> tuple[FloatArray, FloatArray]:
    """Return regret and cost by group, min_delta and patience."""
    axes = study.axes
    varied = {"min_delta": list(min_delta)} if "min_delta" in axes.defaults else {}
    grid = axes.grid(chosen, **varied, patience=axes.patience.tolist())
    priced = study.price_parts(study.cells_beside(grid))
    return (
        np.stack([costs.regret for costs in priced], axis=1),
        np.stack([costs.cost for costs in priced], axis=1),
    )
