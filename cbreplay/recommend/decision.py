"""Which monitor and patience are chosen, and what the next training will score."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.generalization.prior import read_prior
from cbreplay.generalization.track_record import read_track_record
from cbreplay.recommend.answer import Expected
from cbreplay.recommend.choice import Choice, choose_patience
from cbreplay.recommend.held_out import LeftOut, score_left_out
from cbreplay.recommend.rivals import score_without_stopping
from cbreplay.recommend.scores import bounded
from cbreplay.setting_costs.swept_settings import USUAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.recommend.choice import Pick
    from cbreplay.run import EpochArray, FloatArray
    from cbreplay.setting_costs.pricing import Priced
    from cbreplay.setting_costs.study import Study
    from cbreplay.setting_costs.swept_settings import Slice

__all__ = ["Decided", "best_without_each", "decide", "expect_next"]

# two monitors differ clearly if they are this many standard errors apart, on at least
# this many groups
_APART = 2.0
_FEWEST_TO_RANK = 4
_LEAST_LOST = 1e-9
# parameters that `_is_like_measured` compares separately, or that decide nothing
_DECIDES_ALIKE = ("monitor", "mode", "min_delta", "verbose")


class Decided(NamedTuple):
    """What is chosen, and what was left out of the choice.

    Parameters
    ----------
    slices, costs, choices : sequence of Slice, of Priced, and of Choice
        For every monitor that was asked about, the last the patience chosen for it.
    first : int
        Which of them is chosen: that which the user named first, unless another is
        clearly better.
    told_apart : bool
        Whether one is clearly better than the others.
    score_without : array of shape (n_groups,)
        The score on each group of the choice that the other groups make.
    left_out : LeftOut
        How that choice does on all of them.
    stops : bool
        Whether the choice is better than no early stopping.
    """

    slices: Sequence[Slice]
    costs: Sequence[Priced]
    choices: Sequence[Choice]
    first: int
    told_apart: bool
    score_without: FloatArray
    left_out: LeftOut
    stops: bool

    @property
    def chosen(self) -> Slice:
        """The slice of the chosen monitor."""
        return self.slices[self.first]

    @property
    def priced(self) -> Priced:
        """What each patience costs on that monitor."""
        return self.costs[self.first]

    @property
    def choice(self) -> Choice:
        """The patience that is chosen on it."""
        return self.choices[self.first]


def decide(study: Study, slices: Sequence[Slice], priced: Sequence[Priced]) -> Decided:
    """Choose a monitor and a patience, and whether that beats no early stopping.

    Every monitor has its choice of patience, and these are compared on groups left out.
    """
    names = [slice_.monitor for slice_ in slices]
    itself = names.index(study.objective) if study.objective in names else None
    choices = [choose_patience(costs, *study.confidences) for costs in priced]
    judged = [
        costs.judge(choice.left_out)
        for costs, choice in zip(priced, choices, strict=True)
    ]
    regret, score = (np.array(values) for values in zip(*judged, strict=True))
    known = ~np.isnan(score).any(axis=0)
    first, told_apart = _best(score[:, known], itself)
    # a group's own score has no part in the choice of the monitor that it judges
    without = np.full(score.shape[1], first)
    without[known] = best_without_each(score[:, known], itself)
    groups = np.arange(score.shape[1])
    regret, score = regret[without, groups], score[without, groups]
    costs, choice = priced[first], choices[first]
    return Decided(
        slices,
        priced,
        choices,
        first,
        told_apart,
        score,
        score_left_out(costs, choice, (regret, score)),
        choice.pick.basis != "thumb" or _beats_no_stopping(study, costs, choice),
    )


def _best(score: FloatArray, objective: int | None) -> tuple[int, bool]:
    """Return the monitor with the least score, if it is clearly least; else the first.

    Parameters
    ----------
    score : array of shape (n_monitors, n_groups)
        On the groups left out; every monitor is known on each.
    objective : int or None
        Which monitor is judged by itself: it is never called clearly better.
    """
    n_groups = score.shape[1]
    if n_groups < _FEWEST_TO_RANK:
        return 0, False
    score = bounded(score)
    least = int(np.argmin(score.mean(axis=1)))
    apart = np.delete(score, least, axis=0) - score[least]
    error = apart.std(axis=1, ddof=1) / np.sqrt(n_groups)
    clearly = bool((apart.mean(axis=1) > _APART * error).all() and least != objective)
    return (least if clearly else 0), clearly


def best_without_each(score: FloatArray, objective: int | None = None) -> EpochArray:
    """Return which monitor `_best` would choose without each of the groups."""
    n_monitors, n_groups = score.shape
    if n_monitors == 1:
        return np.zeros(n_groups, np.int64)
    others = (np.delete(score, group, axis=1) for group in range(n_groups))
    return np.array([_best(scores, objective)[0] for scores in others], np.int64)


def _beats_no_stopping(study: Study, priced: Priced, choice: Choice) -> bool:
    """Return whether a choice by the rule of thumb beats no early stopping."""
    stopping = priced.look_up(priced.score, choice.left_out)
    with np.errstate(invalid="ignore"):
        # inf - inf is NaN: two infinite scores do not compare
        apart = stopping - score_without_stopping(study)
    apart = apart[~np.isnan(apart)]
    return not len(apart) or bool(apart.mean() < 0)


def expect_next(study: Study, decided: Decided, pick: Pick) -> Expected | None:
    """Return what the next training is expected to score."""
    if pick.expected is None:
        return None
    score, of_each = pick.expected
    usual_score = of_each.get(USUAL)
    n_groups = int((~np.isnan(decided.priced.lost).all(axis=1)).sum())
    n_cut = int((~np.isnan(decided.priced.lost_to_own).all(axis=1)).sum())
    odds = None
    if (
        usual_score is not None
        and not n_cut
        and _is_like_measured(study, decided.chosen)
    ):
        odds = read_track_record().look_up(n_groups, usual_score - score)
    return Expected(
        score,
        usual_score,
        n_groups,
        int(read_prior().weight),
        odds,
        _unavoidable(decided.priced, pick.patience, study.asked.cost_weight),
        n_cut,
    )


def _unavoidable(priced: Priced, patience: int, cost_weight: float) -> float:
    """Return what every patience loses on the groups, in their scale, on average.

    The scores that people see include it; the score that patience is chosen by does
    not, because it is the same for every patience.
    """
    seen = priced.at(priced.score, patience)
    chosen_by = priced.at(priced.lost + cost_weight * priced.trained, patience)
    known = ~np.isnan(seen) & np.isfinite(chosen_by)
    apart = seen[known] - chosen_by[known]
    # a rest of rounding counts as 0
    lost = float(apart.mean()) if len(apart) else 0.0
    return lost if lost > _LEAST_LOST else 0.0


def _is_like_measured(study: Study, chosen: Slice) -> bool:
    """Return whether the track record was measured on advice such as this.

    It was measured for EarlyStopping alone, with a patience and restored weights; on a
    loss that is both watched and judged; at one weight of training; and on whole
    trainings of some lengths.
    """
    axes, record = study.axes, read_track_record()
    changed = {
        name: value
        for name, value in axes.fixed.items()
        if name not in _DECIDES_ALIKE and value != axes.defaults[name]
    }
    return (
        (chosen.monitor, study.mode) == (study.objective, "min")
        and chosen.min_delta == 0
        and changed == {"restore_best_weights": True}
        and axes.around == ((), ())
        and study.asked.cost_weight == record.cost_weight
        and record.covers(study.panel.frame.plan)
        and bool(study.panel.standing.ended.all())
        # nor was it measured from trainings that failed
        and bool(study.panel.standing.tells.all())
    )
