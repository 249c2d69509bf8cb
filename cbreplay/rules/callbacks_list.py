"""Whatever a user gives as callbacks, as one list of rules."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.errors import CbreplayError, ConfigError
from cbreplay.rules.base import Callback

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["CallbacksList", "read_callback", "read_callbacks"]


class CallbacksList(NamedTuple):
    """A callbacks list, flat, in Keras's order.

    Parameters
    ----------
    callbacks : tuple of Callback
        The rules.
    groups : tuple of tuple of int
        For each, the nested ``CallbackList`` objects that it stands in, the outermost
        first. Keras gives each of those a copy of ``logs``: what one of its callbacks
        writes, no callback outside it reads.
    """

    callbacks: tuple[Callback, ...]
    groups: tuple[tuple[int, ...], ...]


def read_callbacks(callbacks: Any) -> CallbacksList:  # noqa: ANN401 - as a user gives them
    """Read one callback, or any list of them.

    Parameters
    ----------
    callbacks : Callback, Keras callback, ``CallbackList``, or iterable of these
        Nested lists are flattened, as Keras does.

    Raises
    ------
    ConfigError
        If something is no callback.
    EvidenceError
        If no log can tell what one of them does.
    """
    if _is_nested_list(callbacks):
        # fit takes it as it is
        callbacks = callbacks.callbacks
    elif _is_rule(callbacks) or not _is_list(callbacks):
        callbacks = (callbacks,)
    found = list(_flatten(callbacks, (), itertools.count()))
    given = [one for one, _ in found]
    rules = [one if _is_rule(one) else read_callback(one) for one in given]
    if any(rule is not one for rule, one in zip(rules, given, strict=True)):
        rules = _with_entangled(given, rules)
    return CallbacksList(
        callbacks=tuple(rules), groups=tuple(path for _, path in found)
    )


def _with_entangled(given: list[Any], rules: list[Callback]) -> list[Callback]:
    """Drive the callbacks of Keras that another one holds, or that stand in twice.

    What is read by its attributes would go on beside the object that the other sees.
    """
    from cbreplay.rules.keras.driven import DrivenCallback, reached_from

    own = [one for one in given if not _is_rule(one)]
    reached = {id(one) for one in own if sum(other is one for other in own) > 1}
    for rule in rules:
        if isinstance(rule, DrivenCallback):
            reached |= reached_from(rule.callback)
    return [
        DrivenCallback(one)
        if id(one) in reached
        and rule is not one
        and not isinstance(rule, DrivenCallback)
        else rule
        for one, rule in zip(given, rules, strict=True)
    ]


def _flatten(
    callbacks: Iterable[Any], path: tuple[int, ...], numbers: Iterator[int]
) -> Iterator[tuple[Any, tuple[int, ...]]]:
    for one in callbacks:
        if _is_rule(one):
            yield one, path
        elif _is_nested_list(one):
            yield from _flatten(one.callbacks, (*path, next(numbers)), numbers)
        elif _is_list(one):
            yield from _flatten(one, path, numbers)
        else:
            yield one, path


def read_callback(callback: Any) -> Callback:  # noqa: ANN401 - as a user gives it
    """Return the rule for one callback of cbreplay, of Keras or of the user's own.

    Raises
    ------
    ConfigError
        If it is no callback.
    EvidenceError
        If no log can tell what it does.
    """
    from cbreplay.rules.keras.bystander import Bystander
    from cbreplay.rules.keras.custom_code import (
        HOOKS,
        find_logger,
        is_altered,
        is_custom_callback,
        is_of_keras,
    )
    from cbreplay.rules.keras.driven import DrivenCallback
    from cbreplay.rules.keras.keras_objects import read_keras_object

    if _is_rule(callback):
        given: Callback = callback
        return given
    if _is_nested_list(callback):
        sentence = "a CallbackList is no callback. Give its callbacks one by one."
        raise ConfigError(sentence)
    if isinstance(callback, type) or not is_custom_callback(callback):
        sentence = (
            f"{_shown(callback)} is not a callback that cbreplay can replay. Give "
            "EarlyStopping(...), ReduceLROnPlateau(...), a callback of Keras, one of "
            f"your own with the hooks {', '.join(HOOKS)}, set_model and set_params, "
            "or a list of them."
        )
        raise ConfigError(sentence)
    try:
        untouched = is_of_keras(type(callback)) and not is_altered(callback)
        known = read_keras_object(callback) if untouched else None
        logger = find_logger(callback)
        if known is None and logger is not None:
            known = Bystander(logger, "...")
        rule = known or DrivenCallback(callback)
        # a property of the user's may raise
        _ = rule.monitor
    except CbreplayError:
        raise
    except Exception as error:
        sentence = (
            f"{type(callback).__name__} raises {type(error).__name__}: {error} where "
            "it is read. Mend its attributes, or leave it out of the list."
        )
        raise ConfigError(sentence) from error
    return rule


def _shown(callback: object) -> str:
    """Write what was given without the address that an object's repr may hold."""
    written = repr(callback)
    return f"an object of {type(callback).__name__}" if " at 0x" in written else written


def _is_rule(callback: object) -> bool:
    if isinstance(callback, type):
        # a class has the methods of its instances
        return False
    try:
        return isinstance(callback, Callback)
    except Exception:  # noqa: BLE001 - a property of the user's may raise anything
        return False


def _is_list(callbacks: object) -> bool:
    return hasattr(callbacks, "__iter__") and not isinstance(callbacks, (str, bytes))


def _is_nested_list(callbacks: object) -> bool:
    """Return whether this is a ``CallbackList`` of Keras or tf_keras."""
    names = (one.__name__ for one in type(callbacks).__mro__)
    return "CallbackList" in names and hasattr(callbacks, "callbacks")
