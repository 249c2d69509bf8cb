"""One training in several logs whose writers took turns."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import LogError
from cbreplay.readers.building.odd_epochs import fill_each_other
from cbreplay.readers.discovery.continued import group_beside, is_text, mark_joined
from cbreplay.readers.discovery.run_names import RunsOfLog
from cbreplay.readers.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from cbreplay.readers.discovery.training_files import Seen
    from cbreplay.run import EpochArray, Run

__all__ = ["has_rows", "join_directories", "join_turns"]


def join_turns(
    found: list[RunsOfLog],
    seen: list[Seen],
    read_content: Callable[[bytes, str], list[Run]],
    most: int,
) -> list[RunsOfLog]:
    """Join logs of one directory that fill each other's gaps.

    They hold the same series, and no epoch is in two of them. They are read again as
    one file, one below the other, so that notes and numbers are those of the whole.

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
        if len(log.runs) == 1 and has_gaps and has_rows(run.source):
            place = os.path.dirname(run.source)
            groups.setdefault((place, *sorted(run.series)), []).append(log)
    joined: set[int] = set()
    for logs in groups.values():
        if len(logs) > 1 and _took_turns([log.runs[0] for log in logs]):
            joined |= _join(logs, seen, read_content, most)
    return [log for log in found if id(log) not in joined]


def has_rows(source: str) -> bool:
    """Tell whether a log has a row for each epoch, one below the other, by its name."""
    lines = source.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson"))
    return lines or is_text(source)


# fewer epochs may be in turn by chance
_FEWEST = 5


def join_directories(
    found: list[RunsOfLog],
    seen: list[Seen],
    read_together: Callable[[Sequence[str], str], list[Run]],
) -> list[RunsOfLog]:
    """Put logs in directories beside each other together that fill each other's gaps.

    Only the times in event files tell that they were written in turn: their steps go
    up in the order of their times. Of other logs it is doubted that they are several
    trainings, which may be validated at other epochs each.

    Parameters
    ----------
    found : list of RunsOfLog
        What was read, from files only.
    seen : list of Seen
        What became of each file.
    read_together : callable
        Reads directories of event files as one, below another.
    """
    made: dict[int, RunsOfLog] = {}
    gone: set[int] = set()
    for (place, _, *_), logs in group_beside(found).items():
        if len(logs) == 1 or not _took_turns([log.runs[0] for log in logs]):
            continue
        read = {own.path for own in seen if own.fate == "read"}
        joined = _read_in_turn(logs, place, read, read_together)
        if joined is None:
            _doubt(logs)
            continue
        made[id(logs[0])] = joined
        gone |= {id(log) for log in logs[1:]}
        for log in logs[1:]:
            mark_joined(seen, log.runs[0].source)
    return [made.get(id(log), log) for log in found if id(log) not in gone]


def _read_in_turn(
    logs: Sequence[RunsOfLog],
    place: str,
    read: Collection[str],
    read_together: Callable[[Sequence[str], str], list[Run]],
) -> RunsOfLog | None:
    """Read directories of event files as one; None if they are not one training."""
    runs = [log.runs[0] for log in logs]
    paths = [run.source for run in runs]
    alone = all(os.path.isdir(path) and path in read for path in paths)
    n_epochs = sum(run.recorded_epochs for run in runs)
    if not alone or n_epochs < _FEWEST or any(run.metadata for run in runs):
        return None
    try:
        runs = read_together(paths, place)
    except LogError:
        return None
    if len(runs) > 1:
        return None
    first = logs[0]
    name = os.path.dirname(first.name) or os.path.basename(place)
    long_name = os.path.dirname(first.long_name) or first.long_name
    return RunsOfLog(name, long_name, runs)


def _doubt(logs: Sequence[RunsOfLog]) -> None:
    """Say of logs that they may be one training."""
    of_events = any(os.path.isdir(log.runs[0].source) for log in logs)
    how = "read with --parts join or parts='join'" if of_events else "read as one"
    for log in logs:
        others = ", ".join(other.name for other in logs if other is not log)
        log.runs[0] = log.runs[0].with_notes(
            f"its epochs stand in the gaps of {others}: if several workers wrote one "
            f"training in turn, put their files into one directory, to be {how}"
        )


def _took_turns(runs: Sequence[Run]) -> bool:
    numbers: list[EpochArray] = []
    met: set[int] = set()
    for run in runs:
        own = _own_numbers(run)
        # nearly always the first two share an epoch, and no other is looked at
        if not met.isdisjoint(own.tolist()):
            return False
        met.update(own.tolist())
        numbers.append(own)
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
