"""The scalars of an event file as columns, read by thousands at once.

Nearly all records of a log have one of a few forms (`_event_proto.Form`) and differ in
step, wall time and value only. So the records of a piece of the file are found, told
apart by their form, compared with it, checksummed and cut with array operations;
whatever is not plainly of a known form, or not as it should be, is read one by one
with `EventScalars`. What is found does not depend on which way a record went.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from google_crc32c import extend
from google_crc32c import value as crc32c
from numpy.typing import NDArray

from cbreplay.readers._event_proto import EventScalars, Form, ends_in_blob
from cbreplay.readers._record_io import (
    CHECKSUM,
    HEAD,
    cut,
    mask_checksum,
    masked_checksum,
    no_event,
    open_records,
    read_records,
    wrong_checksum,
)
from cbreplay.readers.base import Damage, ReadOptions

if TYPE_CHECKING:
    from cbreplay.errors import LogError
    from cbreplay.readers._event_proto import Scalar
    from cbreplay.readers._record_io import RecordBytes

__all__ = ["EventTable", "read_by_columns", "read_events", "read_one_by_one"]

Ints: TypeAlias = NDArray[np.int64]
Words: TypeAlias = NDArray[np.uint64]
Flags: TypeAlias = NDArray[np.bool_]

# below it, a few hundred records, setting up the columns takes longer than it saves
_SMALL_FILE = 24_576
_PIECE = 1 << 20
_FRAME = HEAD.size + CHECKSUM.size


@dataclass(slots=True, eq=False, repr=False)
class EventTable:
    """Every scalar of an event file, in its order.

    Parameters
    ----------
    tags, other_tags : list of str
        The tags of scalars, and of summaries that hold none, in the order they were met.
    tag : int array
        The position in `tags` of each scalar.
    steps, wall_times, values : arrays
        As they were written; a float32 is the same float64.
    offsets : int array
        The byte at which the record of each begins.
    damage : Damage
        What was left out, in the order of the file.
    """

    tags: list[str]
    other_tags: list[str]
    tag: NDArray[np.int32]
    steps: Ints
    wall_times: NDArray[np.float64]
    values: NDArray[np.float64]
    offsets: Ints
    damage: Damage


def read_events(path: str) -> EventTable:
    """Read the scalars of an event file.

    Raises
    ------
    LogError
        If it cannot be read at all; damage inside it is kept in the table.
    """
    try:
        small = os.path.getsize(path) < _SMALL_FILE
    except OSError:
        small = True
    return read_one_by_one(path) if small else read_by_columns(path)


def read_one_by_one(path: str) -> EventTable:
    """Read the records in their order, each by itself."""
    table, events = _Builder(), EventScalars()
    damage = _new_damage()
    for offset, payload in read_records(path, damage):
        table.read_record(events, payload, offset, path, damage)
    return table.build(damage)


def _new_damage() -> Damage:
    return Damage(ReadOptions(errors="skip"))


class _Columns(NamedTuple):
    """Scalars that were read together."""

    tag: NDArray[np.int32]
    steps: Ints
    wall_times: NDArray[np.float64]
    values: NDArray[np.float64]
    offsets: Ints


class _Builder:
    """Collects the scalars of a file, in any order."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._others: dict[str, int] = {}
        self._columns: list[_Columns] = []
        self._scalars: list[Scalar] = []
        self._offsets: list[int] = []

    def number(self, tag: str) -> int:
        return self.numbers.setdefault(tag, len(self.numbers))

    def read_record(
        self,
        events: EventScalars,
        payload: bytes,
        offset: int,
        path: str,
        damage: Damage,
    ) -> None:
        """Read one record, whose checksum is right, by itself."""
        n_others = len(events.other_tags)
        try:
            scalars = events.read(payload)
        except ValueError as error:
            damage.report(no_event(path, offset, str(error)))
            return
        finally:
            if len(events.other_tags) > n_others:
                for tag in list(events.other_tags)[n_others:]:
                    self.note_other(tag, offset)
        self._scalars += scalars
        self._offsets += [offset] * len(scalars)

    def note_other(self, tag: str, offset: int) -> None:
        self._others[tag] = min(offset, self._others.get(tag, offset))

    def add(self, columns: _Columns) -> None:
        self._columns.append(columns)

    def settle(self) -> None:
        """Put what was read one by one between what was read together."""
        if not self._scalars:
            return
        tags, steps, wall_times, values = zip(*self._scalars, strict=True)
        one_by_one = _Columns(
            np.array([self.number(tag) for tag in tags], dtype=np.int32),
            np.array(steps, dtype=np.int64),
            np.array(wall_times),
            np.array(values, dtype=np.float64),
            np.array(self._offsets, dtype=np.int64),
        )
        self._columns.append(one_by_one)
        self._scalars, self._offsets = [], []

    def build(self, damage: Damage) -> EventTable:
        self.settle()
        columns = [np.concatenate(one) for one in zip(*self._columns, strict=True)]
        self._columns = []
        if not columns:
            columns = [*_Columns(*(np.zeros(0, t) for t in ("i4", "i8", "f8", "f8", "i8")))]
        tag, *others, offsets = columns
        if (offsets[1:] < offsets[:-1]).any():
            order = np.argsort(offsets, kind="stable")
            tag, offsets = tag[order], offsets[order]
            others = [one[order] for one in others]
        tags, tag = self._in_order_of_sight(tag)
        return EventTable(
            tags=tags,
            other_tags=sorted(self._others, key=self._others.__getitem__),
            tag=tag,
            steps=others[0],
            wall_times=others[1],
            values=others[2],
            offsets=offsets,
            damage=damage,
        )

    def _in_order_of_sight(
        self, tag: NDArray[np.int32]
    ) -> tuple[list[str], NDArray[np.int32]]:
        first = np.full(len(self.numbers), len(tag))
        first[tag[::-1]] = np.arange(len(tag))[::-1]
        order = np.argsort(first, kind="stable")
        order = order[first[order] < len(tag)]
        new = np.zeros(len(self.numbers), dtype=np.int32)
        new[order] = np.arange(len(order))
        names = list(self.numbers)
        return [names[i] for i in order], new[tag]


