"""Ways to choose a patience from a few runs, and how they are judged."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.advice.make_prior import (
    average_curve,
    make_prior,
    monitored,
    price_patience,
)
from cbreplay.generalization.prior import Blended, Prior, blend_scores, leave_each_out
from cbreplay.generalization.promise import is_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.advice.curves import Curves
    from benchmarks.advice.stopping import Costs
    from cbreplay.run import EpochArray, FloatArray

__all__ = [
    "CHOICES",
    "COST_WEIGHT",
    "PLANS",
    "SIZES",
    "USUAL",
    "Judged",
    "Population",
    "Sample",
    "alike_kinds",
    "draw_runs",
    "find_sufficient",
    "judge_choice",
    "make_priors",
    "part_sets",
    "populate",
    "promise_in_near_tie",
    "sample_runs",
]

COST_WEIGHT = 0.05
SIZES = (3, 10, 30)
PLANS = (50, 100, 200)
USUAL = 10
_NEAR_TIE = 0.001
_TOLERANCE = 0.01
_SHORTEST_GAP = 2


class Sample(NamedTuple):
    """The runs that are drawn.

    Parameters
    ----------
    lost, trained : array of shape (n_runs, n_patience)
        What a patience of 1, 2, ... costs each.
    plan : int
        For how many epochs they were trained.
    gaps : int array of shape (n_runs,)
        How many epochs each goes on after its best.
    prior, average : Prior
        Kinds of sets that are not judged; and one kind, their mean.
    cost_weight : float
        What training the whole plan counts.
    """

    lost: FloatArray
    trained: FloatArray
    plan: int
    gaps: EpochArray
    prior: Prior
    average: Prior
    cost_weight: float = COST_WEIGHT

    @property
    def thumb(self) -> int:
        """The rule of thumb: 10, or a tenth of a long plan."""
        return max(USUAL, self.plan // 10)

    def blended(self) -> Blended:
        """Return the scores with the prior."""
        every = np.arange(1, self.plan + 1)
        cells = (self.lost, self.trained)
        return blend_scores(
            self.prior, every, self.plan, *cells, cost_weight=self.cost_weight
        )

    def scores(self) -> FloatArray:
        """Return J of each run and patience."""
        return self.lost + self.cost_weight * self.trained

    def sufficient(self) -> FloatArray:
        """Return the least patience of each run from which on it loses at most 1 %."""
        return find_sufficient(self.lost)

    def promised(self, confidence: float = 0.9) -> int | None:
        """Return the order statistic that promises the confidence."""
        n_runs = len(self.lost)
        rank = math.ceil((n_runs + 1) * confidence - 1e-9)
        if rank > n_runs:
            return None
        return int(min(np.sort(self.sufficient())[rank - 1], self.plan))


def find_sufficient(lost: FloatArray) -> FloatArray:
    """Return the least patience from which on each run loses at most 1 %.

    >>> find_sufficient(np.array([[0.5, 0.0, 0.02, 0.0], [0.0, 0.0, 0.0, 0.0]]))
    array([4, 1])
    """
    bad = lost > _TOLERANCE
    last = np.where(bad.any(axis=1), lost.shape[1] - np.argmax(bad[:, ::-1], axis=1), 0)
    found: FloatArray = last + 1
    return found


def always_ten(sample: Sample) -> int:
    return min(USUAL, sample.plan)


def rule_of_thumb(sample: Sample) -> int:
    return min(sample.thumb, sample.plan)


def thumb_and_largest(sample: Sample) -> int:
    return min(max(sample.thumb, int(sample.sufficient().max())), sample.plan)


def order_statistic(sample: Sample) -> int:
    promised = sample.promised()
    return rule_of_thumb(sample) if promised is None else promised


def least_mean(sample: Sample) -> int:
    score = sample.scores()
    return int(score.mean(axis=0).argmin()) + 1


def risk_control(sample: Sample) -> int:
    """Conformal risk control of the mean share lost, capped at 10 %, at 1 %."""
    cap, alpha = 0.1, 0.01
    total = np.minimum(sample.lost, cap).sum(axis=0) + cap
    enough = np.flatnonzero(total / (len(sample.lost) + 1) <= alpha)
    return int(enough[0]) + 1 if len(enough) else rule_of_thumb(sample)


def one_mean_curve(sample: Sample) -> int:
    """Shrink towards the mean curve of the other sets, which counts as three runs."""
    return sample._replace(prior=sample.average).blended().cheapest() + 1


def alike_kinds(sample: Sample) -> int:
    return sample.blended().cheapest() + 1


def _promised_above_thumb(sample: Sample) -> int | None:
    promised = sample.promised()
    return None if promised is None or promised <= sample.thumb else promised


def promise_first(sample: Sample) -> int:
    """A promise for more than the rule of thumb wins."""
    return _promised_above_thumb(sample) or alike_kinds(sample)


def promise_in_near_tie(sample: Sample) -> int:
    """A promise for more than the thumb wins, unless another scores better."""
    promised, blended = _promised_above_thumb(sample), sample.blended()
    cheapest = blended.cheapest()
    if promised is None:
        return cheapest + 1
    if is_step(sample.sufficient(), promised):
        cheapest = min(cheapest, promised - 1)
    near = blended.score[promised - 1] <= blended.score[cheapest] + _NEAR_TIE
    return promised if near else cheapest + 1


def left_out_decides(sample: Sample) -> int:
    """The rule of thumb, unless the choice is better on runs left out of it."""
    every = np.arange(1, sample.plan + 1)
    without = leave_each_out(
        sample.prior,
        every,
        sample.plan,
        sample.lost,
        sample.trained,
        cost_weight=sample.cost_weight,
    )
    left_out = [blended.cheapest() for blended in without]
    score = sample.scores()
    thumb = rule_of_thumb(sample)
    own = score[np.arange(len(score)), left_out].mean()
    return alike_kinds(sample) if own < score[:, thumb - 1].mean() else thumb


def plan_inferred(sample: Sample) -> int:
    """As `alike_kinds`; but equal gaps may be those of a rule that ended the runs."""
    alike = len(set(sample.gaps.tolist())) == 1 and sample.gaps[0] >= _SHORTEST_GAP
    return always_ten(sample) if alike else alike_kinds(sample)


CHOICES: dict[str, Callable[[Sample], int]] = {
    "always 10": always_ten,
    "max(10, a tenth of the plan)": rule_of_thumb,
    "... and the largest sufficient": thumb_and_largest,
    "order statistic for .9": order_statistic,
    "conformal risk control": risk_control,
    "least mean score": least_mean,
    "shrunk to one mean curve": one_mean_curve,
    "shrunk to alike kinds": alike_kinds,
    "  ... with the plan inferred": plan_inferred,
    "  ... if better when left out": left_out_decides,
    "  ... a higher promise first": promise_first,
    "  ... unless another is better": promise_in_near_tie,
}


class Population(NamedTuple):
    """A set at one plan: what every patience costs on all of its runs.

    Of an accuracy or an AUC the values are its error, so that the least is best.
    """

    name: str
    values: FloatArray
    costs: Costs
    cost_weight: float = COST_WEIGHT
    monitor: str = "val_loss"

    @property
    def score(self) -> FloatArray:
        """J of each run and patience."""
        return self.costs.score(self.cost_weight)


class Judged(NamedTuple):
    """Of each set, what was to be gained, and what was."""

    distance: FloatArray
    gained: FloatArray

    def closed(self, rows: Sequence[int] | None = None) -> float:
        """Return the share of the distance that is closed, in percent."""
        chosen = slice(None) if rows is None else list(rows)
        return float(100 * self.gained[chosen].sum() / self.distance[chosen].sum())


def populate(
    sets: Sequence[Curves],
    plan: int,
    monitor: str = "val_loss",
    cost_weight: float = COST_WEIGHT,
) -> list[Population]:
    """Price every patience on all sets."""
    found = []
    for curves in sets:
        values = monitored(curves, monitor, plan)
        found.append(
            Population(curves.name, values, price_patience(values), cost_weight)
        )
    return found


def sample_runs(
    population: Population, drawn: EpochArray, priors: tuple[Prior, Prior]
) -> Sample:
    """Return the runs that are drawn."""
    lost, trained = (cells[drawn] for cells in population.costs)
    plan = lost.shape[1]
    gaps = plan - 1 - np.nanargmin(population.values[drawn], axis=1)
    return Sample(lost, trained, plan, gaps, *priors, population.cost_weight)


def draw_runs(place: int, n_runs: int, total: int, draws: int) -> Iterator[EpochArray]:
    """Yield orders of a set's runs: the first are drawn, the others judge."""
    rng = np.random.default_rng([7, place, n_runs])
    for _ in range(draws):
        yield rng.permutation(total)


