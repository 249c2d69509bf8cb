"""Where the records of some bytes of an event file lie, and which were changed."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from google_crc32c import extend
from numpy.typing import NDArray

from cbreplay.readers.event_files.record_bytes import (
    CHECKSUM,
    FRAME_SIZE,
    HEAD,
    MASK_DELTA,
    masked_checksum,
)

__all__ = [
    "Flags",
    "Ints",
    "RecordBlock",
    "Words",
    "numbers_at",
    "read_head",
    "walk_frames",
]

Ints: TypeAlias = NDArray[np.int64]
Words: TypeAlias = NDArray[np.uint64]
Flags: TypeAlias = NDArray[np.bool_]

# behind the last record, so that a window may begin in it
_PADDING = 256
_ONES = 0xFFFFFFFF
_LOW_BITS, _HIGH_BITS = np.uint32(15), np.uint32(17)


# the size of a record by its head: one that was seen before needs no check
_SIZES: dict[bytes, int] = {}
# what files declare must not fill the memory
_MOST_HEADS = 65_536


def walk_frames(content: bytes) -> Ints:
    """Walk from record to record, as far as they are whole.

    Returns
    -------
    Ints
        Where each whole record begins, and last where the first begins that is not
        whole, or whose length was changed.
    """
    bounds, sizes = [position := 0], _SIZES
    append = bounds.append
    walking = 1
    while walking:
        try:
            # most of the time that reading takes is spent here: nothing is checked
            while True:
                position += sizes[content[position : position + 12]]
                append(position)
        except KeyError:
            head = content[position : position + HEAD.size]
            walking = len(head) == HEAD.size and read_head(head)
    while bounds[-1] > len(content):
        bounds.pop()
    return np.array(bounds, dtype=np.int64)


def read_head(record: bytes) -> int:
    """Return the size of a record by its head, and remember it; 0 if it was changed."""
    head = record[: HEAD.size]
    length, checksum = HEAD.unpack(head)
    if masked_checksum(head[:8]) != checksum:
        return 0
    if len(_SIZES) >= _MOST_HEADS:
        _SIZES.clear()
    return _SIZES.setdefault(head, length + FRAME_SIZE)


class RecordBlock:
    """Some whole records that follow each other, as bytes and as overlapping words.

    Parameters
    ----------
    content : bytes
        The bytes that hold them.
    offset : int
        Where these lie in the file.
    bounds : Ints
        Where each record begins in them, and where the last one ends.

    Attributes
    ----------
    positions, starts, payload_ends, ends : Ints
        Where each record begins, where its payload begins and ends, and where the
        record ends.
    lengths : Ints
        How long each payload is.
    changed : Flags
        Which payloads do not have the checksum that is stored behind them.
    """

    def __init__(self, content: bytes, offset: int, bounds: Ints) -> None:
        self.content, self.offset = content, offset
        self.positions, self.ends = bounds[:-1], bounds[1:]
        self.starts: Ints = self.positions + HEAD.size
        self.payload_ends: Ints = self.ends - CHECKSUM.size
        self.lengths: Ints = self.payload_ends - self.starts
        end = int(bounds[-1])
        self._bytes = np.empty(end + _PADDING, dtype=np.uint8)
        self._bytes[:end] = np.frombuffer(content, dtype=np.uint8, count=end)
        self._bytes[end:] = 0
        self.changed = self._find_changed(end)

    def __len__(self) -> int:
        return len(self.positions)

    def payload(self, row: int) -> memoryview:
        """Return the payload of a record, which may be too long for a copy."""
        start = int(self.starts[row])
        return memoryview(self.content)[start : start + int(self.lengths[row])]

    def read(self, kind: str, at: Ints) -> NDArray[Any]:
        """Read a number of some kind, as ``"<f4"``, at each of some positions."""
        found: NDArray[Any] = numbers_at(self._bytes, kind)[at]
        return found

    def holds(self, fixed: bytes, at: Ints) -> Flags:
        """Tell which of some positions have these bytes behind them."""
        if not fixed:
            return np.ones(len(at), dtype=np.bool_)
        alike: Flags = self.read(f"V{len(fixed)}", at) == np.void(fixed)
        return alike

    def _find_changed(self, end: int) -> Flags:
        stored = self.read("<u4", self.payload_ends)
        if self._none_changed(stored, end):
            return np.zeros(len(self), dtype=np.bool_)
        right = [masked_checksum(bytes(self.payload(row))) for row in range(len(self))]
        changed: Flags = stored != np.array(right, dtype=np.uint32)
        return changed

    def _none_changed(self, stored: NDArray[np.uint32], end: int) -> bool:
        """Tell whether all payloads have their checksums, in one pass over them.

        A CRC is a remainder. Where a payload is followed by its own, and its first
        four bytes are inverted because a CRC begins with ones, nothing remains; and
        bytes of zero before it change nothing in that. So heads are made zero, stored
        checksums are unmasked, and the remainder of everything is taken: a changed
        record leaves its error in it. Two and more errors cancel each other as seldom
        as a single one hits its checksum by chance, once in 2**32.
        """
        words, rotated = numbers_at(self._bytes, "<u4"), stored - np.uint32(MASK_DELTA)
        unmasked = (rotated << _LOW_BITS) | (rotated >> _HIGH_BITS)
        words[self.payload_ends] = ~unmasked
        numbers_at(self._bytes, "<u8")[self.positions] = 0
        words[self.positions + 8] = 0
        first = words[self.starts]
        words[self.starts] = ~first
        remainder: int = extend(_ONES, self._bytes[:end])
        # this undoes the change to the payloads; heads and checksums stay overwritten
        words[self.starts] = first
        return remainder == _ONES


def numbers_at(content: NDArray[np.uint8], kind: str) -> NDArray[Any]:
    """Return the number of some kind, as ``"<f4"``, that begins at each byte."""
    shape = (len(content) - int(kind.lstrip("<ufV")) + 1,)
    return np.ndarray(shape, kind, content, strides=(1,))