def read_by_columns(path: str, piece: int = _PIECE) -> EventTable:
    """Read the records of `piece` bytes at a time together."""
    reader = _Reader(path)
    with open_records(path) as file:
        return reader.read(file, piece)


# --- finding the records -----------------------------------------------------------

# behind a piece, so that a word can be read that begins in its last record
_PADDING = bytes(160)
_LEAST_PLAIN_STEPS, _MOST_PLAIN_STEPS = 64, 256
_MOST_PERIOD = 128
_FIRST_GUESS = 1_024
_MOST_HEADS = 65_536


class _Piece:
    """Some bytes of a file with padding behind, as bytes and as overlapping words."""

    def __init__(self, content: bytes, start: int) -> None:
        self.content, self.start = content, start
        self.n_bytes = len(content) - len(_PADDING)
        self.bytes = np.frombuffer(self.content, dtype=np.uint8)
        self._views: dict[str, NDArray[Any]] = {}

    def words(self, kind: str, at: Ints) -> NDArray[Any]:
        """Read a number at each of some positions."""
        every = self._views.get(kind)
        if every is None:
            shape = (len(self.content) - int(kind[-1]) + 1,)
            every = np.ndarray(shape, kind, self.content, strides=(1,))
            self._views[kind] = every
        found: NDArray[Any] = every[at]
        return found


class _Walk(NamedTuple):
    """Where the whole records of a piece lie, and where the first other one begins."""

    positions: Ints
    sizes: Ints
    end: int
    wrong_length: bool


