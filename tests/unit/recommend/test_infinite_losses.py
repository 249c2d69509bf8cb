"""A run of which some patience keeps an infinite loss, among others."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest

from cbreplay import (
    EarlyStopping,
    Run,
    choices,
    make_grid,
    recommend_config,
    sweep_runs,
)
from cbreplay.recommend.scores import is_clearly_better
from cbreplay.report import build_report, write_html, write_markdown

if TYPE_CHECKING:
    from collections.abc import Callable


def test_an_infinite_loss_is_not_recommended_nor_makes_others_unknown() -> None:
    rng = np.random.default_rng(0)
    curves = [[1 / (1 + at) + rng.random() * 0.1 for at in range(40)] for _ in range(3)]
    # patience 0 and 1 keep the first epoch of this one: its loss is infinite
    curves.append([math.inf, math.inf, math.nan, *curves[0][3:]])
    runs = [
        replace(
            Run.from_logs({"val_loss": loss} for loss in curve),
            name=f"run{at}",
            planned_epochs=40,
        )
        for at, curve in enumerate(curves)
    ]
    grid = make_grid(
        [choices(EarlyStopping, patience=range(40), restore_best_weights=True)]
    )
    advice = recommend_config(sweep_runs(runs, grid, semantics="keras-3.15"))
    assert advice.patience is not None
    assert advice.patience > 2
    assert advice.expected is not None
    assert math.isfinite(advice.expected.score)
    (default,) = (scored for scored in advice.settings if scored.label == "default")
    assert default.mean_regret == math.inf


def test_two_groups_that_lose_everything_tell_nothing_apart() -> None:
    lost = np.array([math.inf, math.inf])
    assert not is_clearly_better(lost, lost)
    assert is_clearly_better(np.array([0.1, 0.2]), lost)


@pytest.mark.parametrize("keep", ["best", "last"])
@pytest.mark.parametrize("form", [write_html, write_markdown])
def test_a_report_on_a_failed_run_beside_others_is_written(
    form: Callable[[Any], str], keep: Literal["best", "last"]
) -> None:
    """Its last weights lose everything: no picture has a place for that."""
    curves = [[1.0, 0.5, 0.4 + at / 100, *[0.6] * 17] for at in range(3)]
    curves.append([1.0, 0.5, 0.4, *[0.6] * 12, math.nan])
    runs = [
        Run.from_logs([{"val_loss": loss} for loss in curve], name=f"run{at}")
        for at, curve in enumerate(curves)
    ]
    page = form(build_report(runs, keep=keep, semantics="keras-3.15"))
    assert "lose everything" in page
    drawn = "Not drawn, as they lose everything: "
    assert (drawn in page) == (form is write_html)
