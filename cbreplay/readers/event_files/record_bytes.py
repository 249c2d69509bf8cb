"""The bytes of an event file, opened and unpacked; a checksum, and a long record's."""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import zlib
from typing import TYPE_CHECKING

from google_crc32c import extend
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
    "LongPayload",
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
_BUFFER = 1 << 16
_READ_AT_ONCE, _LONGEST_FIELD = 1 << 18, 1 << 20
_BEGINNING = 64
_GZIP_MAGIC, _GZIP_WINDOW = b"\x1f\x8b", 31
_PACKED_BUFFER, _UNPACKED_AT_ONCE = 1 << 16, 1 << 14
# of a packed file nobody knows the size, so a length must not be believed
_MOST_UNPACKED = 1 << 28
_OF_A_HEAD = " bytes of a record's head"
_CUT_HINT = (
    "Give the whole file, or keep what is whole with --errors skip or errors='skip'"
)


def masked_checksum(content: bytes) -> int:
    """Return the CRC-32C of some bytes, rotated and shifted as TFRecords hold it."""
    return _masked(crc32c(content))


def _masked(crc: int) -> int:
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
        self._file, self._path = file, path
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
        if self.size is None and wanted is not None and wanted > _MOST_UNPACKED:
            problem = f"a record of {wanted} bytes is more than is unpacked at once"
            return self.damaged(offset, problem)
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
        count_unpacked(len(piece))
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


class LongPayload:
    """The payload of a long record, read forwards and once, by whoever walks through.

    It is sliced as bytes are. Its checksum is taken of what passes by, and nothing but
    the last piece is kept: a graph or a picture may have many megabytes.

    Parameters
    ----------
    file : RecordBytes
        The file, read up to where the payload begins.
    length : int
        How many bytes it has.
    """

    def __init__(self, file: RecordBytes, length: int) -> None:
        self._file, self._length = file, length
        # the last piece, and where it ends
        self._held, self._end = b"", 0
        self._checksum: int = crc32c(b"")

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, at: slice) -> bytes:
        start, stop = at.start, min(at.stop, self._length)
        if stop - start > _LONGEST_FIELD:
            message = f"a name of {stop - start} bytes at byte {start}"
            raise ValueError(message)
        while self._end < stop:
            if not self._read_on(start):
                message = f"it ends before byte {stop}"
                raise ValueError(message)
        begin = self._end - len(self._held)
        return self._held[start - begin : stop - begin]

    def finish(self) -> tuple[int, bool]:
        """Pass by what is left; return how many bytes were found, and whether rightly.

        Its checksum's bytes are counted too.
        """
        while self._end < self._length and self._read_on(self._end):
            pass
        stored = self._file.read(CHECKSUM.size) if self._end == self._length else b""
        right = stored == CHECKSUM.pack(_masked(self._checksum))
        return self._end + len(stored), right

    def _read_on(self, kept: int) -> bool:
        """Read some more, and keep what lies from a position on; False at the end."""
        more = self._file.read(min(_READ_AT_ONCE, self._length - self._end))
        self._checksum = extend(self._checksum, more)
        begin = self._end - len(self._held)
        self._held = self._held[max(kept - begin, 0) :] + more
        self._end += len(more)
        return bool(more)
