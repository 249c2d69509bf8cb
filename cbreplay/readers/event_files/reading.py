"""Read event files: small ones record by record, others by thousands at once.

Records that repeat epoch for epoch are read as rows (`rows`), others by their
form (`form_columns`), both with array operations; whatever is not plainly of a known
form, or not as it should be, is read one by one with `EventScalars`. What is found does
not depend on which way a record went.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from google_crc32c import extend
from google_crc32c import value as crc32c

from cbreplay.readers.base import Damage, ReadOptions
from cbreplay.readers.event_files.events import EventScalars, ends_in_blob
from cbreplay.readers.event_files.form_columns import FormReader
from cbreplay.readers.event_files.patterns import KNOWN_PATTERNS
from cbreplay.readers.event_files.record_bytes import (
    CHECKSUM,
    FRAME_SIZE,
    HEAD,
    cut,
    mask_checksum,
    masked_checksum,
    open_records,
    read_records,
    wrong_checksum,
)
from cbreplay.readers.event_files.record_walk import PADDING, Piece, RecordHeads
from cbreplay.readers.event_files.scalar_table import EventTable, TableBuilder

if TYPE_CHECKING:
    from cbreplay.errors import LogError
    from cbreplay.readers.event_files.record_bytes import RecordBytes
    from cbreplay.readers.event_files.record_walk import Ints, RecordWalk

__all__ = ["read_by_columns", "read_events", "read_one_by_one"]

# below it, a few hundred records, setting up the columns takes longer than it saves
_SMALL_FILE = 24_576
_FEW_RECORDS = 50
_PIECE = 1 << 20


def read_events(path: str) -> EventTable:
    """Read the scalars of an event file.

    Raises
    ------
    LogError
        If it cannot be read at all; damage inside it is kept in the table.
    """
    try:
        small = os.path.getsize(path) < _SMALL_FILE
    except OSError:
        small = True
    return read_one_by_one(path) if small else read_by_columns(path)


def read_one_by_one(path: str) -> EventTable:
    """Read the records in their order, each by itself."""
    table, events = TableBuilder(), EventScalars()
    damage = _new_damage()
    for offset, payload in read_records(path, damage):
        table.read_record(events, payload, offset, path, damage)
    return table.build(damage)


def _new_damage() -> Damage:
    return Damage(ReadOptions(errors="skip"))


def read_by_columns(path: str, piece: int = _PIECE) -> EventTable:
    """Read the records of `piece` bytes at a time together."""
    reader = _Reader(path)
    with open_records(path) as file:
        return reader.read(file, piece)


class _Reader:
    """Reads one file piece by piece."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.table, self.events, self.damage = (
            TableBuilder(),
            EventScalars(),
            _new_damage(),
        )
        self._heads = RecordHeads(KNOWN_PATTERNS.patterns)
        self._by_form = FormReader(self.table)

    def read(self, file: RecordBytes, piece_bytes: int) -> EventTable:
        left, start, wanted = b"", 0, piece_bytes
        while True:
            more = file.read(wanted)
            ended = len(more) < wanted or not file.most(start + len(left) + len(more))
            padded = bool(left) or ended
            content = b"".join((left, more, PADDING)) if padded else more
            piece = Piece(content, start)
            walk = self._heads.walk(piece, ended=ended)
            self._read_piece(piece, walk)
            left = content[walk.end : piece.n_bytes] if padded else content[walk.end :]
            start += walk.end
            if not _has_right_length(left):
                self.damage.report(wrong_checksum(self.path, start, "length"))
                break
            size = _size(left, start, file)
            if ended or not size:
                self._report_end(left, start, file)
                break
            long = size > max(piece_bytes, len(left) + CHECKSUM.size)
            if long and _is_blob(left):
                if not self._check_blob(file, left, start, piece_bytes):
                    break
                left, start, size = b"", start + size, 0
            left = file.give_back(left)
            wanted = max(size + len(PADDING) - len(left), piece_bytes)
        return self.table.build(self.damage)

    def _check_blob(
        self, file: RecordBytes, left: bytes, start: int, piece_bytes: int
    ) -> int:
        """Check a record that need not be held, and return its size; 0 if it is cut.

        A graph may have many megabytes.
        """
        length = HEAD.unpack_from(left)[0]
        checksum, n_left = crc32c(left[HEAD.size :]), length + HEAD.size - len(left)
        while n_left and (more := file.read(min(n_left, piece_bytes))):
            checksum, n_left = extend(checksum, more), n_left - len(more)
        stored = file.read(CHECKSUM.size)
        if len(stored) < CHECKSUM.size:
            found, wanted = length - n_left + len(stored), length + CHECKSUM.size
            self.damage.report(cut(self.path, start, found, file, wanted))
            return 0
        if mask_checksum(checksum) != CHECKSUM.unpack(stored)[0]:
            self.damage.report(wrong_checksum(self.path, start, "content"))
        return int(length + FRAME_SIZE)

    def _report_end(self, left: bytes, start: int, file: RecordBytes) -> None:
        error: LogError | None = None
        if len(left) >= HEAD.size:
            wanted = HEAD.unpack_from(left)[0] + CHECKSUM.size
            most = file.most(start + HEAD.size)
            found = len(left) - HEAD.size
            if wanted > most:
                found = most
            error = cut(self.path, start, found, file, wanted)
        elif left or file.flaw:
            error = cut(self.path, start, len(left), file)
        if error is not None:
            self.damage.report(error)

    def _read_piece(self, piece: Piece, walk: RecordWalk) -> None:
        for pattern, block in walk.rows:
            pattern.put(block, self.table)
        n_left = len(walk.positions)
        if n_left < _FEW_RECORDS:
            left = np.arange(n_left)
        else:
            left = self._by_form.read(piece, walk.positions, walk.sizes)
        self._read_alone(piece, walk, left)

    def _read_alone(self, piece: Piece, walk: RecordWalk, rows: Ints) -> None:
        for position, size in zip(
            walk.positions[rows].tolist(), walk.sizes[rows].tolist(), strict=True
        ):
            begin, end = position + HEAD.size, position + size - CHECKSUM.size
            payload = piece.content[begin:end]
            offset = piece.start + position
            if masked_checksum(payload) != CHECKSUM.unpack_from(piece.content, end)[0]:
                self.damage.report(wrong_checksum(self.path, offset, "content"))
                continue
            self.table.read_record(self.events, payload, offset, self.path, self.damage)
        self.table.settle()


def _has_right_length(left: bytes) -> bool:
    """Tell whether a head, as far as it is known, has the checksum of its length."""
    if len(left) < HEAD.size:
        return True
    stored: int = HEAD.unpack_from(left)[1]
    return masked_checksum(left[:8]) == stored


def _size(left: bytes, start: int, file: RecordBytes) -> int:
    """Return the size of the record that begins with some bytes; 0 if it is cut.

    That of a head, if not even that is known.
    """
    if len(left) < HEAD.size:
        return HEAD.size if file.most(start) >= HEAD.size else 0
    length: int = HEAD.unpack_from(left)[0]
    held = length + CHECKSUM.size <= file.most(start + HEAD.size)
    return length + FRAME_SIZE if held else 0


def _is_blob(left: bytes) -> bool:
    """Tell whether an event begins here that holds no summary."""
    return len(left) > HEAD.size and ends_in_blob(
        left[HEAD.size :], HEAD.unpack_from(left)[0]
    )
