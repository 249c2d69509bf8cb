"""Callback objects of Keras, or of the user's own, as rules: read, else driven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.errors import CbreplayError, ConfigError
from cbreplay.rules.bystander import Bystander
from cbreplay.rules.keras.custom_code import (
    find_logger,
    is_altered,
    is_custom_callback,
    is_of_keras,
)
from cbreplay.rules.keras.driven import DrivenCallback, reached_from
from cbreplay.rules.keras.keras_objects import read_keras_object

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.rules.base import Callback

__all__ = ["drive_entangled", "read_callback_object"]


def read_callback_object(callback: Any) -> Callback | None:
    """Return the rule for a callback of Keras or of the user's own.

    None where it does not have the hooks of a callback.

    Raises
    ------
    ConfigError
        If its attributes raise where they are read.
    EvidenceError
        If no log can tell what it does.
    """
    if isinstance(callback, type) or not is_custom_callback(callback):
        return None
    try:
        rule = _read_or_drive(callback)
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


def _read_or_drive(callback: Any) -> Callback:
    untouched = is_of_keras(type(callback)) and not is_altered(callback)
    known = read_keras_object(callback) if untouched else None
    logger = find_logger(callback)
    if known is None and logger is not None:
        known = Bystander(logger, "...")
    return known or DrivenCallback(callback)


def drive_entangled(given: Sequence[Any], rules: Sequence[Callback]) -> list[Callback]:
    """Drive the callbacks of Keras that another one holds, or that are listed twice.

    A rule read from such an object would have a state of its own, and the two would
    differ. `rules` are those of the objects in `given`.
    """
    read = [
        (callback, rule)
        for callback, rule in zip(given, rules, strict=True)
        if rule is not callback
    ]
    seen: set[int] = set()
    reached: set[int] = set()
    for callback, rule in read:
        (reached if id(callback) in seen else seen).add(id(callback))
        if isinstance(rule, DrivenCallback):
            reached |= reached_from(rule.callback)
    return [
        DrivenCallback(callback)
        if id(callback) in reached
        and rule is not callback
        and not isinstance(rule, DrivenCallback)
        else rule
        for callback, rule in zip(given, rules, strict=True)
    ]
