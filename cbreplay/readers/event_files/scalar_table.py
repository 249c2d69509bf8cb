"""The scalars of an event file as columns."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.readers.base import Damage, ReadOptions
from cbreplay.readers.sizes import check_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cbreplay.errors import LogError
    from cbreplay.readers.event_files.events import Event
    from cbreplay.readers.event_files.records import Flags, Ints

__all__ = [
    "EventTable",
    "Restart",
    "ScalarColumns",
    "TableBuilder",
    "equal_rows",
    "first_rows",
]


# damage is kept in the table: its reader decides whether it is an error
_KEEPING = ReadOptions(errors="skip")


class ScalarColumns(NamedTuple):
    """Scalars as they were written, each with the number of its tag or series.

    A float32 is the same float64. An offset is the byte at which a record begins.
    """

    tag: NDArray[np.int32]
    steps: Ints
    wall_times: NDArray[np.float64]
    values: NDArray[np.float64]
    offsets: Ints

    def take(self, kept: slice | Flags | Ints) -> ScalarColumns:
        """Return some of the scalars."""
        return ScalarColumns._make(column[kept] for column in self)

    def by_tag(self) -> list[tuple[int, Ints]]:
        """Return the positions of the scalars of each number, number by number."""
        return equal_rows(self.tag)


class Restart(NamedTuple):
    """A writer's mark that a training goes on from a step.

    What was written before, from that step on, is to be dropped.
    """

    step: int
    offset: int


class EventTable(NamedTuple):
    """Every scalar of an event file, or of a part of one, in its order.

    Parameters
    ----------
    path : str
        The file.
    tags, other_tags : list of str
        The tags of scalars, and of summaries that hold none, in the order of the
        file.
    scalars : ScalarColumns
        The scalars, each with the position of its tag in `tags`.
    restarts : list of Restart
        The marks in the file, in its order.
    damage : Damage
        What was left out, in the order of the file.
    unfinished : LogError or None
        How the file ends inside a record, if it does: a writer may still be open.
    resumed : bool
        Whether its writer marked that a training goes on where this part begins.
    """

    path: str
    tags: list[str]
    other_tags: list[str]
    scalars: ScalarColumns
    restarts: list[Restart]
    damage: Damage
    unfinished: LogError | None
    resumed: bool = False

    def counts(self) -> dict[str, int]:
        """Return how many values each tag has."""
        n_values = np.bincount(self.scalars.tag, minlength=len(self.tags))
        return dict(zip(self.tags, n_values.tolist(), strict=True))

    def only(self, kept: slice | Flags) -> EventTable:
        """Return the same with some of the scalars."""
        return self._replace(scalars=self.scalars.take(kept))

    def at_steps(self, steps: Ints) -> EventTable:
        """Return the same with other steps."""
        return self._replace(scalars=self.scalars._replace(steps=steps))


class TableBuilder:
    """Collects the scalars of a file, in any order, and its damage.

    Every tag takes a share of the limit of `most` bytes, if there is one.
    """

    def __init__(self, path: str, most: int | None = None) -> None:
        self._path, self._most, self.damage = path, most, Damage(_KEEPING)
        self.unfinished: LogError | None = None
        self._numbers: dict[str, int] = {}
        self._others: dict[str, int] = {}
        self._restarts: list[Restart] = []
        self._columns: list[ScalarColumns] = []
        self._rows: list[tuple[int, int, float, float, int]] = []

    def number(self, tag: str) -> int:
        """Return the number of a tag; a new one gets the next."""
        return self._numbers.setdefault(tag, len(self._numbers))

    def add_event(self, event: Event, offset: int) -> None:
        """Add the scalars of an event that was read by itself."""
        if event.restarts:
            self._restarts.append(Restart(event.step, offset))
        for tag, number, *_ in event.values:
            if number is None:
                self.note_other(tag, offset)
            else:
                row = self.number(tag), event.step, event.wall_time, number, offset
                self._rows.append(row)

    def note_other(self, tag: str, offset: int) -> None:
        """Remember a tag that holds no scalar, and where it was met first."""
        self._others[tag] = min(offset, self._others.get(tag, offset))

    def add(self, columns: ScalarColumns) -> None:
        """Add scalars that were read together, as columns."""
        self._columns.append(columns)

    def settle(self) -> None:
        """Add the scalars that were read one by one as columns.

        It is an error if there are more tags than a log has.
        """
        if self._rows:
            columns = zip(*self._rows, strict=True)
            self.add(ScalarColumns._make(map(np.array, columns, _TYPES)))
            self._rows = []
        if self._most is not None:
            check_columns(len(self._numbers), self._path, self._most)

    def build(self) -> EventTable:
        """Return all scalars in the order of the file."""
        self.settle()
        scalars, *more = self._columns or [_NOTHING]
        if more:
            columns = zip(scalars, *more, strict=True)
            scalars = ScalarColumns._make(map(np.concatenate, columns))
        self._columns = []
        offsets = scalars.offsets
        if (offsets[1:] < offsets[:-1]).any():
            scalars = scalars.take(np.argsort(offsets, kind="stable"))
        names = list(self._numbers)
        sighted = sorted(first_rows(scalars.tag), key=lambda found: found[1])
        order = [number for number, _ in sighted]
        new = np.zeros(len(names), dtype=np.int32)
        new[order] = np.arange(len(order))
        return EventTable(
            path=self._path,
            tags=[names[number] for number in order],
            other_tags=sorted(self._others, key=self._others.__getitem__),
            scalars=scalars._replace(tag=new[scalars.tag]),
            restarts=self._restarts,
            damage=self.damage,
            unfinished=self.unfinished,
        )


_TYPES = "i4", "i8", "f8", "f8", "i8"
_NOTHING = ScalarColumns._make(np.zeros(0, kind) for kind in _TYPES)


def equal_rows(numbers: NDArray[np.integer[Any]]) -> list[tuple[int, Ints]]:
    """Return each number that occurs, and the rows that have it, number by number.

    One look at all rows for each would take minutes where all are different.
    """
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    differs = ordered[1:] != ordered[:-1]
    begins = np.flatnonzero(np.append(len(order) > 0, differs)).tolist()
    ends = pairwise([*begins, len(order)])
    return [(int(ordered[begin]), order[begin:end]) for begin, end in ends]


def first_rows(numbers: NDArray[np.integer[Any]]) -> Iterator[tuple[int, int]]:
    """Yield each number that occurs, and the first row that has it."""
    # np.unique imports numpy.ma, which takes longer than a small log
    first = np.full(int(numbers.max(initial=-1)) + 1, -1)
    first[numbers[::-1]] = np.arange(len(numbers))[::-1]
    for number in (first >= 0).nonzero()[0].tolist():
        yield number, int(first[number])
