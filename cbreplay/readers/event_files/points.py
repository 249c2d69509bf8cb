"""From the scalars of event files to points: what was logged at each step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.run import Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbreplay.readers.event_files.scalar_table import EventTable

__all__ = [
    "Points",
    "cut_by_point",
    "cut_by_series",
    "join_writers",
    "merge_points",
    "pair_points",
]


@dataclass(slots=True, eq=False, repr=False)
class Points:
    """What one writer logged, step after step, with steps that only go up.

    Parameters
    ----------
    steps : int array
        The steps.
    columns : dict of str to Series
        The values, each as long as `steps`.
    wall_times : array
        When the first value of each step was written.
    file : str
        The name of the file.
    """

    steps: NDArray[np.int64]
    columns: dict[str, Series]
    wall_times: NDArray[np.float64]
    file: str

    def at(self, kept: NDArray[np.bool_]) -> Points:
        """Return the points at some of the steps."""
        columns = {
            name: Series(one.values[kept], one.recorded[kept])
            for name, one in self.columns.items()
        }
        steps, times = self.steps[kept], self.wall_times[kept]
        return replace(self, steps=steps, columns=columns, wall_times=times)

    def overlaps(self, other: Points) -> bool:
        """Tell whether the two were written at the same time."""
        begins = max(self.wall_times[0], other.wall_times[0])
        return bool(begins <= min(self.wall_times[-1], other.wall_times[-1]))


class _Scalars(NamedTuple):
    """The wanted scalars of a file: which series, at which step."""

    names: list[str]
    number: NDArray[np.int64]
    steps: NDArray[np.int64]
    wall_times: NDArray[np.float64]
    values: NDArray[np.float64]

    def part(self, begin: int, end: int) -> _Scalars:
        return self.only(slice(begin, end))

    def only(self, kept: slice | NDArray[np.bool_]) -> _Scalars:
        return _Scalars(
            self.names,
            self.number[kept],
            self.steps[kept],
            self.wall_times[kept],
            self.values[kept],
        )


def _wanted(table: EventTable, names: Sequence[str | None]) -> _Scalars:
    """Take the scalars of the tags that are series."""
    held = list(dict.fromkeys(name for name in names if name is not None))
    place = {name: number for number, name in enumerate(held)}
    by_tag = np.array([-1 if name is None else place[name] for name in names] or [-1])
    every = _Scalars(
        held, by_tag[table.tag], table.steps, table.wall_times, table.values
    )
    kept = (every.number >= 0) & (every.steps >= 0)
    return every if kept.all() else every.only(kept)


def cut_by_point(
    table: EventTable, names: Sequence[str | None], file: str
) -> list[Points]:
    """Put the scalars of a Keras log to points, and cut where epochs do not go up.

    A step, or a series that was already written, begins a point; so an epoch written
    twice is two.

    Parameters
    ----------
    table : EventTable
        The file.
    names : sequence of str or None
        The series that each of its tags is; None for none.
    file : str
        The name of the file.
    """
    scalars = _wanted(table, names)
    if not len(scalars.steps):
        return []
    if _is_grid(scalars):
        return [_grid(scalars, file)]
    place = _places(scalars.steps, scalars.number, len(scalars.names))
    first = np.flatnonzero(np.diff(place, prepend=-1))
    steps = scalars.steps[first]
    starts = first[np.flatnonzero(np.diff(steps, prepend=steps[0]) <= 0)]
    ends = [*starts[1:].tolist(), len(place)]
    pieces = [
        _points(scalars.part(begin, end), file)
        for begin, end in zip(starts.tolist(), ends, strict=True)
    ]
    return _rejoined(pieces)


def cut_by_series(
    table: EventTable, names: Sequence[str | None], file: str
) -> list[Points]:
    """Put the scalars of another tool's log to points; cut where a series goes back.

    Other tools write their series out of step with each other, and one twice at a
    step, where the later value stands.

    Parameters
    ----------
    table, names, file : EventTable, sequence of str or None, str
        As for `cut_by_point`.
    """
    scalars = _wanted(table, names)
    if not len(scalars.steps):
        return []
    order = np.argsort(scalars.number, kind="stable")
    same = np.diff(scalars.number[order]) == 0
    back = np.flatnonzero(same & (np.diff(scalars.steps[order]) < 0))
    pairs = sorted(zip(order[back + 1].tolist(), order[back].tolist(), strict=True))
    cuts = [0]
    for position, before in pairs:
        if before >= cuts[-1]:
            cuts.append(position)
    ends = [*cuts[1:], len(scalars.steps)]
    return _rejoined(
        [
            _points(scalars.part(begin, end), file)
            for begin, end in zip(cuts, ends, strict=True)
        ]
    )


def _points(scalars: _Scalars, file: str) -> Points:
    """Lay scalars out by step; of two values of a series the later stands."""
    if _is_grid(scalars):
        return _grid(scalars, file)
    order = np.argsort(scalars.steps, kind="stable")
    ordered = scalars.steps[order]
    begins = np.diff(ordered, prepend=ordered[0] - 1) != 0
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.cumsum(begins) - 1
    steps, first = ordered[begins], order[begins]
    columns = {}
    for number, name in enumerate(scalars.names):
        at = np.flatnonzero(scalars.number == number)
        if len(at):
            values = np.full(len(steps), np.nan)
            recorded = np.zeros(len(steps), dtype=np.bool_)
            values[place[at]], recorded[place[at]] = scalars.values[at], True
            columns[name] = Series(values, recorded)
    return Points(steps, columns, scalars.wall_times[first], file)


def _is_grid(scalars: _Scalars) -> bool:
    """Tell whether every series has a value at each step, in the same order."""
    n_names = len(scalars.names)
    if len(scalars.steps) % n_names:
        return False
    steps = scalars.steps.reshape(-1, n_names)
    numbers = scalars.number.reshape(-1, n_names)
    return bool(
        (numbers == np.arange(n_names)).all()
        and (steps == steps[:, :1]).all()
        and (steps[1:, 0] > steps[:-1, 0]).all()
    )


def _grid(scalars: _Scalars, file: str) -> Points:
    n_names = len(scalars.names)
    values = np.ascontiguousarray(scalars.values.reshape(-1, n_names).T)
    recorded = np.ones(values.shape[1], dtype=np.bool_)
    columns = {
        name: Series(one, recorded)
        for name, one in zip(scalars.names, values, strict=True)
    }
    steps, times = scalars.steps[::n_names], scalars.wall_times[::n_names]
    return Points(steps.copy(), columns, times.copy(), file)


# a cell is a byte
_MOST_CELLS = 1 << 24


def _places(
    steps: NDArray[np.int64], numbers: NDArray[np.int64], n_names: int
) -> NDArray[np.int64]:
    """Return each scalar's point: another step, or a name again, begins one."""
    place = np.cumsum(np.diff(steps, prepend=steps[0]) != 0)
    n_cells = (int(place[-1]) + 1) * n_names
    if n_cells <= _MOST_CELLS:
        seen = np.zeros(n_cells, dtype=np.bool_)
        seen[place * n_names + numbers] = True
        if np.count_nonzero(seen) == len(place):
            return place
    held: set[int] = set()
    count = last = -1
    found = []
    for step_run, number in zip(place.tolist(), numbers.tolist(), strict=True):
        if step_run != last or number in held:
            count, last = count + 1, step_run
            held.clear()
        held.add(number)
        found.append(count)
    return np.array(found, dtype=np.int64)


