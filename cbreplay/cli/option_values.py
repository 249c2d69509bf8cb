"""What is typed as the value of an option: numbers, a range, a share, a size."""

from __future__ import annotations

import math
from typing import Any

import click

from cbreplay.arguments import shown_value
from cbreplay.errors import ConfigError

__all__ = ["BYTE_COUNT", "Share", "read_values"]


def read_values(option: str, text: str) -> range | list[float]:
    """Read an option's ``5``, ``3,5,10`` or ``1:30`` (both ends), each value once."""
    try:
        if ":" in text:
            first, last = (int(end) for end in text.split(":"))
            values: range | list[float] = range(first, last + 1)
        else:
            values = [*dict.fromkeys(map(_read_number, text.split(",")))]
    except ValueError:
        values = []
    if not values:
        raise ConfigError(_expected(option, text, values))
    if values[0] + _MOST_VALUES <= values[-1] and isinstance(values, range):
        sentence = (
            f"{option} is {shown_value(text)}, and more than {_MOST_VALUES:,} values "
            "are not tried at once"
        )
        raise ConfigError(sentence)
    return values


def _expected(option: str, text: str, values: range | list[float]) -> str:
    """Say what an option expects instead of a text, with values that suit it."""
    if isinstance(values, range):
        return (
            f"{option} is {shown_value(text)}, a range that runs backwards: write "
            f"{values.stop - 1}:{values.start}"
        )
    several = _SEVERAL.get(option, "3,5,10, or a range of integers as 1:30")
    return (
        f"{option} is {shown_value(text)}, where one value, several as {several} is "
        "expected"
    )


# what is no integer as a rule
_SEVERAL = {"--min-delta": "0,0.001,0.01, or a range of integers as 0:2"}


_MOST_VALUES = 1_000_000


def _read_number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)


_UNITS = {
    "": 1,
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
    **{letter: 1000**power for power, letter in enumerate("kmgt", 1)},
}


class _ByteCount(click.ParamType):  # type: ignore[type-arg]  # generic only lately
    """A number of bytes, with a unit or without."""

    name = "bytes"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """Return the number of bytes that a text stands for."""
        if isinstance(value, int):
            return value
        number = value.rstrip("bBiIkKmMgGtT ")
        unit = _UNITS.get(value[len(number) :].strip().lower())
        try:
            n_bytes = int(float(number) * (unit or 0))
        except (ValueError, OverflowError):
            n_bytes = 0
        if n_bytes < 1:
            self.fail(f"{value!r} is no size such as 500000, 256MB or 2GiB", param, ctx)
        return n_bytes


class Share(click.FloatRange):
    """A number from 0 to 1, or as percents; as `FloatRange`, its ends may be open."""

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401 - click's
        """Return the number that a text stands for."""
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text[-1:] == "%" else 1)
            # FloatRange takes NaN, which is on neither side of its ends
            share = math.inf if math.isnan(share) else share
            return super().convert(share, param, ctx)
        except (ValueError, click.BadParameter):
            ends = "above 0 and below 1" if self.min_open else "from 0 to 1"
            self.fail(f"{value!r} is no share {ends}, such as 0.9 or 90%", param, ctx)


BYTE_COUNT = _ByteCount()
