"""mode="auto"."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import ConfigError, EarlyStopping, ReduceLROnPlateau
from cbreplay.rules.keras.framework import KERAS
from cbreplay.rules.keras.metric_directions import (
    METRIC_DIRECTIONS,
    find_direction,
    resolve_mode,
)
from cbreplay.rules.keras.metric_names import is_numbered
from cbreplay.rules.training import Training

if TYPE_CHECKING:
    from cbreplay.run import Mode


def training(version: str = "keras-3.15", **directions: Mode) -> Training:
    return Training(KERAS.resolve(version).semantics, directions, KERAS)


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("val_accuracy", "max"),
        ("val_auc_1", "max"),
        ("mean_absolute_error", "min"),
        ("val_dice", None),
        ("val_a_loss", None),
        ("true_positives", None),
        ("val_TruePositives", None),
    ],
)
def test_names_tell_the_direction_or_nothing(name: str, direction: str | None) -> None:
    assert find_direction(name, {}) == direction


def test_run_json_comes_before_the_table() -> None:
    assert find_direction("val_accuracy", {"accuracy": "min"}) == "min"
    assert find_direction("val_dice", {"dice": "max"}) == "max"


def test_an_unknown_direction_is_refused_with_the_option() -> None:
    with pytest.raises(ConfigError, match=r"'val_dice'.*Give mode="):
        resolve_mode("EarlyStopping", "val_dice", "auto", training(), "metric")
    assert (
        resolve_mode("EarlyStopping", "val_dice", "max", training(), "metric") == "max"
    )


# what the real classes of each version resolve is in tests/differential
@pytest.mark.parametrize(
    ("version", "kind", "monitor", "direction"),
    [
        ("tf_keras-2.21", EarlyStopping, "val_auc", "max"),
        ("tf_keras-2.21", ReduceLROnPlateau, "val_auc", "min"),
        ("keras-2.15", EarlyStopping, "val_precision", "min"),
        ("keras-2.15", EarlyStopping, "accident", "min"),
        ("keras-2.15", ReduceLROnPlateau, "accident", "max"),
        ("keras-3.10", EarlyStopping, "val_precision", "max"),
        ("keras-3.10", ReduceLROnPlateau, "val_precision", "min"),
        ("keras-3.10", ReduceLROnPlateau, "val_dice", "min"),
        ("keras-3.11", ReduceLROnPlateau, "val_precision", "max"),
    ],
)
def test_auto_is_resolved_as_each_version_does(
    version: str,
    kind: type[EarlyStopping | ReduceLROnPlateau],
    monitor: str,
    direction: str,
) -> None:
    assert kind(monitor=monitor).resolve_mode(training(version)) == direction


@pytest.mark.keras
def test_a_class_that_is_given_as_text_has_its_direction() -> None:
    import keras
    import numpy as np

    texts = ["AUC", "F1Score", "MeanSquaredError", "KLDivergence", "LogCoshError"]
    model = keras.Sequential([keras.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "mse", metrics=texts)
    model.fit(np.ones((2, 2)), np.eye(2), verbose=0)
    for text in texts:
        stop = keras.callbacks.EarlyStopping(f"val_{text}")
        stop.set_model(model)
        stop._set_monitor_op()
        up = stop.monitor_op is keras.ops.greater
        assert find_direction(f"val_{text}", {}) == ("max" if up else "min"), text


@pytest.mark.keras
def test_the_table_is_that_of_the_metric_classes_of_keras() -> None:
    import keras

    # Keras numbers the names of a process: auc, auc_1
    keras.backend.clear_session()
    directions = {}
    for kind in vars(keras.metrics).values():
        if inspect.isclass(kind) and issubclass(kind, keras.metrics.Metric):
            metric = _build(kind)
            if hasattr(metric, "_direction"):
                assert (_build(kind).name != metric.name) is is_numbered(kind.__name__)
                up = metric._direction == "up"
                directions[metric.name] = "max" if up else "min"
    aliases = {"acc", "bce", "BCE", "mae", "MAE", "mape", "MAPE", "mse", "MSE"}
    aliases |= {"msle", "MSLE"}
    named = {
        name: mode for name, mode in METRIC_DIRECTIONS.items() if name not in aliases
    }
    assert named == directions


def _build(kind: type) -> Any:
    needed = {"num_classes": 2, "target_class_ids": [0], "fn": max}
    needed |= dict.fromkeys(("precision", "recall", "specificity", "sensitivity"), 0.5)
    known = inspect.signature(kind.__init__).parameters  # type: ignore[misc]
    # Precision and Recall have thresholds, not the other one's value
    given = {name: value for name, value in needed.items() if name in known}
    return kind(**given)
