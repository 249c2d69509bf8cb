"""Turn callbacks into Keras's objects, and these into text for ``run.json``.

Also checks of a list before a training: its monitors, its learning-rate column.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
from typing import TYPE_CHECKING, Any

from cbreplay.errors import ConfigError, UnknownMonitorError
from cbreplay.rules.bystander import Bystander
from cbreplay.rules.keras.driven import DrivenCallback
from cbreplay.rules.keras.framework import KERAS
from cbreplay.rules.keras.keras_code import write_keras_code
from cbreplay.rules.keras.learning_rate_scheduler import TableSchedule, as_function
from cbreplay.rules.parameters import changed_parameters
from cbreplay.rules.registry import pasted_code_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "check_monitors",
    "check_rate_column",
    "class_names",
    "describe_callback",
    "make_keras_callback",
]

# where Keras keeps an argument under another name, until training begins
_OTHER_NAMES = {"initial_value_threshold": "best"}


def make_keras_callback(callback: Any) -> Any:  # noqa: ANN401 - ours or Keras's
    """Return the Keras callback that a callback of cbreplay stands for.

    A Keras callback is returned as it is, the user's own too. A callback of cbreplay is
    a dataclass with the name of a class in ``keras.callbacks`` and fields with the
    names of its arguments; for a rule that Keras does not have, the class that
    ``--keras-code`` prints is used.

    Raises
    ------
    ConfigError
        If it is neither, or if Keras refuses an argument.
    """
    import keras

    if isinstance(callback, DrivenCallback):
        callback = callback.callback
    if isinstance(callback, keras.callbacks.Callback):
        return callback
    if pasted_code_of(callback) is not None:
        return _made_from_code(callback)
    if isinstance(callback, Bystander):
        sentence = (
            f"{callback.class_name} decides nothing, and this training writes its own "
            "logs: leave it out of -c or callbacks=."
        )
        raise ConfigError(sentence)
    kind = getattr(keras.callbacks, type(callback).__name__, None)
    if kind is None or not dataclasses.is_dataclass(callback):
        sentence = (
            f"{callback!r} is no callback to train with: give a callback of Keras or "
            "of cbreplay with -c or callbacks=."
        )
        raise ConfigError(sentence)
    # defaults are left out: an older Keras may not have such a parameter
    given = changed_parameters(callback)
    if "schedule" in given:
        given["schedule"] = as_function(given["schedule"])
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        sentence = f"keras refuses {callback!r}: {error}"
        raise ConfigError(sentence) from error


def _made_from_code(rule: Any) -> Any:  # noqa: ANN401 - one of our rules
    """Return the callback that the printed Keras code of a rule makes.

    The code of the class is in this package; the call holds only literals of checked
    types.
    """
    names: dict[str, Any] = {"__name__": __name__}
    exec(write_keras_code([rule]), names)  # noqa: S102 - our own text
    (made,) = names["callbacks"]
    return made


def check_monitors(callbacks: Sequence[Any], metric: str, *, run: str) -> None:
    """Refuse a monitor that the fit will not log, before anything is trained.

    A user's own code may log whatever it likes, so with some of it in the list nothing
    is checked.

    Raises
    ------
    UnknownMonitorError
        If a callback monitors a series that no epoch will have.
    """
    if any(_holds_user_code(type(callback)) for callback in callbacks):
        return
    logged = ["loss", metric, "val_loss", f"val_{metric}"]
    if _changes_rate(callbacks):
        logged.append("learning_rate")
    for callback in callbacks:
        for option in ("monitor", "training_monitor"):
            monitor = getattr(callback, option, "loss")
            if monitor not in logged:
                raise UnknownMonitorError(
                    monitor, run=run, available=logged, option=option
                )


def check_rate_column(
    callbacks: Sequence[Any], columns: Sequence[str], *, source: str
) -> None:
    """Refuse to append to a file if only the file or only the fit has a rate column.

    Raises
    ------
    ConfigError
        If the callbacks write ``learning_rate`` and the file has no such column, or
        the reverse.
    """
    held = "learning_rate" in columns
    if columns and held != _changes_rate(callbacks):
        sentence = (
            f"{source} has {'a' if held else 'no'} column learning_rate, so a fit can "
            f"only be appended {'with' if held else 'without'} a "
            f"{' or '.join(KERAS.rate_changing)} in -c or callbacks=. Or train into "
            "another directory with --out or out=."
        )
        raise ConfigError(sentence)


def describe_callback(callback: Any) -> str:  # noqa: ANN401 - any Keras callback
    """Return a Keras callback as the call that makes it, defaults left out.

    An argument that has no literal (a function, an array) is written ``...``; one that
    the object does not keep under its own name is left out.

    Examples
    --------
    >>> class EarlyStopping:
    ...     def __init__(self, monitor="val_loss", patience=0):
    ...         self.monitor, self.patience = monitor, patience
    >>> describe_callback(EarlyStopping(patience=4))
    'EarlyStopping(patience=4)'
    """
    arguments = []
    for name, parameter in inspect.signature(type(callback)).parameters.items():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        value: Any = getattr(callback, _OTHER_NAMES.get(name, name), ...)
        if isinstance(value, TableSchedule):
            value = value.table
        negated = name == "min_delta" and hasattr(callback, "_is_improvement")
        if negated and value is not ...:
            # Keras takes abs() of it, and in a first fit gives it the sign of the mode
            value = abs(value)
        if parameter.default is parameter.empty:
            arguments.append(_literal(value))
        elif value is not ... and not _same(value, parameter.default):
            arguments.append(f"{name}={_literal(value)}")
    return f"{type(callback).__name__}({', '.join(arguments)})"


def _holds_user_code(kind: type) -> bool:
    if kind.__module__ == __name__:
        # the code of a rule of ours
        return False
    return kind.__name__ == "LambdaCallback" or not kind.__module__.startswith("keras.")


def _changes_rate(callbacks: Iterable[Any]) -> bool:
    """Return whether one of Keras's own rate-changing callbacks is in the list.

    These, and no others, write the column ``learning_rate`` of a CSVLogger's file.
    """
    kinds = {name for callback in callbacks for name in class_names(callback)}
    return not kinds.isdisjoint(KERAS.rate_changing)


def class_names(callback: Any) -> list[str]:  # noqa: ANN401 - keras is untyped
    """Return the names of an object's class and of its base classes."""
    return [kind.__name__ for kind in type(callback).__mro__[:-1]]


def _same(value: Any, default: Any) -> bool:  # noqa: ANN401 - an argument is anything
    """Compare with a default; an array, which has no single answer, is different."""
    try:
        return bool(value == default)
    except (TypeError, ValueError):
        return False


def _literal(value: Any) -> str:  # noqa: ANN401 - an argument is anything
    """Return Python text that means the value, or ``...`` where there is none."""
    # a numpy scalar's own repr is no literal
    text = repr(value.item() if getattr(value, "ndim", None) == 0 else value)
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return "..."
    return text
