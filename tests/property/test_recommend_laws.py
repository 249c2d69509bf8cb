"""Laws of recommendations, over random runs and random costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbreplay import Run
from cbreplay.generalization.promise import (
    find_sufficient,
    leave_out_sufficient,
    needed_rank,
    sufficient_for_most,
    unlucky_share,
)
from cbreplay.recommend.scores import cheapest_patience
from tests.recommended import recommend

if TYPE_CHECKING:
    from random import Random

_patience = st.one_of(st.integers(1, 60).map(float), st.just(math.inf))
_many = st.lists(_patience, min_size=1, max_size=30)
_confidence = st.sampled_from([0.5, 0.7, 0.8, 0.9, 0.95])


@st.composite
def families(draw: st.DrawFn, *, least: int = 2) -> list[Run]:
    """Runs with few distinct values, so that ties and pauses are likely."""
    n_runs = draw(st.integers(least, 12))
    runs = []
    for number in range(n_runs):
        losses = draw(st.lists(st.integers(1, 30), min_size=12, max_size=30))
        # no run is a copy of another
        rows = [{"loss": number, "val_loss": loss / 16} for loss in losses]
        planned = draw(st.sampled_from([None, len(rows)]))
        runs.append(Run.from_logs(rows, name=f"run{number}", planned_epochs=planned))
    return runs


@given(families(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_the_runs_changes_nothing(runs: list[Run], random: Random) -> None:
    shuffled = list(runs)
    random.shuffle(shuffled)
    one, other = recommend(runs, confidence=0.8), recommend(shuffled, confidence=0.8)
    assert (one.kind, one.patience) == (other.kind, other.patience)
    assert one.promise == other.promise
    assert {group.name: group for group in one.groups} == {
        group.name: group for group in other.groups
    }
    assert [row.callbacks for row in one.settings] == [
        row.callbacks for row in other.settings
    ]
    if one.left_out is not None and one.left_out.score is not None:
        assert other.left_out is not None
        assert other.left_out.score is not None
        assert math.isclose(one.left_out.score, other.left_out.score)
        assert one.left_out.interval == other.left_out.interval


@given(families(), st.integers(0, 30), st.integers(0, 30))
@settings(max_examples=40, deadline=None)
def test_a_larger_tolerance_never_asks_for_more_patience(
    runs: list[Run], one: int, more: int
) -> None:
    strict = recommend(runs, tolerance=one / 16, confidence=0.5)
    loose = recommend(runs, tolerance=(one + more) / 16, confidence=0.5)
    for before, after in zip(strict.groups, loose.groups, strict=True):
        assert (after.sufficient_patience or math.inf) <= (
            before.sufficient_patience or math.inf
        )
    if strict.promise is not None:
        assert loose.promise is not None
        assert loose.promise.patience <= strict.promise.patience


@given(_many, _confidence, st.data())
def test_a_run_that_needs_no_more_never_raises_the_promise(
    sufficient: list[float], confidence: float, data: st.DataObject
) -> None:
    before = sufficient_for_most(np.array(sufficient), confidence)
    if before is None:
        return
    easy = data.draw(_patience.filter(lambda one: one <= before))
    after = sufficient_for_most(np.array([*sufficient, easy]), confidence)
    assert after is not None
    assert after <= before


@given(_many, _confidence)
def test_more_confidence_never_promises_less_patience(
    sufficient: list[float], confidence: float
) -> None:
    listed = np.array(sufficient)
    low, high = (sufficient_for_most(listed, one) for one in (0.4, confidence))
    assert low is not None or high is None
    if low is not None and high is not None:
        assert low <= high


@given(_many, _confidence)
def test_at_most_the_allowed_number_of_runs_need_more(
    sufficient: list[float], confidence: float
) -> None:
    most = sufficient_for_most(np.array(sufficient), confidence)
    if most is not None:
        above = sum(one > most for one in sufficient)
        assert above <= len(sufficient) - needed_rank(len(sufficient), confidence)


@given(_many, _confidence)
def test_what_is_chosen_without_a_group_does_not_depend_on_it(
    sufficient: list[float], confidence: float
) -> None:
    for place in range(len(sufficient)):
        for other in (1.0, 60.0, math.inf):
            changed = list(sufficient)
            changed[place] = other
            one, two = np.array(sufficient), np.array(changed)
            ranked = [leave_out_sufficient(both, confidence) for both in (one, two)]
            assert ranked[0][place] == ranked[1][place]


@given(st.integers(1, 60), _confidence)
def test_an_unlucky_set_keeps_less_than_the_average(
    n_groups: int, confidence: float
) -> None:
    rank = needed_rank(n_groups, confidence)
    if rank <= n_groups:
        assert 0 < unlucky_share(n_groups, rank) < rank / (n_groups + 1)


@given(
    st.lists(
        st.lists(st.integers(0, 8), min_size=5, max_size=5), min_size=1, max_size=8
    )
)
def test_sufficient_patience_keeps_and_one_less_does_not(
    table: list[list[int]],
) -> None:
    regret = np.array(table) / 8
    patience, tolerance = np.arange(1, 6), np.full(len(table), 0.5)
    exact = np.ones_like(regret, dtype=bool)
    found = find_sufficient(patience, exact, regret, tolerance)
    for row, enough in zip(regret, found, strict=True):
        if np.isinf(enough):
            assert row[-1] > 0.5
            continue
        assert (row[int(enough) - 1 :] <= 0.5).all()
        assert enough == 1 or row[int(enough) - 2] > 0.5


@given(
    st.lists(
        st.lists(st.integers(0, 64), min_size=4, max_size=4), min_size=2, max_size=8
    )
)
def test_the_cheapest_for_the_others_is_what_they_choose_alone(
    table: list[list[int]],
) -> None:
    score, patience = np.array(table) / 64, np.arange(1, 5)
    found = cheapest_patience(patience, score)
    assert found is not None
    for place, chosen in enumerate(found[1]):
        alone = cheapest_patience(patience, np.delete(score, place, axis=0))
        assert alone is not None
        assert chosen == alone[0]


@given(families(), st.sampled_from([2.0**-20, 2.0**-3, 2.0**20]))
@settings(max_examples=40, deadline=None)
def test_the_unit_of_the_loss_changes_no_choice(runs: list[Run], unit: float) -> None:
    """Every loss is judged in its own scale; a power of two changes no last digit."""
    scaled = [
        Run.from_logs(
            [
                {"loss": loss, "val_loss": value * unit}
                for loss, value in zip(
                    run.series["loss"].values.tolist(),
                    run.series["val_loss"].values.tolist(),
                    strict=True,
                )
            ],
            name=run.name,
            planned_epochs=run.planned_epochs,
        )
        for run in runs
    ]
    before, after = recommend(runs), recommend(scaled)
    assert (before.kind, before.patience) == (after.kind, after.patience)
    assert before.promise == after.promise
    assert [why.kind for why in before.reasons] == [why.kind for why in after.reasons]
    for group, other in zip(before.groups, after.groups, strict=True):
        assert group.sufficient_patience == other.sufficient_patience
        assert group.left_out_patience == other.left_out_patience
    for scored, same in zip(before.settings, after.settings, strict=True):
        assert (scored.label, scored.n_groups) == (same.label, same.n_groups)
        assert scored.score == pytest.approx(same.score)
