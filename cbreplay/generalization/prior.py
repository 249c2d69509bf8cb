"""The expected score of a patience: from the given runs, and from curves of other data.

The mean of a few runs depends on chance. So the score of every patience is the mean of
the runs and of the kinds of curves that they look like; the kinds count as much as a
fixed number of runs (`Prior.weight`). The kinds come from thousands of trainings on
other data sets (`prior.json`). The more runs are given, the more they outweigh the
kinds, and the better it is known which kinds they look like. But thirty runs will
hardly show a loss that one training in a hundred has: so a part of the weight goes to
all kinds that look roughly alike, however many runs there are. What the runs lose and
train is first smoothed over neighbouring patience values (`evening.py`).

Plans of all lengths share one axis of patience, log(patience) / log(plan): 0 is a
patience of 1, and 1 is one as long as the plan.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.generalization.evening import Evening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = [
    "Blended",
    "Prior",
    "blend_scores",
    "leave_each_out",
    "parse_prior",
    "read_prior",
    "read_written",
]


class Prior(NamedTuple):
    """Kinds of learning curves, and what each patience costs on them.

    Parameters
    ----------
    positions : array of shape (n_positions,)
        The patience values as log(patience) / log(plan): 0 is a patience of 1, and 1
        one as long as the plan.
    lost, trained : array of shape (n_kinds, n_positions)
        Means over a kind's curves: the regret as a share of the scale, and the share
        of the plan that is trained.
    share : array of shape (n_kinds,)
        How many of all curves are of each kind; these add up to 1.
    weight : float
        As how many runs the kinds count.
    floor : float
        A loss is compared on a logarithmic scale, and this is added to it before.
    width : float
        The mean square of the logarithm's difference at which a kind's weight falls to
        a third (1 / e), from one run: it is as many times narrower as there are runs.
    rough_width, rough : float
        The same width for kinds that are roughly alike, which does not get narrower
        with more runs; and the part of the weight that these have.
    smoothing : float
        How widely the runs' means are smoothed over log(patience): a multiple of
        `Evening.width`, which depends on how many runs there are and how they agree.
    """

    positions: FloatArray
    lost: FloatArray
    trained: FloatArray
    share: FloatArray
    weight: float
    floor: float
    width: float
    rough_width: float
    rough: float
    smoothing: float


class Blended(NamedTuple):
    """The score of every patience, and what it rests on.

    Parameters
    ----------
    score : array of shape (n_patience,)
        The expected score: the runs and the kinds in one.
    own : array of shape (n_patience,)
        The mean of the runs that tell; NaN where none does.
    elsewhere : array of shape (n_patience,)
        The mean of the kinds, weighted by likeness.
    told : int array of shape (n_patience,)
        How many runs tell.
    likeness : array of shape (n_kinds,)
        How much each kind weighs among them; these add up to 1.
    """

    score: FloatArray
    own: FloatArray
    elsewhere: FloatArray
    told: EpochArray
    likeness: FloatArray

    def cheapest(self) -> int:
        """Return the place of the least score; of equals, the first."""
        return int(np.argmin(self.score))


@cache
def read_prior() -> Prior:
    """Return the kinds that come with the package."""
    return parse_prior(read_written())


def read_written() -> dict[str, Any]:
    """Return what `prior.json` holds."""
    # importlib.resources would cost 30 ms at start
    text = Path(__file__).with_name("prior.json").read_text("utf-8")
    written: dict[str, Any] = json.loads(text)
    return written


def parse_prior(written: dict[str, Any]) -> Prior:
    """Return the kinds that a `prior.json` holds."""
    kinds = written["kinds"]
    curves = np.array([kind["curves"] for kind in kinds], float)
    return Prior(
        np.array(written["positions"], float),
        np.array([kind["lost"] for kind in kinds], float),
        np.array([kind["trained"] for kind in kinds], float),
        curves / curves.sum(),
        float(written["weight"]),
        float(written["floor"]),
        float(written["width"]),
        float(written["rough_width"]),
        float(written["rough"]),
        float(written["smoothing"]),
    )


def blend_scores(
    prior: Prior,
    patience: EpochArray,
    plan: int,
    lost: FloatArray,
    trained: FloatArray,
    *,
    cost_weight: float = 0.05,
) -> Blended:
    """Return what every patience is expected to cost on the next run.

    Parameters
    ----------
    prior : Prior
        As `read_prior` returns it.
    patience : array of shape (n_patience,)
        The values, ascending, from 1 on.
    plan : int
        For how many epochs (or validations, where patience counts these) is planned.
    lost, trained : array of shape (n_runs, n_patience)
        Of each run: the regret as a share of its scale, and the share of the plan that
        is trained. NaN where the log does not tell.
    cost_weight : float
        The weight of training the whole plan, where losing the whole scale counts 1.

    Examples
    --------
    One kind, on which a patience of 1 loses 10 % and one of 10 nothing; and four runs
    that lose nothing by either. The kind counts as four runs, so that a patience of 1
    is expected to lose (4 x 0 + 4 x 0.1) / 8.

    >>> prior = Prior(
    ...     positions=np.array([0.0, 1.0]),
    ...     lost=np.array([[0.1, 0.0]]),
    ...     trained=np.array([[0.2, 1.0]]),
    ...     share=np.array([1.0]),
    ...     weight=4,
    ...     floor=0.01,
    ...     width=0.6,
    ...     rough_width=0.3,
    ...     rough=0.25,
    ...     smoothing=0.01,
    ... )
    >>> lost, trained = np.zeros((4, 2)), np.array([[0.2, 1.0]] * 4)
    >>> blended = blend_scores(prior, np.array([1, 10]), 10, lost, trained)
    >>> blended.score.round(3)  # 0.05 + 0.05 x 0.2, and 0.05 x 1
    array([0.06, 0.05])
    >>> blended.own.round(3), blended.cheapest()
    (array([0.01, 0.05]), 1)
    """
    at = place_patience(patience, plan)
    sums = _Sums(*(cells.sum(axis=0) for cells in _told_cells(lost, trained)))
    return _blend(prior, at, sums, Evening.of(patience, lost), cost_weight)


def place_patience(patience: EpochArray, plan: int) -> FloatArray:
    """Return log(patience) / log(plan), the axis of `Prior.positions`."""
    at: FloatArray = np.log(np.maximum(patience, 1)) / np.log(max(plan, 2))
    return np.clip(at, 0, 1)


def _told_cells(
    lost: FloatArray, trained: FloatArray
) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Return which cells a log tells, and both with 0 in the others."""
    known = ~(np.isnan(lost) | np.isnan(trained))
    return known, np.where(known, lost, 0), np.where(known, trained, 0)


