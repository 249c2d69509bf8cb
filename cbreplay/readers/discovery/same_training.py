"""Two logs of one training, a text log and the event files, as one run."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.written_digits import hold_float32
from cbreplay.readers.discovery.common_epochs import spread_out
from cbreplay.readers.discovery.comparison import (
    FEWEST,
    agreeing_values,
    count_agreeing,
    tolerance_of,
)
from cbreplay.readers.discovery.found_logs import placed
from cbreplay.run import Series
from cbreplay.wording.note import Note, reworded, topic_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.run import Run

__all__ = ["are_one", "join_logs"]


def join_logs(
    from_text: Sequence[Run], from_events: Sequence[Run], source: str
) -> tuple[list[Run], list[Run]]:
    """Join each training of a text log with the event files' record of the same.

    They are the same if their epochs overlap and every value that both hold, but for
    the learning rate, agrees to the digits that the coarser writes. Two logs without
    any common value are joined only if each is the other's only candidate and both
    hold the same epochs.

    Returns
    -------
    from_text, from_events : lists of Run
        The text log's runs, joined where the event files hold the same training, and
        those of the event files that the text log does not hold.
    """
    runs: list[Run] = []
    left = list(from_events)
    alone = len(from_text) == len(from_events) == 1
    for run in from_text:
        moved, partner = _find_partner(run, left, alone=alone)
        if partner is not None:
            left.remove(partner)
            runs.append(_join(moved, partner, source))
        elif left:
            apart = _APART.format(_kind_of(run), "event files")
            runs.append(run.with_notes(apart))
        else:
            runs.append(run)
    apart = _APART.format("event files", _kind_of(from_text[0]))
    return runs, [
        # a text log that two trainings wrote at the same time holds both
        run
        if any(count_agreeing(text, run) for text in from_text)
        else run.with_notes(apart)
        for run in left
    ]


_APART = "this training of the {0} is none of the {1}: epochs or values differ"


def _kind_of(run: Run) -> str:
    """Return what the text log of a run is called beside its event files."""
    return "CSV" if ".csv" in os.path.basename(run.source).lower() else "log"


def _find_partner(
    run: Run, candidates: Sequence[Run], *, alone: bool
) -> tuple[Run, Run | None]:
    """Find the event files' record of a run, and return the run in their epochs.

    One of them may count from 1. `alone` tells that neither has another candidate.
    """
    for by, fewest in ((0, 1), (1, FEWEST), (-1, FEWEST)):
        if run.first_epoch + by < 0:
            continue
        moved = replace(run.moved(by), counts_from=run.counts_from - by) if by else run
        for events in candidates:
            if count_agreeing(moved, events) >= fewest:
                return (moved.with_notes(_MOVED) if by else run), events
    return run, candidates[0] if alone and _complement(run, candidates[0]) else None


_MOVED = "its epochs were moved by one, to those of the event files"


def are_one(text: Run, events: Run) -> bool:
    """Tell whether event files hold all epochs of a text log, with equal values."""
    same = _hold_same_epochs(text, events)
    return same and count_agreeing(text, events) >= FEWEST


def _hold_same_epochs(one: Run, other: Run) -> bool:
    return (one.first_epoch, one.horizon) == (other.first_epoch, other.horizon)


def _complement(one: Run, other: Run) -> bool:
    """Tell whether two logs hold the same epochs, and no value twice."""
    return _hold_same_epochs(one, other) and not any(
        bool((one.series[name].recorded & other.series[name].recorded).any())
        for name in one.series.keys() & other.series.keys()
    )


def _join(text: Run, events: Run, source: str) -> Run:
    first = min(text.first_epoch, events.first_epoch)
    n_epochs = max(text.horizon, events.horizon) - first + 1
    laid = [spread_out(run, first, n_epochs) for run in (text, events)]
    series, finer = _joined_series(*laid)
    rates = laid[text.learning_rate is None]
    timed = laid[events.epoch_seconds is not None]
    certain = {
        seam for run in (text, events) for seam in {*run.seams} - run.possible_seams
    }
    return replace(
        placed(text, source),
        first_epoch=first,
        series=series,
        seams=tuple(sorted({*text.seams, *events.seams})),
        possible_seams=(text.possible_seams | events.possible_seams) - certain,
        replaced=text.replaced or events.replaced,
        learning_rate=rates.learning_rate,
        rate_source=rates.rate_source,
        rounded_to={
            name: digits
            for run in (events, text)
            for name, digits in run.rounded_to.items()
            if name not in finer
        },
        learning_rate_rounding=rates.learning_rate_rounding,
        epoch_seconds=timed.epoch_seconds,
        wall_seconds=text.wall_seconds or events.wall_seconds,
        started=events.started if text.started is None else text.started,
        notes=_notes(text, events, finer, series),
    )


def _joined_series(text: Run, events: Run) -> tuple[dict[str, Series], list[str]]:
    """Return each series with more digits, and which of these are of event files."""
    series = dict(text.series)
    finer = []
    for name, other in events.series.items():
        if name not in series:
            series[name] = other
            continue
        if _has_more_digits(other, series[name]):
            finer.append(name)
            series[name] = _confirmed(other, series[name])
        else:
            series[name] = _confirmed(series[name], other)
    return series, finer


def _has_more_digits(own: Series, text: Series) -> bool:
    """Tell whether event files hold a series finer than a text log that rounds it."""
    known = text.values[text.recorded]
    if hold_float32(known).all():
        return False
    both = own.recorded & text.recorded
    with np.errstate(over="ignore"):
        same = text.values[both].astype(np.float32) == own.values[both]
    # if most are the same numbers as float32, the text log is as fine, or the event
    # files hold rounded ones too
    return 2 * int(same.sum()) < len(same)


def _confirmed(standing: Series, other: Series) -> Series:
    """Take the other's values where this one has none, and let it choose of several.

    Where one log holds several values of an epoch and the other one of them, that is
    the value of the epoch.
    """
    values = np.where(standing.recorded, standing.values, other.values)
    others = dict(standing.others)
    tolerance = tolerance_of(standing, other)
    for position in standing.others:
        if not other.recorded[position] or other.others.get(position):
            continue
        kept = agreeing_values(standing, other, position, tolerance[position])
        if len(kept) == 1:
            values[position] = kept[0]
            del others[position]
    others |= {
        position: held
        for position, held in other.others.items()
        if not standing.recorded[position]
    }
    return Series(values, standing.recorded | other.recorded, others)


def _notes(
    text: Run, events: Run, finer: Sequence[str], series: Mapping[str, Series]
) -> tuple[str, ...]:
    """Note what was joined, and keep the notes of both, each once."""
    kind = _kind_of(text)
    notes = [_joined_note(kind, count_agreeing(text, events), finer=bool(finer))]
    if not _hold_same_epochs(text, events):
        notes.append(
            f"the {kind} holds epochs {text.first_epoch + 1}-{text.horizon + 1}, the "
            f"event files {events.first_epoch + 1}-{events.horizon + 1} (counted "
            "from 1)"
        )
    unused = {*_settled(text, events), *_settled(events, text)}
    doubled = [run for run in (text, events) if _has_others(run.series)]
    if doubled and not _has_others(series):
        notes.append("of several values of an epoch, the one that both hold is used")
        unused |= {
            note for run in doubled for note in run.notes if topic_of(note) == "values"
        }
    kept = [
        [note for note in run.notes if note not in unused] for run in (text, events)
    ]
    notes += [note for note in kept[0] if note in kept[1]]
    for called, own, others in ((kind, *kept), ("event files", *kept[::-1])):
        notes += [
            reworded(note, f"{called}: {note}") for note in own if note not in others
        ]
    return tuple(notes)


def _joined_note(kind: str, n_common: int, *, finer: bool) -> str:
    if n_common == 0:
        return (
            f"the {kind} and the event files were taken as one training, because they "
            "hold the same epochs; no value stands in both, so none confirms it"
        )
    used = "the one with more digits is used" if finer else f"the {kind}'s is used"
    return Note(
        f"the {kind} and the event files are one training ({n_common} common values "
        f"agree); where both have a value, {used}",
        "files",
    )


def _settled(run: Run, other: Run) -> Iterator[str]:
    """Yield the notes on a fit that may have been resumed where the other shows it."""
    certain = {*other.seams} - other.possible_seams
    for seam in run.possible_seams & certain:
        where = f"epoch {seam + 1} (counted from 1)"
        for note in run.notes:
            if where in note and "what hangs on it is not told" in note:
                yield note


def _has_others(series: Mapping[str, Series]) -> bool:
    return any(own.others for own in series.values())
