"""Keras's ``logs`` of every epoch of a run, each made when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from cbreplay.run import Run

__all__ = ["EpochLogs"]


class EpochLogs(Sequence[dict[str, float]]):
    """What a run's epochs logged, by position; a value not recorded is absent.

    They are made one by one: all dicts of a long run would take more memory than its
    values do, and a replay that ends early needs few of them.

    Parameters
    ----------
    run : Run
        The record.
    """

    def __init__(self, run: Run) -> None:
        self._n_epochs = run.n_epochs
        self._columns = [
            (name, series.values.tolist(), series.recorded.tolist())
            for name, series in run.series.items()
        ]

    @property
    def names(self) -> set[str]:
        """The series that some epoch logged."""
        return {name for name, _, recorded in self._columns if True in recorded}

    def __len__(self) -> int:
        return self._n_epochs

    @overload
    def __getitem__(self, index: int) -> dict[str, float]: ...

    @overload
    def __getitem__(self, index: slice) -> list[dict[str, float]]: ...

    def __getitem__(
        self, index: int | slice
    ) -> dict[str, float] | list[dict[str, float]]:
        """Return the logs of an epoch, made anew: the caller may change them."""
        if isinstance(index, slice):
            return [self[position] for position in range(len(self))[index]]
        return {
            name: values[index]
            for name, values, recorded in self._columns
            if recorded[index]
        }