def _rejoined(pieces: list[Points]) -> list[Points]:
    """Join neighbours in a file whose series differ: dumped one after the other."""
    joined: list[Points] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.columns.keys().isdisjoint(piece.columns)
            and piece.steps[0] <= last.steps[-1]
        ):
            joined[-1] = merge_points([last, piece])
        else:
            joined.append(piece)
    return joined


def merge_points(pieces: Sequence[Points]) -> Points:
    """Put points of one training side by side, by step; a later value stands."""
    if len(pieces) == 1:
        return pieces[0]
    steps = pieces[0].steps
    same = all(np.array_equal(steps, piece.steps) for piece in pieces[1:])
    names = [name for piece in pieces for name in piece.columns]
    if same and len(set(names)) == len(names):
        columns = {k: one for piece in pieces for k, one in piece.columns.items()}
        return Points(steps, columns, pieces[0].wall_times, pieces[0].file)
    if not same:
        steps = _distinct(np.concatenate([piece.steps for piece in pieces]))
    times = np.full(len(steps), np.nan)
    values: dict[str, NDArray[np.float64]] = {}
    recorded: dict[str, NDArray[np.bool_]] = {}
    for piece in reversed(pieces):
        times[np.searchsorted(steps, piece.steps)] = piece.wall_times
    for piece in pieces:
        at = np.searchsorted(steps, piece.steps)
        for name, one in piece.columns.items():
            filled = values.setdefault(name, np.full(len(steps), np.nan))
            mask = recorded.setdefault(name, np.zeros(len(steps), dtype=np.bool_))
            filled[at[one.recorded]] = one.values[one.recorded]
            mask[at[one.recorded]] = True
    columns = {name: Series(values[name], recorded[name]) for name in values}
    return Points(steps, columns, times, pieces[0].file)


def _distinct(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each step once; np.unique imports numpy.ma, which takes long."""
    ordered = np.sort(steps)
    found: NDArray[np.int64] = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    return found


def join_writers(pieces: Sequence[Points]) -> tuple[list[Points], list[str]]:
    """Join files that were written at the same time and hold different series.

    Returns
    -------
    pieces : list of Points
        In their order, joined where two writers shared a directory.
    notes : list of str
        What was joined, and where the same series were written at the same time.
    """
    found: list[Points] = []
    notes: dict[str, None] = {}
    if len(pieces) > _MOST_COMPARED:
        return list(pieces), []
    for piece in pieces:
        partner = None
        for i, other in enumerate(found):
            if other.file == piece.file or not other.overlaps(piece):
                continue
            if other.columns.keys().isdisjoint(piece.columns):
                partner = i
            else:
                notes[_WORKERS] = None
        if partner is None:
            found.append(piece)
            continue
        joined = found[partner]
        notes[_JOINED.format(joined.file, piece.file)] = None
        found[partner] = merge_points([joined, piece])
    return found, list(notes)


_MOST_COMPARED = 500
_JOINED = (
    "{} and {} were written at the same time and hold different series: "
    "they are one training"
)
_WORKERS = (
    "several files hold the same series and were written at the same time, as by "
    "several workers: each is read as a training of its own"
)


def pair_points(train: list[Points], validation: list[Points]) -> list[Points]:
    """Put the validation points beside the training points of the same fit.

    Each fit writes one piece of each, or of one only. Where their numbers differ, a
    piece of validation belongs to the last fit that had logged before it began.
    """
    if not train:
        return validation
    in_order = len(train) == len(validation)
    groups: list[list[Points]] = [[] for _ in train]
    begins = np.array([fit.wall_times[0] for fit in train])
    for i, piece in enumerate(validation):
        begun = np.flatnonzero(begins <= piece.wall_times[0])
        groups[i if in_order else int(begun.max(initial=0))].append(piece)
    return [
        merge_points([fit, *group]) for fit, group in zip(train, groups, strict=True)
    ]
