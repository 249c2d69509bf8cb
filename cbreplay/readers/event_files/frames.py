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

__all__ = ["Flags", "Ints", "RecordBlock", "Words", "walk_frames"]

Ints: TypeAlias = NDArray[np.int64]
Words: TypeAlias = NDArray[np.uint64]
Flags: TypeAlias = NDArray[np.bool_]

# behind the last record, so that a window may begin in it
_PADDING = 256
# what a file declares must not fill the memory
_MOST_HEADS = 65_536
_MOST_LAYOUTS = 4
_ONES = 0xFFFFFFFF
_LOW_BITS, _HIGH_BITS = np.uint32(15), np.uint32(17)


# the size of a record by its head: one that was seen before needs no check
_SIZES: dict[bytes, int] = {}


# where the records of some bytes began and the last one ended, and their heads end to
# end; by the head of their second record: the first one holds the version, and says
# nothing about the others
_LAYOUTS: dict[bytes, tuple[Ints, bytes]] = {}
_NO_LAYOUT = np.zeros(1, dtype=np.int64), b""


def walk_frames(content: bytes) -> Ints:
    """Walk from record to record, as far as they are whole.

    The files of a directory are alike, and so are the parts of a file: what lies as it
    lay in the last one needs no walk, but only a look at every head.

    Returns
    -------
    Ints
        Where each whole record begins, and last where the first begins that is not
        whole, or whose length was changed.
    """
    second = _SIZES.get(content[: HEAD.size], 0)
    key = content[second : second + HEAD.size]
    bounds = _as_before(content, *_LAYOUTS.get(key, _NO_LAYOUT))
    walked = _walk(content, int(bounds[-1]))
    if len(walked) > 1:
        bounds = np.concatenate([bounds[:-1], np.array(walked, dtype=np.int64)])
        if len(_LAYOUTS) >= _MOST_LAYOUTS:
            _LAYOUTS.clear()
        _LAYOUTS[key] = bounds, _heads(content, bounds[:-1])
    return bounds


def _as_before(content: bytes, before: Ints, heads_before: bytes) -> Ints:
    """Return the bounds of the records that lie as others lay before."""
    n_records = int(before.searchsorted(len(content), side="right")) - 1
    if n_records < 1:
        return _NO_LAYOUT[0]
    bounds = before[: n_records + 1]
    heads = _heads(content, bounds[:-1])
    if heads_before.startswith(heads):
        return bounds
    held_before = np.frombuffer(heads_before, "V12", n_records)
    differs = np.frombuffer(heads, "V12") != held_before
    return bounds[: int(differs.argmax()) + 1]


def _heads(content: bytes, positions: Ints) -> bytes:
    """Return the heads of the records that begin at some positions, end to end."""
    shape = (len(content) - HEAD.size + 1,)
    every: NDArray[np.void] = np.ndarray(shape, "V12", content, strides=(1,))
    return every[positions].tobytes()


def _walk(content: bytes, position: int) -> list[int]:
    """Walk on from where a record begins, to where no whole one does."""
    bounds, sizes = [position], _SIZES
    append = bounds.append
    walking = True
    while walking:
        try:
            # most of the time that reading takes is spent here: nothing is checked
            while True:
                position += sizes[content[position : position + 12]]
                append(position)
        except KeyError:
            walking = _learn_head(content[position : position + HEAD.size])
    while bounds[-1] > len(content):
        bounds.pop()
    return bounds


def _learn_head(head: bytes) -> bool:
    """Remember the size that a head declares; False if it is cut or was changed."""
    if len(head) < HEAD.size:
        return False
    length, checksum = HEAD.unpack(head)
    if masked_checksum(head[:8]) != checksum:
        return False
    if len(_SIZES) >= _MOST_HEADS:
        _SIZES.clear()
    _SIZES[head] = length + FRAME_SIZE
    return True


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
    positions, starts, lengths : Ints
        Where each record begins, where its payload begins, and how long that is.
    changed : Flags
        Which payloads do not have the checksum that is stored behind them.
    """

    def __init__(self, content: bytes, offset: int, bounds: Ints) -> None:
        self._content, self.offset = content, offset
        self.positions, ends = bounds[:-1], bounds[1:]
        self.starts: Ints = self.positions + HEAD.size
        self.lengths: Ints = ends - self.starts
        self.lengths -= CHECKSUM.size
        end = int(ends[-1])
        self._bytes = np.empty(end + _PADDING, dtype=np.uint8)
        self._bytes[:end] = np.frombuffer(content, dtype=np.uint8, count=end)
        self._bytes[end:] = 0
        self.changed = self._find_changed(end)

    def __len__(self) -> int:
        return len(self.positions)

    def payload(self, row: int) -> bytes:
        """Return the payload of a record."""
        start = int(self.starts[row])
        return self._content[start : start + int(self.lengths[row])]

    def read(self, kind: str, at: Ints) -> NDArray[Any]:
        """Read a number of some kind, as ``"<f4"``, at each of some positions."""
        found: NDArray[Any] = self._every(kind)[at]
        return found

    def windows(self, at: Ints, n_bytes: int) -> Words:
        """Read so many bytes from each of some positions on, as rows of words."""
        rows = self._every(f"V{n_bytes}")[at]
        words: Words = rows.view("<u8").reshape(len(at), -1)
        return words

    def _every(self, kind: str) -> NDArray[Any]:
        """Return the number of some kind that begins at each byte."""
        shape = (len(self._bytes) - int(kind.lstrip("<ufV")) + 1,)
        return np.ndarray(shape, kind, self._bytes, strides=(1,))

    def _find_changed(self, end: int) -> Flags:
        stored = self.read("<u4", self.starts + self.lengths)
        if self._none_changed(stored, end):
            return np.zeros(len(self), dtype=np.bool_)
        right = [masked_checksum(self.payload(row)) for row in range(len(self))]
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
        words, rotated = self._every("<u4"), stored - np.uint32(MASK_DELTA)
        unmasked = (rotated << _LOW_BITS) | (rotated >> _HIGH_BITS)
        words[self.starts + self.lengths] = ~unmasked
        self._every("<u8")[self.positions] = 0
        words[self.positions + 8] = 0
        first = words[self.starts]
        words[self.starts] = ~first
        remainder: int = extend(_ONES, self._bytes[:end])
        # this undoes the change to the payloads; heads and checksums stay overwritten
        words[self.starts] = first
        return remainder == _ONES
