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
    from typing import BinaryIO

__all__ = [
    "FRAME_SIZE",
    "HEAD",
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

# behind the last record, so that a window may begin in it
_PADDING = 256
_ONES = 0xFFFFFFFF
_LOW_BITS, _HIGH_BITS = np.uint32(15), np.uint32(17)

# tensorflow/core/lib/io/record_writer.h: uint64 length, masked crc32c of it,
# the payload, masked crc32c of the payload
HEAD = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
FRAME_SIZE = HEAD.size + _CHECKSUM.size
_MASK_DELTA = 0xA282EAD8
_BUFFER, _BEGINNING = 1 << 16, 64
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

    def __init__(self, file: BinaryIO, path: str) -> None:
        beginning = file.read(_BEGINNING)
        check_content(beginning, path)
        file.seek(0)
        self._file, self._path = file, path
        self._size, self.flaw = os.fstat(file.fileno()).st_size, ""
        self.packed = beginning.startswith(_GZIP_MAGIC)
        if self.packed:
            content, self.flaw = _unpack(file)
            self._file, self._size = io.BytesIO(content), len(content)
            count_unpacked(len(content))

    def read(self, offset: int, n_bytes: int) -> bytes:
        """Return so many bytes, fewer only at the end."""
        self._file.seek(offset)
        return self._file.read(min(n_bytes, self._size - offset))

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
        with open(path, "rb", _BUFFER) as file:
            yield RecordBytes(file, path)
    except OSError as error:
        raise cannot_open(path, error) from None


def _unpack(file: BinaryIO) -> tuple[bytes, str]:
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
        self.payload_ends: Ints = self.ends - _CHECKSUM.size
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
        words, rotated = numbers_at(self._bytes, "<u4"), stored - np.uint32(_MASK_DELTA)
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
