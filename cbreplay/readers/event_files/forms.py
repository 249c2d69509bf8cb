"""Scalars out of thousands of records at once, told apart by their form.

Nearly all records of a log have one of a few forms (`events.Form`) and differ in step,
wall time and value only. So records are put into groups by what follows their step, up
to the end of the tag; then each group is compared with the form of its first record,
before and behind what varies, and cut where the form says.

The trainings of an experiment log the same tags at the same steps. So their files are
equal but for wall times, values and checksums: one comparison with a file that was read
before tells where the records lie and which forms they have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.readers.event_files.events import event_form
from cbreplay.readers.event_files.records import (
    FRAME_SIZE,
    HEAD,
    PADDING,
    RecordBlock,
    numbers_at,
)
from cbreplay.readers.event_files.scalar_table import Scalars, equal_rows

if TYPE_CHECKING:
    from cbreplay.readers.event_files.events import Form
    from cbreplay.readers.event_files.records import Bytes, Flags, Ints, Words
    from cbreplay.readers.event_files.scalar_table import TableBuilder

__all__ = ["FormRows", "add_scalars", "begins_alike", "find_forms", "remember"]

_WORD, _BYTE = 8, 0xFF
_LONGEST_PREFIX = 128
# fewer records than this are read one by one as fast
_FEW = 4
# of how many files the beginning is kept; how many times longer than what it shares
# another one may be
_MOST_KEPT, _FAR = 4, 2
# the usual event begins with its wall time, and its step behind that
_WALL_TIME_KEY, _STEP_KEY = 0x09, 0x10
_BEFORE_STEP = 10
_MOST_STEP_BYTES = 5
# an odd number without a pattern: the golden ratio's, as in splitmix64
_MIXER = np.uint64(0x9E3779B97F4A7C15)


class FormRows(NamedTuple):
    """The records of a block that have one form, in order, their steps, and holes."""

    form: Form
    rows: Ints
    steps: Ints
    holes: Ints


class _Beginning(NamedTuple):
    """The first block of a file, and the forms of its records.

    Another file that begins alike has equal bits where those of `fixed` are set.
    """

    content: Bytes
    fixed: Bytes
    bounds: Ints
    found: list[FormRows]


def find_forms(block: RecordBlock, known: dict[int, Form | None]) -> list[FormRows]:
    """Tell which records have which form; new ones join those that the file had so far.

    The others are to be read one by one.
    """
    steps, rest = _read_steps(block)
    keyed, keys = _keys(block, rest)
    found: list[FormRows] = []
    for key, at in equal_rows(keys):
        rows = keyed[at]
        if key not in known and len(rows) >= _FEW:
            known[key] = event_form(bytes(block.payload(int(rows[0]))))
        form = known.get(key)
        if form is not None:
            rows = _of_form(block, form, rows, rest)
            holes = rest[rows] + len(form.prefix)
            found.append(FormRows(form, rows, steps[rows], holes))
    return found


def add_scalars(
    block: RecordBlock, found: list[FormRows], table: TableBuilder
) -> list[int]:
    """Put the scalars of records of known forms into a table.

    Returned are the rows of the records that are still to be read, one by one.
    """
    left: Flags = np.ones(len(block), dtype=np.bool_)
    for form, rows, steps, holes in found:
        left[rows] = False
        if not len(rows):
            continue
        offsets = block.offset + block.positions[rows]
        if not form.scalar:
            table.note_other(form.tag, int(offsets[0]))
            continue
        values = block.read("<f4", holes).astype(np.float64)
        wall_times = block.read("<f8", block.starts[rows] + 1)
        table.add(form.tag, Scalars(steps, wall_times, values, offsets))
    return np.flatnonzero(left).tolist()


# by the head of the second record: the first one holds the version of all files
_KEPT: dict[bytes, _Beginning] = {}


def begins_alike(content: Bytes) -> tuple[RecordBlock, list[FormRows]] | None:
    """Return the records with which another file began too, and their forms."""
    kept = _KEPT.get(_second_head(content))
    if kept is None:
        return None
    n_bytes = min(len(content) - PADDING, len(kept.content))
    differs = (content[:n_bytes] ^ kept.content[:n_bytes]) & kept.fixed[:n_bytes] != 0
    n_alike = int(differs.argmax()) if differs.any() else n_bytes
    n_records = int(kept.bounds.searchsorted(n_alike, side="right")) - 1
    # a file that goes on far behind what it shares is read whole, and kept instead
    if n_records < 1 or _FAR * kept.bounds[n_records] < len(content) - PADDING:
        return None
    block = RecordBlock(content, kept.bounds[: n_records + 1])
    if block.changed.any():
        # which ones is told where all are read
        return None
    counts = [int(own.rows.searchsorted(n_records)) for own in kept.found]
    return block, [
        FormRows(form, rows[:n], steps[:n], holes[:n])
        for (form, rows, steps, holes), n in zip(kept.found, counts, strict=True)
    ]


def remember(block: RecordBlock, found: list[FormRows]) -> None:
    """Keep the first block of a file."""
    if len(_KEPT) >= _MOST_KEPT:
        _KEPT.clear()
    _KEPT[_second_head(block.content)] = _Beginning(
        block.content[: block.bounds[-1]].copy(),
        _fixed_bits(block, found),
        block.bounds,
        found,
    )


def _of_form(block: RecordBlock, form: Form, rows: Ints, rest: Ints) -> Ints:
    """Return which of some records have a form: equal keys may be chance."""
    rows = rows[block.payload_ends[rows] - rest[rows] == form.length]
    begins = rest[rows]
    alike = block.holds(form.prefix, begins)
    alike &= block.holds(form.suffix, begins + form.length - len(form.suffix))
    return rows[alike]


def _read_steps(block: RecordBlock) -> tuple[Ints, Ints]:
    """Return the step of each event, and where the bytes after it begin.

    These begin at its end if it has no step where most have it, behind a wall time.
    """
    words = block.read("<u8", block.starts + (_BEFORE_STEP - 1))
    usual = block.read("<u1", block.starts) == _WALL_TIME_KEY
    usual &= (words & np.uint64(_BYTE)) == np.uint64(_STEP_KEY)
    # a payload shorter than that has no other fields
    usual &= block.payload_ends - block.starts > _BEFORE_STEP + _MOST_STEP_BYTES
    steps = np.zeros(len(block), dtype=np.uint64)
    rest = block.starts + _BEFORE_STEP
    # 1 while another byte of the step follows, as the highest bit of each says
    more = np.ones(len(block), dtype=np.uint64)
    for i in range(_MOST_STEP_BYTES):
        byte = words >> np.uint64(8 * i + 8)
        steps |= (byte & np.uint64(0x7F)) * more << np.uint64(7 * i)
        rest += more.astype(np.int64)
        more &= byte >> np.uint64(7)
    usual &= more == 0
    return steps.astype(np.int64), np.where(usual, rest, block.payload_ends)


def _keys(block: RecordBlock, rest: Ints) -> tuple[Ints, Words]:
    """Return the records whose tag ends within the event, and soon; and their keys.

    A key is made of how many bytes follow the step, and of those up to the tag's end.
    """
    first = block.read("<u8", rest)
    # summary and value each begin with a length of one or two bytes, then the tag's
    long_summary = (first >> np.uint64(15)) & np.uint64(1)
    long_value = (first >> np.uint64(39)) & long_summary
    before_tag = long_summary + long_value + np.uint64(5)
    tag_length = (first >> (before_tag << np.uint64(3))) & np.uint64(_BYTE)
    ends = (before_tag + tag_length).astype(np.int64) + 1
    lengths = block.payload_ends - rest
    soon = ends <= np.minimum(lengths, _LONGEST_PREFIX)
    rows = (soon & ~block.changed).nonzero()[0]
    begins, ends = rest[rows], ends[rows]
    keys: Words = lengths[rows].astype(np.uint64)
    for behind in range(0, int(ends.max(initial=0)), _WORD):
        # the words from the tag's end on, backwards; where no more are, the first
        word = block.read("<u8", begins + np.maximum(ends - behind - _WORD, 0))
        keys = keys * _MIXER ^ word
    return rows, keys


def _fixed_bits(block: RecordBlock, found: list[FormRows]) -> Bytes:
    """Return the bits that do not vary: all but wall times, values and checksums.

    Of a record that is read one by one only the head is looked at.
    """
    fixed = np.full(int(block.bounds[-1]), 0xFF, dtype=np.uint8)
    numbers_at(fixed, "<u4")[block.payload_ends] = 0
    left: Flags = np.ones(len(block), dtype=np.bool_)
    for form, rows, _, holes in found:
        left[rows] = False
        numbers_at(fixed, "<u8")[block.starts[rows] + 1] = 0
        n_bytes = form.length - len(form.prefix) - len(form.suffix)
        numbers_at(fixed, f"V{n_bytes}")[holes] = bytes(n_bytes)
    for row in np.flatnonzero(left).tolist():
        fixed[block.starts[row] : block.payload_ends[row]] = 0
    return fixed


def _second_head(content: Bytes) -> bytes:
    second = FRAME_SIZE + int.from_bytes(bytes(content[:8]), "little")
    return bytes(content[second : second + HEAD.size])
