"""How many digits numbers were written with, and how far they may have been rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.evidence.rounded import count_digits, half_units
from cbreplay.run import Series

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cbreplay.run import BoolArray, FloatArray

__all__ = [
    "as_float32",
    "count_all_digits",
    "hold_float32",
    "hold_texts",
    "rounding_of",
]


def hold_float32(values: FloatArray) -> BoolArray:
    """Tell which numbers are exactly float32 numbers, so that they were not rounded."""
    with np.errstate(over="ignore", invalid="ignore"):
        single = values.astype(np.float32).astype(np.float64)
    same: BoolArray = (single == values) | np.isnan(values)
    return same


def hold_texts(values: FloatArray, kind: type[np.float16 | np.float32]) -> bool:
    """Tell whether all finite numbers are of a narrow kind, or such a number's text.

    >>> shown = [0.4526, 0.45263671875, 0.45261]
    >>> [hold_texts(np.array([each]), np.float16) for each in shown]
    [True, True, False]
    """
    known = values[np.isfinite(values)].tolist()
    with np.errstate(over="ignore"):
        narrow = [kind(value) for value in known]
        return all(
            value in {float(own), float(str(own))}
            for value, own in zip(known, narrow, strict=True)
        )


def rounding_of(values: FloatArray) -> FloatArray:
    """Return how far each number may have been rounded: to digits, or half precision.

    Few numbers, or short ones as 0.5 and 0.25, do not tell half precision.

    >>> halves = np.array([0.4526, 0.333251953125, 0.25, 0.2, 0.1])
    >>> rounding_of(halves).round(6).tolist()
    [0.000159, 0.000122, 0.000122, 0.00011, 5.5e-05]
    """
    known = np.where(np.isfinite(values), values, 0.0)
    single, written = hold_float32(values).all(), count_digits(known)
    near = np.zeros(len(values)) if single else half_units(known, *written)
    told = len({*known.tolist()}) >= _SEVERAL and written[0] >= _DIGITS
    if told and hold_texts(known, np.float16):
        halves = np.abs(known).astype(np.float16)
        # the text of such a number is not quite that number
        beside = np.abs(np.abs(known) - halves)
        near = np.maximum(near, np.spacing(halves) / 2 + beside)
    return near


_SEVERAL, _DIGITS = 5, 4


def as_float32(rate: Series) -> Series:
    """Return a learning rate as the optimizer holds it."""
    # in the optimizer, a rate beyond float32 is inf too
    with np.errstate(over="ignore"):
        return Series(rate.values.astype(np.float32), rate.recorded, rate.others)


def count_all_digits(columns: Iterable[FloatArray]) -> int:
    """Count the digits of all finite numbers together, each number once.

    Those of a float32 number are counted as such: 0.8999999761581421 is its 0.9.

    >>> count_all_digits([np.array([0.25, 0.25, 0.5]), np.array([0.125, np.nan])])
    6
    >>> count_all_digits([np.array([0.9], dtype=np.float32).astype(np.float64)])
    1
    """
    known = {each for own in columns for each in own[np.isfinite(own)].tolist()}
    with np.errstate(over="ignore"):
        singles = np.array([*known], dtype=np.float32)
    texts = [
        str(single) if float(single) == value else repr(value)
        for value, single in zip(known, singles, strict=True)
    ]
    return sum(len(text.replace(".", "").strip("0-")) for text in texts)
