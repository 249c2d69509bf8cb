"""Keras's own callbacks on a stand-in model, fed one epoch after another.

As a script it drives the Keras of its own environment: the package's name is its
argument; it writes the version, and to every line with a JSON list of questions one
with the answers. It imports nothing of cbreplay, so that any environment with a Keras
can run it.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class _StandInModel:
    """A model whose weights are the number of the epoch that they come from."""

    def __init__(self, optimizer: Any, callbacks: Sequence[Any]) -> None:
        self.optimizer = optimizer
        self.weights: int | None = None
        self.saves: list[tuple[int, str, int | None]] = []
        self.stopped_by: set[int] = set()
        self.callbacks = callbacks

    @property
    def stop_training(self) -> bool:
        return bool(self.stopped_by)

    @stop_training.setter
    def stop_training(self, stop: bool) -> None:
        assert stop
        self.stopped_by.add(caller(self.callbacks))

    @property
    def distribute_strategy(self) -> Any:
        """Return what ModelCheckpoint of Keras 2 asks for its file."""
        import tensorflow as tf

        return tf.distribute.get_strategy()

    def get_weights(self) -> int | None:
        return self.weights

    def save(self, filepath: Any, overwrite: bool = True, **_: Any) -> None:  # noqa: FBT001, FBT002
        assert overwrite
        self.saves.append((caller(self.callbacks), os.fspath(filepath), self.weights))
        Path(filepath).write_text(str(self.weights))

    save_weights = save

    def set_weights(self, weights: int | None) -> None:
        self.weights = weights


def caller(callbacks: Sequence[Any]) -> int:
    """Return which callback of the list is at work further up the stack."""
    frame = sys._getframe(1)
    while True:
        index = _index(callbacks, frame.f_locals.get("self"))
        if index is not None:
            return index
        assert frame.f_back is not None
        frame = frame.f_back


def _index(callbacks: Sequence[Any], one: Any) -> int | None:
    return next((i for i, other in enumerate(callbacks) if other is one), None)


@dataclass
class Driven:
    """What the real callbacks did."""

    stopped_epoch: int | None = None
    # which callbacks of the list asked for the stop
    stopped_by: list[int] = field(default_factory=list)
    kept_epoch: int | None = None
    rates: list[float] = field(default_factory=list)
    counters: list[list[dict[str, Any]]] = field(default_factory=list)
    # each file written: epoch, name, by which callback, whose weights; and what is
    # left on the disk
    saves: list[tuple[int, str, int, int | None]] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    # the keys that the logs have gained
    written: list[str] = field(default_factory=list)
    # what Keras raised, at which everything ended
    error: str | None = None


_COUNTERS = ("wait", "best", "best_epoch", "cooldown_counter")


class Written:
    """A schedule as the text of a function, which another process can read."""

    def __init__(self, text: str) -> None:
        import numpy as np

        self.text = text
        self.function = eval(text, {"np": np})  # noqa: S307 - a text of the tests

    def __call__(self, *given: Any) -> Any:
        return self.function(*given)

    def __repr__(self) -> str:
        return self.text


def drive(
    callbacks: Sequence[Any],
    logs: Sequence[dict[str, float]],
    *,
    learning_rate: float,
    first_epoch: int = 0,
    keras: Any = None,
) -> Driven:
    """Let a real CallbackList call the hooks of real callbacks as ``fit`` does."""
    if keras is None:
        keras = importlib.import_module("keras")
    model = _StandInModel(_optimizer(keras, learning_rate), callbacks)
    driven = Driven()
    listed = keras.callbacks.CallbackList(
        list(callbacks), add_history=True, model=model, verbose=0, epochs=len(logs)
    )
    try:
        _fit(listed, model, logs, driven, first_epoch)
    except RuntimeError as error:
        # TerminateOnNaN: fit ends here, no more hooks are called
        epoch = first_epoch + len(driven.rates) - 1
        driven.stopped_epoch = driven.kept_epoch = epoch
        model.stopped_by.add(raiser(callbacks, error))
        driven.counters.append(_counters(callbacks))
    except (ValueError, KeyError, OverflowError) as error:
        driven.error = f"{type(error).__name__}: {error}"
    driven.rates.append(_rate(model))
    driven.stopped_by = sorted(model.stopped_by)
    driven.files = {name: int(Path(name).read_text()) for _, name, *_ in driven.saves}
    recorded = {key for epoch_logs in logs for key in epoch_logs}
    driven.written = sorted(listed._history.history.keys() - recorded)
    return driven


def _fit(
    listed: Any,
    model: _StandInModel,
    logs: Sequence[dict[str, float]],
    driven: Driven,
    first_epoch: int,
) -> None:
    listed.on_train_begin()
    for epoch, recorded in enumerate(logs, start=first_epoch):
        model.weights = epoch
        listed.on_epoch_begin(epoch)
        driven.rates.append(_rate(model))
        trained = {k: v for k, v in recorded.items() if not k.startswith("val_")}
        listed.on_train_batch_begin(0)
        listed.on_train_batch_end(0, trained)
        listed.on_epoch_end(epoch, dict(recorded))
        driven.saves += [(epoch, name, by, of) for by, name, of in model.saves]
        model.saves.clear()
        driven.counters.append(_counters(model.callbacks))
        if model.stop_training:
            driven.stopped_epoch = epoch
            break
    listed.on_train_end()
    driven.kept_epoch = model.weights


_OPTIMIZERS: dict[str, Any] = {}


def _optimizer(keras: Any, learning_rate: float) -> Any:
    """Return an optimizer at this rate; building one takes longer than a training."""
    optimizer = _OPTIMIZERS.get(keras.__name__)
    if optimizer is None:
        optimizer = keras.optimizers.SGD(learning_rate=learning_rate)
        _OPTIMIZERS[keras.__name__] = optimizer
    optimizer.learning_rate = learning_rate
    return optimizer


def _rate(model: _StandInModel) -> float:
    import numpy as np

    return float(np.asarray(model.optimizer.learning_rate))


def raiser(callbacks: Sequence[Any], error: BaseException) -> int:
    """Return which callback raised."""
    found = None
    trace = error.__traceback__
    while trace is not None:
        index = _index(callbacks, trace.tb_frame.f_locals.get("self"))
        found = found if index is None else index
        trace = trace.tb_next
    assert found is not None
    return found


def _counters(callbacks: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {name: getattr(one, name) for name in _COUNTERS if hasattr(one, name)}
        for one in callbacks
    ]


def parameters(callback: Any) -> tuple[str, dict[str, Any]]:
    """Return the class's name, and what differs from the defaults, of one of ours."""
    given = {
        one.name: getattr(callback, one.name)
        for one in fields(callback)
        if one.default is MISSING or getattr(callback, one.name) != one.default
    }
    if isinstance(given.get("schedule"), Written):
        given["schedule"] = given["schedule"].text
    return type(callback).__name__, given


