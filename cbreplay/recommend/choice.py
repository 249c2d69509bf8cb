"""Which patience is recommended: what each is expected to score, and which ties win.

The promised one (`promise.py`), if it is longer than the rule of thumb and no other
patience scores better; else the patience with the least expected score. That score is
of the runs together with the kinds of curves that they look like (`prior.py`).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from cbreplay.generalization.prior import (
    Blended,
    blend_scores,
    leave_each_out,
    read_prior,
)
from cbreplay.generalization.promise import (
    is_step,
    leave_out_sufficient,
    needed_rank,
    sufficient_for_most,
)
from cbreplay.recommend.scores import MOST_LOST, NEAR_TIE
from cbreplay.setting_costs.swept_settings import SHARE_OF_PLAN, USUAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cbreplay.run import BoolArray, EpochArray, FloatArray
    from cbreplay.setting_costs.pricing import ChoiceFrame, Priced

__all__ = [
    "Basis",
    "Choice",
    "Pick",
    "broke_off",
    "choose_patience",
    "pick_by_weight",
    "pick_patience",
    "rule_of_thumb",
]

# what decides: a promise, the score of runs and kinds, the rule of thumb, or ("cut")
# the patience under which the logs were recorded, where it cut all of them
Basis: TypeAlias = Literal["promise", "score", "thumb", "cut"]


# the share of logs above which those that broke off are most: what a patience loses
# on them is a bound
_MOST = 0.5


def broke_off(frame: ChoiceFrame) -> bool:
    """Return whether most logs broke off: no patience below the rule of thumb, then."""
    return frame.broken > _MOST


def rule_of_thumb(frame: ChoiceFrame) -> int:
    """Return 10, or a tenth of a long plan."""
    return max(USUAL, (frame.plan or 0) // SHARE_OF_PLAN)


class Pick(NamedTuple):
    """The recommended patience, and what decided for it.

    Parameters
    ----------
    patience : int
        What is recommended.
    kind : {"guaranteed", "heuristic"}
        "guaranteed" if a promise holds: for this patience or a shorter one.
    basis : {"promise", "score", "thumb", "cut"}
        What decided.
    confidence : float
        The share of new groups that a promise is about.
    rank_patience : int or None
        The sufficient patience that the promise is about; None without a promise.
    n_unknown : int
        On how many groups no patience in the logs is enough.
    expected : (float, mapping of int to float) or None
        The expected score of the next training with this patience, and with each whose
        cost some log tells. None where no score is expected: the plan is unknown, no
        log tells, or most logs broke off.
    """

    patience: int
    kind: Literal["guaranteed", "heuristic"]
    basis: Basis
    confidence: float
    rank_patience: int | None
    n_unknown: int
    expected: tuple[float, Mapping[int, float]] | None

    @property
    def unknown(self) -> bool:
        """Whether nothing is promised because some logs hold no sufficient patience."""
        return self.rank_patience is None and self.n_unknown > 0


class Choice(NamedTuple):
    """What is picked, and what would be picked without each of the groups.

    Parameters
    ----------
    pick : Pick
        The pick from all groups.
    left_out : array of shape (n_groups,)
        What would have been recommended without each group.
    promised_left_out : array of shape (n_groups,)
        What the others would promise; where they are too few, the largest they need.
    """

    pick: Pick
    left_out: EpochArray
    promised_left_out: EpochArray

    @property
    def patience(self) -> int:
        """What is recommended."""
        return self.pick.patience


def pick_patience(priced: Priced, confidence: float) -> Pick:
    """Pick the patience that is promised, or that scores best.

    A promise shall be kept on a share of new groups that is `confidence`.
    """
    promised = _promised(priced.sufficient, confidence)
    scores = _score_all(priced)
    patience, by_promise = _weigh(
        priced, scores, promised, by_step=is_step(priced.sufficient, promised)
    )
    basis: Basis = "score"
    if by_promise:
        basis = "promise"
    elif scores is None or (broke_off(priced.frame) and patience == _fall_back(priced)):
        basis = "cut" if _is_by_floor(priced) else "thumb"
    return Pick(
        patience,
        "guaranteed" if promised is not None and patience >= promised else "heuristic",
        basis,
        confidence,
        promised,
        int(np.isinf(priced.sufficient).sum()),
        None
        if scores is None or broke_off(priced.frame)
        else _expect_each(scores, patience),
    )


def pick_by_weight(priced: Priced, cost_weight: float) -> int | None:
    """Return the patience with the least expected score at another weight of training.

    None where nothing is expected.
    """
    if broke_off(priced.frame):
        return None
    frame = priced.frame._replace(cost_weight=cost_weight)
    weighed = priced._replace(frame=frame)
    scores = _score_all(weighed)
    return None if scores is None else int(scores.patience[_cheapest(weighed, scores)])


def choose_patience(priced: Priced, confidence: float, of_fewer: float) -> Choice:
    """Pick a patience, and what it would be without each of the groups.

    `confidence` is the share of new groups on which a promise shall be kept from all
    groups, `of_fewer` from one group less.
    """
    pick = pick_patience(priced, confidence)
    others = leave_out_sufficient(priced.sufficient, of_fewer)
    few = needed_rank(len(others) - 1, of_fewer) >= len(others)
    left_out = [
        _weigh(
            priced,
            scores,
            None if few or not np.isfinite(promised) else int(promised),
            by_step=is_step(np.delete(priced.sufficient, row), promised),
        )[0]
        for row, (scores, promised) in enumerate(
            zip(_score_others(priced), others.tolist(), strict=True)
        )
    ]
    top = int(priced.patience[-1])
    needed = np.where(np.isfinite(others), others, top).astype(np.int64)
    return Choice(pick, np.array(left_out, np.int64), needed)


def _promised(sufficient: FloatArray, confidence: float) -> int | None:
    """Return what is promised to be enough; None where nothing is."""
    most = sufficient_for_most(sufficient, confidence)
    return int(most) if most is not None and np.isfinite(most) else None


class _TriedPatience(NamedTuple):
    """The patience values that are scored, and what they cost on each group.

    `endless`, of shape (n_groups, n_patience), is where a group loses everything. There
    `lost` is NaN: such a loss has no mean, and tells nothing of the patience beside it.
    `too_short`, of that shape, is what a patience costs more than the rule that ended
    the logs of a group; NaN in groups without such a log.
    """

    patience: EpochArray
    plan: int
    lost: FloatArray
    trained: FloatArray
    endless: BoolArray
    too_short: FloatArray


class _Scores(NamedTuple):
    """The expected score of every patience that is tried, ascending.

    `told` is how many groups tell what it costs, `endless` whether one of them loses
    everything.
    """

    patience: EpochArray
    score: FloatArray
    told: EpochArray
    endless: BoolArray


def _read_tried(priced: Priced) -> _TriedPatience | None:
    """Return what a score is made of; None where no log or no plan tells."""
    frame, values = priced.frame, priced.patience
    if frame.plan is None or np.isnan(priced.lost).all():
        return None
    # a patience below the floor is never chosen, but what it costs tells which kinds of
    # curves the runs look like
    tried = values <= max(frame.plan, USUAL, frame.floor)
    lost, trained = priced.lost[:, tried], priced.trained[:, tried]
    endless = lost >= MOST_LOST
    lost = np.where(endless, np.nan, lost)
    # where its own rule cut a log, a patience may be shown to cost more than that rule,
    # never less: a better value may have followed
    apart = priced.lost_to_own + frame.cost_weight * priced.trained_to_own
    too_short = np.maximum(apart[:, tried], 0)
    return _TriedPatience(values[tried], frame.plan, lost, trained, endless, too_short)


def _score_all(priced: Priced) -> _Scores | None:
    """Return the scores by all groups; None where no log or no plan tells."""
    tried, weight = _read_tried(priced), priced.frame.cost_weight
    if tried is None:
        return None
    blended = blend_scores(read_prior(), *tried[:4], cost_weight=weight)
    return _settle(
        tried.patience, blended, tried.too_short, np.any(tried.endless, axis=0)
    )


def _score_others(priced: Priced) -> Iterator[_Scores | None]:
    """Yield the scores without each of the groups."""
    tried, weight = _read_tried(priced), priced.frame.cost_weight
    if tried is None:
        yield from itertools.repeat(None, len(priced.sufficient))
        return
    others = leave_each_out(read_prior(), *tried[:4], cost_weight=weight)
    n_endless = tried.endless.sum(axis=0)
    for row, (blended, own) in enumerate(zip(others, tried.endless, strict=True)):
        rest = np.delete(tried.too_short, row, axis=0)
        yield _settle(tried.patience, blended, rest, np.asarray(n_endless > own))


def _settle(
    patience: EpochArray, blended: Blended, too_short: FloatArray, endless: BoolArray
) -> _Scores:
    """Return the scores with what groups with cut logs add to them.

    In such a group a patience costs what it does elsewhere, and besides what the logs
    show it to cost more than the rule that ended them. A score is infinite where some
    group loses everything, unless one does so by every patience.
    """
    shown = too_short[~np.isnan(too_short).any(axis=1)]
    n_others = blended.told + read_prior().weight
    score = blended.score + shown.sum(axis=0) / (len(shown) + n_others)
    if not endless.all():
        score = np.where(endless, np.inf, score)
    return _Scores(patience, score, blended.told, endless)


def _weigh(
    priced: Priced, scores: _Scores | None, promised: int | None, *, by_step: bool
) -> tuple[int, bool]:
    """Return the patience that wins, and whether the promise decided for it.

    A promised patience longer than the rule of thumb wins, unless another one scores
    better by more than a near tie: a promise looks only at what may be lost at worst,
    and not at what the longer training costs. A longer patience keeps the promise too;
    but where most groups need just what is promised (`by_step`), no longer one wins.
    """
    thumb = rule_of_thumb(priced.frame)
    higher = promised is not None and promised > thumb
    if scores is None:
        return (promised, True) if promised and higher else (_fall_back(priced), False)
    best = _cheapest(priced, scores)
    if promised and higher:
        score = scores.score[_nearest(scores.patience, promised)]
        longer = scores.patience[best] >= promised
        if (by_step and longer) or score <= scores.score[best] + NEAR_TIE:
            return promised, True
    return int(scores.patience[best]), False


def _cheapest(priced: Priced, scores: _Scores) -> int:
    """Return the index of the least score among patience values from the floor on.

    A log that broke off shows what a patience loses against the best value so far; in
    the whole training it may lose more. So where most logs broke off, no patience below
    the rule of thumb is chosen.
    """
    least = _fall_back(priced) if broke_off(priced.frame) else priced.frame.floor
    first = int(np.searchsorted(scores.patience, least))
    first = min(first, len(scores.patience) - 1)
    return first + int(np.argmin(scores.score[first:]))


def _expect_each(scores: _Scores, patience: int) -> tuple[float, dict[int, float]]:
    """Return the expected score of a patience, and of all whose cost some log tells.

    It is infinite where any run's loss is.
    """
    expected = np.where(scores.endless, np.inf, scores.score).tolist()
    columns = zip(scores.patience.tolist(), expected, scores.told, strict=True)
    told = {asked: score for asked, score, n_told in columns if n_told}
    return expected[_nearest(scores.patience, patience)], told


def _nearest(patience: EpochArray, asked: int) -> int:
    return int(np.argmin(np.abs(patience - asked)))


def _is_by_floor(priced: Priced) -> bool:
    """Return whether the patience that cut the logs decides, where no score can.

    So it is if it is longer than the rule of thumb, or if no log tells what any
    patience loses.
    """
    floor = priced.frame.floor
    untold = bool(np.isnan(priced.lost).all())
    return floor > rule_of_thumb(priced.frame) or (floor > 1 and untold)


def _fall_back(priced: Priced) -> int:
    """Return the rule of thumb, but at least the patience that cut the logs."""
    wanted = max(rule_of_thumb(priced.frame), priced.frame.floor)
    at = min(int(np.searchsorted(priced.patience, wanted)), len(priced.patience) - 1)
    return int(priced.patience[at])
