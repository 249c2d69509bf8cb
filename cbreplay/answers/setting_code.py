"""A setting in a sentence, and as code to paste."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from cbreplay.rules.base import format_callback
from cbreplay.rules.keras.keras_code import write_keras_code
from cbreplay.rules.registry import pasted_code_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.rules.base import Callback

__all__ = ["setting_code", "setting_name"]

_LONGEST_SETTING = 60


def setting_name(callbacks: Sequence[Callback]) -> str:
    """Name a setting in a sentence."""
    name = ", ".join(format_callback(callback) for callback in callbacks)
    return name if len(name) <= _LONGEST_SETTING else "this setting"


def setting_code(callbacks: Sequence[Callback]) -> str:
    """Write a setting as code to paste.

    >>> from cbreplay import EarlyStopping
    >>> print(setting_code([EarlyStopping(patience=5)]))
    callbacks = [
        keras.callbacks.EarlyStopping(
            monitor='val_loss',
            patience=5,
        ),
    ]
    """
    if any(pasted_code_of(callback) is not None for callback in callbacks):
        # rules that Keras does not have come with their classes
        return write_keras_code(callbacks).rstrip()
    lines = ["callbacks = ["]
    for callback in callbacks:
        if callback.holds_own_code or not callback.acts_at:
            home = "" if callback.holds_own_code else "keras.callbacks."
            lines.append(f"    {home}{callback.code},")
            continue
        # the monitor is written out although val_loss is Keras's default
        arguments = _changed(callback)
        if callback.monitor is not None:
            arguments = {"monitor": repr(callback.monitor), **arguments}
        lines.append(f"    keras.callbacks.{callback.class_name}(")
        lines += [f"        {key}={value}," for key, value in arguments.items()]
        lines.append("    ),")
    return "\n".join([*lines, "]"])


def _changed(callback: Callback) -> dict[str, str]:
    """Return the parameters that differ from Keras's defaults, as code."""
    # a rule is a dataclass; the protocol cannot say so
    return {
        parameter.name: repr(getattr(callback, parameter.name))
        for parameter in fields(callback)  # type: ignore[arg-type]
        if getattr(callback, parameter.name) != parameter.default
    }
