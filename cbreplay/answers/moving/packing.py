"""Series as short text: for a line that is drawn, and for values that are exact."""

from __future__ import annotations

import base64
import string
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cbreplay.run import FloatArray

__all__ = ["HEIGHTS", "pack_floats", "pack_line"]

_SIGNS = f"{string.ascii_uppercase}{string.ascii_lowercase}{string.digits}+/"
# two signs stand for 4,096 numbers; the one above the last height is a gap
HEIGHTS = len(_SIGNS) ** 2 - 2


def pack_line(values: FloatArray, limits: tuple[float, float]) -> str:
    """Write a series as heights, two characters each, precise enough to draw a line.

    Heights reach beyond the limits, by as much as these are apart, so that a line that
    leaves the picture keeps its direction. A gap has a number of its own. NaN is a gap;
    `limits` are the ends of the axis.
    """
    low, high = limits
    with np.errstate(over="ignore"):
        share = (np.clip((values - low) / (high - low), -1, 2) + 1) / 3
    heights = np.where(np.isnan(share), HEIGHTS + 1, np.round(share * HEIGHTS))
    n_signs = len(_SIGNS)
    return "".join(
        _SIGNS[height // n_signs] + _SIGNS[height % n_signs]
        for height in heights.astype(np.int64).tolist()
    )


def pack_floats(values: FloatArray) -> str:
    """Write numbers bit by bit: base64 of little-endian float64."""
    raw = np.ascontiguousarray(values, dtype="<f8").tobytes()
    return base64.b64encode(raw).decode("ascii")
