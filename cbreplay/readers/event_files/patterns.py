"""The patterns that the records of event files repeat, and how a new one is learned."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from cbreplay.readers.event_files.events import EventScalars, Form, behind_step
from cbreplay.readers.event_files.forms import (
    BEFORE_STEP,
    EVENT_KEYS,
    MOST_STEP_BYTES,
    MOST_SUMMED,
)
from cbreplay.readers.event_files.record_bytes import CHECKSUM, HEAD, masked_checksum
from cbreplay.readers.event_files.rows import Part, Pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers.event_files.record_walk import Piece
    from cbreplay.readers.event_files.rows import Block

__all__ = ["KNOWN_PATTERNS", "Patterns"]

_MOST_PATTERNS = 24
_MOST_PERIOD, _MOST_ROW_BYTES = 128, 1 << 16
# so many records at least must repeat each other
_LEAST_ALIKE = 16
# so often in a row a pattern may turn out to be of no use
_CREDIT = 8
_MORE = 0x80
_UNREAD = Form("", b"", b"", 0, scalar=False)


class Patterns:
    """The patterns that were met.

    Attributes
    ----------
    by_head : dict of bytes to list of Pattern
        Those whose first record has such a head.
    """

    def __init__(self) -> None:
        self.by_head: dict[bytes, list[Pattern]] = {}
        self._credit: dict[Pattern, int] = {}

    def at(self, content: bytes, position: int) -> Pattern | None:
        """Return the pattern of which a row begins there, if it is known."""
        head = content[position : position + HEAD.size]
        for one in self.by_head.get(head, ()):
            if one.begins(content, position):
                return one
        return None

    def read(self, one: Pattern, piece: Piece, position: int) -> Block | None:
        """Read the rows of a pattern that begin there; None if they are too few."""
        block = one.read(piece, position)
        self._credit[one] = _CREDIT if block else self._credit[one] - 1
        if not self._credit[one]:
            self._forget(one)
        return block

    def learn(self, piece: Piece, positions: Sequence[int], end: int) -> bool:
        """Learn the row that some records end in; False if it is known or none.

        Parameters
        ----------
        piece : Piece
            Some bytes of a file.
        positions : sequence of int
            Where records lie that follow each other.
        end : int
            Where the last of them ends.
        """
        content = piece.content
        spans = list(zip(positions, [*positions[1:], end], strict=True))
        period = _period([(b - a, _kind(content, a, b)) for a, b in spans])
        if not period or end - positions[-period] > _MOST_ROW_BYTES:
            return False
        parts = [_part(content[a:b], a) for a, b in spans[-2 * period :]]
        first = _first_of_row(content, parts[: period + 1])
        parts = parts[first : first + period]
        begin = parts[0].start
        row = content[begin : parts[-1].end]
        if self.at(row, 0) is not None:
            return False
        if len(self._credit) >= _MOST_PATTERNS:
            self._forget(next(iter(self._credit)))
        one = Pattern(row, [part.moved(-begin) for part in parts])
        self._credit[one] = _CREDIT
        self.by_head.setdefault(one.head, []).append(one)
        return True

    def _forget(self, one: Pattern) -> None:
        del self._credit[one]
        alike = self.by_head[one.head]
        alike.remove(one)
        if not alike:
            del self.by_head[one.head]


class _Known(threading.local):
    """The patterns that this thread has met: the files of a directory are alike."""

    def __init__(self) -> None:
        self.patterns = Patterns()


KNOWN_PATTERNS = _Known()


def _kind(content: bytes, start: int, end: int) -> bytes:
    """Return what a record begins with behind its step, up to its tag."""
    rest = start + HEAD.size + BEFORE_STEP
    if content[start + HEAD.size] != EVENT_KEYS[0]:
        return b""
    while rest < end and content[rest] >= _MORE:
        rest += 1
    rest += 1
    # summary and value each begin with a length of one or two bytes, then the tag's
    before_tag = 5
    if content[rest + 1] >= _MORE:
        before_tag += 1 + (content[rest + 4] >= _MORE)
    behind_tag = rest + before_tag + 1 + content[rest + before_tag]
    return content[rest : min(behind_tag, end)]


def _period(kinds: list[tuple[int, bytes]]) -> int:
    """Return the shortest period in which the last records repeat; 0 if none."""
    for period in range(1, min(_MOST_PERIOD, len(kinds) // 2) + 1):
        if kinds[-1] == kinds[-1 - period]:
            last = kinds[-max(2 * period, _LEAST_ALIKE) :]
            if last[period:] == last[:-period]:
                return period
    return 0


def _part(record: bytes, start: int) -> Part:
    """Tell how a record of a row is to be read."""
    payload, end = record[HEAD.size : -CHECKSUM.size], start + len(record)
    unread = Part(start, end, 0, _UNREAD)
    rest = behind_step(payload)
    if not BEFORE_STEP < rest <= BEFORE_STEP + MOST_STEP_BYTES:
        return unread
    if masked_checksum(payload) != CHECKSUM.unpack(record[-CHECKSUM.size :])[0]:
        return unread
    try:
        form = EventScalars().form(payload)
    except ValueError:
        return unread
    if form is None or (form.scalar and len(payload) > MOST_SUMMED):
        return unread
    return Part(start, end, start + HEAD.size + rest, form)


def _first_of_row(content: bytes, parts: Sequence[Part]) -> int:
    """Return which record a row had better begin with: the first at another step."""
    known = [(i, one) for i, one in enumerate(parts) if one.rest]
    steps = [content[one.payload + BEFORE_STEP : one.rest] for _, one in known]
    for (i, _), step, before in zip(known[1:], steps[1:], steps[:-1], strict=True):
        if step != before:
            return i % (len(parts) - 1)
    return known[0][0] % (len(parts) - 1) if known else 0
