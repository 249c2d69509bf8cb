"""Small real fits of one model, with everything that their callbacks decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.oracles.keras_driver import caller, raiser

if TYPE_CHECKING:
    from collections.abc import Sequence

LOGS = "logs.csv"


@dataclass
class RealFit:
    """What a fit logged, and what its callbacks did."""

    epochs: list[int] = field(default_factory=list)
    logs: list[dict[str, float]] = field(default_factory=list)
    # the rate and, behind the last batch, the weights of each epoch
    rates: list[float] = field(default_factory=list)
    weights: dict[int, list[Any]] = field(default_factory=dict)
    stopped_epoch: int | None = None
    stopped_by: list[int] = field(default_factory=list)
    raised: bool = False
    final_weights: list[Any] = field(default_factory=list)
    # each file written: epoch, name; by which callback
    saves: list[tuple[int, str, int]] = field(default_factory=list)

    def file_weights(self, name: str) -> list[Any]:
        """Return the weights that a file in the working directory holds."""
        model = _model()
        model.load_weights(name)
        read: list[Any] = model.get_weights()
        return read


def fit_once(
    callbacks: Sequence[Any], *, learning_rate: float, epochs: int, **options: Any
) -> RealFit:
    """Fit the model from its first weights on, in the working directory."""
    import keras

    model, done = _model(), RealFit()
    model.set_weights(_first_weights())
    model.optimizer.learning_rate = learning_rate
    model.watched, model.done = callbacks, done

    # Keras gives them by these names
    def begin(epoch: int, logs: Any) -> None:  # noqa: ARG001
        done.epochs.append(epoch)
        done.rates.append(float(np.asarray(model.optimizer.learning_rate)))

    def end_batch(batch: int, logs: Any) -> None:  # noqa: ARG001
        done.weights[done.epochs[-1]] = model.get_weights()

    def end(epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG001
        done.logs.append(dict(logs))

    x, y = _data()
    listed = [
        keras.callbacks.LambdaCallback(on_train_batch_end=end_batch),
        *callbacks,
        keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_epoch_end=end),
        csv := keras.callbacks.CSVLogger(LOGS),
    ]
    try:
        model.fit(
            x[:24],
            y[:24],
            validation_data=(x[24:], y[24:]),
            batch_size=8,
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=listed,
            **options,
        )
    except RuntimeError as error:
        done.raised = True
        csv.on_train_end()
        done.stopped_by.append(raiser(callbacks, error))
    done.final_weights = model.get_weights()
    done.stopped_by = sorted(set(done.stopped_by))
    if done.stopped_by:
        done.stopped_epoch = done.epochs[-1]
    return done


@cache
def _data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(36, 3)).astype("float32")
    y = np.sin(x.sum(axis=1, keepdims=True)) + 0.5 * rng.normal(size=(36, 1))
    return x, y.astype("float32")


@cache
def _first_weights() -> list[Any]:
    rng = np.random.default_rng(1)
    return [
        rng.normal(0, 0.5, one.shape).astype("float32")
        for one in _model().get_weights()
    ]


@cache
def _model() -> Any:
    """Return the one model; its functions are traced once for all fits."""
    import keras

    class Watched(keras.Sequential):  # type: ignore[misc] # keras is untyped
        """A model that notes which callback saves, and which asks for the stop."""

        watched: Sequence[Any] = ()
        done: Any = None

        @property
        def stop_training(self) -> bool:
            return self.done is not None and bool(self.done.stopped_by)

        @stop_training.setter
        def stop_training(self, stop: bool) -> None:
            if stop:
                self.done.stopped_by.append(caller(self.watched))

        def save(self, filepath: Any, **options: Any) -> None:
            self._note(filepath)
            super().save(filepath, **options)

        def save_weights(self, filepath: Any, **options: Any) -> None:
            self._note(filepath)
            super().save_weights(filepath, **options)

        def _note(self, filepath: Any) -> None:
            save = (self.done.epochs[-1], str(Path(filepath)), caller(self.watched))
            self.done.saves.append(save)

    layers = [keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)]
    model = Watched([keras.Input((3,)), *layers])
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return model
