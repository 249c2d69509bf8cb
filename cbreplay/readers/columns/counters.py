"""A column that counts what a training did, under a name that nobody knows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.evidence.cadence import common_distance
from cbreplay.readers.columns.column_names import (
    BATCH_NAMES,
    EPOCH_NAMES,
    INDEXES,
    LIKE_EPOCH,
    RUNS,
    STEP_NAMES,
    letters,
)
from cbreplay.readers.columns.roles import (
    EXACT,
    are_epochs,
    check_rows_are_epochs,
)
from cbreplay.series_names import plain_direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import FloatArray

__all__ = ["list_counts_on", "name_counter"]


def name_counter(table: LogTable, options: ReadOptions) -> None:
    """Call the first column that counts what a training did its step, with a note.

    Without it the rows would be epochs, and none that is lost would be missed.

    Raises
    ------
    LogError
        If its rows are no epochs, but trials or models that it counts.
    """
    indexes = map(str.lower, INDEXES)
    if table.first_of((*EPOCH_NAMES, *BATCH_NAMES, *STEP_NAMES, *indexes)):
        return
    for name, cells in table.columns.items():
        if cells.whole and _counts_on(name, cells.values):
            if options.x_axis != "epoch":
                check_rows_are_epochs(table)
            told = f"column {name} counts on from row to row: it is the step"
            table.notes.append(told)
            table.rename({name: "step"})
            return


def list_counts_on(name: str, values: Sequence[Any]) -> bool:
    """Tell whether a list counts as `name_counter` says."""
    plain = all(type(own) in {int, float} and 0 <= own < EXACT for own in values)
    return plain and _counts_on(name, np.array(values, dtype=np.float64))


def _counts_on(name: str, values: FloatArray) -> bool:
    """Tell whether a column counts by one distance, and leaves some out or begins anew.

    Then it tells more than the order of its rows. Times and metrics do not count.

    >>> _counts_on("batches", np.array([100.0, 200, 300, 500, 600, 700]))
    True
    >>> [_counts_on(name, np.array([1.0, 2, 3, 5, 6, 7])) for name in ("reward", "sec")]
    [False, False]
    >>> _counts_on("wait", np.array([0.0, 1, 2, 0, 1, 2, 3, 0]))
    False
    """
    if len(values) < _FEWEST or not are_epochs(values).all():
        return False
    distances = np.diff(values)
    if (distances == distances[0]).all():
        return False
    begins = np.flatnonzero(np.append(True, distances <= 0))
    if len(begins) > 1:
        # how long a callback has waited begins anew too, at 0 or after an epoch or two
        anew = (values[begins] == values[0]).all() and values[0] > 0
        if not anew or np.diff(begins, append=len(values)).min() < _SHORTEST:
            return False
    on = distances[distances > 0].astype(np.int64)
    usual = common_distance(on.tolist())
    counts = usual is not None and not (on % usual).any()
    counts = counts and values[0] in {0, 1, usual}
    # Stable Baselines logs time/total_timesteps
    own = re.sub(_NO_TIMES, "", name.rpartition("/")[2])
    known = re.search(_TIMES, own) is not None or letters(name) in RUNS
    known = known or re.fullmatch(LIKE_EPOCH, letters(name)) is not None
    return counts and not known and plain_direction(name) is None


# "date" is in num_updates
_NO_TIMES = "(?i)timestep|update"
_TIMES = "(?i)time|date|sec|elapsed|clock|durat|minute|hour"
# fewer values may rise so by chance, in all or in one training
_FEWEST, _SHORTEST = 6, 3
