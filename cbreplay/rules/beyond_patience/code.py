"""The rules as classes of Keras callbacks, to paste into a training script.

Their numbers are computed by the same expressions as in the rules themselves.
"""

from __future__ import annotations

from cbreplay.rules.pasted_code import PUTS_BACK, PastedCode, with_settled_mode

__all__ = ["EMA", "MEAN", "TARGET"]

# pieces of the three classes; with mode "max" they negate the values, so that smaller
# is always better
_EMA = '''class EmaStopping(keras.callbacks.Callback):
    """Stop when an exponential mean has stopped improving; keep the best value."""

    def __init__(
        self,
        patience,
        monitor="val_loss",
        smoothing=0.9,
        min_delta=0,
        mode="min",
        restore_best_weights=True,
    ):
        super().__init__()
        self.patience, self.monitor, self.smoothing = patience, monitor, smoothing
        self.min_delta, self.mode = min_delta, mode
        self.restore_best_weights = restore_best_weights

    def on_train_begin(self, logs=None):
        self.wait, self.mean, self.best_mean = 0, None, None
        self.best, self.best_weights = float("inf"), None

    def smooth(self, value):
        if self.mean is None:
            return value
        return self.smoothing * self.mean + (1 - self.smoothing) * value
'''
_MEAN = '''class MeanStopping(keras.callbacks.Callback):
    """Stop when a mean of the last values no longer improves; keep the best value."""

    def __init__(
        self,
        patience,
        monitor="val_loss",
        window=5,
        min_delta=0,
        mode="min",
        restore_best_weights=True,
    ):
        super().__init__()
        self.patience, self.monitor, self.window = patience, monitor, window
        self.min_delta, self.mode = min_delta, mode
        self.restore_best_weights = restore_best_weights

    def on_train_begin(self, logs=None):
        self.wait, self.mean, self.best_mean, self.last = 0, None, None, []
        self.best, self.best_weights = float("inf"), None

    def smooth(self, value):
        self.last, total = [*self.last, value][-self.window :], 0.0
        for one in self.last:
            total += one
        return total / len(self.last)
'''
_WAIT = """
    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitor)
        if value is None:
            return
        value = float(value) if self.mode == "min" else -float(value)
        self.wait += 1
        if abs(value) < float("inf"):
            self.take(value)
        if self.wait >= self.patience:
            self.model.stop_training = True

    def take(self, value):
        if value < self.best:
            self.best = value
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
        self.mean = self.smooth(value)
        enough = self.mean + abs(self.min_delta)
        if self.best_mean is None or enough < self.best_mean:
            self.best_mean, self.wait = self.mean, 0
"""
_TARGET = '''class TargetStopping(keras.callbacks.Callback):
    """Stop as soon as a metric reaches a value; keep the best value."""

    def __init__(
        self, target, monitor="val_loss", mode="min", restore_best_weights=True
    ):
        super().__init__()
        self.target, self.monitor, self.mode = target, monitor, mode
        self.restore_best_weights = restore_best_weights

    def on_train_begin(self, logs=None):
        self.best, self.best_weights = None, None

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitor)
        if value is None:
            return
        sign = 1 if self.mode == "min" else -1
        value = sign * float(value)
        if value == value and (self.best is None or value < self.best):
            self.best = value
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
        if value <= sign * self.target:
            self.model.stop_training = True
'''
EMA = PastedCode(_EMA + _WAIT + PUTS_BACK, with_settled_mode)
MEAN = PastedCode(_MEAN + _WAIT + PUTS_BACK, with_settled_mode)
TARGET = PastedCode(_TARGET + PUTS_BACK, with_settled_mode)
