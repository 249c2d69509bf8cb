"""Trainings that were recorded twice, and would count twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.run import EpochArray, FloatArray, Run

__all__ = ["find_copies"]

# a few values may be alike by chance
_FEWEST_VALUES = 3
# a log that was rounded to six digits, or decimals, is a copy of the one that was not,
# if its values change so often that no two trainings would agree in all of them
_ROUNDED = 1e-5
_DECIMALS = 1e-6
_FEWEST_CHANGES = 5
# of so many columns the one in which the fewest runs are near each other sorts them
_MOST_SORTED = 16
# what stands for no number: far from every loss, and from each other
_NO_NUMBER, _INFINITE = 1e300, 2e300


def find_copies(runs: Sequence[Run], monitor: str) -> dict[int, int]:
    """Return the runs that hold the values of another one, and of which.

    What is compared is the monitor, the loss and what is validated. The run with a
    ``run.json`` is kept, else the one that tells most of the monitor and the loss, else
    the first.

    Parameters
    ----------
    runs : sequence of Run
        All hold the monitor.
    monitor : str
        Its name.
    """
    # the best told first: whatever agrees with it is its copy
    order = sorted(
        range(len(runs)), key=lambda row: (*_untold(runs[row], monitor), row)
    )
    identical = _find_identical(runs, monitor, order)
    others = [row for row in order if row not in identical]
    rounded = _find_rounded(runs, monitor, others)
    # what was kept among identical logs may itself be a rounded one
    return {row: rounded.get(kept, kept) for row, kept in identical.items()} | rounded


def _untold(run: Run, monitor: str) -> tuple[bool, int]:
    """Return a key that is the smaller, the more a log tells."""
    names = {monitor, "loss"} & run.series.keys()
    n_values = sum(int(run.series[name].recorded.sum()) for name in names)
    return run.metadata is None, -n_values


def _find_identical(
    runs: Sequence[Run], monitor: str, order: Iterable[int]
) -> dict[int, int]:
    """Return the runs with the same values to the last bit."""
    first: dict[bytes, int] = {}
    copies = {}
    for row in order:
        run = runs[row]
        if run.recorded_epochs < _FEWEST_VALUES:
            continue
        held = [run.series[name] for name in sorted(_compared(run, monitor))]
        values = b"".join(
            series.values.tobytes() + series.recorded.tobytes() for series in held
        )
        kept = first.setdefault(values, row)
        if kept != row:
            copies[row] = kept
    return copies


def _find_rounded(
    runs: Sequence[Run], monitor: str, order: Iterable[int]
) -> dict[int, int]:
    """Return the runs with the same values but for their last digits."""
    same_length: dict[tuple[int, int], list[int]] = {}
    for row in order:
        run = runs[row]
        if _changes_often(run, monitor):
            length = run.recorded_epochs, len(run.series[monitor].values)
            same_length.setdefault(length, []).append(row)
    copies: dict[int, int] = {}
    for rows in same_length.values():
        if len(rows) > 1:
            table = _Table([runs[row] for row in rows], monitor)
            copies |= {rows[copy]: rows[kept] for copy, kept in table.find_alike()}
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


class _Table:
    """The values of runs of one length: a row a run, a column a series' epoch.

    Comparing every run with every other one takes the square of their number. So the
    runs are sorted by the column in which they lie furthest apart, where those that may
    agree with a run stand side by side, and these are compared column by column, each
    time only the ones that agreed so far.
    """

    def __init__(self, runs: Sequence[Run], monitor: str) -> None:
        names = [_compared(run, monitor) for run in runs]
        shared = set.intersection(*names)
        self.runs, self.monitor = runs, monitor
        # what some runs lack is compared pair by pair
        self.is_whole = all(shared == own for own in names)
        values = np.hstack(
            [np.vstack([_told_values(run, name) for run in runs]) for name in shared]
        )
        columns = values.T[_most_telling(values)]
        sorts = [_Sorted(column) for column in columns[:_MOST_SORTED]]
        self.columns, self.sorted = columns, min(sorts, key=lambda sort: sort.n_pairs)

    def find_alike(self) -> Iterator[tuple[int, int]]:
        """Yield each run that agrees with an earlier one, and the one that is kept."""
        waiting = np.ones(len(self.runs), dtype=bool)
        for kept in range(len(self.runs)):
            if not waiting[kept]:
                continue
            waiting[kept] = False
            near = self.sorted.near(kept)
            for copy in self._agreeing(kept, near[waiting[near]]).tolist():
                if self.is_whole or self._agree_elsewhere(kept, copy):
                    waiting[copy] = False
                    yield copy, kept

    def _agreeing(self, kept: int, near: EpochArray) -> EpochArray:
        for column in self.columns:
            if not len(near):
                break
            apart = np.abs(column[near] - column[kept])
            largest = np.maximum(np.abs(column[near]), abs(column[kept]))
            near = near[apart <= _lost(largest)]
        return near

    def _agree_elsewhere(self, kept: int, copy: int) -> bool:
        one, other = self.runs[kept], self.runs[copy]
        for name in _compared(one, self.monitor) & _compared(other, self.monitor):
            left, right = _told_values(one, name), _told_values(other, name)
            largest = np.maximum(np.abs(left), np.abs(right))
            if (np.abs(left - right) > _lost(largest)).any():
                return False
        return True


class _Sorted:
    """One column in order, and for each run which others are near it in this column."""

    def __init__(self, column: FloatArray) -> None:
        self.rows = np.argsort(column, kind="stable")
        # the larger of two values says how far they may be apart
        reach = _lost(column) / (1 - _ROUNDED)
        self.first = np.searchsorted(column[self.rows], column - reach, "left")
        self.last = np.searchsorted(column[self.rows], column + reach, "right")
        self.n_pairs = int((self.last - self.first).sum())

    def near(self, row: int) -> EpochArray:
        """Return the rows that may agree with one, itself among them."""
        near: EpochArray = self.rows[self.first[row] : self.last[row]]
        return near


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
    """Return the columns in order: first where the runs lie furthest apart."""
    low, high = np.quantile(values, [0.1, 0.9], axis=0)
    spread = (high - low) / _lost(np.median(values, axis=0))
    order: EpochArray = np.argsort(-spread, kind="stable")
    return order


def _compared(run: Run, monitor: str) -> set[str]:
    """Return the names of the series that copies share."""
    names = {monitor, *(name for name in run.series if name.startswith("val_"))}
    return names | ({"loss"} & run.series.keys())
