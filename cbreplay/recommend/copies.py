"""Trainings that were recorded twice, and would count twice."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.run import FloatArray, Run

__all__ = ["find_copies"]

# a few values may be alike by chance
_FEWEST_VALUES = 3
# a log that was rounded to six digits, or decimals, is a copy of the one that was not,
# if its values change so often that no two trainings would agree in all of them
_ROUNDED = 1e-5
_DECIMALS = 1e-6
_FEWEST_CHANGES = 5


def find_copies(runs: Sequence[Run], monitor: str) -> dict[int, int]:
    """Return the runs that hold the values of another one, and of which.

    What is compared is the monitor, the loss and what is validated. The run with a
    ``run.json`` is kept, else the one that tells
    most of the monitor and the loss, else the first.

    Parameters
    ----------
    runs : sequence of Run
        All hold the monitor.
    monitor : str
        Its name.
    """
    copies: dict[int, int] = {}
    for rows in [*_identical(runs, monitor), *_rounded(runs, monitor)]:
        left = [row for row in rows if row not in copies]
        if len(left) > 1:
            kept = max(left, key=lambda row: _told(runs[row], monitor))
            copies |= {row: kept for row in left if row != kept}
    # what was kept for one reason may go for the other
    return {row: copies.get(kept, kept) for row, kept in copies.items()}


def _told(run: Run, monitor: str) -> tuple[bool, int]:
    names = {monitor, "loss"} & run.series.keys()
    n_values = sum(int(run.series[name].recorded.sum()) for name in names)
    return run.metadata is not None, n_values


def _identical(runs: Sequence[Run], monitor: str) -> Iterator[list[int]]:
    """Yield runs with the same values to the last bit."""
    alike: dict[bytes, list[int]] = {}
    for row, run in enumerate(runs):
        held = [run.series[name] for name in sorted(_compared(run, monitor))]
        key = b"".join(one.values.tobytes() + one.recorded.tobytes() for one in held)
        if run.n_epochs >= _FEWEST_VALUES:
            alike.setdefault(key, []).append(row)
    yield from (rows for rows in alike.values() if len(rows) > 1)


def _rounded(runs: Sequence[Run], monitor: str) -> Iterator[list[int]]:
    """Yield pairs of runs with the same values but for their last digits."""
    sizes = []
    for row, run in enumerate(runs):
        values = _finite(run, monitor)
        moves = np.abs(np.diff(values)) > 2 * _lost(values[1:])
        if moves.sum() >= _FEWEST_CHANGES:
            sizes.append((run.n_epochs, float(values.sum()), row))
    sizes.sort()
    for _, same_length in groupby(sizes, key=lambda one: one[0]):
        near: list[tuple[float, int]] = []
        for _, total, row in same_length:
            # copies have nearly the same total, and stand side by side
            apart = float(_lost(_finite(runs[row], monitor)).sum())
            near = [one for one in near if total - one[0] <= apart]
            for _, other in near:
                if _agree(runs[other], runs[row], monitor):
                    yield sorted((other, row))
            near.append((total, row))


def _lost(values: FloatArray) -> FloatArray:
    """Return how far rounding may move a value."""
    lost: FloatArray = _ROUNDED * np.abs(values) + _DECIMALS
    return lost


def _finite(run: Run, monitor: str) -> FloatArray:
    """Return the monitor's values but for NaN and infinity, as they follow."""
    series = run.series[monitor]
    return series.values[series.recorded & np.isfinite(series.values)].astype(float)


def _agree(one: Run, other: Run, monitor: str) -> bool:
    """Return whether all values are the same; some logs leave a NaN's cell empty."""
    for name in _compared(one, monitor) & _compared(other, monitor):
        left, right = (
            np.where(run.series[name].recorded, run.series[name].values, np.nan)
            for run in (one, other)
        )
        if not np.allclose(left, right, _ROUNDED, _DECIMALS, equal_nan=True):
            return False
    return True


def _compared(run: Run, monitor: str) -> set[str]:
    names = {monitor, *(name for name in run.series if name.startswith("val_"))}
    return names | ({"loss"} & run.series.keys())
