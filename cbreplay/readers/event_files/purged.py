"""What a writer of event files took back when it resumed: the marks of restarts."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.readers.event_files.scalar_table import EventTable, Restart

__all__ = ["before_restarts", "drop_purged"]


def drop_purged(tables: Sequence[EventTable]) -> tuple[list[EventTable], list[str]]:
    """Cut files at the marks of restarts, and drop what these say was taken back.

    A writer that resumes a training marks the step from which it goes on: what was
    written before, from that step on, does not count (TensorBoard reads it so too).

    Parameters
    ----------
    tables : sequence of EventTable
        The files of one directory, in the order they were begun.

    Returns
    -------
    parts : list of EventTable
        The files, cut.
    notes : list of str
        What was dropped.
    """
    if not any(table.restarts for table in tables):
        return list(tables), []
    parts: list[EventTable] = []
    notes: list[str] = []
    for table in tables:
        offsets = [restart.offset for restart in table.restarts]
        cuts = np.searchsorted(table.scalars.offsets, offsets).tolist()
        ends = pairwise([0, *cuts, len(table.scalars.offsets)])
        for (begin, end), restart in zip(ends, [None, *table.restarts], strict=True):
            if restart is not None:
                parts, n_dropped = _drop_from(parts, restart.step)
                if n_dropped:
                    notes.append(
                        f"the writer resumed at step {restart.step} and marked it, "
                        f"which drops {count(n_dropped, 'value')} written before from "
                        "there on"
                    )
            own = table.only(slice(begin, end))
            parts.append(own._replace(resumed=restart is not None))
    return parts, notes


def _drop_from(parts: Sequence[EventTable], step: int) -> tuple[list[EventTable], int]:
    """Leave out the values from a step on, and count them."""
    kept = [part.scalars.steps < step for part in parts]
    cut = [part.only(own) for part, own in zip(parts, kept, strict=True)]
    return cut, sum(int(np.count_nonzero(~own)) for own in kept)


def before_restarts(
    writers: Mapping[str, Sequence[EventTable]],
) -> Iterator[tuple[dict[str, list[EventTable]], dict[str, list[EventTable]]]]:
    """Yield the files as they were before each mark, and what it left of them.

    Parameters
    ----------
    writers : mapping of str to sequence of EventTable
        The files of each writer of a log, in the order they were begun. Where they
        did not mark the same restarts, nothing tells what was written before one.
    """
    marks = {
        name: [(at, own) for at, file in enumerate(files) for own in file.restarts]
        for name, files in writers.items()
        if files
    }
    numbers = {len(own) for own in marks.values()}
    if len(numbers) > 1:
        return
    for number in range(numbers.pop() if numbers else 0):
        before = dict.fromkeys(writers, _NO_FILES) | {
            name: _before(writers[name], *own[number]) for name, own in marks.items()
        }
        left = dict.fromkeys(writers, _NO_FILES) | {
            name: _drop_from(drop_purged(before[name])[0], own[number][1].step)[0]
            for name, own in marks.items()
        }
        yield before, left


_NO_FILES: list[EventTable] = []


def _before(files: Sequence[EventTable], at: int, mark: Restart) -> list[EventTable]:
    """Return what the files held before a mark in one of them."""
    file = files[at]
    cut = int(np.searchsorted(file.scalars.offsets, mark.offset))
    earlier = [own for own in file.restarts if own.offset < mark.offset]
    part = file.only(slice(cut))._replace(restarts=earlier)
    return [*files[:at], *([part] if cut else [])]
