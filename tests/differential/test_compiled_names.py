"""The names that a script's compile gives are those that Keras's fit logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cbreplay.lint.scripts import lint_script
from tests.oracles.trained_scripts import findings_in, read_script, run_script

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.keras

HEAD = """
import keras
import numpy as np
def own_metric(truth, guess):
    return keras.ops.mean(guess)
def OwnMetric(truth, guess):
    return keras.ops.mean(guess)
x, y = np.zeros((4, 2), "float32"), np.zeros((4, 1), "float32")
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
"""
FIT = """
history = model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=[
    keras.callbacks.TerminateOnNaN()])
"""


@pytest.mark.parametrize(
    "compiled",
    [
        "'sgd', 'mse'",
        "'sgd', 'mse', metrics=['accuracy']",
        "'sgd', 'mse', metrics=['acc']",
        "optimizer='sgd', loss='mse', metrics=['mae', 'mse', 'MeanAbsoluteError']",
        "'sgd', 'mse', metrics=[keras.metrics.AUC(name='auc'), own_metric]",
        "'sgd', 'mse', metrics=[keras.metrics.BinaryIoU(), OwnMetric]",
        "'sgd', 'mse', metrics=['AUC'], weighted_metrics=['mae']",
        "'sgd', 'mse', metrics=[keras.metrics.LogCoshError(), keras.metrics.R2Score()]",
        "'sgd', 'mse', metrics=[keras.metrics.KLDivergence()]",
        "'sgd', 'mse', metrics=[keras.metrics.FBetaScore(threshold=0.5)]",
        "'sgd', 'mse', metrics=['mae', 'mse'], weighted_metrics=['mae', 'acc']",
        "'sgd', 'mse', weighted_metrics=['mse', keras.metrics.AUC(name='mse')]",
    ],
)
def test_every_logged_name_is_one_that_the_script_may_log(
    tmp_path: Path, compiled: str
) -> None:
    text = f"{HEAD}model.compile({compiled})\n{FIT}"
    (fit,) = read_script(tmp_path, text).fits
    given = fit.facts.compiled
    assert given is not None
    assert given.is_whole

    names = run_script(text)
    logged = [name for name in names["history"].history if name[:4] != "val_"]
    assert all(given.may_log(name) for name in logged)
    assert len(logged) == len(given.names)
    # and what it is suggested to monitor is logged, but for a number behind it
    assert [name.rstrip("_0123456789") for name in sorted(logged)] == [
        name.rstrip("_0123456789") for name in sorted(map(_spelled, given.names))
    ]


@pytest.mark.parametrize("monitor", ["val_weighted_mae", "val_mae", "val_weighted_mse"])
def test_auto_is_refused_for_a_weighted_name_as_the_fit_refuses_it(
    tmp_path: Path, monitor: str
) -> None:
    text = (
        f"{HEAD}model.compile('sgd', 'mse', metrics=['mae'], "
        "weighted_metrics=['mae'])\n"
        "model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=["
        f"keras.callbacks.EarlyStopping({monitor!r}, restore_best_weights=True)])\n"
    )
    found = [finding.code for finding in findings_in(tmp_path, text, None)]

    try:
        run_script(text)
    except ValueError:
        assert found in (["auto-unknown"], ["absent-monitor"])
    else:
        assert not found


TWO = "keras.Model(given, [one(given), two(given)])"


@pytest.mark.parametrize(
    ("made", "compiled", "are_plain"),
    [
        (TWO, "['mse', 'mse'], metrics=[['mae'], ['mape']]", False),
        (TWO, "'mse', metrics=['mae', 'mape']", False),
        (TWO, "['mse', 'mse'], metrics=[['mae'], None]", False),
        (
            "keras.Model(given, {'a': one(given), 'b': two(given)})",
            "'mse', metrics=['mae', 'mape']",
            False,
        ),
        ("keras.Model(given, [one(given)])", "'mse', metrics=[['mae']]", True),
        ("keras.Model(given, one(given))", "'mse', metrics=['mae', 'mape']", True),
        ("keras.Sequential([given, one])", "'mse', metrics=[['mae'], ['mape']]", True),
    ],
)
def test_whether_metrics_stand_alone_is_told_by_the_outputs(
    tmp_path: Path, made: str, compiled: str, *, are_plain: bool
) -> None:
    """Before the metrics of several outputs ``fit`` writes the outputs' names."""
    text = (
        f"{HEAD}given = keras.Input((2,))\none = keras.layers.Dense(1, name='a')\n"
        f"two = keras.layers.Dense(1, name='b')\nmodel = {made}\n"
        f"y = [y] * len(model.outputs)\nmodel.compile('sgd', {compiled})\n{FIT}"
    ).replace("validation_data=(x, y), ", "")
    (fit,) = read_script(tmp_path, text).fits
    given = fit.facts.compiled
    assert given is not None
    assert given.has_several is not are_plain

    names = run_script(text)
    assert ("mae" in names["history"].history) is are_plain
    assert ("a_mae" in names["history"].history) is not are_plain


