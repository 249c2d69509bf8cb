"""All ways in which several logs are of one training, asked one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.readers.discovery.continued import (
    doubt_continued,
    doubt_overlapping,
    join_continued,
)
from cbreplay.readers.discovery.data_set_files import join_data_sets
from cbreplay.readers.discovery.extracts import leave_out_extracts
from cbreplay.readers.discovery.numbered_metrics import name_metrics_alike
from cbreplay.readers.discovery.overlapping import doubt_gaps, join_overlapping
from cbreplay.readers.discovery.read_once import leave_out_copies
from cbreplay.readers.discovery.series_files import join_series_files, leave_out_rates
from cbreplay.readers.discovery.smoothed import leave_out_smoothed
from cbreplay.readers.discovery.written_in_turn import join_directories, join_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.note import Note
    from cbreplay.readers.discovery.found_logs import FoundLogs
    from cbreplay.run import Run

__all__ = ["join_trainings"]


def join_trainings(
    found: FoundLogs,
    *,
    read_content: Callable[[bytes, str], list[Run]],
    read_together: Callable[[Sequence[str], str], list[Run]],
    most: int,
) -> list[Note]:
    """Join logs of one training, leave out copies, and note what remains a doubt.

    Files of one series, or of one data set, become a log first: only whole logs are
    compared with each other.

    There are two or more. `read_content` reads the text of several logs as one, up to
    `most` bytes of each; `read_together` reads directories of event files as one.

    Returns
    -------
    list of Note
        Which files hold only a learning rate, and were left out.

    Raises
    ------
    LogError
        If there is nothing but learning rates, or two files may be either of a training
        or of its validation.
    """
    join_series_files(found)
    join_data_sets(found)
    rates = leave_out_rates(found)
    leave_out_extracts(found)
    leave_out_copies(found)
    leave_out_smoothed(found)
    join_overlapping(found)
    join_turns(found, read_content, most)
    join_directories(found, read_together)
    join_continued(found)
    doubt_continued(found)
    doubt_overlapping(found)
    doubt_gaps(found)
    name_metrics_alike(found.logs)
    return rates
