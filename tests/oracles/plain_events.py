"""Event files read as plainly as can be: a record after the other, each by itself."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.errors import LogError
from cbreplay.readers.base import SKIP_HINT
from cbreplay.readers.event_files.events import read_event
from cbreplay.readers.event_files.records import (
    PADDING,
    masked_checksum,
    open_records,
)
from cbreplay.readers.event_files.scalar_table import TableBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cbreplay.readers.base import Damage
    from cbreplay.readers.event_files.scalar_table import EventTable


class InOrder(NamedTuple):
    """The scalars of a file, one below the other, as they stand in it."""

    tags: list[str]
    steps: NDArray[np.int64]
    wall_times: NDArray[np.float64]
    values: NDArray[np.float64]
    offsets: NDArray[np.int64]


def in_order(table: EventTable) -> InOrder:
    """Return the scalars of all tags in the order of the file."""
    tags = [tag for tag, own in table.scalars.items() for _ in own.steps]
    columns = [
        np.concatenate([own[i] for own in table.scalars.values()] or [np.zeros(0)])
        for i in range(4)
    ]
    order = np.argsort(columns[-1], kind="stable")
    steps, wall_times, values, offsets = (column[order] for column in columns)
    return InOrder([tags[i] for i in order], steps, wall_times, values, offsets)


def read_plainly(path: str) -> EventTable:
    """Read an event file; says the same as `read_events`, damage included."""
    table = TableBuilder(path)
    for offset, payload in plain_records(path, table.damage, table):
        try:
            event = read_event(payload)
        except ValueError as why:
            problem = f"this record is not an event ({why})"
            error = LogError(problem, source=path, byte=offset, hint=SKIP_HINT)
            table.damage.report(error)
        else:
            table.add_event(event, offset)
    return table.build()


def plain_records(
    path: str, damage: Damage, table: TableBuilder | None = None
) -> Iterator[tuple[int, bytes]]:
    """Yield the offset and the payload of each record that is whole.

    That a plain file ends inside a record is told to the table, if there is one.
    """

    def end(error: LogError) -> None:
        if table is None or file.packed:
            damage.report(error)
        else:
            table.unfinished = error

    with open_records(path) as file:
        content = file.read(0, 1 << 62)[:-PADDING].tobytes()
        offset = 0
        while offset < len(content):
            head = content[offset : offset + 12]
            if len(head) < 12:
                end(file.cut(offset, len(head)))
                return
            length, checksum = struct.unpack("<QI", head)
            if masked_checksum(head[:8]) != checksum:
                damage.report(file.wrong_checksum(offset, "length"))
                return
            if length + 4 > len(content) - offset - 12:
                found = len(content) - offset - 12
                end(file.cut(offset, found, length + 4))
                return
            payload = content[offset + 12 : offset + 12 + length]
            stored = content[offset + 12 + length : offset + 16 + length]
            if masked_checksum(payload) != int.from_bytes(stored, "little"):
                damage.report(file.wrong_checksum(offset, "content"))
            else:
                yield offset, payload
            offset += 16 + length
        if file.flaw:
            end(file.cut(offset, 0))
