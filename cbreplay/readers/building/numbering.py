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
    epochs: EpochArray,
    options: ReadOptions,
    *,
    known: bool,
    lacks_rows: bool = False,
) -> NumberedEpochs:
    """Return the zero-based epochs of rows, and what to note.

    The log of an unknown writer counts from 1 if its smallest number is 1, or if it
    begins at its own cadence: 10, 20, 30.

    `epochs` are the numbers in the log, in its order, `known` tells whether its writer
    counts from 0, and `lacks_rows` whether damaged rows were left out.
    """
    first = int(epochs[0])
    begins, notes = first, list[str]()
    if options.first_epoch is not None:
        begins = options.first_epoch
        notes.append(f"the first row is epoch {begins} (counted from 0), as given")
    elif not known and _counts_from_one(epochs, lacks_rows=lacks_rows):
        begins = first - 1
        least = int(epochs.min())
        told = f"first is {first}" if least == first else f"smallest is {least}"
        note = f"its epochs were taken as counted from 1, because the {told}"
        hint = f"if they count from 0, give --first-epoch {first}"
        notes.append(Note(f"{note}; {hint} or first_epoch={first}", "epochs"))
    shift = first - begins
    if options.parts == "rows":
        notes.append("every row was taken as the next epoch, as given")
        return NumberedEpochs(begins + np.arange(len(epochs)), shift, notes)
    return NumberedEpochs(epochs - shift, shift, notes)


def _counts_from_one(epochs: EpochArray, *, lacks_rows: bool) -> bool:
    first, least = int(epochs[0]), int(epochs.min())
    if least < 1:
        return False
    # a later training that begins at 1, unless its row of epoch 0 was damaged
    begins_at_one = least == 1 and not lacks_rows
    return first == 1 or begins_at_one or first == cadence_of_epochs(epochs)
