"""Which of the steps of event files are rows, and which epochs these are."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.evidence.cadence import (
    cadence_of_epochs,
    count_batches,
    count_lost_before,
    count_steps,
)
from cbreplay.readers.base import ForeignLogError
from cbreplay.readers.building.evaluations import (
    count_hint,
    evaluation_note,
    given_note,
    seldom_logged,
    shown,
)
from cbreplay.readers.event_files.points import at_steps, holding, recorded, without
from cbreplay.run import Series
from cbreplay.series_names import is_rate_name, is_validation
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cbreplay.readers.base import LogFacts
    from cbreplay.readers.building.rows import Rows

__all__ = [
    "STEP",
    "count_evaluations",
    "drop_last_words",
    "keep_epochs",
    "number_samples",
]


# the column of the steps of evaluations in a run; no tag has this name
STEP = "\0step"


def number_samples(
    pieces: list[Rows], tags: Collection[str], facts: LogFacts
) -> list[Rows]:
    """Count the epochs of a TensorFlow 1 log whose steps count samples.

    tf.keras 1.13 to 1.15 wrote the epoch's scalars at the number of samples seen so
    far if `update_freq` was not ``"epoch"``, and then batch_ tags beside them
    (tensorflow/python/keras/callbacks_v1.py).
    """
    counts = any(tag.startswith("batch_") for tag in tags)
    for piece in pieces:
        each = int(piece.epochs[0])
        counted = np.arange(1, len(piece.epochs) + 1) * each
        counts = counts and each > 1 and np.array_equal(piece.epochs, counted)
    if not counts:
        return pieces
    note = "the steps count samples, by the tags of TensorFlow 1: epochs were counted"
    facts.notes.append(note)
    numbers = [np.arange(len(piece.epochs)) for piece in pieces]
    return at_steps(pieces, np.concatenate(numbers))


def drop_last_words(pieces: list[Rows], facts: LogFacts) -> list[Rows]:
    """Leave out what a tool validates once more when its training has ended.

    Ultralytics validates best.pt, and people call Lightning's ``validate`` and
    ``test``: that is logged as another value of the last epoch.
    """
    found: dict[str, None] = {}
    kept = []
    for piece in pieces:
        last = len(piece.epochs) - 1
        columns = dict(piece.columns)
        for name, series in piece.columns.items():
            # if other epochs have several too, nothing tells which is the extra one
            judges = is_validation(name) or name.startswith("metrics/")
            if judges and series.others.keys() == {last}:
                values, others = series.values.copy(), dict(series.others)
                values[last] = others.pop(last)[0]
                columns[name] = Series(values, series.recorded, others)
                found[name] = None
        kept.append(holding(piece, columns))
    if found:
        facts.notes.append(
            f"{shown(list(found))}: the last epoch holds another value, of a "
            "validation after the training; it is no epoch and was left out"
        )
    return kept


def count_evaluations(pieces: list[Rows], facts: LogFacts) -> list[Rows]:
    """Assign numbers to the steps with an evaluation, training by training.

    Evaluations are the steps with a value of a validation series; where no name tells
    one, those of the series that have far fewer values than others; else every step.
    """
    names = _names(pieces)
    judged, sizes = [name for name in names if is_validation(name)], {}
    if not judged:
        sizes = _sizes(pieces)
        judged = seldom_logged(sizes)
    between = [name for name in sizes if judged and name not in judged]
    reason = f"values between the evaluations, which are those of {shown(judged)}"
    left_out = dict.fromkeys(between, reason)
    rows = _rows_of([without(piece, left_out) for piece in pieces], judged or names)
    n_between = _n_values(pieces) - _n_values(rows)
    facts.notes.append(evaluation_note(judged, n_between))
    facts.left_out |= left_out
    for i, piece in enumerate(rows):
        steps = piece.epochs.astype(np.float64)
        series = Series(steps, np.ones(len(steps), np.bool_))
        rows[i] = holding(piece, piece.columns | {STEP: series})
    return _numbered(rows, pieces)


def keep_epochs(pieces: list[Rows], facts: LogFacts) -> list[Rows]:
    """Take each step as one epoch, as the user asks, if that is possible.

    PyTorch's loops often log a loss batch by batch and a validation epoch by epoch.
    Where a series has values between the validations, only the steps of these can be
    epochs, and that series tells nothing of one.

    Raises
    ------
    ForeignLogError
        If there are series of both kinds, and none is a validation by its name.
    """
    names = _names(pieces)
    judged = [name for name in names if is_validation(name)]
    if not judged:
        _check_alike(pieces, facts.source)
        return _as_given(pieces, facts)
    rows = _rows_of(pieces, judged)
    dense = [name for name in names if _n_values(rows, name) < _n_values(pieces, name)]
    every = np.concatenate([piece.epochs for piece in rows])
    cadence = cadence_of_epochs(every)
    # the checkpoints of a training that had ended, as few steps apart as epochs are
    times = [own.written[name] for own in rows for name in {*judged} & {*own.written}]
    late = max(times) == -np.inf and not count_batches(every)
    ahead = any(_runs_ahead(pieces, judged, name) for name in dense)
    # a single validation, as of a test at the end, tells no other epochs
    alone = max(len(piece.epochs) for piece in rows) == 1
    if not dense or late or ((alone or cadence == 1) and not ahead):
        return _as_given(pieces, facts)
    reason = f"values between the epochs, which are those of {shown(judged)}"
    left_out = {
        name: reason for name in dense if cadence == 1 or not is_rate_name(name)
    }
    kept = [without(piece, left_out) for piece in (pieces if cadence == 1 else rows)]
    kept = [piece.take(recorded(piece, list(piece.columns))) for piece in kept]
    which = f"each step with a value of {shown(judged)}"
    facts.notes.append(given_note(which, None if cadence == 1 else _ends(rows)))
    facts.left_out |= left_out
    return kept if cadence == 1 else _numbered(kept, pieces)


def _as_given(pieces: list[Rows], facts: LogFacts) -> list[Rows]:
    """Take each step as one epoch; those that count batches are numbered."""
    batches = count_batches(np.concatenate([piece.epochs for piece in pieces]))
    facts.notes.append(given_note(numbered=_ends(pieces) if batches else None))
    return _numbered(pieces, pieces) if batches else pieces


def _ends(pieces: Sequence[Rows]) -> tuple[int, int]:
    return int(pieces[0].epochs[0]), int(pieces[-1].epochs[-1])


def _names(pieces: Sequence[Rows]) -> list[str]:
    return list(dict.fromkeys(name for piece in pieces for name in piece.columns))


def _rows_of(pieces: Sequence[Rows], names: Sequence[str]) -> list[Rows]:
    """Return the steps at which any of some series has a value."""
    rows = [piece.take(recorded(piece, names)) for piece in pieces]
    return [piece for piece in rows if len(piece.epochs)]


def _n_values(pieces: Sequence[Rows], name: str | None = None) -> int:
    """Count the steps at which a series has a value, or each has."""
    return sum(
        int(np.count_nonzero(series.recorded))
        for piece in pieces
        for own, series in piece.columns.items()
        if name in (None, own)
    )


def _sizes(pieces: Sequence[Rows]) -> dict[str, int]:
    """Count the values of each series but the learning rates."""
    return {n: _n_values(pieces, n) for n in _names(pieces) if not is_rate_name(n)}


def _runs_ahead(pieces: Sequence[Rows], judged: Sequence[str], name: str) -> bool:
    """Tell whether a series counts its steps faster than the validation.

    It was already beyond the last step of the validation when that was written, with
    many more values; a validation that broke off is not overtaken.
    """
    for piece in pieces:
        at = recorded(piece, judged)
        if name not in piece.columns or not at.any():
            continue
        own = piece.columns[name].recorded
        beyond = own & (piece.epochs > piece.epochs[at][-1])
        written = max(
            piece.written[series] for series in judged if series in piece.written
        )
        if _MANY * np.count_nonzero(at) <= np.count_nonzero(own) and bool(
            (piece.wall_times[beyond] < written).any()
        ):
            return True
    return False


_MANY = 2


def _check_alike(pieces: Sequence[Rows], source: str) -> None:
    """Refuse series of which some have many more values than others."""
    sizes = _sizes(pieces)
    seldom = seldom_logged(sizes)
    if seldom:
        most, least = (pick(sizes, key=sizes.__getitem__) for pick in (max, min))
        problem = (
            f"{most} has values at {count(sizes[most], 'step')}, {least} at "
            f"{sizes[least]}: they cannot both be epochs, and no name says which is a "
            "validation"
        )
        hint = f"To {count_hint(seldom)}"
        raise ForeignLogError(problem, source=source, hint=hint)


def _numbered(pieces: list[Rows], logged: Sequence[Rows]) -> list[Rows]:
    """Assign numbers to rows, training by training, skipping those of missing rows.

    The first row has the number of rows that lie before all that is `logged`. A piece
    that goes on upwards belongs to the training before it. One that goes back into the
    steps of that resumed it: its rows have the numbers that these had.
    """
    begins = [
        i
        for i, piece in enumerate(pieces)
        if not i or piece.epochs[0] <= pieces[i - 1].epochs[-1]
    ]
    numbered: list[Rows] = []
    above = numbers = np.zeros(0, np.int64)
    every = np.concatenate([piece.epochs for piece in logged])
    for begin, end in itertools.pairwise([*begins, len(pieces)]):
        training = pieces[begin:end]
        steps = np.concatenate([piece.epochs for piece in training])
        own = count_steps(steps)
        cadence = cadence_of_epochs(steps)
        own += 0 if begin else count_lost_before(steps, every)
        kept = above < steps[0]
        if kept.any() and (cadence is None or steps[0] > cadence):
            own += numbers[np.abs(above - steps[0]).argmin()]
            above, numbers = above[kept], numbers[kept]
        else:
            above, numbers = above[:0], numbers[:0]
        above, numbers = np.append(above, steps), np.append(numbers, own)
        numbered += at_steps(training, own)
    return numbered
