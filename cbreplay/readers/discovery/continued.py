"""A fit that was resumed wrote a file of its own: it begins where another log ends.

Logs of which it is not certain get a note that they may be of one training.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.by_key import by_key
from cbreplay.note import Note, reworded
from cbreplay.readers.discovery.common_epochs import first_number, put_below
from cbreplay.readers.discovery.found_logs import is_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers.discovery.found_logs import FoundLogs
    from cbreplay.readers.discovery.run_names import RunsOfLog
    from cbreplay.run import Run

__all__ = ["doubt_continued", "doubt_overlapping", "join_continued", "place_beside"]


def join_continued(found: FoundLogs) -> None:
    """Join logs of which one begins in the epoch after another's last one.

    They lie in one directory and hold the same series, and no other log there could go
    on as well. Each was written by a fit of its own, with callbacks created anew.
    """
    joined: dict[RunsOfLog, RunsOfLog] = {}
    for logs in found.by_series(_directory):
        links = _find_links(logs)
        later = {*links.values()}
        for log in links.keys() - later:
            following = links.get(log)
            while following is not None:
                joined[following] = log
                log.run = _continued(log.run, following)
                following = links.get(following)
    found.join(joined)


def _directory(run: Run) -> str | None:
    return os.path.dirname(run.source) if is_text(run.source) else None


def place_beside(run: Run) -> tuple[str, str]:
    """Return the directory that holds a log's own one, and the name of its file.

    Logs that lie so beside each other are called alike, or are directories of event
    files.
    """
    of_events = not is_text(run.source) and os.path.isdir(run.source)
    own = run.source if of_events else os.path.dirname(run.source)
    file = "" if of_events else os.path.basename(run.source)
    return os.path.dirname(os.path.abspath(own)), file


def doubt_continued(found: FoundLogs) -> None:
    """Note on logs that they may continue one in a directory beside theirs."""
    # nearly always all begin at epoch 0, and none of them is looked at
    if not any(log.run.first_epoch for log in found.logs):
        return
    for logs in found.by_series(place_beside):
        for log, later in _find_links(logs).items():
            note = (
                f"it begins where {log.name} ends: if that training was resumed "
                "here, put the files into one directory, to be read as one"
            )
            later.note(Note(note, "parts"))


def doubt_overlapping(found: FoundLogs) -> None:
    """Note on logs that they begin inside another one of their directory, and go on."""
    for logs in found.by_series(_directory):
        begins = np.array([first_number(log.run) for log in logs])
        ends = begins + [log.run.n_epochs - 1 for log in logs]
        for at in np.flatnonzero(begins > begins.min()).tolist():
            inside = (begins < begins[at]) & (begins[at] <= ends) & (ends < ends[at])
            earlier = np.flatnonzero(inside).tolist()
            if len(earlier) == 1:
                note = (
                    f"it begins inside {logs[earlier[0]].name}: if that training was "
                    "resumed here, append its rows to that file, to be read with "
                    "--parts join"
                )
                logs[at].note(Note(note, "parts"))


def _find_links(logs: Sequence[RunsOfLog]) -> dict[RunsOfLog, RunsOfLog]:
    """Return, by each log, the one log that continues it and no other."""
    ends = by_key(logs, lambda log: first_number(log.run) + log.run.n_epochs)
    late = [log for log in logs if log.run.first_epoch]
    begins = by_key(late, lambda log: first_number(log.run))
    return {
        ends[number][0]: later[0]
        for number, later in begins.items()
        if len(later) == len(ends.get(number, ())) == 1
    }


def _continued(run: Run, following: RunsOfLog) -> Run:
    """Append the later part of a training to the earlier one."""
    seam = run.horizon + 1
    note = (
        f"{following.name} goes on from its last epoch: a fit was resumed at epoch "
        f"{seam + 1} (counted from 1), with callbacks created anew"
    )
    later = following.run
    joined = put_below(run, later)
    kept = [text for text in later.notes if text not in run.notes]
    return replace(joined, seams=tuple(sorted({*joined.seams, seam}))).with_notes(
        note, *(reworded(text, f"{following.name}: {text}") for text in kept)
    )
