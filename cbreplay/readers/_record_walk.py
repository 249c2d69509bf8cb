"""Where the records of a piece of an event file lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cbreplay.readers._record_io import FRAME_SIZE, HEAD, masked_checksum

if TYPE_CHECKING:
    from cbreplay.readers._event_patterns import Block, Pattern, Patterns

__all__ = ["PADDING", "Ints", "Piece", "RecordHeads", "RecordWalk"]

Ints: TypeAlias = NDArray[np.int64]

PADDING = bytes(160)
# after so many records that repeat no known pattern a new one is looked for
_LEAST_ALONE, _MOST_ALONE = 64, 256
_MOST_HEADS, _MOST_LEARNED = 65_536, 256


class Piece:
    """Some bytes of a file, as bytes and as overlapping words.

    Parameters
    ----------
    content : bytes
        The bytes, and others behind, so that a word may begin in the last record.
    start : int
        Where they lie in the file.
    """

    def __init__(self, content: bytes, start: int) -> None:
        self.content, self.start = content, start
        self.n_bytes = len(content) - len(PADDING)
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


class RecordWalk(NamedTuple):
    """What a walk through a piece found.

    Parameters
    ----------
    rows : list of (Pattern, Block)
        What records held that repeated a pattern.
    positions, sizes : Ints
        Where the other whole records lie.
    end : int
        Where the first record begins that is not whole, or left for the next piece.
    """

    rows: list[tuple[Pattern, Block]]
    positions: Ints
    sizes: Ints
    end: int


class RecordHeads:
    """Walks from record to record, and over those that repeat a pattern at once.

    A head that was seen before, length and checksum, needs no check.

    Parameters
    ----------
    patterns : Patterns
        Those that are known; takes new ones.
    """

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns
        self._sizes: dict[bytes, int] = {}
        self._n_learned = 0

    def walk(self, piece: Piece, ended: bool) -> RecordWalk:
        """Walk through a piece; unless it ended, a broken row is left for the next."""
        content, n_bytes, known = piece.content, piece.n_bytes, self._sizes
        patterns = self._patterns
        rows: list[tuple[Pattern, Block]] = []
        left: list[Ints] = []
        alone: list[int] = []
        position, wanted = 0, _LEAST_ALONE
        while True:
            head = content[position : position + HEAD.size]
            found = patterns.read(piece, position, head) if head in patterns else None
            if found is not None:
                pattern, block = found
                left += [np.array(alone, dtype=np.int64), block.left]
                alone, wanted = [], _LEAST_ALONE
                rows.append(found)
                position = block.end
                if not ended and n_bytes - position < pattern.n_bytes:
                    break
                continue
            size = known.get(head) or self._size(head)
            if not size or position + size > n_bytes:
                break
            alone.append(position)
            position += size
            if len(alone) == wanted and self._n_learned < _MOST_LEARNED:
                self._n_learned += 1
                patterns.learn(piece, alone[-_MOST_ALONE:], position)
                wanted += min(wanted, _MOST_ALONE)
        left.append(np.array(alone, dtype=np.int64))
        positions = np.concatenate(left)
        sizes = piece.words("<u8", positions).astype(np.int64) + FRAME_SIZE
        return RecordWalk(rows, positions, sizes, position)

    def _size(self, head: bytes) -> int:
        """Return the size of a record; 0 if the checksum of its length is wrong."""
        length, checksum = HEAD.unpack(head)
        if masked_checksum(head[:8]) != checksum:
            return 0
        size: int = length + FRAME_SIZE
        if len(self._sizes) < _MOST_HEADS:
            self._sizes[head] = size
        return size
