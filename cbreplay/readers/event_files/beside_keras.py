"""What a script logs beside Keras's TensorBoard callback, and whether it is by epoch.

A script's ``tf.summary.scalar("val_loss", loss, step=epoch)`` in the directory of the
callback is a series of the same training; what it logs by batch is none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.evaluations import shown
from cbreplay.readers.columns.column_names import KERAS_ITERATIONS
from cbreplay.readers.event_files.scalar_table import Scalars
from cbreplay.series_names import is_rate_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.readers.event_files.layouts import Layout
    from cbreplay.readers.event_files.scalar_table import EventTable

__all__ = ["with_other_scalars"]

_BY_EPOCH = r"epoch_.+"
_OWN = rf"{_BY_EPOCH}|{KERAS_ITERATIONS}"


def with_other_scalars(
    layout: Layout,
    writers: Mapping[str, Sequence[EventTable]],
    *,
    steps_count: bool = True,
) -> Layout:
    """Return Keras's layout with the scalars that others wrote in its directory.

    Steps do not count where the user says that each value is the next epoch's.
    """
    training, validation = [*writers[""], *writers["train"]], writers["validation"]
    judged = {tag for file in validation for tag in file.scalars}
    names = {layout.series_name(tag, "") for file in training for tag in file.scalars}
    names |= {layout.series_name(tag, "validation") for tag in judged}
    tags = dict.fromkeys(
        tag for file in (*training, *validation) for tag in file.scalars
    )
    reasons = {
        tag: _why_none(tag, training if steps_count else [], names, judged)
        for tag in tags
        if not re.fullmatch(_OWN, tag)
    }
    left_out = {tag: reason for tag, reason in reasons.items() if reason}
    read = [tag for tag in reasons if tag not in left_out]
    note = f"{shown(read)}: logged beside what Keras wrote, at the steps of its epochs"
    notes = [*layout.notes, note] if read else layout.notes
    return layout._replace(beside=tuple(read), silent=left_out, notes=tuple(notes))


def _why_none(
    tag: str,
    files: Sequence[EventTable],
    names: set[str | None],
    judged: set[str],
) -> str:
    """Tell why a tag is no series of the training; '' if it is one."""
    if tag in judged or not _is_by_epoch(files, tag):
        return "nothing shows that its steps are the epochs of what Keras wrote"
    if tag in names:
        return "Keras wrote a series of this name too, which was read"
    if is_rate_name(tag):
        return (
            "a learning rate beside what Keras wrote: nothing tells whether it was "
            "logged before or after the callbacks changed it"
        )
    return ""


def _is_by_epoch(files: Sequence[EventTable], tag: str) -> bool:
    """Tell whether a tag has a value at each epoch of Keras's, or at every other.

    Each must have been written between the epoch before and that behind it: the steps
    of batches may have the numbers of epochs, but not their times.
    """
    own, other = _in_time(files, _BY_EPOCH), _in_time(files, re.escape(tag))
    if own is None or other is None or len(other.steps) < _LEAST:
        return False
    first = np.flatnonzero(np.diff(own.steps, prepend=-1))
    epochs, written = own.steps[first], own.wall_times[first]
    places = epochs.searchsorted(other.steps)
    every = max(int(places[1] - places[0]), 1)
    if places[0] >= every or not np.array_equal(
        epochs[places[0] :: every], other.steps
    ):
        return False
    times = np.concatenate([[-np.inf], written, [np.inf]])
    between = times[places] <= other.wall_times
    return bool((between & (other.wall_times <= times[places + 2])).all())


_LEAST = 2


def _in_time(files: Sequence[EventTable], pattern: str) -> Scalars | None:
    """Return the scalars of some tags in the order of time, in which steps never fall.

    None if they do, or if several fits or files hold them.
    """
    held = [
        (own, file)
        for file in files
        for tag, own in file.scalars.items()
        if re.fullmatch(pattern, tag)
    ]
    if len({file.path for _, file in held}) != 1 or held[0][1].restarts:
        return None
    scalars = Scalars.joined([own for own, _ in held])
    ordered = scalars.take(np.argsort(scalars.wall_times, kind="stable"))
    return None if (np.diff(ordered.steps) < 0).any() else ordered
