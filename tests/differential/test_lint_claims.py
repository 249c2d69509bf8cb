"""What `lint` says of patience, by the real callbacks of the installed Keras."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import (
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    lint_callbacks,
)
from cbreplay.lint.scripts import BESIDE_SCHEDULES, lint_script, unchecked_rates
from cbreplay.scripts.training_scripts import read_training_script
from tests.oracles.keras_driver import as_keras, drive
from tests.oracles.keras_versions import VERSIONS, path_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.keras,
    # what Keras says of a monitor that is not there
    pytest.mark.filterwarnings("ignore"),
]
NOISY = [
    {"loss": loss, "val_loss": loss}
    for loss in (0.9, 0.7, 0.8, 0.6, 0.65, 0.66, 0.67, 0.68, 0.69, 0.7)
]


@pytest.mark.parametrize(
    ("patience", "acts_as"), [(0, 1), (0.5, 1), (1.5, 2), (2.25, 3), (3.0, 3)]
)
def test_patience_acts_as_the_next_whole_number_and_zero_as_one(
    patience: float, acts_as: int
) -> None:
    both = [
        drive(
            [as_keras(ReduceLROnPlateau(patience=given, factor=0.5))],
            NOISY,
            learning_rate=1.0,
        ).rates
        for given in (patience, acts_as)
    ]
    assert both[0] == both[1]
    assert min(both[0]) < 1
    stops = [
        drive(
            [as_keras(EarlyStopping(patience=given))], NOISY, learning_rate=1.0
        ).stopped_epoch
        for given in (patience, acts_as)
    ]
    assert stops[0] == stops[1]
    assert stops[0] is not None


@pytest.fixture(scope="module")
def fitted() -> Any:
    """Return a function that trains a model of two outputs under a callback."""
    import keras

    given = keras.Input((2,))
    outputs = [keras.layers.Dense(1, name=name)(given) for name in ("a", "b")]
    model = keras.Model(given, outputs)

    def distance(y_true: Any, y_pred: Any) -> Any:
        return abs(y_true - y_pred)

    model.compile(loss=["mse", "mse"], metrics=[["mae", distance], ["accuracy"]])
    x, y = np.ones((4, 2)), np.ones((4, 1))

    def fit(callback: Any) -> dict[str, list[float]]:
        history = model.fit(
            x,
            [y, y],
            validation_data=(x, [y, y]),
            epochs=2,
            verbose=0,
            callbacks=[callback],
        )
        logs: dict[str, list[float]] = history.history
        return logs

    return fit


@pytest.mark.parametrize("kind", [EarlyStopping, ReduceLROnPlateau, ModelCheckpoint])
@pytest.mark.parametrize(
    "monitor", ["val_a_loss", "val_a_distance", "val_a_mae", "val_acc", "val_loss"]
)
def test_keras_raises_only_where_auto_is_said_to_be_unknown_or_the_monitor_absent(
    kind: Any, monitor: str, fitted: Any, tmp_path: Path
) -> None:
    path = (str(tmp_path / "a.keras"),) if kind is ModelCheckpoint else ()
    callback = kind(*path, monitor=monitor)
    run = Run.from_logs([dict.fromkeys(fitted(_none()), 0.5)])
    told = {one.code: one.reason for one in lint_callbacks(callback, run=run)}
    try:
        fitted(as_keras(callback))
        raised = False
    except ValueError:
        raised = True
    assert raised is (monitor != "val_loss")
    assert (
        "auto-unknown" in told or "ValueError" in told.get("absent-monitor", "")
    ) is (raised)


def _none() -> Any:
    import keras

    return keras.callbacks.Callback()


def test_what_keras_does_with_values_that_it_does_not_take() -> None:
    import keras

    callbacks = keras.callbacks
    for factor in (1, 1.5):
        with pytest.raises(ValueError, match="factor >= 1"):
            callbacks.ReduceLROnPlateau(factor=factor)
    for save_freq in ("batch", 2.5, None):
        with pytest.raises(ValueError, match="Unrecognized save_freq"):
            callbacks.ModelCheckpoint("a.keras", save_freq=save_freq)
    callbacks.ModelCheckpoint("a.keras", save_freq=True)
    with pytest.warns(UserWarning, match="fallback to auto"):
        stop = callbacks.EarlyStopping(mode="maximum")
    assert stop.mode == "auto"


REFUSED_CALLS = [
    "LearningRateScheduler()",
    "ModelCheckpoint(monitor='loss')",
    "EarlyStopping('loss', 0, 5, 0, 'min', None, True, 0, 1)",
    "EarlyStopping('loss', monitor='val_loss')",
    "TerminateOnNaN(True, 1)",
    "ReduceLROnPlateau('loss', 0.1, 5, 0, 'min', 0, 0, 0, 1)",
    "ModelCheckpoint('a.keras', 'loss', 0, True, False, 'min', 'epoch', None, 0, 1)",
    "ModelCheckpoint('a.keras', 'loss', 0, True, False, 'min', 'epoch', None, 0)",
    "EarlyStopping(min_delta='0.1')",
    "EarlyStopping(min_delta=None)",
    "ReduceLROnPlateau(factor='0.1')",
    "ReduceLROnPlateau(factor=None)",
]
REFUSED_LATER = [
    "EarlyStopping(patience='5')",
    "EarlyStopping(patience=None)",
    "EarlyStopping(patience=[5])",
    "EarlyStopping(start_from_epoch='5')",
    "ReduceLROnPlateau(patience='5')",
    "ReduceLROnPlateau(patience=None)",
]


@pytest.mark.parametrize("call", [*REFUSED_CALLS, *REFUSED_LATER])
def test_a_call_that_is_said_to_be_a_type_error_is_one(
    call: str, tmp_path: Path
) -> None:
    import keras

    script = tmp_path / "train.py"
    text = f"from keras.callbacks import *\nm.fit(x, y, callbacks=[{call}])\n"
    script.write_text(text)
    found = lint_script(read_training_script(str(script)))
    codes = ("refused-call", "refused-value")
    (said,) = [one.finding for one in found if one.finding.code in codes]
    assert "raises TypeError" in said.message
    assert ("in the first epoch" in said.message) is (call in REFUSED_LATER)
    if call in REFUSED_CALLS:
        with pytest.raises(TypeError):
            eval(call, vars(keras.callbacks))  # noqa: S307 - a text from above
        return
    callback = eval(call, vars(keras.callbacks))  # noqa: S307 - a text from above
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    callback.set_model(model)
    callback.on_train_begin()
    if "start_from_epoch" not in call:
        # an improvement, as the first value always is
        callback.on_epoch_end(0, {"val_loss": 0.5})
    with pytest.raises(TypeError):
        callback.on_epoch_end(1, {"val_loss": 0.6})


def test_the_old_keras_inside_tensorflow_stops_at_a_first_value() -> None:
    """With patience=0, which acts as 1 in Keras: so it is no callback of Keras."""
    import types

    from tensorflow.python.keras.callbacks import EarlyStopping as OldStopping

    stops = []
    for stop in (OldStopping(patience=0), as_keras(EarlyStopping(patience=0))):
        stop.set_model(types.SimpleNamespace(stop_training=False))
        stop.monitor_op = np.less
        stop.on_train_begin()
        stop.on_epoch_end(0, {"val_loss": 1.0})
        stops.append(stop.model.stop_training)
    assert stops == [True, False]


# the zero-based epoch in which Keras raises an error, by the losses below
TEXTS_FOR_NUMBERS = [
    ("ReduceLROnPlateau(patience=1, cooldown='2')", 2),
    ("ReduceLROnPlateau(patience=1, cooldown=None)", 2),
    ("ReduceLROnPlateau(patience=1, cooldown=[2])", 2),
    ("ReduceLROnPlateau(patience=1, min_lr='1e-6')", 1),
    ("EarlyStopping(patience=1, baseline='0.5')", 0),
    ("ReduceLROnPlateau(patience=1, verbose='1')", 1),
]


@pytest.mark.parametrize(("call", "epoch"), TEXTS_FOR_NUMBERS)
def test_a_text_for_a_number_fails_when_it_is_said_to(
    call: str, epoch: int, tmp_path: Path
) -> None:
    import keras

    script = tmp_path / "train.py"
    text = f"from keras.callbacks import *\nm.fit(x, y, callbacks=[{call}])\n"
    script.write_text(text)
    (said,) = [
        one.finding.message
        for one in lint_script(read_training_script(str(script)))
        if one.finding.code == "refused-value"
    ]
    when = ["in the first epoch that it judges", "where it would first reduce"]
    when.append("in the first epoch after one in which it reduces")
    assert when[epoch] in said
    callback = eval(call, vars(keras.callbacks))  # noqa: S307 - a text from above
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    callback.set_model(model)
    callback.on_train_begin()
    # an improvement, and two that are none
    for at, loss in enumerate((0.5, 0.6, 0.6)):
        if at == epoch:
            with pytest.raises((TypeError, ValueError)):
                callback.on_epoch_end(at, {"val_loss": loss})
            return
        callback.on_epoch_end(at, {"val_loss": loss})


@pytest.mark.parametrize("verbose", ["1", None])
def test_a_text_as_verbose_fails_when_training_stops_or_a_file_is_saved(
    tmp_path: Path, verbose: object
) -> None:
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    stop = keras.callbacks.EarlyStopping(patience=1, verbose=verbose)
    saving = keras.callbacks.ModelCheckpoint(str(tmp_path / "a.keras"), verbose=verbose)
    for callback in (stop, saving):
        callback.set_model(model)
        callback.on_train_begin()
    with pytest.raises(TypeError):
        saving.on_epoch_end(0, {"val_loss": 0.5})
    for at in range(2):
        stop.on_epoch_end(at, {"val_loss": 0.5})
    with pytest.raises(TypeError):
        stop.on_train_end()


def test_a_floor_of_none_lets_no_rate_be_reduced() -> None:
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    rates = []
    for floor in (None, 0):
        plateau = keras.callbacks.ReduceLROnPlateau(patience=1, min_lr=floor)
        plateau.set_model(model)
        plateau.on_train_begin()
        for at in range(3):
            plateau.on_epoch_end(at, {"val_loss": 0.5})
        rates.append(float(np.asarray(model.optimizer.learning_rate)))
    # the second and the third value are no improvement
    assert rates == [0.5, pytest.approx(0.005)]


@pytest.mark.parametrize("best_only", [True, False])
def test_a_text_as_threshold_fails_where_it_is_compared(
    tmp_path: Path, *, best_only: bool
) -> None:
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    saving = keras.callbacks.ModelCheckpoint(
        str(tmp_path / "a.keras"),
        save_best_only=best_only,
        initial_value_threshold="0.5",
    )
    saving.set_model(model)
    saving.on_train_begin()
    expected = contextlib.nullcontext()
    with pytest.raises((TypeError, ValueError)) if best_only else expected:
        saving.on_epoch_end(0, {"val_loss": 0.25})


def test_a_text_that_says_false_restores_the_weights() -> None:
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights="False")
    stop.set_model(model)
    stop.on_train_begin()
    for at, loss in enumerate((0.5, 0.75, 0.75)):
        model.set_weights([np.array([[float(at)]])])
        stop.on_epoch_end(at, {"val_loss": loss})
    stop.on_train_end()
    assert model.get_weights()[0] == 0.0


@pytest.mark.parametrize(
    ("field", "raises"),
    [
        ("val_acc", True),
        ("batch", True),
        ("val_loss", True),
        ("accuracy:.2f", False),
        ("loss", False),
    ],
)
def test_a_file_named_after_what_is_not_logged_is_a_key_error(
    tmp_path: Path, *, field: str, raises: bool
) -> None:
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["accuracy"])
    path = str(tmp_path / f"{{epoch}}-{{{field}}}.keras")
    each = keras.callbacks.ModelCheckpoint(path)
    x, y = np.ones((4, 2)), np.ones((4, 1))
    expected = pytest.raises(KeyError) if raises else contextlib.nullcontext()
    with expected:
        model.fit(x, y, epochs=1, verbose=0, callbacks=[each])


@pytest.mark.parametrize("given", ["alone", "scaled", "later", "set"])
def test_a_plateau_beside_a_schedule_raises_where_it_would_reduce(given: str) -> None:
    import keras

    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.SGD(0.1 if given in ("later", "set") else rate)
    if given == "scaled":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    if given == "later":
        optimizer.learning_rate = rate
    model.compile(optimizer, "mse")
    if given == "set":
        model.optimizer.learning_rate = rate
    x, y = np.ones((4, 2)), np.ones((4, 1))

    def fit(patience: int) -> None:
        # no value is better by 100
        reducer = ReduceLROnPlateau("loss", patience=patience, min_delta=100)
        model.fit(x, y, epochs=3, verbose=0, callbacks=[as_keras(reducer)])

    fit(patience=5)
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        fit(patience=2)
    scheduler = keras.callbacks.LearningRateScheduler(lambda _, rate: rate * 0.9)
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        model.fit(x, y, epochs=1, verbose=0, callbacks=[scheduler])


def test_a_plateau_cannot_set_a_rate_that_is_a_function() -> None:
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(lambda: 0.1), "mse")
    x, y = np.ones((4, 2)), np.ones((4, 1))
    reducer = as_keras(ReduceLROnPlateau("loss", patience=1, min_delta=100))
    with pytest.raises(AttributeError, match="assign"):
        model.fit(x, y, epochs=3, verbose=0, callbacks=[reducer])


SCRIPT = """
import keras
import numpy as np
from keras.callbacks import ReduceLROnPlateau
from keras.optimizers import Adam, LossScaleOptimizer
from keras.optimizers.schedules import CosineDecay
x, y = np.ones((4, 2)), np.ones((4, 1))
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
FALLING, LOSS = CosineDecay(0.1, 9), "mse"
{}
fall = ReduceLROnPlateau("loss", patience=1, min_delta=100, factor=0.5, min_lr=1e-9)
model.fit(x, y, epochs=3, verbose=0, callbacks=[fall])
"""


@pytest.mark.parametrize(
    ("compiled", "told"),
    [
        ("model.compile(Adam(0.1), LOSS)", "nothing"),
        (
            "model.compile('adam', LOSS)\nmodel.optimizer.learning_rate = 0.1",
            "nothing",
        ),
        ("model.compile(Adam(FALLING), LOSS)", "found"),
        (
            (
                "best = Adam(FALLING)\nbest = LossScaleOptimizer(best)\n"
                "model.compile(best, LOSS)"
            ),
            "found",
        ),
        (
            "all = [Adam(FALLING), Adam(0.1)]\nmodel.compile(all[0], LOSS)",
            "found",
        ),
        ("d = {'optimizer': Adam(FALLING)}\nmodel.compile(loss=LOSS, **d)", "found"),
        (
            (
                "kind = max('a', 'b')\nd = {'a': FALLING, "
                "'b': CosineDecay(0.2, 9)}\nmodel.compile(Adam(d[kind]), LOSS)"
            ),
            "found",
        ),
        (
            (
                "class Own(CosineDecay):\n    pass\nclass Last(Own):\n    pass\n"
                "model.compile(Adam(Last(0.1, 9)), LOSS)"
            ),
            "found",
        ),
        (
            "model.compile('adam', LOSS)\nmodel.optimizer.learning_rate = FALLING",
            "named",
        ),
        (
            (
                "model.compile('adam', LOSS)\n"
                "setattr(model.optimizer, 'learning_rate', FALLING)"
            ),
            "named",
        ),
        (
            "rate = 0.1\nif 1:\n    rate = FALLING\nmodel.compile(Adam(rate), LOSS)",
            "named",
        ),
        ("model.compile(Adam(lambda: 0.1), LOSS)", "named"),
    ],
)
def test_no_script_is_passed_by_in_silence_whose_rate_cannot_be_set(
    tmp_path: Path, compiled: str, told: str
) -> None:
    """What Keras refuses is found, or named as not read; what it takes is neither."""
    text = SCRIPT.format(compiled)
    script = tmp_path / "train.py"
    script.write_text(text)
    read = read_training_script(str(script))
    found = lint_script(read, semantics="keras-3.15")
    beside = [placed for placed in found if placed.finding.code in BESIDE_SCHEDULES]
    assert len(beside) == (told == "found")
    assert len(list(unchecked_rates(read))) == (told == "named")
    refused = pytest.raises((TypeError, AttributeError))
    with contextlib.nullcontext() if told == "nothing" else refused:
        exec(compile(text, "train.py", "exec"), {})  # noqa: S102 - written above


# fits of two batches an epoch, by two kinds of optimizers, with a callback or without
BESIDE_A_SCHEDULE = """
import importlib, json, sys
import numpy as np
keras = importlib.import_module(sys.argv[1])
makers = {"": keras.optimizers}
if not keras.__version__.startswith("3"):
    makers["legacy"] = keras.optimizers.legacy
