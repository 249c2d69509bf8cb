"""Keras's own callbacks on a stand-in model, fed one epoch after another.

As a script it drives the Keras of its own environment: the package's name is its
argument, a JSON list of questions its input, version and answers its output. It
imports nothing of cbreplay, so that any environment with a Keras can run it.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class _StandInModel:
    """A model whose weights are the number of the epoch that they come from."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.stop_training = False
        self.weights: int | None = None
        self.saves: list[tuple[str, int | None]] = []

    def get_weights(self) -> int | None:
        return self.weights

    def save(self, filepath: Any, overwrite: bool = True, **_: Any) -> None:  # noqa: FBT001, FBT002
        assert overwrite
        self.saves.append((os.fspath(filepath), self.weights))
        Path(filepath).write_text(str(self.weights))

    save_weights = save

    def set_weights(self, weights: int | None) -> None:
        self.weights = weights


@dataclass
class Driven:
    """What the real callbacks did."""

    stopped_epoch: int | None = None
    kept_epoch: int | None = None
    rates: list[float] = field(default_factory=list)
    counters: list[list[dict[str, Any]]] = field(default_factory=list)
    # each file written: epoch, name, whose weights; and what is left on the disk
    saves: list[tuple[int, str, int | None]] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    # the keys that the last epoch's logs have gained
    written: list[str] = field(default_factory=list)


_COUNTERS = ("wait", "best", "best_epoch", "cooldown_counter")


def drive(
    callbacks: Sequence[Any],
    logs: Sequence[dict[str, float]],
    *,
    learning_rate: float,
    first_epoch: int = 0,
    keras: Any = None,
) -> Driven:
    """Call the hooks of real Keras callbacks as ``fit`` does."""
    import numpy as np

    if keras is None:
        keras = importlib.import_module("keras")
    model = _StandInModel(keras.optimizers.SGD(learning_rate=learning_rate))
    driven = Driven()
    for callback in callbacks:
        callback.set_model(model)
        callback.on_train_begin({})
    for epoch, recorded in enumerate(logs, start=first_epoch):
        for callback in callbacks:
            callback.on_epoch_begin(epoch, {})
        driven.rates.append(float(np.asarray(model.optimizer.learning_rate)))
        model.weights = epoch
        shared = dict(recorded)
        try:
            for callback in callbacks:
                callback.on_train_batch_end(0, {**recorded})
        except RuntimeError:
            # fit ends here: neither on_epoch_end nor on_train_end is called
            driven.stopped_epoch = driven.kept_epoch = epoch
            driven.counters.append(_counters(callbacks))
            driven.rates.append(float(np.asarray(model.optimizer.learning_rate)))
            driven.files = _files(driven)
            return driven
        for callback in callbacks:
            callback.on_epoch_end(epoch, shared)
            driven.saves += [(epoch, *one) for one in model.saves]
            model.saves.clear()
        driven.written = sorted(shared.keys() - recorded.keys())
        driven.counters.append(_counters(callbacks))
        if model.stop_training:
            driven.stopped_epoch = epoch
            break
    for callback in callbacks:
        callback.on_train_end({})
    driven.rates.append(float(np.asarray(model.optimizer.learning_rate)))
    driven.kept_epoch = model.weights
    driven.files = _files(driven)
    return driven


def _files(driven: Driven) -> dict[str, int]:
    """Read back whose weights each file holds."""
    return {file: int(Path(file).read_text()) for _, file, _ in driven.saves}


def _counters(callbacks: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {name: getattr(one, name) for name in _COUNTERS if hasattr(one, name)}
        for one in callbacks
    ]


def parameters(callback: Any) -> tuple[str, dict[str, Any]]:
    """Return the class's name and the parameters of one of our callbacks."""
    from dataclasses import fields

    given = {one.name: getattr(callback, one.name) for one in fields(callback)}
    return type(callback).__name__, given


def as_keras(callback: Any) -> Any:
    """Build the real callback with the parameters of one of ours."""
    import keras

    kind, given = parameters(callback)
    if kind == "LearningRateScheduler":
        given["schedule"] = _as_function(given["schedule"])
    return getattr(keras.callbacks, kind)(**given)


def _as_function(schedule: Any) -> Any:
    """Return a table as a function, written without ours."""
    if callable(schedule):
        return schedule

    def look_up(epoch: int, rate: float) -> float:
        for first, since in schedule.items():
            rate = since if first <= epoch else rate
        return rate

    return look_up


def answer(keras: Any, question: dict[str, Any]) -> Any:
    """Answer a training with what was decided, a model with its directions."""
    if "callbacks" not in question:
        return _directions(keras, question["metrics"])
    callbacks = [
        getattr(keras.callbacks, kind)(**given) for kind, given in question["callbacks"]
    ]
    try:
        driven = drive(
            callbacks,
            question["logs"],
            learning_rate=question["learning_rate"],
            first_epoch=question["first_epoch"],
            keras=keras,
        )
    except (ValueError, OverflowError) as error:
        return {"error": str(error)}
    return vars(driven)


def _directions(keras: Any, metrics: list[str]) -> dict[str, dict[str, str]]:
    """Fit a model once, and let both callbacks resolve every key it logs."""
    import numpy as np

    def own_metric(y_true: Any, y_pred: Any) -> Any:
        return y_true[..., :1] * 0 + y_pred[..., :1]

    def build(name: str) -> Any:
        if name == "own_metric":
            return own_metric
        # a class's name makes a metric of its own, any other is left to compile
        return getattr(keras.metrics, name)() if name[0].isupper() else name

    model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "mse", metrics=[build(name) for name in metrics])
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    history = model.fit(x, y, validation_data=(x, y), verbose=0)
    return {
        key: {
            kind: _direction(getattr(keras.callbacks, kind)(monitor=key), model)
            for kind in ("EarlyStopping", "ReduceLROnPlateau")
        }
        for key in history.history
    }


def _direction(callback: Any, model: Any) -> str:
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
    import sys

    keras = importlib.import_module(sys.argv[1])
    logging.disable(logging.CRITICAL)  # tf_keras logs every epoch without the monitor
    answers = [answer(keras, question) for question in json.load(sys.stdin)]
    sys.stdout.write("\n" + json.dumps([keras.__version__, answers]) + "\n")


if __name__ == "__main__":
    _main()
