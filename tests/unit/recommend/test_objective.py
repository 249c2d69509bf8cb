"""Tolerances and scales."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cbreplay.errors import ConfigError
from cbreplay.recommend.study import (
    measure_scale,
    read_tolerance,
    resolve_tolerance,
)
from cbreplay.sweep import Judged


def judged(values: list[float], mode: str = "min") -> Judged:
    return Judged("val_loss", mode, np.array(values), np.zeros(len(values)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "mode", "expected"),
    [
        ([0.9, 0.4, 0.5], "min", (0.4, 0.4)),
        ([0.5, 0.8, 0.7], "max", (0.8, 0.8)),
        ([-3.0, -5.0], "min", (-5.0, 5.0)),
        # 0.001 is less than a hundredth of the way from 1 to it
        ([1.0, 0.001], "min", (0.001, 0.999)),
        # a course that explodes has no say in the scale
        ([2.0, 1e30, math.inf, math.nan], "min", (2.0, 2.0)),
        ([0.0, 0.0], "min", (0.0, 1.0)),
    ],
)
def test_the_scale_is_the_best_value_or_the_way_to_it(
    values: list[float], mode: str, expected: tuple[float, float]
) -> None:
    assert measure_scale(judged(values, mode)) == pytest.approx(expected)


def test_a_run_without_a_number_has_no_scale() -> None:
    assert all(map(math.isnan, measure_scale(judged([math.nan]))))


@pytest.mark.parametrize("text", ["-1", "x", "nan", "inf", "-1%", "%", ""])
def test_a_tolerance_that_is_none_is_refused_by_its_option(text: str) -> None:
    with pytest.raises(ConfigError, match="tolerance="):
        read_tolerance(text)


def test_the_default_is_one_percent_or_the_spread_of_three_seeds_if_that_is_less() -> (
    None
):
    best = np.array([0.499, 0.5, 0.501, 2.0, 3.0, 7.0])
    found = resolve_tolerance(None, best, best.copy(), [(0, 1, 2), (3, 4)])
    # the standard deviation of 0.499, 0.5, 0.501 is 0.001
    assert found.by_run == pytest.approx([0.001, 0.001, 0.001, 0.02, 0.03, 0.07])
    assert (found.kind, found.seeded) == ("seeds", 1)
    # of 2, 3 and 7 it is more than any percent
    wide = resolve_tolerance(None, best, best.copy(), [(3, 4, 5)])
    assert wide.by_run == pytest.approx(best / 100)
    assert (wide.kind, wide.seeded) == ("share", 0)
    alone = resolve_tolerance(None, best, best.copy(), [])
    assert alone.by_run == pytest.approx(best / 100)
    assert alone.kind == "share"


def test_a_tolerance_that_was_asked_for_is_the_same_for_seeds() -> None:
    best = np.array([0.4, 0.5, 0.6])
    absolute = resolve_tolerance("0.02", best, best, [(0, 1, 2)])
    assert absolute.by_run.tolist() == [0.02] * 3
    share = resolve_tolerance("10%", best, best, [(0, 1, 2)])
    assert share.by_run == pytest.approx([0.04, 0.05, 0.06])
