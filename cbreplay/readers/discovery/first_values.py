"""The first values of many runs side by side: which of them may be copies at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.written_digits import hold_float32, rounding_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import BoolArray, EpochArray, FloatArray, Run

__all__ = ["FirstValues"]

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
