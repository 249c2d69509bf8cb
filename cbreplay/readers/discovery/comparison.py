"""How logs compare: which values both hold, and which log holds all of the other.

Values are equal to the digits of both logs (`count_agreeing`, `begins`, `is_extract`),
or to the bit (`begins_to_the_bit`, `share_rows`), which few rows need. `FirstValues`
tells of many runs, side by side, which may be copies at all.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.written_digits import (
    count_all_digits,
    hold_float32,
    rounding_of,
)
from cbreplay.readers.discovery.common_epochs import first_number
from cbreplay.readers.discovery.found_logs import lie_beside
from cbreplay.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cbreplay.run import BoolArray, EpochArray, FloatArray, Series

__all__ = [
    "FEWEST",
    "FirstValues",
    "agreeing_values",
    "begins",
    "begins_to_the_bit",
    "columns_of",
    "count_agreeing",
    "count_changing",
    "count_digits",
    "is_extract",
    "output_of",
    "parts_last",
    "rates_agree",
    "share_rows",
    "tolerance_of",
]

# this many changing values of one series do not agree by chance
FEWEST = 5
# so many digits of all rows but a last one that differs do not either
_CUT_DIGITS = 30
# nor do so many rows with so many digits, where they are the same to the bit
_FEWEST_ROWS, _DIGITS = 2, 15
# so many digits at the same epoch of two logs in one place are no coincidence; more are
# asked of several rows, for on a small data set many trainings have the same accuracy
_FEWEST_DIGITS, _DIGITS_OF_ROWS = 3, 7
# event files hold float32, so a value differs from a text log's by up to this share
_RELATIVE_TOLERANCE = 1e-6
_RATE_NEAR = 1e-2


def count_digits(columns: Iterable[Series]) -> int:
    """Count the digits of the finite values of series, each value once."""
    return count_all_digits(own.values for own in columns)


def count_changing(series: Series) -> int:
    """Count the different finite values of a series."""
    return len(set(series.values[np.isfinite(series.values)].tolist()))


def _common_places(run: Run, other: Run, begin: int) -> tuple[slice, slice]:
    """Return where the epochs that both hold stand, in a run and in another.

    `begin` is the place of the other's first epoch in the run; it may be negative.
    """
    first = max(0, begin)
    stop = max(first, min(run.n_epochs, begin + other.n_epochs))
    return slice(first, stop), slice(first - begin, stop - begin)


def count_agreeing(run: Run, other: Run) -> int:
    """Count the values that both runs hold; 0 if any two of them disagree."""
    own, others = _common_places(run, other, other.first_epoch - run.first_epoch)
    if run.steps is not None or other.steps is not None or own.start == own.stop:
        return 0
    n_common = 0
    for name in run.series.keys() & other.series.keys():
        left, right = run.series[name].take(own), other.series[name].take(others)
        both = left.recorded & right.recorded
        n_common += int(both.sum())
        tolerance = tolerance_of(left, right)
        apart = both & ~_agree(left.values, right.values, tolerance)
        # where an epoch has several values, an earlier one may agree
        for position in np.flatnonzero(apart).tolist():
            if not agreeing_values(left, right, position, tolerance[position]):
                return 0
    return n_common


def tolerance_of(own: Series, other: Series) -> FloatArray:
    """Return how far each value may have been rounded when either log was written."""
    near = np.maximum(rounding_of(own.values), rounding_of(other.values))
    # a little more than half a unit, for decimals have no exact binary fraction
    return near * (1 + _RELATIVE_TOLERANCE)


def _agree(
    left: FloatArray, right: FloatArray, tolerance: FloatArray | float
) -> BoolArray:
    """Tell which values are the same, but for how far each may have been rounded."""
    with np.errstate(over="ignore", invalid="ignore"):
        same = left.astype(np.float32) == right.astype(np.float32)
        largest = np.maximum(np.abs(left), np.abs(right))
        near = np.abs(left - right) <= tolerance + _RELATIVE_TOLERANCE * largest
    close: BoolArray = same | (near & np.isfinite(left) & np.isfinite(right))
    return close | (np.isnan(left) & np.isnan(right))


def agreeing_values(
    own: Series, other: Series, position: int, tolerance: float
) -> list[float]:
    """Return which values that a log has of an epoch agree with one of another log."""
    held, others = (
        np.array([series.values[position], *series.others.get(position, ())])
        for series in (own, other)
    )
    agree = _agree(held[:, None], others, tolerance).any(axis=1)
    agreeing: list[float] = held[agree].tolist()
    return agreeing


def _has_all_of(run: Run, other: Run) -> bool:
    """Tell whether a run has a value wherever another one, within it, has one."""
    place, inner = _common_places(run, other, other.first_epoch - run.first_epoch)
    return all(
        (run.series[name].recorded[place] >= own.recorded[inner]).all()
        for name, own in other.series.items()
        if name in run.series
    )


def begins(run: Run, other: Run) -> bool:
    """Tell whether a run is the beginning of another, perhaps but for its last row."""
    return _holds(run, other) or parts_last(run, other)


def parts_last(run: Run, other: Run) -> bool:
    """Tell whether the last row alone differs from the longer log that it begins.

    So does one that was half written when the log was copied.
    """
    if not FEWEST < run.n_epochs < other.n_epochs or _holds(run, other):
        return False
    above = {name: own.take(slice(0, -1)) for name, own in run.series.items()}
    whole = Run(name="", source=run.source, first_epoch=run.first_epoch, series=above)
    return count_digits(above.values()) >= _CUT_DIGITS and _holds(whole, other)


def _holds(run: Run, other: Run) -> bool:
    """Tell whether a run is the beginning of another, which is no shorter."""
    changing = max(map(count_changing, run.series.values()))
    output = output_of(run.source)
    if changing < (1 if output and output == output_of(other.source) else FEWEST):
        return False
    bare = replace(run, steps=None), replace(other, steps=None)
    # a copy may have lost rows, but has none that the other lacks
    alike = _has_all_of(other, run) and rates_agree(run, other)
    return alike and count_agreeing(*bare) > 0


def rates_agree(run: Run, other: Run) -> bool:
    """Tell whether two logs have equal learning rates wherever both hold one.

    They begin at the same epoch, and the other is no shorter.
    """
    if run.learning_rate is None or other.learning_rate is None:
        return True
    own, longer = run.learning_rate, other.learning_rate
    both = own.recorded & longer.recorded[: len(own)]
    rates, others = own.values[both], longer.values[: len(own)][both]
    # a later save may have rounded them; a reduction changes them by far more
    return bool(np.isclose(rates, others, rtol=_RATE_NEAR, equal_nan=True).all())


def is_extract(run: Run, other: Run) -> bool:
    """Tell whether each row of a run stands in another, which begins earlier."""
    if other.counts_from > run.counts_from:
        # a few rows alone do not tell that they count from 1
        run = run.moved(run.counts_from - other.counts_from)
    within = other.first_epoch < run.first_epoch and run.horizon <= other.horizon
    if not within or not run.series.keys() <= other.series.keys():
        return False
    fewest = _FEWEST_DIGITS if run.recorded_epochs == 1 else _DIGITS_OF_ROWS
    told = count_digits(run.series.values()) >= fewest
    return told and _has_all_of(other, run) and count_agreeing(run, other) > 0


def begins_to_the_bit(run: Run, other: Run) -> bool:
    """Tell whether each value of a run is the same number in a longer one beside it."""
    beside = lie_beside(run.source, other.source)
    alike = beside and run.first_epoch == other.first_epoch
    return (alike and run.series.keys() <= other.series.keys()) and all(
        _is_same(own, other.series[name].take(slice(len(own))))
        for name, own in run.series.items()
    )


def share_rows(run: Run, later: Run) -> bool:
    """Tell whether two logs share rows, and each of these is the same to the bit.

    They hold the same series, and the epochs are those of the numbers in the logs.
    """
    if not lie_beside(run.source, later.source):
        return False
    begin = first_number(later) - first_number(run)
    place, inner = _common_places(run, later, begin)
    both = run.has_row[place] & later.has_row[inner]
    columns, others = columns_of(run), columns_of(later)
    if np.count_nonzero(both) < _FEWEST_ROWS or len(columns) != len(others):
        return False
    shared = [own.take(place).take(both) for own in columns]
    same = all(
        _is_same(own, other.take(inner).take(both))
        for own, other in zip(shared, others, strict=True)
    )
    # a training that fails repeats its last values, and so does another one
    changing = [own for own in shared if len({*own.values}) > 1]
    return same and count_digits(changing) >= _DIGITS


def columns_of(run: Run) -> list[Series]:
    """Return the series of a run in the order of their names, and its rate."""
    rate = run.learning_rate
    series = [run.series[name] for name in sorted(run.series)]
    return series if rate is None else [*series, rate]


def _is_same(own: Series, other: Series) -> bool:
    return own.values.tobytes() == other.values.tobytes() and np.array_equal(
        own.recorded, other.recorded
    )


_TRAINER_STATE = "trainer_state.json"


def output_of(path: str) -> str:
    """Return Trainer's output directory: that of checkpoint-500/, or of the state."""
    if os.path.basename(path) != _TRAINER_STATE:
        return ""
    directory = os.path.dirname(path)
    inside = os.path.basename(directory).startswith("checkpoint-")
    return os.path.dirname(directory) if inside else directory


