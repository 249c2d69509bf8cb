"""Keras's own objects are read by their attributes, in the Keras that made them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.oracles.keras_versions import PREPARE, VERSIONS, KerasVersion, path_of

pytestmark = [pytest.mark.keras, pytest.mark.slow]

# the oldest and newest way of each to keep its arguments
ASKED = [
    one
    for one in VERSIONS
    if one.semantics
    in ("keras-2.15", "keras-3.0", "keras-3.10", "keras-3.11", "tf_keras-2.21")
    and one.backend == "tensorflow"
]
CALLS = [
    "EarlyStopping()",
    "EarlyStopping('val_acc', 0.25, 3, 0, 'max', 0.5, True, 2)",
    "EarlyStopping('loss', min_delta=-0.25, mode='min', patience=1)",
    "ReduceLROnPlateau()",
    "ReduceLROnPlateau('loss', 0.5, 2, 0, 'min', 0.125, 1, 0.25)",
    "ReduceLROnPlateau('val_acc', mode='max', min_delta=0)",
    "ModelCheckpoint('a.keras')",
    "ModelCheckpoint('a.weights.h5', 'loss', 0, True, True, 'min')",
    (
        "ModelCheckpoint('{epoch}.keras', save_best_only=True, mode='max', "
        "initial_value_threshold=0.5)"
    ),
    "TerminateOnNaN()",
    "CSVLogger('never.csv')",
    "History()",
]
# in that Keras: made, read, and read again once a training has begun and ended
SCRIPT = """
import importlib, json, sys
kc = importlib.import_module(sys.argv[1]).callbacks
from cbreplay.rules.base import format_callback
from cbreplay.rules.callbacks_list import read_callback
assert "cbreplay" in sys.modules
class Optimizer: learning_rate = lr = 0.5
class Model:
    optimizer, stop_training, metrics, distribute_strategy = Optimizer(), 0, [], None
    def get_weights(self): return 0
    def set_weights(self, weights): pass
told = []
for text in json.load(sys.stdin):
    made = eval("kc." + text)
    first = format_callback(read_callback(made))
    if "Stopping" in text:
        made.set_model(Model())
        made.on_train_begin()
        made.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.5, "val_acc": 0.5})
        made.on_train_end()
    told.append([first, format_callback(read_callback(made))])
