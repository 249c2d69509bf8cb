"""From the scalars of event files to points: what was logged at each step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.rows import spread
from cbreplay.readers.sizes import check_cells, check_columns, check_trainings
from cbreplay.run import Series

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from cbreplay.readers.event_files.scalar_table import EventTable, ScalarColumns

__all__ = ["LoggedPoints", "cut_points", "merge_points", "number_values"]


@dataclass(slots=True, eq=False, repr=False)
class LoggedPoints:
    """What one writer logged, step after step, with steps that only go up.

    Parameters
    ----------
    steps : int array
        The steps.
    columns : dict of str to Series
        The values, each as long as `steps`; the last of several at a step stands.
    wall_times : array
        When the first value of each step was written.
    written : dict of str to float
        When the last value of each series was written.
    file : str
        The name of the file.
    resumed : bool
        Whether its writer marked that a training goes on here.
    """

    steps: NDArray[np.int64]
    columns: dict[str, Series]
    wall_times: NDArray[np.float64]
    written: dict[str, float]
    file: str
    resumed: bool = False

    def at(self, kept: NDArray[np.bool_]) -> LoggedPoints:
        """Return the points at some of the steps."""
        columns = {name: series.take(kept) for name, series in self.columns.items()}
        steps, times = self.steps[kept], self.wall_times[kept]
        return replace(self, steps=steps, columns=columns, wall_times=times)

    def without(self, names: Collection[str]) -> LoggedPoints:
        """Return the points without some series."""
        kept = {n: series for n, series in self.columns.items() if n not in names}
        return replace(self, columns=kept)

    def recorded(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Tell at which steps any of some series has a value."""
        held = np.zeros(len(self.steps), dtype=np.bool_)
        for name in names:
            if name in self.columns:
                held |= self.columns[name].recorded
        return held


def number_values(table: EventTable) -> EventTable:
    """Take each value of a tag as that of the next step, whatever step it stands at."""
    tag = table.scalars.tag
    order = np.argsort(tag, kind="stable")
    begins = np.searchsorted(tag[order], np.arange(len(table.tags)))
    steps = np.empty(len(tag), dtype=np.int64)
    steps[order] = np.arange(len(tag)) - begins[tag[order]]
    return table.at_steps(steps)


def cut_points(
    table: EventTable, names: Sequence[str | None], file: str, most: int
) -> tuple[list[LoggedPoints], list[str]]:
    """Put scalars to points, and cut where a series goes back to an earlier step.

    Tools write their series out of step with each other, or one after the other.

    Parameters
    ----------
    table : EventTable
        The file.
    names : sequence of str or None
        The series that each of its tags is; None for none.
    file : str
        The name of the file.
    most : int
        How much of it is read, in bytes.

    Returns
    -------
    pieces : list of LoggedPoints
        The points, piece by piece.
    crowded : list of str
        The series with more than two values at most steps, as those of batches: they
        are in no piece.

    Raises
    ------
    LogError
        If it holds too many series, or goes back too often.
    """
    held = list(dict.fromkeys(name for name in names if name is not None))
    check_columns(len(held), file, most)
    scalars = _wanted(table.scalars, names, held)
    if not len(scalars.steps):
        return [], []
    cuts = _steps_back(scalars)
    check_trainings(len(cuts), file, most)
    pieces: list[LoggedPoints] = []
    crowded: dict[str, None] = {}
    for begin, end in pairwise([*cuts, len(scalars.steps)]):
        own = scalars.take(slice(begin, end))
        piece, left_out = _lay_out(own, held, file, most)
        pieces += [piece] if piece.columns else []
        crowded.update(dict.fromkeys(left_out))
    return _rejoined(pieces, most), list(crowded)


def _wanted(
    scalars: ScalarColumns, names: Sequence[str | None], held: Sequence[str]
) -> ScalarColumns:
    """Take the scalars of the tags that are series, numbered as these."""
    place = {name: number for number, name in enumerate(held)}
    by_tag = [-1 if name is None else place[name] for name in names]
    numbers = np.array([*by_tag, -1], dtype=np.int32)[scalars.tag]
    kept = (numbers >= 0) & (scalars.steps >= 0)
    wanted = scalars._replace(tag=numbers)
    return wanted if kept.all() else wanted.take(kept)


def _steps_back(scalars: ScalarColumns) -> list[int]:
    """Return where the first piece begins, and each at which a series steps back."""
    if (scalars.steps[1:] >= scalars.steps[:-1]).all():
        return [0]
    order = np.argsort(scalars.tag, kind="stable")
    same = np.diff(scalars.tag[order]) == 0
    back = np.flatnonzero(same & (np.diff(scalars.steps[order]) < 0))
    pairs = sorted(zip(order[back + 1].tolist(), order[back].tolist(), strict=True))
    cuts = [0]
    for position, before in pairs:
        if before >= cuts[-1]:
            cuts.append(position)
    return cuts


