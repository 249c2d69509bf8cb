"""What an explanation says is true of the log, sentence by sentence.

Each sentence carries what it claims by name. Here every claim is held against loops
that share no code with the package, over runs with ties, NaN, infinities and missing
epochs, modes that are the wrong way round, margins beyond the range of the values,
baselines, late starts and cooldowns.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay import EarlyStopping, ReduceLROnPlateau, explain_replay, replay_run
from cbreplay.answers.explanation import explanation_document
from cbreplay.document import plain_text
from tests.facts import facts_of
from tests.oracles.plain_rules import Moment, plateau, stopping
from tests.oracles.plain_stop import single
from tests.strategies import runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay import Run
    from cbreplay.explain import Explanation
    from cbreplay.wording.claims import Claim

RATE = single(0.01)
MODES = st.sampled_from(["min", "max"])
PATIENCE = st.one_of(st.integers(-1, 8), st.sampled_from([0.5, 2.5, math.inf]))
# 100 is more than any two values here are apart
MARGINS = st.sampled_from([0, 0.125, -0.125, 0.5, 1e-4, 100])

STOPPERS = st.builds(
    EarlyStopping,
    mode=MODES,
    patience=PATIENCE,
    min_delta=MARGINS,
    baseline=st.sampled_from([None, None, 0.5, 1.0, -1]),
    restore_best_weights=st.booleans(),
    start_from_epoch=st.one_of(st.integers(0, 30), st.just(math.inf)),
)
REDUCERS = st.builds(
    ReduceLROnPlateau,
    mode=MODES,
    factor=st.sampled_from([0.1, 0.5, 0.3]),
    patience=PATIENCE,
    min_delta=MARGINS,
    cooldown=st.integers(0, 4),
    min_lr=st.sampled_from([0.0, 0.001, 0.01]),
)


class Known(NamedTuple):
    """What the log holds, and what one callback does on it by the plain loop."""

    values: Sequence[float | None]
    first_epoch: int
    asked: dict[str, Any]
    moments: list[Moment]
    epoch: int

    @property
    def now(self) -> Moment:
        return self.at(self.epoch)

    def at(self, epoch: int) -> Moment:
        return self.moments[epoch - self.first_epoch]

    @property
    def counted(self) -> list[Moment]:
        return [moment for moment in self.moments if moment.counted]

    def with_more(self, more: Sequence[float | None]) -> list[Moment]:
        """Return what happens from the next epoch on, if these values follow."""
        seen = self.epoch + 1 - self.first_epoch
        longer = [*self.values[:seen], *more]
        return play(longer, self.first_epoch, self.asked)[seen:]


def play(
    values: Sequence[float | None], first: int, asked: dict[str, Any]
) -> list[Moment]:
    if "factor" in asked:
        return plateau(values, first, asked, RATE)
    return stopping(values, first, asked)


# --- a row


def is_first(known: Known, value: float) -> bool:
    before = known.moments[: known.epoch - known.first_epoch]
    return known.now.value == pytest.approx(value, nan_ok=True) and not any(
        moment.value is not None for moment in before
    )


def is_first_that_counts(known: Known, value: float) -> bool:
    same = known.now.value == pytest.approx(value, nan_ok=True)
    return same and known.counted[0].epoch == known.epoch


def is_compared(known: Known, value: float, best: float, *, improved: bool) -> bool:
    before = known.at(known.epoch - 1)
    return (
        same_number(known.now.value, value)
        and same_number(before.best, best)
        and known.now.improved == improved
    )


def same_number(left: float | None, right: float | None) -> bool:
    if left is None or right is None:
        return left is right
    return left == right or (math.isnan(left) and math.isnan(right))


def reduces(known: Known, old: float, new: float) -> bool:
    before = (
        RATE if known.epoch == known.first_epoch else known.at(known.epoch - 1).rate
    )
    return known.now.acted and (before, known.now.rate) == (old, new)


def next_acts(known: Known, wall: float | None) -> bool:
    """Whether the next value decides as is said: at the wall, and just beyond it."""
    upward = known.asked["mode"] == "max"
    at_wall = math.nan if wall is None else last_allowed(wall, upward=upward)
    (coming,) = known.with_more([at_wall])
    if not coming.acted:
        return False
    if wall is None or math.isinf(wall):
        beyond = -1e30 if not upward else 1e30
    else:
        beyond = next_float(wall, upward=upward)
    (coming,) = known.with_more([beyond])
    return coming.acted == (wall is None)


def last_allowed(wall: float, *, upward: bool) -> float:
    """Return the last value before a wall is passed that a log of float32 can hold."""
    near = np.float32(wall)
    if (float(near) > wall) if upward else (float(near) < wall):
        near = np.nextafter(near, np.float32(-math.inf if upward else math.inf))
    return single(float(near))


def next_float(wall: float, *, upward: bool) -> float:
    """Return the next value beyond a wall that a log of float32 can hold."""
    towards = np.float32(math.inf if upward else -math.inf)
    near = np.float32(wall)
    if (float(near) > wall) if upward else (float(near) < wall):
        return float(near)
    beyond = float(np.nextafter(near, towards))
    return math.copysign(2.0**-126, beyond) if 0 < abs(beyond) < 2.0**-126 else beyond


OF_A_ROW: dict[str, Any] = {
    "first": is_first,
    "first_that_counts": is_first_that_counts,
    "compared": is_compared,
    "wait": lambda known, wait: known.now.wait == wait,
    "stops": lambda known: known.now.acted,
    "no_value": lambda known: known.now.value is None,
    "before_start": lambda known: known.epoch < known.asked["start_from_epoch"],
    "misses_baseline": lambda known: known.now.improved and known.now.wait > 0,
    "holds": lambda known: known.now.held == known.epoch,
    "cooldown": lambda known, left: known.now.cooldown == left,
    "at_floor": lambda known, rate: (
        known.now.rate == rate and rate <= single(known.asked["min_lr"])
    ),
    "reduces": reduces,
    "next_acts": next_acts,
}


# --- how it ended


def finite(known: Known) -> dict[int, float]:
    """Return the finite values of the epochs that were trained, by epoch."""
    return {
        moment.epoch: moment.value
        for moment in known.moments
        if moment.value is not None and math.isfinite(moment.value)
    }


def is_best(known: Known, epoch: int, value: float) -> bool:
    best = max if known.asked["mode"] == "max" else min
    values = finite(known)
    found = best(values.values())
    first = next(at for at, held in values.items() if held == found)
    return (first, found) == (epoch, value)


def not_improved_since(known: Known, epoch: int) -> bool:
    later = [moment for moment in known.counted if moment.epoch > epoch]
    return known.at(epoch).improved and not any(moment.improved for moment in later)


def not_improved_in(known: Known, epochs: int) -> bool:
    return not any(moment.improved for moment in known.counted[-epochs:])


def beats_baseline(known: Known, moment: Moment) -> bool:
    margin, baseline = abs(known.asked["min_delta"]), single(known.asked["baseline"])
    if known.asked["mode"] == "max":
        return single(moment.value - margin) > baseline
    return single(moment.value + margin) < baseline


def baseline_stands(known: Known, epochs: int) -> bool:
    beaten = [beats_baseline(known, moment) for moment in known.counted]
    return len(beaten) == epochs and not any(beaten)


def improvements_miss_baseline(known: Known, epochs: int) -> bool:
    """Whether values beat the baseline, but none of those that improved did."""
    beaten = [moment for moment in known.counted if beats_baseline(known, moment)]
    improved = any(moment.improved for moment in beaten)
    return len(known.counted) == epochs and bool(beaten) and not improved


def is_longest_wait(known: Known, epoch: int, wait: int) -> bool:
    waits = [moment.wait for moment in known.moments]
    return max(waits) == wait == known.at(epoch).wait


def acts_after(known: Known, values: int, wall: float | None) -> bool:
    """Whether it acts with the last of so many values at the wall, and not before."""
    upward = known.asked["mode"] == "max"
    at_wall = math.nan if wall is None else last_allowed(wall, upward=upward)
    coming = known.with_more([at_wall] * values)
    acted = [moment.acted for moment in coming]
    return acted == [False] * (values - 1) + [True]


def has_reduced(
    known: Known, times: int, epoch: int | None, rate: float | None
) -> bool:
    reduced = [moment for moment in known.moments if moment.acted]
    last = (reduced[-1].epoch, reduced[-1].rate) if reduced else (None, None)
    return (len(reduced), *last) == (times, epoch, rate)


def is_last_improvement(known: Known, epoch: int, value: float) -> bool:
    improved = [moment for moment in known.moments if moment.improved]
    return improved[-1].epoch == epoch and improved[-1].value == value


OF_THE_END: dict[str, Any] = {
    "is_best": is_best,
    "first_is_nan": lambda known: math.isnan(known.counted[0].value),
    "baseline_stands": baseline_stands,
    "improvements_miss_baseline": improvements_miss_baseline,
    "not_improved_in": not_improved_in,
    "not_improved_since": not_improved_since,
    "none_counted": lambda known: not known.counted,
    "wait": lambda known, epoch, wait: known.at(epoch).wait == wait,
    "longest_wait": is_longest_wait,
    "acts_after": acts_after,
    "reduced": has_reduced,
    "at_floor": lambda known, rate: (
        known.now.rate == rate and rate <= single(known.asked["min_lr"])
    ),
    "last_improvement": is_last_improvement,
    "first_and_unbeaten": lambda known, epoch: (
        known.counted[0].epoch == epoch
        and not any(moment.improved for moment in known.counted)
    ),
    "before_start": lambda known, epoch: epoch < known.asked["start_from_epoch"],
    "not_improved": lambda known, epoch: (
        known.at(epoch).counted and not known.at(epoch).improved
    ),
}


def explained(run: Run, *callbacks: Any, **options: Any) -> Explanation:
    return explain_replay(replay_run(run, callbacks, semantics="keras-3.15", **options))


def knowledge(run: Run, rule: Any, epoch: int) -> Known:
    values = list(run.series["val_loss"])[: epoch + 1 - run.first_epoch]
    asked = asdict(rule)
    return Known(
        values, run.first_epoch, asked, play(values, run.first_epoch, asked), epoch
    )


def about(claim: Claim) -> dict[str, Any]:
    names = ("callback",)
    return {name: held for name, held in claim.about.items() if name not in names}


@given(run=runs(), stopper=STOPPERS, reducer=REDUCERS)
def test_every_row_says_what_is_true(
    run: Run, stopper: EarlyStopping, reducer: ReduceLROnPlateau
) -> None:
    told = explained(run, stopper, reducer, hypothetical=True)
    for row in told.rows:
        rule = (stopper, reducer)[row.callback]
        known = knowledge(run, rule, row.epoch)
        assert row.claims, row.why
        for claim in row.claims:
            holds = OF_A_ROW[claim.predicate]
            assert holds(known, **about(claim)), (row.why, claim)


def words_about(
    known: Sequence[Known],
    sentence: str,
    claims: Sequence[Claim],
    end: Mapping[str, Any],
) -> None:
    for claim in claims:
        if claim.predicate == "stopped_at":
            assert claim.about["epoch"] == end["stopped"], sentence
            assert claim.about["by"] == end["by"], sentence
        elif claim.predicate == "keeps":
            assert claim.about["epoch"] == end["kept"], sentence
        else:
            rule = known[claim.about.get("callback", 0)]
            holds = OF_THE_END[claim.predicate]
            assert holds(rule, **about(claim)), (sentence, claim)


@given(run=runs(), stopper=STOPPERS)
def test_every_sentence_about_the_end_of_a_stop_is_true(
    run: Run, stopper: EarlyStopping
) -> None:
    told = explained(run, stopper)
    known = knowledge(run, stopper, run.horizon)
    last = known.moments[-1]
    known = known._replace(epoch=last.epoch)
    held = last.held if stopper.restore_best_weights else None
    end = {
        "stopped": last.epoch if last.acted else None,
        "by": (0,) if last.acted else (),
        "kept": last.epoch if held is None else held,
    }
    for sentence in told.told:
        assert sentence.claims
        words_about([known], sentence.words, sentence.claims, end)
    document = explanation_document(told)
    facts = facts_of(document.headline)
    assert facts.get("stopped_epoch") == end["stopped"], plain_text(document.headline)
    assert facts["kept_epoch"] == end["kept"]


@given(run=runs(), reducer=REDUCERS, stopper=STOPPERS)
def test_every_sentence_about_the_end_of_a_list_is_true(
    run: Run, reducer: ReduceLROnPlateau, stopper: EarlyStopping
) -> None:
    told = explained(run, reducer, stopper, hypothetical=True)
    stops = knowledge(run, stopper, run.horizon).moments[-1]
    known = [knowledge(run, rule, stops.epoch) for rule in (reducer, stopper)]
    held = stops.held if stopper.restore_best_weights else None
    end = {
        "stopped": stops.epoch if stops.acted else None,
        "by": (1,) if stops.acted else (),
        "kept": stops.epoch if held is None else held,
    }
    sentences = told.told if told.replay.divergence_epoch is None else told.told[1:]
    assert sentences
    for sentence in sentences:
        assert sentence.claims, sentence
        words_about(known, sentence.words, sentence.claims, end)
