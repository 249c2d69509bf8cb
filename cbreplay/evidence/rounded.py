"""What rounding in a log hides: which of two values was the better one.

A writer that rounds to few digits leaves an interval for each value, half a unit of its
last digit to both sides. Where two intervals overlap, nothing tells which of the two
values was better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cbreplay.run import BoolArray, EpochArray, FloatArray, RateEnds, Run

__all__ = [
    "NOT_ROUNDED",
    "count_digits",
    "find_unclear",
    "half_units",
    "may_hide_reduction",
    "rate_ends",
]

# the ends of the rates of a log that has them with all their digits
NOT_ROUNDED: RateEnds = {}

# neighbouring values, whose intervals only touch, count as different
_TOUCHING = 1 - 1e-6
# the ends are drawn in a little, so that those of neighbours differ in float32 too
_INSET = 0.98
# if more values than these may be the best, every one counts as unclear
_MOST_BESTS = 5000


def count_digits(values: FloatArray) -> tuple[int, int]:
    """Return the most digits, and the most decimals, that a number of them has.

    Examples
    --------
    >>> count_digits(np.array([0.001, 0.00025, 12.5])), count_digits(np.array([1e-06]))
    ((3, 5), (1, 6))
    """
    most, most_decimals = 1, 0
    for value in {*np.abs(values[np.isfinite(values)]).tolist()}:
        mantissa, _, exponent = repr(value).partition("e")
        whole, _, fraction = mantissa.partition(".")
        fraction = fraction.rstrip("0")
        # 10 may be one digit: nothing tells
        digits = (whole + fraction).strip("0")
        most = max(most, len(digits))
        most_decimals = max(most_decimals, len(fraction) - int(exponent or 0))
    return most, most_decimals


def half_units(values: FloatArray, digits: int, decimals: int) -> FloatArray:
    """Return how far each value may have been rounded.

    The writer rounds to both: significant digits, and places after the point.

    >>> half_units(np.array([0.995, 12.298, 0.0]), 5, 5).round(7).tolist()
    [5e-06, 0.0005, 5e-06]
    """
    known = np.isfinite(values) & (values != 0)
    orders = np.floor(np.log10(np.abs(np.where(known, values, 1.0))))
    units = np.where(known, 10.0 ** (orders - digits + 1), 0.0)
    widths: FloatArray = np.maximum(units, 10.0**-decimals) / 2
    return widths


def find_unclear(
    run: Run, name: str, margins: Iterable[float | None], *, begins_later: bool = True
) -> dict[int, tuple[float, float]]:
    """Find the values whose rounding may decide a comparison: their interval's ends.

    Two values are compared only while no later one is better than the first for sure,
    and only if the first may have been the best up to there.

    Parameters
    ----------
    run, name : Run, str
        The series.
    margins : iterable of float or None
        For each rule that reads the series, by how much a value has to be better; None
        where that is not known, so that every value may matter.
    begins_later : bool
        Whether a rule may look for the best from a later epoch on: a value that an
        earlier one surely beats may then be the best. So it is after a seam.

    Returns
    -------
    dict of int to (float, float)
        By position, the lower and the upper end.
    """
    if name not in run.rounded_to or name not in run.series:
        return {}
    series = run.series[name]
    at = np.flatnonzero(series.recorded & np.isfinite(series.values))
    values = series.values[at]
    half = half_units(values, *run.rounded_to[name])
    bests = _may_be_best(values, half)
    if begins_later or run.seams or run.possible_seams:
        bests[:] = True
    # where an epoch has a second value, or too many values may be the best, every
    # comparison is open
    is_open = bool(series.others) or np.count_nonzero(bests) > _MOST_BESTS
    unclear = np.zeros(len(values), dtype=np.bool_)
    for margin in set(margins):
        if is_open or margin is None:
            unclear |= True
        else:
            unclear |= _may_tie(values, half, abs(margin), np.flatnonzero(bests))
    return {
        int(at[place]): (
            float(values[place] - _INSET * half[place]),
            float(values[place] + _INSET * half[place]),
        )
        for place in np.flatnonzero(unclear).tolist()
    }


def _may_be_best(values: FloatArray, half: FloatArray) -> BoolArray:
    """Return which values are not surely worse than an earlier one, in either mode.

    With a margin no others can be the best: a value that beats the best by a margin is
    better than all values that did not.
    """
    found = np.ones(len(values), dtype=np.bool_)
    ends = half * _TOUCHING
    lowest = np.minimum.accumulate(values + ends)[:-1]
    highest = np.maximum.accumulate(values - ends)[:-1]
    found[1:] = (values - ends)[1:] <= lowest
    found[1:] |= (values + ends)[1:] >= highest
    return found


def _may_tie(
    values: FloatArray, half: FloatArray, margin: float, bests: EpochArray
) -> BoolArray:
    """Tell which values take part in a comparison that rounding may decide."""
    found = np.zeros(len(values), dtype=np.bool_)
    for place in bests.tolist():
        apart = values[place + 1 :] - values[place]
        within = (half[place + 1 :] + half[place]) * _TOUCHING
        close = np.abs(apart - margin) < within
        close |= np.abs(apart + margin) < within
        if not close.any():
            continue
        lasts = max(_first(apart < -margin - within), _first(apart > margin + within))
        rivals = np.flatnonzero(close[:lasts])
        if len(rivals):
            found[place] = found[place + 1 + rivals] = True
    return found


def _first(mask: BoolArray) -> int:
    return int(mask.argmax()) if mask.any() else len(mask)


def may_hide_reduction(run: Run, epoch: int | None, factor: float = 0.5) -> bool:
    """Return whether the rate of an epoch has too few digits to show a reduction.

    A rate of 0.002 with one digit may have been 0.0025, and 0.6 of it: a rate and that
    times the factor may be written alike if the interval of one digit holds both.
    """
    if run.learning_rate is None or epoch is None:
        return False
    rate = run.learning_rate[epoch - run.first_epoch]
    if rate is None or rate not in run.learning_rate_rounding:
        return False
    lowest, highest = rate_ends(run, rate)
    return lowest <= highest * factor


def rate_ends(run: Run, rate: float) -> tuple[float, float]:
    """Return between which rates a recorded one may have been."""
    return run.learning_rate_rounding.get(rate, (rate, rate))
