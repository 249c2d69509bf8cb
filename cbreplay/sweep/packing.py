"""A worker's answer in few bytes, to be sent back from its process."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = ["pack_column", "put_column"]


class Bits(NamedTuple):
    """A mask with eight cells in a byte."""

    size: int
    packed: Any


def pack_column(column: Any) -> Any:  # noqa: ANN401 - a column of any type
    """Return a column of whole numbers or a mask in few bytes, for `put_column`.

    Where all cells are equal, their value stands for them; a mask becomes bits, and
    numbers get the narrowest type that holds them.
    """
    first = column.reshape(-1)[0]
    if (column == first).all():
        return np.asarray(first)
    if column.dtype == np.bool_:
        return Bits(column.size, np.packbits(column))
    for dtype in (np.uint8, np.int16):
        if column.min() >= 0 and column.max() <= np.iinfo(dtype).max:
            return column.astype(dtype)
    return column


def put_column(packed: Any, place: Any) -> None:  # noqa: ANN401 - as `pack_column`
    """Write a packed column into a new one, which is still all zeros."""
    if not place.flags.writeable:
        # `Cells.empty` made it of a single value, which is the value of every cell
        return
    if isinstance(packed, Bits):
        mask = np.unpackbits(packed.packed, count=packed.size)
        place[...] = mask.view(np.bool_).reshape(place.shape)
    elif packed.ndim:
        place[...] = packed.reshape(place.shape)
    elif packed != 0:
        # zeros are there already, and memory that is never written is never used
        place[...] = packed
