"""Runs and series."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cbreplay import ConfigError, LogError, Run, Series, UnknownMonitorError


def test_an_absent_key_is_missing_and_nan_is_nan() -> None:
    run = Run.from_logs([{"loss": 1.0, "val_loss": math.nan}, {"loss": 0.5}])
    series = run.series["val_loss"]
    assert series.recorded.tolist() == [True, False]
    assert np.isnan(series.values).all()


def test_epochs_are_absolute_and_count_from_the_first() -> None:
    run = Run.from_logs([{"loss": 1.0}] * 3, first_epoch=5, planned_epochs=8)
    assert run.epochs.tolist() == [5, 6, 7]
    assert (run.horizon, run.n_epochs, run.reached_plan) == (7, 3, True)


def test_an_epoch_without_a_metric_is_counted_and_not_recorded() -> None:
    run = Run.from_logs([{"loss": 1.0}, {"learning_rate": 0.1}, {"val_loss": 2.0}])
    assert (run.n_epochs, run.recorded_epochs) == (3, 2)


def test_the_others_of_an_epoch_follow_its_value() -> None:
    series = Series(
        np.array([4.0, 3.0, 2.0, 1.0]),
        np.ones(4, dtype=bool),
        {1: (9.0, 8.0), 3: (7.0,)},
    )
    assert series.take(slice(1, 3)).others == {0: (9.0, 8.0)}
    assert series.take(np.array([3, 1])).others == {0: (7.0,), 1: (9.0, 8.0)}
    assert series.take(np.array([True, False, False, True])).others == {1: (7.0,)}
    assert series.take(slice(0, 1)).others == {}


@pytest.mark.parametrize("name", ["lr", "learning_rate"])
def test_the_learning_rate_is_float32_and_no_series(name: str) -> None:
    run = Run.from_logs([{"loss": 1.0, name: 0.01}])
    assert list(run.series) == ["loss"]
    assert run.learning_rate is not None
    assert run.learning_rate.values.dtype == np.float32
    assert run.learning_rate.values.tolist() == [0.009999999776482582]


def test_values_cannot_be_changed() -> None:
    run = Run.from_logs([{"loss": 1.0}])
    with pytest.raises(ValueError, match="read-only"):
        run.series["loss"].values[0] = 2.0
    with pytest.raises(TypeError):
        run.series["loss"] = run.series["loss"]  # type: ignore[index]


@pytest.mark.parametrize("rows", [[], [{}], [{"learning_rate": 0.1}]])
def test_logs_without_a_metric_are_refused(rows: list[dict[str, float]]) -> None:
    with pytest.raises(LogError, match="no epoch with a metric"):
        Run.from_logs(rows)


def test_a_value_that_is_no_number_is_refused_with_its_epoch() -> None:
    with pytest.raises(LogError, match=r"'loss' is \[1, 2\] in epoch 4"):
        Run.from_logs([{"loss": [1, 2]}], first_epoch=4)


@pytest.mark.parametrize(
    ("logs", "sentence"),
    [
        ([{"loss": np.complex128(1 + 2j)}], r"'loss' is .*1\+2j.* in epoch 0"),
        ([{"loss": 16**5000}], "'loss' is larger than any float in epoch 0"),
        ({"loss": [0.5, 0.4]}, "epoch 0 is 'loss', not a dict of logs"),
        ([0.5, 0.4], "epoch 0 is 0.5, not a dict of logs"),
    ],
)
def test_logs_that_are_no_dicts_of_real_numbers_are_refused(
    logs: Any, sentence: str
) -> None:
    with pytest.raises(LogError, match=sentence):
        Run.from_logs(logs)


def test_series_of_different_lengths_are_refused() -> None:
    one, two = (Series.from_optional([0.0] * n) for n in (1, 2))
    with pytest.raises(ConfigError, match=r"one length, not \[1, 2\]"):
        Run(name="r", source="", first_epoch=0, series={"a": one, "b": two})
    with pytest.raises(ConfigError, match="one length"):
        Series(np.zeros(2), np.zeros(3, dtype=bool))


def test_a_series_recorded_nowhere_is_unknown_and_the_others_are_listed() -> None:
    run = Run.from_logs([{"loss": 1.0, "val_loss": None, "val_mae": 1.0}])
    with pytest.raises(UnknownMonitorError, match="it has loss, val_mae") as caught:
        run.monitored("val_loss")
    assert caught.value.available == ("loss", "val_mae")
    assert not str(caught.value).startswith('"')


def test_a_frame_has_a_row_an_epoch_and_the_rate() -> None:
    run = Run.from_logs([{"loss": 1.0, "lr": 0.5}, {"loss": 0.5}], first_epoch=3)
    frame = run.to_frame()
    assert frame.index.tolist() == [3, 4]
    assert frame["loss"].tolist() == [1.0, 0.5]
    assert frame["learning_rate"].tolist()[0] == 0.5


def test_notes_are_added_to_a_new_run() -> None:
    run = Run.from_logs([{"loss": 1.0}])
    assert run.with_notes("a", "b").notes == ("a", "b")
    assert run.notes == ()
