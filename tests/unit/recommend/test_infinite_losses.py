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
from cbreplay.answers.advice.surety import how_sure
from cbreplay.document import plain_text, say
from cbreplay.recommend.scores import is_clearly_better
from cbreplay.report import build_report, write_html, write_markdown
from tests.recommended import make_run, pausing, pausing_runs, recommend

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


@pytest.mark.no_cover
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


def test_a_log_that_ended_in_nan_tells_what_a_longer_patience_keeps() -> None:
    # the three stop at epoch 13 under patience 10, so that 14 of 40 epochs are trained;
    # the fourth ended after 4 of its 40, and what it ended with it keeps
    failed = replace(make_run([1.0, 0.5, 0.6, math.nan], "failed"), planned_epochs=40)
    advice = recommend([*pausing_runs([3, 3, 3]), failed])
    usual = advice.setting("10")
    assert usual is not None
    assert (usual.n_groups, usual.mean_regret) == (4, 0.0)
    assert usual.cost == pytest.approx((3 * 14 + 4) / 160)
    # so every patience is compared on the same runs
    assert {scored.n_groups for scored in advice.settings} == {4}
    assert "censored" not in {doubt.code for doubt in advice.doubts}
    # but which patience such a run needs, nobody knows
    assert advice.promise is None


def test_what_one_run_loses_by_every_patience_hides_no_difference_on_others() -> None:
    # with the last weights patience 5 ends with 0.6, and less with 1.1; 10 and more
    # with NaN on one run; and on another every patience with NaN
    runs = pausing_runs([5] * 8)
    late = make_run([*pausing(5)[:15], *[math.nan] * 25], "late")
    lost = make_run([1.0, *[math.nan] * 39], "lost")
    advice = recommend([*runs, late, lost], keep="last")
    assert advice.patience in range(5, 10)
    assert advice.expected is not None
    assert math.isfinite(advice.expected.score)
    assert advice.expected.usual_score == math.inf
    assert advice.expected.unavoidable == math.inf
    # without a run the choice is that of the others
    by_name = {group.name: group.left_out_patience for group in advice.groups}
    alone = recommend([*runs, lost], keep="last")
    assert by_name["late"] == alone.patience
    assert all(by_name[run.name] in range(5, 10) for run in runs)


def test_where_every_patience_loses_everything_somewhere_that_is_said() -> None:
    # the one loses everything by a short patience, the other by a longer one
    late = make_run([*pausing(2)[:6], *[math.nan] * 34], "late")
    early = make_run([1.0, *[math.nan] * 8, *[0.5] * 31], "early")
    runs = [make_run([*pausing(at)], f"run{at}") for at in (3, 4)]
    advice = recommend([*runs, late, early], keep="last")
    assert plain_text(how_sure(advice) or say()) == (
        f"How sure: hardly; with patience {advice.patience} the weights that are kept "
        "on some of these runs lose everything."
    )
