"""The epochs of two logs side by side, and their series laid out over all of these.

Epochs are compared by the numbers in the logs: a log that begins late counts as the one
that it continues does, from 1 perhaps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.note import topic_of
from cbreplay.readers.building.rows import spread
from cbreplay.run import Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import EpochArray, FloatArray, Run

__all__ = ["first_number", "goes_with", "laid_over", "numbers_of", "put_below"]

_SEVERAL = 2


def first_number(run: Run) -> int:
    """Return the number by which a log calls its first epoch."""
    return run.first_epoch + run.counts_from


def numbers_of(run: Run) -> EpochArray:
    """Return the numbers by which a log calls the epochs of which it has a row."""
    numbers: EpochArray = np.flatnonzero(run.has_row) + first_number(run)
    return numbers


def goes_with(other: Run, run: Run) -> bool:
    """Tell whether a log is of the epochs of another one, or of every k-th of these.

    Where it has all of them but the last, a training was broken off before that epoch
    was validated. A log that ends long before the other, or that leaves out epochs at
    irregular places, may count something else, as the number of a validation.
    """
    if other.seams != run.seams:
        return False
    own, every = numbers_of(other), numbers_of(run)
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


def laid_over(other: Run, run: Run) -> Run:
    """Return a log that goes with another one, with a place for each of its epochs.

    Its epochs are counted as the other's, which says more: a log of every second epoch
    that begins with 1 may count from 0 or from 1. A rate of some epochs is left out.
    """
    if np.array_equal(numbers_of(other), numbers_of(run)):
        return other
    begin = first_number(other) - first_number(run)
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


def put_below(run: Run, later: Run) -> Run:
    """Return a run with the rows of a later part, which begins inside it or behind it.

    Where both have a value of an epoch, that of the earlier one stands. The notes are
    those of the earlier one.
    """
    begin = first_number(later) - first_number(run)
    length = max(run.n_epochs, begin + later.n_epochs)
    places = np.arange(run.n_epochs), np.arange(begin, begin + later.n_epochs)
    moved = later.moved(run.first_epoch + begin - later.first_epoch)

    def both(own: Series | None, other: Series | None) -> Series | None:
        return _together((own, other), places, length)

    series = {name: both(own, later.series[name]) for name, own in run.series.items()}
    return replace(
        run,
        series={name: own for name, own in series.items() if own is not None},
        learning_rate=both(run.learning_rate, later.learning_rate),
        other_learning_rate=None,
        learning_rate_rounding=_roundings((run, later), places, length),
        epoch_seconds=both(run.epoch_seconds, later.epoch_seconds),
        wall_seconds=None,
        seams=tuple(sorted({*run.seams, *moved.seams})),
        possible_seams=run.possible_seams | moved.possible_seams,
        replaced=(*run.replaced, *moved.replaced),
        not_logged=run.not_logged & later.not_logged,
        empty_cells=run.empty_cells | later.empty_cells,
        written_again=run.written_again or later.written_again,
    )


def _together(
    parts: Sequence[Series | None], places: Sequence[EpochArray], length: int
) -> Series | None:
    """Lay the values of two parts out over all epochs; None if neither has any."""
    known = [
        (own, at) for own, at in zip(parts, places, strict=True) if own is not None
    ]
    if not known:
        return None
    values = np.full(length, np.nan, known[0][0].values.dtype)
    recorded = np.zeros(length, dtype=np.bool_)
    others: dict[int, tuple[float, ...]] = {}
    # the first part's values come last, to stand
    for own, at in reversed(known):
        there = at[own.recorded]
        values[there], recorded[there] = own.values[own.recorded], True
        others |= {int(at[row]): held for row, held in own.others.items()}
    return Series(values, recorded, others)


def _roundings(
    parts: Sequence[Run], places: Sequence[EpochArray], length: int
) -> FloatArray | None:
    """Return how far each rate of two parts may be rounded; None if none is.

    Both are of one writer, who rounds alike in both: a part whose rate never changes
    does not show it, and has the coarsest rounding of the other.
    """
    told = [own.learning_rate_rounding for own in parts]
    known = [float(own.max()) for own in told if own is not None]
    if not known:
        return None
    rounding = np.zeros(length)
    for own, at in zip(told, places, strict=True):
        rounding[at] = np.maximum(rounding[at], max(known) if own is None else own)
    return rounding
