"""Scalars out of thousands of records at once, told apart by their form.

Nearly all records of a log have one of a few forms (`events.Form`) and differ in step,
wall time and value only. So a record is known by what follows its step, up to the
end of its tag; then it is compared with the form that this belongs to, before and
behind what varies, and cut where the form says.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.readers.event_files.events import Form, event_form
from cbreplay.readers.event_files.scalar_table import ScalarColumns, first_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbreplay.readers.event_files.frames import Flags, Ints, RecordBlock, Words
    from cbreplay.readers.event_files.scalar_table import TableBuilder

__all__ = ["read_forms"]

_WORD, _BYTE = 8, 0xFF
_LONGEST_PREFIX, _LONGEST_SUFFIX = 128, 64
# forms are kept for each tag; a log of random tags must not fill the memory
_MOST_FORMS, _MOST_BLOCKS = 2_048, 4
# the usual event begins with its wall time, and its step behind that
_WALL_TIME_KEY, _STEP_KEY = 0x09, 0x10
_BEFORE_STEP = 10
_MOST_STEP_BYTES = 5
# each byte's highest bit says whether another byte of the step follows
_LAST_BYTES, _OWN_BITS = np.uint64(0x80_80_80_80_80), np.uint64(0x7F)

# row n has the bits of the first n bytes
_FIRST_BYTES = _BYTE * np.tri(_LONGEST_PREFIX + 1, _LONGEST_PREFIX, -1, dtype=np.uint8)
_FIRST_WORDS = _FIRST_BYTES.view("<u8")
# odd numbers without a pattern: multiples of the golden ratio's, as in splitmix64
_MIXERS = np.array(
    [
        0x9E3779B97F4A7C15 * n & (1 << 64) - 1 | 1
        for n in range(1, _LONGEST_PREFIX // _WORD + 2)
    ],
    dtype=np.uint64,
)


# no record is this long
_NO_FORM = Form("", b"", b"", -1, scalar=False)


class _FixedBytes:
    """What the records of each form have in common, before or behind what varies."""

    def __init__(self, parts: Sequence[bytes]) -> None:
        longest = max(map(len, parts))
        self.n_bytes = max(-(-longest // _WORD), 1) * _WORD
        padded = b"".join(part.ljust(self.n_bytes, b"\0") for part in parts)
        self._words = np.frombuffer(padded, "<u8").reshape(len(parts), -1)
        lengths = [len(part) for part in parts]
        self._fixed = _FIRST_WORDS[lengths, : self.n_bytes // _WORD]

    def differs(self, windows: Words, numbers: Ints) -> Flags:
        """Tell which records have other bytes than the form of their number."""
        other = windows ^ self._words.take(numbers, axis=0)
        other &= self._fixed.take(numbers, axis=0)
        # mostly no record differs, and one comparison of all together shows it
        return other.any(axis=1) if other.any() else np.zeros(len(other), np.bool_)


class _KnownForms(threading.local):
    """The forms that this thread has met, as arrays in the order of their keys.

    The files of a directory are alike. Number 0, that of the least key, is no form: its
    records are to be read one by one.
    """

    def __init__(self) -> None:
        self._arrange({0: None})

    def _arrange(self, by_key: dict[int, Form | None]) -> None:
        self._by_key = by_key
        ordered = sorted(by_key.items())
        self._keys = np.array([key for key, _ in ordered], dtype=np.uint64)
        forms = [form or _NO_FORM for _, form in ordered]
        self.tags = [form.tag for form in forms]
        self.prefix = _FixedBytes([form.prefix for form in forms])
        self.suffix = _FixedBytes([form.suffix for form in forms])
        self.lengths = np.array([form.length for form in forms], dtype=np.int64)
        self.holes = np.array([len(form.prefix) for form in forms], dtype=np.int64)
        ends = [form.length - len(form.suffix) for form in forms]
        self.hole_ends = np.array(ends, dtype=np.int64)
        self.scalar = np.array([form.scalar for form in forms], dtype=np.bool_)
        # the first blocks of some files, by the lengths of their records: their steps,
        # and the number of each record's form
        self.blocks: dict[bytes, tuple[_EventSteps, Ints]] = {}

    def find(self, block: RecordBlock, keys: Words, keyed: Flags) -> Ints:
        """Return the number of each record's form, 0 of those without one.

        New ones are learned. A record may have another form than its key says, so it
        is still to be compared.
        """
        numbers, unknown = self._look_up(keys)
        unknown &= keyed
        if unknown.any():
            self._learn(block, keys, unknown.nonzero()[0])
            numbers, _ = self._look_up(keys)
        return numbers * keyed

    def _look_up(self, keys: Words) -> tuple[Ints, Flags]:
        """Return the number of the form with each key, and where it is not known."""
        numbers: Ints = self._keys.searchsorted(keys)
        np.minimum(numbers, len(self._keys) - 1, out=numbers)
        return numbers, self._keys.take(numbers) != keys

    def _learn(self, block: RecordBlock, keys: Words, rows: Ints) -> None:
        by_key = self._by_key
        if len(by_key) >= _MOST_FORMS:
            by_key = {0: None}
        for key, row in zip(keys[rows].tolist(), rows.tolist(), strict=True):
            if key not in by_key and len(by_key) < _MOST_FORMS:
                form = event_form(block.payload(row))
                short = (
                    form is not None
                    and len(form.prefix) <= _LONGEST_PREFIX
                    and len(form.suffix) <= _LONGEST_SUFFIX
                )
                by_key[key] = form if short else None
        self._arrange(by_key)


class _EventSteps(NamedTuple):
    """The step of each event that has one where most have it, behind a wall time.

    Parameters
    ----------
    first, words : arrays
        The first byte of each event, and eight from the key of its step on.
    usual : Flags
        Which have. For the others the rest means nothing.
    steps : Ints
        The steps.
    rest, rest_lengths : Ints
        Where the bytes after the step begin, and how many there are.
    """

    first: NDArray[np.uint8]
    words: Words
    usual: Flags
    steps: Ints
    rest: Ints
    rest_lengths: Ints


_KNOWN = _KnownForms()
_NO_BLOCK = None, np.zeros(0, dtype=np.int64)


def read_forms(block: RecordBlock, table: TableBuilder) -> Ints:
    """Put the scalars of records of known forms into a table.

    Returns
    -------
    Ints
        The rows of the records that are still to be read, one by one.
    """
    steps, numbers = _find_forms(block)
    tags = np.zeros(len(_KNOWN.tags), dtype=np.int32)
    for number, row in first_rows(numbers):
        if _KNOWN.scalar[number]:
            tags[number] = table.number(_KNOWN.tags[number])
        elif number:
            offset = block.offset + int(block.positions[row])
            table.note_other(_KNOWN.tags[number], offset)
    rows = _KNOWN.scalar.take(numbers).nonzero()[0]
    held = numbers[rows]
    values = block.read("<f4", steps.rest[rows] + _KNOWN.holes.take(held))
    # a signalling NaN is not worth a warning
    with np.errstate(invalid="ignore"):
        floats = values.astype(np.float64)
    wall_times = block.read("<f8", block.starts[rows] + 1)
    offsets = block.offset + block.positions[rows]
    table.add(ScalarColumns(tags[held], steps.steps[rows], wall_times, floats, offsets))
    left: Ints = (numbers == 0).nonzero()[0]
    return left


def _find_forms(block: RecordBlock) -> tuple[_EventSteps, Ints]:
    """Return the steps, and the number of each record's form: 0 of those without one.

    The files of several trainings hold the same tags at the same steps, so both are
    often those of the same record in another file. Within a file steps go on, and
    nothing comes again.
    """
    lengths = b"" if block.offset or block.changed.any() else block.lengths.tobytes()
    before, numbers = _KNOWN.blocks.get(lengths, _NO_BLOCK)
    steps = _read_steps(block, before)
    if steps is before and not _differ(block, steps, numbers).any():
        return steps, numbers
    numbers = _KNOWN.find(block, *_keys(block, steps))
    numbers *= steps.rest_lengths == _KNOWN.lengths.take(numbers)
    numbers *= ~_differ(block, steps, numbers)
    if lengths:
        if len(_KNOWN.blocks) >= _MOST_BLOCKS:
            _KNOWN.blocks.clear()
        _KNOWN.blocks[lengths] = steps, numbers
    return steps, numbers


def _differ(block: RecordBlock, steps: _EventSteps, numbers: Ints) -> Flags:
    """Tell which records have other bytes than the form of their number."""
    before = block.windows(steps.rest, _KNOWN.prefix.n_bytes)
    hole_ends = steps.rest + _KNOWN.hole_ends.take(numbers)
    behind = block.windows(hole_ends, _KNOWN.suffix.n_bytes)
    differs = _KNOWN.prefix.differs(before, numbers)
    differs |= _KNOWN.suffix.differs(behind, numbers)
    return differs


def _read_steps(block: RecordBlock, before: _EventSteps | None) -> _EventSteps:
    """Read the step of each event: those of another block, if they stand here too."""
    words = block.read("<u8", block.starts + (_BEFORE_STEP - 1))
    first = block.read("<u1", block.starts)
    if (
        before is not None
        and np.array_equal(words, before.words)
        and np.array_equal(first, before.first)
    ):
        # these begin and end where the others do
        return before
    usual = first == _WALL_TIME_KEY
    usual &= (words & np.uint64(_BYTE)) == np.uint64(_STEP_KEY)
    # a payload shorter than that has no other fields
    usual &= block.lengths > _BEFORE_STEP + _MOST_STEP_BYTES
    word = words >> np.uint64(8)
    # the lowest byte without the highest bit ends the number
    ends = ~word & _LAST_BYTES
    last = ends & (~ends + np.uint64(1))
    usual &= last > 0
    word &= (last << np.uint64(1)) - np.uint64(1)
    steps = (word & _OWN_BITS).astype(np.int64)
    n_bytes = np.full(len(steps), _BEFORE_STEP + 1)
    for i in range(1, _MOST_STEP_BYTES):
        longer = last > np.uint64(0x80 << (8 * i - 8))
        if not longer.any():
            break
        n_bytes += longer
        own = (word >> np.uint64(8 * i)) & _OWN_BITS
        steps |= (own << np.uint64(7 * i)).astype(np.int64)
    rest, rest_lengths = block.starts + n_bytes, block.lengths - n_bytes
    return _EventSteps(first, words, usual, steps, rest, rest_lengths)


def _keys(block: RecordBlock, steps: _EventSteps) -> tuple[Words, Flags]:
    """Return a key for each event, from its length and the bytes up to its tag's end.

    The second says which have one: their tag ends within the event, and soon.
    """
    first = block.read("<u8", steps.rest)
    # summary and value each begin with a length of one or two bytes, then the tag's
    long_summary = (first >> np.uint64(15)) & np.uint64(1)
    long_value = (first >> np.uint64(39)) & long_summary
    before_tag = long_summary + long_value + np.uint64(5)
    tag_length = (first >> (before_tag << np.uint64(3))) & np.uint64(_BYTE)
    ends = (before_tag + tag_length).astype(np.int64) + 1
    keyed = (
        steps.usual
        & ~block.changed
        & (ends <= np.minimum(steps.rest_lengths, _LONGEST_PREFIX))
    )
    ends *= keyed
    n_words = max(-(-int(ends.max()) // _WORD), 1)
    named = block.windows(steps.rest, n_words * _WORD)
    named &= _FIRST_WORDS[:, :n_words].take(ends, axis=0)
    keys: Words = named @ _MIXERS[:n_words]
    keys += steps.rest_lengths.astype(np.uint64) * _MIXERS[-1]
    return keys, keyed
