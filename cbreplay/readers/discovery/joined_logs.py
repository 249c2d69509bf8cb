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
from cbreplay.readers.discovery.written_in_turn import join_directories, join_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.note import Note
    from cbreplay.readers.discovery.run_names import RunsOfLog
    from cbreplay.readers.discovery.training_files import Seen
    from cbreplay.run import Run

__all__ = ["join_trainings"]


def join_trainings(
    files: list[RunsOfLog],
    seen: list[Seen],
    left_out: list[Note],
    *,
    read_content: Callable[[bytes, str], list[Run]],
    read_together: Callable[[Sequence[str], str], list[Run]],
    most: int,
) -> list[RunsOfLog]:
    """Join logs of one training, leave out copies, and note what remains a doubt.

    Files of one series, or of one data set, become a log first: only whole logs are
    compared with each other.

    Parameters
    ----------
    files : list of RunsOfLog
        What was read from files, two or more.
    seen : list of Seen
        Is told what became of each file.
    left_out : list of Note
        Is told which files hold only a learning rate.
    read_content, read_together : callable
        Reads the text of several logs as one; reads directories of event files as one.
    most : int
        How much is read of a log, in bytes.

    Raises
    ------
    LogError
        If there is nothing but learning rates, or two files may be either of a training
        or of its validation.
    """
    whole = join_data_sets(join_series_files(files, seen), seen)
    whole = leave_out_extracts(leave_out_rates(whole, seen, left_out), seen)
    once = join_overlapping(leave_out_copies(whole, seen), seen)
    once = join_turns(once, seen, read_content, most)
    once = join_directories(once, seen, read_together)
    once = join_continued(once, seen)
    doubt_continued(once)
    doubt_overlapping(once)
    doubt_gaps(once)
    name_metrics_alike(once)
    return once
