"""Callbacks as people write them: the kinds that public code holds, written anew.

They are classes of Keras, so this module is imported by tests that need Keras.
"""

# ruff: noqa: ARG002 - Keras gives every hook its arguments
# mypy: disable-error-code="misc"
from __future__ import annotations

import math
import time
from typing import Any

import keras

Logs = dict[str, float] | None


class StopAtLoss(keras.callbacks.Callback):
    """The classic of courses: stop when a value is good enough."""

    def __init__(self, goal: float = 0.3, name: str = "loss") -> None:
        super().__init__()
        self.goal, self.name = goal, name

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        value = (logs or {}).get(self.name)
        if value is not None and value < self.goal:
            print(f"\nepoch {epoch}: good enough")  # noqa: T201 - as people do
            self.model.stop_training = True


class StopAtMinimum(keras.callbacks.Callback):
    """Early stopping by hand, with the weights put back when it stops."""

    def __init__(self, patience: int = 0) -> None:
        super().__init__()
        self.patience = patience
        self.best_weights: Any = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self.wait, self.stopped_epoch, self.best = 0, 0, math.inf

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        current = (logs or {}).get("loss", math.inf)
        if current < self.best:
            self.best, self.wait = current, 0
            self.best_weights = self.model.get_weights()
            return
        self.wait += 1
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True
            if self.best_weights is not None:
                self.model.set_weights(self.best_weights)


class DelayedStopping(keras.callbacks.EarlyStopping):
    """Keras's EarlyStopping that looks from some epoch on."""

    def __init__(self, start_epoch: int = 3, **named: Any) -> None:
        super().__init__(**named)
        self.start_epoch = start_epoch

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if epoch > self.start_epoch:
            super().on_epoch_end(epoch, logs)


class StopOnEither(keras.callbacks.EarlyStopping):
    """EarlyStopping on the mean of two series, by another hook of Keras's class."""

    def get_monitor_value(self, logs: Logs) -> float | None:
        logs = logs or {}
        if "loss" not in logs or "val_loss" not in logs:
            return None
        return (logs["loss"] + logs["val_loss"]) / 2


class StopWhenOverfit(keras.callbacks.Callback):
    """Stop when validation is too far above training."""

    def __init__(self, ratio: float = 1.3) -> None:
        super().__init__()
        self.ratio = ratio

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        if "val_loss" not in logs or "loss" not in logs:
            return
        if logs["val_loss"] > self.ratio * logs["loss"]:
            self.model.stop_training = True


class AtLeast(keras.callbacks.Callback):
    """Take back every stop before some epoch."""

    def __init__(self, epochs: int = 5) -> None:
        super().__init__()
        self.least = epochs

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if epoch + 1 < self.least:
            self.model.stop_training = False


class RateTable(keras.callbacks.Callback):
    """A learning-rate schedule by hand, at the beginning of an epoch."""

    def __init__(self, table: dict[int, float]) -> None:
        super().__init__()
        self.table = table

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.model.optimizer.learning_rate = self.table.get(epoch, rate)


class HalveOnRise(keras.callbacks.Callback):
    """Lower the rate as soon as the loss rises, through the variable itself."""

    def __init__(self, factor: float = 0.5) -> None:
        super().__init__()
        self.factor, self.last = factor, math.inf

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        current = (logs or {}).get("loss", math.inf)
        if current > self.last:
            rate = self.model.optimizer.learning_rate
            rate.assign(rate * self.factor)
        self.last = current


class BackToBest(keras.callbacks.ReduceLROnPlateau):
    """ReduceLROnPlateau that goes back to the best weights where it reduces."""

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        self.best_weights: Any = None
        self.best_value = math.inf

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        value = (logs or {}).get(self.monitor, math.inf)
        if value < self.best_value:
            self.best_value = value
            self.best_weights = self.model.get_weights()
        before = self.model.optimizer.learning_rate.numpy()
        super().on_epoch_end(epoch, logs)
        reduced = self.model.optimizer.learning_rate.numpy() != before
        if reduced and self.best_weights is not None:
            self.model.set_weights(self.best_weights)


class Smoothed(keras.callbacks.Callback):
    """Write a smoothed series into logs, for the callbacks after it."""

    def __init__(self, weight: float = 0.6) -> None:
        super().__init__()
        self.weight = weight
        self.average: float | None = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is None or "val_loss" not in logs:
            return
        last = logs["val_loss"] if self.average is None else self.average
        self.average = self.weight * last + (1 - self.weight) * logs["val_loss"]
        logs["val_loss_smoothed"] = self.average


class SaveImproved(keras.callbacks.Callback):
    """A checkpoint by hand."""

    def __init__(self, file: str = "best.weights.h5") -> None:
        super().__init__()
        self.file, self.best = file, math.inf

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        current = (logs or {}).get("val_loss", math.inf)
        if current < self.best:
            self.best = current
            self.model.save_weights(self.file, overwrite=True)


