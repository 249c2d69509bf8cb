"""The logs that were read from files: put in groups, and taken out with a word why."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cbreplay.by_key import by_key
from cbreplay.readers.base import SKIP_HINT
from cbreplay.readers.formats import plain_name
from cbreplay.wording.note import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cbreplay.errors import LogError
    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.discovery.run_names import RunsOfLog
    from cbreplay.readers.discovery.training_files import Seen
    from cbreplay.run import Run

__all__ = [
    "FoundLogs",
    "files_of",
    "has_rows",
    "is_text",
    "lie_beside",
    "note_left_out",
]

_TEXTS = (".csv", ".log", ".tsv", ".txt")
_LINES = (".jsonl", ".ndjson")


class FoundLogs:
    """The logs that were read from files, some of them perhaps of one training.

    What is found to be part of another log is taken out, and `seen` tells what became
    of each file. By the options several logs may be read again as one. The notes say
    which of them were left out, and would be another training.
    """

    def __init__(
        self, logs: list[RunsOfLog], seen: list[Seen], options: ReadOptions
    ) -> None:
        self.logs, self.seen, self.options = logs, seen, options
        self.notes: list[Note] = []

    def by_series(
        self, group_of: Callable[[Run], object | None]
    ) -> list[list[RunsOfLog]]:
        """Return the logs of one training each in groups that hold the same series.

        `group_of` tells which logs may be of one training, as those of one directory:
        they have the same answer. A log with the answer None is in no group.
        """

        def key(log: RunsOfLog) -> tuple[object, ...] | None:
            whole = len(log.runs) == 1 and log.run.steps is None
            group = group_of(log.run) if whole else None
            return None if group is None else (group, *sorted(log.run.series))

        return [logs for logs in by_key(self.logs, key).values() if len(logs) > 1]

    def join(self, homes: Mapping[RunsOfLog, RunsOfLog]) -> None:
        """Take out logs whose rows are in another one now, which has their files too.

        `homes` names that one by each of the others.
        """
        self.take_out(dict.fromkeys(homes, ""), "joined")
        for log, home in homes.items():
            home.files = [*home.files, *log.files]

    def take_out(self, reasons: Mapping[RunsOfLog, str], fate: str) -> None:
        """Take logs out, and tell what became of their files, and why unless empty."""
        if not reasons:
            return
        self.logs = [log for log in self.logs if log not in reasons]
        told = {path: why for log, why in reasons.items() for path in log.files}
        # a file may hold a training that was taken out and another one
        for path in [path for log in self.logs for path in log.files]:
            told.pop(path, None)
        self.seen[:] = [
            own._replace(fate=fate, detail=told[own.path] or own.detail)
            if own.path in told
            else own
            for own in self.seen
        ]


def files_of(runs: Sequence[Run], used: list[str]) -> list[str]:
    """Return the files that runs were read from, of those of one training.

    A run that is joined of several has their directory as its source.
    """
    sources = list(dict.fromkeys(run.source for run in runs))
    return sources if {*sources} <= {*used} else used


def is_text(source: str) -> bool:
    """Tell whether a log is a table or JSON, by its name, and no event files."""
    return plain_name(source).endswith((*_TEXTS, *_LINES, ".json"))


def has_rows(source: str) -> bool:
    """Tell whether a log has a row for each epoch, one below the other, by its name."""
    return plain_name(source).endswith((*_TEXTS, *_LINES))


def lie_beside(one: str, other: str) -> bool:
    """Tell whether files are in one directory, or each in one beside the other's."""
    places = os.path.dirname(one), os.path.dirname(other)
    names = os.path.basename(one), os.path.basename(other)
    beside = os.path.dirname(places[0]) == os.path.dirname(places[1])
    return places[0] == places[1] or (beside and names[0] == names[1])


def note_left_out(error: LogError, *, strict: bool) -> Note:
    """Say of a log beside others why it was left out, and what would read it.

    `strict` tells whether a damaged line is an error, so that to skip it would help.
    """
    hint = error.hint
    if hint == SKIP_HINT:
        # the log itself is left out already
        skip = ", or keep what is whole of it with --errors skip or errors='skip'"
        hint = "Correct it" + (skip if strict else "")
    told = error.changed(hint=hint).sentence
    return Note(f"left out another of these logs: {told}", "other logs")
