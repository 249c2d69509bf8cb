"""Two logs of one training, the CSV and the event files, as one run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.learning_rate import EVENT_RATE_NOTES
from cbreplay.run import Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import BoolArray, FloatArray, Run

__all__ = ["join_logs"]

# event files hold float32; another writer may have rounded otherwise
_RELATIVE_TOLERANCE = 1e-6


def join_logs(
    from_csv: Sequence[Run], from_events: Sequence[Run], source: str
) -> tuple[list[Run], list[Run]]:
    """Join each training of a CSV with the event files' record of the same.

    They are the same if their epochs overlap and every value that both hold, but for
    the learning rate, agrees in float32 or to 1e-6 relative. Two logs without any
    common value are joined only if each is the other's only candidate and both hold
    the same epochs.

    Returns
    -------
    from_csv, from_events : lists of Run
        The CSV's runs, joined where the event files hold the same training, and those
        of the event files that the CSV does not hold.
    """
    runs: list[Run] = []
    left = list(from_events)
    for run in from_csv:
        partner = next((one for one in left if _common_values(run, one)), None)
        if partner is None and len(from_csv) == len(from_events) == 1:
            partner = left[0] if _complement(run, left[0]) else None
        if partner is not None:
            left.remove(partner)
            runs.append(_join(run, partner, source))
        elif left:
            runs.append(run.with_notes(_APART.format("CSV", "event files")))
        else:
            runs.append(run)
    return runs, [run.with_notes(_APART.format("event files", "CSV")) for run in left]


_APART = "this training of the {0} is none of the {1}: epochs or values differ"


def _common_values(one: Run, other: Run) -> int:
    """Count the values that both hold; 0 if any two of them disagree."""
    if one.steps is not None or other.steps is not None:
        return 0
    first, last = (
        max(one.first_epoch, other.first_epoch),
        min(one.horizon, other.horizon),
    )
    if last < first:
        return 0
    n_common = 0
    for name in one.series.keys() & other.series.keys():
        left, right = (
            _cut(run.series[name], run.first_epoch, first, last) for run in (one, other)
        )
        both = left.recorded & right.recorded
        n_common += int(both.sum())
        if not _agree(left.values[both], right.values[both]):
            return 0
    return n_common


def _complement(one: Run, other: Run) -> bool:
    """Tell whether two logs hold the same epochs, and no value twice."""
    same = (one.first_epoch, one.horizon) == (other.first_epoch, other.horizon)
    return same and not any(
        bool((one.series[name].recorded & other.series[name].recorded).any())
        for name in one.series.keys() & other.series.keys()
    )


def _cut(series: Series, start: int, first: int, last: int) -> Series:
    span = slice(first - start, last - start + 1)
    return Series(series.values[span], series.recorded[span])


def _agree(left: FloatArray, right: FloatArray) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        same = left.astype(np.float32) == right.astype(np.float32)
        near = np.abs(left - right) <= _RELATIVE_TOLERANCE * np.maximum(
            np.abs(left), np.abs(right)
        )
    close: BoolArray = same | (near & np.isfinite(left) & np.isfinite(right))
    return bool((close | (np.isnan(left) & np.isnan(right))).all())


def _join(csv: Run, events: Run, source: str) -> Run:
    first = min(csv.first_epoch, events.first_epoch)
    length = max(csv.horizon, events.horizon) - first + 1
    series = {
        name: _spread(one, csv, first, length) for name, one in csv.series.items()
    }
    for name, one in events.series.items():
        other = _spread(one, events, first, length)
        series[name] = _filled(series[name], other) if name in series else other
    rates = csv if csv.learning_rate is not None else events
    return replace(
        csv,
        source=source,
        first_epoch=first,
        series=series,
        learning_rate=_spread_or_none(rates.learning_rate, rates, first, length),
        other_learning_rate=_spread_or_none(
            rates.other_learning_rate, rates, first, length
        ),
        epoch_seconds=_spread_or_none(events.epoch_seconds, events, first, length),
        wall_seconds=csv.wall_seconds or events.wall_seconds,
        started=events.started if csv.started is None else csv.started,
        notes=_notes(csv, events),
    )


def _notes(csv: Run, events: Run) -> tuple[str, ...]:
    """Say what was joined, and keep the notes of both once each."""
    n_common = _common_values(csv, events)
    joined = (
        f"the CSV and the event files are one training ({n_common} common values "
        "agree); where both hold a value, the CSV's stands"
    )
    if n_common == 0:
        joined = (
            "the CSV and the event files were taken as one training, because they "
            "hold the same epochs; no value stands in both, so none confirms it"
        )
    notes = [joined]
    if (csv.first_epoch, csv.horizon) != (events.first_epoch, events.horizon):
        notes.append(
            f"the CSV holds epochs {csv.first_epoch}-{csv.horizon}, the event files "
            f"{events.first_epoch}-{events.horizon} (counted from 0)"
        )
    # of the two rates the CSV's is used, so a note about the other would mislead
    unused = EVENT_RATE_NOTES if csv.learning_rate is not None else ()
    notes += [note for note in csv.notes if note in events.notes]
    notes += [f"CSV: {note}" for note in csv.notes if note not in events.notes]
    notes += [
        f"event files: {note}"
        for note in events.notes
        if note not in csv.notes and note not in unused
    ]
    return tuple(notes)


def _spread(series: Series, run: Run, first: int, length: int) -> Series:
    """Lay a series out over the joined epochs."""
    values = np.full(length, np.nan, dtype=series.values.dtype)
    recorded = np.zeros(length, dtype=np.bool_)
    start = run.first_epoch - first
    values[start : start + len(series)] = series.values
    recorded[start : start + len(series)] = series.recorded
    return Series(values, recorded)


def _spread_or_none(
    series: Series | None, run: Run, first: int, length: int
) -> Series | None:
    return None if series is None else _spread(series, run, first, length)


def _filled(series: Series, other: Series) -> Series:
    """Take the other's values where this one has none."""
    values = np.where(series.recorded, series.values, other.values)
    return Series(values, series.recorded | other.recorded)
