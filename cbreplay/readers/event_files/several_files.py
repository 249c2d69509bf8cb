"""What several event files of one directory are: a resumed writer's, copies, workers'.

A writer that resumes a training marks the step from which it goes on: what was written
before, from that step on, does not count (TensorBoard reads it so too).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.readers.event_files.points import file_of, holding, merge_points
from cbreplay.readers.event_files.scalar_table import BEHIND_ALL, Scalars
from cbreplay.series_names import is_validation
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.readers.building.rows import Rows
    from cbreplay.readers.event_files.scalar_table import EventTable, Restart

__all__ = ["Purged", "drop_purged", "join_writers", "pair_points", "share_marks"]

_MOST_COMPARED = 500


def share_marks(
    writers: Mapping[str, list[EventTable]],
) -> dict[str, list[EventTable]]:
    """Give the marks of one writer, by their times, to those that have none.

    PyTorch's ``add_scalars`` opens a writer for each curve, and marks in its own alone.
    Where steps go back elsewhere than at these times, another clock wrote them.
    """
    of_each = [[m for file in own for m in file.restarts] for own in writers.values()]
    marks = next(filter(None, of_each), [])
    return {
        name: _with_marks(files, marks) if marks and files and not own else files
        for (name, files), own in zip(writers.items(), of_each, strict=True)
    }


def _with_marks(files: list[EventTable], marks: Sequence[Restart]) -> list[EventTable]:
    marked = [*files]
    for mark in marks:
        at, offset = _first_since(files, mark.wall_time)
        given = [*marked[at].restarts, mark._replace(offset=offset)]
        marked[at] = marked[at]._replace(restarts=given)
    last: dict[str, int] = {}
    for begun, part in _cut_at_marks(marked):
        last = last if begun is None else {}
        for tag, own in part.scalars.items():
            steps = np.append(last.get(tag, own.steps[0]), own.steps)
            if (np.diff(steps) < 0).any():
                return files
            last[tag] = steps[-1]
    return marked


def _first_since(files: Sequence[EventTable], time: float) -> tuple[int, int]:
    """Return which file holds the first value written since a time, at which byte."""
    for at, file in enumerate(files):
        found = [
            int(own.offsets[(own.wall_times >= time).argmax()])
            for own in file.scalars.values()
            if (own.wall_times >= time).any()
        ]
        if found:
            return at, min(found)
    return len(files) - 1, BEHIND_ALL


class Purged(NamedTuple):
    """The parts of a writer's files without what its marks took back.

    And what it had logged before each mark, with what the mark left of that.
    """

    parts: list[EventTable]
    marks: list[tuple[list[EventTable], list[EventTable]]]
    notes: list[str]


def drop_purged(tables: Sequence[EventTable]) -> Purged:
    """Cut the files of a writer at its marks, and drop what these took back.

    The files are in the order they were begun; notes say what was dropped. A file that
    goes on after the mark in another one is another worker's, which did not resume.
    """
    parts: list[EventTable] = []
    marks, notes = [], []
    for mark, part in _cut_at_marks(tables):
        if mark is not None:
            step, time = mark.step, mark.wall_time
            others = {t.path for t in tables if t.last_time > time} - {part.path}
            left = [
                own if own.path in others else own.each(Scalars.below, step)
                for own in parts
            ]
            n_dropped = sum(own.n_scalars for own in parts)
            n_dropped -= sum(own.n_scalars for own in left)
            if n_dropped:
                notes.append(
                    f"the writer resumed at step {step} and marked it, which drops "
                    f"{count(n_dropped, 'value')} written before from there on"
                )
            marks.append((parts, left))
            parts = left
        parts = [*parts, part]
    return Purged(parts, marks, notes)


def _cut_at_marks(
    tables: Sequence[EventTable],
) -> Iterator[tuple[Restart | None, EventTable]]:
    """Yield the parts of files, each with the mark that it begins with."""
    for table in tables:
        marks = [None, *table.restarts]
        ends = pairwise([0, *(mark.offset for mark in table.restarts), BEHIND_ALL])
        for mark, (begin, end) in zip(marks, ends, strict=True):
            part = table.each(Scalars.between, begin, end)
            yield mark, part._replace(restarts=[], resumed=mark is not None)


def join_writers(pieces: list[Rows], most: int) -> tuple[list[Rows], list[str]]:
    """Join what several writers wrote of one training at the same time, with notes.

    They hold different series, or take turns: then the steps of a series, in the order
    they were written, only go up. A copy of another file is left out. Validations alone
    may also be written when the training has ended.
    """
    found: list[Rows] = []
    notes: dict[str, None] = {}
    if len(pieces) > _MOST_COMPARED:
        return pieces, []
    for piece in pieces:
        for i, other in enumerate(found):
            if other.place == piece.place or not _overlap(other, piece):
                continue
            joined, how = _join(other, piece, most)
            notes[how.format(file_of(other), file_of(piece))] = None
            if joined is not None:
                found[i] = joined
                break
        else:
            beside = _beside_training(found, piece)
            notes |= {_EVALUATED.format(file_of(piece)): None} if beside else {}
            found = [merge_points(own, most) for own in beside] or [*found, piece]
    return found, list(notes)


def _beside_training(found: Sequence[Rows], piece: Rows) -> list[list[Rows]]:
    """Return the fits of one training, each with its part of a piece of validations.

    An evaluator goes through the checkpoints of a training that has ended, up to the
    last one: so its steps are epochs of this. There are none if it is something else.
    """
    names = {name for own in found for name in own.columns}
    alone = all(map(is_validation, piece.columns)) and names.isdisjoint(piece.columns)
    if not alone or all(map(is_validation, names)):
        return []
    steps, own = np.concatenate([fit.epochs for fit in found]), piece.epochs
    every = int(np.diff(own).max(initial=1))
    whole = own[0] < steps[0] + every and steps[-1] < own[-1] + every
    if not whole or (np.diff(steps) <= 0).any() or not np.isin(own, steps).all():
        return []
    # its times do not tell whether another series was ahead of it
    late = holding(piece, piece.columns)
    late.written = dict.fromkeys(piece.columns, -np.inf)
    parts = [(fit, late.take(np.isin(own, fit.epochs))) for fit in found]
    return [[fit, part] if len(part.epochs) else [fit] for fit, part in parts]


def _join(one: Rows, other: Rows, most: int) -> tuple[Rows | None, str]:
    """Join what two wrote at the same time, and say how; None if it is apart."""
    if one.columns.keys().isdisjoint(other.columns):
        return merge_points([one, other], most), _JOINED
    if _is_copy(one, other):
        return max(one, other, key=lambda points: len(points.epochs)), _COPIED
    if _take_turns(one, other):
        return merge_points([one, other], most), _IN_TURN
    return None, _WORKERS


_JOINED = (
    "{} and {} were written at the same time and hold different series: "
    "they are one training"
)
_IN_TURN = (
    "{} and {} wrote the steps of one training in turn: none stands in both, and in "
    "the order of their times they only go up"
)
_EVALUATED = (
    "{} was written after the training and holds validations of its epochs alone: they "
    "are series of it"
)
_COPIED = (
    "{} and {} hold the same values, written at the same instants: one is a copy of "
    "the other, and the longer one was read"
)
_WORKERS = (
    "several files hold the same series and were written at the same time, as by "
    "several workers"
)


def _overlap(one: Rows, other: Rows) -> bool:
    """Tell whether two were written at the same time.

    Where they share no more than an instant, as without a clock, steps tell it: one
    that lies wholly behind the other goes on with it.
    """
    both = (one.wall_times, other.wall_times), (one.epochs, other.epochs)
    in_time, in_steps = (min(a[-1], b[-1]) - max(a[0], b[0]) for a, b in both)
    return bool(in_time > 0 or (in_time == 0 and in_steps >= 0))


def _is_copy(one: Rows, other: Rows) -> bool:
    """Tell whether one is the beginning of the other, to the bit and the instant."""
    n_steps = min(len(one.epochs), len(other.epochs))
    if one.columns.keys() != other.columns.keys():
        return False
    pairs = [(one.epochs, other.epochs), (one.wall_times, other.wall_times)]
    pairs += [(one.columns[k].values, other.columns[k].values) for k in one.columns]
    return all(a[:n_steps].tobytes() == b[:n_steps].tobytes() for a, b in pairs)


def _take_turns(one: Rows, other: Rows) -> bool:
    """Tell whether steps only go up, in the order of their times."""
    steps = np.concatenate([one.epochs, other.epochs])
    times = np.concatenate([one.wall_times, other.wall_times])
    in_order = steps[np.argsort(times, kind="stable")]
    return bool((in_order[1:] > in_order[:-1]).all())


def pair_points(train: list[Rows], validation: list[Rows], most: int) -> list[Rows]:
    """Put the validation points beside the training points of the same fit.

    Each fit writes one piece of each, or of one only. Where their numbers differ, a
    piece of validation belongs to the last fit that had logged before it began.
    """
    if not train:
        return validation
    in_order = len(train) == len(validation)
    groups: list[list[Rows]] = [[] for _ in train]
    begins = np.array([fit.wall_times[0] for fit in train])
    for i, piece in enumerate(validation):
        begun = np.flatnonzero(begins <= piece.wall_times[0])
        groups[i if in_order else int(begun.max(initial=0))].append(piece)
    return [
        merge_points([fit, *group], most)
        for fit, group in zip(train, groups, strict=True)
    ]