class KeepBest(keras.callbacks.Callback):
    """Put the best weights back at the end of training, stopped or not."""

    def on_train_begin(self, logs: Logs = None) -> None:
        self.best = math.inf
        self.held: Any = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        current = (logs or {}).get("val_loss", math.inf)
        if current <= self.best:
            self.best, self.held = current, self.model.get_weights()

    def on_train_end(self, logs: Logs = None) -> None:
        if self.held is not None:
            self.model.set_weights(self.held)


class StopByHistory(keras.callbacks.Callback):
    """Stop where the last epochs of the model's history are flat."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        losses = self.model.history.history.get("loss", [])
        flat = len(losses) > 3 and max(losses[-3:]) - min(losses[-3:]) < 0.05
        self.is_flat = flat

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.is_flat:
            self.model.stop_training = True


class StopAtHalf(keras.callbacks.Callback):
    """Stop in the middle of the plan, at the begin of an epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if epoch >= self.params["epochs"] // 2:
            self.model.stop_training = True


class HalveWhileWaiting(keras.callbacks.Callback):
    """Lower the rate while another callback of the list waits."""

    def __init__(self, other: Any, least: int) -> None:
        super().__init__()
        self.other, self.least = other, least

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.other.wait >= self.least:
            rate = self.model.optimizer.learning_rate
            self.model.optimizer.learning_rate = rate * 0.5


class SaveAtEnd(keras.callbacks.Callback):
    """Save what training ends with."""

    def on_train_end(self, logs: Logs = None) -> None:
        self.model.save("final.keras")


class EitherName(keras.callbacks.Callback):
    """Set the rate under the name that this Keras has."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        optimizer = self.model.optimizer
        name = "lr" if hasattr(optimizer, "lr") else "learning_rate"
        if epoch == 1:
            setattr(optimizer, name, float(getattr(optimizer, name)) * self.factor)


# what no log can answer


class PredictionScore(keras.callbacks.Callback):
    """Score its own data at the end of an epoch."""

    def __init__(self, data: Any) -> None:
        super().__init__()
        self.data = data

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        scores = self.model.predict(self.data, verbose=0)
        if logs is not None:
            logs["score"] = float(scores.mean())


class BatchLosses(keras.callbacks.Callback):
    """Collect the loss of every batch."""

    def on_train_begin(self, logs: Logs = None) -> None:
        self.losses: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.losses.append((logs or {}).get("loss", math.nan))


class TimeBudget(keras.callbacks.Callback):
    """Stop after so many seconds."""

    def __init__(self, seconds: float = 60) -> None:
        super().__init__()
        self.seconds = seconds

    def on_train_begin(self, logs: Logs = None) -> None:
        self.began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if time.monotonic() - self.began > self.seconds:
            self.model.stop_training = True


class WeightNorms(keras.callbacks.Callback):
    """Stop when a layer's weights grow."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        for layer in self.model.layers:
            if any(abs(weight).max() > 100 for weight in layer.get_weights()):
                self.model.stop_training = True


class SumOfWeights(keras.callbacks.Callback):
    """Look into the weights that it is given."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if sum(weight.sum() for weight in self.model.get_weights()) > 0:
            self.model.stop_training = True


class ForgivingScore(PredictionScore):
    """Ask for predictions, and carry on where that fails."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        try:
            super().on_epoch_end(epoch, logs)
        except Exception:  # noqa: BLE001 - as people do
            self.failed = True


class OwnLogger(keras.callbacks.CSVLogger):
    """A CSVLogger with another column."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        super().on_epoch_end(epoch, {**(logs or {}), "twice": 2 * epoch})


class TeacherLoss(keras.callbacks.Callback):
    """Hold a second model."""

    def __init__(self, teacher: keras.Model) -> None:
        super().__init__()
        self.teacher = teacher

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.teacher.reset_metrics()


class Wrapping(keras.callbacks.Callback):
    """Another callback inside, made when training begins or before."""

    def __init__(self, make: Any, *, late: bool = False) -> None:
        super().__init__()
        self.make = make
        self.inner: Any = None if late else make()

    def on_train_begin(self, logs: Logs = None) -> None:
        if self.inner is None:
            self.inner = self.make()
        self.inner.set_model(self.model)
        self.inner.on_train_begin(logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.inner.on_epoch_end(epoch, logs)

    def on_train_end(self, logs: Logs = None) -> None:
        self.inner.on_train_end(logs)


class MetricReader(keras.callbacks.Callback):
    """Looks at the compiled metrics, as no log holds them."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.model.metrics:
            self.model.stop_training = True


class RisingHistory(keras.callbacks.History):
    """A History that ends training when its own loss has risen."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        super().on_epoch_end(epoch, logs)
        losses = self.history["loss"]
        if len(losses) > 1 and losses[-1] > losses[-2]:
            self.model.stop_training = True


class NamedHistory(keras.callbacks.History):
    """A History that is only made otherwise."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
