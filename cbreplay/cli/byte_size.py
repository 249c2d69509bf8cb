"""The option type of a size: 300MB, 1GB, 512MiB, or bytes."""

from __future__ import annotations

import re
from typing import Any

import click

__all__ = ["ByteSize"]

_SIZE = re.compile(r"([0-9]{1,15})(\.[0-9]{1,3})?\s*([kmgt]?i?)b?", re.IGNORECASE)
_STEPS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class ByteSize(click.ParamType):  # type: ignore[type-arg]  # generic only lately
    """A number of bytes, with or without a unit."""

    name = "size"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """Return the bytes.

        >>> (
        ...     ByteSize().convert("1.5GB", None, None),
        ...     ByteSize().convert("4KiB", None, None),
        ... )
        (1500000000, 4096)
        """
        if isinstance(value, int):
            return value
        found = _SIZE.fullmatch(str(value).strip())
        n_bytes = 0 if found is None else _bytes_of(*found.groups(default=""))
        if n_bytes < 1:
            self.fail(f"{value!r} is no size: write 300MB, 1GB or 512MiB.", param, ctx)
        return n_bytes


def _bytes_of(whole: str, fraction: str, unit: str) -> int:
    unit = unit.lower()
    base = 1024 if unit.endswith("i") else 1000
    return int(float(whole + fraction) * base ** _STEPS.get(unit.removesuffix("i"), 0))