class _Heads:
    """Walks from record to record.

    A head that was seen before, length and checksum, needs no check. Logs repeat
    themselves, epoch for epoch, so the sizes that follow are guessed from those before
    and compared all together.
    """

    def __init__(self) -> None:
        self._sizes: dict[bytes, int] = {}

    def walk(self, piece: _Piece) -> _Walk:
        found: list[Ints] = []
        position, more, n_steps = 0, True, _LEAST_PLAIN_STEPS
        while more:
            plain, position, more = self._plain_steps(piece, position, n_steps)
            n_steps = min(2 * n_steps, _MOST_PLAIN_STEPS)
            found.append(np.array(plain, dtype=np.int64))
            if more:
                guessed, end = _guess(piece, plain, position)
                found += guessed
                if end > position:
                    position, n_steps = end, _LEAST_PLAIN_STEPS
        positions = np.concatenate(found)
        sizes = piece.words("<u8", positions).astype(np.int64) + _FRAME
        head = piece.content[position : min(position + HEAD.size, piece.n_bytes)]
        wrong = len(head) == HEAD.size and not self._size(head)
        return _Walk(positions, sizes, position, wrong)

    def _plain_steps(
        self, piece: _Piece, position: int, n_steps: int
    ) -> tuple[list[int], int, bool]:
        """Walk some records; the last is False where no whole record follows."""
        content, n_bytes, known = piece.content, piece.n_bytes, self._sizes
        positions = []
        for _ in range(n_steps):
            head = content[position : position + 12]
            size = known.get(head) or self._size(head)
            if not size or position + size > n_bytes:
                return positions, position, False
            positions.append(position)
            position += size
        return positions, position, True

    def _size(self, head: bytes) -> int:
        """Return the size of a record; 0 if the checksum of its length is wrong."""
        length, checksum = HEAD.unpack(head)
        if masked_checksum(head[:8]) != checksum:
            return 0
        size: int = length + _FRAME
        if len(self._sizes) < _MOST_HEADS:
            self._sizes[head] = size
        return size


