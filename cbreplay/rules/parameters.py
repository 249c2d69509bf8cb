"""The parameters of a rule: read by name, made plain, refused where they cannot be.

The checks are for `__post_init__`. Each leaves Python's own value where numpy's or an
Enum's was given: the code of a rule, its JSON and its arithmetic know no others.
"""

from __future__ import annotations

import math
from dataclasses import fields
from numbers import Integral, Rational
from typing import TYPE_CHECKING, Any, SupportsFloat

from cbreplay.arguments import shown_value
from cbreplay.errors import ConfigError, RefusedValueError
from cbreplay.wording.near_names import nearest_name

if TYPE_CHECKING:
    from cbreplay.rules.training import Training
    from cbreplay.run import Mode

__all__ = [
    "changed_parameters",
    "check_count",
    "check_flags",
    "check_mode",
    "check_monitor",
    "check_numbers",
    "check_text",
    "defaults_of",
    "parameters_of",
    "resolve_direction",
]


def parameters_of(rule: Any) -> dict[str, Any]:
    """Return the parameters of a rule and their values, in its order."""
    return {parameter.name: getattr(rule, parameter.name) for parameter in fields(rule)}


def defaults_of(rule: Any) -> dict[str, Any]:
    """Return the parameters of a rule, or of its class, and their defaults."""
    return {parameter.name: parameter.default for parameter in fields(rule)}


def changed_parameters(rule: Any) -> dict[str, Any]:
    """Return the parameters of a rule that are not their defaults, in its order."""
    defaults, given = defaults_of(rule), parameters_of(rule)
    return {name: value for name, value in given.items() if value != defaults[name]}


def check_numbers(rule: Any, *parameters: str) -> None:
    """Raise ConfigError unless these are numbers that Keras can compute with."""
    for parameter in parameters:
        value = getattr(rule, parameter)
        if not _is_number(value):
            wanted = "float(...) of that number" if _is_other(value) else "a number"
            raise _refused(rule.class_name, parameter, value, wanted)
        if type(value) not in _PLAIN_NUMBERS:
            plain = int(value) if isinstance(value, Integral) else float(value)
            object.__setattr__(rule, parameter, plain)


_PLAIN_NUMBERS = (float, int, bool)
# np.float64 is a float, and numpy's integers are rational
_EXACT_NUMBERS = (float, int, Rational)


def _is_number(value: object) -> bool:
    if not isinstance(value, _EXACT_NUMBERS):
        return False
    try:
        return not math.isnan(value)
    except OverflowError:
        return False


def _is_other(value: object) -> bool:
    """Return whether it is a float of another precision, such as np.float32.

    In which precision Python computes with it depends on the version of numpy.
    """
    # numpy's texts have __float__ too
    return isinstance(value, SupportsFloat) and not isinstance(
        value, (*_EXACT_NUMBERS, str)
    )


def check_count(rule: Any, parameter: str) -> None:
    """Raise ConfigError unless the value counts something, from 1 on."""
    value = getattr(rule, parameter)
    counts = isinstance(value, Integral) and not isinstance(value, bool)
    if not counts or not 1 <= value < _MANY:
        wanted = "a whole number from 1 on"
        raise _refused(rule.class_name, parameter, value, wanted)
    object.__setattr__(rule, parameter, int(value))


# below this, counters and the product of two counts are exact
_MANY = 2**31


def check_text(rule: Any, parameter: str) -> None:
    """Raise ConfigError unless the value is text, as the name of a series is."""
    value = getattr(rule, parameter)
    if not isinstance(value, str):
        refused = _refused(rule.class_name, parameter, value, "a name")
        first, *others = parameters_of(rule)
        counts = type(value) is int and 0 <= value < _MANY
        if first == parameter and "patience" in others and counts:
            # as in Keras, a number in this place is an error, and a common slip
            meant = f"patience={value}"
            sentence = f"{refused}. It is the first argument; write {meant} if meant"
            raise ConfigError(sentence)
        raise refused
    if type(value) is not str:
        # str(...) of a member of an Enum would be its name
        object.__setattr__(rule, parameter, str.__str__(value))


def check_flags(rule: Any, *parameters: str) -> None:
    """Raise ConfigError unless each flag is one plain value, such as True or 1."""
    for parameter in parameters:
        value = getattr(rule, parameter)
        plain = value is None or isinstance(value, (bool, float, str))
        small = isinstance(value, int) and value.bit_length() <= _MOST_BITS
        if plain or small:
            continue
        # numpy's scalars have no axis
        if getattr(value, "ndim", None) != 0:
            raise _refused(rule.class_name, parameter, value, "True or False")
        object.__setattr__(rule, parameter, bool(value))


_MOST_BITS = 64


def _refused(callback: str, parameter: str, value: object, wanted: str) -> ConfigError:
    shown = shown_value(value)
    return ConfigError(
        f"{callback}: {parameter} is {shown}, where {wanted} is expected"
    )


def check_mode(rule: Any) -> None:
    """Raise ConfigError unless the mode is one of Keras's three."""
    modes, mode = ("auto", "min", "max"), rule.mode
    if not isinstance(mode, str) or mode not in modes:
        raise RefusedValueError(
            callback=rule.class_name,
            parameter="mode",
            shown=shown_value(mode),
            wanted="'auto', 'min' or 'max'",
            outcome="takes 'auto', with a warning, for",
            fails_at_once=False,
            instead="mode='min' or mode='max'",
            near=nearest_name(mode, modes) if isinstance(mode, str) else "",
        )
    check_text(rule, "mode")


def check_monitor(rule: Any, *flags: str) -> None:
    """Raise ConfigError unless monitor and mode are possible, and each flag is one."""
    check_text(rule, "monitor")
    check_mode(rule)
    check_flags(rule, *flags)


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