def _lay_out(
    scalars: ScalarColumns, names: Sequence[str], file: str, most: int
) -> tuple[LoggedPoints, list[str]]:
    """Lay scalars out by step, but for series that are too crowded."""
    steps = _distinct(scalars.steps)
    held = np.bincount(scalars.tag).nonzero()[0]
    own = [names[number] for number in held.tolist()]
    n_missing = len(held) * len(steps) - len(scalars.steps)
    what = f"its {len(held):,} series stand at {len(steps):,} steps between them"
    check_cells(n_missing, file, most, what)
    row, place = (
        np.searchsorted(held, scalars.tag),
        np.searchsorted(steps, scalars.steps),
    )
    cells = np.bincount(row * len(steps) + place, minlength=len(held) * len(steps))
    n_values = cells.reshape(len(held), len(steps))
    # of what is written to one place twice, the last stands
    values = np.full(n_values.shape, np.nan)
    values[row, place] = scalars.values
    times, written = np.empty(len(steps)), np.empty(len(held))
    times[place[::-1]] = scalars.wall_times[::-1]
    written[row] = scalars.wall_times
    n_steps, n_crowded = (np.count_nonzero(n_values > n, axis=1) for n in (0, _TWO))
    crowded = 2 * n_crowded > n_steps
    others = _others(scalars.values, row, place, (n_values > 1) & ~crowded[:, None])
    columns = {
        own[i]: Series(values[i], n_values[i] > 0, others.get(i, {}))
        for i in (~crowded).nonzero()[0].tolist()
    }
    last = dict(zip(own, written.tolist(), strict=True))
    points = LoggedPoints(steps, columns, times, last, file)
    left_out = [own[i] for i in crowded.nonzero()[0].tolist()]
    return points.at(points.recorded(list(columns))) if left_out else points, left_out


def _others(
    values: NDArray[np.float64],
    row: NDArray[np.int64],
    place: NDArray[np.int64],
    several: NDArray[np.bool_],
) -> dict[int, dict[int, tuple[float, ...]]]:
    """Return by row and place what was written where several values were, but the last.

    Nothing where all of them are alike.
    """
    if not several.any():
        return {}
    logged: dict[tuple[int, int], list[float]] = {}
    at = several[row, place]
    cells = zip(row[at].tolist(), place[at].tolist(), strict=True)
    for cell, value in zip(cells, values[at].tolist(), strict=True):
        logged.setdefault(cell, []).append(value)
    found: dict[int, dict[int, tuple[float, ...]]] = {}
    for (i, position), (*earlier, last) in sorted(logged.items()):
        # written, a NaN is like another
        if any(repr(value) != repr(last) for value in earlier):
            found.setdefault(i, {})[position] = tuple(earlier)
    return found


_TWO = 2


def _rejoined(pieces: list[LoggedPoints], most: int) -> list[LoggedPoints]:
    """Join neighbours in a file whose series differ: dumped one after the other."""
    joined: list[LoggedPoints] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.columns.keys().isdisjoint(piece.columns)
            and piece.steps[0] <= last.steps[-1]
        ):
            joined[-1] = merge_points([last, piece], most)
        else:
            joined.append(piece)
    return joined


def merge_points(pieces: Sequence[LoggedPoints], most: int) -> LoggedPoints:
    """Put points of one training side by side, by step; a later value stands.

    Raises
    ------
    LogError
        If most of them would be missing.
    """
    if len(pieces) == 1:
        return pieces[0]
    first = pieces[0]
    steps = first.steps
    if not all(np.array_equal(steps, piece.steps) for piece in pieces[1:]):
        steps = _distinct(np.concatenate([piece.steps for piece in pieces]))
        wanted = sum(len(piece.columns) for piece in pieces) * len(steps)
        held = sum(len(piece.columns) * len(piece.steps) for piece in pieces)
        what = "its writers log different series at different steps"
        check_cells(wanted - held, first.file, most, what)
    columns: dict[str, Series] = {}
    written: dict[str, float] = {}
    times = np.full(len(steps), np.nan)
    for piece in pieces:
        at = np.searchsorted(steps, piece.steps)
        for name, own in piece.columns.items():
            series, there = spread(own, at, len(steps)), columns.get(name)
            columns[name] = series if there is None else _over(there, series)
            written[name] = max(piece.written[name], written.get(name, -np.inf))
        times[at] = np.where(np.isnan(times[at]), piece.wall_times, times[at])
    return replace(
        first, steps=steps, columns=columns, wall_times=times, written=written
    )


def _distinct(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each step once; np.unique imports numpy.ma, which takes long."""
    ordered = np.sort(steps)
    found: NDArray[np.int64] = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    return found


def _over(earlier: Series, later: Series) -> Series:
    """Take the later values where there are any; other earlier ones stand beside."""
    values = np.where(later.recorded, later.values, earlier.values)
    others = {**earlier.others, **later.others}
    for position in np.flatnonzero(earlier.recorded & later.recorded).tolist():
        before, now = float(earlier.values[position]), float(later.values[position])
        if repr(before) != repr(now):
            held = (*earlier.others.get(position, ()), before)
            others[position] = (*held, *later.others.get(position, ()))
    return Series(values, earlier.recorded | later.recorded, others)
