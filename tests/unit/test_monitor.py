"""What counts as better."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay.errors import EvidenceError
from cbreplay.monitor import Comparison, Precision, round_float32

if TYPE_CHECKING:
    from cbreplay.run import Mode


def comparison(
    mode: Mode = "min", delta: float = 0.0, precision: Precision = "float32"
) -> Comparison:
    return Comparison(mode, delta, "value", precision, flush_subnormals=True)


@given(st.floats(width=64, allow_nan=False, min_value=-3e38, max_value=3e38))
def test_rounding_is_that_of_numpy(value: float) -> None:
    assert round_float32(value) == float(np.float32(value))


def test_float32_cannot_see_a_difference_that_float64_sees() -> None:
    smaller = 0.5 - 1e-9
    assert not comparison().is_improvement(smaller, 0.5)
    assert comparison(precision="float64").is_improvement(smaller, 0.5)


def test_ties_nan_and_the_first_value() -> None:
    one = comparison()
    assert not one.is_improvement(0.5, 0.5)
    assert not one.is_improvement(math.nan, 0.5)
    assert not one.is_improvement(0.5, math.nan)
    assert one.is_improvement(math.nan, None)


def test_subnormals_count_as_zero() -> None:
    assert not comparison(mode="max").is_improvement(1e-40, 0.0)
    assert comparison(mode="max").is_improvement(2.0**-126, 0.0)


def test_min_delta_makes_an_improvement_harder_in_both_modes() -> None:
    assert not comparison("min", -0.1).is_improvement(0.45, 0.5)
    assert comparison("min", -0.1).is_improvement(0.35, 0.5)
    assert not comparison("max", 0.1).is_improvement(0.55, 0.5)
    assert comparison("max", 0.1).is_improvement(0.65, 0.5)


def test_delta_on_the_reference_is_added_there() -> None:
    on_reference = Comparison(
        "min", -0.1, "reference", "float64", flush_subnormals=False
    )
    assert on_reference.sides(0.3, 0.5) == (0.3, 0.4)


@pytest.mark.parametrize("value", [1e39, -1e39, 3.4028235677973366e38])
def test_a_value_beyond_float32_is_refused(value: float) -> None:
    with pytest.raises(EvidenceError, match="does not fit into float32"):
        comparison().is_improvement(value, 0.0)


def test_infinity_itself_is_compared() -> None:
    assert comparison().is_improvement(-math.inf, 0.0)
    assert not comparison().is_improvement(math.inf, math.inf)
