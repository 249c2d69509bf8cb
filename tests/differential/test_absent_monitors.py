"""A monitor that `lint` calls absent in a script is none that Keras's fit logs."""

from __future__ import annotations

import contextlib
import re
import sys
from typing import TYPE_CHECKING

import pytest

from cbreplay.lint.scripts import lint_script, unchecked_monitors
from tests.oracles.trained_scripts import findings_in, read_script, run_script

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.keras, pytest.mark.filterwarnings("ignore")]

HELPERS = """
import keras
import numpy as np
def load():
    return np.zeros((4, 2), "float32"), np.zeros((4, 1), "float32")
def loss_of(truth, guess):
    return keras.ops.mean((truth - guess) ** 2)
class Tracking(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.kl_tracker = keras.metrics.Mean(name="kl")
    def call(self, inputs):
        self.kl_tracker.update_state(1.0)
        return inputs
def build():
    return keras.Sequential([keras.layers.Dense(1), Tracking()])
def extend(model):
    model.add(Tracking())
def extended(layers):
    return [*layers, Tracking()]
def recompile(model):
    model.compile("sgd", "mse", metrics=[keras.metrics.MeanAbsoluteError(name="kl")])
def plot(history):
    pass
class Writes(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["val_kl"] = 1.0
"""
HEAD = """
import keras
from helpers import *NAMES*
x, y = load()
"""
FIT = """
stop = keras.callbacks.EarlyStopping("MONITOR", mode="min", restore_best_weights=True)
history = model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=[stop])
"""
DENSE = "model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Dense(1)])\n"
COMPILE = "model.compile('sgd', 'mse', metrics=['mae'])\n"
FUNCTIONAL = """
a = keras.Input((len(x[0]),))
b, c = keras.layers.Dense(1, name="b")(a), keras.layers.Dense(1, name="kl")(a)
"""
OUTPUTS = FUNCTIONAL + "model = keras.Model(a, [b, c])\n"
LISTED = "model.compile('sgd', ['mse', 'mse'], metrics=[['mae'], ['acc']])\n"
BOTH = "model.compile('sgd', ['mse', 'mse'], metrics={'b': 'mae', 'kl': ['acc']})\n"
OWN_STEP = """
class Stepping(keras.Sequential):
    def test_step(self, data):
        return super().test_step(data) | {"kl": 1.0}
model = Stepping([keras.Input((2,)), keras.layers.Dense(1)])
"""
LOSING = """
class Losing(keras.layers.Layer):
    def call(self, inputs):
        self.add_loss(keras.ops.mean(inputs))
        return inputs
model = keras.Sequential([keras.Input((2,)), Losing(), keras.layers.Dense(1)])
"""
NAMED = (
    "kl = keras.metrics.MeanAbsoluteError(name='kl')\n"
    "model.compile('sgd', 'mse', metrics=[kl])\n"
)
DISTANCE = """
def ownDistance(truth, guess):
    return keras.ops.mean(truth - guess)
"""
HELD = """
class Trainer:
    def __init__(self):
        self.layers = extended([keras.layers.Dense(1)])
        self.model = keras.Sequential(self.layers)
model = Trainer().model
"""
MADE = """
def make():
    return keras.Sequential([keras.layers.Dense(1)])
model = make()
"""
EXTENDED = """
parts = [keras.layers.Dense(1)]
more = extended(parts)
model = keras.Sequential(more)
"""
# what runs; whether each monitor that is not logged has to be found: of several outputs
# only what no output may give is
SCRIPTS = {
    "data of another module": (DENSE + COMPILE, True),
    "a loss of another module": (DENSE + "model.compile('sgd', loss_of)\n", True),
    "a plot of the history": (DENSE + COMPILE + "FIT\nplot(history)\n", True),
    "a function returns the model": (
        MADE + COMPILE,
        True,
    ),
    "a metric with a name": (DENSE + NAMED, True),
    "metrics by text, and a function": (
        DENSE + DISTANCE + "metrics = ['MAE', 'MeanSquaredError', ownDistance]\n"
        "model.compile('sgd', 'mse', metrics=metrics)\n",
        True,
    ),
    "several outputs": (OUTPUTS + BOTH + "y = [y, y]\n", False),
    "several outputs, in their order": (OUTPUTS + LISTED + "y = [y, y]\n", False),
    "one output": (FUNCTIONAL + "model = keras.Model(a, b)\n" + COMPILE, False),
    "add_loss": (LOSING + COMPILE, False),
    "a step of its own": (OWN_STEP + COMPILE, False),
    "a model of another module": ("model = build()\n" + COMPILE, False),
    "a layer of another module": (
        f"model = keras.Sequential([Tracking(), keras.layers.Dense(1)])\n{COMPILE}",
        False,
    ),
    "layers through other names": (
        EXTENDED + COMPILE,
        False,
    ),
    "a function gets the model": (
        DENSE + COMPILE + "extend(model)\n" + COMPILE,
        False,
    ),
    "another compile": (DENSE + COMPILE + "recompile(model)\n", False),
    "held by an object": (HELD + COMPILE, False),
    "a callback writes": (
        DENSE + COMPILE + FIT.replace("[stop]", "[Writes(), stop]"),
        False,
    ),
    "an unread metric": (
        DENSE + "model.compile('sgd', 'mse', metrics=[loss_of])\n",
        False,
    ),
}
NAMES = "Tracking, Writes, build, extend, extended, load, loss_of, plot, recompile"
MONITORS = ["val_los", "val_kl", "val_mae", "val_mean", "foo", "val_b_mae", "val_acc"]
MONITORS += ["val_loss", "val_b_loss", "val_kl_acc", "val_kl_accuracy", "val_loss_of"]
MONITORS += ["val_MeanSquaredError", "val_mean_squared_error"]
MONITORS += ["val_ownDistance", "val_own_distance"]


