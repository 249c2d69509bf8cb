"""The unseen maker's models: their slopes, and the same again from the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.advice.unseen_maker import (
    SETS,
    Drawn,
    Model,
    Network,
    find_slope,
    measure_loss,
)

NETWORKS = {
    "dense": Network("", "dense", (4, 3), "adam", 1, 6, 6, 0, "softmax", norm=True),
    "windows": Network("", "windows", (4, 3), "adam", 1, 6, 6, 0, "huber"),
    "recurrent": Network("", "recurrent", (4,), "adam", 1, 6, 6, 0, "sigmoid"),
    "factors": Network("", "factors", (2,), "adam", 1, 6, 6, 0, "squared"),
}


@pytest.mark.parametrize("layers", NETWORKS)
def test_the_slopes_are_how_the_loss_changes(layers: str) -> None:
    rng, recipe = np.random.default_rng(5), NETWORKS[layers]
    shape = (2, 6, 4, 2) if layers in {"windows", "recurrent"} else (2, 6, 5)
    inputs, wanted = rng.normal(size=shape), rng.normal(size=(2, 6, 3))
    if recipe.loss in {"softmax", "sigmoid"}:
        wanted = np.eye(3)[rng.integers(0, 3, (2, 6))]
    if layers == "factors":
        wanted[rng.random(wanted.shape) < 0.4] = np.nan
    model = Model(recipe, Drawn(inputs, wanted, inputs, wanted), np.zeros(2), rng)
    model.weights = [rng.normal(size=weight.shape) for weight in model.weights]

    found, slopes = model.find_slopes(inputs, wanted)
    assert np.array_equal(found, model.forward(inputs, learning=True)[0].value)
    small = 1e-6
    for place, slope in enumerate(slopes):
        for cell in np.ndindex(slope.shape):
            apart = 0.0
            for moved in (small, -small):
                model.weights[place][cell] += moved
                told = model.forward(inputs, learning=True)[0].value
                lost = measure_loss(recipe.loss, told, wanted)[cell[0]]
                apart += np.sign(moved) * lost
                model.weights[place][cell] -= moved
            assert abs(apart / (2 * small) - slope[cell]) < 1e-5, (place, cell)


def test_what_is_not_known_has_no_slope() -> None:
    wanted = np.array([[[1.0, np.nan]]])
    slope = find_slope("squared", np.array([[[3.0, 7.0]]]), wanted)
    assert slope.tolist() == [[[4.0, 0.0]]]


@pytest.mark.parametrize("name", SETS)
def test_the_same_seed_makes_the_same_curves(name: str) -> None:
    first, again = (SETS[name].train(n_epochs=2, n_runs=3) for _ in range(2))
    assert first.shape == (3, 2)
    assert np.isfinite(first).all()
    assert np.array_equal(first, again)
    # a set is of 96 trainings, not of one: each run is another
    assert len(np.unique(first[:, -1])) > 1 or SETS[name].metric == "val_accuracy"
