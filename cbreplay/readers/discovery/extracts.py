"""Files that hold some rows of a log beside them: of its best epochs, or its last."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.by_key import by_key
from cbreplay.readers.discovery.read_once import count_digits
from cbreplay.readers.discovery.same_training import count_agreeing, has_all_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers.discovery.found_logs import FoundLogs
    from cbreplay.readers.discovery.run_names import RunsOfLog
    from cbreplay.run import Run

__all__ = ["leave_out_extracts"]

# so many digits at the same epoch of two logs in one place are no coincidence; more are
# asked of several rows, for on a small data set many trainings have the same accuracy
_FEWEST_DIGITS, _DIGITS_OF_ROWS = 3, 7


def leave_out_extracts(found: FoundLogs) -> None:
    """Leave out what holds some rows of another log, and begins later than it."""
    # nearly always all begin at epoch 0, and none of them is looked at
    if not any(log.run.first_epoch for log in found.logs):
        return
    single = [log for log in found.logs if len(log.runs) == 1]
    at_place = by_key(single, lambda log: os.path.dirname(log.run.source))
    homes: dict[RunsOfLog, RunsOfLog] = {}
    for place, logs in at_place.items():
        above = [log for own in _with_parents(place) for log in at_place.get(own, ())]
        homes |= _homes_among(above, logs)
    for log in [log for log in found.logs if log in homes]:
        note = f"some of its rows stand in {log.name} too: they were read once"
        homes[log].note(note)
    reasons = {log: f"rows of {home.name}" for log, home in homes.items()}
    found.take_out(reasons, "passed by")


def _with_parents(place: str) -> list[str]:
    """Return a directory and those above it, as far as its path names them.

    >>> _with_parents("logs/run/checkpoints")
    ['logs/run/checkpoints', 'logs/run', 'logs']
    """
    parents = [place]
    while (above := os.path.dirname(parents[-1])) not in {"", parents[-1]}:
        parents.append(above)
    return parents


def _homes_among(
    others: Sequence[RunsOfLog], logs: Sequence[RunsOfLog]
) -> dict[RunsOfLog, RunsOfLog]:
    """Return, by each log that holds some rows of another one, that one."""
    first = np.array([log.run.first_epoch for log in others])
    last = np.array([log.run.horizon for log in others])
    found: dict[RunsOfLog, RunsOfLog] = {}
    for log in logs:
        run = log.run
        # one may count from 0, and the other from 1
        wider = (first < run.first_epoch) & (run.horizon - 1 <= last)
        for at in np.flatnonzero(wider).tolist() if run.first_epoch else ():
            if _is_extract(run, others[at].run):
                found[log] = others[at]
                break
    return found


def _is_extract(run: Run, other: Run) -> bool:
    """Tell whether each row of a run stands in another."""
    if other.counts_from > run.counts_from:
        # a few rows alone do not tell that they count from 1
        run = run.moved(run.counts_from - other.counts_from)
    within = other.first_epoch < run.first_epoch and run.horizon <= other.horizon
    if not within or not run.series.keys() <= other.series.keys():
        return False
    fewest = _FEWEST_DIGITS if run.recorded_epochs == 1 else _DIGITS_OF_ROWS
    told = count_digits(run.series) >= fewest
    return told and has_all_of(other, run) and count_agreeing(run, other) > 0
