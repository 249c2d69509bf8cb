"""What a writer of event files took back when it resumed: the marks of restarts."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers.event_files.scalar_table import EventTable

__all__ = ["drop_purged"]


def drop_purged(tables: Sequence[EventTable]) -> tuple[list[EventTable], list[str]]:
    """Cut files at the marks of restarts, and drop what these say was taken back.

    A writer that resumes a training marks the step from which it goes on: what was
    written before, from that step on, does not count (TensorBoard reads it so too).

    Parameters
    ----------
    tables : sequence of EventTable
        The files of one directory, in the order they were begun.

    Returns
    -------
    parts : list of EventTable
        The files, cut.
    notes : list of str
        What was dropped.
    """
    if not any(table.restarts for table in tables):
        return list(tables), []
    parts: list[EventTable] = []
    notes: list[str] = []
    for table in tables:
        offsets = [restart.offset for restart in table.restarts]
        cuts = np.searchsorted(table.scalars.offsets, offsets).tolist()
        ends = pairwise([0, *cuts, len(table.scalars.offsets)])
        for (begin, end), restart in zip(ends, [None, *table.restarts], strict=True):
            if restart is not None:
                parts, n_dropped = _drop_from(parts, restart.step)
                if n_dropped:
                    notes.append(
                        f"the writer resumed at step {restart.step} and marked it, "
                        f"which drops {count(n_dropped, 'value')} written before from "
                        "there on"
                    )
            own = table.only(slice(begin, end))
            parts.append(own._replace(resumed=restart is not None))
    return parts, notes


def _drop_from(parts: Sequence[EventTable], step: int) -> tuple[list[EventTable], int]:
    """Leave out the values from a step on, and count them."""
    kept = [part.scalars.steps < step for part in parts]
    cut = [part.only(own) for part, own in zip(parts, kept, strict=True)]
    return cut, sum(int(np.count_nonzero(~own)) for own in kept)
