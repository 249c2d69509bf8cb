"""Where the records of a piece of an event file lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cbreplay.readers.event_files.record_bytes import FRAME_SIZE, HEAD, masked_checksum

if TYPE_CHECKING:
    from cbreplay.readers.event_files.patterns import Patterns
    from cbreplay.readers.event_files.rows import Block, Pattern

__all__ = ["PADDING", "Ints", "Piece", "RecordHeads", "RecordWalk"]

Ints: TypeAlias = NDArray[np.int64]

PADDING = bytes(160)
_LEAST_PLAIN_STEPS, _MOST_PLAIN_STEPS = 64, 256
_MOST_PERIOD = 128
_FIRST_GUESS = 1_024
_MOST_HEADS = 65_536
# a pattern is worth looking for where it repeats for so many bytes
_WORTH, _LONGEST_REST = 16_384, 1_024


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
    """Walks from record to record, and over many at once where they repeat themselves.

    Logs repeat themselves, epoch for epoch: rows of a known pattern are read at once.
    Else the heads that follow, length and checksum, are guessed from those before and
    compared all together. A head that was seen before needs no check.

    Parameters
    ----------
    patterns : Patterns
        Those that are known; takes new ones.
    """

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns
        self._sizes: dict[bytes, int] = {}
        self._rest, self._longest_rest = 0, 1

    def walk(self, piece: Piece, *, ended: bool) -> RecordWalk:
        """Walk through a piece; unless it ended, a broken row is left for the next."""
        rows: list[tuple[Pattern, Block]] = []
        left: list[Ints] = []
        position, more, n_steps = 0, True, _LEAST_PLAIN_STEPS
        while more:
            found = self._rows_at(piece, position)
            if found is not None:
                rows.append(found)
                pattern, block = found
                left.append(block.left)
                position, n_steps = block.end, _LEAST_PLAIN_STEPS
                more = ended or piece.n_bytes - position >= pattern.n_bytes
                continue
            plain, position, more = self._plain_steps(piece, position, n_steps)
            left.append(np.array(plain, dtype=np.int64))
            if len(plain) < n_steps or self._learns(piece, plain, position):
                continue
            n_steps = min(2 * n_steps, _MOST_PLAIN_STEPS)
            guessed, end = _guess(piece, plain, position)
            left += guessed
            if end > position:
                position, n_steps = end, _LEAST_PLAIN_STEPS
        positions = np.concatenate(left)
        sizes = piece.words("<u8", positions).astype(np.int64) + FRAME_SIZE
        return RecordWalk(rows, positions, sizes, position)

    def _rows_at(self, piece: Piece, position: int) -> tuple[Pattern, Block] | None:
        """Read the rows of a known pattern that begin there."""
        pattern = None if self._rest else self._patterns.at(piece.content, position)
        if pattern is None:
            return None
        block = self._patterns.read(pattern, piece, position)
        if block is None:
            self._let_rest()
            return None
        if block.end - position > _WORTH:
            self._longest_rest = 1
        return pattern, block

    def _learns(self, piece: Piece, plain: list[int], position: int) -> bool:
        """Learn a pattern from some records, if it is worth to look for one."""
        if self._rest:
            self._rest -= 1
            return False
        if self._patterns.learn(piece, plain, position):
            return True
        self._let_rest()
        return False

    def _let_rest(self) -> None:
        """Look for patterns ever more seldom where the log has none."""
        self._rest = self._longest_rest
        self._longest_rest = min(2 * self._longest_rest, _LONGEST_REST)

    def _plain_steps(
        self, piece: Piece, position: int, n_steps: int
    ) -> tuple[list[int], int, bool]:
        """Walk some records, or up to one that may begin a row of a pattern.

        The last is False where no whole record follows.
        """
        content, n_bytes, known = piece.content, piece.n_bytes, self._sizes
        heads = () if self._rest else self._patterns.by_head
        positions: list[int] = []
        for _ in range(n_steps):
            head = content[position : position + 12]
            if positions and head in heads and self._patterns.at(content, position):
                break
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
        size: int = length + FRAME_SIZE
        if len(self._sizes) < _MOST_HEADS:
            self._sizes[head] = size
        return size


def _guess(piece: Piece, plain: list[int], position: int) -> tuple[list[Ints], int]:
    """Return where records lie whose heads repeat those before, and where they end."""
    found: list[Ints] = []
    ends = [*plain[1:], position]
    period = _period([end - begin for begin, end in zip(plain, ends, strict=True)])
    if not period:
        return found, position
    starts = np.array(plain[-period:])
    total = position - plain[-period]
    heads = [
        piece.words(kind, at) for kind, at in (("<u8", starts), ("<u4", starts + 8))
    ]
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
