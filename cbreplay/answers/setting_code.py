"""A setting in a sentence, and as code to paste."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Literal

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


def setting_code(callbacks: Sequence[Callback], semantics: str = "") -> str:
    """Write a setting as code to paste; what is watched is always written out.

    Parameters
    ----------
    callbacks : sequence of Callback
        The setting.
    semantics : str
        Whose rules decide, for the package that the code imports from.

    Examples
    --------
    >>> from cbreplay import EarlyStopping
    >>> print(setting_code([EarlyStopping(patience=5)]))
    callbacks = [
        keras.callbacks.EarlyStopping(
            monitor="val_loss",
            patience=5,
        ),
    ]
    """
    package: Literal["keras", "tf_keras"] = "keras"
    if semantics.startswith("tf_keras"):
        package = "tf_keras"
    if any(pasted_code_of(callback) is not None for callback in callbacks):
        # rules that Keras does not have come with their classes
        return write_keras_code(callbacks, package=package).rstrip()
    lines = ["callbacks = ["]
    for callback in callbacks:
        if callback.holds_own_code or not callback.acts_at:
            home = "" if callback.holds_own_code else f"{package}.callbacks."
            lines.append(f"    {home}{callback.code},")
            continue
        # the monitor is written out although val_loss is Keras's default
        arguments = _changed(callback)
        if callback.monitor is not None:
            monitor = json.dumps(callback.monitor, ensure_ascii=False)
            arguments = {"monitor": monitor, **_without(arguments, "monitor")}
        lines.append(f"    {package}.callbacks.{callback.class_name}(")
        lines += [f"        {key}={value}," for key, value in arguments.items()]
        lines.append("    ),")
    return "\n".join([*lines, "]"])


def _without(arguments: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in arguments.items() if key != name}


def _changed(callback: Callback) -> dict[str, str]:
    """Return the parameters that differ from Keras's defaults, as code."""
    # a rule is a dataclass; the protocol cannot say so
    return {
        parameter.name: repr(getattr(callback, parameter.name))
        for parameter in fields(callback)  # type: ignore[arg-type]
        if getattr(callback, parameter.name) != parameter.default
    }
