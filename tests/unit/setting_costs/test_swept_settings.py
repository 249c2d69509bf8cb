"""The data behind the map and the trade-off, calculated by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cbreplay import Run
from cbreplay.recommend import Costs, measure_costs, recommend_config
from tests.recommended import make_run, pausing, pausing_runs, swept


def costs_of(runs: list[Run], **options: Any) -> Costs:
    sweep = swept(runs, **options)
    return measure_costs(sweep, recommend_config(sweep))


def test_means_are_those_of_the_runs() -> None:
    costs = costs_of(pausing_runs([1, 2, 3, 4]))
    assert [costs.n_compared, costs.n_groups] == [4, 4]
    # a run that pauses for p keeps 1.0 below patience p, and its best, 0.5, from p on
    assert costs.regret[0, :4].tolist() == [0.375, 0.25, 0.125, 0.0]
    # patience 2 stops p = 1 and 2 after 1 + 2 + 1 and 2 + 2 + 1 epochs of 40, and in
    # the pause of the others after 3
    assert costs.cost[0, 1] == pytest.approx((4 + 5 + 3 + 3) / 4 / 40)
    assert costs.told.min() == 4


def test_min_delta_is_zero_and_three_decades_below_the_best_values() -> None:
    # the best are 0.5: of the decade that ends at 1
    assert costs_of(pausing_runs([1, 2])).min_delta == (0, 1e-4, 1e-3, 1e-2)


def test_a_min_delta_that_was_asked_about_is_on_the_axis() -> None:
    alone = costs_of(pausing_runs([1, 2]), min_delta=0.6)
    assert list(alone.min_delta) == [0, 1e-4, 1e-3, 1e-2, 0.6]
    costs = costs_of(pausing_runs([1, 2]), min_delta=[0.6, 0])
    assert list(costs.min_delta) == [0, 0.6]
    # from 1.0 to 0.5 is less than 0.6 better: nothing ever improves
    assert costs.regret[1, :2].tolist() == [0.5, 0.5]
    assert costs.regret[0, :2].tolist() == [0.25, 0]


def unplanned_runs(patience: list[int]) -> list[Run]:
    """Return runs that end at different epochs, so that no plan explains them."""
    return [
        make_run(pausing(one, 39 + 2 * one), f"run{one}", planned=False)
        for one in patience
    ]


def test_cells_that_too_few_runs_tell_have_no_number() -> None:
    # 39 + 2 p epochs without a plan: patience q is told where p + q is less than that
    costs = costs_of(unplanned_runs([1, 2, 3, 4, 5]))
    told = dict(zip(costs.patience.tolist(), costs.told[0].tolist(), strict=True))
    assert [told[one] for one in (39, 40, 41, 43, 44)] == [5, 4, 3, 1, 0]
    known = costs.patience[np.isfinite(costs.regret[0])]
    # all five tell patience 10, the recommended; so a number is one of all five
    assert costs.n_compared == 5
    assert known.tolist() == list(range(1, 40))
    # p = 4 and 5 lose 0.5 at patience 3, and p = 5 at 4
    assert costs.regret[0, 2:4].tolist() == pytest.approx([0.2, 0.1])


def test_named_settings_are_over_the_compared_runs_alone() -> None:
    costs = costs_of(pausing_runs([1, 2, 3, 4, 5]))
    named = {one.label: one for one in costs.named}
    assert {one.n_groups for one in costs.named} == {5}
    # 1.0 kept by p = 2, 3, 4, 5 (Keras's 0 is its 1), and their own best by p = 1
    assert named["default"].mean_regret == 0.4
    assert named["default"].cost == pytest.approx((3 + 2 + 2 + 2 + 2) / 5 / 40)
    assert named["hindsight"].mean_regret == 0
    assert named["hindsight"].cost == pytest.approx((2 + 3 + 4 + 5 + 6) / 5 / 40)


def test_runs_that_tell_nothing_are_counted_and_not_compared() -> None:
    failed = Run.from_logs(
        ({"loss": 1.0, "val_loss": float("nan")} for _ in range(40)),
        name="failed",
        planned_epochs=40,
    )
    costs = costs_of([*pausing_runs([1, 2, 3]), failed])
    assert (costs.n_compared, costs.n_groups) == (3, 4)
    assert costs.told.max() == 3


def test_where_nothing_is_told_nothing_is_priced() -> None:
    losses = [{"val_loss": 1.0 - epoch / 10} for epoch in range(8)]
    runs = [Run.from_logs(losses[: 8 - cut], name=f"run{cut}") for cut in range(3)]
    costs = costs_of(runs)
    assert not costs.n_compared
    assert np.isnan(costs.regret).all()
    assert costs.named == ()
