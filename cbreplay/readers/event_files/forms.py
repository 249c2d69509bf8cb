"""Scalars out of thousands of records at once, told apart by their form.

Nearly all records of a log have one of a few forms (`events.Form`) and differ in step,
wall time and value only. So a record is known by what stands behind its step, up to the
end of its tag; then it is compared with the form that this belongs to, before and
behind what varies, and cut where the form says.
"""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.readers.event_files.events import BEFORE_STEP, Form, event_form
from cbreplay.readers.event_files.scalar_table import ScalarColumns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cbreplay.readers.event_files.frames import Flags, Ints, RecordBlock, Words
    from cbreplay.readers.event_files.scalar_table import TableBuilder

__all__ = ["read_forms"]

_WORD, _BYTE = 8, 0xFF
_LONGEST_PREFIX, _LONGEST_SUFFIX = 128, 64
# forms are kept for each tag; a log of random tags must not fill the memory
_MOST_FORMS = 2_048
_WALL_TIME_KEY, _STEP_KEY = 0x09, 0x10
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


class _KnownForms(threading.local):
    """The forms that this thread has met: the files of a directory are alike."""

    def __init__(self) -> None:
        # None for what is to be read one by one; a look-up needs one key at least
        self._by_key: dict[int, Form | None] = {0: None}
        self._arrange()

    def _arrange(self) -> None:
        ordered = sorted(self._by_key.items())
        self._keys = np.array([key for key, _ in ordered], dtype=np.uint64)
        self._forms = [form for _, form in ordered]

    def groups(
        self, block: RecordBlock, keys: Words, keyed: Flags
    ) -> Iterator[tuple[Form | None, Ints]]:
        """Yield forms, each with the rows of records that have its key.

        New ones are learned. A record may have another form than its key says, so it
        is still to be compared.
        """
        rows = keyed.nonzero()[0]
        wanted = keys[rows]
        numbers, known = self._find(wanted)
        if not known.all():
            self._learn(block, wanted[~known].tolist(), rows[~known].tolist())
            numbers, known = self._find(wanted)
            rows, numbers = rows[known], numbers[known]
        # so small numbers are sorted by counting them
        order = np.argsort(numbers.astype(np.int16), kind="stable")
        rows, numbers = rows[order], numbers[order]
        begins = np.flatnonzero(np.diff(numbers, prepend=-1)).tolist()
        for begin, end in pairwise([*begins, len(rows)]):
            yield self._forms[numbers[begin]], rows[begin:end]

    def _find(self, keys: Words) -> tuple[Ints, Flags]:
        """Return the number of the form with each key, and where it is known."""
        numbers = self._keys.searchsorted(keys)
        np.minimum(numbers, len(self._keys) - 1, out=numbers)
        return numbers, self._keys.take(numbers) == keys

    def _learn(
        self, block: RecordBlock, keys: Sequence[int], rows: Sequence[int]
    ) -> None:
        if len(self._by_key) >= _MOST_FORMS:
            self._by_key = {0: None}
        for key, row in zip(keys, rows, strict=True):
            if key not in self._by_key and len(self._by_key) < _MOST_FORMS:
                form = event_form(block.payload(row))
                short = (
                    form is not None
                    and len(form.prefix) <= _LONGEST_PREFIX
                    and len(form.suffix) <= _LONGEST_SUFFIX
                )
                self._by_key[key] = form if short else None
        self._arrange()


_KNOWN = _KnownForms()


class _EventSteps(NamedTuple):
    """The step of each event that has one where most have it, behind a wall time.

    Parameters
    ----------
    usual : Flags
        Which have. For the others the rest means nothing.
    steps : Ints
        The steps.
    rest, rest_lengths : Ints
        Where what stands behind the step begins, and how long it is.
    """

    usual: Flags
    steps: Ints
    rest: Ints
    rest_lengths: Ints


def read_forms(block: RecordBlock, table: TableBuilder) -> Ints:
    """Put the scalars of records of known forms into a table.

    Returns
    -------
    Ints
        The rows of the records that are still to be read, one by one.
    """
    steps = _read_steps(block)
    keys, keyed = _keys(block, steps)
    keyed &= ~block.changed
    left = np.ones(len(block), dtype=np.bool_)
    tags = np.full(len(block), -1, dtype=np.int32)
    holes = np.empty(len(block), dtype=np.int64)
    for form, alike in _KNOWN.groups(block, keys, keyed):
        if form is None:
            continue
        rows = alike[_fits(block, form, steps, alike)]
        left[rows] = False
        if form.scalar:
            tags[rows] = table.number(form.tag)
            holes[rows] = steps.rest[rows] + len(form.prefix)
        elif len(rows):
            table.note_other(form.tag, block.offset + int(block.positions[rows[0]]))
    rows = (tags >= 0).nonzero()[0]
    table.add(_cut(block, steps.steps, rows, holes[rows], tags[rows]))
    return left.nonzero()[0]


def _fits(block: RecordBlock, form: Form, steps: _EventSteps, rows: Ints) -> Flags:
    """Tell which records have the bytes of a form before and behind what varies."""
    rest = steps.rest[rows]
    fits: Flags = steps.rest_lengths[rows] == form.length
    fits &= block.holds(form.prefix, rest)
    fits &= block.holds(form.suffix, rest + (form.length - len(form.suffix)))
    return fits


def _read_steps(block: RecordBlock) -> _EventSteps:
    word = block.read("<u8", block.starts + (BEFORE_STEP - 1))
    usual = block.read("<u1", block.starts) == _WALL_TIME_KEY
    usual &= (word & np.uint64(_BYTE)) == np.uint64(_STEP_KEY)
    # a payload shorter than that has no other fields
    usual &= block.lengths > BEFORE_STEP + _MOST_STEP_BYTES
    word >>= np.uint64(8)
    # the lowest byte without the highest bit ends the number
    ends = ~word & _LAST_BYTES
    last = ends & (~ends + np.uint64(1))
    usual &= last > 0
    word &= (last << np.uint64(1)) - np.uint64(1)
    steps = (word & _OWN_BITS).astype(np.int64)
    n_bytes = np.full(len(steps), BEFORE_STEP + 1)
    for i in range(1, _MOST_STEP_BYTES):
        longer = last > np.uint64(0x80 << (8 * i - 8))
        if not longer.any():
            break
        n_bytes += longer
        own = (word >> np.uint64(8 * i)) & _OWN_BITS
        steps |= (own << np.uint64(7 * i)).astype(np.int64)
    return _EventSteps(usual, steps, block.starts + n_bytes, block.lengths - n_bytes)


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
    keyed = steps.usual & (ends <= np.minimum(steps.rest_lengths, _LONGEST_PREFIX))
    ends *= keyed
    n_words = max(-(-int(ends.max()) // _WORD), 1)
    named = block.windows(steps.rest, n_words * _WORD)
    named &= _FIRST_WORDS[:, :n_words].take(ends, axis=0)
    keys: Words = named @ _MIXERS[:n_words]
    keys += steps.rest_lengths.astype(np.uint64) * _MIXERS[-1]
    return keys, keyed


def _cut(
    block: RecordBlock, steps: Ints, rows: Ints, holes: Ints, tags: NDArray[np.int32]
) -> ScalarColumns:
    """Cut the scalars out of some records."""
    # a signalling NaN is not worth a warning
    with np.errstate(invalid="ignore"):
        values = block.read("<f4", holes).astype(np.float64)
    wall_times = block.read("<f8", block.starts[rows] + 1)
    offsets = block.offset + block.positions[rows]
    return ScalarColumns(tags, steps[rows], wall_times, values, offsets)
