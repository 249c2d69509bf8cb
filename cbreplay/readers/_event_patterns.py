"""Records that repeat epoch for epoch, read as the rows of a table.

A callback writes the same tags in the same order, epoch after epoch, so the bytes of an
event file repeat with a period: a row. All bytes of a row but its wall times, steps,
values and checksums are those of the row before. So the rows that follow are compared
with it all at once, and what varies is taken out of them with few array operations,
however many records there are.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from google_crc32c import value as crc32c
from numpy.typing import NDArray

from cbreplay.readers._event_forms import (
    BEFORE_STEP,
    MOST_STEP_BYTES,
    MOST_SUMMED,
    byte_checksums,
    mask_checksums,
)
from cbreplay.readers._event_proto import EventScalars, behind_step
from cbreplay.readers._event_table import Columns
from cbreplay.readers._record_io import CHECKSUM, HEAD, masked_checksum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers._event_proto import Form
    from cbreplay.readers._record_walk import Ints, Piece

__all__ = ["KNOWN_PATTERNS", "Block", "Pattern", "Patterns"]

Bytes = NDArray[np.uint8]

_MOST_PATTERNS = 24
_MOST_PERIOD, _MOST_ROW_BYTES = 128, 1 << 16
# so many records at a time: their arrays stay in the processor's cache
_AT_ONCE = 1_024
# fewer are read faster without a table
_LEAST_ROWS, _LEAST_RECORDS = 2, 16
# what varies for longer than that is not compared
_LONG_GAP = 64
_OPENING = 256
# so often a pattern may turn out to be of no use
_CREDIT = 8
_TIME_BYTES, _VALUE_BYTES = 8, 4


class Block(NamedTuple):
    """Rows that were read together.

    Parameters
    ----------
    columns : Columns or None
        Their scalars, with the place of each tag in the pattern's `tags` as number.
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


class _Column(NamedTuple):
    """A record of a row, by where its parts lie in the row; no form if it is not read.

    Parameters
    ----------
    start, end : int
        The record.
    form : Form or None
        Its form, unless it is too long to be checked by what varies.
    rest : int
        Where what stands behind the step begins.
    """

    start: int
    end: int
    form: Form | None
    rest: int

    def moved(self, by: int) -> _Column:
        """Return the same, with the row beginning elsewhere."""
        start, end, rest = self.start + by, self.end + by, self.rest + by
        return _Column(start, end, self.form, rest)


class _Places(NamedTuple):
    """What varies in some rows: where it lies, and what it adds to a checksum."""

    n_rows: int
    at: Ints
    tables: Ints
    bare: NDArray[np.uint32]
    step_bits: Bytes
    column: NDArray[np.int32]
    offsets: Ints

    def beginning(self, n_rows: int) -> _Places:
        """Return the same of the first rows only."""
        end = len(self.offsets) // self.n_rows * n_rows
        every = (np.ascontiguousarray(one[..., :end]) for one in self[1:])
        return _Places(n_rows, *every)


class _Test:
    """Compares bytes but for those bits that vary, as one long number."""

    def __init__(self, row: bytes, mask: bytes) -> None:
        self.n_bytes = len(row)
        self.mask = int.from_bytes(mask, "little")
        self.fixed = int.from_bytes(row, "little") & self.mask

    def passes(self, content: bytes, position: int) -> bool:
        found = content[position : position + self.n_bytes]
        return int.from_bytes(found, "little") & self.mask == self.fixed


