"""Prechelt's rules as classes of Keras callbacks, to paste into a training script.

Their numbers are computed by the same expressions as in the rules themselves.
"""

from __future__ import annotations

from typing import Any

from cbreplay.rules.pasted_code import PUTS_BACK, PastedCode, with_settled_mode

__all__ = ["GL", "PQ", "UP"]

# pieces of the three classes
_TAKE_BEST = """
        if error < self.best:
            self.best = error
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
"""
_GIVE_UP = """
    def give_up(self):
        warnings.warn("an error of 0 or less has no ratio: this rule no longer stops")
        self.decides, self.best_weights = False, None
"""

_GL = '''
class PrecheltGL(keras.callbacks.Callback):
    """Stop when an error is more than alpha % above its best (Prechelt 1998, GL)."""

    def __init__(self, alpha, monitor="val_loss", restore_best_weights=True):
        super().__init__()
        self.alpha, self.monitor = alpha, monitor
        self.restore_best_weights = restore_best_weights

    def on_train_begin(self, logs=None):
        self.best, self.best_weights, self.decides = float("inf"), None, True

    def on_epoch_end(self, epoch, logs=None):
        error = (logs or {}).get(self.monitor)
        if error is None or not self.decides:
            return
        error = float(error)
        if error <= 0:
            self.give_up()
            return
'''
_PQ = '''
class PrecheltPQ(keras.callbacks.Callback):
    """Stop when an error rises while training progresses little (Prechelt 1998, PQ)."""

    def __init__(
        self,
        alpha,
        monitor="val_loss",
        training_monitor="loss",
        strip_length=5,
        restore_best_weights=True,
    ):
        super().__init__()
        self.alpha, self.monitor = alpha, monitor
        self.training_monitor, self.strip_length = training_monitor, strip_length
        self.restore_best_weights = restore_best_weights

    def on_train_begin(self, logs=None):
        self.best, self.best_weights, self.decides = float("inf"), None, True
        self.strip = []

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        error, training = logs.get(self.monitor), logs.get(self.training_monitor)
        if error is None or training is None or not self.decides:
            return
        error, training = float(error), float(training)
        if error <= 0 or training <= 0:
            self.give_up()
            return
'''
_UP = '''
class PrecheltUP(keras.callbacks.Callback):
    """Stop when an error has risen over some strips in a row (Prechelt 1998, UP)."""

    def __init__(
        self,
        strips,
        monitor="val_loss",
        strip_length=5,
        mode="min",
        restore_best_weights=True,
    ):
        super().__init__()
        self.strips, self.monitor, self.strip_length = strips, monitor, strip_length
        self.mode, self.restore_best_weights = mode, restore_best_weights

    def on_train_begin(self, logs=None):
        self.best, self.best_weights = float("inf"), None
        self.seen, self.rises, self.strip_error = 0, 0, None

    def on_epoch_end(self, epoch, logs=None):
        error = (logs or {}).get(self.monitor)
        if error is None:
            return
        error = float(error) if self.mode == "min" else -float(error)
'''
_TEST_GL = """
        if 100 * (error / self.best - 1) > self.alpha:
            self.model.stop_training = True
"""
_TEST_PQ = """
        self.strip.append(training)
        if len(self.strip) < self.strip_length:
            return
        loss, least, total = 100 * (error / self.best - 1), min(self.strip), 0.0
        for one in self.strip:
            total += one - least
        progress = 1000 * total / (len(self.strip) * least)
        self.strip = []
        if loss > 0 and (progress == 0 or loss / progress > self.alpha):
            self.model.stop_training = True
"""
_TEST_UP = """
        self.seen += 1
        if self.seen % self.strip_length:
            return
        rose = self.strip_error is not None and error > self.strip_error
        self.rises = self.rises + 1 if rose else 0
        self.strip_error = error
        if self.rises >= self.strips:
            self.model.stop_training = True
"""


def _joined(*pieces: str) -> str:
    # the pieces of one method follow each other without an empty line
    return "".join(piece.removeprefix("\n") for piece in pieces)


def _without_mode(rule: Any, given: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
    """Leave the mode out: the class takes what should be small, as the rule does."""
    return {name: value for name, value in given.items() if name != "mode"}


GL = PastedCode(
    _joined(_GL, _TAKE_BEST, _TEST_GL) + _GIVE_UP + PUTS_BACK, _without_mode
)
PQ = PastedCode(
    _joined(_PQ, _TAKE_BEST, _TEST_PQ) + _GIVE_UP + PUTS_BACK, _without_mode
)
UP = PastedCode(_joined(_UP, _TAKE_BEST, _TEST_UP) + PUTS_BACK, with_settled_mode)
