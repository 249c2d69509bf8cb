"""A callbacks list as Python code to paste into a training script.

A rule that Keras does not have comes with a class that decides as it does.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from cbreplay.arguments import checked
from cbreplay.errors import ConfigError
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.rules.parameters import changed_parameters
from cbreplay.rules.registry import pasted_code_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.rules.base import Callback

__all__ = ["write_keras_code", "write_setting"]

_IMPORTS = {
    "keras": "import keras",
    "tf_keras": "import tf_keras as keras",
}


@checked
def write_keras_code(
    callbacks: Any, *, package: Literal["keras", "tf_keras"] = "keras"
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
    if any(rule.holds_own_code for rule in rules):
        sentence = (
            "a callback of your own is code that only your script holds. "
            "Leave it out of the list, and import it there."
        )
        raise ConfigError(sentence)
    calls = [f"    {_call(rule)},\n" for rule in rules]
    pasted = [code.text for rule in rules if (code := pasted_code_of(rule)) is not None]
    classes = list(dict.fromkeys(pasted))
    warns = any("warnings." in text for text in classes)
    imports = ("import warnings\n\n" if warns else "") + f"{_IMPORTS[package]}\n"
    listed = f"callbacks = [\n{''.join(calls)}]\n"
    if not classes:
        return f"{imports}\n{listed}"
    return "\n\n".join([imports, *classes, listed])


def _call(callback: Callback) -> str:
    """Return the call that makes one callback."""
    if not callback.acts_at:
        # a bystander: its arguments were never interpreted, so its code stays as it is
        return f"keras.callbacks.{callback.code}"
    given = changed_parameters(callback)
    prefix, code = "keras.callbacks.", pasted_code_of(callback)
    if code is not None:
        prefix, given = "", code.arguments(callback, given)
    name = callback.class_name
    arguments = [f"{key}={_literal(name, value)}" for key, value in given.items()]
    return f"{prefix}{name}({', '.join(arguments)})"


def _literal(rule: str, value: Any) -> str:
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
    text = repr(value.item() if hasattr(value, "item") else value)
    if text[0] == "'" and '"' not in text:
        # the quotes of the code around it
        return f'"{text[1:-1]}"'
    return text


def _refuse(code: str, reason: str) -> NoReturn:
    sentence = f"{code} cannot be written as Keras code: {reason}"
    raise ConfigError(sentence)


def write_setting(
    callbacks: Sequence[Callback], *, package: Literal["keras", "tf_keras"] = "keras"
) -> str:
    """Write a setting as `write_keras_code`, its monitor always written out."""
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
        arguments = {
            name: _literal(callback.class_name, value)
            for name, value in changed_parameters(callback).items()
        }
        if callback.monitor is not None:
            monitor = json.dumps(callback.monitor, ensure_ascii=False)
            arguments = {"monitor": monitor, **_without(arguments, "monitor")}
        lines.append(f"    {package}.callbacks.{callback.class_name}(")
        lines += [f"        {key}={value}," for key, value in arguments.items()]
        lines.append("    ),")
    return "\n".join([*lines, "]"])


def _without(arguments: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in arguments.items() if key != name}
