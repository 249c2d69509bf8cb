"""The payload of a record that is too long to be held."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, overload

from google_crc32c import extend
from google_crc32c import value as crc32c

from cbreplay.readers.event_files.record_bytes import CHECKSUM, mask_checksum

if TYPE_CHECKING:
    from cbreplay.readers.event_files.record_bytes import RecordBytes

__all__ = ["LongPayload"]

_AT_ONCE = 1 << 18
_LONGEST_FIELD = 1 << 20


class PayloadEnd(NamedTuple):
    """How many bytes were found, its checksum's included, and whether that is right."""

    n_bytes: int
    right: bool


class LongPayload:
    """The payload of a long record, read forwards and once, by whoever walks through.

    It is indexed as bytes are. Its checksum is taken of what passes by, and nothing but
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
        self._held, self._begin = b"", 0
        self._checksum: int = crc32c(b"")

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> bytes: ...
    def __getitem__(self, at: int | slice) -> int | bytes:
        if isinstance(at, int):
            return self._part(at, at + 1)[0]
        return self._part(at.start, min(at.stop, self._length))

    def finish(self) -> PayloadEnd:
        """Pass by what is left, and compare the checksum behind it."""
        while self._end < self._length and self._read_on(self._end):
            pass
        if self._end < self._length:
            return PayloadEnd(self._end, right=False)
        stored = self._file.read(CHECKSUM.size)
        right = stored == CHECKSUM.pack(mask_checksum(self._checksum))
        return PayloadEnd(self._end + len(stored), right)

    @property
    def _end(self) -> int:
        return self._begin + len(self._held)

    def _part(self, start: int, stop: int) -> bytes:
        if stop - start > _LONGEST_FIELD:
            message = f"a name of {stop - start} bytes at byte {start}"
            raise ValueError(message)
        while self._end < stop:
            if not self._read_on(start):
                message = f"it ends before byte {stop}"
                raise ValueError(message)
        return self._held[start - self._begin : stop - self._begin]

    def _read_on(self, kept: int) -> bool:
        """Read some more, and keep what lies from a position on; False at the end."""
        more = self._file.read(min(_AT_ONCE, self._length - self._end))
        self._checksum = extend(self._checksum, more)
        left = self._held[max(kept - self._begin, 0) :]
        self._begin = self._end - len(left)
        self._held = left + more
        return bool(more)
