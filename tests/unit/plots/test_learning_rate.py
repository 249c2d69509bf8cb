from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from cbreplay import (
    ConfigError,
    EarlyStopping,
    EvidenceError,
    ReduceLROnPlateau,
    Run,
    replay_run,
)
from cbreplay.plots import (
    LearningRatePoints,
    learning_rate_points,
    plot_learning_rate,
    plot_replay,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.rules.base import Callback

FLAT = [0.5] * 8


def run_with(rates: Sequence[float | None]) -> Run:
    logs = [
        {"val_loss": loss, "learning_rate": rate}
        for loss, rate in zip(FLAT, rates, strict=True)
    ]
    return Run.from_logs(logs, name="flat")


def points_of(run: Run, callbacks: Callback, **question: Any) -> LearningRatePoints:
    replay = replay_run(run, callbacks, semantics="keras-3.15", **question)
    return learning_rate_points(replay)


def test_a_simulated_reduction_is_drawn_one_epoch_past_the_divergence() -> None:
    # waits at epochs 1 and 2, reduces at the end of 2; D = 3, epoch 4 for people
    points = points_of(run_with([0.5] * 8), ReduceLROnPlateau(factor=0.5, patience=2))
    assert points.reductions == ((3, 0.5, 0.25),)
    assert points.simulated[:4].tolist() == [0.5, 0.5, 0.5, 0.25]
    assert np.isnan(points.simulated[4:]).all()
    assert not points.same
    assert points.shade is not None
    assert points.shade.start == 3.5
    assert points.labels[0].text == "0.5 → 0.25 after epoch 3"


def test_a_recorded_change_is_not_drawn_as_simulated() -> None:
    # the record falls after its fourth epoch; patience 9 never reduces
    rates = [0.5] * 4 + [0.25] * 4
    points = points_of(run_with(rates), ReduceLROnPlateau(factor=0.5, patience=9))
    assert points.reductions == ()
    assert points.simulated[:5].tolist() == [0.5] * 5
    assert np.isnan(points.simulated[5:]).all()
    assert not points.same
    said = "after the recorded learning-rate change at epoch 4, which this setting"
    assert said in points.labels[-1].text


def test_without_a_callback_for_it_the_recorded_falls_are_marked() -> None:
    rates = [0.5, 0.5, 0.5, None, 0.25, 0.25, 0.125, 0.125]
    points = points_of(run_with(rates), EarlyStopping(patience=20))
    assert not points.decided
    assert points.reductions == ((3, 0.5, 0.25), (6, 0.25, 0.125))


@pytest.mark.parametrize("n_epochs", [1000, 9000])
def test_marks_of_a_schedule_are_drawn_as_far_as_they_can_be_told_apart(
    n_epochs: int,
) -> None:
    logs = ({"val_loss": 1.0, "learning_rate": 1 / (e + 1)} for e in range(n_epochs))
    points = points_of(Run.from_logs(logs), EarlyStopping(patience=n_epochs))
    # a rate that falls after every epoch but the last
    assert len(points.reductions) == n_epochs - 1
    (marks,) = (
        line for line in plot_learning_rate(points).lines if line.get_marker() == "v"
    )
    drawn = np.asarray(marks.get_xdata(), dtype=np.float64)
    # the page is 2,000 points across at most: a mark lies within one of each reduction
    distances = [n_epochs - 1.5 - drawn[-1], drawn[0] - 1.5, *np.diff(drawn)]
    assert max(distances) <= max(1, 2 * n_epochs / 2000)
    assert len(drawn) <= 2000
    if n_epochs <= 1000:
        assert len(drawn) == n_epochs - 1


@pytest.mark.parametrize(
    "rates",
    [
        [0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.08, 0.06],
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.4, 0.3, 0.2],
        [0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125],
    ],
    ids=["decay", "warm-up", "reductions"],
)
def test_the_name_of_a_rate_stands_above_its_highest_step(rates: list[float]) -> None:
    axes = plot_learning_rate(points_of(run_with(rates), EarlyStopping(patience=20)))
    (name,) = (text for text in axes.texts if text.get_text() == "recorded")
    lowest = axes.transData.inverted().transform(name.get_window_extent())[0][1]
    assert lowest > max(rates)


@pytest.mark.parametrize("width", [3.8, 7.6])
@pytest.mark.parametrize("patience", [2, 3, 9])
def test_the_name_of_a_simulated_rate_crosses_no_rate(
    width: float, patience: int
) -> None:
    # the recorded rate falls where the simulated one ends
    run = run_with([0.5] * 4 + [0.25, 0.125, 0.0625, 0.03125])
    rule = ReduceLROnPlateau(factor=0.5, patience=patience)
    axes = plot_replay(replay_run(run, rule), width=width).axes[-1]
    points = points_of(run, rule)
    (name,) = (text for text in axes.texts if text.get_text() == "simulated")
    (left, bottom), (right, top) = axes.transData.inverted().transform(
        name.get_window_extent()
    )
    beside = (points.epochs + 0.5 > left) & (points.epochs - 0.5 < right)
    for rates in (points.recorded[beside], points.simulated[beside]):
        known = rates[np.isfinite(rates)]
        assert ((known >= top) | (known <= bottom)).all()
    assert axes.get_ylabel() == "learning rate (log)"


@pytest.mark.parametrize(
    ("last", "scale"), [(0.05, "linear"), (0.03125, "log"), (0.0, "linear")]
)
def test_more_than_a_factor_of_ten_makes_the_axis_logarithmic(
    last: float, scale: str
) -> None:
    rates = [0.5] * 7 + [last]
    points = points_of(run_with(rates), EarlyStopping(patience=20))
    ax = plot_learning_rate(points)
    assert ax.get_yscale() == scale
    figure = ax.get_figure()
    assert isinstance(figure, Figure)
    figure.canvas.draw()


def test_a_run_without_a_rate_has_none_to_draw() -> None:
    run = Run.from_logs({"val_loss": loss} for loss in FLAT)
    replay = replay_run(run, EarlyStopping(patience=2), semantics="keras-3.15")
    with pytest.raises(EvidenceError, match="records no learning rate"):
        plot_replay(replay, kind="learning-rate")
    assert len(plot_replay(replay).axes) == 1


def test_a_known_rate_stands_below_the_curve() -> None:
    rates = [0.5] * 4 + [0.25] * 4
    replay = replay_run(run_with(rates), EarlyStopping(patience=2))
    assert len(plot_replay(replay).axes) == 2


def test_a_rate_that_never_changes_is_a_line_of_text() -> None:
    replay = replay_run(run_with([0.5] * 8), EarlyStopping(patience=3))
    (axes,) = plot_replay(replay).axes
    assert axes.get_xlabel() == "epoch\nlearning rate 0.5 throughout"
    # asked for alone, it is drawn
    (axes,) = plot_replay(replay, kind="learning-rate").axes
    assert axes.get_ylabel() == "learning rate"


def test_an_unknown_kind_is_refused() -> None:
    replay = replay_run(run_with([0.5] * 8), EarlyStopping(patience=2))
    with pytest.raises(ConfigError, match="kind is 'bars', where 'curve' or"):
        plot_replay(replay, kind="bars")  # type: ignore[arg-type] # the mistake itself
