"""Numbers of bytes as they are typed: ``256MB``, ``2GiB``, ``100000``."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["BYTE_COUNT"]

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


BYTE_COUNT = _ByteCount()
