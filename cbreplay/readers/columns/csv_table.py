"""A CSV as a table: all of it in one step if it is plain, else cell by cell.

Most logs hold nothing but names and finite numbers, and then no cell is ambiguous. Any
other CSV is read by `cell_by_cell`, which would give the same result for these.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.base import Damage
from cbreplay.readers.columns.cells import MISSING
from cbreplay.readers.columns.table import LogTable
from cbreplay.readers.files import open_log, read_chunks, read_raw

if TYPE_CHECKING:
    from cbreplay.readers.base import ReadOptions

__all__ = ["read_plain", "read_table", "read_table_content", "split_plain_names"]

# what a plain name may hold behind its first letter, beside letters
_IN_NAMES = b"0123456789_./-"
# the characters of a finite number: a cell of these alone is not ambiguous
_OF_NUMBERS = b"0123456789+-.eE"
# the headers that are remembered: many logs share a few, and each is read twice
_MOST_HEADERS = 16
# words that float() reads as numbers, and those that mean a missing one
_NO_NAMES = frozenset(word.lower() for word in (*MISSING, "nan", "inf", "infinity"))


def read_table(path: str, options: ReadOptions) -> LogTable:
    """Read a CSV file.

    Raises
    ------
    LogError
        If it is no CSV; when strict, also if it is damaged.
    """
    content = read_raw(path, _WHOLE)
    # fewer bytes than were asked for: this is the whole file
    if len(content) < _WHOLE:
        plain = read_plain(content, path, Damage(options))
        if plain is not None:
            return plain
    from cbreplay.readers.columns.cell_by_cell import read_cells

    return read_cells(lambda: read_chunks(open_log(path), path), path, options)


_WHOLE = 1 << 20


def read_table_content(content: bytes, source: str, options: ReadOptions) -> LogTable:
    """Read a CSV that is in memory."""
    plain = read_plain(content, source, Damage(options))
    if plain is not None:
        return plain
    from io import BytesIO

    from cbreplay.readers.columns.cell_by_cell import read_cells

    return read_cells(lambda: read_chunks(BytesIO(content), source), source, options)


def read_plain(content: bytes, source: str, damage: Damage) -> LogTable | None:
    """Read a whole CSV at once; None if anything in it is not plain."""
    header, _, body = content.partition(b"\n")
    names = split_plain_names(header)
    if names is None or not body.endswith(b"\n"):
        return None
    n_rows = body.count(b"\n")
    crlf = header.endswith(b"\r")
    line = b"," * (len(names) - 1) + (b"\r\n" if crlf else b"\n")
    if body.translate(None, _OF_NUMBERS) != line * n_rows:
        return None
    lines = body.replace(b"\r", b"") if crlf else body
    cells = lines.replace(b"\n", b",").split(b",")
    # the cell behind the last line end is empty
    cells.pop()
    values = np.empty((len(names), n_rows))
    try:
        for at in range(len(names)):
            values[at] = _parse_column(cells[at :: len(names)])
    except ValueError:
        return None
    # 1e400 becomes inf, and is no finite number
    if np.isinf(values).any():
        return None
    table = LogTable.of_plain(names, values, source, damage)
    table.crlf = crlf
    return table


def _parse_column(cells: list[bytes]) -> list[float]:
    """Return the numbers in the cells of a column.

    Where the first is repeated, as a learning rate is, each text is parsed once.
    """
    if cells[:1] != cells[1:2]:
        return list(map(float, cells))
    number_of = {text: float(text) for text in set(cells)}
    return [number_of[text] for text in cells]


@lru_cache(maxsize=_MOST_HEADERS)
def split_plain_names(header: bytes) -> tuple[str, ...] | None:
    """Return the names in a first line; None if it is no plain header.

    >>> split_plain_names(b"epoch,loss,val_loss"), split_plain_names(b"epoch;loss")
    (('epoch', 'loss', 'val_loss'), None)
    """
    cells = header.removesuffix(b"\r").split(b",")
    if len(cells) == 1 or not all(map(_is_plain_name, cells)):
        return None
    names = tuple(cell.decode("ascii") for cell in cells)
    distinct = {name.lower() for name in names}
    plain = len(distinct) == len(names) and not distinct & _NO_NAMES
    return names if plain else None


def _is_plain_name(cell: bytes) -> bool:
    """Tell whether a cell begins with a letter and holds little else."""
    return cell[:1].isalpha() and cell.translate(None, _IN_NAMES).isalpha()
