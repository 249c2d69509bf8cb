"""From the scalars of event files to points: what was logged at each step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.rows import spread
from cbreplay.readers.event_files.scalar_table import BEHIND_ALL, Scalars, equal_rows
from cbreplay.readers.sizes import check_cells, check_columns, check_trainings
from cbreplay.run import Series

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from cbreplay.run import EpochArray

__all__ = ["LoggedPoints", "at_steps", "cut_points", "merge_points"]


@dataclass(slots=True, eq=False, repr=False)
class LoggedPoints:
    """What one writer logged, step after step, with steps that only go up.

    Parameters
    ----------
    steps : int array
        The steps.
    columns : dict of str to Series
        The values, each as long as `steps`; of several at a step the last one.
    wall_times : array
        When the first value of each step was written.
    written : dict of str to float
        When the last value of each series was written.
    file : str
        The name of the file.
    resumed : bool
        Whether its writer marked that a training goes on here.
    """

    steps: EpochArray
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


def at_steps(pieces: Sequence[LoggedPoints], steps: EpochArray) -> list[LoggedPoints]:
    """Return points at other steps, those of all pieces one after the other."""
    ends = np.cumsum([len(piece.steps) for piece in pieces])
    parts = np.split(steps, ends[:-1])
    return [replace(p, steps=own) for p, own in zip(pieces, parts, strict=True)]


def cut_points(
    scalars: Mapping[str, Scalars], most: int, file: str
) -> tuple[list[LoggedPoints], list[str]]:
    """Turn series into points, and cut where one goes back to an earlier step.

    Tools write their series out of step with each other, or one after the other.
    `file` is what notes call the file, of which `most` bytes are read.

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
    check_columns(len(scalars), file, most)
    cuts = [0]
    for offset, before in _steps_back(scalars):
        if before >= cuts[-1]:
            cuts.append(offset)
    check_trainings(len(cuts), file, most)
    pieces: list[LoggedPoints] = []
    crowded: dict[str, None] = {}
    for begin, end in pairwise([*cuts, BEHIND_ALL]):
        parts = {name: own.between(begin, end) for name, own in scalars.items()}
        held = {name: own for name, own in parts.items() if len(own.steps)}
        if held:
            piece, left_out = _lay_out(held, file, most)
            pieces += [piece] if piece.columns else []
            crowded.update(dict.fromkeys(left_out))
    return _rejoined(pieces, most), list(crowded)


def _steps_back(scalars: Mapping[str, Scalars]) -> list[tuple[int, int]]:
    """Return where a series goes back to an earlier step, and where its last one is."""
    found: list[tuple[int, int]] = []
    for own in scalars.values():
        back = np.flatnonzero(np.diff(own.steps) < 0)
        offsets = own.offsets
        found += zip(offsets[back + 1].tolist(), offsets[back].tolist(), strict=True)
    return sorted(found)


def _lay_out(
    scalars: Mapping[str, Scalars], file: str, most: int
) -> tuple[LoggedPoints, list[str]]:
    """Arrange scalars by step, without series that have too many values for this."""
    whole = Scalars.joined([*scalars.values()])
    steps = _distinct(whole.steps)
    times = np.empty(len(steps))
    # of several times at a step the first stands
    times[steps.searchsorted(whole.steps)[::-1]] = whole.wall_times[::-1]
    columns: dict[str, Series] = {}
    written: dict[str, float] = {}
    crowded: list[str] = []
    n_missing = len(scalars) * len(steps) - len(whole.steps)
    what = f"its {len(scalars):,} series stand at {len(steps):,} steps between them"
    check_cells(n_missing, file, most, what)
    for name, own in scalars.items():
        place = steps.searchsorted(own.steps)
        n_values = np.bincount(place, minlength=len(steps))
        if 2 * np.count_nonzero(n_values > _TWO) > np.count_nonzero(n_values):
            crowded.append(name)
        else:
            columns[name] = _series(own.values, place, n_values)
            written[name] = float(own.wall_times[-1])
    points = LoggedPoints(steps, columns, times, written, file)
    return points.at(points.recorded(list(columns))) if crowded else points, crowded


def _series(
    logged: NDArray[np.float64], place: NDArray[np.int64], n_values: NDArray[np.int64]
) -> Series:
    """Put values at their places; of several at one place the last is used."""
    values, recorded = np.full(len(n_values), np.nan), n_values > 0
    values[place] = logged
    if len(logged) == np.count_nonzero(recorded):
        return Series(values, recorded)
    others: dict[int, tuple[float, ...]] = {}
    again = (n_values > 1)[place].nonzero()[0]
    for position, at in equal_rows(place[again]):
        *earlier, last = logged[again[at]].tolist()
        # all NaN count as equal
        if any(repr(value) != repr(last) for value in earlier):
            others[position] = tuple(earlier)
    return Series(values, recorded, others)


_TWO = 2


def _rejoined(pieces: list[LoggedPoints], most: int) -> list[LoggedPoints]:
    """Join neighbours in a file whose series differ: dumped one after the other."""
    joined = pieces[:1]
    for piece in pieces[1:]:
        last = joined[-1]
        goes_back = piece.steps[0] <= last.steps[-1]
        if goes_back and last.columns.keys().isdisjoint(piece.columns):
            joined[-1] = merge_points([last, piece], most)
        else:
            joined.append(piece)
    return joined


def merge_points(pieces: Sequence[LoggedPoints], most: int) -> LoggedPoints:
    """Join points of one training by step; of several values the latest is used.

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
    """Take the later values where there are any; keep different earlier ones beside."""
    values = np.where(later.recorded, later.values, earlier.values)
    others = {**earlier.others, **later.others}
    for position in np.flatnonzero(earlier.recorded & later.recorded).tolist():
        before, now = float(earlier.values[position]), float(later.values[position])
        if repr(before) != repr(now):
            held = (*earlier.others.get(position, ()), before)
            others[position] = (*held, *later.others.get(position, ()))
    return Series(values, earlier.recorded | later.recorded, others)
