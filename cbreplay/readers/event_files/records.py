"""The bytes of an event file and its records: unpacked, told apart, and checked."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import struct
import zlib
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from google_crc32c import extend
from google_crc32c import value as crc32c
from numpy.typing import NDArray

from cbreplay.errors import LogError, TruncatedLogError
from cbreplay.readers.base import SKIP_HINT
from cbreplay.readers.files import cannot_open, check_content, count_unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "FRAME_SIZE",
    "HEAD",
    "PADDING",
    "Bytes",
    "Flags",
    "Ints",
    "RecordBlock",
    "RecordBytes",
    "Words",
    "masked_checksum",
    "numbers_at",
    "open_records",
    "read_head",
    "walk_frames",
]

Ints: TypeAlias = NDArray[np.int64]
Words: TypeAlias = NDArray[np.uint64]
Flags: TypeAlias = NDArray[np.bool_]
Bytes: TypeAlias = NDArray[np.uint8]

# behind what was read, so that a number of bytes may begin at its last
PADDING = 256
_ONES = 0xFFFFFFFF
_LOW_BITS, _HIGH_BITS = np.uint32(15), np.uint32(17)

# tensorflow/core/lib/io/record_writer.h: uint64 length, masked crc32c of it,
# the payload, masked crc32c of the payload
HEAD = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
FRAME_SIZE = HEAD.size + _CHECKSUM.size
_HEAD_BYTES = f"V{HEAD.size}"
_MASK_DELTA = 0xA282EAD8
_BEGINNING = 64
_GZIP_MAGIC, _GZIP_WINDOW = b"\x1f\x8b", 31
# what is unpacked together is lost together, where it is damaged
_PACKED_AT_ONCE = 1 << 10
_OF_A_HEAD = " bytes of a record's head"
_CUT_HINT = (
    "Give the whole file, or keep what is whole with --errors skip or errors='skip'"
)


def masked_checksum(content: bytes) -> int:
    """Return the CRC-32C of some bytes, rotated and shifted as TFRecords hold it."""
    crc: int = crc32c(content)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


class RecordBytes:
    """The bytes of an event file; those of a gzip file are unpacked.

    What a writer appends meanwhile is left for another reading.

    Attributes
    ----------
    packed : bool
        Whether it is a gzip file.
    flaw : str
        Why the bytes end early, if a gzip file's do.
    """

    def __init__(self, file: io.BufferedIOBase, path: str) -> None:
        beginning = file.read(_BEGINNING)
        check_content(beginning, path)
        file.seek(0)
        self._file, self._path, self._window = file, path, np.empty(0, np.uint8)
        self._size, self.flaw = os.fstat(file.fileno()).st_size, ""
        self.packed = beginning.startswith(_GZIP_MAGIC)
        if self.packed:
            content, self.flaw = _unpack(file)
            self._file, self._size = io.BytesIO(content), len(content)
            count_unpacked(len(content))

    def read(self, offset: int, n_bytes: int) -> Bytes:
        """Return so many bytes, fewer only at the end, and `PADDING` more behind them.

        They are there until the next reading.
        """
        n_bytes = min(n_bytes, self._size - offset)
        if len(self._window) < n_bytes + PADDING:
            self._window = np.empty(n_bytes + PADDING, dtype=np.uint8)
        self._file.seek(offset)
        n_found = self._file.readinto(self._window[:n_bytes].data)
        return self._window[: n_found + PADDING]

    def cut(self, offset: int, found: int, wanted: int | None = None) -> LogError:
        """Return the error of a file that ends inside a record.

        Parameters
        ----------
        offset : int
            Where the record begins.
        found : int
            How many of its bytes there are, behind its head if that is whole.
        wanted : int, optional
            How many there should be behind its head.
        """
        of = f" of the {wanted} bytes of a record" if wanted else _OF_A_HEAD
        why = self.flaw or "a writer may still be open"
        problem = f"the file breaks off: it holds only {found}{of} ({why})"
        return TruncatedLogError(
            problem, source=self._path, byte=offset, hint=_CUT_HINT
        )

    def wrong_checksum(self, offset: int, what: str) -> LogError:
        """Return the error of a record whose length or content was changed."""
        problem = f"the checksum of a record's {what} is wrong: bytes were changed"
        return self.damaged(offset, problem)

    def damaged(self, offset: int, problem: str) -> LogError:
        """Return the error of a record that is to be left out."""
        return LogError(problem, source=self._path, byte=offset, hint=SKIP_HINT)


@contextlib.contextmanager
def open_records(path: str) -> Iterator[RecordBytes]:
    """Open an event file.

    Raises
    ------
    LogError
        If it cannot be read, is empty, or only points to a file.
    """
    try:
        # a pipe would wait for its writer
        if not stat.S_ISREG(os.stat(path).st_mode):
            problem, hint = "this is not a regular file", "Give an event file"
            raise LogError(problem, source=path, hint=hint)
        with open(path, "rb") as file:
            yield RecordBytes(file, path)
    except OSError as error:
        raise cannot_open(path, error) from None


def _unpack(file: io.BufferedIOBase) -> tuple[bytes, str]:
    """Unpack a gzip file as far as it is whole, and say why no further."""
    pieces: list[bytes] = []
    unpacker, packed = zlib.decompressobj(_GZIP_WINDOW), b""
    flaw = ""
    while packed := packed or file.read(_PACKED_AT_ONCE):
        if unpacker.eof:
            if not packed.startswith(_GZIP_MAGIC[: len(packed)]):
                break
            unpacker = zlib.decompressobj(_GZIP_WINDOW)
        try:
            pieces.append(unpacker.decompress(packed))
        except zlib.error as error:
            flaw = f"its gzip data are damaged ({error})"
            break
        packed = unpacker.unused_data
    else:
        flaw = "" if unpacker.eof else "its gzip data break off"
    return b"".join(pieces), flaw


# the size of a record by its head: one that was seen before needs no check
_SIZES: dict[tuple[int, int], int] = {}
# what files declare must not fill the memory
_MOST_HEADS = 65_536


def walk_frames(content: Bytes, begin: int = 0) -> Ints:
    """Walk from record to record, as far as they are whole.

    Parameters
    ----------
    content : Bytes
        What `RecordBytes.read` returned.
    begin : int
        Where the first record begins in it.

    Returns
    -------
    Ints
        Where each whole record begins, and last where the first begins that is not
        whole, or whose length was changed.
    """
    bounds, sizes, head_at = [position := begin], _SIZES, HEAD.unpack_from
    append, buffer, end = bounds.append, content.data, len(content) - PADDING
    while True:
        try:
            # most of the time that reading takes is spent here: nothing is checked
            while True:
                position += sizes[head_at(buffer, position)]
                append(position)
        except (KeyError, struct.error, OverflowError):
            if not read_head(content[position:end]):
                break
    while bounds[-1] > end:
        bounds.pop()
    return np.array(bounds, dtype=np.int64)


def read_head(content: Bytes) -> int:
    """Return the size of a record by its head, and remember it.

    0 if it is not whole, or was changed.
    """
    if len(content) < HEAD.size:
        return 0
    length, checksum = HEAD.unpack_from(content.data)
    if masked_checksum(bytes(content[:8])) != checksum:
        return 0
    if len(_SIZES) >= _MOST_HEADS:
        _SIZES.clear()
    return _SIZES.setdefault((length, checksum), length + FRAME_SIZE)


class RecordBlock:
    """Some whole records that follow each other, as bytes and as overlapping words.

    Parameters
    ----------
    content : Bytes
        What `RecordBytes.read` returned.
    offset : int
        Where this lies in the file.
    bounds : Ints
        Where each record begins in it, and where the last one ends.

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

    def __init__(self, content: Bytes, offset: int, bounds: Ints) -> None:
        self.content, self.offset, self.bounds = content, offset, bounds
        self.positions, self.ends = bounds[:-1], bounds[1:]
        self.starts: Ints = self.positions + HEAD.size
        self.payload_ends: Ints = self.ends - _CHECKSUM.size
        self.lengths: Ints = self.payload_ends - self.starts
        self.changed = self._find_changed()

    def __len__(self) -> int:
        return len(self.positions)

    def payload(self, row: int) -> memoryview:
        """Return the payload of a record, which may be too long for a copy."""
        return self.content[self.starts[row] : self.payload_ends[row]].data

    def read(self, kind: str, at: Ints) -> NDArray[Any]:
        """Read a number of some kind, as ``"<f4"``, at each of some positions."""
        found: NDArray[Any] = numbers_at(self.content, kind)[at]
        return found

    def holds(self, fixed: bytes, at: Ints) -> Flags:
        """Tell which of some positions have these bytes behind them."""
        if not fixed:
            return np.ones(len(at), dtype=np.bool_)
        alike: Flags = self.read(f"V{len(fixed)}", at) == np.void(fixed)
        return alike

    def _find_changed(self) -> Flags:
        stored = self.read("<u4", self.payload_ends)
        if self._none_changed(stored):
            return np.zeros(len(self), dtype=np.bool_)
        right = [masked_checksum(bytes(self.payload(row))) for row in range(len(self))]
        changed: Flags = stored != np.array(right, dtype=np.uint32)
        return changed

    def _none_changed(self, stored: NDArray[np.uint32]) -> bool:
        """Tell whether all payloads have their checksums, in one pass over them.

        A CRC is a remainder. Where a payload is followed by its own, and its first
        four bytes are inverted because a CRC begins with ones, nothing remains; and
        bytes of zero before it change nothing in that. So heads are made zero, stored
        checksums are unmasked, and the remainder of everything is taken: a changed
        record leaves its error in it. Two and more errors cancel each other as seldom
        as a single one hits its checksum by chance, once in 2**32.
        """
        rotated = stored - np.uint32(_MASK_DELTA)
        words = numbers_at(self.content, "<u4")
        heads = numbers_at(self.content, _HEAD_BYTES)
        read = heads[self.positions]
        words[self.payload_ends] = ~((rotated << _LOW_BITS) | (rotated >> _HIGH_BITS))
        heads[self.positions] = bytes(HEAD.size)
        first = words[self.starts]
        words[self.starts] = ~first
        remainder: int = extend(_ONES, self.content[self.bounds[0] : self.bounds[-1]])
        words[self.starts] = first
        words[self.payload_ends] = stored
        heads[self.positions] = read
        return remainder == _ONES


def numbers_at(content: NDArray[np.uint8], kind: str) -> NDArray[Any]:
    """Return the number of some kind, as ``"<f4"``, that begins at each byte."""
    shape = (len(content) - int(kind.lstrip("<ufV")) + 1,)
    return np.ndarray(shape, kind, content, strides=(1,))
