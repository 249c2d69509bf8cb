"""Losses evened out over neighbouring patience values: hand calculations and laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay.generalization.evening import Evening

EVERY = np.arange(1, 101)
FLOOR = 0.01


def even_out(lost: np.ndarray, patience: np.ndarray = EVERY) -> np.ndarray:
    """What runs of shape (n_runs, n_patience) lose in the mean, evened out."""
    told = np.full(len(patience), len(lost))
    return Evening.of(patience, lost).even_out(lost.mean(axis=0), told, FLOOR, 1.0)


def step(length: int) -> np.ndarray:
    """What a run loses that needs just this patience."""
    return np.where(length > EVERY, 0.5, 0.0)


def test_the_width_is_silverman_s_of_what_is_enough() -> None:
    lost = np.array([step(2), step(8)])
    # the mean of log 2 and log 8 is log 4, and each is log 2 away
    spread = math.sqrt((2 * 1 + 2 * math.log(2) ** 2) / (2 + 2 - 1))
    evening = Evening.of(EVERY, lost)
    assert evening.enough.tolist() == pytest.approx([math.log(2), math.log(8)])
    assert evening.width(1.0) == pytest.approx(spread / 2**0.2)
    assert evening.width(0.5) == pytest.approx(spread / 2**0.2 / 2)


def test_a_run_that_does_not_tell_makes_nothing_wider() -> None:
    lost = np.array([step(2), np.full(100, np.nan), step(8)])
    told = Evening.of(EVERY, lost[[0, 2]])
    assert Evening.of(EVERY, lost).width(1.0) == told.width(1.0)
    assert Evening.of(EVERY, lost).without(1).width(1.0) == told.width(1.0)


def test_a_loss_by_all_patience_values_alike_stays_as_it_is() -> None:
    assert even_out(np.full((3, 100), 0.2)).tolist() == pytest.approx([0.2] * 100)


@given(lengths=st.lists(st.integers(1, 90), min_size=1, max_size=12))
def test_what_is_evened_out_is_no_less_and_no_more_than_what_is_lost(
    lengths: list[int],
) -> None:
    lost = np.array([step(length) for length in lengths])
    evened, mean = even_out(lost), lost.mean(axis=0)
    assert evened.min() >= mean.min() - 1e-12
    assert evened.max() <= mean.max() + 1e-12
    # a longer patience never loses more, and does not when evened out
    assert (np.diff(evened) <= 1e-12).all()


def test_many_runs_that_agree_are_hardly_evened_out() -> None:
    few, many = (even_out(np.array([step(20)] * n_runs)) for n_runs in (3, 1000))
    assert few[15] < many[15]
    assert few[25] > many[25]
    apart = np.abs(many - step(20))
    assert apart[:18].max() < 0.01
    assert apart[21:].max() < 0.01


def test_a_patience_of_0_beside_1_changes_nothing_for_the_others() -> None:
    lost = np.array([step(3), step(30)])
    more = np.concatenate([lost[:, :1], lost], axis=1)
    with_0 = even_out(more, np.arange(101))
    assert with_0[1:].tolist() == pytest.approx(even_out(lost).tolist())


@pytest.mark.parametrize("patience", [[0], [1], [0, 1], [5], [1, 1000], [3, 3]])
def test_any_values_can_be_asked_for(patience: list[int]) -> None:
    evened = even_out(np.full((2, len(patience)), 0.1), np.array(patience))
    assert evened.tolist() == pytest.approx([0.1] * len(patience))


def test_a_loss_without_end_stays_where_it_is() -> None:
    lost = np.array([np.where(EVERY < 2, 1e6, 0.0)] * 30)
    evened = even_out(lost)
    assert evened[0] > 1e5
    assert evened[9:].max() < 1e-3


def test_a_plan_of_many_epochs_is_quick() -> None:
    every = np.arange(1, 50_001)
    lost = np.array([np.where(every < 700, 0.5, 0.0)] * 30)
    evening = Evening.of(every, lost)
    assert len(evening.places) < 250
    told = np.full(len(every), 30)
    evened = evening.even_out(lost.mean(axis=0), told, FLOOR, 1.0)
    assert np.isfinite(evened).all()
