"""Read the scalars of an event file, some thousand records at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.readers.event_files.events import read_event
from cbreplay.readers.event_files.forms import (
    add_scalars,
    begins_alike,
    find_forms,
    remember,
)
from cbreplay.readers.event_files.records import (
    HEAD,
    PADDING,
    RecordBlock,
    open_records,
    read_head,
    walk_frames,
)
from cbreplay.readers.event_files.scalar_table import TableBuilder

if TYPE_CHECKING:
    from cbreplay.errors import LogError
    from cbreplay.readers.event_files.forms import FoundForms, KnownForms
    from cbreplay.readers.event_files.records import Bytes, RecordBytes
    from cbreplay.readers.event_files.scalar_table import EventTable

__all__ = ["read_events"]

_AT_ONCE = 1 << 21


def read_events(
    path: str, n_bytes: int = _AT_ONCE, *, most: int | None = None
) -> EventTable:
    """Read the scalars of an event file.

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
        offset, wanted = 0, n_bytes
        while True:
            content = self._file.read(offset, wanted)
            n_found, end = len(content) - PADDING, self._read_records(content, offset)
            size = read_head(left := content[end:n_found])
            if n_found < wanted or (len(left) >= HEAD.size and not size):
                break
            offset, wanted = offset + end, max(size, n_bytes)
        self._check_end(left, offset + end)
        return self._table.build()

    def _read_records(self, content: Bytes, offset: int) -> int:
        """Read whole records, and return where they end."""
        end = 0
        alike = None if offset else begins_alike(content)
        if alike is not None:
            bounds, found = alike
            end = int(bounds[-1])
            self._read_block(RecordBlock(content, offset, bounds), found)
        bounds = walk_frames(content, end)
        if len(bounds) > 1:
            block = RecordBlock(content, offset, bounds)
            found = find_forms(block, self._known)
            if not offset + end:
                remember(block, found)
            self._read_block(block, found)
        return int(bounds[-1])

    def _read_block(self, block: RecordBlock, found: FoundForms) -> None:
        """Read nearly all records of a block together, the others one by one."""
        for row in add_scalars(block, found, self._table).tolist():
            offset = block.offset + int(block.positions[row])
            if block.changed[row]:
                self._table.damage.report(self._file.wrong_checksum(offset, "content"))
                continue
            try:
                event = read_event(block.payload(row))
            except ValueError as error:
                problem = f"this record is not an event ({error})"
                self._table.damage.report(self._file.damaged(offset, problem))
            else:
                self._table.add_event(event, offset)
        self._table.settle()

    def _check_end(self, left: Bytes, offset: int) -> None:
        """Report what follows the last whole record, if anything does."""
        if len(left) < HEAD.size:
            if len(left) or self._file.flaw:
                self._end(self._file.cut(offset, len(left)))
        elif size := read_head(left):
            found, wanted = len(left) - HEAD.size, size - HEAD.size
            self._end(self._file.cut(offset, found, wanted))
        else:
            self._table.damage.report(self._file.wrong_checksum(offset, "length"))

    def _end(self, error: LogError) -> None:
        """Remember how the file ends inside a record: no damage, if it is plain."""
        if self._file.packed:
            self._table.damage.report(error)
        else:
            self._table.unfinished = error
