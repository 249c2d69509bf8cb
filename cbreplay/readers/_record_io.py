"""The framing of an event file: TFRecords, each with its length and checksums."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from google_crc32c import value

from cbreplay.errors import LogError, TruncatedLogError
from cbreplay.readers.base import SKIP_HINT, cannot_open, check_content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from cbreplay.readers.base import Damage

__all__ = ["masked_checksum", "read_records"]

# tensorflow/core/lib/io/record_writer.h: uint64 length, masked crc32c of it,
# the payload, masked crc32c of the payload
_HEAD = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8
_BUFFER = 1 << 20
_CUT_HINT = (
    "Give the whole file, or keep what is whole with --errors skip or errors='skip'"
)


def masked_checksum(content: bytes) -> int:
    """Return the CRC-32C of some bytes, rotated and shifted as TFRecords hold it."""
    crc: int = value(content)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def read_records(path: str, damage: Damage) -> Iterator[tuple[int, bytes]]:
    """Yield the byte offset and the payload of each record.

    Nothing is allocated for a length that the file does not hold.

    Raises
    ------
    LogError
        If the file cannot be read; when strict, also if a checksum is wrong or
        (`TruncatedLogError`) if the last record is cut. Else a record with a wrong
        checksum is left out, and reading ends where the records cannot be told apart.
    """
    try:
        with open(path, "rb", _BUFFER) as file:
            check_content(file.read(64), path)
            file.seek(0)
            yield from _records(file, path, damage)
    except OSError as error:
        raise cannot_open(path, error) from None


def _records(file: BinaryIO, path: str, damage: Damage) -> Iterator[tuple[int, bytes]]:
    # what a writer appends meanwhile is left for another reading
    size = os.fstat(file.fileno()).st_size
    offset = 0
    while offset < size:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            damage.report(_cut(path, offset, f"{len(head)} bytes of a record's head"))
            return
        length, checksum = _HEAD.unpack(head)
        if masked_checksum(head[:8]) != checksum:
            damage.report(_wrong_checksum(path, offset, "length"))
            return
        left = size - offset - _HEAD.size
        if length + _CHECKSUM.size > left:
            problem = f"{left} of the {length + _CHECKSUM.size} bytes of a record"
            damage.report(_cut(path, offset, problem))
            return
        payload = file.read(length)
        if masked_checksum(payload) != _checksum(file):
            damage.report(_wrong_checksum(path, offset, "content"))
        else:
            yield offset, payload
        offset += _HEAD.size + length + _CHECKSUM.size


def _checksum(file: BinaryIO) -> int:
    checksum: int = _CHECKSUM.unpack(file.read(_CHECKSUM.size))[0]
    return checksum


def _cut(path: str, offset: int, left: str) -> TruncatedLogError:
    problem = f"the file breaks off: it holds only {left} (a writer may still be open)"
    return TruncatedLogError(problem, source=path, byte=offset, hint=_CUT_HINT)


def _wrong_checksum(path: str, offset: int, what: str) -> LogError:
    problem = f"the checksum of a record's {what} is wrong: bytes were changed"
    return LogError(problem, source=path, byte=offset, hint=SKIP_HINT)