def judge_choice(
    populations: Sequence[Population],
    priors: Sequence[tuple[Prior, Prior]],
    choose: Callable[[Sample], int],
    n_runs: int,
    draws: int,
) -> Judged:
    """Draw runs of each set, choose, and judge by the others."""
    distance, gained = [], []
    for place, population in enumerate(populations):
        score, gains = population.score, []
        mean = score.mean(axis=0)
        for order in draw_runs(place, n_runs, len(score), draws):
            drawn, others = order[:n_runs], order[n_runs:]
            patience = choose(sample_runs(population, drawn, priors[place]))
            apart = score[others, USUAL - 1] - score[others, patience - 1]
            gains.append(apart.mean())
        distance.append(mean[USUAL - 1] - mean.min())
        gained.append(np.mean(gains))
    return Judged(np.array(distance), np.array(gained))


def part_sets(sets: Sequence[Curves], by: str) -> list[list[Curves]]:
    """Return for each set the others that something may be learned from."""
    parts = [
        curves.recipe.task if by == "tasks" else str(place % 2)
        for place, curves in enumerate(sets)
    ]
    return [
        [curves for curves, part in zip(sets, parts, strict=True) if part != own]
        for own in parts
    ]


def make_priors(
    learned_from: Sequence[Sequence[Curves]], plan: int, monitor: str
) -> list[tuple[Prior, Prior]]:
    """Return for each set the kinds, and the mean curve, of the sets given for it."""
    made: dict[tuple[str, ...], tuple[Prior, Prior]] = {}
    found = []
    for sets in learned_from:
        names = tuple(curves.name for curves in sets)
        if names not in made:
            made[names] = (make_prior(sets), average_curve(sets, plan, monitor))
        found.append(made[names])
    return found
