"""One training in several logs: each begins behind or inside another, or in its gaps.

A fit that was resumed wrote a file of its own, or a log kept its last rows only, or
several workers wrote in turn. Logs of which it is not certain get a note that they may
be of one training.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.by_key import by_key
from cbreplay.errors import LogError
from cbreplay.readers.building.odd_epochs import fill_each_other
from cbreplay.readers.building.runs import note_lost_rows
from cbreplay.readers.discovery.common_epochs import (
    first_number,
    numbers_of,
    put_below,
)
from cbreplay.readers.discovery.comparison import columns_of, share_rows
from cbreplay.readers.discovery.found_logs import has_rows, is_text, lie_beside
from cbreplay.readers.discovery.reading import read_content
from cbreplay.readers.files import read_bytes
from cbreplay.wording.note import OF_NUMBERING, Note, reworded, topic_of
from cbreplay.wording.words import count, list_first

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.readers.discovery.found_logs import FoundLogs, RunsOfLog
    from cbreplay.run import EpochArray, Run

__all__ = [
    "doubt_continued",
    "doubt_gaps",
    "doubt_overlapping",
    "join_continued",
    "join_directories",
    "join_overlapping",
    "join_turns",
    "may_be_parts",
]


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


def may_be_parts(found: FoundLogs) -> bool:
    """Tell whether a log may be a part of a training, of which another has more.

    Nearly always all begin at the same epoch, and none lacks a row: none is.
    """
    begin_alike = len({first_number(log.run) for log in found.logs}) == 1
    return not begin_alike or any(_lacks_rows(log.run) for log in found.logs)


def _lacks_rows(run: Run) -> bool:
    return run.recorded_epochs < run.n_epochs


def _directory(run: Run) -> str | None:
    return os.path.dirname(run.source) if is_text(run.source) else None


def _place_beside(run: Run) -> tuple[str, str]:
    """Return the directory that holds a log's own one, and the name of its file.

    Logs that lie so beside each other are called alike, or are directories of event
    files.
    """
    of_events = not is_text(run.source) and os.path.isdir(run.source)
    own = run.source if of_events else os.path.dirname(run.source)
    file = "" if of_events else os.path.basename(run.source)
    return os.path.dirname(os.path.abspath(own)), file


def _place_above(run: Run) -> tuple[str, str]:
    """Return the directory one higher, and the path below what is in that one.

    So lie logs in directories that are called alike: rank0/logs, rank1/logs.
    """
    place, file = _place_beside(run)
    own = run.source if not file else os.path.dirname(run.source)
    return os.path.dirname(place), f"{os.path.basename(os.path.abspath(own))}/{file}"


def doubt_continued(found: FoundLogs) -> None:
    """Note on logs that they may continue one in a directory beside theirs."""
    for logs in (
        *found.by_series(_place_beside),
        *found.by_series(_place_above),
    ):
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
    # how the numbers of the later part were taken is told by where it goes on
    kept = [note for note in later.notes if topic_of(note) != "epochs"]
    kept = [note for note in kept if note not in run.notes]
    return replace(joined, seams=tuple(sorted({*joined.seams, seam}))).with_notes(
        note, *(reworded(text, f"{following.name}: {text}") for text in kept)
    )


_SHOWN = 5
# each log is looked at for each place where one begins
_MOST_BEGINS = 256


def join_overlapping(found: FoundLogs) -> None:
    """Join logs of which one begins inside another, with the same rows to the bit.

    So are copies of a log that keeps only its last rows, one that was cut at its begin,
    and copies of which each has lost rows that another one has. A fit that was resumed
    trains an epoch anew, to other values.
    """
    joined: dict[RunsOfLog, RunsOfLog] = {}
    for logs in _alike(found):
        for home, others in _join_group(logs).items():
            joined |= dict.fromkeys(others, home)
            names = list_first([log.name for log in others], _SHOWN)
            home.note(
                f"rows of the same training stand in {names} too, equal to the "
                "digit where they are of the same epochs: they were read as one"
            )
    found.join(joined)


def _join_group(logs: Sequence[RunsOfLog]) -> dict[RunsOfLog, list[RunsOfLog]]:
    """Join logs of the same series; return those that are in another one, by that."""
    begins = {first_number(log.run) for log in logs}
    # each row at which a log begins, with the logs that hold it
    holders: dict[tuple[int, bytes], list[RunsOfLog]] = {}
    parts: dict[RunsOfLog, list[RunsOfLog]] = {}
    for log in sorted(logs, key=lambda log: first_number(log.run)):
        run = log.run
        row = (first_number(run), _row(run, 0))
        homes = [home for home in holders.get(row, []) if share_rows(home.run, run)]
        home = homes[0] if len(homes) == 1 else log
        if home is not log:
            home.run = _union(home.run, run)
            parts.setdefault(home, []).append(log)
        for number in begins:
            at = number - first_number(run)
            if 0 <= at < run.n_epochs:
                held = holders.setdefault((number, _row(run, at)), [])
                held += [] if home in held else [home]
    return parts


def _row(run: Run, at: int) -> bytes:
    return b"".join(own.values[at].tobytes() for own in columns_of(run))


def _union(run: Run, later: Run) -> Run:
    """Return a run with the rows of another one that begins inside it."""
    kept = [note for note in later.notes if topic_of(note) not in OF_NUMBERING]
    joined = put_below(run, later)
    own = [note for note in run.notes if topic_of(note) != "lost rows"]
    lost = note_lost_rows(np.flatnonzero(joined.has_row) + joined.first_epoch)
    kept = [note for note in kept if note not in own]
    return replace(joined, notes=(*own, *lost, *kept))


def doubt_gaps(found: FoundLogs) -> None:
    """Note on a log that begins some epochs after another one has ended."""
    for logs in _alike(found):
        ends = [(first_number(log.run) + log.run.n_epochs, log) for log in logs]
        for later in logs:
            run = later.run
            begin = first_number(run)
            before = [
                (end, log)
                for end, log in ends
                if end < begin and lie_beside(log.run.source, run.source)
            ]
            last = max((end for end, _ in before), default=0)
            nearest = [log for end, log in before if end == last]
            if run.first_epoch and len(nearest) == 1:
                between = count(begin - last, "epoch")
                note = (
                    f"between the end of {nearest[0].name} and its own beginning "
                    f"{'lies' if begin - last == 1 else 'lie'} {between}: if both are "
                    "of one training, rows are lost there; each was read as a run"
                )
                later.note(Note(note, "epochs"))


def _alike(found: FoundLogs) -> list[list[RunsOfLog]]:
    """Group logs of one training each that hold the same series, some from late on."""
    return [
        logs
        for logs in found.by_series(lambda run: is_text(run.source) or None)
        if len({first_number(log.run) for log in logs}) - 1 <= _MOST_BEGINS
        and any(log.run.first_epoch or _lacks_rows(log.run) for log in logs)
    ]


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
    """Return the directory of a log of text in which epochs are missing.

    None where it cannot be read again, as from a URL.
    """
    here, name = os.path.isfile(run.source), run.source
    return (
        os.path.dirname(name) if here and _lacks_rows(run) and has_rows(name) else None
    )


def join_directories(found: FoundLogs) -> None:
    """Put logs in directories beside each other together that fill each other's gaps.

    Only the times in event files tell that they were written in turn: their steps go
    up in the order of their times. Of other logs it is doubted that they are several
    trainings, which may be validated at other epochs each.
    """
    for depth, place_of in enumerate((_place_beside, _place_above), start=1):
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
