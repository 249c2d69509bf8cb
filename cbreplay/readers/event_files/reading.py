"""Read the scalars of an event file, some thousand records at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.event_files.events import read_event
from cbreplay.readers.event_files.forms import (
    add_scalars,
    begins_alike,
    find_forms,
    remember,
)
from cbreplay.readers.event_files.records import (
    HEAD,
    RecordBlock,
    open_records,
    walk_frames,
)
from cbreplay.readers.event_files.scalar_table import TableBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.readers.event_files.events import Form
    from cbreplay.readers.event_files.forms import FormRows
    from cbreplay.readers.event_files.records import RecordBytes
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
    table, end = TableBuilder(path, most), 0
    with open_records(path) as file:
        for block, found in _blocks(file, n_bytes):
            end = block.offset + int(block.bounds[-1])
            # a signalling NaN is not worth a warning
            with np.errstate(invalid="ignore"):
                left = add_scalars(block, found, table)
            for row in left:
                _read_alone(file, block, row, table)
            table.settle()
        _check_end(file, end, table)
    return table.build()


def _blocks(
    file: RecordBytes, n_bytes: int
) -> Iterator[tuple[RecordBlock, list[FormRows]]]:
    """Yield the whole records, some at a time, and which forms they have."""
    known: dict[int, Form | None] = {}
    offset, wanted = 0, n_bytes
    while wanted:
        content, begin = file.read(offset, wanted), 0
        alike = None if offset else begins_alike(content)
        if alike is not None:
            begin = int(alike[0].bounds[-1])
            yield alike
        bounds = walk_frames(content, begin)
        if len(bounds) > 1:
            block = RecordBlock(content, bounds, offset)
            found = find_forms(block, known)
            if not offset + begin:
                remember(block, found)
            yield block, found
        offset += int(bounds[-1])
        size = file.size_at(offset)
        wanted = max(size, n_bytes) if 0 < size <= file.size - offset else 0


def _read_alone(
    file: RecordBytes, block: RecordBlock, row: int, table: TableBuilder
) -> None:
    """Read a record by itself."""
    offset = block.offset + int(block.positions[row])
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
    found, size = file.size - offset, file.size_at(offset)
    if found >= HEAD.size and not size:
        table.damage.report(file.wrong_checksum(offset, "length"))
    elif found or file.flaw:
        of_record = (found - HEAD.size, size - HEAD.size) if size else (found,)
        error = file.cut(offset, *of_record)
        if file.packed:
            table.damage.report(error)
        else:
            table.unfinished = error