@pytest.mark.parametrize("kind", SCRIPTS)
def test_what_is_called_absent_is_not_logged(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, finds_all = SCRIPTS[kind]
    text = HEAD.replace("*NAMES*", NAMES) + body.replace("FIT", FIT)
    if "model.fit" not in text:
        text += FIT
    (tmp_path / "helpers.py").write_text(HELPERS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "helpers", raising=False)
    names = run_script(text.replace("MONITOR", "loss"))
    monkeypatch.delitem(sys.modules, "helpers", raising=False)
    logged = set(names["history"].history)

    for monitor in MONITORS:
        read = read_script(tmp_path, text.replace("MONITOR", monitor))
        found = lint_script(read, semantics="keras-3.15")
        absent = [
            placed.finding
            for placed in found
            if placed.finding.code == "absent-monitor"
        ]
        assert not (absent and monitor in logged), monitor
        if finds_all:
            assert bool(absent) is (monitor not in logged), monitor
        for finding in absent:
            if finding.fix == "a monitor that is logged":
                # none is like it, and what there is stands in the finding
                _, *listed = re.findall(r"'(\w+)'", finding.message)
                assert listed, finding.message
                assert {*listed} <= logged, finding.message
                continue
            # what is advised instead is logged
            advised = finding.fix.split("'")[1]
            if "or with an output's name" in finding.fix:
                assert kind in ("several outputs", "one output")
                continue
            assert advised in logged, (monitor, finding.fix)
        # silence about what is not logged, nor named by compile, is no approval
        named = {"val_loss", "val_mae", "val_acc", "val_loss_of"}
        if not absent and monitor not in {*logged, *named}:
            told = " ".join(unchecked_monitors(read, found))
            assert repr(monitor) in told or kind == "a callback writes", monitor


OWN = """
class Own(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        BODY
class Other(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs.update({"val_f" + "1": 1.0})
own, other = Own(), Other()
def end(_, logs):
    logs.update(val_f1=1.0)
code = keras.callbacks.LambdaCallback(on_epoch_end=end)
stop = keras.callbacks.EarlyStopping("val_f1", mode="max", patience=1)
"""
DIRECT, UPDATE = 'logs["val_f1"] = 1.0', 'logs.update({"val_f1": 1.0})'
DEFAULT = f"logs = logs or {{}}; {DIRECT}"
GROWN = "held = [stop]\nheld.append(own)\n"


@pytest.mark.parametrize(
    ("body", "held", "is_found"),
    [
        (DIRECT, "held = [stop, own]\n", True),
        (UPDATE, "held = [stop, own]\n", True),
        (DEFAULT, GROWN, True),
        (DIRECT, "held = [keras.callbacks.TerminateOnNaN(), *[stop, own]]\n", True),
        # Keras calls them in the order of the list
        (DIRECT, "held = [own, stop]\n", False),
        (DIRECT, "held = [own, stop, own]\n", False),
        # what another class does is not followed
        (DIRECT, "held = [other, stop, own]\n", False),
        (DIRECT, "held = [code, stop, own]\n", False),
        (DIRECT, "held = [stop, own]\nheld.reverse()\n", False),
        # it is absent all the same, but not because of the order
        (f"logs = dict(logs); {DIRECT}", "held = [stop, own]\n", False),
    ],
)
def test_a_value_that_a_later_callback_writes_is_called_absent(
    body: str,
    held: str,
    is_found: bool,  # noqa: FBT001 - a case of the test
    tmp_path: Path,
) -> None:
    text = "import numpy as np\nimport keras\nx = y = np.zeros((4, 1), 'float32')\n"
    text += DENSE + COMPILE + OWN.replace("BODY", body) + held
    text += "model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=held)\n"
    names = run_script(text)
    has_seen = names["stop"].best is not None
    found = findings_in(tmp_path, text)
    said = [finding.fix for finding in found if finding.code == "absent-monitor"]
    assert not (said and has_seen)
    assert said == (["Own before EarlyStopping in the list"] if is_found else [])


@pytest.mark.parametrize("held", ["[save, own]", "[own, save]", "[other, save, own]"])
def test_a_file_named_by_a_value_that_comes_later_is_refused_as_keras_does(
    held: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "import numpy as np\nimport keras\nx = y = np.zeros((4, 1), 'float32')\n"
    text += DENSE + COMPILE + OWN.replace("BODY", DIRECT)
    text += "save = keras.callbacks.ModelCheckpoint('{val_f1:.2f}.keras')\n"
    text += f"model.fit(x, y, verbose=0, callbacks={held})\n"
    monkeypatch.chdir(tmp_path)
    raised = held.startswith("[save")
    with pytest.raises(KeyError) if raised else contextlib.nullcontext():
        run_script(text)
    found = findings_in(tmp_path, text)
    fixes = {finding.code: finding.fix for finding in found}
    late = "Own before ModelCheckpoint in the list" if raised else None
    assert fixes.get("absent-field") == late


@pytest.mark.parametrize("every", [1, 2])
def test_a_file_named_by_a_validation_that_not_each_epoch_has_is_refused_as_keras_does(
    every: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "import numpy as np\nimport keras\nx = y = np.zeros((4, 1), 'float32')\n"
    text += f"{DENSE}{COMPILE}"
    text += "save = keras.callbacks.ModelCheckpoint('{epoch}-{val_loss:.2f}.keras')\n"
    text += "model.fit(x, y, epochs=2, validation_data=(x, y), verbose=0,\n"
    text += f"          validation_freq={every}, callbacks=[save])\n"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyError) if every > 1 else contextlib.nullcontext():
        run_script(text)
    found = findings_in(tmp_path, text)
    codes = [finding.code for finding in found]
    assert codes == (["absent-field"] if every > 1 else [])


OF_LOOP = "('val_loss', 'val_rmse', 'val_mae')"
STOP = "keras.callbacks.EarlyStopping(m, mode='min', restore_best_weights=True)"


@pytest.mark.parametrize(
    ("made", "held"),
    [
        ("", f"[{STOP} for m in {OF_LOOP}]"),
        (
            f"stops = []\nfor m in {OF_LOOP}:\n    stops.append({STOP})\n",
            "stops",
        ),
    ],
)
def test_of_several_monitors_the_absent_one_is_named(
    made: str, held: str, tmp_path: Path
) -> None:
    text = (
        "import keras\nimport numpy as np\nx = y = np.ones((4, 1), 'float32')\n"
        f"{DENSE}{COMPILE}{made}"
        "history = model.fit(x, y, validation_data=(x, y), verbose=0, "
        f"callbacks={held})"
    )
    names = run_script(text)
    found = findings_in(tmp_path, text)
    assert [finding.code for finding in found] == ["absent-monitor"]
    (named,) = {
        monitor
        for monitor in ("val_loss", "val_rmse", "val_mae")
        if f"no {monitor!r}" in found[0].message
    }
    assert named not in names["history"].history
