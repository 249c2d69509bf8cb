"""A real ``fit`` of the installed Keras, on a model that logs what it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Logs = dict[str, float]


@dataclass
class Played:
    """What a fit did: the rate of each trained epoch, and how it ended."""

    rates: list[float] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    stopped_epoch: int | None = None
    kept_epoch: int | None = None
    saves: list[tuple[int, str]] = field(default_factory=list)


class PlayedModel(keras.Model):  # type: ignore[misc]
    """A model whose weights are the number of the epoch that they were trained in."""

    def __init__(self, logs: Sequence[Logs], first_epoch: int) -> None:
        super().__init__()
        self.logs, self.position = list(logs), -1
        self.first_epoch = first_epoch
        self.played = Played()
        self.epoch_of = self.add_weight(name="epoch", shape=(), initializer="zeros")
        self.epoch_of.assign(first_epoch - 1)
        self.built = True

    def make_train_function(self, force: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        self.train_function = self._train_epoch

    def get_metrics_result(self) -> Logs:
        return {}

    def _train_epoch(self, iterator: Any) -> Logs:  # noqa: ARG002
        self.position += 1
        epoch = self.first_epoch + self.position
        # what the epoch is trained at, and from which weights
        self.played.rates.append(float(np.asarray(self.optimizer.learning_rate)))
        self.played.weights.append(int(self.epoch_of))
        self.epoch_of.assign(epoch)
        return self._part(validation=False)

    def evaluate(self, *_: Any, callbacks: Any = None, **__: Any) -> Logs:
        callbacks.on_test_begin()
        logs = self._part(validation=True)
        callbacks.on_test_end(logs)
        return logs

    def _part(self, *, validation: bool) -> Logs:
        return {
            name.removeprefix("val_"): value
            for name, value in self.logs[self.position].items()
            if name.startswith("val_") == validation
        }

    def save(self, filepath: Any, **_: Any) -> None:
        epoch = self.first_epoch + self.position
        self.played.saves.append((epoch, str(filepath)))

    save_weights = save


def play_fit(
    logs: Sequence[Logs],
    callbacks: Any,
    *,
    learning_rate: float = 0.5,
    first_epoch: int = 0,
    model: PlayedModel | None = None,
) -> Played:
    """Fit under the callbacks; return what they decided."""
    model = model or PlayedModel(logs, first_epoch)
    model.compile(optimizer=keras.optimizers.SGD(learning_rate), loss="mse")
    planned = first_epoch + len(logs)
    one = np.zeros((1, 1), "float32")
    model.fit(
        one,
        one,
        validation_data=(one, one),
        epochs=planned,
        initial_epoch=first_epoch,
        callbacks=callbacks,
        verbose=0,
    )
    played = model.played
    last = first_epoch + len(played.rates) - 1
    played.stopped_epoch = last if model.stop_training else None
    played.kept_epoch = int(model.epoch_of)
    return played
