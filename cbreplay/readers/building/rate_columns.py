"""The learning rate among the columns of a training, whatever it is called."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.evidence.rounded import NOT_ROUNDED, count_digits, half_units
from cbreplay.readers.building.written_digits import (
    as_float32,
    hold_float32,
    hold_texts,
)
from cbreplay.readers.columns.column_names import rate_names
from cbreplay.series_names import LEARNING_RATE_NAMES
from cbreplay.wording.note import Note
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cbreplay.readers.building.training_rows import TrainingRows
    from cbreplay.run import FloatArray, RateEnds, RateSource, Series

__all__ = ["KERAS_RATE_TAGS", "LoggedRate", "logged_rate", "take_rate"]

# the tags of Keras 3 and Keras 2, with what they hold as `Run.rate_source`: Keras 2
# takes the rate from logs, as its CSVLogger does
KERAS_RATE_TAGS: dict[str, RateSource] = {
    "epoch_learning_rate": "optimizer",
    "epoch_lr": "logs",
}

# this many digits tell one float32 from the next
_FLOAT32_DIGITS = 8
# so close to a power of ten that no digit tells, and yet on one side of it
_BESIDE = 1e-12
# how far a rate that is taken as written is known, in digits and in decimals: factors
# have fewer, and each reduction is rounded to float32
_PLAIN = (3, 99)
_ROUNDED_AWAY = (
    "the learning rate is 0 in every row, as if rounding had left nothing of it: it "
    "was taken as not recorded"
)
_NEGATIVE = (
    "the learning rate is below 0, as a logarithm is: it was taken as not recorded"
)


class LoggedRate(NamedTuple):
    """The learning rate as it was logged.

    Parameters
    ----------
    rate : Series or None
        The float32 rate of each epoch; None if none was logged.
    rounding : mapping of float to (lowest, highest)
        As `Run.learning_rate_rounding`.
    notes : tuple of str
        Which columns were taken for it.
    source : {"", "logs", "optimizer"}
        As `Run.rate_source`; empty if each value certainly is the rate of its epoch.
    """

    rate: Series | None = None
    rounding: RateEnds = NOT_ROUNDED
    notes: tuple[str, ...] = ()
    source: RateSource = ""


def take_rate(record: TrainingRows) -> LoggedRate:
    """Take the columns of learning rates out of a training.

    There may be one for each group of parameters. If they agree they are one rate; else
    the first is used, and the others are kept as metrics, which `find_rates_apart`
    holds to it. It is the first by its name: files that go on behind one another are
    read one by one, and take the same.

    What is taken is no longer among the columns of the training.
    """
    columns = record.rows.columns
    names = [name for name in rate_names(columns) if columns[name].recorded.any()]
    for name in [name for name in LEARNING_RATE_NAMES if name in columns]:
        if name not in names:
            del columns[name]
    if not names:
        return LoggedRate()
    names.sort(key=lambda name: _tells_nothing(columns[name]))
    first, *others = names
    logged = columns.pop(first)
    notes = []
    if first not in LEARNING_RATE_NAMES:
        notes.append(f"{first} was taken as the learning rate")
    elif LEARNING_RATE_NAMES[1] in others:
        notes.append("learning_rate stands beside lr: learning_rate was taken")
        del columns[LEARNING_RATE_NAMES[1]]
        others.remove(LEARNING_RATE_NAMES[1])
    notes += _join_groups(logged, columns, others)
    source = KERAS_RATE_TAGS.get(first, "logs")
    return logged_rate(record.series(logged), source, notes)


def _tells_nothing(column: Series) -> bool:
    """Tell whether no rate can be all of it: rounded to 0, or a logarithm."""
    known = column.values[column.recorded]
    return not known.any() or bool((known < 0).any())


def logged_rate(
    rate: Series, source: RateSource, notes: Sequence[str] = ()
) -> LoggedRate:
    """Return a series as the learning rate that it holds.

    `source` is its `Run.rate_source`, should the rate change.
    """
    notes = [*notes]
    known = rate.values[rate.recorded]
    if known[0] > 0 and not (known != known[0]).any():
        # a constant rate needs no rounding and no source: any change by a callback
        # differs from it
        return LoggedRate(as_float32(rate), notes=_on_rate(notes))
    if _tells_nothing(rate):
        # nobody trains at 0: "0.00" is what rounding left of a small rate
        why = _NEGATIVE if known.any() else _ROUNDED_AWAY
        return LoggedRate(notes=_on_rate([*notes, why]))
    rounding = _rounding(known)
    if rounding:
        notes.append(f"the log holds {_told_of_digits(known)}")
    return LoggedRate(as_float32(rate), rounding, _on_rate(notes), source)


def _told_of_digits(known: FloatArray) -> str:
    if _hold_narrow(known, np.float16):
        return "learning rates in half precision, and rates are compared in it"
    if _is_plain(known):
        told = "learning rates of 1 digit, and no sign that more were rounded away"
        return f"{told}: they are taken as written"
    digits = count(count_digits(known)[0], "digit")
    return f"{digits} of a learning rate at most, and rates are compared to as many"


def _on_rate(notes: Iterable[str]) -> tuple[str, ...]:
    return tuple(Note(note, "rate") for note in notes)


def _join_groups(
    logged: Series, columns: dict[str, Series], others: list[str]
) -> list[str]:
    """Take out the rates of other groups that agree, and say so."""
    alike = [name for name in others if _agree(logged, columns[name])]
    for name in alike:
        del columns[name]
    notes = []
    if alike:
        notes.append(f"{', '.join(alike)} agree with it: it is one rate")
    if len(alike) < len(others):
        listed = ", ".join(name for name in others if name not in alike)
        notes.append(f"{listed}: kept as metrics, because a run has one rate")
    return notes


def _agree(one: Series, other: Series) -> bool:
    both = one.recorded & other.recorded
    return bool(both.any() and (one.values[both] == other.values[both]).all())


def _rounding(known: FloatArray) -> RateEnds:
    """Return between which rates each recorded one may have been, if it was rounded.

    Nobody knows whether a writer kept so many digits or so many places after the point,
    so either may be. Below a power of ten, digits are ten times finer than above.
    """
    plain = _is_plain(known)
    known = np.unique(known[np.isfinite(known)])
    with np.errstate(over="ignore"):
        spacing = np.spacing(known.astype(np.float32)).astype(float)
    if _hold_narrow(known, np.float16):
        halves = known.astype(np.float16)
        lower, upper = (np.nextafter(halves, np.float16(end)) for end in (0, np.inf))
        below, above = (known - lower) / 2.0, (upper - known) / 2.0
    elif hold_float32(known).all() or _hold_narrow(known, np.float32):
        # numbers of float32, or their shortest texts, as Keras 2 writes them
        return NOT_ROUNDED
    else:
        written = _PLAIN if plain else count_digits(known)
        below = half_units(known * (1 - _BESIDE), *written)
        above = half_units(known * (1 + _BESIDE), *written)
        if ((above < spacing / 4) | (known == 0)).all():
            return NOT_ROUNDED
    # a tie, such as .00025 written as .0003, is half a unit away; float32 itself may
    # add one spacing to that
    lowest, highest = known - below - spacing, known + above + spacing
    # two texts of one float32 number are one rate
    rates, at = np.unique(known.astype(np.float32), return_index=True)
    highest = np.maximum.reduceat(highest, at)
    ends = zip(lowest[at].tolist(), highest.tolist(), strict=True)
    return dict(zip(rates.tolist(), ends, strict=True))


def _is_plain(known: FloatArray) -> bool:
    """Tell whether rates of one digit are those that were set, as .01, then .001.

    Had the digits been cut, the rate would not fall by the same factor each time, or it
    would be 0 in the end. A power of ten is a ``min_lr``, at which the last fall ended.
    """
    falls = [new / old for old, new in pairwise(known.tolist()) if new < old]
    only_falls = bool(falls) and not (np.diff(known) > 0).any()
    if only_falls and f"{known[-1]:e}".startswith("1.000000e"):
        falls[-1] = min(falls[0], falls[-1])
    alike = not falls or max(falls) < min(falls) * (1 + _BESIDE)
    return alike and min(known) > 0 and count_digits(known)[0] == 1


def _hold_narrow(rates: FloatArray, kind: type[np.float16 | np.float32]) -> bool:
    """Tell whether rates were narrowed to 16 or 32 bits, as tables are to save memory.

    So are numbers of few digits, such as 0.5, that nobody narrowed.
    """
    return hold_texts(rates, kind) and count_digits(rates)[0] >= _FLOAT32_DIGITS
