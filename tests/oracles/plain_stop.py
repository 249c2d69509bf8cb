"""EarlyStopping of Keras 3.15 once more, as a loop over a list; and what is best.

It shares nothing with the package: what sentences claim is checked against it.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

# below it TensorFlow takes a float32 as zero
_SMALLEST = 2.0**-126


class Stopped(NamedTuple):
    """Where training ended, as positions; `stop` is None where it did not."""

    stop: int | None
    kept: int


def single(value: float) -> float:
    """Return a value as float32 holds it."""
    if math.isnan(value) or math.isinf(value):
        return value
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return 0.0 if abs(rounded) < _SMALLEST else rounded


def stop_at(
    values: Sequence[float | None],
    patience: float,
    mode: str,
    *,
    first_epoch: int = 0,
    restores: bool = True,
) -> Stopped:
    """Return where EarlyStopping(patience=...) ends a record, and what it keeps."""
    best: float | None = None
    best_at: int | None = None
    wait = 0
    for position, value in enumerate(values):
        if value is None:
            continue
        if best_at is None:
            best_at = position
        wait += 1
        sign = 1 if mode == "min" else -1
        better = best is None or single(sign * value) < single(sign * best)
        if better:
            best, best_at, wait = value, position, 0
        elif wait >= patience and first_epoch + position > 0:
            kept = best_at if restores else position
            return Stopped(position, kept)
    last = len(values) - 1
    return Stopped(None, last if best_at is None or not restores else best_at)


def best_of(values: Sequence[float | None], mode: str) -> float | None:
    """Return the best finite value; None where there is none."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if not finite:
        return None
    return min(finite) if mode == "min" else max(finite)