TRACKING = """
class Tracking(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.kl_tracker = keras.metrics.Mean(name="kl")
    def call(self, inputs):
        self.kl_tracker.update_state(1.0)
        return inputs
model = keras.Sequential([keras.Input((2,)), Tracking(), keras.layers.Dense(1)])
"""
PROPERTY = """
class Listing(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense, self.seen = keras.layers.Dense(1), keras.metrics.Mean(name="kl")
    def call(self, inputs):
        self.seen.update_state(1.0)
        return self.dense(inputs)
    @property
    def metrics(self):
        return [*super().metrics, self.seen]
model = Listing()
"""
STEP = """
class Stepping(keras.Sequential):
    def train_step(self, data):
        return super().train_step(data) | {"kl": 1.0}
    def test_step(self, data):
        return super().test_step(data) | {"kl": 1.0}
model = Stepping([keras.Input((2,)), keras.layers.Dense(1)])
"""


@pytest.mark.parametrize("made", [TRACKING, PROPERTY, STEP])
def test_what_layers_and_models_track_themselves_is_in_no_whole_set(
    tmp_path: Path, made: str
) -> None:
    """Keras logs ``kl`` in each; nothing is said of a monitor of that name."""
    text = f"{HEAD}{made}model.compile('sgd', 'mse')\n{FIT}"
    (fit,) = read_script(tmp_path, text).fits
    given = fit.facts.compiled
    assert given is None or not given.is_whole
    names = run_script(text)
    assert {"kl", "val_kl"} <= set(names["history"].history)


@pytest.mark.parametrize(
    ("metrics", "monitor"),
    [
        ("'logcosh'", "val_logcosh"),
        ("'mse', 'f1'", "val_f1"),
        ("'MeanIoU'", "val_MeanIoU"),
        ("'Mae'", "val_mae"),
        ("'MAE'", "val_MAE"),
        ("'log_cosh_error'", "val_log_cosh_error"),
    ],
)
def test_a_metric_is_absent_whose_text_the_fit_refuses(
    tmp_path: Path, metrics: str, monitor: str
) -> None:
    text = (
        f"{HEAD}model.compile('sgd', 'mse', metrics=[{metrics}])\n"
        "model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=["
        f"keras.callbacks.EarlyStopping({monitor!r}, mode='min', "
        "restore_best_weights=True)])\n"
    )
    read = read_script(tmp_path, text)
    found = [placed.finding for placed in lint_script(read)]
    reasons = [own.reason for own in found if own.code == "absent-monitor"]
    try:
        run_script(text)
    except (TypeError, ValueError):
        (reason,) = reasons
        assert reason.endswith("so fit raises")
    else:
        assert not reasons
    if "logcosh" in metrics:  # a text of Keras 2
        old = lint_script(read, semantics="keras-2.15")
        assert "absent-monitor" not in [placed.finding.code for placed in old]


def test_the_texts_of_which_keras_makes_a_metric_are_known() -> None:
    keras = pytest.importorskip("keras")
    from cbreplay.rules.keras.metric_names import is_refused_text, snake_case

    # of these Keras makes objects, which fit cannot use
    abstract = {"Mean", "MeanMetricWrapper", "Metric", "Sum", "mean", "metric", "sum"}
    kinds = [kind for kind in vars(keras.metrics) if kind[0] != "_"]
    texts = ["mae", "MSE", "Bce", "logcosh", "kld", "f1", "rmse", "huber", *kinds]
    for text in {*texts, *map(snake_case, texts), *map(str.lower, kinds)} - abstract:
        try:
            is_metric = isinstance(keras.metrics.get(text), keras.metrics.Metric)
        except (TypeError, ValueError):
            is_metric = False
        assert is_refused_text(text) is not is_metric, text


def _spelled(name: str) -> str:
    """Return a function's name as this Keras writes it."""
    return {"OwnMetric": "own_metric"}.get(name, name)


def test_the_default_names_of_all_metric_classes_are_known() -> None:
    keras = pytest.importorskip("keras")
    from cbreplay.rules.keras.metric_names import default_names

    arguments: dict[str, tuple[Any, ...]] = {
        "IoU": (2, [0]),
        "MeanIoU": (2,),
        "OneHotIoU": (2, [0]),
        "OneHotMeanIoU": (2,),
        "PrecisionAtRecall": (0.5,),
        "RecallAtPrecision": (0.5,),
        "SensitivityAtSpecificity": (0.5,),
        "SpecificityAtSensitivity": (0.5,),
    }
    unnamed = {"Mean", "MeanMetricWrapper", "Metric", "Sum"}
    for kind, metric in vars(keras.metrics).items():
        if isinstance(metric, type) and kind not in unnamed:
            name = metric(*arguments.get(kind, ())).name
            assert name.rstrip("_0123456789") in [
                known.rstrip("_0123456789") for known in default_names(kind)
            ], kind
