"""The losses of the linear models, and how they change: against small differences."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.advice.other_makers import Loss, find_slope, measure_loss


@pytest.mark.parametrize(
    ("loss", "n_columns"),
    [("softmax", 3), ("hinge", 3), ("squared", 1), ("huber", 1), ("absolute", 1)],
)
def test_a_slope_is_how_the_loss_changes(loss: Loss, n_columns: int) -> None:
    rng = np.random.default_rng(3)
    found = rng.normal(0, 1, (6, n_columns))
    wanted = rng.normal(0, 1, (6, n_columns))
    if n_columns > 1:
        wanted = np.eye(n_columns)[rng.integers(0, n_columns, 6)]
    small, change = 1e-6, np.empty_like(found)
    for place in np.ndindex(found.shape):
        up, down = found.copy(), found.copy()
        up[place] += small
        down[place] -= small
        apart = measure_loss(loss, up, wanted) - measure_loss(loss, down, wanted)
        change[place] = apart / (2 * small)
    # the loss is a mean of six examples, and the slope is that of each
    assert np.abs(6 * change - find_slope(loss, found, wanted)).max() < 1e-4
