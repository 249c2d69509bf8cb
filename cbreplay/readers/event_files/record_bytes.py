"""The bytes of an event file, unpacked, and what can be wrong with its records."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import struct
import zlib
from typing import TYPE_CHECKING

from google_crc32c import value as crc32c

from cbreplay.errors import LogError, TruncatedLogError
from cbreplay.readers.base import SKIP_HINT
from cbreplay.readers.files import cannot_open, check_content, count_unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

__all__ = [
    "CHECKSUM",
    "FRAME_SIZE",
    "HEAD",
    "MASK_DELTA",
    "RecordBytes",
    "masked_checksum",
    "open_records",
]

# tensorflow/core/lib/io/record_writer.h: uint64 length, masked crc32c of it,
# the payload, masked crc32c of the payload
HEAD = struct.Struct("<QI")
CHECKSUM = struct.Struct("<I")
FRAME_SIZE = HEAD.size + CHECKSUM.size
MASK_DELTA = 0xA282EAD8
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
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


class RecordBytes:
    """The bytes of an event file those of a gzip file unpacked.

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