class _Sums(NamedTuple):
    """For each patience, how many runs tell, and sums of what they lose and train."""

    told: EpochArray
    lost: FloatArray
    trained: FloatArray


def _blend(
    prior: Prior,
    at: FloatArray,
    sums: _Sums,
    evening: Evening,
    cost_weight: float,
) -> Blended:
    """Blend the kinds with the runs."""
    told, lost, trained = sums
    own_lost, own_trained = (
        np.where(told > 0, total / np.maximum(told, 1), np.nan)
        for total in (lost, trained)
    )
    distance = _measure_distance(prior, at, own_lost, own_trained)
    likeness = _weigh_kinds(prior, distance, int(told.max()))
    theirs = likeness @ (prior.lost + cost_weight * prior.trained)
    elsewhere = np.interp(at, prior.positions, theirs)
    own = own_lost + cost_weight * own_trained
    even_lost, even_trained = (
        evening.even_out(mean, told, floor, prior.smoothing)
        for mean, floor in ((own_lost, prior.floor), (own_trained, 0.0))
    )
    total = told * (even_lost + cost_weight * even_trained) + prior.weight * elsewhere
    score = total / (told + prior.weight)
    return Blended(score, own, elsewhere, told, likeness)


def leave_each_out(
    prior: Prior,
    patience: EpochArray,
    plan: int,
    lost: FloatArray,
    trained: FloatArray,
    *,
    cost_weight: float = 0.05,
) -> Iterator[Blended]:
    """Yield what `blend_scores` returns without each of the runs."""
    at = place_patience(patience, plan)
    evening, told = Evening.of(patience, lost), _told_cells(lost, trained)
    totals = [cells.sum(axis=0) for cells in told]
    for row in range(len(lost)):
        rest = (total - cells[row] for total, cells in zip(totals, told, strict=True))
        yield _blend(prior, at, _Sums(*rest), evening.without(row), cost_weight)


def _measure_distance(
    prior: Prior, at: FloatArray, lost: FloatArray, trained: FloatArray
) -> FloatArray:
    """Return how far each kind is from the runs; zeros where these do not tell.

    It is the mean square of two differences: of the logarithms of what is lost, and of
    those of what is trained.
    """
    told, positions = ~np.isnan(lost), prior.positions
    distance = np.zeros(len(prior.share))
    if not told.any():
        return distance
    shared = (positions >= at[told][0]) & (positions <= at[told][-1])
    if not shared.any():
        return distance
    for own, theirs, floor in (
        (lost, prior.lost, prior.floor),
        (trained, prior.trained, 0.0),
    ):
        mine = np.interp(positions[shared], at[told], own[told])
        apart = np.log(theirs[:, shared] + floor) - np.log(mine + floor)
        distance += np.square(apart).mean(axis=1) / 2
    return distance


def _weigh_kinds(prior: Prior, distance: FloatArray, n_runs: int) -> FloatArray:
    """Return the weight of each kind: its share of all curves, times its likeness.

    The more runs are given, the more a difference counts, but for the `rough` part.
    """
    further = distance - distance.min()
    weighed = np.zeros(len(further))
    for part, width in (
        (1 - prior.rough, prior.width / max(n_runs, 1)),
        (prior.rough, prior.rough_width),
    ):
        near = prior.share * np.exp(-further / width)
        weighed += part * near / near.sum()
    return weighed
