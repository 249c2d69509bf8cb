"""Two logs of one training, a text log and the event files, as one run."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.written_digits import (
    count_digits,
    hold_float32,
    rounding_of,
)
from cbreplay.readers.discovery.common_epochs import spread_out
from cbreplay.readers.discovery.run_names import placed
from cbreplay.run import Series
from cbreplay.wording.note import Note, reworded, topic_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.run import BoolArray, FloatArray, Run

__all__ = ["are_one", "count_agreeing", "has_all_of", "join_logs"]

# event files hold float32, so a value differs from a text log's by up to this share
_RELATIVE_TOLERANCE = 1e-6
# this many digits tell one float32 from the next
_FLOAT32_DIGITS = 9
# if the epochs differ, fewer equal values than these may be chance
_FEWEST = 5


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
    for run in from_text:
        partner = next((events for events in left if count_agreeing(run, events)), None)
        moved = run
        if partner is None:
            moved, partner = _moved_by_one(run, left)
        if partner is None and len(from_text) == len(from_events) == 1:
            partner = left[0] if _complement(run, left[0]) else None
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


def _moved_by_one(run: Run, candidates: Sequence[Run]) -> tuple[Run, Run | None]:
    """Find the record that agrees if shifted by one epoch: one counts from 1."""
    for by in (1, -1):
        first = run.first_epoch + by
        if first < 0:
            continue
        moved = replace(run.moved(by), counts_from=run.counts_from - by)
        for events in candidates:
            if count_agreeing(moved, events) >= _FEWEST:
                note = "its epochs were moved by one, to those of the event files"
                return moved.with_notes(note), events
    return run, None


def count_agreeing(one: Run, other: Run) -> int:
    """Count the values that both runs hold; 0 if any two of them disagree."""
    if one.steps is not None or other.steps is not None:
        return 0
    first = max(one.first_epoch, other.first_epoch)
    last = min(one.horizon, other.horizon)
    if last < first:
        return 0
    n_common = 0
    for name in one.series.keys() & other.series.keys():
        left, right = (
            run.series[name].take(
                slice(first - run.first_epoch, last - run.first_epoch + 1)
            )
            for run in (one, other)
        )
        both = left.recorded & right.recorded
        n_common += int(both.sum())
        tolerance = np.maximum(_rounding(left.values), _rounding(right.values))
        agree = _agree(left.values, right.values, tolerance)
        for position in np.flatnonzero(both & ~agree).tolist():
            if not _other_agrees(left, right, position, float(tolerance[position])):
                return 0
    return n_common


def has_all_of(run: Run, other: Run) -> bool:
    """Tell whether a run has a value wherever another one, within it, has one."""
    begin = other.first_epoch - run.first_epoch
    return all(
        (run.series[name].recorded[begin : begin + len(own)] >= own.recorded).all()
        for name, own in other.series.items()
        if name in run.series
    )


def _rounding(values: FloatArray) -> FloatArray:
    """Return how far each value may have been rounded when it was written."""
    # a little more than half a unit, for decimals have no exact binary fraction
    return rounding_of(values) * (1 + _RELATIVE_TOLERANCE)


def _agree(left: FloatArray, right: FloatArray, tolerance: FloatArray) -> BoolArray:
    with np.errstate(over="ignore", invalid="ignore"):
        same = left.astype(np.float32) == right.astype(np.float32)
        largest = np.maximum(np.abs(left), np.abs(right))
        near = np.abs(left - right) <= tolerance + _RELATIVE_TOLERANCE * largest
    close: BoolArray = same | (near & np.isfinite(left) & np.isfinite(right))
    return close | (np.isnan(left) & np.isnan(right))


def _other_agrees(left: Series, right: Series, position: int, tolerance: float) -> bool:
    """Tell whether an earlier value of the epoch agrees, where it has several."""
    choices = [
        (float(series.values[position]), *series.others.get(position, ()))
        for series in (left, right)
    ]
    pairs = np.array(list(itertools.product(*choices)))
    limits = np.full(len(pairs), tolerance)
    return bool(_agree(pairs[:, 0], pairs[:, 1], limits).any())


def are_one(text: Run, events: Run) -> bool:
    """Tell whether event files hold all epochs of a text log, with equal values."""
    same = _hold_same_epochs(text, events)
    return same and count_agreeing(text, events) >= _FEWEST


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
    if hold_float32(known).all() or count_digits(known)[0] >= _FLOAT32_DIGITS:
        return False
    both = own.recorded & text.recorded
    with np.errstate(over="ignore"):
        same = text.values[both].astype(np.float32) == own.values[both]
    # if most are the same numbers as float32, the event files hold rounded ones too
    return 2 * int(same.sum()) < len(same)


def _confirmed(standing: Series, other: Series) -> Series:
    """Take the other's values where this one has none, and let it choose of several.

    Where one log holds several values of an epoch and the other one of them, that is
    the value of the epoch.
    """
    values = np.where(standing.recorded, standing.values, other.values)
    others = dict(standing.others)
    tolerance = np.maximum(_rounding(standing.values), _rounding(other.values))
    for position, held in standing.others.items():
        if not other.recorded[position] or other.others.get(position):
            continue
        choices = np.array([standing.values[position], *held])
        wanted = np.full(len(choices), other.values[position])
        limits = np.full(len(choices), tolerance[position])
        agree = np.flatnonzero(_agree(choices, wanted, limits))
        if len(agree) == 1:
            values[position] = choices[agree[0]]
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
    n_common = count_agreeing(text, events)
    kind = _kind_of(text)
    used = f"the {kind}'s is used"
    if finer:
        used = "the one with more digits is used"
    joined: str = Note(
        f"the {kind} and the event files are one training ({n_common} common values "
        f"agree); where both have a value, {used}",
        "files",
    )
    if n_common == 0:
        joined = (
            f"the {kind} and the event files were taken as one training, because they "
            "hold the same epochs; no value stands in both, so none confirms it"
        )
    notes = [joined]
    if not _hold_same_epochs(text, events):
        notes.append(
            f"the {kind} holds epochs {text.first_epoch + 1}-{text.horizon + 1}, the "
            f"event files {events.first_epoch + 1}-{events.horizon + 1} (counted "
            "from 1)"
        )
    unused: list[str] = []
    doubled = [run for run in (text, events) if _has_others(run.series)]
    if doubled and not _has_others(series):
        notes.append("of several values of an epoch, the one that both hold is used")
        unused += [
            note for run in doubled for note in run.notes if topic_of(note) == "values"
        ]
    unused += [*_settled(text, events), *_settled(events, text)]
    own = [note for note in text.notes if note not in unused]
    theirs = [note for note in events.notes if note not in unused]
    notes += [note for note in own if note in theirs]
    notes += [reworded(note, f"{kind}: {note}") for note in own if note not in theirs]
    notes += [
        reworded(note, f"event files: {note}") for note in theirs if note not in own
    ]
    return tuple(notes)


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
