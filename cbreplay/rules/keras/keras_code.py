"""A callbacks list as Python code to paste into a training script.

The rules that Keras does not have come with a class; its numbers are computed by the
same expressions as in the rule itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from cbreplay.errors import ConfigError
from cbreplay.rules.base import format_callback, rule_name
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.rules.keras.metric_directions import METRIC_DIRECTIONS

if TYPE_CHECKING:
    from cbreplay.rules.base import Callback

__all__ = ["CODE_OF_RULES", "write_keras_code"]

_IMPORTS = {
    "keras": "import keras",
    "tf_keras": "import tf_keras as keras",
}
# pieces of the three classes
_TAKE_BEST = """
        if error < self.best:
            self.best = error
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
"""
_END = """
    def on_train_end(self, logs=None):
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
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


# by the rule; each class has the parameters and the defaults of the rule that it is for
CODE_OF_RULES = {
    "PrecheltGL": _joined(_GL, _TAKE_BEST, _TEST_GL) + _GIVE_UP + _END,
    "PrecheltPQ": _joined(_PQ, _TAKE_BEST, _TEST_PQ) + _GIVE_UP + _END,
    "PrecheltUP": _joined(_UP, _TAKE_BEST, _TEST_UP) + _END,
}


def write_keras_code(
    callbacks: Any,  # noqa: ANN401 - ours, Keras's, or lists of them
    *,
    package: Literal["keras", "tf_keras"] = "keras",
) -> str:
    """Write a callbacks list as Python code that makes it.

    Parameters
    ----------
    callbacks : Callback, Keras callback, or list of these
        The list, in order.
    package : {"keras", "tf_keras"}
        Whose callbacks they are.

    Returns
    -------
    str
        A module that binds ``callbacks``, with a class for each rule that Keras does
        not have.

    Raises
    ------
    ConfigError
        If one of them is code that cannot be written out.

    Examples
    --------
    >>> from cbreplay import EarlyStopping
    >>> print(write_keras_code([EarlyStopping(patience=5)]))
    import keras
    <BLANKLINE>
    callbacks = [
        keras.callbacks.EarlyStopping(patience=5),
    ]
    <BLANKLINE>
    """
    rules = read_callbacks(callbacks).callbacks
    names = dict.fromkeys(map(rule_name, rules))
    if "DrivenCallback" in names:
        sentence = (
            "a callback of your own is code that only your script holds. "
            "Leave it out of the list, and import it there."
        )
        raise ConfigError(sentence)
    calls = [f"    {_call(one)},\n" for one in rules]
    classes = [CODE_OF_RULES[name] for name in names if name in CODE_OF_RULES]
    warns = any("warnings." in one for one in classes)
    imports = ("import warnings\n\n" if warns else "") + f"{_IMPORTS[package]}\n"
    listed = f"callbacks = [\n{''.join(calls)}]\n"
    if not classes:
        return f"{imports}\n{listed}"
    return "\n\n".join([imports, *classes, listed])


def _call(callback: Callback) -> str:
    """Return the call that makes one callback."""
    name = rule_name(callback)
    if name == "Bystander":
        return f"keras.callbacks.{format_callback(callback)}"
    if name == "DrivenCallback":
        _refuse(format_callback(callback), "it is code of your own: paste that")
    # a rule is a dataclass; the protocol cannot say so
    given = {
        one.name: getattr(callback, one.name)
        for one in fields(callback)  # type: ignore[arg-type]
        if one.default is MISSING or getattr(callback, one.name) != one.default
    }
    prefix = "keras.callbacks."
    if name in CODE_OF_RULES:
        prefix = ""
        _settle_mode(callback, given)
    arguments = [f"{key}={_literal(name, value)}" for key, value in given.items()]
    return f"{prefix}{name}({', '.join(arguments)})"


def _settle_mode(callback: Any, given: dict[str, Any]) -> None:  # noqa: ANN401 - a rule
    """Say which way is better only where the class has to know."""
    mode = given.pop("mode", "auto")
    if rule_name(callback) != "PrecheltUP":
        # it refuses what should be large
        return
    if mode == "auto":
        metric = callback.monitor.removeprefix("val_")
        mode = "min" if metric == "loss" else METRIC_DIRECTIONS.get(metric)
    if mode is None:
        sentence = (
            f"PrecheltUP: nothing tells whether {callback.monitor!r} should be small "
            "or large, which the code has to know. Give --mode or mode=."
        )
        raise ConfigError(sentence)
    if mode == "max":
        given["mode"] = mode


def _literal(rule: str, value: Any) -> str:  # noqa: ANN401 - any argument
    """Return Python text that means the value."""
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    table = value if isinstance(value, Mapping) else getattr(value, "table", None)
    if table is not None:
        # a function of the epoch and the rate, as Keras takes it
        rates = dict(sorted(table.items()))
        return (
            f"lambda epoch, rate, table={rates!r}: "
            "table[max(one for one in table if one <= epoch)] "
            "if min(table) <= epoch else rate"
        )
    if callable(value):
        _refuse(f"{rule}({value.__name__})", "it holds code of your own: paste that")
    # a numpy scalar's own repr is no literal
    return repr(value.item() if hasattr(value, "item") else value)


def _refuse(code: str, reason: str) -> NoReturn:
    sentence = f"{code} cannot be written as Keras code: {reason}"
    raise ConfigError(sentence)
