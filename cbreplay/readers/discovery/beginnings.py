"""Whether a run is the beginning of another, or its copy: to the digits of both."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.written_digits import count_all_digits
from cbreplay.readers.discovery.found_logs import lie_beside
from cbreplay.readers.discovery.same_training import count_agreeing, has_all_of
from cbreplay.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.run import Series

__all__ = [
    "FEWEST",
    "begins",
    "begins_to_the_bit",
    "count_changing",
    "count_digits",
    "output_of",
    "parts_last",
    "rates_agree",
]


# this many changing values of one series do not agree by chance
FEWEST = 5
# so many digits of all rows but a last one that differs do not either
_CUT_DIGITS = 30
_RATE_NEAR = 1e-2


def begins_to_the_bit(run: Run, other: Run) -> bool:
    """Tell whether each value of a run is the same number in a longer one beside it."""
    beside = lie_beside(run.source, other.source)
    alike = beside and run.first_epoch == other.first_epoch
    return (alike and run.series.keys() <= other.series.keys()) and all(
        np.array_equal(own.values, longer.values[: len(own)], equal_nan=True)
        and np.array_equal(own.recorded, longer.recorded[: len(own)])
        for own, longer in (
            (own, other.series[name]) for name, own in run.series.items()
        )
    )


def count_digits(series: Mapping[str, Series]) -> int:
    """Count the digits of the finite values of series, each value once."""
    return count_all_digits(own.values[own.recorded] for own in series.values())


def begins(run: Run, other: Run) -> bool:
    """Tell whether a run is the beginning of another, perhaps but for its last row."""
    return _holds(run, other) or parts_last(run, other)


def parts_last(run: Run, other: Run) -> bool:
    """Tell whether the last row alone differs from the longer log that it begins.

    So does one that was half written when the log was copied.
    """
    if not FEWEST < run.n_epochs < other.n_epochs or _holds(run, other):
        return False
    above = {name: own.take(slice(0, -1)) for name, own in run.series.items()}
    whole = Run(name="", source=run.source, first_epoch=run.first_epoch, series=above)
    return count_digits(above) >= _CUT_DIGITS and _holds(whole, other)


def _holds(run: Run, other: Run) -> bool:
    """Tell whether a run is the beginning of another, which is no shorter."""
    changing = max(map(count_changing, run.series.values()))
    output = output_of(run.source)
    if changing < (1 if output and output == output_of(other.source) else FEWEST):
        return False
    bare = replace(run, steps=None), replace(other, steps=None)
    # a copy may have lost rows, but has none that the other lacks
    alike = has_all_of(other, run) and rates_agree(run, other)
    return alike and count_agreeing(*bare) > 0


def rates_agree(run: Run, other: Run) -> bool:
    """Tell whether two logs have equal learning rates wherever both hold one."""
    if run.learning_rate is None or other.learning_rate is None:
        return True
    own, longer = run.learning_rate, other.learning_rate
    both = own.recorded & longer.recorded[: len(own)]
    rates, others = own.values[both], longer.values[: len(own)][both]
    # a later save may have rounded them; a reduction changes them by far more
    return bool(np.isclose(rates, others, rtol=_RATE_NEAR, equal_nan=True).all())


def count_changing(series: Series) -> int:
    """Count the different finite values of a series."""
    known = series.values[series.recorded]
    return len(set(known[np.isfinite(known)].tolist()))


_TRAINER_STATE = "trainer_state.json"


def output_of(path: str) -> str:
    """Return Trainer's output directory: that of checkpoint-500/, or of the state."""
    if os.path.basename(path) != _TRAINER_STATE:
        return ""
    directory = os.path.dirname(path)
    inside = os.path.basename(directory).startswith("checkpoint-")
    return os.path.dirname(directory) if inside else directory
