"""Keras's own callback objects, read by their attributes; Keras is not imported."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from cbreplay.errors import ConfigError, EvidenceError
from cbreplay.rules.bystander import Bystander
from cbreplay.rules.keras.without_rule import BYSTANDERS, REFUSED
from cbreplay.rules.registry import find_rule, import_named

if TYPE_CHECKING:
    from cbreplay.rules.base import Callback

__all__ = [
    "MODEL_NAMES",
    "attributes_of",
    "direction_of",
    "models_of",
    "read_early_stopping",
    "read_keras_object",
    "read_learning_rate_scheduler",
    "read_model_checkpoint",
    "read_reduce_lr_on_plateau",
    "read_terminate_on_nan",
]

# where Keras keeps the model that a fit has given to a callback
MODEL_NAMES = ("_model", "model")
# the comparisons that Keras resolves a mode to, by their names
_OPERATORS = {"less": "min", "greater": "max"}


def attributes_of(thing: object) -> dict[str, Any]:
    """Return an object's own attributes; empty if it has no ``__dict__``."""
    held: dict[str, Any] = getattr(thing, "__dict__", {})
    return held


def models_of(callback: object) -> list[Any]:
    """Return the models that a fit has given to a callback."""
    found = (getattr(callback, name, None) for name in MODEL_NAMES)
    return [model for model in found if model is not None]


def direction_of(operator: object) -> str | None:
    """Return the mode that a comparison function of Keras stands for, or None."""
    return _OPERATORS.get(getattr(operator, "__name__", ""))


def read_keras_object(callback: Any) -> Callback | None:
    """Return the rule of one of Keras's own callbacks, with its parameters.

    Its class is Keras's or tf_keras's, not one that extends it. What it carries from an
    earlier fit is not read. None where there is no rule of that name: such a callback
    can be driven.

    Raises
    ------
    ConfigError
        If a parameter cannot be replayed, or a fit has overwritten it.
    EvidenceError
        If no log can tell what it does.
    """
    name = type(callback).__name__
    if name in REFUSED:
        sentence = f"{REFUSED[name]}. Leave it out of the list."
        raise EvidenceError(sentence)
    if name in BYSTANDERS:
        return Bystander(name, "...")
    row = find_rule(name)
    if row is None or not row.reader:
        return None
    read: Callback = import_named(row.reader)(callback)
    return read


def read_early_stopping(callback: Any) -> Callback:
    """Return the rule of an EarlyStopping of Keras."""
    from cbreplay.rules.keras.early_stopping import EarlyStopping

    # Keras first takes abs() of min_delta, and in a fit gives it the sign of the mode
    return _read_as(EarlyStopping, callback, min_delta=abs(callback.min_delta))


def read_reduce_lr_on_plateau(callback: Any) -> Callback:
    """Return the rule of a ReduceLROnPlateau of Keras."""
    from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau

    min_delta = callback.min_delta
    if hasattr(callback, "_is_improvement"):
        # Keras >= 3.11 treats it as EarlyStopping does; before, it is as it was given
        min_delta = abs(min_delta)
    return _read_as(ReduceLROnPlateau, callback, min_delta=min_delta)


def read_model_checkpoint(callback: Any) -> Callback:
    """Return the rule of a ModelCheckpoint of Keras."""
    from cbreplay.rules.keras.model_checkpoint import ModelCheckpoint

    if getattr(callback, "period", 1) != 1:
        sentence = (
            f"ModelCheckpoint: period is {callback.period!r}, and only every epoch is "
            "replayed"
        )
        raise ConfigError(sentence)
    threshold = callback.best if callback.save_best_only else None
    if threshold is not None and math.isinf(threshold):
        # where Keras <= 3.10 starts without a threshold
        threshold = None
    if threshold is not None and models_of(callback):
        sentence = (
            f"ModelCheckpoint holds best={threshold!r} from a fit, and its "
            "initial_value_threshold is lost. Give a new one with the same arguments."
        )
        raise ConfigError(sentence)
    return _read_as(ModelCheckpoint, callback, initial_value_threshold=threshold)


def read_learning_rate_scheduler(callback: Any) -> Callback:
    """Return the rule of a LearningRateScheduler of Keras."""
    from cbreplay.rules.keras.learning_rate_scheduler import LearningRateScheduler

    return LearningRateScheduler(callback.schedule, callback.verbose)


def read_terminate_on_nan(callback: Any) -> Callback:
    """Return the rule of a TerminateOnNaN of Keras."""
    from cbreplay.rules.keras.terminate_on_nan import TerminateOnNaN

    # versions before 3.13 have no such parameter
    raises = attributes_of(callback).get("raise_error", False)
    return TerminateOnNaN(raise_error=raises)


def _read_as(kind: type[Any], callback: Any, **read: Any) -> Callback:
    """Return a rule with a callback's attributes as its parameters, but for some."""
    read["mode"] = _mode(callback)
    names = [own.name for own in fields(kind) if own.name not in read]
    rule: Callback = kind(**{name: getattr(callback, name) for name in names}, **read)
    return rule


def _mode(callback: Any) -> str:
    """Return its mode: as it was given, or as Keras has resolved it since."""
    # Keras 2 and tf_keras keep only the comparison; Keras 3 has one after a fit, in
    # which it asked the compiled metric, that a log may not name
    held = attributes_of(callback)
    return direction_of(held.get("monitor_op")) or str(held.get("mode", "auto"))
