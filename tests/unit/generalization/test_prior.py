"""The blend of a few runs with the kinds of curves: hand calculations and laws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay.generalization import prior as prior_module
from cbreplay.generalization.prior import (
    Prior,
    blend_scores,
    leave_each_out,
    parse_prior,
    read_prior,
)
from cbreplay.generalization.track_record import read_track_record

EVERY = np.arange(1, 101)
PLAN = 100


def make_prior(**changed: Any) -> Prior:
    """Two kinds: one never loses anything, the other half of all by a patience of 1."""
    prior = Prior(
        positions=np.array([0.0, 0.5, 1.0]),
        lost=np.array([[0.0, 0.0, 0.0], [0.5, 0.1, 0.0]]),
        trained=np.array([[0.1, 0.2, 1.0], [0.1, 0.4, 1.0]]),
        share=np.array([0.5, 0.5]),
        weight=4.0,
        floor=0.01,
        width=0.3,
        rough_width=0.6,
        rough=0.25,
        smoothing=0.01,
    )
    return prior._replace(**changed)


def draw_cells(n_runs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Runs that lose less and train more, the larger the patience."""
    rng = np.random.default_rng(seed)
    lost = -np.sort(-rng.exponential(0.1, (n_runs, PLAN)), axis=1)
    lost[:, -1] = 0
    return lost, np.sort(rng.uniform(0.05, 1, (n_runs, PLAN)), axis=1)


@pytest.fixture(scope="module")
def shipped() -> Prior:
    return read_prior()


def test_the_score_is_the_mean_of_the_runs_and_of_as_many_as_the_kinds_count() -> None:
    alone = make_prior(
        lost=np.array([[0.4, 0.2, 0.0]]),
        trained=np.array([[0.1, 0.2, 1.0]]),
        share=np.ones(1),
    )
    lost, trained = np.array([[0.1, 0.0], [0.3, 0.0]]), np.array([[0.1, 1.0]] * 2)
    blended = blend_scores(alone, np.array([1, 100]), PLAN, lost, trained)
    # at patience 1 the runs score 0.2 + 0.005, the kind 0.4 + 0.005; 2 runs against 4
    assert blended.score[0] == pytest.approx((2 * 0.205 + 4 * 0.405) / 6)
    assert blended.score[1] == pytest.approx(0.05)
    assert blended.own.tolist() == pytest.approx([0.205, 0.05])
    assert blended.elsewhere.tolist() == pytest.approx([0.405, 0.05])


def test_a_patience_stands_where_its_logarithm_does() -> None:
    alone = make_prior(
        lost=np.array([[0.4, 0.2, 0.0]]),
        trained=np.zeros((1, 3)) + 0.5,
        share=np.ones(1),
    )
    empty = np.full((1, 3), np.nan)
    blended = blend_scores(alone, np.array([1, 10, 100]), PLAN, empty, empty)
    # log 10 / log 100 = 0.5, the position in the middle
    assert blended.elsewhere.tolist() == pytest.approx([0.425, 0.225, 0.025])
    assert blended.score.tolist() == pytest.approx(blended.elsewhere.tolist())


def test_a_kind_that_is_like_the_runs_weighs_more() -> None:
    prior = make_prior()
    at = np.log(EVERY) / np.log(PLAN)
    for kind in (0, 1):
        lost = np.interp(at, prior.positions, prior.lost[kind])[None]
        trained = np.interp(at, prior.positions, prior.trained[kind])[None]
        blended = blend_scores(prior, EVERY, PLAN, lost, trained)
        assert blended.likeness[kind] > 0.8
        assert blended.likeness.sum() == pytest.approx(1)


def test_how_much_more_follows_from_the_logarithms() -> None:
    prior = make_prior(trained=np.full((2, 3), 0.5))
    lost, trained = np.zeros((1, 3)), np.full((1, 3), 0.5)
    blended = blend_scores(prior, np.array([1, 10, 100]), PLAN, lost, trained)
    # of the other kind: log(.51 / .01), log(.11 / .01) and 0 squared, their mean, and
    # half of it, for what is trained is the same
    apart = (np.log(51) ** 2 + np.log(11) ** 2) / 3 / 2
    closely, roughly = (
        np.exp(-apart / width) / (1 + np.exp(-apart / width)) for width in (0.3, 0.6)
    )
    assert blended.likeness[1] == pytest.approx(0.75 * closely + 0.25 * roughly)


def test_the_more_runs_agree_the_more_the_nearest_kind_weighs_but_for_a_part() -> None:
    prior = make_prior(trained=np.full((2, 3), 0.5))
    likeness = [
        blend_scores(
            prior,
            np.array([1, 10, 100]),
            PLAN,
            np.full((n_runs, 3), 0.05),
            np.full((n_runs, 3), 0.5),
        ).likeness
        for n_runs in (1, 2, 1000)
    ]
    apart = [
        np.square(np.log(np.array(lost) + 0.01) - np.log(0.06)).mean() / 2
        for lost in prior.lost
    ]
    # runs that lose .05 by any patience are nearer to the second kind
    further = apart[0] - apart[1]
    for n_runs, found in zip((1, 2, 1000), likeness, strict=True):
        close, rough = np.exp(-further * n_runs / 0.3), np.exp(-further / 0.6)
        expected = 0.75 * close / (1 + close) + 0.25 * rough / (1 + rough)
        assert found[0] == pytest.approx(expected)


