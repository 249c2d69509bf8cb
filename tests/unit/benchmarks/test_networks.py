"""The small networks learn, and the same again from the same seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.advice.curves import RECIPES, train_set
from benchmarks.advice.networks import (
    SERIES,
    Problem,
    Splits,
    Training,
    measure_loss,
    train_networks,
)

N_RUNS = 3


def make_training(**changed: Any) -> Training:
    ones = np.ones(N_RUNS)
    training = Training((5,), "sgd", 8, 0.05 * ones, 0 * ones, 0 * ones, 0 * ones, ones)
    return training._replace(**changed)


def train(problem: Problem, training: Training, n_epochs: int = 5) -> np.ndarray:
    rows = np.tile(np.arange(30), (N_RUNS, 1))
    splits = Splits(rows[:, :16], rows[:, 16:24], rows[:, 24:])
    return train_networks(
        problem,
        np.tile(problem.targets, (N_RUNS, 1, 1)),
        splits,
        training,
        n_epochs=n_epochs,
        rng=np.random.default_rng(0),
    )


def make_problem(*, classes: bool) -> Problem:
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(30, 4)).astype(np.float32)
    if classes:
        labels = (inputs[:, 0] > 0).astype(int)
        return Problem(inputs, np.eye(2, dtype=np.float32)[labels], classes=True)
    return Problem(inputs, inputs[:, :1] - inputs[:, 1:2], classes=False)


@pytest.mark.parametrize("classes", [True, False])
def test_the_slope_is_that_of_the_loss(*, classes: bool) -> None:
    rng = np.random.default_rng(2)
    outputs = rng.normal(size=(1, 3, 2))
    targets = np.eye(2)[[0, 1, 1]][None] if classes else rng.normal(size=(1, 3, 2))
    slope, *_ = measure_loss(outputs, targets, classes=classes)
    step = 1e-6
    for place in np.ndindex(outputs.shape):
        moved = outputs.copy()
        moved[place] += step
        _, after, _ = measure_loss(moved, targets, classes=classes)
        _, before, _ = measure_loss(outputs, targets, classes=classes)
        assert slope[place] == pytest.approx((after - before).item() / step, abs=1e-5)


@pytest.mark.parametrize("optimiser", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize("classes", [True, False])
def test_training_lowers_the_loss(optimiser: str, *, classes: bool) -> None:
    training = make_training(optimiser=optimiser)
    logged = train(make_problem(classes=classes), training, n_epochs=30)
    losses = logged[SERIES.index("loss")]
    assert (losses[:, -1] < 0.7 * losses[:, 0]).all()


def test_a_convolution_is_a_layer_that_the_patches_share() -> None:
    problem = make_problem(classes=True)
    patches = Problem(
        np.stack([problem.inputs, problem.inputs], axis=1), problem.targets, True
    )
    losses = train(patches, make_training(optimiser="adam"), n_epochs=30)[0]
    assert (losses[:, -1] < 0.7 * losses[:, 0]).all()


def test_a_run_whose_units_are_all_switched_off_learns_but_a_constant() -> None:
    problem = make_problem(classes=False)
    logged = train(problem, make_training(width=np.array([1.0, 1e-9, 1.0])), 30)
    losses = logged[SERIES.index("loss")]
    # one unit of five is left, for a share of any size is rounded up
    assert losses[1, -1] > losses[[0, 2], -1].max()


def test_the_rate_is_halved_on_a_plateau() -> None:
    problem = make_problem(classes=True)
    still = make_training(learning_rate=np.full(N_RUNS, 1e-12))
    moved = train(problem, still._replace(plateau=2), n_epochs=6)
    assert np.allclose(moved, train(problem, still, n_epochs=6))


def test_the_same_seed_gives_the_same_curves() -> None:
    iris = next(recipe for recipe in RECIPES if recipe.task == "iris")
    first, again = (train_set(iris, n_epochs=3) for _ in range(2))
    assert np.array_equal(first, again)
    longer = train_set(iris, n_epochs=5)
    assert first.shape == (len(SERIES), 96, 3)
    # the beginning of a longer plan, run by run
    assert np.array_equal(longer[:, :, :3], first)


def test_no_two_sets_have_one_name() -> None:
    names = [recipe.name for recipe in RECIPES]
    assert len(set(names)) == len(names)
