"""Pieces of rows that several workers wrote of one training in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.odd_epochs import fill_each_other
from cbreplay.readers.building.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TURN_HINT", "are_in_turn", "join_turns"]

TURN_HINT = (
    ": if workers wrote one training in turn, and their clocks differ, --parts join or "
    "parts='join' takes them as one"
)


def are_in_turn(pieces: Sequence[Rows]) -> bool:
    """Tell whether pieces of a log fill each other's gaps, and share no epoch."""
    numbers = np.repeat(np.arange(len(pieces)), [len(own.epochs) for own in pieces])
    return fill_each_other(np.concatenate([own.epochs for own in pieces]), numbers)


def join_turns(pieces: list[Rows]) -> tuple[list[Rows], list[str]]:
    """Put pieces that fill each other's gaps in the order of their epochs, with a note.

    Clocks that differ do not tell how long an epoch took.
    """
    if not are_in_turn(pieces):
        return pieces, []
    joined = Rows.joined(pieces)
    ordered = joined.take(np.argsort(joined.epochs, kind="stable"))
    ordered.wall_times, ordered.place = np.zeros(0), joined.place
    return [ordered], ["its pieces fill each other's gaps: they were read as one"]
