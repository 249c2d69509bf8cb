"""Where a column says that another phase of a training, or another process, began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.columns.roles import letters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers.building.rows import Rows
    from cbreplay.readers.building.training_rows import TrainingRows
    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import EpochArray

__all__ = ["note_phases", "rows_at"]

# a fit, or a process, has one of each; written small and without what is no letter
_NAMES = {"phase", "stage", "run", "runid", "session", "sessionid", "jobid", "attempt"}
_MAY_BE_RESUMED = (
    "{name} goes from {before} to {after} at epoch {epoch} (counted from 1): a fit was "
    "resumed there, with new callbacks, or the same one went on; what hangs on it is "
    "not told; --seam {0} or seams=[{0}] says the former, --resume carried the latter"
)


def note_phases(
    records: Sequence[TrainingRows], table: LogTable, rows: Rows, lines: EpochArray
) -> None:
    """Note in each training where another phase begins, as a fit that may be resumed.

    Parameters
    ----------
    records : sequence of TrainingRows
        The trainings of the table; those with such phases are changed.
    table : LogTable
        The table.
    rows : Rows
        Its rows that are read, in order.
    lines : int array of shape (n_rows,)
        The line of each of them.
    """
    for name, cells in table.columns.items():
        if letters(name) not in _NAMES:
            continue
        words = _words(cells)
        if words is None or len(set(words)) == 1:
            continue
        own = [words[at] for at in rows_at(table.lines, lines)]
        begins = [at for at in range(1, len(own)) if own[at] != own[at - 1]]
        in_turn = len(set(own)) == len(begins) + 1
        # words that come again, or stand in a row each, are no fits
        for at in begins if in_turn and 2 * len(set(own)) <= len(own) else ():
            _add(records, name, own[at - 1 : at + 1], int(rows.epochs[at]))


def _add(
    records: Sequence[TrainingRows], name: str, words: list[str], epoch: int
) -> None:
    before, after = map(repr, words)
    for record in records:
        inside = record.first_epoch < epoch <= record.horizon
        if inside and len(records) == 1 and epoch not in record.seams:
            record.possible.add(epoch)
            record.seams[epoch] = _MAY_BE_RESUMED.format(
                epoch, name=name, before=before, after=after, epoch=epoch + 1
            )


def _words(cells: LogColumn) -> list[str] | None:
    """Return the cell of each row as text; None if some are empty."""
    if cells.wrong.all():
        return cells.words_of_rows()
    if (cells.missing | cells.wrong).any():
        return None
    return [f"{value:g}" for value in cells.values.tolist()]


def rows_at(table_lines: EpochArray, lines: EpochArray) -> EpochArray:
    """Return which rows of a table are at some of its lines."""
    order = np.argsort(table_lines)
    return order[np.searchsorted(table_lines, lines, sorter=order)]
