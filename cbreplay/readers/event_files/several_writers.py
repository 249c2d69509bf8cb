"""Which event files of one directory several writers wrote together; and copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.event_files.points import merge_points

if TYPE_CHECKING:
    from cbreplay.readers.event_files.points import LoggedPoints

__all__ = ["join_writers", "pair_points"]

_MOST_COMPARED = 500


def join_writers(
    pieces: list[LoggedPoints], most: int
) -> tuple[list[LoggedPoints], list[str]]:
    """Join what several writers wrote of one training at the same time, with notes.

    They hold different series, or take turns: then the steps of a series, in the order
    they were written, only go up. A copy of another file is left out.
    """
    found: list[LoggedPoints] = []
    notes: dict[str, None] = {}
    if len(pieces) > _MOST_COMPARED:
        return pieces, []
    for piece in pieces:
        for i, other in enumerate(found):
            if other.file == piece.file or not _overlap(other, piece):
                continue
            joined, how = _join(other, piece, most)
            notes[how.format(other.file, piece.file)] = None
            if joined is not None:
                found[i] = joined
                break
        else:
            found.append(piece)
    return found, list(notes)


def _join(
    one: LoggedPoints, other: LoggedPoints, most: int
) -> tuple[LoggedPoints | None, str]:
    """Join what two wrote at the same time, and say how; None if it is apart."""
    if one.columns.keys().isdisjoint(other.columns):
        return merge_points([one, other], most), _JOINED
    if _is_copy(one, other):
        return max(one, other, key=lambda points: len(points.steps)), _COPIED
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
_COPIED = (
    "{} and {} hold the same values, written at the same instants: one is a copy of "
    "the other, and the longer one was read"
)
_WORKERS = (
    "several files hold the same series and were written at the same time, as by "
    "several workers"
)


def _overlap(one: LoggedPoints, other: LoggedPoints) -> bool:
    """Tell whether two were written at the same time."""
    begins = max(one.wall_times[0], other.wall_times[0])
    return bool(begins <= min(one.wall_times[-1], other.wall_times[-1]))


def _is_copy(one: LoggedPoints, other: LoggedPoints) -> bool:
    """Tell whether one is the beginning of the other, to the bit and the instant."""
    n_steps = min(len(one.steps), len(other.steps))
    if one.columns.keys() != other.columns.keys():
        return False
    pairs = [(one.steps, other.steps), (one.wall_times, other.wall_times)]
    pairs += [(one.columns[k].values, other.columns[k].values) for k in one.columns]
    return all(a[:n_steps].tobytes() == b[:n_steps].tobytes() for a, b in pairs)


def _take_turns(one: LoggedPoints, other: LoggedPoints) -> bool:
    """Tell whether steps only go up, in the order of their times."""
    steps = np.concatenate([one.steps, other.steps])
    times = np.concatenate([one.wall_times, other.wall_times])
    in_order = steps[np.argsort(times, kind="stable")]
    return bool((in_order[1:] > in_order[:-1]).all())


def pair_points(
    train: list[LoggedPoints], validation: list[LoggedPoints], most: int
) -> list[LoggedPoints]:
    """Put the validation points beside the training points of the same fit.

    Each fit writes one piece of each, or of one only. Where their numbers differ, a
    piece of validation belongs to the last fit that had logged before it began.
    """
    if not train:
        return validation
    in_order = len(train) == len(validation)
    groups: list[list[LoggedPoints]] = [[] for _ in train]
    begins = np.array([fit.wall_times[0] for fit in train])
    for i, piece in enumerate(validation):
        begun = np.flatnonzero(begins <= piece.wall_times[0])
        groups[i if in_order else int(begun.max(initial=0))].append(piece)
    return [
        merge_points([fit, *group], most)
        for fit, group in zip(train, groups, strict=True)
    ]
