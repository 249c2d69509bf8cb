"""The bytes of an event file and its records: unpacked, told apart, and checked."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import struct
import zlib
from array import array
from functools import lru_cache
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
_CHECKSUM_SIZE = 4
FRAME_SIZE = HEAD.size + _CHECKSUM_SIZE
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
    size : int
        How many bytes there are.
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
        self.size, self.flaw = os.fstat(file.fileno()).st_size, ""
        self.packed = beginning.startswith(_GZIP_MAGIC)
        if self.packed:
            content, self.flaw = _unpack(file)
            self._file, self.size = io.BytesIO(content), len(content)
            count_unpacked(len(content))

    def read(self, offset: int, n_bytes: int) -> Bytes:
        """Return so many bytes, fewer only at the end, and `PADDING` more behind them.

        They are there until the next reading.
        """
        n_bytes = min(n_bytes, self.size - offset)
        if len(self._window) < n_bytes + PADDING:
            self._window = np.empty(n_bytes + PADDING, dtype=np.uint8)
        self._file.seek(offset)
        n_found = self._file.readinto(self._window[:n_bytes].data)
        if n_found < n_bytes:
            # somebody cut the file meanwhile
            self.size = offset + n_found
        return self._window[: n_found + PADDING]

    def size_at(self, offset: int) -> int:
        """Return the size of a record by its head; 0 if that is cut or was changed."""
        head = self.read(offset, HEAD.size)
        is_whole = len(head) == HEAD.size + PADDING
        return record_size(*HEAD.unpack_from(head.data)) if is_whole else 0

    def cut(self, offset: int, found: int, wanted: int | None = None) -> LogError:
        """Return the error of a file that ends inside the record at an offset.

        `found` counts what there is of it, behind its head if that is whole; `wanted`
        what should be there.
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


# what files declare must not fill the memory
@lru_cache(maxsize=65_536)
def record_size(length: int, checksum: int) -> int:
    """Return the size of a record by its head; 0 if that was changed."""
    right = masked_checksum(length.to_bytes(8, "little")) == checksum
    return length + FRAME_SIZE if right else 0


def walk_frames(content: Bytes, begin: int = 0) -> Ints:
    """Walk from record to record, from a byte of what was read on, if they are whole.

    Returns
    -------
    Ints
        Where each whole record begins, and last where the first begins that is not
        whole, or whose length was changed.
    """
    bounds, position = array("q", [begin]), begin
    buffer, end = content.data, len(content) - PADDING
    # a head that breaks off goes on in the padding, and its record beyond the end
    while size := record_size(*HEAD.unpack_from(buffer, position)):
        position += size
        if position > end:
            break
        bounds.append(position)
    return np.frombuffer(bounds, dtype=np.int64)


class RecordBlock:
    """Some whole records that follow each other, as bytes and as overlapping words.

    Attributes
    ----------
    content : Bytes
        What was read of the file.
    offset : int
        Where that lies in it.
    bounds : Ints
        Where each record begins in the content, and where the last one ends.
    positions, starts, payload_ends : Ints
        Where each record begins, and where its payload begins and ends.
    changed : Flags
        Which payloads do not have the checksum that is stored behind them.
    """

    def __init__(self, content: Bytes, bounds: Ints, offset: int = 0) -> None:
        self.content, self.bounds, self.offset = content, bounds, offset
        self.positions = bounds[:-1]
        self.starts: Ints = self.positions + HEAD.size
        self.payload_ends: Ints = bounds[1:] - _CHECKSUM_SIZE
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
        # numpy compares texts of one length faster than voids
        alike: Flags = self.read(f"S{len(fixed)}", at) == np.bytes_(fixed)
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
    shape = (len(content) - int(kind.lstrip("<ufSV")) + 1,)
    return np.ndarray(shape, kind, content, strides=(1,))
