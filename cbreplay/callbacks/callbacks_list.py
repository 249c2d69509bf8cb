"""Whatever a user gives as callbacks, as one list of rules."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.callbacks.base import Callback
from cbreplay.errors import ConfigError

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
    return CallbacksList(
        callbacks=tuple(callback for callback, _ in found),
        groups=tuple(path for _, path in found),
    )


def _flatten(
    callbacks: Iterable[Any], path: tuple[int, ...], numbers: Iterator[int]
) -> Iterator[tuple[Callback, tuple[int, ...]]]:
    for one in callbacks:
        if _is_rule(one):
            yield one, path
        elif _is_nested_list(one):
            yield from _flatten(one.callbacks, (*path, next(numbers)), numbers)
        elif _is_list(one):
            yield from _flatten(one, path, numbers)
        else:
            yield read_callback(one), path


def read_callback(callback: Any) -> Callback:  # noqa: ANN401 - as a user gives it
    """Return the rule for one callback of cbreplay, of Keras or of the user's own.

    Raises
    ------
    ConfigError
        If it is no callback.
    EvidenceError
        If no log can tell what it does.
    """
    from cbreplay.callbacks.custom_code import is_custom_callback, is_of_keras
    from cbreplay.callbacks.driven import DrivenCallback
    from cbreplay.callbacks.keras_objects import read_keras_object

    if _is_rule(callback):
        rule: Callback = callback
        return rule
    if _is_nested_list(callback):
        sentence = "a CallbackList is no callback. Give its callbacks one by one."
        raise ConfigError(sentence)
    if isinstance(callback, type) or not is_custom_callback(callback):
        sentence = (
            f"{callback!r} is not a callback that cbreplay can replay. Give "
            "EarlyStopping(...), ReduceLROnPlateau(...), a callback of Keras, one of "
            "your own with its hooks, or a list of them."
        )
        raise ConfigError(sentence)
    known = read_keras_object(callback) if is_of_keras(type(callback)) else None
    return known or DrivenCallback(callback)


def _is_rule(callback: object) -> bool:
    # a class has the methods of its instances
    return isinstance(callback, Callback) and not isinstance(callback, type)


def _is_list(callbacks: object) -> bool:
    return hasattr(callbacks, "__iter__") and not isinstance(callbacks, (str, bytes))


def _is_nested_list(callbacks: object) -> bool:
    """Return whether this is a ``CallbackList`` of Keras or tf_keras."""
    names = (one.__name__ for one in type(callbacks).__mro__)
    return "CallbackList" in names and hasattr(callbacks, "callbacks")
