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
    read_records,
    record_size,
    walk_frames,
)
from cbreplay.readers.event_files.scalar_table import TableBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.readers.event_files.forms import FoundForms
    from cbreplay.readers.event_files.records import Bytes, RecordBytes
    from cbreplay.readers.event_files.scalar_table import EventTable

__all__ = ["read_events"]

_AT_ONCE = 1 << 21


def read_events(
    path: str, n_bytes: int = _AT_ONCE, *, most: int | None = None
) -> EventTable:
    """Read the scalars of an event file, about so many bytes at a time.

    Every tag takes a share of the limit of `most` bytes, if there is one.

    Raises
    ------
    LogError
        If it cannot be read at all, or has more tags than a log; damage inside it is
        kept in the table.
    """
    file, table, end = read_records(path), TableBuilder(path, most), 0
    for block, found in _blocks(file.content, n_bytes):
        end = int(block.bounds[-1])
        for row in add_scalars(block, found, table).tolist():
            _read_alone(file, block, row, table)
        table.settle()
    _check_end(file, end, table)
    return table.build()


def _blocks(content: Bytes, n_bytes: int) -> Iterator[tuple[RecordBlock, FoundForms]]:
    """Yield the whole records, some at a time, and which forms they have."""
    alike, begin = begins_alike(content), 0
    if alike is not None:
        begin = int(alike[0].bounds[-1])
        yield alike
    bounds = walk_frames(content, begin)
    while len(bounds) > 1:
        n_records = int(bounds.searchsorted(bounds[0] + n_bytes, side="right")) - 1
        n_records = max(n_records, 1)
        block = RecordBlock(content, bounds[: n_records + 1])
        found = find_forms(block)
        if not bounds[0]:
            remember(block, found)
        yield block, found
        bounds = bounds[n_records:]


def _read_alone(
    file: RecordBytes, block: RecordBlock, row: int, table: TableBuilder
) -> None:
    """Read a record by itself."""
    offset = int(block.positions[row])
    if block.changed[row]:
        table.damage.report(file.wrong_checksum(offset, "content"))
        return
    try:
        event = read_event(block.payload(row))
    except ValueError as error:
        problem = f"this record is not an event ({error})"
        table.damage.report(file.damaged(offset, problem))
    else:
        table.add_event(event, offset)


def _check_end(file: RecordBytes, offset: int, table: TableBuilder) -> None:
    """Report what follows the last whole record, if anything does.

    That a plain file ends inside a record is no damage.
    """
    found = len(file.content) - PADDING - offset
    head_is_whole = found >= HEAD.size
    size = record_size(*HEAD.unpack_from(file.content.data, offset))
    if head_is_whole and not size:
        table.damage.report(file.wrong_checksum(offset, "length"))
    elif found or file.flaw:
        of_record = (found - HEAD.size, size - HEAD.size) if head_is_whole else (found,)
        error = file.cut(offset, *of_record)
        if file.packed:
            table.damage.report(error)
        else:
            table.unfinished = error