print("\\n" + json.dumps(told))
"""


@pytest.mark.parametrize("version", ASKED, ids=lambda one: one.name)
def test_an_object_is_read_as_it_was_made(version: KerasVersion) -> None:
    if not version.is_prepared():
        pytest.skip(f"this Keras is not prepared: {PREPARE}")
    told = run_script(SCRIPT, version, json.dumps(CALLS))
    for text, (made, used) in zip(CALLS, told, strict=True):
        expected = EXPECTED.get(text, text)
        assert made == by_version(expected, version), text
        # a fit resolves "auto", which is told then
        resolved = made if "mode=" in made else RESOLVED_AT_ONCE.get(made, made)
        assert used in (made, resolved), text


def run_script(script: str, version: KerasVersion, given: str) -> list[Any]:
    """Run a text in a process of that Keras, and return what it prints last."""
    command = [sys.executable, "-W", "ignore", "-c", script, version.package]
    environment = {
        **os.environ,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "KERAS_BACKEND": "tensorflow",
    }
    environment["PYTHONPATH"] = os.pathsep.join([path_of(version), str(ROOT)])
    asked = subprocess.run(  # noqa: S603 - the scripts of this file
        command,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert asked.returncode == 0, asked.stderr[-2000:]
    told: list[Any] = json.loads(asked.stdout.splitlines()[-1])
    return told


# what Keras keeps of it: EarlyStopping the size of min_delta, a logger's arguments are
# not read
EXPECTED = {
    "EarlyStopping('val_acc', 0.25, 3, 0, 'max', 0.5, True, 2)": (
        "EarlyStopping(monitor='val_acc', min_delta=0.25, patience=3, mode='max', "
        "baseline=0.5, restore_best_weights=True, start_from_epoch=2)"
    ),
    "EarlyStopping('loss', min_delta=-0.25, mode='min', patience=1)": (
        "EarlyStopping(monitor='loss', min_delta=0.25, patience=1, mode='min')"
    ),
    "ReduceLROnPlateau('loss', 0.5, 2, 0, 'min', 0.125, 1, 0.25)": (
        "ReduceLROnPlateau(monitor='loss', factor=0.5, patience=2, mode='min', "
        "min_delta=0.125, cooldown=1, min_lr=0.25)"
    ),
    "ReduceLROnPlateau('val_acc', mode='max', min_delta=0)": (
        "ReduceLROnPlateau(monitor='val_acc', mode='max', min_delta=0)"
    ),
    "ModelCheckpoint('a.keras')": "ModelCheckpoint(filepath='a.keras')",
    "ModelCheckpoint('a.weights.h5', 'loss', 0, True, True, 'min')": (
        "ModelCheckpoint(filepath='a.weights.h5', monitor='loss', save_best_only=True, "
        "save_weights_only=True, mode='min')"
    ),
    CALLS[8]: (
        "ModelCheckpoint(filepath='{epoch}.keras', save_best_only=True, mode='max', "
        "initial_value_threshold=0.5)"
    ),
    "CSVLogger('never.csv')": "CSVLogger(...)",
    "History()": "History(...)",
}
# these resolve "auto" where they are made, and keep only what it was
RESOLVED_AT_ONCE = {
    "EarlyStopping()": "EarlyStopping(mode='min')",
    "ModelCheckpoint(filepath='a.keras')": (
        "ModelCheckpoint(filepath='a.keras', mode='min')"
    ),
}


def by_version(expected: str, version: KerasVersion) -> str:
    old = version.semantics in ("keras-2.15", "tf_keras-2.21")
    checkpoint = expected.startswith("ModelCheckpoint")
    if old or (checkpoint and version.semantics in ("keras-3.0", "keras-3.10")):
        return RESOLVED_AT_ONCE.get(expected, expected)
    return expected


# a real fit of Keras 2's kind under callbacks that speak to its backend, and its replay
DRIVEN = """
import importlib, json, sys
import numpy as np
keras = importlib.import_module(sys.argv[1])
kc, K = keras.callbacks, keras.backend
from cbreplay import Run, replay_run
class Halve(kc.Callback):
    def on_train_begin(self, logs=None):
        self.last = float("inf")
    def on_epoch_end(self, epoch, logs=None):
        if logs["loss"] > self.last - 0.02:
            old = float(K.get_value(self.model.optimizer.lr))
            K.set_value(self.model.optimizer.lr, old * 0.3)
        self.last = logs["loss"]
class Later(kc.EarlyStopping):
    def on_epoch_end(self, epoch, logs=None):
        if epoch > 1:
            super().on_epoch_end(epoch, logs)
class Rates(kc.Callback):
    def on_train_begin(self, logs=None):
        self.rates = []
    def on_epoch_begin(self, epoch, logs=None):
        self.rates.append(float(K.get_value(self.model.optimizer.lr)))
rng = np.random.default_rng(0)
x = rng.normal(size=(40, 3)).astype("float32")
y = (x.sum(1) > 0).astype("float32")
told = []
for seed in range(4):
    keras.utils.set_random_seed(seed)
    hidden = keras.layers.Dense(4, activation="relu")
    model = keras.Sequential([hidden, keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.legacy.SGD(0.5), "binary_crossentropy")
    made = lambda: [Halve(), Later(patience=1, min_delta=0.01)]
    seen = Rates()
    history = model.fit(x, y, validation_data=(x[::2], y[::2]), epochs=15, verbose=0,
                        callbacks=[*made(), seen]).history
    rows = [
        {"loss": loss, "val_loss": val_loss, "learning_rate": rate}
        for loss, val_loss, rate in zip(
            history["loss"], history["val_loss"], seen.rates)
    ]
    replay = replay_run(Run.from_logs(rows, planned_epochs=15), made())
    stopped = len(rows) - 1 if model.stop_training else None
    told.append([[stopped, seen.rates, None], [
        replay.stopped_epoch, replay.learning_rate.values.tolist(),
        replay.divergence_epoch]])
print("\\n" + json.dumps(told))
"""


@pytest.mark.parametrize(
    "version",
    [one for one in ASKED if one.semantics in ("keras-2.15", "tf_keras-2.21")],
    ids=lambda one: one.name,
)
def test_callbacks_that_speak_to_the_backend_of_keras_2_decide_as_in_its_fit(
    version: KerasVersion,
) -> None:
    if not version.is_prepared():
        pytest.skip(f"this Keras is not prepared: {PREPARE}")
    for fit, replay in run_script(DRIVEN, version, ""):
        assert replay == fit
        # the rate was lowered on the way
        assert len(set(fit[1])) > 1
