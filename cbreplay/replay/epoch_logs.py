"""Keras's ``logs`` of every epoch of a run, each made when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.run import Run

__all__ = ["EpochLogs"]


class EpochLogs:
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

    def __iter__(self) -> Iterator[dict[str, float]]:
        """Yield the logs of every epoch."""
        return map(self.__getitem__, range(self._n_epochs))

    def __getitem__(self, position: int) -> dict[str, float]:
        """Return the logs of an epoch, made anew: the caller may change them."""
        return {
            name: values[position]
            for name, values, recorded in self._columns
            if recorded[position]
        }
