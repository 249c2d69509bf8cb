"""Keras's own callbacks on a stand-in model, fed one epoch after another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class _StandInModel:
    """A model whose weights are the number of the epoch that they come from."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.stop_training = False
        self.weights: int | None = None

    def get_weights(self) -> int | None:
        return self.weights

    def set_weights(self, weights: int | None) -> None:
        self.weights = weights


@dataclass
class Driven:
    """What the real callbacks did."""

    stopped_epoch: int | None = None
    kept_epoch: int | None = None
    rates: list[float] = field(default_factory=list)
    counters: list[list[dict[str, Any]]] = field(default_factory=list)


_COUNTERS = ("wait", "best", "best_epoch", "cooldown_counter")


def drive(
    callbacks: Sequence[Any],
    logs: Sequence[dict[str, float]],
    *,
    learning_rate: float,
    first_epoch: int = 0,
) -> Driven:
    """Call the hooks of real Keras callbacks as ``fit`` does."""
    import keras
    import numpy as np

    model = _StandInModel(keras.optimizers.SGD(learning_rate=learning_rate))
    driven = Driven()
    for callback in callbacks:
        callback.set_model(model)
        callback.on_train_begin({})
    for epoch, recorded in enumerate(logs, start=first_epoch):
        driven.rates.append(float(np.asarray(model.optimizer.learning_rate)))
        model.weights = epoch
        shared = dict(recorded)
        for callback in callbacks:
            callback.on_epoch_end(epoch, shared)
        driven.counters.append(
            [
                {name: getattr(one, name) for name in _COUNTERS if hasattr(one, name)}
                for one in callbacks
            ]
        )
        if model.stop_training:
            driven.stopped_epoch = epoch
            break
    for callback in callbacks:
        callback.on_train_end({})
    driven.rates.append(float(np.asarray(model.optimizer.learning_rate)))
    driven.kept_epoch = model.weights
    return driven


def as_keras(callback: Any) -> Any:
    """Build the real callback with the parameters of one of ours."""
    from dataclasses import fields

    import keras

    kind = getattr(keras.callbacks, type(callback).__name__)
    return kind(**{one.name: getattr(callback, one.name) for one in fields(callback)})
