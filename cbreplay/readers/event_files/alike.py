"""Files that begin like another one: they need no walk, and no look for forms.

The trainings of an experiment log the same tags at the same steps. So their files are
equal but for wall times, values and checksums, and that is seen in one comparison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.readers.event_files.forms import FoundForms
from cbreplay.readers.event_files.frames import numbers_at
from cbreplay.readers.event_files.record_bytes import FRAME_SIZE, HEAD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbreplay.readers.event_files.frames import Flags, Ints, RecordBlock

__all__ = ["begins_alike", "remember"]

_MOST_KEPT = 4
# with more records than one in so many to be read one by one, it is not worth it
_FEW = 10


class _Beginning(NamedTuple):
    """The first block of a file.

    Parameters
    ----------
    content : uint8 array
        Its bytes.
    fixed : uint8 array
        The bits of them that another file must share.
    bounds : Ints
        Where each record begins, and where the last one ends.
    found : FoundForms
        The form of each record.
    """

    content: NDArray[np.uint8]
    fixed: NDArray[np.uint8]
    bounds: Ints
    found: FoundForms


# by the head of the second record: the first one holds the version of all files
_KEPT: dict[bytes, _Beginning] = {}


def begins_alike(content: bytes) -> tuple[Ints, FoundForms] | None:
    """Return the bounds and forms of the records with which another file began too."""
    kept = _KEPT.get(_second_head(content))
    if kept is None:
        return None
    n_bytes = min(len(content), len(kept.content))
    differs = np.frombuffer(content, np.uint8, n_bytes) ^ kept.content[:n_bytes]
    differs &= kept.fixed[:n_bytes]
    n_alike = int((differs != 0).argmax()) if differs.any() else n_bytes
    n_records = int(kept.bounds.searchsorted(n_alike, side="right")) - 1
    if n_records < 1:
        return None
    found = kept.found
    first = [column[:n_records] for column in found[1:]]
    return kept.bounds[: n_records + 1], FoundForms(found.forms, *first)


def remember(block: RecordBlock, found: FoundForms) -> None:
    """Keep the first block of a file, if nearly all of its records are scalars."""
    scalar = np.array([form is not None and form.scalar for form in found.forms])
    cut = scalar.take(found.numbers)
    if block.changed.any() or _FEW * np.count_nonzero(~cut) > len(block):
        return
    content = np.frombuffer(block.content, np.uint8, int(block.ends[-1]))
    if len(_KEPT) >= _MOST_KEPT:
        _KEPT.clear()
    _KEPT[_second_head(block.content)] = _Beginning(
        content,
        _fixed_bits(block, found, cut),
        np.append(block.positions, block.ends[-1]),
        found._replace(numbers=found.numbers * cut),
    )


def _fixed_bits(block: RecordBlock, found: FoundForms, cut: Flags) -> NDArray[np.uint8]:
    """Return the bits that do not vary: all but wall times, values and checksums.

    Of a record that is read one by one only the head is looked at.
    """
    fixed = np.full(int(block.ends[-1]), 0xFF, dtype=np.uint8)
    numbers_at(fixed, "<u8")[block.starts[cut] + 1] = 0
    numbers_at(fixed, "<u4")[found.holes[cut]] = 0
    numbers_at(fixed, "<u4")[block.payload_ends] = 0
    for row in (~cut).nonzero()[0].tolist():
        fixed[block.starts[row] : block.ends[row]] = 0
    return fixed


def _second_head(content: bytes) -> bytes:
    second = FRAME_SIZE + int.from_bytes(content[:8], "little")
    return content[second : second + HEAD.size]
