"""One training in several logs whose writers took turns."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import LogError
from cbreplay.readers.building.odd_epochs import fill_each_other
from cbreplay.readers.discovery.common_epochs import numbers_of
from cbreplay.readers.discovery.continued import place_above, place_beside
from cbreplay.readers.discovery.found_logs import has_rows
from cbreplay.readers.discovery.reading import read_content
from cbreplay.readers.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.readers.discovery.found_logs import FoundLogs
    from cbreplay.readers.discovery.run_names import RunsOfLog
    from cbreplay.run import EpochArray, Run

__all__ = ["join_directories", "join_turns"]

# fewer epochs may be in turn by chance
_FEWEST = 5


def join_turns(found: FoundLogs) -> None:
    """Join logs of one directory that fill each other's gaps.

    They hold the same series, and no epoch is in two of them. They are read again as
    one file, one below the other, so that notes and numbers are those of the whole.
    """
    joined: dict[RunsOfLog, RunsOfLog] = {}
    for logs in _in_turn(found, _directory_of_gaps):
        first, *others = logs
        most = found.options.max_bytes
        contents = [read_bytes(log.run.source, most, len(logs)) for log in logs]
        whole, source = b"\n".join(contents), first.run.source
        # None if it is not one table: other separators, another order of columns
        run = _read_as_one(partial(read_content, whole, source, found.options))
        if run is not None:
            names = ", ".join(log.name for log in others)
            first.run = run.with_notes(
                f"the epochs of one training stand here and in {names}, written in "
                "turn: none stands twice, and each fills the gaps of the others"
            )
            joined |= dict.fromkeys(others, first)
    found.join(joined)


def _directory_of_gaps(run: Run) -> str | None:
    """Return the directory of a log of text in which epochs are missing."""
    has_gaps = run.recorded_epochs < run.n_epochs
    return os.path.dirname(run.source) if has_gaps and has_rows(run.source) else None


def join_directories(found: FoundLogs) -> None:
    """Put logs in directories beside each other together that fill each other's gaps.

    Only the times in event files tell that they were written in turn: their steps go
    up in the order of their times. Of other logs it is doubted that they are several
    trainings, which may be validated at other epochs each.
    """
    for depth, place_of in enumerate((place_beside, place_above), start=1):
        _join_directories(found, place_of, depth)


def _join_directories(
    found: FoundLogs, place_of: Callable[[Run], tuple[str, str]], depth: int
) -> None:
    joined: dict[RunsOfLog, RunsOfLog] = {}
    read = {own.path for own in found.seen if own.fate == "read"}
    for logs in _in_turn(found, place_of):
        first, *others = logs
        runs = [log.run for log in logs]
        paths = [run.source for run in runs]
        place, _ = place_of(runs[0])
        alone = all(os.path.isdir(path) and path in read for path in paths)
        many = sum(run.recorded_epochs for run in runs) >= _FEWEST
        run = None
        if alone and many and not any(run.metadata for run in runs):
            from cbreplay.readers.event_files.tensorboard import TensorBoardReader

            reader = TensorBoardReader(found.options)
            run = _read_as_one(partial(reader.read_together, paths, place))
        if run is None:
            _doubt(logs)
            continue
        joined |= dict.fromkeys(others, first)
        first.run = run
        for _ in range(depth):
            first.call_by_directory(place)
    found.join(joined)


def _in_turn(
    found: FoundLogs, group_of: Callable[[Run], object | None]
) -> list[list[RunsOfLog]]:
    """Return groups of logs that fill each other's gaps."""
    return [
        logs
        for logs in found.by_series(group_of)
        if _took_turns([log.run for log in logs])
    ]


def _read_as_one(read: Callable[[], list[Run]]) -> Run | None:
    """Read logs as one; None if they cannot be read so, or are not one training."""
    try:
        runs = read()
    except LogError:
        return None
    return runs[0] if len(runs) == 1 else None


def _doubt(logs: Sequence[RunsOfLog]) -> None:
    """Say of logs that they may be one training."""
    of_events = any(os.path.isdir(log.run.source) for log in logs)
    how = "read with --parts join or parts='join'" if of_events else "read as one"
    for log in logs:
        others = ", ".join(other.name for other in logs if other is not log)
        log.note(
            f"its epochs stand in the gaps of {others}: if several workers wrote one "
            f"training in turn, put their files into one directory, to be {how}"
        )


def _took_turns(runs: Sequence[Run]) -> bool:
    numbers: list[EpochArray] = []
    met: set[int] = set()
    for run in runs:
        own = numbers_of(run)
        # nearly always the first two share an epoch, and no other is looked at
        if not met.isdisjoint(own.tolist()):
            return False
        met.update(own.tolist())
        numbers.append(own)
    pieces = np.repeat(np.arange(len(runs)), [len(own) for own in numbers])
    return fill_each_other(np.concatenate(numbers), pieces)
