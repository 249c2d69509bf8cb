"""Records that repeat epoch for epoch, read as the rows of a table.

A callback writes the same tags in the same order, epoch after epoch, so the bytes of an
event file repeat with a period: a row. All bytes of a row but its wall times, steps,
values and checksums are those of the row before. So the rows that follow are compared
with it all at once, and what varies is taken out of them with few array operations,
however many records there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from google_crc32c import value as crc32c
from numpy.typing import NDArray

from cbreplay.readers.event_files.forms import (
    BEFORE_STEP,
    MOST_SUMMED,
    byte_checksums,
    mask_checksums,
)
from cbreplay.readers.event_files.record_bytes import CHECKSUM, HEAD
from cbreplay.readers.event_files.scalar_table import Columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers.event_files.events import Form
    from cbreplay.readers.event_files.forms import Checksums, Flags
    from cbreplay.readers.event_files.record_walk import Ints, Piece
    from cbreplay.readers.event_files.scalar_table import TableBuilder

__all__ = ["Block", "Part", "Pattern"]

Bytes: TypeAlias = NDArray[np.uint8]

# so many records at a time: their arrays stay in the processor's cache
_AT_ONCE = 1_024
# fewer are read faster without arrays
_LEAST_ROWS, _LEAST_RECORDS = 2, 48
_OPENING = 256
# what varies for longer than that is not compared
_LONG_GAP = 64
_TIME_BYTES, _VALUE_BYTES = 8, 4


class Part(NamedTuple):
    """A record of a row.

    Parameters
    ----------
    start, end : int
        Where it lies in the row.
    rest : int
        Where what stands behind its step begins; 0 if it is to be read by itself.
    form : Form
        Its form; a short one, if it holds a scalar.
    """

    start: int
    end: int
    rest: int
    form: Form

    @property
    def payload(self) -> int:
        """Where its content begins."""
        return self.start + HEAD.size

    @property
    def hole(self) -> int:
        """Where the bytes lie that the form leaves open."""
        return self.rest + len(self.form.prefix)

    @property
    def stored(self) -> int:
        """Where the checksum of its content lies."""
        return self.end - CHECKSUM.size

    def moved(self, by: int) -> Part:
        """Return the same in a row that begins elsewhere."""
        rest = self.rest + by if self.rest else 0
        return Part(self.start + by, self.end + by, rest, self.form)


class Block(NamedTuple):
    """Rows that were read together.

    Parameters
    ----------
    columns : Columns or None
        Their scalars, with the place of each tag in the pattern as its number.
    others : list of (str, int)
        The tags of those that hold none, each with the offset of its first record.
    left : Ints
        Where the records lie that are still to be read.
    end : int
        Where the rows end.
    """

    columns: Columns | None
    others: list[tuple[str, int]]
    left: Ints
    end: int


class Pattern:
    """The bytes of a row, and which of them vary.

    Parameters
    ----------
    row : bytes
        The records of one period.
    parts : sequence of Part
        Where each lies in the row.
    """

    def __init__(self, row: bytes, parts: Sequence[Part]) -> None:
        self.n_bytes, self.n_records = len(row), len(parts)
        self.head = row[: HEAD.size]
        mask = _fixed_bits(len(row), parts)
        # the first bytes tell most others apart
        self._tests = [_Test(row[:end], mask[:end]) for end in (_OPENING, len(row))]
        self._compared = _stretches(row, mask)
        known = [one for one in parts if one.rest]
        self._others = [one for one in known if not one.form.scalar]
        self._left = np.array([one.start for one in parts if not one.rest], np.int64)
        scalars = [one for one in known if one.form.scalar]
        self._tags = [one.form.tag for one in scalars]
        self._scalars = _ScalarPlaces(row, scalars)

    def begins(self, content: bytes, position: int) -> bool:
        """Tell whether a row begins there."""
        return all(test.passes(content, position) for test in self._tests)

    def read(self, piece: Piece, start: int) -> Block | None:
        """Read the rows from there on, some thousand records at most.

        None if they are too few.
        """
        rows = self._rows(piece, start)
        if len(rows) < _LEAST_ROWS or len(rows) * self.n_records < _LEAST_RECORDS:
            return None
        end = start + len(rows) * self.n_bytes
        starts = np.arange(start, end, self.n_bytes)[:, None]
        left = [(starts + self._left).ravel()]
        columns: Columns | None = None
        others: list[tuple[str, int]] = []
        if self._tags:
            columns, fits = self._scalars.take(rows, piece.start + start)
            if not fits.all():
                left.append(columns.offsets[~fits] - piece.start)
                columns = Columns._make(one[fits] for one in columns)
        if self._others:
            others, wrong = self._check_others(piece, starts)
            left.append(wrong)
        return Block(columns, others, np.sort(np.concatenate(left)), end)

    def put(self, block: Block, table: TableBuilder) -> None:
        """Put what rows hold into a table."""
        if block.columns is not None:
            numbers = [table.number(tag) for tag in self._tags]
            tag = np.array(numbers, dtype=np.int32)[block.columns.tag]
            table.add(block.columns._replace(tag=tag))
        for other, offset in block.others:
            table.note_other(other, offset)

    def _rows(self, piece: Piece, start: int) -> Bytes:
        """Return the rows that have the same bytes but for what varies."""
        most = max(_AT_ONCE // self.n_records, _LEAST_ROWS)
        # a piece shorter than its padding has less than no byte of its own
        n_rows = min(max(piece.n_bytes - start, 0) // self.n_bytes, most)
        shape = (n_rows, self.n_bytes)
        rows: Bytes = np.ndarray(shape, np.uint8, piece.content, offset=start)
        for begin, mask, fixed in self._compared:
            same = (rows[:, begin : begin + len(mask)] & mask) == fixed
            if not same.all():
                rows = rows[: int(np.argmin(same.all(axis=1)))]
        return rows

    def _check_others(
        self, piece: Piece, starts: Ints
    ) -> tuple[list[tuple[str, int]], Ints]:
        """Return the tags without a scalar, and the records that fail their check."""
        begins = starts + np.array([one.start for one in self._others])
        stored = starts + np.array([one.stored for one in self._others])
        spans = zip((begins + HEAD.size).flat, stored.flat, strict=True)
        content = piece.content
        sums = np.array([crc32c(content[a:b]) for a, b in spans], dtype=np.uint32)
        fits = mask_checksums(sums).reshape(stored.shape) == piece.words("<u4", stored)
        firsts = [
            (one.form.tag, piece.start + int(at[right][0]))
            for one, at, right in zip(self._others, begins.T, fits.T, strict=True)
            if right.any()
        ]
        return firsts, begins[~fits]


class _Test:
    """Compares bytes but for those bits that vary, as one long number."""

    def __init__(self, row: bytes, mask: bytes) -> None:
        self.n_bytes = len(row)
        self.mask = int.from_bytes(mask, "little")
        self.fixed = int.from_bytes(row, "little") & self.mask

    def passes(self, content: bytes, position: int) -> bool:
        found = content[position : position + self.n_bytes]
        return int.from_bytes(found, "little") & self.mask == self.fixed


def _fixed_bits(n_bytes: int, parts: Sequence[Part]) -> bytes:
    """Return which bits of a row are the same in every row."""
    mask = bytearray(n_bytes)

    def fix(start: int, end: int, bits: int = 0xFF) -> None:
        mask[start:end] = bytes([bits]) * (end - start)

    for one in parts:
        fix(one.start, one.payload)
        if not one.rest:
            continue
        # the keys of wall time and step, and whether another byte of the step follows
        fix(one.payload, one.payload + 1)
        step = one.payload + BEFORE_STEP
        fix(step - 1, step)
        fix(step, one.rest, 0x80)
        fix(one.rest, one.hole)
        fix(one.stored - len(one.form.suffix), one.stored)
    return bytes(mask)


def _stretches(row: bytes, mask: bytes) -> list[tuple[int, Bytes, Bytes]]:
    """Return what of a row is compared: where it begins, its mask and its bits.

    It is cut where nothing is fixed for long.
    """
    found = []
    fixed = np.flatnonzero(np.frombuffer(mask, dtype=np.uint8))
    gaps = np.flatnonzero(np.diff(fixed) > _LONG_GAP)
    begins, lasts = [fixed[0], *fixed[gaps + 1]], [*fixed[gaps], fixed[-1]]
    for begin, last in zip(begins, lasts, strict=True):
        bits = np.frombuffer(mask[begin : last + 1], dtype=np.uint8)
        held = np.frombuffer(row[begin : last + 1], dtype=np.uint8)
        found.append((int(begin), bits, held & bits))
    return found


class _Places(NamedTuple):
    """What varies in so many rows, line by line: the first byte of each record, ...

    Parameters
    ----------
    at : Ints
        Where the bytes lie, from the first row's beginning.
    tables : Ints
        Where the terms of a checksum begin that each byte chooses from.
    bare : Checksums
        The checksum of each record if all of them were zero.
    step_bits : Bytes
        Which bits of the bytes of the step belong to it.
    column : int array
        The place of each record's tag.
    offsets : Ints
        Where each record begins.
    """

    at: Ints
    tables: Ints
    bare: Checksums
    step_bits: Bytes
    column: NDArray[np.int32]
    offsets: Ints


class _ScalarPlaces:
    """Takes the scalars out of rows.

    Parameters
    ----------
    row : bytes
        A row.
    parts : sequence of Part
        Those of its records that hold a scalar.
    """

    def __init__(self, row: bytes, parts: Sequence[Part]) -> None:
        self._row, self._parts = row, parts
        self._kept: dict[int, _Places] = {}

    def take(self, rows: Bytes, start: int) -> tuple[Columns, Flags]:
        """Return the scalars of rows, and which of them have the right checksum."""
        places = self._places(len(rows))
        found = rows.ravel().take(places.at)
        n_summed, n_steps = len(places.tables), len(places.step_bits)
        terms = byte_checksums().take(found[:n_summed] + places.tables)
        sums = np.bitwise_xor.reduce(terms, axis=0)
        sums ^= places.bare
        fits: Flags = mask_checksums(sums) == _numbers(found[n_summed:], "<u4")
        values_at = _TIME_BYTES + n_steps
        steps = np.zeros(len(fits), dtype=np.int64)
        for i, own in enumerate(places.step_bits):
            steps |= (found[_TIME_BYTES + i] & own).astype(np.int64) << (7 * i)
        # a signalling NaN is not worth a warning
        with np.errstate(invalid="ignore"):
            values = _numbers(found[values_at:n_summed], "<f4").astype(np.float64)
        times = _numbers(found[:_TIME_BYTES], "<f8")
        offsets = places.offsets + start
        return Columns(places.column, steps, times, values, offsets), fits

    def _places(self, n_rows: int) -> _Places:
        """Return what varies in so many rows; kept for the most, and for the last."""
        kept = self._kept
        if n_rows in kept:
            return kept[n_rows]
        most = max(kept, default=0)
        if n_rows > most:
            self._kept = {n_rows: _place(self._row, self._parts, n_rows)}
        else:
            end = n_rows * len(self._parts)
            first = (np.ascontiguousarray(one[..., :end]) for one in kept[most])
            self._kept = {most: kept[most], n_rows: _Places._make(first)}
        return self._kept[n_rows]


def _numbers(lines: Bytes, kind: str) -> NDArray[Any]:
    """Put the first, second, ... bytes of numbers together."""
    return np.ascontiguousarray(lines.T).view(kind)[:, 0]


def _place(row: bytes, parts: Sequence[Part], n_rows: int) -> _Places:
    n_steps = max(one.rest - one.payload - BEFORE_STEP for one in parts)
    lines = [_lines(one, n_steps) for one in parts]
    at, tables, bits = (np.array(one).T for one in zip(*lines, strict=True))
    bare = [_bare_checksum(row, one) for one in parts]
    starts = np.arange(n_rows)[:, None] * len(row)
    heads = np.array([one.start for one in parts])
    return _Places(
        at=(at[:, None, :] + starts).reshape(len(at), -1),
        tables=np.tile(tables, (1, n_rows)),
        bare=np.tile(np.array(bare, dtype=np.uint32), n_rows),
        step_bits=np.tile(bits.astype(np.uint8), (1, n_rows)),
        column=np.tile(np.arange(len(parts), dtype=np.int32), n_rows),
        offsets=(starts + heads).ravel(),
    )


def _lines(one: Part, n_steps: int) -> tuple[list[int], list[int], list[int]]:
    """Return where a record varies, where the terms of its bytes begin, its step bits.

    Of a step shorter than another in the row the missing bytes are taken from
    elsewhere, and count for nothing.
    """
    step = one.payload + BEFORE_STEP
    n_missing = n_steps - (one.rest - step)
    times = [*range(one.payload + 1, one.payload + 1 + _TIME_BYTES)]
    steps = [*range(step, one.rest)]
    values = [*range(one.hole, one.hole + _VALUE_BYTES)]
    before, behind = (
        [one.stored - 1 - at for at in some] for some in (times + steps, values)
    )
    tables = [*before, *[MOST_SUMMED] * n_missing, *behind]
    missing = [one.payload] * n_missing
    at = [*times, *steps, *missing, *values, *range(one.stored, one.end)]
    bits = [0x7F] * len(steps) + [0] * n_missing
    return at, [256 * n_behind for n_behind in tables], bits


def _bare_checksum(row: bytes, one: Part) -> int:
    """Return the checksum of a record if all that varies in it were zero."""
    content = bytearray(row[: one.stored])
    step, hole = one.payload + BEFORE_STEP, one.hole
    content[one.payload + 1 : one.payload + 1 + _TIME_BYTES] = bytes(_TIME_BYTES)
    content[step : one.rest] = bytes(one.rest - step)
    content[hole : hole + _VALUE_BYTES] = bytes(_VALUE_BYTES)
    checksum: int = crc32c(bytes(content[one.payload :]))
    return checksum
