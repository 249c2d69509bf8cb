"""Which zero-based epoch a row has: not every writer counts from 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.evidence.cadence import cadence_of_epochs
from cbreplay.wording.note import Note

if TYPE_CHECKING:
    from cbreplay.readers.base import ReadOptions
    from cbreplay.run import EpochArray

__all__ = ["NumberedEpochs", "number_epochs"]


class NumberedEpochs(NamedTuple):
    """The zero-based epochs of rows.

    `counts_from` is the number by which the log calls epoch 0, and the notes say what
    was assumed, or given.
    """

    epochs: EpochArray
    counts_from: int
    notes: list[str]


def number_epochs(
    epochs: EpochArray, options: ReadOptions, *, known: bool
) -> NumberedEpochs:
    """Return the zero-based epochs of rows, and what to note.

    The log of an unknown writer counts from 1 if it begins at 1, or at its own cadence:
    10, 20, 30.

    `epochs` are the numbers in the log, in its order, and `known` tells whether its
    writer counts from 0.
    """
    first = int(epochs[0])
    begins, notes = first, list[str]()
    if options.first_epoch is not None:
        begins = options.first_epoch
        notes.append(f"the first row is epoch {begins} (counted from 0), as given")
    elif not known and _counts_from_one(epochs):
        begins = first - 1
        note = f"its epochs were taken as counted from 1, because the first is {first}"
        hint = f"if they count from 0, give --first-epoch {first}"
        notes.append(Note(f"{note}; {hint} or first_epoch={first}", "epochs"))
    shift = first - begins
    if options.parts == "rows":
        notes.append("every row was taken as the next epoch, as given")
        return NumberedEpochs(begins + np.arange(len(epochs)), shift, notes)
    return NumberedEpochs(epochs - shift, shift, notes)


def _counts_from_one(epochs: EpochArray) -> bool:
    first = int(epochs[0])
    if first < 1 or int(epochs.min()) < 1:
        return False
    return first == 1 or first == cadence_of_epochs(epochs)