def _guess(
    piece: _Piece, plain: list[int], position: int
) -> tuple[list[Ints], int]:
    """Return where records lie whose heads repeat those before, and where they end."""
    found: list[Ints] = []
    ends = [*plain[1:], position]
    period = _period([end - begin for begin, end in zip(plain, ends, strict=True)])
    if not period:
        return found, position
    starts = np.array(plain[-period:])
    total = position - plain[-period]
    heads = [piece.words(kind, at) for kind, at in (("<u8", starts), ("<u4", starts + 8))]
    n_guessed = _FIRST_GUESS
    while True:
        repeats = min(n_guessed // period + 1, (piece.n_bytes - position) // total)
        if repeats <= 0:
            return found, position
        turns = np.arange(1, repeats + 1)[:, None] * total
        at = starts + turns
        right = piece.words("<u8", at) == heads[0]
        right &= piece.words("<u4", at + 8) == heads[1]
        at, right = at.ravel(), right.ravel()
        n_right = len(right) if right.all() else int(np.argmin(right))
        found.append(at[:n_right])
        if n_right < len(right):
            return found, int(at[n_right])
        starts, position = starts + repeats * total, position + repeats * total
        n_guessed *= 4


def _period(sizes: list[int]) -> int:
    """Return the shortest period that all the sizes repeat with; 0 if none."""
    for period in range(1, min(_MOST_PERIOD, len(sizes) // 2) + 1):
        if sizes[-1] == sizes[-1 - period] and sizes[period:] == sizes[:-period]:
            return period
    return 0


# --- checksums ---------------------------------------------------------------------

_POLYNOMIAL = 0x82F63B78
_MOST_REST, _MOST_STEP_BYTES, _BEFORE_STEP = 128, 5, 10
_MOST_PAYLOAD = _BEFORE_STEP + _MOST_STEP_BYTES + _MOST_REST
_EVENT_KEYS = {0: 0x09, 9: 0x10}


@cache
def _byte_checksums() -> NDArray[np.uint32]:
    """Return what a byte adds to a CRC-32C, by how many bytes follow it, times 256.

    The checksum is linear: that of a record is the exclusive or of what each of its
    bytes adds, and of the checksum of as many zeros.
    """
    one = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        one = (one >> 1) ^ np.where(one & 1, np.uint32(_POLYNOMIAL), np.uint32(0))
    table = np.empty((_MOST_PAYLOAD, 256), dtype=np.uint32)
    table[0] = one
    for i in range(1, _MOST_PAYLOAD):
        table[i] = (table[i - 1] >> 8) ^ one[table[i - 1] & 255]
    return table.ravel()


@cache
def _bare_checksums() -> NDArray[np.uint32]:
    """Return the CRC-32C of an event by its length, if all but its keys were zero."""
    bare = []
    for length in range(_MOST_PAYLOAD + 1):
        content = bytearray(length)
        for position, key in _EVENT_KEYS.items():
            if position < length:
                content[position] = key
        bare.append(crc32c(bytes(content)))
    return np.array(bare, dtype=np.uint32)


def _mask(crc: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Rotate and shift checksums as TFRecords hold them."""
    return ((crc >> 15) | (crc << 17)) + np.uint32(0xA282EAD8)


# --- forms -------------------------------------------------------------------------

_SLOT_BITS = 16
_UNKNOWN, _ALWAYS_ALONE = -1, -2
_MOST_FORMS = 4_096
_MOST_PREFIX = 120
_WORD = 8
# what of a word belongs to a prefix that goes on for so many bytes
_PARTS = np.array([(1 << (8 * n)) - 1 for n in range(_WORD + 1)], dtype=np.uint64)
_MIXERS = np.random.default_rng(20_240_229).integers(
    1 << 63, dtype=np.uint64, size=_MOST_PREFIX // _WORD + 2
) | np.uint64(1)


@dataclass(slots=True, eq=False, repr=False)
class _Forms:
    """The forms seen so far, by slot, and their bytes as words for comparing.

    Which slot a record has follows from the length and the first bytes of what stands
    behind its step. Two forms may share one: then the second is read one by one.
    """

    slots: NDArray[np.int32] = field(
        default_factory=lambda: np.full(1 << _SLOT_BITS, _UNKNOWN, dtype=np.int32)
    )
    forms: list[Form] = field(default_factory=list)
    n_learned: int = 0
    _arrays: _FormArrays | None = None

    def learn(self, slot: int, form: Form | None) -> None:
        self.n_learned += 1
        if form is None or len(self.forms) >= _MOST_FORMS:
            self.slots[slot] = _ALWAYS_ALONE
            return
        self.slots[slot] = len(self.forms)
        self.forms.append(form)
        self._arrays = None

    def arrays(self) -> _FormArrays:
        if self._arrays is None:
            self._arrays = _form_arrays(self.forms)
        return self._arrays


class _Known(threading.local):
    """The forms that this thread has met: the files of a directory are alike."""

    def __init__(self) -> None:
        self._forms = _Forms()

    def forms(self) -> _Forms:
        if self._forms.n_learned > _MOST_FORMS // 4:
            self._forms = _Forms()
        return self._forms


_KNOWN = _Known()


class _FormArrays(NamedTuple):
    """What is to be known of each form, for taking by its number.

    Those that are short and hold a scalar are compared all together, word by word.
    """

    short: Flags
    scalar: Flags
    lengths: Ints
    holes: Ints
    checksums: NDArray[np.uint32]
    fixed: list[Words]
    expected: list[Words]


def _form_arrays(forms: list[Form]) -> _FormArrays:
    lengths = [one.length for one in forms]
    short = [
        one.scalar and length <= _MOST_REST
        for one, length in zip(forms, lengths, strict=True)
    ]
    most = max([length for one, length in zip(short, lengths, strict=True) if one] or [0])
    width = -(-most // _WORD) * _WORD
    fixed = np.zeros((len(forms), width), dtype=np.uint8)
    expected = np.zeros((len(forms), width), dtype=np.uint8)
    checksums = []
    for i, form in enumerate(forms):
        if not short[i]:
            checksums.append(0)
            continue
        whole = form.prefix + bytes(4) + form.suffix
        checksums.append(crc32c(whole) ^ crc32c(bytes(len(whole))))
        expected[i, : len(whole)] = np.frombuffer(whole, dtype=np.uint8)
        fixed[i, : len(whole)] = 0xFF
        fixed[i, len(form.prefix) : len(form.prefix) + 4] = 0
    return _FormArrays(
        np.array(short, dtype=np.bool_),
        np.array([form.scalar for form in forms], dtype=np.bool_),
        np.array(lengths, dtype=np.int64),
        np.array([len(form.prefix) for form in forms], dtype=np.int64),
        np.array(checksums, dtype=np.uint32),
        list(np.ascontiguousarray(fixed.view("<u8").T)),
        list(np.ascontiguousarray(expected.view("<u8").T)),
    )


# --- reading -----------------------------------------------------------------------


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
        return self.start + (_BEFORE_STEP + self.n_bytes)

    @property
    def rest_length(self) -> Ints:
        return self.length - (_BEFORE_STEP + self.n_bytes)

    def only(self, kept: Flags | Ints) -> _Steps:
        if kept.dtype == np.bool_ and kept.all():
            return self
        return _Steps(*(column[kept] for column in self))


class _Reader:
    """Reads one file piece by piece."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.table, self.events, self.damage = _Builder(), EventScalars(), _new_damage()
        self._heads, self._forms = _Heads(), _KNOWN.forms()

    def read(self, file: RecordBytes, piece_bytes: int) -> EventTable:
        left, start, wanted = b"", 0, piece_bytes
        while True:
            more = file.read(wanted)
            piece = _Piece(b"".join((left, more, _PADDING)), start)
            walk = self._heads.walk(piece)
            self._read_piece(piece, walk)
            left = piece.content[walk.end : piece.n_bytes]
            start += walk.end
            if walk.wrong_length:
                self.damage.report(wrong_checksum(self.path, start, "length"))
                break
            missing = _missing(left, start, file)
            if len(more) < wanted or not missing:
                # fewer bytes than a head may not have been read yet
                left += file.read(HEAD.size) if len(left) < HEAD.size else b""
                self._report_end(left, start, file)
                break
            wanted = max(missing, piece_bytes)
            if missing > piece_bytes and _is_blob(left):
                size = self._check_blob(file, left, start, piece_bytes)
                if not size:
                    break
                left, start, wanted = b"", start + size, piece_bytes
        return self.table.build(self.damage)

    def _check_blob(
        self, file: RecordBytes, left: bytes, start: int, piece_bytes: int
    ) -> int:
        """Check a record that need not be held, and return its size; 0 if it is cut.

        A graph may have many megabytes.
        """
        length = HEAD.unpack_from(left)[0]
        checksum, n_left = crc32c(left[HEAD.size :]), length + HEAD.size - len(left)
        while n_left and (more := file.read(min(n_left, piece_bytes))):
            checksum, n_left = extend(checksum, more), n_left - len(more)
        stored = file.read(CHECKSUM.size)
        if len(stored) < CHECKSUM.size:
            found, wanted = length - n_left + len(stored), length + CHECKSUM.size
            self.damage.report(cut(self.path, start, found, file, wanted))
            return 0
        if mask_checksum(checksum) != CHECKSUM.unpack(stored)[0]:
            self.damage.report(wrong_checksum(self.path, start, "content"))
        return int(length + _FRAME)

    def _report_end(self, left: bytes, start: int, file: RecordBytes) -> None:
        error: LogError | None = None
        if len(left) >= HEAD.size:
            wanted = HEAD.unpack_from(left)[0] + CHECKSUM.size
            most = file.most(start + HEAD.size)
            found = len(left) - HEAD.size
            if wanted > most:
                found = most
            error = cut(self.path, start, found, file, wanted)
        elif left or file.flaw:
            error = cut(self.path, start, len(left), file)
        if error is not None:
            self.damage.report(error)

    def _read_piece(self, piece: _Piece, walk: _Walk) -> None:
        alone = np.ones(len(walk.positions), dtype=np.bool_)
        events = _usual_events(piece, walk)
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
        self._read_alone(piece, walk, np.flatnonzero(alone))

    def _numbers(self, piece: _Piece, events: _Steps, slots: Ints) -> NDArray[np.int32]:
        """Return the number of each event's form, learning those that are new."""
        numbers = self._forms.slots[slots]
        unknown = np.flatnonzero(numbers == _UNKNOWN)
        if not len(unknown):
            return numbers
        first = np.full(1 << _SLOT_BITS, -1)
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
        self, piece: _Piece, events: _Steps, numbers: NDArray[np.int32]
    ) -> Ints:
        """Read the scalars of short records, and return their rows."""
        arrays = self._forms.arrays()
        lengths, rest = events.rest_length, events.rest
        right = lengths == arrays.lengths[numbers]
        n_words = -(-int(lengths.max(initial=0)) // _WORD)
        for i in range(min(n_words, len(arrays.fixed))):
            word = piece.words("<u8", rest + i * _WORD)
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
        self, piece: _Piece, events: _Steps, numbers: NDArray[np.int32]
    ) -> Ints:
        """Read the records of longer forms, and return their rows."""
        right = np.zeros(len(numbers), dtype=np.bool_)
        for number in np.unique(numbers).tolist():
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
        found = _mask(np.array(checksums, dtype=np.uint32))
        right = found == piece.words("<u4", ends)
        events, numbers = events.only(right), numbers[right]
        scalar = self._forms.arrays().scalar[numbers]
        self._note_others(piece, events.only(~scalar), numbers[~scalar])
        self._add(piece, events.only(scalar), numbers[scalar])
        return events.row

    def _note_others(
        self, piece: _Piece, events: _Steps, numbers: NDArray[np.int32]
    ) -> None:
        for number, first in zip(*np.unique(numbers, return_index=True), strict=True):
            offset = piece.start + int(events.start[first]) - HEAD.size
            self.table.note_other(self._forms.forms[number].tag, offset)

    def _add(self, piece: _Piece, events: _Steps, numbers: NDArray[np.int32]) -> None:
        """Put the scalars of events of known forms into the table."""
        holes = self._forms.arrays().holes[numbers]
        values = piece.words("<f4", events.rest + holes)
        # a signalling NaN is not worth a warning
        with np.errstate(invalid="ignore"):
            numbers_read = values.astype(np.float64)
        self.table.add(
            _Columns(
                self._tags(numbers),
                events.steps,
                piece.words("<f8", events.start + 1),
                numbers_read,
                piece.start + events.start - HEAD.size,
            )
        )

    def _read_alone(self, piece: _Piece, walk: _Walk, rows: Ints) -> None:
        for position, size in zip(
            walk.positions[rows].tolist(), walk.sizes[rows].tolist(), strict=True
        ):
            begin, end = position + HEAD.size, position + size - CHECKSUM.size
            payload = piece.content[begin:end]
            offset = piece.start + position
            if masked_checksum(payload) != CHECKSUM.unpack_from(piece.content, end)[0]:
                self.damage.report(wrong_checksum(self.path, offset, "content"))
                continue
            self.table.read_record(
                self.events, payload, offset, self.path, self.damage
            )
        self.table.settle()


def _missing(left: bytes, start: int, file: RecordBytes) -> int:
    """Return how many bytes the last record of a piece lacks; 0 if the file lacks them.

    `left` are its bytes so far, which begin at `start`.
    """
    if len(left) < HEAD.size:
        return HEAD.size - len(left) if file.most(start) >= HEAD.size else 0
    length: int = HEAD.unpack_from(left)[0]
    held = length + CHECKSUM.size <= file.most(start + HEAD.size)
    return length + _FRAME - len(left) if held else 0


def _is_blob(left: bytes) -> bool:
    """Tell whether an event begins here that holds no summary."""
    return len(left) > HEAD.size and ends_in_blob(
        left[HEAD.size :], HEAD.unpack_from(left)[0]
    )


_LEAST_USUAL, _MOST_USUAL = 24, 4_096


def _usual_events(piece: _Piece, walk: _Walk) -> _Steps:
    """Find the events that begin with a wall time and a step of up to five bytes."""
    lengths = walk.sizes - _FRAME
    row = np.flatnonzero((lengths > _LEAST_USUAL) & (lengths < _MOST_USUAL))
    start = walk.positions[row] + HEAD.size
    usual = piece.bytes[start] == _EVENT_KEYS[0]
    usual &= piece.bytes[start + 9] == _EVENT_KEYS[9]
    if not usual.all():
        row, start = row[usual], start[usual]
    word = piece.words("<u8", start + _BEFORE_STEP)
    # the lowest byte without the highest bit ends the number
    ends = ~word & np.uint64(0x80_80_80_80_80)
    last = ends & (~ends + np.uint64(1))
    bits = word & ((last << np.uint64(1)) - np.uint64(1))
    n_bytes = np.ones(len(row), dtype=np.int64)
    steps = (bits & np.uint64(0x7F)).astype(np.int64)
    for i in range(1, _MOST_STEP_BYTES):
        longer = last > np.uint64(0x80 << (8 * i - 8))
        if not longer.any():
            break
        n_bytes += longer
        part = (bits >> np.uint64(8 * i)) & np.uint64(0x7F)
        steps |= (part << np.uint64(7 * i)).astype(np.int64)
    events = _Steps(row, start, lengths[row], bits, n_bytes, steps)
    kept = (last > 0) & (events.rest_length > _WORD)
    return events if kept.all() else events.only(kept)


def _slots(piece: _Piece, events: _Steps) -> tuple[Ints, Flags]:
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
    for i in range(-(-int(prefix.max(initial=0)) // _WORD)):
        word = first if i == 0 else piece.words("<u8", rest + i * _WORD)
        part = _PARTS[np.clip(prefix - i * _WORD, 0, _WORD)]
        mixed += (word & part) * _MIXERS[i]
    mixed ^= mixed >> np.uint64(32)
    mixed *= _MIXERS[-1]
    return (mixed >> np.uint64(64 - _SLOT_BITS)).astype(np.int64), regular


def _checksums_fit(
    piece: _Piece,
    events: _Steps,
    arrays: _FormArrays,
    numbers: NDArray[np.int32],
) -> Flags:
    """Tell which records have the right checksum, from the bytes that vary alone."""
    table = _byte_checksums()
    found = _bare_checksums()[events.length] ^ arrays.checksums[numbers]
    times = piece.words("<u8", events.start + 1)
    values = piece.words("<u4", events.rest + arrays.holes[numbers])
    behind = (events.length - 2) << 8
    for i in range(8):
        byte = ((times >> np.uint64(8 * i)) & np.uint64(255)).astype(np.int64)
        found ^= table[behind - (i << 8) + byte]
    behind = (events.length - 1 - _BEFORE_STEP) << 8
    for i in range(int(events.n_bytes.max(initial=0))):
        byte = ((events.bits >> np.uint64(8 * i)) & np.uint64(255)).astype(np.int64)
        found ^= table[behind - (i << 8) + byte]
    behind = (arrays.lengths - arrays.holes - 1)[numbers] << 8
    for i in range(4):
        byte = ((values >> np.uint32(8 * i)) & np.uint32(255)).astype(np.int64)
        found ^= table[behind - (i << 8) + byte]
    stored = piece.words("<u4", events.start + events.length)
    fits: Flags = _mask(found) == stored
    return fits


def _fits(piece: _Piece, events: _Steps, form: Form) -> Flags:
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
    return fits
