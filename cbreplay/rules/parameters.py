"""The parameters of a rule: read by name, and refused where they cannot be."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any, SupportsFloat

from cbreplay.errors import ConfigError, RefusedValueError, nearest_name
from cbreplay.wording.plain_text import shown_value

if TYPE_CHECKING:
    from cbreplay.rules.training import Training
    from cbreplay.run import Mode

__all__ = [
    "changed_parameters",
    "check_count",
    "check_flags",
    "check_mode",
    "check_numbers",
    "check_text",
    "parameters_of",
    "resolve_direction",
]


def parameters_of(rule: Any) -> dict[str, Any]:
    """Return the parameters of a rule and their values, in its order."""
    return {parameter.name: getattr(rule, parameter.name) for parameter in fields(rule)}


def changed_parameters(rule: Any) -> dict[str, Any]:
    """Return the parameters of a rule that are not their defaults, in its order."""
    defaults = {parameter.name: parameter.default for parameter in fields(rule)}
    given = parameters_of(rule)
    return {name: value for name, value in given.items() if value != defaults[name]}


def check_numbers(callback: str, **numbers: object) -> None:
    """Raise ConfigError unless these are numbers that Keras can compute with."""
    for parameter, value in numbers.items():
        if not _is_number(value):
            raise _refused(callback, parameter, value, "a number")


# Python's own types first, because checking the protocol is slow
_NUMBERS = (float, int, SupportsFloat)


def _is_number(value: object) -> bool:
    # numpy's numbers too; its strings have __float__ as well, but are no numbers
    if isinstance(value, (str, bytes)) or not isinstance(value, _NUMBERS):
        return False
    try:
        return not math.isnan(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def check_count(callback: str, parameter: str, value: object) -> None:
    """Raise ConfigError unless the value counts something, from 1 on."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < _MANY:
        raise _refused(callback, parameter, value, "a whole number from 1 on")


# below this, counters and the product of two counts are exact
_MANY = 2**31


def check_text(callback: str, parameter: str, value: object) -> None:
    """Raise ConfigError unless the value is text, as the name of a series is."""
    if not isinstance(value, str):
        raise _refused(callback, parameter, value, "a name")


def check_flags(callback: str, **flags: object) -> None:
    """Raise ConfigError unless each flag is one plain value, such as True or 1."""
    for parameter, value in flags.items():
        # numpy's scalars have no axis
        plain = value is None or isinstance(value, (bool, float, str))
        small = isinstance(value, int) and value.bit_length() <= _MOST_BITS
        if not plain and not small and getattr(value, "ndim", None) != 0:
            raise _refused(callback, parameter, value, "True or False")


_MOST_BITS = 64


def _refused(callback: str, parameter: str, value: object, wanted: str) -> ConfigError:
    shown = shown_value(value)
    return ConfigError(
        f"{callback}: {parameter} is {shown}, where {wanted} is expected"
    )


def check_mode(callback: str, mode: object) -> None:
    """Raise ConfigError unless the mode is one of Keras's three."""
    modes = ("auto", "min", "max")
    if not isinstance(mode, str) or mode not in modes:
        raise RefusedValueError(
            callback=callback,
            parameter="mode",
            shown=shown_value(mode),
            wanted="'auto', 'min' or 'max'",
            outcome="takes 'auto', with a warning, for",
            fails_at_once=False,
            instead="mode='min' or mode='max'",
            near=nearest_name(mode, modes) if isinstance(mode, str) else "",
        )


def resolve_direction(
    callback: str, monitor: str, mode: str, training: Training
) -> Mode:
    """Return which way a monitor improves: as it was given, else as its name tells.

    The callback's name is for the error.

    Raises
    ------
    ConfigError
        If mode is "auto" and nothing tells.
    """
    if mode == "min":
        return "min"
    if mode == "max":
        return "max"
    direction = training.find_direction(monitor)
    if direction is None:
        sentence = (
            f"{callback}: nothing tells whether {monitor!r} should be small or large. "
            "Give --mode or mode=."
        )
        raise ConfigError(sentence)
    return direction
