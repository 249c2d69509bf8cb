"""Sufficient patience and order statistics, by hand."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cbreplay import load_runs, recommend_config
from cbreplay.generalization.promise import (
    count_needed,
    find_sufficient,
    leave_out_sufficient,
    needed_rank,
    sufficient_for_most,
    unlucky_share,
)
from cbreplay.recommend import sweep_patience

NAN, INF = math.nan, math.inf

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("exact", "regret", "tolerance", "expected"),
    [
        # from the first on
        ([1, 1, 1], [0.0, 0.0, 0.0], 0.0, 1),
        # the last one above the tolerance is patience 2
        ([1, 1, 1], [0.0, 0.3, 0.1], 0.1, 3),
        # patience 1 is within it, but 2 is not: a later failure counts
        ([1, 1, 1], [0.0, 0.3, 0.0], 0.2, 3),
        # the largest exact one fails: nothing in the log is enough
        ([1, 1, 0], [0.0, 0.3, 0.0], 0.2, INF),
        # what is not exact neither helps nor harms
        ([1, 1, 0], [0.3, 0.0, 9.0], 0.2, 2),
        ([0, 0, 0], [0.0, 0.0, 0.0], 0.2, INF),
        # an unknown regret is not within any tolerance
        ([1, 1, 1], [0.0, NAN, 0.0], 9.0, 3),
        ([1, 1, 1], [0.0, 0.0, NAN], 9.0, INF),
        # a gap in what is exact, as after a divergence
        ([1, 0, 1], [0.3, 0.0, 0.0], 0.2, 3),
    ],
)
def test_sufficient_patience_is_the_smallest_from_which_all_exact_ones_keep(
    exact: list[int], regret: list[float], tolerance: float, expected: float
) -> None:
    found = find_sufficient(
        np.array([1, 2, 3]),
        np.array([exact], dtype=bool),
        np.array([regret]),
        np.array([tolerance]),
    )
    assert found.tolist() == [expected]


@pytest.mark.parametrize(
    ("silent", "expected"), [([0, 0, 0], 1), ([0, 1, 0], 3), ([0, 0, 1], INF)]
)
def test_below_a_patience_that_the_log_is_silent_about_nothing_is_enough(
    silent: list[int], expected: float
) -> None:
    found = find_sufficient(
        np.array([1, 2, 3]),
        np.array([[True, False, not silent[2]]]),
        np.array([[0.0, NAN, 0.0]]),
        np.array([0.1]),
        silent=np.array([silent], dtype=bool),
    )
    assert found.tolist() == [expected]


@pytest.mark.parametrize(("lost", "promises"), [((), True), ((6, 7), False)])
def test_a_hole_promises_nothing(
    tmp_path: Path, lost: tuple[int, ...], *, promises: bool
) -> None:
    # patience 1 stops at epoch 2 and keeps the best on record; what the lost rows
    # held, a longer one would have seen
    losses = [0.5, 0.4, 0.45, 0.46, 0.47, 0.48, 0.49, 0.5, 0.51, 0.52, 0.53, 0.54]
    for run in range(9):
        rows = [
            f"{epoch},{loss + run / 100}"
            for epoch, loss in enumerate(losses)
            if epoch not in lost
        ]
        text = "\n".join(["epoch,val_loss", *rows, ""])
        (tmp_path / f"{run}.csv").write_text(text)
    runs = load_runs(tmp_path, planned_epochs=12)
    sweep, _ = sweep_patience(runs)
    assert (recommend_config(sweep).promise is not None) == promises


@pytest.mark.parametrize(
    ("n_groups", "confidence", "rank"),
    [
        (9, 0.9, 9),  # 10 x 0.9
        (8, 0.9, 9),  # 9 x 0.9 = 8.1
        (19, 0.9, 18),  # 20 x 0.9
        (20, 0.9, 19),  # 21 x 0.9 = 18.9
        (4, 0.8, 4),  # 5 x 0.8
        (3, 0.8, 4),  # 4 x 0.8 = 3.2
        (99, 0.95, 95),
        (9, 0.7, 7),  # 10 x 0.7 is a hair above 7 in floating point
    ],
)
def test_the_rank_is_the_ceiling_of_n_plus_one_times_the_confidence(
    n_groups: int, confidence: float, rank: int
) -> None:
    assert needed_rank(n_groups, confidence) == rank


@pytest.mark.parametrize("confidence", [0.5, 0.7, 0.8, 0.9, 0.95, 0.99])
def test_the_least_count_is_where_the_rank_first_exists(confidence: float) -> None:
    least = count_needed(confidence)
    assert needed_rank(least, confidence) <= least
    assert least == 1 or needed_rank(least - 1, confidence) > least - 1


def test_a_promise_of_nine_tenths_takes_nine_and_of_four_fifths_four() -> None:
    sufficient = np.arange(1.0, 10.0)
    assert sufficient_for_most(sufficient, 0.9) == 9
    assert sufficient_for_most(sufficient[:8], 0.9) is None
    assert sufficient_for_most(sufficient[:4], 0.8) == 4
    assert sufficient_for_most(sufficient[:3], 0.8) is None
    assert sufficient_for_most(np.array([1.0] * 8 + [INF]), 0.9) == INF


def test_the_unlucky_share_is_a_beta_quantile() -> None:
    # the largest of n: P(U <= x) = x^n, so x = 0.1^(1/n)
    assert unlucky_share(9, 9) == pytest.approx(0.1 ** (1 / 9))
    assert unlucky_share(4, 4) == pytest.approx(0.1**0.25)
    # the smaller of two: P(U <= x) = 1 - (1 - x)^2
    assert unlucky_share(2, 1) == pytest.approx(1 - 0.9**0.5)


def test_leaving_a_group_out_takes_the_rank_among_the_others() -> None:
    # of 9 others nine tenths take the 9th: the largest of the others
    sufficient = np.array([3.0, 1, 2, 9, 4, 5, 6, 7, 8, 20])
    left_out = leave_out_sufficient(sufficient, 0.9)
    by_hand = [np.sort(np.delete(sufficient, i))[8] for i in range(10)]
    assert left_out.tolist() == by_hand
    # 4 others at 0.7: 5 x 0.7 = 3.5, the 4th
    few = np.array([5.0, 2, 5, 1, INF])
    by_hand = [np.sort(np.delete(few, i))[3] for i in range(5)]
    assert leave_out_sufficient(few, 0.7).tolist() == by_hand


@pytest.mark.parametrize("n_groups", [4, 9, 20, 100, 1000])
def test_the_unlucky_share_is_the_tenth_percentile_of_a_beta(n_groups: int) -> None:
    # rational arithmetic: at the share itself a tenth of the sets is below it
    rank = needed_rank(n_groups, 0.9 if n_groups > 8 else 0.8)
    share = Fraction(unlucky_share(n_groups, rank))
    below = sum(
        math.comb(n_groups, i) * share**i * (1 - share) ** (n_groups - i)
        for i in range(rank, n_groups + 1)
    )
    assert float(below) == pytest.approx(0.1, rel=1e-9)


def test_thousands_of_groups_have_an_unlucky_share() -> None:
    # near a normal distribution: 0.9 less 1.2816 standard errors of a tenth
    expected = 0.9 - 1.2816 * math.sqrt(0.09 / 30_000)
    share = unlucky_share(30_000, needed_rank(30_000, 0.9))
    assert share == pytest.approx(expected, abs=1e-4)