def as_keras(callback: Any, keras: Any = None) -> Any:
    """Build the real callback with the parameters of one of ours."""
    if keras is None:
        keras = importlib.import_module("keras")
    return _build(keras, *parameters(callback))


def _build(keras: Any, kind: str, given: dict[str, Any]) -> Any:
    if "schedule" in given:
        given = {**given, "schedule": _as_function(given["schedule"])}
    return getattr(keras.callbacks, kind)(**given)


def _as_function(schedule: Any) -> Any:
    """Return a text as the function it is, and a table as one, written without ours."""
    if isinstance(schedule, str):
        return Written(schedule)
    if callable(schedule):
        return schedule
    table = {int(first): rate for first, rate in schedule.items()}

    def look_up(epoch: int, rate: float) -> float:
        for first, since in sorted(table.items()):
            rate = since if first <= epoch else rate
        return rate

    return look_up


def answer(keras: Any, question: dict[str, Any]) -> Any:
    """Answer a training with what was decided, a model with its directions."""
    if "metrics" in question:
        return _directions(keras, question["metrics"])
    if "signatures" in question:
        return {kind: _signature(keras, kind) for kind in question["signatures"]}
    try:
        callbacks = [_build(keras, *one) for one in question["callbacks"]]
    except (TypeError, ValueError) as error:
        refused = vars(Driven(error=f"{type(error).__name__}: {error}"))
        return [refused for _ in question["fits"]] if "fits" in question else refused
    # the same instances in every fit
    fits = [
        vars(
            drive(
                callbacks,
                logs,
                learning_rate=question["learning_rate"],
                first_epoch=question["first_epoch"],
                keras=keras,
            )
        )
        for logs in question.get("fits", [question["logs"]])
    ]
    return fits if "fits" in question else fits[0]


def _signature(keras: Any, kind: str) -> list[list[Any]]:
    """Return the parameters of a callback with their defaults, in order."""
    import inspect

    signed = inspect.signature(getattr(keras.callbacks, kind)).parameters
    return [
        [name] if one.default is one.empty else [name, one.default]
        for name, one in signed.items()
    ]


_MONITORING = ("EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint")


def _directions(keras: Any, metrics: list[str]) -> dict[str, dict[str, str]]:
    """Fit a model once, and let the callbacks resolve every key it logs."""
    import numpy as np

    def own_metric(y_true: Any, y_pred: Any) -> Any:
        return y_true[..., :1] * 0 + y_pred[..., :1]

    def fmeasure_own(y_true: Any, y_pred: Any) -> Any:
        return own_metric(y_true, y_pred)

    own = {one.__name__: one for one in (own_metric, fmeasure_own)}

    def build(name: str) -> Any:
        if name in own:
            return own[name]
        # a class's name makes a metric of its own, any other is left to compile
        return getattr(keras.metrics, name)() if name[0].isupper() else name

    model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "mse", metrics=[build(name) for name in metrics])
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    history = model.fit(x, y, validation_data=(x, y), verbose=0)
    return {
        key: {kind: _direction(keras, kind, key, model) for kind in _MONITORING}
        for key in history.history
    }


def _direction(keras: Any, kind: str, monitor: str, model: Any) -> str:
    given = {"filepath": "a.keras"} if kind == "ModelCheckpoint" else {}
    callback = getattr(keras.callbacks, kind)(monitor=monitor, **given)
    callback.set_model(model)
    if callback.monitor_op is None:
        try:
            callback._set_monitor_op()
        except ValueError:
            return "ValueError"
    return "min" if bool(callback.monitor_op(1.0, 2.0)) else "max"


def _main() -> None:
    import json
    import logging
    import tempfile

    # callbacks print; only answers go to who asks
    answers, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: PTH123, SIM115
    keras = importlib.import_module(sys.argv[1])
    logging.disable(logging.CRITICAL)  # tf_keras logs every epoch without the monitor
    # ModelCheckpoint writes where it stands
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        print(json.dumps(keras.__version__), file=answers, flush=True)
        for line in sys.stdin:
            answered = [answer(keras, one) for one in json.loads(line)]
            print(json.dumps(answered), file=answers, flush=True)


if __name__ == "__main__":
    _main()
