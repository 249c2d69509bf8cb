"""Runs that are copies of one training, or branches of it: `recommend` counts it once.

Not here: older copies of a log that readers leave out (`readers.discovery.read_once`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.by_key import by_key
from cbreplay.series_names import validation_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cbreplay.run import BoolArray, EpochArray, FloatArray, Run

__all__ = ["find_branches", "find_copies"]

# a few values may be alike by chance
_FEWEST_VALUES = 3
# so many different numbers of several epochs are not the same by chance; the first so
# many epochs are looked at
_FEWEST_NUMBERS, _MOST_BEGUN = 5, 12
# a log rounded to six digits or decimals counts as a copy of the unrounded one, if its
# values change so often that two different trainings could not agree in all of them
_ROUNDED = 1e-5
_DECIMALS = 1e-6
_FEWEST_CHANGES = 5
# how many columns are tried to find one in which few runs are near each other
_MOST_TRIED = 16
# what stands for a missing value, NaN and infinities: far from any loss and each other
_NO_NUMBER, _INFINITE = 1e300, 2e300


def find_copies(runs: Sequence[Run], monitor: str) -> dict[int, int]:
    """Find the runs that are copies: by their index, the index of the run they copy.

    Compared are the monitor, the loss and all ``val_`` series. Of several equal runs
    the original is the one with a ``run.json``, else the one with most recorded values
    of the monitor and the loss, else the first. All runs hold the monitor.
    """
    order = _fullest_first(runs, monitor)
    identical = _like_the_first(order, lambda row: _all_values(runs[row], monitor))
    others = [row for row in order if row not in identical]
    rounded = _find_rounded(runs, monitor, others)
    # the one kept of identical logs may itself be a rounded copy of another
    return {row: rounded.get(kept, kept) for row, kept in identical.items()} | rounded


def find_branches(runs: Sequence[Run], monitor: str) -> dict[int, int]:
    """Find the runs that begin as another: by their index, the index of that run.

    Runs that begin alike to the bit were trained from the same weights on the same
    batches: with one seed, or on from one checkpoint. Whatever was changed later, also
    the plan, they tell no more of other seeds than the one that holds most.
    """
    order = _fullest_first(runs, monitor)
    return _like_the_first(order, lambda row: _beginning(runs[row], monitor))


def _like_the_first(
    order: Iterable[int], held: Callable[[int], bytes | None]
) -> dict[int, int]:
    """Return the runs that hold the same as an earlier one, each with the first."""
    return {
        row: first for first, *others in by_key(order, held).values() for row in others
    }


def _beginning(run: Run, monitor: str) -> bytes | None:
    """Return the first values, of as many epochs as hold enough numbers."""
    names = sorted(_compared(run, monitor))
    values = np.array([run.series[name].values[:_MOST_BEGUN] for name in names])
    for n_epochs in range(_FEWEST_VALUES, values.shape[1] + 1):
        first = values[:, :n_epochs]
        if len({*first[np.isfinite(first)].tolist()}) >= _FEWEST_NUMBERS:
            place = repr((run.first_epoch, names))
            return place.encode() + first.tobytes()
    return None


def _fullest_first(runs: Sequence[Run], monitor: str) -> list[int]:
    """Return the runs by how much they hold: others are copies or branches of these."""
    return sorted(range(len(runs)), key=lambda row: (*_untold(runs[row], monitor), row))


def _untold(run: Run, monitor: str) -> tuple[bool, int]:
    """Return a sort key that is smaller for a log that holds more."""
    names = {monitor, "loss"} & run.series.keys()
    n_values = sum(int(run.series[name].recorded.sum()) for name in names)
    return run.metadata is None, -n_values


def _all_values(run: Run, monitor: str) -> bytes | None:
    """Return all values to the last bit; None where these are few."""
    if run.n_epochs < _FEWEST_VALUES:
        return None
    held = [run.series[name] for name in sorted(_compared(run, monitor))]
    return b"".join(
        series.values.tobytes() + series.recorded.tobytes() for series in held
    )


def _find_rounded(
    runs: Sequence[Run], monitor: str, order: Iterable[int]
) -> dict[int, int]:
    """Return the runs with the same values but for their last digits."""
    often = [row for row in order if _changes_often(runs[row], monitor)]
    copies: dict[int, int] = {}
    for rows in by_key(often, lambda row: runs[row].n_epochs).values():
        if len(rows) > 1:
            columns = _ValueColumns([runs[row] for row in rows], monitor)
            copies |= {rows[copy]: rows[kept] for copy, kept in columns.find_alike()}
    return copies


def _changes_often(run: Run, monitor: str) -> bool:
    """Return whether the monitor changes by more than rounding, often enough."""
    series = run.series[monitor]
    values = series.values[series.recorded & np.isfinite(series.values)]
    moves = np.abs(np.diff(values)) > 2 * _lost(values[1:])
    return bool(moves.sum() >= _FEWEST_CHANGES)


def _lost(values: FloatArray) -> FloatArray:
    """Return how far rounding may move a value."""
    lost: FloatArray = _ROUNDED * np.abs(values) + _DECIMALS
    return lost


class _ValueColumns:
    """The values of runs of one length, as columns: one for each series and epoch.

    Comparing every pair of runs would take time quadratic in their number. So the runs
    are sorted by one column: a run can agree only with its neighbours there. These are
    compared column by column, and those that differ drop out.

    Parameters
    ----------
    runs : sequence of Run
        Whatever agrees with an earlier one of these is its copy.
    monitor : str
        Its name.
    """

    def __init__(self, runs: Sequence[Run], monitor: str) -> None:
        names = [_compared(run, monitor) for run in runs]
        shared = set.intersection(*names)
        self.runs, self.monitor = runs, monitor
        # series that only some of the runs hold are compared pair by pair
        self.is_whole = all(shared == own for own in names)
        values = np.hstack(
            [np.vstack([_told_values(run, name) for run in runs]) for name in shared]
        )
        spread = _most_telling(values)
        column = min(spread[:_MOST_TRIED], key=lambda at: _count_near(values[:, at]))
        self.order = np.argsort(values[:, column], kind="stable")
        self.place = np.argsort(self.order)
        columns = [column, *spread[spread != column]]
        self.columns = np.ascontiguousarray(values[np.ix_(self.order, columns)].T)

    def find_alike(self) -> Iterator[tuple[int, int]]:
        """Yield (copy, original) for each run that agrees with an earlier one."""
        waiting = np.ones(len(self.runs), dtype=bool)
        first, last = _near(self.columns[0])
        for kept, place in enumerate(self.place.tolist()):
            if not waiting[place]:
                continue
            waiting[place] = False
            near = first[place] + np.flatnonzero(waiting[first[place] : last[place]])
            for at in self._agreeing(place, near).tolist():
                copy = int(self.order[at])
                if self.is_whole or self._agree_in_all(kept, copy):
                    waiting[at] = False
                    yield copy, kept

    def _agreeing(self, place: int, near: EpochArray) -> EpochArray:
        for column in self.columns:
            if not len(near):
                break
            near = near[_agree(column[near], column[place])]
        return near

    def _agree_in_all(self, kept: int, copy: int) -> bool:
        first, second = self.runs[kept], self.runs[copy]
        names = _compared(first, self.monitor) & _compared(second, self.monitor)
        return all(
            _agree(_told_values(first, name), _told_values(second, name)).all()
            for name in names
        )


def _agree(values: FloatArray, others: FloatArray | float) -> BoolArray:
    """Return where two values are the same but for rounding."""
    largest = np.maximum(np.abs(values), np.abs(others))
    alike: BoolArray = np.abs(values - others) <= _lost(largest)
    return alike


def _near(ordered: FloatArray) -> tuple[EpochArray, EpochArray]:
    """Return, for each value, the begin and end index of those it may agree with."""
    # the allowed distance depends on the larger of two values
    reach = _lost(ordered) / (1 - _ROUNDED)
    return (
        np.searchsorted(ordered, ordered - reach, "left"),
        np.searchsorted(ordered, ordered + reach, "right"),
    )


def _count_near(values: FloatArray) -> int:
    """Return how many pairs of values may agree."""
    first, last = _near(np.sort(values))
    return int((last - first).sum())


def _told_values(run: Run, name: str) -> FloatArray:
    """Return a series whose missing values, NaN and infinities can be compared.

    Some logs leave the cell of a NaN empty: the two are one.
    """
    series = run.series[name]
    told: FloatArray = np.nan_to_num(
        np.where(series.recorded, series.values, np.nan),
        nan=_NO_NUMBER,
        posinf=_INFINITE,
        neginf=-_INFINITE,
    )
    return told


def _most_telling(values: FloatArray) -> EpochArray:
    """Return the indices of the columns, those first in which the runs differ most."""
    low, high = np.quantile(values, [0.1, 0.9], axis=0)
    spread = (high - low) / _lost(np.median(values, axis=0))
    order: EpochArray = np.argsort(-spread, kind="stable")
    return order


def _compared(run: Run, monitor: str) -> set[str]:
    """Return the names of the series that copies share."""
    names = {monitor, *validation_metrics(run.series)}
    return names | ({"loss"} & run.series.keys())