kinds = {
    "none": keras.callbacks.Callback,
    "plateau": lambda: keras.callbacks.ReduceLROnPlateau(
        monitor="loss", patience=1, min_delta=100, factor=0.1
    ),
    "scheduler": lambda: keras.callbacks.LearningRateScheduler(lambda _, r: r * 0.1),
}
x, y = np.ones((4, 2)), np.ones((4, 1))

def fitted(module, kind, is_later):
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    model.compile(makers[module].SGD(0.05 if is_later else rate), "mse")
    if is_later:
        model.optimizer.learning_rate = rate
    try:
        model.fit(x, y, epochs=4, batch_size=2, verbose=0, callbacks=[kinds[kind]()])
    except (TypeError, ValueError) as error:
        return type(error).__name__
    return [weights.tolist() for weights in model.get_weights()]

def each(module, is_later):
    return {kind: fitted(module, kind, is_later) for kind in kinds}

told = {module: each(module, False) for module in makers}
print(json.dumps(told | {"later": each("", True)}))
"""


def beside_a_schedule(version: Any) -> Any:
    """Return the weights of fits in another Keras, or their errors."""
    environment = os.environ | {"PYTHONPATH": path_of(version)}
    command = [sys.executable, "-W", "ignore", "-c", BESIDE_A_SCHEDULE]
    asked = subprocess.run(  # noqa: S603 - the text above
        [*command, version.package],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return json.loads(asked.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ["keras-2.15", "tf_keras-2.21"])
def test_a_schedule_of_keras_2_trains_at_its_own_rates(name: str) -> None:
    version = next(one for one in VERSIONS if one.semantics == name)
    if not version.is_prepared():
        pytest.skip(f"{name} is not prepared")
    fits = beside_a_schedule(version)
    assert len(fits[""]["none"]) == 2  # a kernel and a bias
    # set after the optimizer was made, it trains alike; a scheduler finds no rate
    assert fits["later"] == fits[""] | {"scheduler": "ValueError"}
    for kind, callback in (
        ("plateau", ReduceLROnPlateau()),
        ("scheduler", LearningRateScheduler({0: 0.1})),
    ):
        assert fits[""][kind] == fits[""]["none"]
        assert fits["legacy"][kind] == "TypeError"
        (told,) = lint_callbacks(callback, schedule="ExponentialDecay", semantics=name)
        assert "no rate that is trained at" in told.message
        assert told.reason.endswith("of optimizers.legacy it is a TypeError")


@pytest.mark.parametrize("name", ["keras-3.0", "keras-3.6", "keras-3.13"])
def test_keras_3_sets_no_rate_whenever_the_schedule_was_set(name: str) -> None:
    version = next(each for each in VERSIONS if each.semantics == name)
    if not version.is_prepared():
        pytest.skip(f"{name} is not prepared")
    fits = beside_a_schedule(version)
    assert len(fits["later"]["none"]) == 2  # a kernel and a bias
    for when in ("", "later"):
        assert {fits[when][kind] for kind in ("plateau", "scheduler")} == {"TypeError"}


def test_no_value_between_0_and_1_is_better_by_a_min_delta_of_one() -> None:
    values = [0.0, 1.0, 0.25, 1.0, 1.0]
    logs = [{"loss": 1.0, "val_auc": value} for value in values]
    stopping = EarlyStopping(
        "val_auc", min_delta=1, mode="max", patience=4, restore_best_weights=True
    )
    (told,) = lint_callbacks(stopping)
    assert told.code == "min-delta-beyond-range"
    stop = drive([as_keras(stopping)], logs, learning_rate=1.0).stopped_epoch
    # four values after the first, whatever they are
    assert stop == len(values) - 1


@pytest.mark.parametrize(
    ("given", "n_said"),
    [
        ("save_best_only=True, save_freq=2", 1),
        ("save_best_only=True, save_freq=2 * 1", 1),
        ("save_best_only=True, monitor='loss', save_freq=2", 0),
        ("save_freq=2", 0),
        ("save_best_only=True, save_freq='epoch'", 0),
    ],
)
def test_in_batches_a_checkpoint_compares_no_value_of_the_validation(
    tmp_path: Path, given: str, n_said: int
) -> None:
    """Of two batches an epoch each second one is an epoch's last."""
    path = str(tmp_path / "{epoch}.keras")
    text = (
        "import keras\nimport numpy as np\n"
        "x, y = np.zeros((4, 1), 'float32'), np.zeros((4, 1), 'float32')\n"
        "model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])\n"
        "model.compile('sgd', 'mse')\n"
        f"saving = keras.callbacks.ModelCheckpoint({path!r}, {given})\n"
        "model.fit(x, y, batch_size=2, epochs=3, verbose=0, validation_data=(x, y), "
        "callbacks=[saving])\n"
    )
    script = tmp_path / "train.py"
    script.write_text(text)
    found = [
        placed.finding.message
        for placed in lint_script(read_training_script(str(script)))
    ]
    assert len([said for said in found if said.startswith("save_freq")]) == n_said
    assert len(found) == n_said

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile(text, "train.py", "exec"), {})  # noqa: S102 - written above
    # that it has no value to compare is what Keras warns of, and saves all the same
    assert any("Can save best model only" in str(w.message) for w in caught) == n_said
    if n_said:
        assert len([*tmp_path.glob("*.keras")]) == 3
