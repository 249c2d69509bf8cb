"""The plain arithmetic of the benchmark decides as cbreplay does."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.advice.make_prior import price_patience
from benchmarks.advice.other_stops import RULES, Series
from benchmarks.advice.stopping import stop_by_patience, stop_when, watch_series
from cbreplay import Run
from cbreplay.recommend import sweep_patience

PLAN = 40


def draw_curves(seed: int) -> np.ndarray:
    """Falling curves that wander, with ties."""
    rng = np.random.default_rng(seed)
    fall = np.exp(-np.arange(PLAN) / rng.uniform(2, 30, (12, 1)))
    return np.round(0.3 + fall + rng.normal(0, 0.05, (12, PLAN)), 2)


@pytest.mark.parametrize("seed", range(5))
def test_patience_costs_what_cbreplay_says(seed: int) -> None:
    values = draw_curves(seed)
    runs = [
        Run.from_logs(
            ({"val_loss": loss} for loss in losses),
            name=f"run{number}",
            planned_epochs=PLAN,
        )
        for number, losses in enumerate(values.tolist())
    ]
    sweep, _ = sweep_patience(runs, semantics="keras-3.15")
    patience = [config[0].patience for config in sweep.configs]
    costs = price_patience(values)
    # to Keras a patience of 0 is one of 1
    columns = np.maximum(patience, 1) - 1
    scale = np.abs(values.min(axis=1))[:, None]
    assert costs.lost[:, columns] == pytest.approx(sweep.regret / scale)
    assert costs.trained[:, columns] * PLAN == pytest.approx(sweep.trained_epochs)


def test_a_nan_is_no_improvement() -> None:
    watch = watch_series(np.array([[np.nan, 0.5, np.nan, 0.6, 0.4]]))
    assert watch.wait.tolist() == [[0, 0, 1, 2, 0]]
    assert watch.best_epoch.tolist() == [[0, 1, 1, 1, 4]]


def test_an_improvement_has_to_be_better_by_a_share_where_one_is_asked() -> None:
    # 0.995 is better than 1 by half a percent, 0.98 by two
    watch = watch_series(np.array([[1.0, 0.995, 0.98]]), relative=0.01)
    assert watch.best_epoch.tolist() == [[0, 0, 2]]


def test_a_setting_that_never_asks_trains_to_the_end() -> None:
    never = np.zeros((1, 4), bool)
    stops = stop_when([never], np.array([[0, 1, 1, 3]]))
    assert (stops.last.item(), stops.kept.item()) == (3, 3)


def test_any_of_two_stops_no_later_and_every_one_no_sooner_than_patience() -> None:
    losses = draw_curves(1)
    series = Series(losses, draw_curves(2))
    plain = stop_by_patience(watch_series(losses), (10,)).last
    for name in ("val_loss, val_accuracy", "val_loss, its ema"):
        some, every = (
            RULES[f"{which}({name})"](series) for which in ("AnyOf", "AllOf")
        )
        assert some is not None
        assert every is not None
        # the sixth part of six settings each is that with patience 10
        columns = slice(6 * 6, 7 * 6)
        assert (some.last[:, columns] <= plain).all()
        assert (every.last[:, columns] >= plain).all()
