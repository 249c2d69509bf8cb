"""Several settings on one curve: a mark each, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import ConfigError, EarlyStopping, Run, replay_run
from cbreplay.plots import plot_settings, several_curve_points
from cbreplay.plots.picture import figure_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay import Replay
    from tests.conftest import Ask

# patience 1 stops at the third epoch and keeps the second, patience 2 at the sixth
# and the fourth, counted from 1
RUN = Run.from_logs([{"val_loss": loss} for loss in (0.9, 0.5, 0.6, 0.4, 0.5, 0.6)])


def replay(patience: int, run: Run = RUN, **question: Any) -> Replay:
    setting = EarlyStopping(patience=patience, restore_best_weights=True)
    return replay_run(run, setting, semantics="keras-3.15", **question)


def test_each_setting_has_its_marks_and_its_words() -> None:
    points = several_curve_points({"patience=1": replay(1), "patience=2": replay(2)})
    assert points.stop is not None
    assert [mark.epoch for mark in (points.stop, *points.more_stops)] == [3, 6]
    assert points.kept is not None
    assert [mark.epoch for mark in (points.kept, *points.more_kept)] == [2, 4]
    assert points.last_decided == 6
    # patience 2 keeps the best recorded epoch, so it has no mark of its own
    assert points.best is None
    assert [label.text for label in points.labels] == [
        "patience=1: stops at epoch 3 of 6, saves 3 epochs",
        "patience=1: keeps epoch 2: 0.5000",
        "patience=2: stops at epoch 6 of 6",
        "patience=2: keeps epoch 4: 0.4000",
    ]
    figure = plot_settings({"patience=1": replay(1), "patience=2": replay(2)})
    assert figure_bytes(figure, "pdf").startswith(b"%PDF")


def test_each_axis_reaches_to_the_marks_of_all() -> None:
    # patience 1 keeps the first epoch, with the one low accuracy; patience 2 goes on
    # to the third, and stops at the one high loss
    losses = [1.48, 1.49, 1.479, 1.49, 1.6, *[1.48, 1.481] * 15]
    accuracies = [0.1, *[0.9, 0.901] * 17]
    logs = [
        {"val_loss": loss, "val_accuracy": accuracy}
        for loss, accuracy in zip(losses, accuracies, strict=True)
    ]
    run = Run.from_logs(logs)
    points = several_curve_points(
        {
            f"patience={patience}": replay(patience, run, objective="val_accuracy")
            for patience in (1, 2)
        }
    )
    stops, kept = (points.stop, *points.more_stops), (points.kept, *points.more_kept)
    assert [mark and mark.value for mark in stops] == [1.49, 1.6]
    assert [mark and mark.value for mark in kept] == [0.1, 0.901]
    watched, judged = points.curves
    assert watched.limits[0] < min(losses)
    assert watched.limits[1] > max(losses)
    assert judged.limits[0] < min(accuracies)
    assert judged.limits[1] > max(accuracies)


def test_what_one_setting_leaves_open_is_said_of_it_alone() -> None:
    points = several_curve_points({"patience=1": replay(1), "patience=5": replay(5)})
    assert points.shade is None
    assert "patience=5: not in the log (it ends at epoch 6)" in [
        label.text for label in points.labels
    ]


def test_one_curve_shows_one_run() -> None:
    other = Run.from_logs([{"val_loss": loss} for loss in (0.9, 0.5)])
    with pytest.raises(ConfigError, match="different runs"):
        several_curve_points({"a": replay(1), "b": replay(1, other)})


def test_the_command_draws_them(ask: Ask, sample_logs: Path, tmp_path: Path) -> None:
    target = tmp_path / "several.pdf"
    words = ("plot", sample_logs / "overfit.csv", "-o", target)
    assert ask(*words, "--patience", "5,7").status == 0
    assert target.read_bytes().startswith(b"%PDF")
    refused = ask(*words, "--patience", "1:30")
    assert refused.status == 2
    assert "shows 6 settings at most" in refused.err


def test_what_several_settings_decide_alike_is_said_once() -> None:
    # all keep epoch 4; 2 stops at epoch 6, and 4 and 5 do not inside the log
    named = {f"patience={patience}": replay(patience) for patience in (2, 4, 5)}
    points = several_curve_points(named)
    assert [label.text for label in points.labels] == [
        "patience=2: stops at epoch 6 of 6",
        "patience=2: keeps epoch 4: 0.4000",
        "patience=4, 5: so far keeps epoch 4: 0.4000",
        "patience=4, 5: not in the log (it ends at epoch 6)",
    ]
    assert points.setting == "patience=2, 4, 5"
