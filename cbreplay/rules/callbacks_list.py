"""Read whatever a user gives as callbacks into one list of rules."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.arguments import is_iterable, shown_value
from cbreplay.errors import ConfigError
from cbreplay.rules.families import known_families
from cbreplay.rules.registry import is_rule, known_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cbreplay.rules.base import Callback

__all__ = ["HOOKS", "CallbacksList", "read_callback", "read_callbacks"]


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


def read_callbacks(callbacks: Any) -> CallbacksList:
    """Read one callback, or any list of them: rules, objects of Keras, or both.

    Nested lists and ``CallbackList`` objects are flattened, as Keras does.

    Raises
    ------
    ConfigError
        If something is no callback.
    EvidenceError
        If no log can tell what one of them does.
    """
    if _is_nested_list(callbacks):
        # given alone it is the whole list, as fit takes it
        callbacks = callbacks.callbacks
    elif is_rule(callbacks) or not _is_list(callbacks):
        callbacks = (callbacks,)
    found = list(_flatten(callbacks, (), itertools.count()))
    given = [callback for callback, _ in found]
    rules = [read_callback(callback) for callback in given]
    if any(rule is not callback for rule, callback in zip(rules, given, strict=True)):
        for family in known_families():
            rules = family.settle_list(given, rules)
    return CallbacksList(
        callbacks=tuple(rules), groups=tuple(path for _, path in found)
    )


def _flatten(
    callbacks: Iterable[Any], path: tuple[int, ...], numbers: Iterator[int]
) -> Iterator[tuple[Any, tuple[int, ...]]]:
    for callback in callbacks:
        if is_rule(callback):
            yield callback, path
        elif _is_nested_list(callback):
            yield from _flatten(callback.callbacks, (*path, next(numbers)), numbers)
        elif _is_list(callback):
            yield from _flatten(callback, path, numbers)
        else:
            yield callback, path


def read_callback(callback: Any) -> Callback:
    """Return the rule for a callback: a rule, a framework's object, or the user's own.

    Raises
    ------
    ConfigError
        If it is no callback.
    EvidenceError
        If no log can tell what it does.
    """
    if is_rule(callback):
        given: Callback = callback
        return given
    if _is_nested_list(callback):
        sentence = "a CallbackList is no callback. Give its callbacks one by one."
        raise ConfigError(sentence)
    for family in known_families():
        rule = family.read_object(callback)
        if rule is not None:
            return rule
    raise ConfigError(_no_callback(callback))


def _no_callback(given: object) -> str:
    if isinstance(given, str) and given.rstrip().endswith(")"):
        text = shown_value(given)
        return f"{text} is text, and no callback. Give parse_callbacks({text})."
    if isinstance(given, type):
        return (
            f"{given.__name__} is a class, and no callback yet. Give an instance, "
            f"{given.__name__}(...)."
        )
    return (
        f"{shown_value(given)} is not a callback that cbreplay can replay. Give "
        f"{', '.join(f'{row.name}(...)' for row in known_rules()[:2])}, a callback of "
        f"{' or '.join(family.title for family in known_families())}, one of your own "
        f"with the hooks {', '.join(HOOKS)}, set_model and set_params, or a list of "
        "them."
    )


# the hooks that a replay calls of a callback that it drives
HOOKS = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end")


def _is_list(callbacks: object) -> bool:
    return is_iterable(callbacks) and not isinstance(callbacks, (str, bytes))


def _is_nested_list(callbacks: object) -> bool:
    """Return whether this is a list of callbacks as Keras and tf_keras have one."""
    names = (kind.__name__ for kind in type(callbacks).__mro__)
    return "CallbackList" in names and hasattr(callbacks, "callbacks")
