"""One training in several CSV files whose writers took turns."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import LogError
from cbreplay.readers.building.odd_epochs import fill_each_other
from cbreplay.readers.discovery.continued import mark_joined
from cbreplay.readers.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.readers.discovery.run_names import RunsOfLog
    from cbreplay.readers.discovery.training_files import Seen
    from cbreplay.run import EpochArray, Run

__all__ = ["join_turns"]


def join_turns(
    found: list[RunsOfLog],
    seen: list[Seen],
    read_content: Callable[[bytes, str], list[Run]],
    most: int,
) -> list[RunsOfLog]:
    """Put logs of one directory together that fill each other's gaps.

    They hold the same series, and no epoch stands in two of them. They are read anew
    as one file, one below the other, so that its notes and numbers are the whole's.

    Parameters
    ----------
    found : list of RunsOfLog
        What was read, from files only.
    seen : list of Seen
        What became of each file.
    read_content : callable
        Reads the text of a log.
    most : int
        How much is read of a log, in bytes.
    """
    groups: dict[tuple[object, ...], list[RunsOfLog]] = {}
    for log in found:
        run = log.runs[0]
        has_gaps = run.recorded_epochs < run.n_epochs
        if len(log.runs) == 1 and has_gaps and run.source.lower().endswith(_TEXTS):
            place = os.path.dirname(run.source)
            groups.setdefault((place, *sorted(run.series)), []).append(log)
    joined: set[int] = set()
    for logs in groups.values():
        if len(logs) > 1 and _took_turns([log.runs[0] for log in logs]):
            joined |= _join(logs, seen, read_content, most)
    return [log for log in found if id(log) not in joined]


_TEXTS = (".csv", ".log", ".tsv", ".txt")


def _took_turns(runs: Sequence[Run]) -> bool:
    numbers = [_own_numbers(run) for run in runs]
    pieces = np.repeat(np.arange(len(runs)), [len(own) for own in numbers])
    return fill_each_other(np.concatenate(numbers), pieces)


def _own_numbers(run: Run) -> EpochArray:
    """Return the numbers by which a log calls the epochs that it holds."""
    recorded = np.logical_or.reduce([own.recorded for own in run.series.values()])
    numbers: EpochArray = np.flatnonzero(recorded) + run.first_epoch + run.counts_from
    return numbers


def _join(
    logs: Sequence[RunsOfLog],
    seen: list[Seen],
    read_content: Callable[[bytes, str], list[Run]],
    most: int,
) -> set[int]:
    """Read logs as one, in the place of the first; return the others."""
    first, *others = logs
    source = first.runs[0].source
    contents = [read_bytes(log.runs[0].source, most, len(logs)) for log in logs]
    try:
        runs = read_content(b"\n".join(contents), source)
    except LogError:
        # not one table: other separators, another order of columns
        return set()
    if len(runs) > 1:
        return set()
    names = ", ".join(log.name for log in others)
    note = (
        f"the epochs of one training stand here and in {names}, written in turn: none "
        "stands twice, and each fills the gaps of the others"
    )
    first.runs[0] = runs[0].with_notes(note)
    for log in others:
        mark_joined(seen, log.runs[0].source)
    return {id(log) for log in others}
