"""Read the scalars of an event file, some thousand records at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.readers.event_files.alike import begins_alike, remember
from cbreplay.readers.event_files.events import Event, read_event
from cbreplay.readers.event_files.forms import add_scalars, find_forms
from cbreplay.readers.event_files.frames import RecordBlock, walk_frames
from cbreplay.readers.event_files.record_bytes import (
    CHECKSUM,
    FRAME_SIZE,
    HEAD,
    LongPayload,
    masked_checksum,
    open_records,
)
from cbreplay.readers.event_files.scalar_table import TableBuilder

if TYPE_CHECKING:
    from cbreplay.errors import LogError
    from cbreplay.readers.event_files.forms import FoundForms, KnownForms
    from cbreplay.readers.event_files.record_bytes import RecordBytes
    from cbreplay.readers.event_files.scalar_table import EventTable
    from cbreplay.readers.event_files.wire_format import Payload

__all__ = ["read_events"]

_AT_ONCE = 1 << 20


def read_events(
    path: str, n_bytes: int = _AT_ONCE, *, most: int | None = None
) -> EventTable:
    """Read the scalars of an event file, so many bytes at a time.

    Parameters
    ----------
    path : str
        The file.
    n_bytes : int
        How many bytes are looked at together.
    most : int, optional
        The limit in bytes, of which every tag takes a share.

    Raises
    ------
    LogError
        If it cannot be read at all, or has more tags than a log; damage inside it is
        kept in the table.
    """
    with open_records(path) as file:
        return _FileReading(file, TableBuilder(path, most)).read(n_bytes)


class _FileReading:
    """The way through one file."""

    def __init__(self, file: RecordBytes, table: TableBuilder) -> None:
        self._file, self._table = file, table
        self._known: KnownForms = {}

    def read(self, n_bytes: int) -> EventTable:
        offset = 0
        while True:
            content = self._file.read(n_bytes)
            end = self._read_records(content, offset)
            offset, left = offset + end, content[end:]
            size = self._next_size(left, offset, ended=len(content) < n_bytes)
            if not size:
                return self._table.build()
            self._file.give_back(left)
            if size > n_bytes:
                if not self._read_long(offset):
                    return self._table.build()
                offset += size

    def _next_size(self, left: bytes, offset: int, *, ended: bool) -> int:
        """Return the size of the record that begins here, as far as it is known.

        0 if there is none, or it is cut or cannot be told from the next.
        """
        if len(left) < HEAD.size:
            if not ended:
                return HEAD.size
            if left or self._file.flaw:
                self._end(self._file.cut(offset, len(left)))
            return 0
        length, checksum = HEAD.unpack_from(left)
        if masked_checksum(left[:8]) != checksum:
            self._table.damage.report(self._file.wrong_checksum(offset, "length"))
            return 0
        wanted, most = length + CHECKSUM.size, self._file.most(offset + HEAD.size)
        if ended or wanted > most:
            found = most if wanted > most else len(left) - HEAD.size
            self._end(self._file.cut(offset, found, wanted))
            return 0
        return int(length + FRAME_SIZE)

    def _end(self, error: LogError) -> None:
        """Remember how the file ends inside a record: no damage, if it is plain."""
        if self._file.size is None:
            self._table.damage.report(error)
        else:
            self._table.unfinished = error

    def _read_records(self, content: bytes, offset: int) -> int:
        """Read whole records, and return where they end."""
        end = 0
        alike = None if offset else begins_alike(content)
        if alike is not None:
            bounds, found = alike
            end = int(bounds[-1])
            self._read_block(RecordBlock(content, offset, bounds), found)
        rest = content[end:]
        bounds = walk_frames(rest)
        if len(bounds) > 1:
            block = RecordBlock(rest, offset + end, bounds)
            found = find_forms(block, self._known)
            if not block.offset:
                remember(block, found)
            self._read_block(block, found)
        return end + int(bounds[-1])

    def _read_block(self, block: RecordBlock, found: FoundForms) -> None:
        """Read nearly all records of a block together, the others one by one."""
        for row in add_scalars(block, found, self._table).tolist():
            offset = block.offset + int(block.positions[row])
            event = self._read_event(block.payload(row), offset)
            self._take(event, offset, changed=block.changed[row])
        self._table.settle()

    def _read_event(self, payload: Payload, offset: int) -> Event | LogError:
        """Read an event, or return what is wrong with it."""
        try:
            return read_event(payload)
        except ValueError as error:
            return self._file.damaged(offset, f"this record is not an event ({error})")

    def _read_long(self, offset: int) -> bool:
        """Read a record without holding it; False if the file ends in it."""
        length: int = HEAD.unpack(self._file.read(HEAD.size))[0]
        payload = LongPayload(self._file, length)
        event = self._read_event(payload, offset)
        n_bytes, right = payload.finish()
        wanted = length + CHECKSUM.size
        if n_bytes < wanted:
            self._end(self._file.cut(offset, n_bytes, wanted))
        else:
            self._take(event, offset, changed=not right)
            self._table.settle()
        return n_bytes >= wanted

    def _take(self, event: Event | LogError, offset: int, *, changed: bool) -> None:
        if changed:
            self._table.damage.report(self._file.wrong_checksum(offset, "content"))
        elif isinstance(event, Event):
            self._table.add_event(event, offset)
        else:
            self._table.damage.report(event)
