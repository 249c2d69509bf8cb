"""From the scalars of event files to points: what was logged at each step.

These are `Rows`, of which each is a step, with steps that only go up; the time of a row
is that of the first value of its step. They become epochs once it is known which.
"""

from __future__ import annotations

from copy import copy
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.rows import Rows, lay_out
from cbreplay.readers.event_files.scalar_table import BEHIND_ALL, Scalars, equal_rows
from cbreplay.readers.sizes import check_cells, check_columns, check_trainings
from cbreplay.run import Series

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from cbreplay.run import EpochArray

__all__ = [
    "at_steps",
    "cut_points",
    "file_of",
    "holding",
    "merge_points",
    "recorded",
    "without",
]

_FILE = "file "


def file_of(piece: Rows) -> str:
    """Return the name of the file that holds the rows."""
    return piece.place.removeprefix(_FILE)


def holding(piece: Rows, columns: dict[str, Series]) -> Rows:
    """Return the same rows with these series."""
    rows = copy(piece)
    rows.columns = columns
    return rows


def without(piece: Rows, names: Collection[str]) -> Rows:
    """Return the rows without some series."""
    held = piece.columns.items()
    return holding(piece, {name: own for name, own in held if name not in names})


def recorded(piece: Rows, names: Sequence[str]) -> NDArray[np.bool_]:
    """Tell in which rows any of some series has a value."""
    held = np.zeros(len(piece.epochs), dtype=np.bool_)
    for name in names:
        if name in piece.columns:
            held |= piece.columns[name].recorded
    return held


def at_steps(pieces: Sequence[Rows], steps: EpochArray) -> list[Rows]:
    """Return points at other steps, those of all pieces one after the other."""
    ends = np.cumsum([len(piece.epochs) for piece in pieces])
    moved = [*map(copy, pieces)]
    for piece, own in zip(moved, np.split(steps, ends[:-1]), strict=True):
        piece.epochs = own
    return moved


def cut_points(
    scalars: Mapping[str, Scalars], most: int, file: str
) -> tuple[list[Rows], list[str]]:
    """Turn series into points, and cut where one goes back to an earlier step.

    Tools write their series out of step with each other, or one after the other.
    `file` is what notes call the file, of which `most` bytes are read.

    Returns
    -------
    pieces : list of Rows
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
    pieces: list[Rows] = []
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
        (back,) = (own.steps[1:] < own.steps[:-1]).nonzero()
        offsets = own.offsets
        found += zip(offsets[back + 1].tolist(), offsets[back].tolist(), strict=True)
    return sorted(found)


def _lay_out(
    scalars: Mapping[str, Scalars], file: str, most: int
) -> tuple[Rows, list[str]]:
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
    points = Rows(steps, columns, times, _FILE + file, begins_file=True)
    points.written = written
    return points.take(recorded(points, list(columns))) if crowded else points, crowded


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


def _rejoined(pieces: list[Rows], most: int) -> list[Rows]:
    """Join neighbours in a file whose series differ: dumped one after the other."""
    joined = pieces[:1]
    for piece in pieces[1:]:
        last = joined[-1]
        goes_back = piece.epochs[0] <= last.epochs[-1]
        if goes_back and last.columns.keys().isdisjoint(piece.columns):
            joined[-1] = merge_points([last, piece], most)
        else:
            joined.append(piece)
    return joined


def merge_points(pieces: Sequence[Rows], most: int) -> Rows:
    """Join points of one training by step; of several values the latest is used.

    Raises
    ------
    LogError
        If most of them would be missing.
    """
    if len(pieces) == 1:
        return pieces[0]
    first = pieces[0]
    steps = first.epochs
    if not all(np.array_equal(steps, piece.epochs) for piece in pieces[1:]):
        steps = _distinct(np.concatenate([piece.epochs for piece in pieces]))
        wanted = sum(len(piece.columns) for piece in pieces) * len(steps)
        held = sum(len(piece.columns) * len(piece.epochs) for piece in pieces)
        what = "its writers log different series at different steps"
        check_cells(wanted - held, file_of(first), most, what)
    parts: dict[str, list[tuple[Series, EpochArray]]] = {}
    whole = copy(first)
    whole.written, times = {}, np.full(len(steps), np.nan)
    for piece in pieces:
        at = np.searchsorted(steps, piece.epochs)
        for name, own in piece.columns.items():
            parts.setdefault(name, []).append((own, at))
            last = whole.written.get(name, -np.inf)
            whole.written[name] = max(piece.written[name], last)
        times[at] = np.where(np.isnan(times[at]), piece.wall_times, times[at])
    whole.epochs, whole.wall_times = steps, times
    whole.columns = {name: lay_out(own, len(steps)) for name, own in parts.items()}
    return whole


def _distinct(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each step once; np.unique imports numpy.ma, which takes long."""
    ordered = np.sort(steps)
    found: NDArray[np.int64] = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    return found
