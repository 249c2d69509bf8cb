"""The first values of many runs side by side: which of them may be copies at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.written_digits import half_units, hold_float32

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import BoolArray, EpochArray, FloatArray, Run

__all__ = ["FirstValues"]

_NEAR = 1e-6
# the numbers for NaN and for a missing value where rows are compared
_NAN, _MISSING = -1e300, 1e300


class FirstValues:
    """The first values of each run, and how far each may have been rounded.

    To count the digits that numbers were written with takes long, and most runs begin
    so differently that nobody asks for it: they are counted when they are asked for.

    Parameters
    ----------
    runs : sequence of Run
        The runs, all with the same series.
    names : sequence of str
        The series that are compared.
    n_rows : int
        How many of the first epochs are, if the shortest run has them.

    Attributes
    ----------
    values : array of shape (n_runs, n_series * n_rows)
        The values of all series one after the other.
    lost : bool array of the same shape
        Where a run has no values in a row, which contradicts no other run. A row that
        lacks only some of them was logged so, as by validation_freq.
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
        self._uncounted: BoolArray = np.logical_not(single.all(axis=2))
        told = np.where(recorded, np.where(finite, values, _NAN), _MISSING)
        self.values: FloatArray = told.reshape(len(runs), -1)
        absent = (told == _MISSING).all(axis=1)
        self.lost: BoolArray = np.tile(absent, len(names))

    def most_rounded(self, column: int) -> float:
        """Return how far the values of a column may have been rounded at most."""
        n_runs, _, n_rows = self._limits.shape
        series, row = divmod(column, n_rows)
        for at in range(n_runs):
            self._count_digits(at, series)
        return float(self._limits[:, series, row].max())

    def limits(self, some: EpochArray) -> FloatArray:
        """Return how far the values of some runs may have been rounded."""
        for at in some.tolist():
            for series in self._uncounted[at].nonzero()[0].tolist():
                self._count_digits(at, series)
        return self._limits[some].reshape(len(some), self.values.shape[1])

    def _count_digits(self, at: int, series: int) -> None:
        if self._uncounted[at, series]:
            near = 2 * half_units(self._known[at, series])
            self._limits[at, series] = np.maximum(self._limits[at, series], near)
            self._uncounted[at, series] = False
