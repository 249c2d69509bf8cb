"""Parse the values of an option: one, several, or a range."""

from __future__ import annotations

from cbreplay.errors import ConfigError
from cbreplay.plain_text import shown_value

__all__ = ["read_values"]


def read_values(option: str, text: str) -> range | list[float]:
    """Read an option's ``5``, ``3,5,10`` or ``1:30`` (both ends)."""
    try:
        if ":" in text:
            first, last = (int(end) for end in text.split(":"))
            values: range | list[float] = range(first, last + 1)
            _check_order(option, text, first, last)
        else:
            values = [_read_number(number) for number in text.split(",")]
    except ConfigError:
        raise
    except ValueError:
        values = []
    if not values:
        sentence = (
            f"{option} is {shown_value(text)}, where one value, several as 3,5,10, or "
            "a range of integers as 1:30 is expected"
        )
        raise ConfigError(sentence)
    if values[0] + _MOST_VALUES <= values[-1] and isinstance(values, range):
        sentence = (
            f"{option} is {shown_value(text)}, and more than {_MOST_VALUES:,} values "
            "are not tried at once"
        )
        raise ConfigError(sentence)
    return values


def _check_order(option: str, text: str, first: int, last: int) -> None:
    if first > last:
        sentence = (
            f"{option} is {shown_value(text)}, a range that runs backwards: write "
            f"{last}:{first}"
        )
        raise ConfigError(sentence)


_MOST_VALUES = 1_000_000


def _read_number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)
