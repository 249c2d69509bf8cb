"""A setting by its name in a sentence, and as code to paste."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.rules.base import format_callback
from cbreplay.rules.families import default_family, family_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.rules.base import Callback

__all__ = ["setting_code", "setting_name"]

_LONGEST_SETTING = 60


def setting_name(callbacks: Sequence[Callback], if_long: str = "this setting") -> str:
    """Name a setting in a sentence."""
    name = ", ".join(format_callback(callback) for callback in callbacks)
    return name if len(name) <= _LONGEST_SETTING else if_long


def setting_code(callbacks: Sequence[Callback], semantics: str = "") -> str:
    """Write a setting as code to paste, in which the monitor is always written out.

    The version whose rules decide tells the package that the code uses.

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
    family = family_of(callbacks) or default_family()
    return family.write_code(callbacks, semantics).rstrip()