class Pattern:
    """The bytes of a row, and which of them vary.

    Parameters
    ----------
    row : bytes
        The records of one period.
    columns : sequence of _Column
        Where each lies in the row.
    """

    def __init__(self, row: bytes, columns: Sequence[_Column]) -> None:
        self.n_bytes = len(row)
        self.head = row[: HEAD.size]
        known = [(one, one.form) for one in columns if one.form is not None]
        self._read = [one for one, form in known if form.scalar]
        self.tags = [form.tag for _, form in known if form.scalar]
        others = [(one, form.tag) for one, form in known if not form.scalar]
        self._others = [tag for _, tag in others]
        spans = [(one.start, one.end) for one, _ in others]
        self._spans = np.array(spans, dtype=np.int64).reshape(-1, 2)
        left = [one.start for one in columns if one.form is None]
        self._left = np.array(left, dtype=np.int64)
        self.n_records = len(columns)
        mask = _fixed_bits(len(row), columns)
        # the first bytes tell most others apart
        self._tests = [_Test(row[:end], mask[:end]) for end in (_OPENING, len(row))]
        self._parts = _compared(row, mask)
        self._row = row
        self._places: list[_Places] = []
        self.credit = _CREDIT

    def begins(self, content: bytes, position: int) -> bool:
        """Tell whether a row begins there."""
        return all(test.passes(content, position) for test in self._tests)

    def block(self, piece: Piece, start: int) -> Block | None:
        """Read the rows from there on, some thousand records at most.

        None if they are too few.
        """
        most = max(_AT_ONCE // self.n_records, _LEAST_ROWS)
        n_rows = min((piece.n_bytes - start) // self.n_bytes, most)
        shape = (n_rows, self.n_bytes)
        rows = np.ndarray(shape, np.uint8, piece.content, offset=start)
        for begin, mask, fixed in self._parts:
            same = (rows[:n_rows, begin : begin + len(mask)] & mask) == fixed
            if not same.all():
                n_rows = int(np.argmin(same.all(axis=1)))
        if n_rows < _LEAST_ROWS or n_rows * self.n_records < _LEAST_RECORDS:
            return None
        end = start + n_rows * self.n_bytes
        starts = np.arange(start, end, self.n_bytes)[:, None]
        left = [(starts + self._left).ravel()]
        columns, others = None, []
        if self._read:
            columns, wrong = self._scalars(rows[:n_rows], piece.start + start)
            left.append(wrong - piece.start)
        if self._others:
            others, wrong = self._check_others(piece, starts)
            left.append(wrong)
        return Block(columns, others, np.sort(np.concatenate(left)), end)

    def _check_others(
        self, piece: Piece, starts: Ints
    ) -> tuple[list[tuple[str, int]], Ints]:
        """Return the tags without a scalar, and the records that fail their check."""
        begins, ends = starts + self._spans[:, 0], starts + self._spans[:, 1]
        stored = ends - CHECKSUM.size
        payloads = zip((begins + HEAD.size).flat, stored.flat, strict=True)
        content = piece.content
        sums = np.array([crc32c(content[a:b]) for a, b in payloads], dtype=np.uint32)
        fits = mask_checksums(sums).reshape(stored.shape) == piece.words("<u4", stored)
        firsts = [
            (tag, piece.start + int(at[good][0]))
            for tag, at, good in zip(self._others, begins.T, fits.T, strict=True)
            if good.any()
        ]
        return firsts, begins[~fits]

    def _scalars(self, rows: Bytes, start: int) -> tuple[Columns, Ints]:
        """Return the scalars of rows, and the offsets of those that fail their check."""
        places = self._places_in(len(rows))
        found = rows.ravel().take(places.at)
        n_summed = len(places.tables)
        terms = byte_checksums().take(found[:n_summed] + places.tables)
        sums = np.bitwise_xor.reduce(terms, axis=0)
        sums ^= places.bare
        fits = mask_checksums(sums) == _numbers(found[n_summed:], "<u4")
        n_steps = len(places.step_bits)
        steps = np.zeros(len(fits), dtype=np.int64)
        for i in range(n_steps):
            bits = found[_TIME_BYTES + i] & places.step_bits[i]
            steps |= bits.astype(np.int64) << (7 * i)
        # a signalling NaN is not worth a warning
        with np.errstate(invalid="ignore"):
            raw = found[_TIME_BYTES + n_steps : n_summed]
            values = _numbers(raw, "<f4").astype(np.float64)
        times = _numbers(found[:_TIME_BYTES], "<f8")
        columns = Columns(places.column, steps, times, values, places.offsets + start)
        if fits.all():
            return columns, _NONE
        return Columns(*(one[fits] for one in columns)), columns.offsets[~fits]

    def _places_in(self, n_rows: int) -> _Places:
        """Return what varies in so many rows; kept for the most, and for the last."""
        for one in self._places:
            if one.n_rows == n_rows:
                return one
        if not self._places or n_rows > self._places[0].n_rows:
            self._places = [_place(self._row, self._read, n_rows)]
        else:
            self._places[1:] = [self._places[0].beginning(n_rows)]
        return self._places[-1]


_NONE = np.zeros(0, dtype=np.int64)


def _numbers(found: Bytes, kind: str) -> NDArray[np.generic]:
    """Put the first, second, ... bytes of numbers together."""
    return np.ascontiguousarray(found.T).view(kind)[:, 0]


def _fixed_bits(n_bytes: int, columns: Sequence[_Column]) -> bytes:
    """Return which bits of a row are the same in every row."""
    mask = bytearray(n_bytes)
    for one in columns:
        mask[one.start : one.start + HEAD.size] = b"\xff" * HEAD.size
        if one.form is None:
            continue
        payload, stored = one.start + HEAD.size, one.end - CHECKSUM.size
        mask[payload] = mask[payload + BEFORE_STEP - 1] = 0xFF
        for at in range(payload + BEFORE_STEP, one.rest):
            # whether another byte of the step follows
            mask[at] = 0x80
        hole, behind = one.rest + len(one.form.prefix), stored - len(one.form.suffix)
        mask[one.rest : hole] = b"\xff" * len(one.form.prefix)
        mask[behind:stored] = b"\xff" * len(one.form.suffix)
    return bytes(mask)


def _compared(row: bytes, mask: bytes) -> list[tuple[int, Bytes, Bytes]]:
    """Cut a row where nothing is fixed for long: where each part begins, and its bits."""
    parts = []
    fixed = np.flatnonzero(np.frombuffer(mask, dtype=np.uint8))
    gaps = np.flatnonzero(np.diff(fixed) > _LONG_GAP)
    begins = [fixed[0], *fixed[gaps + 1]]
    for begin, last in zip(begins, [*fixed[gaps], fixed[-1]], strict=True):
        bits = np.frombuffer(mask[begin : last + 1], dtype=np.uint8)
        held = np.frombuffer(row[begin : last + 1], dtype=np.uint8)
        parts.append((int(begin), bits, held & bits))
    return parts


def _place(row: bytes, read: Sequence[_Column], n_rows: int) -> _Places:
    """Find what varies in so many rows, line by line: byte by byte of each record."""
    n_steps = max(one.rest - one.start - HEAD.size - BEFORE_STEP for one in read)
    lines = [_lines(one, n_steps) for one in read]
    at = np.array([one[0] for one in lines]).T
    tables = np.array([one[1] for one in lines]).T
    bits = np.array([one[2] for one in lines], dtype=np.uint8).T
    bare = [_bare_checksum(row, one) for one in read]
    starts = np.arange(n_rows) * len(row)

    def in_rows(values: NDArray[np.generic]) -> NDArray[np.generic]:
        return np.ascontiguousarray(np.tile(values, (1, n_rows)))

    heads = np.array([one.start for one in read])
    return _Places(
        n_rows=n_rows,
        at=(at[:, None, :] + starts[:, None]).reshape(len(at), -1),
        tables=in_rows(tables),
        bare=np.tile(np.array(bare, dtype=np.uint32), n_rows),
        step_bits=in_rows(bits),
        column=np.tile(np.arange(len(read), dtype=np.int32), n_rows),
        offsets=(starts[:, None] + heads).ravel(),
    )


def _lines(one: _Column, n_steps: int) -> tuple[list[int], list[int], list[int]]:
    """Return where a record varies, the table that each byte's term is in, step bits.

    A step shorter than another of the row has some of its bytes nowhere: the tables
    end in one of zeros.
    """
    payload, hole = one.start + HEAD.size, one.rest + len(one.form.prefix)
    stored = one.end - CHECKSUM.size
    n_own = one.rest - payload - BEFORE_STEP
    n_missing = n_steps - n_own
    summed = [*range(payload + 1, payload + 1 + _TIME_BYTES)]
    summed += [*range(payload + BEFORE_STEP, one.rest)]
    tables = [stored - 1 - at for at in summed]
    summed += [payload] * n_missing
    tables += [MOST_SUMMED] * n_missing
    values = [*range(hole, hole + _VALUE_BYTES)]
    tables += [stored - 1 - at for at in values]
    at = [*summed, *values, *range(stored, one.end)]
    return at, [256 * one for one in tables], [0x7F] * n_own + [0] * n_missing


def _bare_checksum(row: bytes, one: _Column) -> int:
    """Return the checksum of a record if all that varies in it were zero."""
    payload = bytearray(row[one.start + HEAD.size : one.end - CHECKSUM.size])
    for at in _lines(one, 0)[0][: -CHECKSUM.size]:
        payload[at - one.start - HEAD.size] = 0
    return crc32c(bytes(payload))


class Patterns:
    """The patterns that were met, by the head of their first record."""

    def __init__(self) -> None:
        self.by_head: dict[bytes, list[Pattern]] = {}

    def __contains__(self, head: bytes) -> bool:
        return head in self.by_head

    def read(
        self, piece: Piece, position: int, head: bytes
    ) -> tuple[Pattern, Block] | None:
        """Read the rows that begin there, if a record with this head begins some."""
        for one in self.by_head[head]:
            if not one.begins(piece.content, position):
                continue
            block = one.block(piece, position)
            if block is not None:
                one.credit = _CREDIT
                return one, block
            one.credit -= 1
            if not one.credit:
                self._forget(one)
            return None
        return None

    def _forget(self, one: Pattern) -> None:
        self.by_head[one.head].remove(one)
        if not self.by_head[one.head]:
            del self.by_head[one.head]

    def learn(self, piece: Piece, positions: list[int], end: int) -> None:
        """Learn the row that some records end in, if they repeat one."""
        content = piece.content
        spans = list(zip(positions, [*positions[1:], end], strict=True))
        period = _period([(b - a, _kind(content, a, b)) for a, b in spans])
        if not period or end - positions[-period] > _MOST_ROW_BYTES:
            return
        spans = spans[-2 * period :]
        columns = [_column(content[a:b], a) for a, b in spans]
        first = _first_of_row(content, columns[: period + 1])
        columns, begin = columns[first : first + period], spans[first][0]
        row = content[begin : spans[first + period - 1][1]]
        if sum(map(len, self.by_head.values())) >= _MOST_PATTERNS:
            self._forget(next(iter(self.by_head.values()))[0])
        one = Pattern(row, [column.moved(-begin) for column in columns])
        self.by_head.setdefault(one.head, []).append(one)


class _Known(threading.local):
    """The patterns that this thread has met: the files of a directory are alike."""

    def __init__(self) -> None:
        self.patterns = Patterns()


KNOWN_PATTERNS = _Known()


def _first_of_row(content: bytes, columns: Sequence[_Column]) -> int:
    """Return which record of a row to begin with: a scalar at another step."""
    first, last = 0, b""
    for i, one in enumerate(columns):
        if one.form is not None:
            step = content[one.start + HEAD.size + BEFORE_STEP : one.rest]
            if last and step != last:
                return i % (len(columns) - 1)
            first, last = first if last else i, step
    return first


def _kind(content: bytes, start: int, end: int) -> bytes:
    """Return what a record begins with behind its step, up to its tag."""
    rest = start + HEAD.size + BEFORE_STEP
    if content[start + HEAD.size] != 0x09:
        return b""
    while content[rest] >= 0x80 and rest < end:
        rest += 1
    rest += 1
    before_tag = 5
    if content[rest + 1] >= 0x80:
        before_tag += 1 + (content[rest + 4] >> 7)
    return content[rest : min(rest + before_tag + 1 + content[rest + before_tag], end)]


def _period(kinds: list[tuple[int, bytes]]) -> int:
    """Return the shortest period in which the last records repeat; 0 if none."""
    for period in range(1, min(_MOST_PERIOD, len(kinds) // 2) + 1):
        if kinds[-1] == kinds[-1 - period]:
            n_same = max(2 * period, _LEAST_RECORDS)
            last = kinds[-n_same:]
            if last[period:] == last[:-period]:
                return period
    return 0


def _column(record: bytes, start: int) -> _Column:
    """Tell how a record of a row is to be read."""
    payload, end = record[HEAD.size : -CHECKSUM.size], start + len(record)
    left = _Column(start, end, None, 0)
    stored = CHECKSUM.unpack(record[-CHECKSUM.size :])[0]
    rest = behind_step(payload)
    if not BEFORE_STEP < rest <= BEFORE_STEP + MOST_STEP_BYTES:
        return left
    if masked_checksum(payload) != stored:
        return left
    try:
        form = EventScalars().form(payload)
    except ValueError:
        return left
    if form is None or (form.scalar and len(payload) > MOST_SUMMED):
        return left
    return _Column(start, end, form, start + HEAD.size + rest)
