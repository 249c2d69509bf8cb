"""Epochs that are told by how much was trained, as 0.99, 1.98 and 2.97."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.columns.roles import are_epochs

if TYPE_CHECKING:
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import EpochArray, FloatArray

__all__ = ["ended_epochs", "read_ended_epochs"]

# how far two ends may be from a distance of 1, and an end from its epoch's number
_NEARLY, _NEAR = 0.05, 0.25


def ended_epochs(values: FloatArray) -> EpochArray | None:
    """Return the zero-based epochs that rows are the ends of, by how much was trained.

    Trainer's last step of an epoch may lie before its end, at 0.99, 1.98 and 2.97: it
    drops batches that fill no step. None if rows are whole epochs, or anything else.

    >>> ended_epochs(np.array([0.99, 1.98, 1.98, 2.97])).tolist()
    [0, 1, 1, 2]
    >>> ended_epochs(np.array([0.5, 1.0, 1.5])), ended_epochs(np.array([1.0, 2.0]))
    (None, None)
    """
    if not np.isfinite(values).all() or are_epochs(values).all():
        return None
    ends = np.array(sorted({*values.tolist()}))
    nearest = np.rint(values)
    off = np.abs(np.diff(ends, prepend=np.rint(ends[0]) - 1) - 1).max()
    if nearest.min() < 1 or off > _NEARLY or np.abs(values - nearest).max() > _NEAR:
        return None
    epochs: EpochArray = nearest.astype(np.int64) - 1
    return epochs


def read_ended_epochs(table: LogTable, name: str) -> None:
    """Read a column as zero-based epochs, with a note, if its rows end one each."""
    cells = table.columns[name]
    if cells.wrong.any() or cells.missing.any():
        return
    epochs = ended_epochs(cells.values)
    if epochs is None:
        return
    first = ", ".join(f"{value:g}" for value in sorted({*cells.values.tolist()})[:2])
    table.notes.append(
        f"{name} ({first}, ...) tells how much was trained: each row is the end of an "
        "epoch, and these were numbered"
    )
    cells.values = epochs.astype(np.float64)
    table.counts_from_zero = True
