"""The scalars of an event file, tag by tag."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.readers.base import Damage, ReadOptions
from cbreplay.readers.sizes import check_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cbreplay.errors import LogError
    from cbreplay.readers.event_files.events import Event
    from cbreplay.readers.event_files.records import Flags, Ints

__all__ = [
    "BEHIND_ALL",
    "EventTable",
    "Restart",
    "Scalars",
    "TableBuilder",
    "equal_rows",
]


# damage is kept in the table: its reader decides whether it is an error
_KEEPING = ReadOptions(errors="skip")
# an offset behind that of any record
BEHIND_ALL = 2**63 - 1


class Scalars(NamedTuple):
    """The scalars of one tag or series, one at least, in the order of their file.

    A float32 is the same float64. An offset is the byte at which a record begins.
    """

    steps: Ints
    wall_times: NDArray[np.float64]
    values: NDArray[np.float64]
    offsets: Ints

    def take(self, kept: slice | Flags | Ints) -> Scalars:
        """Return some of the scalars."""
        return Scalars._make(column[kept] for column in self)

    def between(self, begin: int, end: int) -> Scalars:
        """Return those whose records begin from one byte on, and before another."""
        if begin <= self.offsets[0] and self.offsets[-1] < end:
            return self
        return self.take(slice(*self.offsets.searchsorted([begin, end]).tolist()))

    def below(self, step: int) -> Scalars:
        """Return those of earlier steps than this one."""
        return self.take(self.steps < step)

    def from_zero(self) -> Scalars:
        """Return those of no negative step."""
        return self if self.steps.min() >= 0 else self.take(self.steps >= 0)

    def numbered(self) -> Scalars:
        """Return them at the steps 0, 1, 2, ..., whatever theirs are."""
        return self._replace(steps=np.arange(len(self.steps)))

    @classmethod
    def joined(cls, parts: Sequence[Scalars]) -> Scalars:
        """Return the scalars of several parts of a file, in its order."""
        if len(parts) == 1:
            return parts[0]
        whole = cls._make(map(np.concatenate, zip(*parts, strict=True)))
        return whole.take(np.argsort(whole.offsets, kind="stable"))


class Restart(NamedTuple):
    """A writer's mark, at a byte, that a training goes on from a step.

    What was written before, from that step on, is to be dropped.
    """

    step: int
    wall_time: float
    offset: int


class EventTable(NamedTuple):
    """Every scalar of an event file, or of a part of one.

    Parameters
    ----------
    path : str
        The file.
    scalars : dict of str to Scalars
        The scalars of each tag, in the order in which the file has the tags.
    other_tags : list of str
        The tags of summaries that hold no scalar, in this order too.
    restarts : list of Restart
        Its writer's marks, in the order of the file.
    damage : Damage
        What was left out, in the order of the file.
    unfinished : LogError or None
        How the file ends inside a record, if it does: a writer may still be open.
    resumed : bool
        Whether its writer marked that a training goes on where this part begins.
    """

    path: str
    scalars: dict[str, Scalars]
    other_tags: list[str]
    restarts: list[Restart]
    damage: Damage
    unfinished: LogError | None
    resumed: bool = False

    @property
    def n_scalars(self) -> int:
        """How many scalars there are."""
        return sum(len(own.steps) for own in self.scalars.values())

    @property
    def last_time(self) -> float:
        """When the last of the scalars was written."""
        times = (float(own.wall_times.max()) for own in self.scalars.values())
        return max(times, default=-np.inf)

    def each(self, change: Callable[..., Scalars], *given: int) -> EventTable:
        """Return the same with what becomes of the scalars of each tag."""
        changed = {tag: change(own, *given) for tag, own in self.scalars.items()}
        held = {tag: own for tag, own in changed.items() if len(own.steps)}
        return self._replace(scalars=held)


class TableBuilder:
    """Collects the scalars of a file, in any order, and its damage.

    Every tag takes a share of the limit of `most` bytes, if there is one.
    """

    def __init__(self, path: str, most: int | None = None) -> None:
        self._path, self._most, self.damage = path, most, Damage(_KEEPING)
        self.unfinished: LogError | None = None
        self._others: dict[str, int] = {}
        self._restarts: list[Restart] = []
        self._parts: dict[str, list[Scalars]] = {}
        self._rows: dict[str, list[tuple[int, float, float, int]]] = {}

    def add(self, tag: str, scalars: Scalars) -> None:
        """Add scalars of a tag that were read together."""
        self._parts.setdefault(tag, []).append(scalars)

    def add_event(self, event: Event, offset: int) -> None:
        """Add the scalars of an event that was read by itself."""
        if event.restarts:
            mark = Restart(event.step, event.wall_time, offset)
            self._restarts.append(mark)
        for tag, number, *_ in event.values:
            if number is None:
                self.note_other(tag, offset)
            else:
                row = event.step, event.wall_time, number, offset
                self._rows.setdefault(tag, []).append(row)

    def note_other(self, tag: str, offset: int) -> None:
        """Remember a tag that holds no scalar, and where it was met first."""
        self._others[tag] = min(offset, self._others.get(tag, offset))

    def settle(self) -> None:
        """Add the scalars that were read one by one as columns.

        It is an error if there are more tags than a log has.
        """
        for tag, rows in self._rows.items():
            own = Scalars._make(map(np.array, zip(*rows, strict=True), _TYPES))
            # tags that one event has first stand in its order: others of their records
            # may have been added before it
            self._parts[tag] = [*self._parts.pop(tag, ()), own]
        self._rows = {}
        if self._most is not None:
            check_columns(len(self._parts), self._path, self._most)

    def build(self) -> EventTable:
        """Return all scalars, tag by tag."""
        self.settle()
        whole = {tag: Scalars.joined(parts) for tag, parts in self._parts.items()}
        return EventTable(
            path=self._path,
            scalars=dict(sorted(whole.items(), key=lambda own: own[1].offsets[0])),
            other_tags=sorted(self._others, key=self._others.__getitem__),
            restarts=self._restarts,
            damage=self.damage,
            unfinished=self.unfinished,
        )


_TYPES = "i8", "f8", "f8", "i8"


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
