"""A recommended setting as code to paste."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Literal

from cbreplay.rules.keras.early_stopping import EarlyStopping
from cbreplay.rules.keras.keras_code import write_keras_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.rules.base import Callback

__all__ = ["setting_code"]


def setting_code(callbacks: Sequence[Callback], semantics: str) -> str:
    """Write a setting as code to paste; what is watched is always written out.

    >>> from cbreplay import EarlyStopping
    >>> print(setting_code([EarlyStopping(patience=5)], "keras-3.15"))
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
    stopper = callbacks[0]
    if len(callbacks) > 1 or not isinstance(stopper, EarlyStopping):
        return write_keras_code(callbacks, package=package).rstrip()
    monitor = json.dumps(stopper.monitor, ensure_ascii=False)
    given = [
        f"{one.name}={getattr(stopper, one.name)!r}"
        for one in fields(stopper)
        if one.name != "monitor" and getattr(stopper, one.name) != one.default
    ]
    lines = [f"        {one}," for one in (f"monitor={monitor}", *given)]
    call = f"    {package}.callbacks.EarlyStopping("
    return "\n".join(["callbacks = [", call, *lines, "    ),", "]"])
