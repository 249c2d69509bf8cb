"""The event files of a directory: where they are, what they hold, what is damaged."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.errors import LogError
from cbreplay.readers.base import SKIP_HINT
from cbreplay.readers.entries import (
    event_files,
    holds_events,
    is_directory,
    is_event_file,
    list_entries,
)
from cbreplay.readers.event_files.reading import read_events
from cbreplay.readers.event_files.tag_directories import find_tag_directories, series_of
from cbreplay.readers.event_files.writers import EventFile
from cbreplay.readers.files import check_size, read_beginning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.readers.base import Damage
    from cbreplay.readers.event_files.layouts import Layout
    from cbreplay.readers.event_files.scalar_table import EventTable

__all__ = ["LogFiles", "find_files", "read_files", "report_damage"]

# what the TensorBoard callback calls its two writers
_WRITERS = ("train", "validation")
_TIME = re.compile(r"tfevents\.(\d+)", re.ASCII)
_SHOWN = 3


def find_files(path: str) -> dict[str, list[str]]:
    """Return the event files of each writer, in the order they were begun.

    A writer of one series alone is called by it; see `find_tag_directories`.

    Parameters
    ----------
    path : str
        A directory, or an event file.
    """
    files: dict[str, list[str]] = {"": [], "train": [], "validation": []}
    if not os.path.isdir(path):
        if is_event_file(path) or holds_events(read_beginning(path, 64)):
            files[_writer_of(os.path.dirname(path))].append(path)
        return files
    entries = list_entries(path)
    files[_writer_of(path)] = _in_order(event_files(entries, path))
    for entry in entries:
        if entry.name in _WRITERS and is_directory(entry, path):
            inside = list_entries(entry.path)
            files[entry.name] += _in_order(event_files(inside, path))
    for below in find_tag_directories(entries, path):
        inside = list_entries(below)
        files[series_of(below, path)] = _in_order(event_files(inside, path))
    return files


def _writer_of(directory: str) -> str:
    name = os.path.basename(os.path.abspath(directory))
    return name if name in _WRITERS else ""


def _in_order(files: list[os.DirEntry[str]]) -> list[str]:
    def begun(file: os.DirEntry[str]) -> tuple[int, str]:
        time = _TIME.search(file.name)
        return (int(time[1]) if time else 0, file.name)

    return [file.path for file in sorted(files, key=begun)]


class LogFiles(NamedTuple):
    """The event files of each writer, and those that cannot be read at all."""

    files: dict[str, list[EventFile]]
    unread: list[LogError]
    notes: list[str]

    @property
    def tags(self) -> list[str]:
        """The tags of their scalars, in the order of the files.

        A writer of one series alone calls it by its directory.
        """
        named = [
            file.table.tags if writer in ("", *_WRITERS) else [writer]
            for writer, files in self.files.items()
            for file in files
        ]
        return list(dict.fromkeys(tag for tags in named for tag in tags))

    @property
    def tables(self) -> list[EventTable]:
        """What the files hold, in their order."""
        return [file.table for files in self.files.values() for file in files]


def read_files(path: str, most: int) -> LogFiles:
    """Read the event files of a directory, or one.

    Parameters
    ----------
    path : str
        The directory or the file.
    most : int
        How many bytes each may hold, unpacked.
    """
    log = LogFiles({}, [], [])
    empty = []
    for writer, listed in find_files(path).items():
        files = log.files[writer] = []
        for file in listed:
            if _is_empty(file):
                empty.append(file)
                continue
            try:
                check_size(file, most)
                files.append(EventFile(file, read_events(file, most=most)))
            except LogError as error:
                log.unread.append(error)
        held = [file.path for file in files if len(file.table.scalars.tag)]
        if len(held) > 1:
            log.notes.append(
                f"{writer or 'the directory'} holds {len(held)} event files, read in "
                f"the order of their times: {_named(held)}"
            )
    if empty and (any(log.files.values()) or log.unread):
        # a writer that has not written yet
        log.notes.append(f"empty files were passed by: {_named(empty)}")
    elif empty:
        problem, hint = "the file is empty", "Give a log with at least one epoch"
        log.unread.append(LogError(problem, source=empty[0], hint=hint))
    alone = [name for name in log.files if name not in ("", *_WRITERS)]
    if alone:
        log.notes.append(
            f"{', '.join(alone)}: directories of one series each, as add_scalars "
            "writes them, were read as series of one training"
        )
    log.notes.extend(_unfinished(log))
    return log


def _is_empty(path: str) -> bool:
    try:
        found = os.stat(path)
    except OSError:
        return False
    return found.st_size == 0 and stat.S_ISREG(found.st_mode)


def _named(paths: list[str]) -> str:
    more = ", ..." if len(paths) > _SHOWN else ""
    return ", ".join(map(os.path.basename, paths[:_SHOWN])) + more


def _unfinished(log: LogFiles) -> Iterator[str]:
    for files in log.files.values():
        for path, table, _ in files:
            if table.unfinished is not None:
                yield (
                    f"{os.path.basename(path)} was read as far as it is whole: "
                    f"{table.unfinished.problem}"
                )


def report_damage(log: LogFiles, layout: Layout | None, damage: Damage) -> None:
    """Report what is damaged, file for file, in the order of each file."""
    for error in log.unread:
        damage.report(error)
    for writer, files in log.files.items():
        for file in files:
            errors = [*file.table.damage.errors]
            if layout is not None:
                errors += _negative_steps(file, writer, layout)
            for error in sorted(errors, key=lambda one: one.byte or 0):
                damage.report(error)
            damage.n_more += file.table.damage.n_more


def _negative_steps(file: EventFile, writer: str, layout: Layout) -> Iterator[LogError]:
    tags, scalars = file.table.tags, file.table.scalars
    for i in np.flatnonzero(scalars.steps < 0).tolist():
        tag = tags[scalars.tag[i]]
        if layout.series_name(tag, writer) is not None:
            problem = f"{tag} has the step {scalars.steps[i]}, below 0"
            byte = int(scalars.offsets[i])
            yield LogError(problem, source=file.path, byte=byte, hint=SKIP_HINT)
