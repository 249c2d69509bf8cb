"""All ways in which several logs are of one training, asked one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.readers.columns.numbered_names import name_metrics_alike
from cbreplay.readers.discovery.continued import (
    doubt_continued,
    doubt_gaps,
    doubt_overlapping,
    join_continued,
    join_directories,
    join_overlapping,
    join_turns,
    may_be_parts,
)
from cbreplay.readers.discovery.data_set_files import join_data_sets
from cbreplay.readers.discovery.derived_logs import (
    leave_out_extracts,
    leave_out_smoothed,
)
from cbreplay.readers.discovery.read_once import leave_out_copies
from cbreplay.readers.discovery.series_files import (
    join_series_files,
    leave_out_rates,
    tell_data_sets,
)

if TYPE_CHECKING:
    from cbreplay.readers.discovery.found_logs import FoundLogs

__all__ = ["join_trainings"]

# one log may hold a training several times, or nothing but a rate
_OF_ONE_LOG = (leave_out_rates, leave_out_copies)
# files of one series, or of one data set, become a log first: only whole logs are
# compared with each other
_STEPS = (
    *(tell_data_sets, join_series_files, join_data_sets, leave_out_rates),
    *(leave_out_extracts, leave_out_copies, leave_out_smoothed),
)
_OF_PARTS = (
    *(join_overlapping, join_turns, join_directories, join_continued),
    *(doubt_continued, doubt_overlapping, doubt_gaps),
)


def join_trainings(found: FoundLogs) -> None:
    """Join logs of one training, leave out copies, and note what remains a doubt.

    Raises
    ------
    LogError
        If there is nothing but learning rates, or two files may be either of a training
        or of its validation.
    """
    if len(found.logs) == 1:
        for step in _OF_ONE_LOG:
            step(found)
        return
    for step in _STEPS:
        step(found)
    name_metrics_alike([log.runs for log in found.logs])
    for step in _OF_PARTS if may_be_parts(found) else ():
        step(found)
