"""The forms that the records of event files have, and their checksums, as arrays."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from google_crc32c import value as crc32c
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cbreplay.readers.event_files.events import Form
    from cbreplay.readers.event_files.record_walk import Ints

__all__ = [
    "BEFORE_STEP",
    "EVENT_KEYS",
    "KNOWN",
    "MOST_STEP_BYTES",
    "MOST_SUMMED",
    "SLOT_BITS",
    "UNKNOWN",
    "WORD",
    "FormArrays",
    "Forms",
    "bare_checksums",
    "byte_checksums",
    "mask_checksums",
]

Words: TypeAlias = NDArray[np.uint64]
Flags: TypeAlias = NDArray[np.bool_]
Checksums: TypeAlias = NDArray[np.uint32]

SLOT_BITS = 16
UNKNOWN, _ALWAYS_ALONE = -1, -2
_MOST_FORMS = 4_096
WORD = 8
_POLYNOMIAL = 0x82F63B78
_MOST_REST, MOST_STEP_BYTES, BEFORE_STEP = 128, 5, 10
MOST_SUMMED = BEFORE_STEP + MOST_STEP_BYTES + _MOST_REST
EVENT_KEYS = {0: 0x09, 9: 0x10}


@dataclass(slots=True, eq=False, repr=False)
class Forms:
    """The forms seen so far, by slot, and their bytes as words for comparing.

    Which slot a record has follows from the length and the first bytes of what stands
    behind its step. Two forms may share one: then the second is read one by one.
    """

    slots: NDArray[np.int32] = field(
        default_factory=lambda: np.full(1 << SLOT_BITS, UNKNOWN, dtype=np.int32)
    )
    forms: list[Form] = field(default_factory=list)
    n_learned: int = 0
    _arrays: FormArrays | None = None

    def learn(self, slot: int, form: Form | None) -> None:
        """Remember the form of a slot; None if its records are read one by one."""
        self.n_learned += 1
        if form is None or len(self.forms) >= _MOST_FORMS:
            self.slots[slot] = _ALWAYS_ALONE
            return
        self.slots[slot] = len(self.forms)
        self.forms.append(form)
        self._arrays = None

    def arrays(self) -> FormArrays:
        """Return what is to be known of each form as arrays."""
        if self._arrays is None:
            self._arrays = _form_arrays(self.forms)
        return self._arrays


class _Known(threading.local):
    """The forms that this thread has met: the files of a directory are alike."""

    def __init__(self) -> None:
        self._forms = Forms()

    def forms(self) -> Forms:
        if self._forms.n_learned > _MOST_FORMS // 4:
            self._forms = Forms()
        return self._forms


KNOWN = _Known()


class FormArrays(NamedTuple):
    """What is to be known of each form, for taking by its number.

    Those that are short and hold a scalar are compared all together, word by word.
    """

    short: Flags
    scalar: Flags
    lengths: Ints
    holes: Ints
    checksums: Checksums
    fixed: list[Words]
    expected: list[Words]


def _form_arrays(forms: list[Form]) -> FormArrays:
    lengths = [one.length for one in forms]
    short = [
        one.scalar and length <= _MOST_REST
        for one, length in zip(forms, lengths, strict=True)
    ]
    most = max(
        [length for one, length in zip(short, lengths, strict=True) if one] or [0]
    )
    width = -(-most // WORD) * WORD
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
    return FormArrays(
        np.array(short, dtype=np.bool_),
        np.array([form.scalar for form in forms], dtype=np.bool_),
        np.array(lengths, dtype=np.int64),
        np.array([len(form.prefix) for form in forms], dtype=np.int64),
        np.array(checksums, dtype=np.uint32),
        list(np.ascontiguousarray(fixed.view("<u8").T)),
        list(np.ascontiguousarray(expected.view("<u8").T)),
    )


@cache
def byte_checksums() -> Checksums:
    """Return what a byte adds to a CRC-32C, by how many bytes follow it, times 256.

    The checksum is linear: that of a record is the exclusive or of what each of its
    bytes adds, and of the checksum of as many zeros. Behind `MOST_SUMMED` bytes: 0.
    """
    one: Checksums = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        odd = (one & np.uint32(1)) * np.uint32(_POLYNOMIAL)
        one = (one >> np.uint32(1)) ^ odd
    table = np.zeros((MOST_SUMMED + 1, 256), dtype=np.uint32)
    table[0] = one
    for i in range(1, MOST_SUMMED):
        table[i] = (table[i - 1] >> np.uint32(8)) ^ one[table[i - 1] & np.uint32(255)]
    return table.ravel()


@cache
def bare_checksums() -> Checksums:
    """Return the CRC-32C of an event by its length, if all but its keys were zero."""
    bare = []
    for length in range(MOST_SUMMED + 1):
        content = bytearray(length)
        for position, key in EVENT_KEYS.items():
            if position < length:
                content[position] = key
        bare.append(crc32c(bytes(content)))
    return np.array(bare, dtype=np.uint32)


def mask_checksums(crc: Checksums) -> Checksums:
    """Rotate and shift checksums as TFRecords hold them."""
    rotated = (crc >> np.uint32(15)) | (crc << np.uint32(17))
    masked: Checksums = rotated + np.uint32(0xA282EAD8)
    return masked
