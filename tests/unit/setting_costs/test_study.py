"""Tolerances and scales, and the groups of the runs that count."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from cbreplay.errors import ConfigError
from cbreplay.setting_costs.tolerance import (
    Scale,
    measure_scale,
    read_tolerance,
    resolve_tolerance,
)
from cbreplay.sweep import Judged
from tests.recommended import pausing_runs, recommend


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
    assert measure_scale(judged(values, mode))[:2] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "values", "size", "of"),
    [
        ("val_accuracy", [0.5, 0.98, 0.97], 0.02, "error"),
        ("val_auc_1", [0.5, 0.9], 0.1, "error"),
        # values above 1 show percent
        ("val_accuracy", [50.0, 98.0], 2.0, "error"),
        # nothing is left of it: the way there
        ("val_accuracy", [0.5, 1.0], 0.5, "way to 1"),
        # what nobody knows to end at 1
        ("reward", [0.5, 0.98], 0.98, "best"),
    ],
)
def test_of_a_series_that_ends_at_one_the_error_is_the_scale(
    name: str, values: list[float], size: float, of: str
) -> None:
    found = measure_scale(judged(values, "max")._replace(name=name))
    assert found.size == pytest.approx(size)
    assert found.of == of


def test_a_share_is_never_less_than_the_smallest_change_of_a_series() -> None:
    # of 200 examples one more or less is 0.005; a hundredth of the error is 0.0002
    values = [0.5, 0.96, 0.975, 0.98, 0.975]
    scale = measure_scale(judged(values, "max")._replace(name="val_accuracy"))
    for asked in (None, "1%"):
        found = resolve_tolerance(asked, [scale], [])
        assert found.by_run == pytest.approx([0.005])
    assert resolve_tolerance(0.001, [scale], []).by_run == pytest.approx([0.001])


def test_a_run_without_a_number_has_no_scale() -> None:
    assert all(map(math.isnan, measure_scale(judged([math.nan]))[:2]))


def scales(best: list[float]) -> list[Scale]:
    return [Scale(value, value, "best", 0.0) for value in best]


@pytest.mark.parametrize("text", ["-1", "x", "nan", "inf", "-1%", "%", ""])
def test_a_tolerance_that_is_none_is_refused_by_its_option(text: str) -> None:
    with pytest.raises(ConfigError, match="tolerance="):
        read_tolerance(text)


def test_the_default_is_one_percent_or_the_spread_of_three_seeds_if_that_is_less() -> (
    None
):
    best = scales([0.499, 0.5, 0.501, 2.0, 3.0, 7.0])
    found = resolve_tolerance(None, best, [(0, 1, 2), (3, 4)])
    # the standard deviation of 0.499, 0.5, 0.501 is 0.001
    assert found.by_run == pytest.approx([0.001, 0.001, 0.001, 0.02, 0.03, 0.07])
    assert found.kind == "seeds"
    spread, of_two = found.spreads
    assert spread == pytest.approx(0.001)
    assert of_two is None
    # three branches of one training are no three seeds; three trainings are, of which
    # the first two runs are one: the deviation of 0.4995, 0.501 and 0.5025 is 0.0015
    branches = resolve_tolerance(None, best, [(0, 1, 2)], [0, 0, 0, 3, 4, 5])
    assert branches.spreads == (None,)
    more = scales([0.499, 0.5, 0.501, 0.5025])
    joined = resolve_tolerance(None, more, [(0, 1, 2, 3)], [0, 0, 2, 3])
    assert joined.by_run == pytest.approx([0.0015] * 4)
    # of 2, 3 and 7 it is more than any percent
    wide = resolve_tolerance(None, best, [(3, 4, 5)])
    assert wide.by_run == pytest.approx([0.00499, 0.005, 0.00501, 0.02, 0.03, 0.07])
    assert wide.kind == "share"
    alone = resolve_tolerance(None, best, [])
    assert alone.by_run == pytest.approx(wide.by_run)
    assert alone.kind == "share"


def test_a_tolerance_that_was_asked_for_is_the_same_for_seeds() -> None:
    best = scales([0.4, 0.5, 0.6])
    absolute = resolve_tolerance("0.02", best, [(0, 1, 2)])
    assert absolute.by_run.tolist() == [0.02] * 3
    share = resolve_tolerance("10%", best, [(0, 1, 2)])
    assert share.by_run == pytest.approx([0.04, 0.05, 0.06])


def test_labels_of_all_runs_group_those_that_count() -> None:
    # five and five of one label; a copy of the first does not count
    runs = pausing_runs([1, 2, 3, 4, 5, 1, 2, 3, 4, 5])
    labels = ["a", *["a"] * 5, *["b"] * 5]
    copy = replace(runs[0], name="copy")
    advice = recommend([runs[0], copy, *runs[1:]], group_by=labels)
    assert [excluded.run for excluded in advice.excluded] == ["copy"]
    assert [len(group.runs) for group in advice.groups] == [5, 5]