_NEAR = 1e-6
# the numbers for NaN and for a missing value where rows are compared
_NAN, _MISSING = -1e300, 1e300
# up to this many runs without values there are compared with all others
_MOST_OPEN = 64


class FirstValues:
    """The first values of each run, and how far each may have been rounded.

    To count the digits that numbers were written with takes long, and most runs begin
    so differently that nobody asks for it: they are counted when they are asked for.

    The runs all have the series that are compared; of each, `n_rows` epochs are looked
    at if the shortest run has so many.
    """

    def __init__(self, runs: Sequence[Run], names: Sequence[str], n_rows: int) -> None:
        n_rows = min(n_rows, *(run.n_epochs for run in runs))
        held = [[run.series[name] for name in names] for run in runs]
        values = np.array([[own.values[:n_rows] for own in row] for row in held])
        recorded = np.array([[own.recorded[:n_rows] for own in row] for row in held])
        finite = np.isfinite(values)
        self._known = known = np.where(finite, values, 0.0)
        self._limits = _NEAR * np.abs(known)
        single = hold_float32(known.reshape(-1)).reshape(known.shape)
        with np.errstate(over="ignore"):
            half = known.astype(np.float16) == known
        fine = single.all(axis=2) & ~half.all(axis=2)
        self._uncounted: BoolArray = np.logical_not(fine)
        told = np.where(recorded, np.where(finite, values, _NAN), _MISSING)
        # of shape (n_runs, n_series * n_rows): all series one after the other
        self._values: FloatArray = told.reshape(len(runs), -1)
        # no value in a row contradicts no other run; a row that lacks only some values
        # was logged so, as by validation_freq
        self._lost: BoolArray = np.tile((told == _MISSING).all(axis=1), len(names))
        self._sort()

    def _sort(self) -> None:
        """Sort the runs by the column in which they differ most: few pairs are left."""
        values = self._values
        # np.unique imports numpy.ma, which takes as long as reading a hundred logs
        n_distinct = [len(set(column)) for column in values.T.tolist()]
        column = int(np.argmax(n_distinct))
        self._by_column: EpochArray = np.argsort(values[:, column], kind="stable")
        ordered = values[self._by_column, column]
        # copies differ by two limits at most, and these by a rounding of their own
        reach = 3 * self._most_rounded(column)
        self._begins = np.searchsorted(ordered, values[:, column] - reach)
        self._ends = np.searchsorted(ordered, values[:, column] + reach, side="right")
        self._open = np.flatnonzero(self._lost[:, column])[:_MOST_OPEN]

    def rounding_of_candidates(self) -> dict[int, float]:
        """Return the runs that may begin as another; nearly always there are none.

        Beside each stands how far its values may have been rounded, all together.
        """
        near = (self._ends - self._begins > 1) | (len(self._open) > 0)
        candidates = np.flatnonzero(near)
        for at in candidates.tolist():
            for series in self._uncounted[at].nonzero()[0].tolist():
                self._count_digits(at, series)
        together = self._limits[candidates].sum(axis=(1, 2))
        return dict(zip(candidates.tolist(), together.tolist(), strict=True))

    def alike(self, at: int, among: BoolArray) -> list[int]:
        """Return the runs that may begin as a candidate does, among those asked for."""
        near: EpochArray = self._by_column[self._begins[at] : self._ends[at]]
        if len(self._open):
            everywhere = at in self._open
            near = self._by_column if everywhere else np.append(near, self._open)
        near = near[among[near]]
        limits = self._limits.reshape(self._values.shape)
        within = (
            np.abs(self._values[near] - self._values[at]) <= limits[near] + limits[at]
        )
        within |= self._lost[near] | self._lost[at]
        found: list[int] = near[within.all(axis=1)].tolist()
        return found

    def _most_rounded(self, column: int) -> float:
        """Return how far the values of a column may have been rounded at most."""
        n_runs, _, n_rows = self._limits.shape
        series, row = divmod(column, n_rows)
        for at in range(n_runs):
            self._count_digits(at, series)
        return float(self._limits[:, series, row].max())

    def _count_digits(self, at: int, series: int) -> None:
        if self._uncounted[at, series]:
            near = 2 * rounding_of(self._known[at, series])
            self._limits[at, series] = np.maximum(self._limits[at, series], near)
            self._uncounted[at, series] = False
