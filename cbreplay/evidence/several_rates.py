"""The learning rates of several optimizers: where they do not change alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.evidence.rounded import count_digits, half_units, rate_ends
from cbreplay.series_names import is_rate_name

if TYPE_CHECKING:
    from cbreplay.run import BoolArray, FloatArray, Run, Series

__all__ = ["fill_gaps", "find_rates_apart"]

# each reduction rounds to float32 anew, and a schedule does so in other steps
_NEAR = 1e-5


def fill_gaps(rates: list[float | None]) -> list[float | None]:
    """Give a missing rate its neighbours' where both agree."""
    # first, backwards: the next known rate after each gap
    after: list[float | None] = [None] * len(rates)
    for position in reversed(range(len(rates))):
        known = rates[position]
        if known is None and position + 1 < len(rates):
            known = after[position + 1]
        after[position] = known
    before = rates[0]
    for position, rate in enumerate(rates):
        if rate is None and after[position] == before:
            rates[position] = before
        before = before if rate is None else rate
    return rates


def find_rates_apart(run: Run, rate: Series) -> BoolArray:
    """Return in which epochs another rate of the run is not in proportion to `rate`.

    Those of other optimizers and groups of parameters are metrics of the run. What sets
    one rate after another from the same decisions keeps all of them in proportion. So
    does a loop that logs a rate only after it has changed, one epoch sooner.

    Returns
    -------
    bool array of shape (n_epochs,)
        False in the first epoch, at whose rates each training begins.
    """
    apart = np.zeros(run.n_epochs, dtype=np.bool_)
    others = [own for name, own in run.series.items() if is_rate_name(name)]
    if not others:
        return apart
    filled = fill_gaps(list(rate))
    told = np.array(filled, dtype=np.float64)
    nothing = (np.nan, np.nan)
    ends = np.array([nothing if own is None else rate_ends(run, own) for own in filled])
    for other in others:
        # where it ends, another rate tells nothing
        values = other.values[: int(np.flatnonzero(other.recorded).max(initial=-1)) + 1]
        found = _apart(values, told, ends)
        sooner = (
            _changes(told).any() and not _apart(values[:-1], told[1:], ends[1:]).any()
        )
        if not sooner:
            apart[: len(found)] |= found
    return apart


def _apart(values: FloatArray, told: FloatArray, ends: FloatArray) -> BoolArray:
    """Return where values do not change with the rates, or by another factor."""
    held = [value if np.isfinite(value) else None for value in values.tolist()]
    own = np.array(fill_gaps(held), dtype=np.float64)
    told = told[: len(own)]
    # a group that is frozen first has a rate of 0, which no other is in proportion to
    both = np.flatnonzero((own >= 0) & (told > 0))
    if len(both) == 0 or not (own > 0).any():
        return np.zeros(len(own), dtype=np.bool_)
    first, (low, high) = both[0], ends[: len(own)].T
    half = half_units(own, *count_digits(values)) + np.abs(own) * _NEAR
    # the least and the most by which each was multiplied since the first epoch
    with np.errstate(divide="ignore", invalid="ignore"):
        below, above = np.maximum(own - half, 0), own + half
        apart: BoolArray = (below / above[first] > high / low[first]) | (
            low / high[first] > above / below[first]
        )
    apart |= np.isnan(own)
    apart[1:] |= _changes(own) != _changes(told)
    apart[: first + 1] = False
    return apart


def _changes(rates: FloatArray) -> BoolArray:
    single = rates.astype(np.float32)
    changes: BoolArray = single[1:] != single[:-1]
    return changes
