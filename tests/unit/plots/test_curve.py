from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from cbreplay.plots.curve import POINTS_ACROSS, drawn_places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbreplay.run import FloatArray

LONG = 4 * POINTS_ACROSS
HALF_GREY = 128


def noise(n_values: int, seed: int, gaps: float = 0.0) -> FloatArray:
    rng = np.random.default_rng(seed)
    values: FloatArray = rng.standard_normal(n_values).cumsum() / 50 + rng.random()
    values[rng.random(n_values) < gaps] = np.nan
    return values


def pixels(
    epochs: FloatArray, values: FloatArray, limits: tuple[float, float]
) -> NDArray[np.uint8]:
    """Draw a line on an axis that fills the picture, and return what is grey in it."""
    figure = Figure(figsize=(8, 4), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, limits[0])
    axes.set_ylim(0, limits[1])
    axes.plot(epochs, values, color="black", linewidth=1.8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="rgba")
    return np.frombuffer(buffer.getvalue(), np.uint8)[::4]


@given(
    st.integers(LONG + 1, 20_000), st.integers(0, 99), st.sampled_from([0, 0.1, 0.9])
)
def test_of_each_point_of_the_page_the_ends_and_the_extremes_are_drawn(
    n_values: int, seed: int, gaps: float
) -> None:
    values = noise(n_values, seed, gaps)
    places = drawn_places(values)
    assert len(places) < 12 * POINTS_ACROSS
    column = np.arange(n_values) * POINTS_ACROSS // n_values
    for number in np.unique(column)[:: POINTS_ACROSS // 20]:
        own = values[column == number]
        if np.isnan(own).all():
            continue
        known = own[~np.isnan(own)]
        drawn = values[places[column[places] == number]]
        drawn = drawn[~np.isnan(drawn)]
        told = (known[0], known[-1], known.min(), known.max())
        assert (drawn[0], drawn[-1], drawn.min(), drawn.max()) == told


def test_a_value_between_gaps_stays_between_gaps() -> None:
    values = np.full(3 * LONG, np.nan)
    values[1::3] = 0.5
    drawn = values[drawn_places(values)]
    known = np.flatnonzero(np.isfinite(drawn))
    assert len(known) > POINTS_ACROSS
    assert np.isnan(drawn[known - 1]).all()
    assert np.isnan(drawn[known[:-1] + 1]).all()


def test_a_short_curve_is_drawn_whole() -> None:
    values = noise(LONG, 0)
    assert drawn_places(values).tolist() == list(range(LONG))


@pytest.mark.parametrize("seed", [0, 1])
def test_a_long_line_looks_as_if_all_of_it_were_drawn(seed: int) -> None:
    values = noise(60_000, seed)
    values = (values - values.min()) / np.ptp(values)
    epochs = np.arange(60_000.0)
    places = drawn_places(values)
    whole, thinned = (
        pixels(epochs[shown], values[shown], (60_000, 1))
        for shown in (slice(None), places)
    )
    line, other = whole < HALF_GREY, thinned < HALF_GREY
    # how grey its rim is hangs on how often the line is drawn over
    assert (line != other).sum() < 0.05 * line.sum()
