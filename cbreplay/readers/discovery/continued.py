"""One training in several text logs: a resumed fit that wrote a file of its own."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.note import Note, reworded
from cbreplay.run import Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers.discovery.run_names import RunsOfLog
    from cbreplay.readers.discovery.training_files import Seen
    from cbreplay.run import FloatArray, Run

__all__ = [
    "doubt_continued",
    "doubt_overlapping",
    "group_beside",
    "is_text",
    "join_continued",
    "mark_joined",
    "roundings_of_parts",
]

_TEXTS = (".csv", ".log", ".tsv", ".txt")


def join_continued(found: list[RunsOfLog], seen: list[Seen]) -> list[RunsOfLog]:
    """Join logs of which one begins in the epoch after another's last one.

    They lie in one directory and hold the same series, and no other log there could go
    on as well. Each was written by a fit of its own, with callbacks created anew.

    Parameters
    ----------
    found : list of RunsOfLog
        What was read, from files only.
    seen : list of Seen
        What became of each file.
    """
    joined: set[int] = set()
    for logs in _group_of_directories(found):
        joined |= _join_chains(logs, seen)
    return [log for log in found if id(log) not in joined]


def _group_of_directories(found: Sequence[RunsOfLog]) -> list[list[RunsOfLog]]:
    """Group text logs of the same series that lie in one directory, two or more."""
    groups: dict[tuple[object, ...], list[RunsOfLog]] = {}
    for log in found:
        run = log.runs[0]
        if len(log.runs) == 1 and run.steps is None and is_text(run.source):
            place = os.path.dirname(run.source)
            groups.setdefault((place, *sorted(run.series)), []).append(log)
    return [logs for logs in groups.values() if len(logs) > 1]


def is_text(source: str) -> bool:
    """Tell whether a log is a table of text, by its name."""
    return source.lower().removesuffix(".gz").endswith(_TEXTS)


def group_beside(
    found: Sequence[RunsOfLog],
) -> dict[tuple[str, ...], list[RunsOfLog]]:
    """Group logs of the same series in directories beside each other, by their place.

    They are called alike, or are directories of event files.
    """
    groups: dict[tuple[str, ...], list[RunsOfLog]] = {}
    for log in found:
        run = log.runs[0]
        if len(log.runs) == 1 and run.steps is None:
            of_events = not is_text(run.source) and os.path.isdir(run.source)
            own = run.source if of_events else os.path.dirname(run.source)
            file = "" if of_events else os.path.basename(run.source)
            place = os.path.dirname(os.path.abspath(own))
            groups.setdefault((place, file, *sorted(run.series)), []).append(log)
    return groups


def doubt_continued(found: Sequence[RunsOfLog]) -> None:
    """Note on logs that they may continue one in a directory beside theirs."""
    # nearly always all begin at epoch 0, and none of them is looked at
    if not any(log.runs[0].first_epoch for log in found):
        return
    for logs in group_beside(found).values():
        links = _find_links(logs)
        for log in logs:
            later = links.get(id(log))
            if later is not None and later is not log:
                note = (
                    f"it begins where {log.name} ends: if that training was resumed "
                    "here, put the files into one directory, to be read as one"
                )
                later.runs[0] = later.runs[0].with_notes(Note(note, "parts"))


def doubt_overlapping(found: Sequence[RunsOfLog]) -> None:
    """Note on logs that they begin inside another one of their directory, and go on."""
    for logs in _group_of_directories(found):
        runs = [log.runs[0] for log in logs]
        begins = np.array([run.first_epoch + run.counts_from for run in runs])
        ends = np.array([run.horizon + run.counts_from for run in runs])
        for at in np.flatnonzero(begins > begins.min()).tolist():
            inside = (begins < begins[at]) & (begins[at] <= ends) & (ends < ends[at])
            earlier = np.flatnonzero(inside).tolist()
            if len(earlier) == 1:
                note = (
                    f"it begins inside {logs[earlier[0]].name}: if that training was "
                    "resumed here, append its rows to that file, to be read with "
                    "--parts join"
                )
                logs[at].runs[0] = runs[at].with_notes(Note(note, "parts"))


def _join_chains(logs: list[RunsOfLog], seen: list[Seen]) -> set[int]:
    """Join each log with the only one that continues it; return the later ones."""
    links = _find_links(logs)
    joined = {id(following) for following in links.values()}
    for log in logs:
        following = links.get(id(log))
        if following is None or id(log) in joined:
            continue
        while following is not None:
            later = following.runs[0]
            log.runs[0] = _continued(log.runs[0], later, following)
            mark_joined(seen, later.source)
            following = links.get(id(following))
    return joined


def _find_links(logs: list[RunsOfLog]) -> dict[int, RunsOfLog]:
    """Return, by the id of each log, the one log that continues it and no other.

    The numbers in the logs are compared: a part that begins later counts as the log
    that it continues does, from 1 perhaps.
    """
    ends: dict[int, list[RunsOfLog]] = {}
    begins: dict[int, list[RunsOfLog]] = {}
    for log in logs:
        run = log.runs[0]
        ends.setdefault(run.horizon + run.counts_from, []).append(log)
        if run.first_epoch > 0:
            begins.setdefault(run.first_epoch + run.counts_from, []).append(log)
    return {
        id(ends[number - 1][0]): later[0]
        for number, later in begins.items()
        if len(later) == len(ends.get(number - 1, ())) == 1
    }


def mark_joined(seen: list[Seen], source: str) -> None:
    """Note that a file was joined with another."""
    for at, own in enumerate(seen):
        if own.path == source:
            seen[at] = own._replace(fate="joined")


def _continued(run: Run, later: Run, following: RunsOfLog) -> Run:
    """Append the later part of a training to the earlier one."""
    seam = run.horizon + 1
    note = (
        f"{following.name} goes on from its last epoch: a fit was resumed at epoch "
        f"{seam + 1} (counted from 1), with callbacks created anew"
    )
    moved = later.moved(seam - later.first_epoch)
    kept = [text for text in later.notes if text not in run.notes]
    return replace(
        run,
        series={
            name: _end_to_end(own, later.series[name])
            for name, own in run.series.items()
        },
        learning_rate=_optional(run.learning_rate, later.learning_rate, run, later),
        other_learning_rate=None,
        learning_rate_rounding=_roundings(run, later),
        epoch_seconds=_optional(run.epoch_seconds, later.epoch_seconds, run, later),
        wall_seconds=None,
        seams=tuple(sorted({*run.seams, seam, *moved.seams})),
        possible_seams=run.possible_seams | moved.possible_seams,
        replaced=(*run.replaced, *moved.replaced),
        not_logged=run.not_logged & later.not_logged,
        empty_cells=run.empty_cells | later.empty_cells,
        written_again=run.written_again or later.written_again,
        notes=(
            *run.notes,
            note,
            *(reworded(text, f"{following.name}: {text}") for text in kept),
        ),
    )


def _end_to_end(one: Series, other: Series) -> Series:
    moved = {len(one) + at: held for at, held in other.others.items()}
    return Series(
        np.concatenate([one.values, other.values]),
        np.concatenate([one.recorded, other.recorded]),
        {**one.others, **moved},
    )


def _optional(
    one: Series | None, other: Series | None, run: Run, later: Run
) -> Series | None:
    """Join two series end to end; one of them may be None."""
    if one is None and other is None:
        return None
    dtype = (one or other or run.series[next(iter(run.series))]).values.dtype
    parts = [
        own if own is not None else _nothing(length, dtype)
        for own, length in ((one, run.n_epochs), (other, later.n_epochs))
    ]
    return _end_to_end(*parts)


def _nothing(length: int, dtype: np.dtype[np.floating]) -> Series:
    return Series(np.full(length, np.nan, dtype), np.zeros(length, dtype=np.bool_))


def _roundings(run: Run, later: Run) -> FloatArray | None:
    parts = roundings_of_parts(run, later)
    if parts is None:
        return None
    joined: FloatArray = np.concatenate(parts)
    return joined


def roundings_of_parts(run: Run, later: Run) -> list[FloatArray] | None:
    """Return how far each rate of two parts may be rounded; None if none is.

    Both are of one writer, who rounds alike in both: a part whose rate never changes
    does not show it, and has the coarsest rounding of the other.
    """
    parts = (run, later)
    told = [own.learning_rate_rounding for own in parts]
    known = [float(rounding.max()) for rounding in told if rounding is not None]
    if not known:
        return None
    return [
        np.full(own.n_epochs, max(known)) if rounding is None else rounding
        for own, rounding in zip(parts, told, strict=True)
    ]
