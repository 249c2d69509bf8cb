"""A CSV as a table: read in one step if it is plain, else cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.readers.base import Damage
from cbreplay.readers.columns.plain_csv import read_plain
from cbreplay.readers.columns.table import LogTable
from cbreplay.readers.files import open_log, read_chunks, read_raw

if TYPE_CHECKING:
    from cbreplay.readers.base import ReadOptions

__all__ = ["read_table", "read_table_content"]


def read_table(path: str, options: ReadOptions) -> LogTable:
    """Read a CSV file.

    Raises
    ------
    LogError
        If it is no CSV; when strict, also if it is damaged.
    """
    content = read_raw(path, _WHOLE)
    # fewer bytes than were asked for: this is the whole file
    plain = read_plain(content) if len(content) < _WHOLE else None
    if plain is not None:
        damage = Damage(options)
        table = LogTable.of_plain(plain.names, plain.values, path, damage)
        table.crlf = plain.crlf
        return table
    from cbreplay.readers.columns.cell_by_cell import read_cells

    return read_cells(lambda: read_chunks(open_log(path), path), path, options)


_WHOLE = 1 << 20


def read_table_content(content: bytes, source: str, options: ReadOptions) -> LogTable:
    """Read a CSV that is in memory."""
    from io import BytesIO

    from cbreplay.readers.columns.cell_by_cell import read_cells

    return read_cells(lambda: read_chunks(BytesIO(content), source), source, options)
