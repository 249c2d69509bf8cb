"""The scalars of an event file as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbreplay.readers.base import Damage
    from cbreplay.readers.event_files.events import Event, Scalar
    from cbreplay.readers.event_files.frames import Ints

__all__ = ["EventTable", "ScalarColumns", "TableBuilder"]


@dataclass(slots=True, eq=False, repr=False)
class EventTable:
    """Every scalar of an event file, in its order.

    Parameters
    ----------
    tags, other_tags : list of str
        The tags of scalars, and of summaries that hold none, in the order of the
        file.
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


class ScalarColumns(NamedTuple):
    """Scalars that were read together."""

    tag: NDArray[np.int32]
    steps: Ints
    wall_times: NDArray[np.float64]
    values: NDArray[np.float64]
    offsets: Ints


class TableBuilder:
    """Collects the scalars of a file, in any order."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._others: dict[str, int] = {}
        self._columns: list[ScalarColumns] = []
        self._scalars: list[Scalar] = []
        self._offsets: list[int] = []

    def number(self, tag: str) -> int:
        """Return the number of a tag; a new one gets the next."""
        return self.numbers.setdefault(tag, len(self.numbers))

    def add_event(self, event: Event, offset: int) -> None:
        """Take what an event holds that was read by itself."""
        for tag in event.other_tags:
            self.note_other(tag, offset)
        self._scalars += event.scalars
        self._offsets += [offset] * len(event.scalars)

    def note_other(self, tag: str, offset: int) -> None:
        """Remember a tag that holds no scalar, and where it was met first."""
        self._others[tag] = min(offset, self._others.get(tag, offset))

    def add(self, columns: ScalarColumns) -> None:
        """Take scalars that were read together."""
        self._columns.append(columns)

    def settle(self) -> None:
        """Put what was read one by one between what was read together."""
        if not self._scalars:
            return
        tags, steps, wall_times, values = zip(*self._scalars, strict=True)
        one_by_one = ScalarColumns(
            np.array([self.number(tag) for tag in tags], dtype=np.int32),
            np.array(steps, dtype=np.int64),
            np.array(wall_times),
            np.array(values, dtype=np.float64),
            np.array(self._offsets, dtype=np.int64),
        )
        self._columns.append(one_by_one)
        self._scalars, self._offsets = [], []

    def build(self, damage: Damage) -> EventTable:
        """Return all scalars in the order of the file."""
        self.settle()
        columns = [np.concatenate(one) for one in zip(*self._columns, strict=True)]
        self._columns = []
        if not columns:
            columns = [
                *ScalarColumns(
                    *(np.zeros(0, t) for t in ("i4", "i8", "f8", "f8", "i8"))
                )
            ]
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
        names = list(self.numbers)
        first = np.full(len(names), len(tag))
        first[tag[::-1]] = np.arange(len(tag) - 1, -1, -1)
        if (first[1:] > first[:-1]).all() and (first < len(tag)).all():
            return names, tag
        order = np.argsort(first, kind="stable")
        order = order[first[order] < len(tag)]
        new = np.zeros(len(names), dtype=np.int32)
        new[order] = np.arange(len(order))
        return [names[i] for i in order], new[tag]
