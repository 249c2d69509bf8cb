"""Scalars in any order, from thousands of records at once, told apart by their form.

Nearly all records of a log have one of a few forms (`events.Form`) and differ in
step, wall time and value only. So the records of a piece of the file are told apart by
their form, compared with it, checksummed and cut with array operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from google_crc32c import value as crc32c

from cbreplay.readers.event_files.events import EventScalars, Form
from cbreplay.readers.event_files.forms import (
    BEFORE_STEP,
    EVENT_KEYS,
    KNOWN,
    MOST_STEP_BYTES,
    SLOT_BITS,
    UNKNOWN,
    WORD,
    bare_checksums,
    byte_checksums,
    mask_checksums,
)
from cbreplay.readers.event_files.record_bytes import (
    CHECKSUM,
    FRAME_SIZE,
    HEAD,
    masked_checksum,
)
from cbreplay.readers.event_files.scalar_table import Columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbreplay.readers.event_files.forms import Flags, FormArrays, Words
    from cbreplay.readers.event_files.record_walk import Ints, Piece
    from cbreplay.readers.event_files.scalar_table import TableBuilder

__all__ = ["FormReader"]

_MOST_PREFIX = 120
# what of a word belongs to a prefix that goes on for so many bytes
_PARTS = np.array([(1 << (8 * n)) - 1 for n in range(WORD + 1)], dtype=np.uint64)
# odd numbers without a pattern: multiples of the golden ratio's, as in splitmix64
_MIXERS = np.array(
    [
        0x9E3779B97F4A7C15 * n & (1 << 64) - 1 | 1
        for n in range(1, _MOST_PREFIX // WORD + 3)
    ],
    dtype=np.uint64,
)


class _Steps(NamedTuple):
    """Events of the usual kind: where each lies, and its step."""

    row: Ints
    start: Ints
    length: Ints
    bits: Words
    n_bytes: Ints
    steps: Ints

    @property
    def rest(self) -> Ints:
        """Where what stands behind the step begins."""
        return self.start + (BEFORE_STEP + self.n_bytes)

    @property
    def rest_length(self) -> Ints:
        return self.length - (BEFORE_STEP + self.n_bytes)

    def only(self, kept: Flags | Ints) -> _Steps:
        if kept.dtype == np.bool_ and kept.all():
            return self
        return _Steps(
            self.row[kept],
            self.start[kept],
            self.length[kept],
            self.bits[kept],
            self.n_bytes[kept],
            self.steps[kept],
        )


class FormReader:
    """Puts the scalars of records into a table, form by form.

    Parameters
    ----------
    table : TableBuilder
        Takes what is found.
    """

    def __init__(self, table: TableBuilder) -> None:
        self.table = table
        self._forms = KNOWN.forms()

    def read(self, piece: Piece, positions: Ints, sizes: Ints) -> Ints:
        """Read the records that lie there; return which are still to be read."""
        alone = np.ones(len(positions), dtype=np.bool_)
        events = _usual_events(piece, positions, sizes)
        if len(events.row):
            slots, regular = _slots(piece, events)
            events, slots = events.only(regular), slots[regular]
            numbers = self._numbers(piece, events, slots)
            known = numbers >= 0
            events, numbers = events.only(known), numbers[known]
            if len(numbers):
                short = self._forms.arrays().short[numbers]
                done = self._read_short(piece, events.only(short), numbers[short])
                alone[done] = False
                if not short.all():
                    done = self._read_long(piece, events.only(~short), numbers[~short])
                    alone[done] = False
        return np.flatnonzero(alone)

    def _numbers(self, piece: Piece, events: _Steps, slots: Ints) -> NDArray[np.int32]:
        """Return the number of each event's form, learning those that are new."""
        numbers = self._forms.slots[slots]
        unknown = np.flatnonzero(numbers == UNKNOWN)
        if not len(unknown):
            return numbers
        first = np.full(1 << SLOT_BITS, -1)
        first[slots[unknown[::-1]]] = unknown[::-1]
        for row in np.sort(first[first >= 0]).tolist():
            start, length = int(events.start[row]), int(events.length[row])
            payload = piece.content[start : start + length]
            stored = CHECKSUM.unpack_from(piece.content, start + length)[0]
            if masked_checksum(payload) == stored:
                self._learn(int(slots[row]), payload)
        return self._forms.slots[slots]

    def _learn(self, slot: int, payload: bytes) -> None:
        try:
            form = EventScalars().form(payload)
        except ValueError:
            form = None
        self._forms.learn(slot, form)

    def _tags(self, numbers: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the table's number for the tag of each form."""
        forms = self._forms.forms
        used = np.bincount(numbers, minlength=len(forms))
        tags = np.zeros(len(forms), dtype=np.int32)
        for number in np.flatnonzero(used).tolist():
            tags[number] = self.table.number(forms[number].tag)
        return tags[numbers]

    def _read_short(
        self, piece: Piece, events: _Steps, numbers: NDArray[np.int32]
    ) -> Ints:
        """Read the scalars of short records, and return their rows."""
        arrays = self._forms.arrays()
        lengths, rest = events.rest_length, events.rest
        right = lengths == arrays.lengths[numbers]
        n_words = -(-int(lengths.max(initial=0)) // WORD)
        for i in range(min(n_words, len(arrays.fixed))):
            word = piece.words("<u8", rest + i * WORD)
            word &= arrays.fixed[i][numbers]
            right &= word == arrays.expected[i][numbers]
        events, numbers = events.only(right), numbers[right]
        if not len(numbers):
            return events.row
        right = _checksums_fit(piece, events, arrays, numbers)
        events, numbers = events.only(right), numbers[right]
        self._add(piece, events, numbers)
        return events.row

    def _read_long(
        self, piece: Piece, events: _Steps, numbers: NDArray[np.int32]
    ) -> Ints:
        """Read the records of longer forms, and return their rows."""
        right = np.zeros(len(numbers), dtype=np.bool_)
        for number in np.flatnonzero(np.bincount(numbers)).tolist():
            of_form = np.flatnonzero(numbers == number)
            form = self._forms.forms[number]
            right[of_form] = _fits(piece, events.only(of_form), form)
        events, numbers = events.only(right), numbers[right]
        ends = events.start + events.length
        content = piece.content
        checksums = [
            crc32c(content[start:end])
            for start, end in zip(events.start.tolist(), ends.tolist(), strict=True)
        ]
        found = mask_checksums(np.array(checksums, dtype=np.uint32))
        right = found == piece.words("<u4", ends)
        events, numbers = events.only(right), numbers[right]
        scalar = self._forms.arrays().scalar[numbers]
        self._note_others(piece, events.only(~scalar), numbers[~scalar])
        self._add(piece, events.only(scalar), numbers[scalar])
        return events.row

    def _note_others(
        self, piece: Piece, events: _Steps, numbers: NDArray[np.int32]
    ) -> None:
        # np.unique imports numpy.ma, which takes longer than a small log
        first = np.full(len(self._forms.forms), -1)
        first[numbers[::-1]] = np.arange(len(numbers))[::-1]
        for number in np.flatnonzero(first >= 0).tolist():
            offset = piece.start + int(events.start[first[number]]) - HEAD.size
            self.table.note_other(self._forms.forms[number].tag, offset)

    def _add(self, piece: Piece, events: _Steps, numbers: NDArray[np.int32]) -> None:
        """Put the scalars of events of known forms into the table."""
        holes = self._forms.arrays().holes[numbers]
        values = piece.words("<f4", events.rest + holes)
        # a signalling NaN is not worth a warning
        with np.errstate(invalid="ignore"):
            numbers_read = values.astype(np.float64)
        self.table.add(
            Columns(
                self._tags(numbers),
                events.steps,
                piece.words("<f8", events.start + 1),
                numbers_read,
                piece.start + events.start - HEAD.size,
            )
        )


_LEAST_USUAL, _MOST_USUAL = 24, 4_096


def _usual_events(piece: Piece, positions: Ints, sizes: Ints) -> _Steps:
    """Find the events that begin with a wall time and a step of up to five bytes."""
    lengths = sizes - FRAME_SIZE
    row = np.flatnonzero((lengths > _LEAST_USUAL) & (lengths < _MOST_USUAL))
    start = positions[row] + HEAD.size
    usual = piece.bytes[start] == EVENT_KEYS[0]
    usual &= piece.bytes[start + 9] == EVENT_KEYS[9]
    if not usual.all():
        row, start = row[usual], start[usual]
    word = piece.words("<u8", start + BEFORE_STEP)
    # the lowest byte without the highest bit ends the number
    ends = ~word & np.uint64(0x80_80_80_80_80)
    last = ends & (~ends + np.uint64(1))
    bits = word & ((last << np.uint64(1)) - np.uint64(1))
    n_bytes = np.ones(len(row), dtype=np.int64)
    steps = (bits & np.uint64(0x7F)).astype(np.int64)
    for i in range(1, MOST_STEP_BYTES):
        longer = last > np.uint64(0x80 << (8 * i - 8))
        if not longer.any():
            break
        n_bytes += longer
        part = (bits >> np.uint64(8 * i)) & np.uint64(0x7F)
        steps |= (part << np.uint64(7 * i)).astype(np.int64)
    events = _Steps(row, start, lengths[row], bits, n_bytes, steps)
    kept = (last > 0) & (events.rest_length > WORD)
    return events if kept.all() else events.only(kept)


def _slots(piece: Piece, events: _Steps) -> tuple[Ints, Flags]:
    """Return a slot for each event, from its form's length and prefix up to the tag.

    The second says where the prefix is one: it ends within the event, and is not long.
    """
    rest, lengths = events.rest, events.rest_length
    first = piece.words("<u8", rest)
    # summary and value each begin with a length of one or two bytes, then the tag's
    long_summary = (first & np.uint64(0x80_00)) > 0
    long_value = (first & np.uint64(0x80_00_00_00_00)) > 0
    before_tag = 5 + long_summary.astype(np.int64) + (long_summary & long_value)
    prefix = before_tag + 1 + piece.bytes[rest + before_tag]
    regular = prefix <= np.minimum(lengths, _MOST_PREFIX)
    prefix = np.where(regular, prefix, 0)
    mixed = lengths.astype(np.uint64) * _MIXERS[-1]
    for i in range(-(-int(prefix.max(initial=0)) // WORD)):
        word = first if i == 0 else piece.words("<u8", rest + i * WORD)
        part = _PARTS[np.clip(prefix - i * WORD, 0, WORD)]
        mixed += (word & part) * _MIXERS[i]
    mixed ^= mixed >> np.uint64(32)
    mixed *= _MIXERS[-1]
    return (mixed >> np.uint64(64 - SLOT_BITS)).astype(np.int64), regular


def _checksums_fit(
    piece: Piece,
    events: _Steps,
    arrays: FormArrays,
    numbers: NDArray[np.int32],
) -> Flags:
    """Tell which records have the right checksum, from the bytes that vary alone."""
    table = byte_checksums()
    found = bare_checksums()[events.length] ^ arrays.checksums[numbers]
    times = piece.words("<u8", events.start + 1)
    values = piece.words("<u4", events.rest + arrays.holes[numbers])
    behind = (events.length - 2) << 8
    for i in range(8):
        byte = ((times >> np.uint64(8 * i)) & np.uint64(255)).astype(np.int64)
        found ^= table[behind - (i << 8) + byte]
    behind = (events.length - 1 - BEFORE_STEP) << 8
    for i in range(int(events.n_bytes.max(initial=0))):
        byte = ((events.bits >> np.uint64(8 * i)) & np.uint64(255)).astype(np.int64)
        found ^= table[behind - (i << 8) + byte]
    behind = (arrays.lengths - arrays.holes - 1)[numbers] << 8
    for i in range(4):
        byte = ((values >> np.uint32(8 * i)) & np.uint32(255)).astype(np.int64)
        found ^= table[behind - (i << 8) + byte]
    stored = piece.words("<u4", events.start + events.length)
    fits: Flags = mask_checksums(found) == stored
    return fits


def _fits(piece: Piece, events: _Steps, form: Form) -> Flags:
    """Tell which events have the prefix and the suffix of a form at their ends."""
    lengths, rest = events.rest_length, events.rest
    fits = lengths == form.length
    ends = rest + lengths - len(form.suffix)
    for fixed, at in ((form.prefix, rest), (form.suffix, ends)):
        if fixed:
            shape = (len(piece.content) - len(fixed) + 1,)
            kind = f"V{len(fixed)}"
            every = np.ndarray(shape, kind, piece.content, strides=(1,))
            fits[fits] = every[at[fits]] == np.frombuffer(fixed, dtype=kind)[0]
    found: Flags = fits
    return found
