from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from cbreplay import EarlyStopping, ReduceLROnPlateau, Run, replay_run
from cbreplay.plots import (
    LearningCurvePoints,
    learning_curve_points,
    plot_learning_curve,
    plot_replay,
)
from cbreplay.plots.style import DARK

if TYPE_CHECKING:
    from cbreplay.rules.base import Callback

# the worked example of the definitions: E(3) stops at 5 and keeps 2, the best is 5
LOSSES = [0.8, 0.6, 0.5, 0.5, 0.52, 0.49, 0.5, 0.51]
STOPPING = EarlyStopping(patience=3, min_delta=0.02, restore_best_weights=True)
nan, inf = float("nan"), float("inf")


def example(**changes: Any) -> Run:
    logs = [{"val_loss": loss, "learning_rate": 0.01} for loss in LOSSES]
    return Run.from_logs(logs, name="example", **changes)


def points_of(run: Run, *callbacks: Callback, **question: Any) -> LearningCurvePoints:
    listed = callbacks or (STOPPING,)
    replay = replay_run(run, listed, semantics="keras-3.15", **question)
    return learning_curve_points(replay)


def words(points: LearningCurvePoints) -> list[str]:
    return [label.text for label in points.labels]


def test_marks_are_one_based_and_on_the_curve() -> None:
    points = points_of(example())
    assert points.stop == (6, 0.49)
    assert points.kept == (3, 0.5)
    assert points.best == (6, 0.49)
    assert points.epochs.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert points.last_decided == 6


def test_the_decisions_are_written_out_with_the_epochs_that_people_count() -> None:
    assert words(points_of(example())) == [
        "stops at epoch 6 of 8, saves 2 epochs",
        "keeps epoch 3: 0.5000",
        "best recorded: epoch 6, 0.4900",
    ]


def test_the_best_is_not_marked_again_where_it_is_kept() -> None:
    stopping = EarlyStopping(patience=2, restore_best_weights=True)
    points = points_of(example(), stopping)
    # waits at 3 and 4, stops there, keeps 2; the best, 5, comes later
    assert points.best == (6, 0.49)
    longer = EarlyStopping(patience=3, restore_best_weights=True)
    assert points_of(example(), longer).best is None


@pytest.mark.parametrize(
    ("planned", "end"),
    [
        (None, 10.5),  # two epochs of margin: 0.12 x 8 is less
        (20, 20.5),
    ],
)
def test_what_is_not_in_the_log_is_shaded_up_to_the_plan(
    planned: int | None, end: float
) -> None:
    endless = EarlyStopping(patience=6, min_delta=0.02, restore_best_weights=True)
    points = points_of(example(planned_epochs=planned), endless)
    assert points.shade == (8.5, end, "not in the log (it ends at epoch 8)")
    assert words(points)[0] == "so far keeps epoch 3: 0.5000"
    assert points.stop is None


def test_after_a_divergence_nothing_is_marked_and_the_rest_is_shaded() -> None:
    # R(2) reduces at the end of epoch 4, so D = 5: epoch 6 for people
    points = points_of(example(), STOPPING, ReduceLROnPlateau(factor=0.5, patience=2))
    assert points.stop is None
    assert points.kept is None
    assert points.last_decided == 5
    said = (
        "this setting changes the learning rate after epoch 5, and the log shows no "
        "such change: from there on it says nothing"
    )
    assert points.shade == (5.5, 8.5, said)


def test_a_run_that_reached_its_plan_has_no_shade() -> None:
    endless = EarlyStopping(patience=6, min_delta=0.02)
    assert points_of(example(planned_epochs=8), endless).shade is None


def test_gaps_and_values_without_a_place_are_told_apart() -> None:
    values = [0.9, None, nan, inf, -inf, 0.5]
    run = Run.from_logs({"val_loss": value, "loss": 1} for value in values)
    curve = points_of(run, EarlyStopping(patience=9)).curves[0]
    assert np.isfinite(curve.values).tolist() == [True, *[False] * 4, True]
    assert curve.not_a_number.tolist() == [3]
    assert curve.too_high.tolist() == [4]
    assert curve.too_low.tolist() == [5]


def test_one_steep_value_lies_outside_the_axis_and_is_named() -> None:
    values = [50.0, *np.linspace(1.0, 0.5, 30)]
    run = Run.from_logs({"val_loss": value} for value in values)
    points = points_of(run, EarlyStopping(patience=9))
    curve = points.curves[0]
    assert curve.outside == (1, 50.0)
    assert curve.limits[1] < 2
    assert "↑ 50.00 at epoch 1" in words(points)


