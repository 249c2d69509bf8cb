"""The framing of an event file: TFRecords, each with its length and checksums."""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import zlib
from typing import TYPE_CHECKING

from google_crc32c import value as crc32c

from cbreplay.errors import LogError, TruncatedLogError
from cbreplay.readers.base import SKIP_HINT, cannot_open, check_content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

__all__ = [
    "CHECKSUM",
    "FRAME_SIZE",
    "HEAD",
    "MASK_DELTA",
    "RecordBytes",
    "cut",
    "mask_checksum",
    "masked_checksum",
    "no_event",
    "open_records",
    "wrong_checksum",
]

# tensorflow/core/lib/io/record_writer.h: uint64 length, masked crc32c of it,
# the payload, masked crc32c of the payload
HEAD = struct.Struct("<QI")
CHECKSUM = struct.Struct("<I")
FRAME_SIZE = HEAD.size + CHECKSUM.size
MASK_DELTA = 0xA282EAD8
_BUFFER = 1 << 16
_BEGINNING = 64
_GZIP_MAGIC, _GZIP_WINDOW = b"\x1f\x8b", 31
_PACKED_BUFFER, _UNPACKED_AT_ONCE = 1 << 16, 1 << 14
# of a packed file nobody knows the size, so a length must not be believed
_MOST_UNPACKED = 1 << 28
_CUT_HINT = (
    "Give the whole file, or keep what is whole with --errors skip or errors='skip'"
)


def masked_checksum(content: bytes) -> int:
    """Return the CRC-32C of some bytes, rotated and shifted as TFRecords hold it."""
    return mask_checksum(crc32c(content))


def mask_checksum(crc: int) -> int:
    """Return a CRC-32C as TFRecords hold it."""
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


class RecordBytes:
    """The bytes of an event file one after the other; a gzip file is unpacked.

    Attributes
    ----------
    size : int or None
        How many there are; not known of a gzip file. What a writer appends
        meanwhile is left for another reading.
    flaw : str
        Why the bytes ended early, if a gzip file did.
    """

    def __init__(self, file: BinaryIO, path: str) -> None:
        beginning = file.read(_BEGINNING)
        check_content(beginning, path)
        packed = beginning.startswith(_GZIP_MAGIC)
        file.seek(0)
        self._file = file
        self._unpacker = zlib.decompressobj(_GZIP_WINDOW) if packed else None
        self._raw, self._unpacked = b"", bytearray()
        self.size = None if packed else os.fstat(file.fileno()).st_size
        self.flaw = ""
        self._left = self.size or 0

    def most(self, offset: int) -> int:
        """Return how many bytes can at most follow an offset."""
        return _MOST_UNPACKED if self.size is None else self.size - offset

    def read(self, n_bytes: int) -> bytes:
        """Return the next bytes: fewer only where they end."""
        if self._unpacker is None:
            content = self._file.read(min(n_bytes, self._left))
            self._left -= len(content)
            return content
        while len(self._unpacked) < n_bytes and self._unpack(self._unpacker):
            pass
        content = bytes(self._unpacked[:n_bytes])
        del self._unpacked[:n_bytes]
        return content

    def give_back(self, content: bytes) -> None:
        """Let the last bytes be read again."""
        if self._unpacker is None:
            self._file.seek(-len(content), os.SEEK_CUR)
            self._left += len(content)
        else:
            self._unpacked[:0] = content

    def _unpack(self, unpacker: zlib._Decompress) -> bool:
        """Unpack some more bytes, or none yet; False at the end.

        Always as many at a time, so that damage leaves the same bytes however many
        are asked for.
        """
        raw = self._raw or self._file.read(_PACKED_BUFFER)
        if unpacker.eof:
            if not raw.startswith(_GZIP_MAGIC):
                return False
            self._unpacker = unpacker = zlib.decompressobj(_GZIP_WINDOW)
        if self.flaw:
            return False
        try:
            piece = unpacker.decompress(raw, _UNPACKED_AT_ONCE)
        except zlib.error as error:
            self.flaw = f"its gzip data are damaged ({error})"
            return False
        if not (raw or piece or unpacker.eof):
            self.flaw = "its gzip data break off"
            return False
        self._unpacked += piece
        self._raw = unpacker.unconsumed_tail or unpacker.unused_data
        return True


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


def cut(
    path: str, offset: int, found: int, file: RecordBytes, wanted: int | None = None
) -> LogError:
    """Return the error of a file that ends inside a record.

    Parameters
    ----------
    path : str
        The file.
    offset : int
        Where the record begins.
    found : int
        How many of its bytes there are, behind its head if that is whole.
    file : RecordBytes
        The file's bytes.
    wanted : int, optional
        How many there should be behind its head.
    """
    if file.size is None and wanted is not None and wanted > _MOST_UNPACKED:
        problem = f"a record of {wanted} bytes is more than is unpacked at once"
        return LogError(problem, source=path, byte=offset, hint=SKIP_HINT)
    of = (
        f" of the {wanted} bytes of a record" if wanted else " bytes of a record's head"
    )
    why = file.flaw or "a writer may still be open"
    problem = f"the file breaks off: it holds only {found}{of} ({why})"
    return TruncatedLogError(problem, source=path, byte=offset, hint=_CUT_HINT)


def wrong_checksum(path: str, offset: int, what: str) -> LogError:
    """Return the error of a record whose length or content was changed."""
    problem = f"the checksum of a record's {what} is wrong: bytes were changed"
    return LogError(problem, source=path, byte=offset, hint=SKIP_HINT)


def no_event(path: str, offset: int, reason: str) -> LogError:
    """Return the error of a record that holds something else than an event."""
    problem = f"this record is not an event ({reason})"
    return LogError(problem, source=path, byte=offset, hint=SKIP_HINT)
