"""Series that a log of their own has for some epochs, laid over all of a training."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.note import topic_of
from cbreplay.readers.building.rows import spread

if TYPE_CHECKING:
    from cbreplay.run import EpochArray, Run

__all__ = ["goes_with", "laid_over"]

_SEVERAL = 2


def goes_with(other: Run, run: Run) -> bool:
    """Tell whether a log is of the epochs of another one, or of every k-th of these.

    Where it has all of them but the last, a training was broken off before that epoch
    was validated. A log that ends long before the other, or that leaves out epochs at
    irregular places, may count something else, as the number of a validation.
    """
    if other.seams != run.seams:
        return False
    own, every = _numbers(other), _numbers(run)
    if np.array_equal(own, every):
        return other.counts_from == run.counts_from
    if run.steps is not None or other.steps is not None or len(own) < _SEVERAL:
        return False
    cadence = int(own[1] - own[0])
    # the last epoch of a training may be validated whatever its number is
    inner = own[:-1] if own[-1] == every[-1] else own
    return bool(
        np.isin(own, every).all()
        and (np.diff(inner) == cadence).all()
        and own[0] - every[0] < cadence
        and every[-1] - own[-1] <= cadence
    )


def _numbers(run: Run) -> EpochArray:
    """Return the numbers by which a log calls the epochs of which it has a row."""
    numbers: EpochArray = np.flatnonzero(run.has_row) + run.first_epoch
    return numbers + run.counts_from


def laid_over(other: Run, run: Run) -> Run:
    """Return a log that goes with another one, with a place for each of its epochs.

    Its epochs are counted as the other's, which says more: a log of every second epoch
    that begins with 1 may count from 0 or from 1. A rate of some epochs is left out.
    """
    if np.array_equal(_numbers(other), _numbers(run)):
        return other
    begin = other.first_epoch + other.counts_from - run.first_epoch - run.counts_from
    at = np.arange(begin, begin + other.n_epochs)
    return replace(
        other,
        first_epoch=run.first_epoch,
        counts_from=run.counts_from,
        series={
            name: spread(own, at, run.n_epochs) for name, own in other.series.items()
        },
        learning_rate=None,
        other_learning_rate=None,
        learning_rate_rounding=None,
        epoch_seconds=None,
        notes=tuple(note for note in other.notes if topic_of(note) != "epochs"),
    )