def test_without_a_run_that_tells_the_kinds_weigh_as_often_as_they_come() -> None:
    empty = np.full((2, PLAN), np.nan)
    prior = make_prior(share=np.array([0.25, 0.75]))
    blended = blend_scores(prior, EVERY, PLAN, empty, empty)
    assert blended.likeness.tolist() == [0.25, 0.75]
    assert np.isnan(blended.own).all()
    assert blended.told.tolist() == [0] * PLAN


def test_where_a_run_does_not_tell_the_others_speak() -> None:
    lost, trained = draw_cells(3, seed=0)
    cut = np.arange(PLAN) >= 20
    for cells in (lost, trained):
        cells[0, cut] = np.nan
    blended = blend_scores(make_prior(), EVERY, PLAN, lost, trained)
    assert blended.told.tolist() == [3] * 20 + [2] * 80
    mean = (lost + 0.05 * trained)[1:, cut].mean(axis=0)
    assert blended.own[cut].tolist() == pytest.approx(mean.tolist())


@given(seed=st.integers(0, 1000), n_runs=st.integers(1, 6))
def test_the_score_lies_between_the_runs_and_the_kinds(seed: int, n_runs: int) -> None:
    # what the runs lose is evened out, so it is no less and no more than they lose by
    # any patience
    lost, trained = draw_cells(n_runs, seed)
    blended = blend_scores(
        make_prior(smoothing=1.0), EVERY, PLAN, lost, trained, cost_weight=0
    )
    mean = lost.mean(axis=0)
    assert (blended.score >= np.minimum(mean.min(), blended.elsewhere) - 1e-12).all()
    assert (blended.score <= np.maximum(mean.max(), blended.elsewhere) + 1e-12).all()


@given(seed=st.integers(0, 1000))
def test_the_order_of_the_runs_decides_nothing(seed: int) -> None:
    lost, trained = draw_cells(5, seed)
    there, back = (
        blend_scores(make_prior(), EVERY, PLAN, lost[::way], trained[::way])
        for way in (1, -1)
    )
    assert there.score.tolist() == pytest.approx(back.score.tolist())


def test_many_runs_speak_for_themselves(shipped: Prior) -> None:
    lost, trained = (np.tile(cells, (4000, 1)) for cells in draw_cells(1, seed=3))
    blended = blend_scores(shipped, EVERY, PLAN, lost, trained)
    assert np.abs(blended.score - blended.own).max() < 0.01
    score = lost[0] + 0.05 * trained[0]
    assert score[blended.cheapest()] < score.min() + 0.003


def test_left_out_is_the_choice_of_the_others(shipped: Prior) -> None:
    lost, trained = draw_cells(4, seed=5)
    found = leave_each_out(shipped, EVERY, PLAN, lost, trained)
    for row, without in enumerate(found):
        others = [other for other in range(4) if other != row]
        blended = blend_scores(shipped, EVERY, PLAN, lost[others], trained[others])
        assert without.score.tolist() == pytest.approx(blended.score.tolist())


def test_training_that_costs_nothing_is_worth_the_longest_patience(
    shipped: Prior,
) -> None:
    lost = np.linspace(0.2, 0.01, PLAN)[None]
    trained = np.linspace(0.1, 1, PLAN)[None]
    blended = blend_scores(shipped, EVERY, PLAN, lost, trained, cost_weight=0)
    assert EVERY[blended.cheapest()] >= 90


@pytest.mark.parametrize("plan", [1, 2, 5, 1000])
def test_any_plan_is_possible(shipped: Prior, plan: int) -> None:
    every = np.arange(1, plan + 1)
    cells = np.zeros((2, plan)), np.full((2, plan), 0.5)
    assert np.isfinite(blend_scores(shipped, every, plan, *cells).score).all()


def test_the_shipped_kinds_lose_less_and_train_more_with_more_patience(
    shipped: Prior,
) -> None:
    # to the four digits that are written
    assert (np.diff(shipped.lost, axis=1) <= 1e-4).all()
    assert (np.diff(shipped.trained, axis=1) >= -1e-4).all()
    assert (shipped.trained[:, -1] == 1).all()
    assert (shipped.lost[:, -1] == 0).all()
    assert shipped.share.sum() == pytest.approx(1)


def test_the_shipped_kinds_say_where_they_come_from(shipped: Prior) -> None:
    packed = Path(prior_module.__file__).with_name("prior.json")
    written = json.loads(packed.read_text("utf-8"))
    assert {"origin", "command", "date", "sets", "what"} <= set(written)
    assert parse_prior(written).lost.tolist() == shipped.lost.tolist()


def test_the_track_record_adds_up_and_is_better_where_more_is_expected() -> None:
    record = read_track_record()
    assert ((record.better + record.same) <= 1).all()
    # from little expected to much: each size of draw
    assert (record.better[:, -1] > record.better[:, 0]).all()
    assert record.look_up(2, 0.1) is None
    few, many = record.look_up(3, 0.005), record.look_up(1000, 0.005)
    assert few is not None
    assert many is not None
    assert many.better > few.better
    assert few.better + few.same + few.worse == pytest.approx(1)
    assert (few.n_runs, many.n_runs) == (3, 30)
    assert record.look_up(9, 0.005) == record.look_up(5, 0.005)


def test_the_track_record_is_looked_up_from_its_bounds_on() -> None:
    record = read_track_record()
    for place, gain in enumerate(record.gains.tolist()):
        odds = record.look_up(int(record.runs[0]), gain)
        assert odds is not None
        assert odds.better == record.better[0, place]
    # what is expected to lose against 10 is not chosen; a rounding below 0 may come
    assert record.look_up(3, -1e-17) == record.look_up(3, 0.0)
