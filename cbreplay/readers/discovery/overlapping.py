"""One training in several logs that share rows, as a log that kept its last ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.note import Note, topic_of
from cbreplay.readers.discovery.continued import (
    is_text,
    mark_joined,
    roundings_of_parts,
)
from cbreplay.readers.discovery.read_once import count_digits, lie_beside
from cbreplay.run import Series
from cbreplay.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers.discovery.run_names import RunsOfLog
    from cbreplay.readers.discovery.training_files import Seen
    from cbreplay.run import EpochArray, FloatArray, Run

__all__ = ["doubt_gaps", "join_overlapping"]

# so many rows with so many digits are not the same by chance
_FEWEST, _DIGITS = 2, 15
_SHOWN = 5
# each log is looked at for each place where one begins
_MOST_BEGINS = 256


def join_overlapping(found: list[RunsOfLog], seen: list[Seen]) -> list[RunsOfLog]:
    """Join logs of which one begins inside another, with the same rows to the bit.

    So are copies of a log that keeps only its last rows, and one that was cut at its
    begin. A fit that was resumed trains an epoch anew, to other values.

    Parameters
    ----------
    found : list of RunsOfLog
        What was read, from files only.
    seen : list of Seen
        What became of each file.
    """
    gone: set[int] = set()
    for logs in _by_series(found).values():
        gone |= _join_group(logs, seen)
    return [log for log in found if id(log) not in gone]


def _join_group(logs: Sequence[RunsOfLog], seen: list[Seen]) -> set[int]:
    """Join logs of the same series; return those that are in another one now."""
    begins = {_first_number(log.runs[0]) for log in logs}
    # each row at which a log begins, with the logs that hold it
    holders: dict[tuple[int, bytes], list[RunsOfLog]] = {}
    parts: dict[int, list[RunsOfLog]] = {}
    for log in sorted(logs, key=lambda log: _first_number(log.runs[0])):
        run = log.runs[0]
        row = (_first_number(run), _row(run, 0))
        homes = [home for home in holders.get(row, []) if _agree(home.runs[0], run)]
        home = homes[0] if len(homes) == 1 else log
        if home is not log:
            home.runs[0] = _union(home.runs[0], run)
            parts.setdefault(id(home), []).append(log)
        for number in begins:
            at = number - _first_number(run)
            if 0 <= at < run.n_epochs:
                held = holders.setdefault((number, _row(run, at)), [])
                held += [] if home in held else [home]
    for home in logs:
        others = parts.get(id(home), [])
        if others:
            names = ", ".join(log.name for log in others[:_SHOWN])
            more = ", ..." if len(others) > _SHOWN else ""
            home.runs[0] = home.runs[0].with_notes(
                f"rows of the same training stand in {names}{more} too, equal to the "
                "digit where they are of the same epochs: they were read as one"
            )
        for log in others:
            mark_joined(seen, log.runs[0].source)
    return {id(log) for others in parts.values() for log in others}


def _first_number(run: Run) -> int:
    """Return the number by which a log calls its first epoch."""
    return run.first_epoch + run.counts_from


def _columns(run: Run) -> list[Series]:
    rate = run.learning_rate
    return [
        *(run.series[name] for name in sorted(run.series)),
        *([rate] if rate else []),
    ]


def _row(run: Run, at: int) -> bytes:
    return b"".join(own.values[at].tobytes() for own in _columns(run))


def _agree(run: Run, later: Run) -> bool:
    """Tell whether two logs share rows, and each of these is the same to the bit."""
    if not lie_beside(run.source, later.source):
        return False
    begin = _first_number(later) - _first_number(run)
    stop = min(run.n_epochs, begin + later.n_epochs)
    both = run.has_row[begin:stop] & later.has_row[: stop - begin]
    own, others = _columns(run), _columns(later)
    if np.count_nonzero(both) < _FEWEST or len(own) != len(others):
        return False
    shared = [held.take(slice(begin, stop)).take(both) for held in own]
    same = all(
        held.values.tobytes() == other.values[: stop - begin][both].tobytes()
        and np.array_equal(held.recorded, other.recorded[: stop - begin][both])
        for held, other in zip(shared, others, strict=True)
    )
    # a training that fails repeats its last values, and so does another one
    changing = {
        str(at): held for at, held in enumerate(shared) if len({*held.values}) > 1
    }
    return same and count_digits(changing) >= _DIGITS


def _union(run: Run, later: Run) -> Run:
    """Return a run with the rows of another one that begins inside it."""
    begin = _first_number(later) - _first_number(run)
    length = max(run.n_epochs, begin + later.n_epochs)
    at = np.arange(begin, begin + later.n_epochs)
    moved = later.moved(run.first_epoch + begin - later.first_epoch)
    kept = [note for note in later.notes if topic_of(note) != "epochs"]
    return replace(
        run,
        series={
            name: _filled(own, later.series[name], at, length)
            for name, own in run.series.items()
        },
        learning_rate=_either(run.learning_rate, later.learning_rate, at, length),
        other_learning_rate=None,
        learning_rate_rounding=_roundings(run, later, at, length),
        epoch_seconds=_either(run.epoch_seconds, later.epoch_seconds, at, length),
        wall_seconds=None,
        seams=tuple(sorted({*run.seams, *moved.seams})),
        possible_seams=run.possible_seams | moved.possible_seams,
        replaced=(*run.replaced, *moved.replaced),
        written_again=run.written_again or later.written_again,
        notes=(*run.notes, *(note for note in kept if note not in run.notes)),
    )


def _either(
    own: Series | None, other: Series | None, at: EpochArray, length: int
) -> Series | None:
    return _filled(own, other, at, length) if own and other else None


def _filled(own: Series, other: Series, at: EpochArray, length: int) -> Series:
    """Lay a series out over more epochs, and fill it with the values of another one."""
    values = np.full(length, np.nan, own.values.dtype)
    recorded = np.zeros(length, dtype=np.bool_)
    values[at], recorded[at] = other.values, other.recorded
    held = np.flatnonzero(own.recorded)
    values[held], recorded[held] = own.values[held], True
    others = {int(at[place]): several for place, several in other.others.items()}
    return Series(values, recorded, {**others, **own.others})


def _roundings(run: Run, later: Run, at: EpochArray, length: int) -> FloatArray | None:
    """Return how far the rates may be rounded, by the coarser of two logs."""
    parts = roundings_of_parts(run, later)
    if parts is None:
        return None
    rounding = np.zeros(length)
    for own, places in zip(parts, (np.arange(run.n_epochs), at), strict=True):
        rounding[places] = np.maximum(rounding[places], own)
    return rounding


def doubt_gaps(found: Sequence[RunsOfLog]) -> None:
    """Note on a log that begins some epochs after another one has ended."""
    for logs in _by_series(found).values():
        ends = [
            (_first_number(log.runs[0]) + log.runs[0].n_epochs, log) for log in logs
        ]
        for later in logs:
            run = later.runs[0]
            begin = _first_number(run)
            before = [
                (end, log)
                for end, log in ends
                if end < begin and lie_beside(log.runs[0].source, run.source)
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
                later.runs[0] = run.with_notes(Note(note, "epochs"))


def _by_series(found: Sequence[RunsOfLog]) -> dict[tuple[str, ...], list[RunsOfLog]]:
    """Group logs of one training each that hold the same series, some from late on."""
    groups: dict[tuple[str, ...], list[RunsOfLog]] = {}
    for log in found:
        run = log.runs[0]
        if len(log.runs) == 1 and run.steps is None and is_text(run.source):
            groups.setdefault((*sorted(run.series),), []).append(log)
    return {
        names: logs
        for names, logs in groups.items()
        if 0 < len({_first_number(log.runs[0]) for log in logs}) - 1 <= _MOST_BEGINS
        and any(log.runs[0].first_epoch for log in logs)
    }