def test_a_training_value_without_a_neighbour_is_a_dot() -> None:
    run = Run.from_logs([{"loss": 0.3, "val_loss": 0.4}])
    replay = replay_run(run, EarlyStopping(patience=1), semantics="keras-3.15")
    ax = plot_learning_curve(learning_curve_points(replay))
    (line,) = [line for line in ax.lines if np.array_equal(line.get_ydata(), [0.3])]
    assert (line.get_marker(), line.get_markevery()) == ("o", [0])


def test_a_training_series_that_leaves_the_shared_axis_is_named() -> None:
    losses = [9.0, 8.0, *np.linspace(0.6, 0.4, 30)]
    logs = [{"val_loss": 0.5 + loss / 100, "loss": loss} for loss in losses]
    points = points_of(Run.from_logs(logs), EarlyStopping(patience=9))
    monitored, training = points.curves
    assert training.limits == monitored.limits
    assert "↑ loss 9.000 at epoch 1" in words(points)


@pytest.mark.parametrize("training", [None, 0.5])
def test_an_axis_without_a_value_has_no_numbers(training: float | None) -> None:
    run = Run.from_logs([{"val_loss": nan, "loss": training}] * 9)
    points = points_of(run, EarlyStopping(patience=9))
    ax = plot_learning_curve(points)
    numbered = [tick for tick in ax.get_yticks() if ax.get_ylim()[0] <= tick]
    assert bool(numbered) is (training is not None)
    # a training series that shares the axis is on it
    low, high = ax.get_ylim()
    assert training is None or low < training < high


def test_huge_values_have_their_exponent_beside_each_number() -> None:
    """A text ``1e10`` above the axis would stand where the lines of labels pass."""
    run = Run.from_logs([{"val_loss": loss} for loss in (2e10, 7e10, 3e10, 6e10)])
    ax = plot_learning_curve(points_of(run, EarlyStopping(patience=9)))
    ax.figure.canvas.draw()
    assert ax.yaxis.get_offset_text().get_text() == ""
    assert "3e+10" in [label.get_text() for label in ax.get_yticklabels()]


def test_the_objective_has_its_own_axis_and_carries_the_kept_mark() -> None:
    logs = [
        {"val_loss": loss, "val_accuracy": accuracy, "loss": loss}
        for loss, accuracy in zip(LOSSES, np.linspace(0.1, 0.8, 8), strict=True)
    ]
    points = points_of(Run.from_logs(logs), objective="val_accuracy")
    roles = [(curve.name, curve.role) for curve in points.curves]
    assert roles == [
        ("val_loss", "monitored"),
        ("loss", "training"),
        ("val_accuracy", "objective"),
    ]
    assert points.kept is not None
    assert points.kept.epoch == 3
    assert points.kept.value == pytest.approx(0.3)
    assert points.stop == (6, 0.49)
    figure = plot_learning_curve(points).get_figure()
    assert isinstance(figure, Figure)
    assert len(figure.axes) == 2


@pytest.mark.parametrize(
    "values",
    [
        [0.5],
        [nan] * 4,
        [inf, -inf, inf],
        [0.5] * 30,
        [1e38, -1e38, 5e-324],
        [0.9, None, 0.8, None, 0.7],
    ],
)
@pytest.mark.parametrize("size", ["large", "small"])
def test_every_series_can_be_drawn(values: list[float | None], size: str) -> None:
    logs = [
        {"val_loss": one, "loss": 1e300} if one is not None else {"loss": 1.0}
        for one in values
    ]
    run = Run.from_logs(logs, name="$x_{1}$ \u202e 日本 " + "x" * 200)
    points = points_of(run, EarlyStopping(patience=3, restore_best_weights=True))
    ax = plot_learning_curve(points, look=DARK, labels=size == "large")
    figure = ax.get_figure()
    assert isinstance(figure, Figure)
    figure.canvas.draw()


def test_a_long_list_of_callbacks_keeps_its_numbers() -> None:
    run = Run.from_logs([{"val_loss": loss} for loss in (0.9, 0.8, 0.85, 0.9)])
    rules = [
        ReduceLROnPlateau(factor=0.5, patience=41, min_delta=0.0005, cooldown=2),
        EarlyStopping(min_delta=0.0001, patience=17, restore_best_weights=True),
    ]
    title = plot_replay(replay_run(run, rules)).axes[0].get_title(loc="right")
    assert " ".join(title.split()) == ", ".join(rule.code for rule in rules)
    assert max(map(len, title.splitlines())) <= 60
