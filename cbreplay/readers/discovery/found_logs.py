"""The logs that were found: the names of their runs, and which are taken out, and why.

A short name tells runs apart, and chooses one training of a log.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from cbreplay.by_key import by_key
from cbreplay.errors import LogError
from cbreplay.readers.base import SKIP_HINT
from cbreplay.readers.formats import plain_name
from cbreplay.wording.note import Note
from cbreplay.wording.plain_text import is_url, well_formed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.discovery.training_files import Seen
    from cbreplay.run import Run

__all__ = [
    "FoundLogs",
    "RunsOfLog",
    "files_of",
    "has_rows",
    "is_text",
    "label_of",
    "lie_beside",
    "name_runs",
    "names_of",
    "note_left_out",
    "part_of",
    "placed",
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


_SHOWN = 5


class RunsOfLog:
    """The trainings in one log, with a short and a long name for them.

    The one is what it is called below its directory, the other what was typed. They
    were read from files, or directories of event files.
    """

    # a dataclass costs half a millisecond of every start
    __slots__ = ("files", "long_name", "name", "runs")

    def __init__(
        self, name: str, long_name: str, runs: list[Run], files: Sequence[str] = ()
    ) -> None:
        self.name, self.long_name, self.runs = name, long_name, runs
        self.files = files

    @property
    def run(self) -> Run:
        """The training of a log that holds one, else the first of them."""
        return self.runs[0]

    @run.setter
    def run(self, run: Run) -> None:
        self.runs[0] = run

    def note(self, *notes: str) -> None:
        """Note something on its training."""
        self.run = self.run.with_notes(*notes)

    def call_by_directory(self, place: str) -> None:
        """Name it by `place`, the directory of the files that make one training."""
        above = os.path.basename(os.path.abspath(place))
        self.name = os.path.dirname(self.name) or above
        self.long_name = os.path.dirname(self.long_name) or self.long_name


def part_of(found: list[RunsOfLog], part: str, base: str) -> RunsOfLog:
    """Choose one training of a log by what follows ``#``: its name or its number.

    Its number does too, whatever it is called.
    """
    first = found[0]
    labels = [label_of(run, number) for number, run in enumerate(first.runs, start=1)]
    if part not in labels and part in map(str, range(1, len(labels) + 1)):
        part = labels[int(part) - 1]
    if part not in labels:
        there = ", ".join(f"#{label}" for label in labels[:_SHOWN])
        # behind a URL it may be anything
        asked = "with this #" if is_url(base) else f"#{part}"
        problem = f"there is no training {asked} in it; there is {there}"
        raise LogError(problem, source=base, hint="Choose one of these")
    run = first.runs[labels.index(part)]
    if len(labels) == 1:
        return RunsOfLog(first.name, first.long_name, [run], first.files)
    names = f"{first.name}#{part}", f"{first.long_name}#{part}"
    return RunsOfLog(*names, [run], first.files)


def _has_own_name(run: Run) -> bool:
    """Tell whether a log itself names a training in it, as by a column of models."""
    return run.name != run.source


def placed(run: Run, source: str) -> Run:
    """Return the same run as read at another place, which names it if nothing does."""
    return replace(run, source=source, name=run.name if _has_own_name(run) else source)


def label_of(run: Run, number: int) -> str:
    """Return what tells a training of a log apart: its name, or its number from 1."""
    return run.name if _has_own_name(run) else str(number)


def names_of(root: str, place: str) -> tuple[str, str]:
    """Return a short and a long name: below the directory, and as it was typed."""
    typed = os.path.normpath(root)
    inside = os.path.join(root, "")
    # what was found below a directory was found by joining its path
    below = place.startswith(inside)
    relative = place.removeprefix(inside) if below else os.path.relpath(place, root)
    if relative != os.curdir:
        return relative, os.path.join(typed, relative)
    if os.path.isdir(place) or os.path.isabs(typed):
        return os.path.basename(os.path.abspath(place)) or typed, typed
    return typed, typed


def _common_directory(names: list[str]) -> str:
    """Return the directories that all names begin with, which can be left out.

    >>> _common_directory(["a/lr0.1/s0", "a/lr0.2/s0"]), _common_directory(["a/s0"])
    ('a/', '')
    """
    if len(names) == 1 or any(map(os.path.isabs, names)):
        return ""
    parents = [os.path.dirname(name) for name in names]
    common = os.path.commonpath(parents) if all(parents) else ""
    return common and os.path.join(common, "")


def name_runs(found: list[RunsOfLog]) -> list[Run]:
    """Give each run another name; the trainings of one log are numbered."""
    times = Counter(log.name for log in found)
    common = _common_directory([log.name for log in found])
    taken: set[str] = set()
    runs = []
    for log in found:
        name = log.long_name
        if times[log.name] == 1:
            name = log.name.removeprefix(common)
        for number, run in enumerate(log.runs, start=1):
            part = f"#{label_of(run, number)}" if len(log.runs) > 1 else ""
            unique = wanted = well_formed(name + part)
            again = 2
            while unique in taken:
                unique = f"{wanted} ({again})"
                again += 1
            taken.add(unique)
            runs.append(run if run.name == unique else run.with_name(unique))
    return runs
