"""The epochs of two logs side by side, and their series laid out over all of these.

Epochs are compared by the numbers in the logs: a log that begins late counts as the one
that it continues does, from 1 perhaps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.rows import spread
from cbreplay.wording.note import OF_NUMBERING, topic_of

if TYPE_CHECKING:
    from cbreplay.run import EpochArray, RateEnds, Run, Series

__all__ = [
    "first_number",
    "goes_with",
    "laid_over",
    "numbers_of",
    "put_below",
    "spread_out",
    "with_series_of",
]


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
    if run.steps is not None or other.steps is not None or len(own) <= 1:
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
    moved = replace(
        other,
        first_epoch=run.first_epoch + first_number(other) - first_number(run),
        counts_from=run.counts_from,
        learning_rate=None,
        other_learning_rate=None,
        learning_rate_rounding={},
        epoch_seconds=None,
        notes=tuple(note for note in other.notes if topic_of(note) not in OF_NUMBERING),
    )
    return spread_out(moved, run.first_epoch, run.n_epochs)


def with_series_of(run: Run, *others: Run) -> Run:
    """Return a run with the series of other logs of its epochs, and with their notes.

    What a log says of its series, as that its writer rounds them, goes with them.
    """
    runs = run, *others
    return replace(
        run,
        series={name: own for each in runs for name, own in each.series.items()},
        rounded_to={key: own for each in runs for key, own in each.rounded_to.items()},
        not_logged=frozenset[str]().union(*(each.not_logged for each in runs)),
        empty_cells=frozenset[str]().union(*(each.empty_cells for each in runs)),
        # of two reasons the first stands
        left_out={
            name: why for each in runs[::-1] for name, why in each.left_out.items()
        },
        notes=tuple(dict.fromkeys(note for each in runs for note in each.notes)),
    )


def spread_out(run: Run, first_epoch: int, n_epochs: int) -> Run:
    """Return a run with a place for each of some epochs, with all of its own inside."""
    at = np.arange(run.n_epochs) + run.first_epoch - first_epoch

    def spread_series(own: Series | None) -> Series | None:
        return None if own is None else spread(own, at, n_epochs)

    return replace(
        run,
        first_epoch=first_epoch,
        series={name: spread(own, at, n_epochs) for name, own in run.series.items()},
        learning_rate=spread_series(run.learning_rate),
        other_learning_rate=spread_series(run.other_learning_rate),
        epoch_seconds=spread_series(run.epoch_seconds),
    )


def put_below(run: Run, later: Run) -> Run:
    """Return a run with the rows of a later part, which begins inside it or behind it.

    Where both have a value of an epoch, that of the earlier one stands. The notes are
    those of the earlier one.
    """
    begin = first_number(later) - first_number(run)
    moved = later.moved(run.first_epoch + begin - later.first_epoch)
    n_epochs = max(run.n_epochs, begin + later.n_epochs)
    own, other = (spread_out(part, run.first_epoch, n_epochs) for part in (run, moved))
    series = {
        name: _both(held, other.series[name]) for name, held in own.series.items()
    }
    return replace(
        run,
        series={name: held for name, held in series.items() if held is not None},
        learning_rate=_both(own.learning_rate, other.learning_rate),
        other_learning_rate=None,
        learning_rate_rounding=_rounding_of_both(run, later),
        epoch_seconds=_both(own.epoch_seconds, other.epoch_seconds),
        wall_seconds=None,
        seams=tuple(sorted({*run.seams, *moved.seams})),
        possible_seams=run.possible_seams | moved.possible_seams,
        replaced=(*run.replaced, *moved.replaced),
        not_logged=run.not_logged & later.not_logged,
        empty_cells=run.empty_cells | later.empty_cells,
        written_again=run.written_again or later.written_again,
    )


def _both(own: Series | None, other: Series | None) -> Series | None:
    """Return the values of two parts; where both have one, that of the first stands."""
    if own is None or other is None:
        return other if own is None else own
    return own.filled_by(other)


def _rounding_of_both(run: Run, later: Run) -> RateEnds:
    """Return the rounding of the rates of two parts: one writer rounds alike in both.

    A part whose rate never changes does not show it, and has the coarsest of the other.
    """
    ends = {**run.learning_rate_rounding}
    for rate, (lowest, highest) in later.learning_rate_rounding.items():
        low, high = ends.get(rate, (lowest, highest))
        ends[rate] = min(low, lowest), max(high, highest)
    coarsest = max((high - rate for rate, (_, high) in ends.items()), default=0.0)
    for part in (run, later) if ends else ():
        if part.learning_rate is not None and not part.learning_rate_rounding:
            for rate in {*part.learning_rate} - {None}:
                ends.setdefault(rate, (rate - coarsest, rate + coarsest))
    return ends
