"""What is said of a log whose epochs begin anew: of which fits its trainings may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.note import Note
from cbreplay.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers.building.rows import Rows
    from cbreplay.readers.building.training_rows import TrainingRows

__all__ = ["began_after", "note_restarts"]


def began_after(earlier: Rows, later: Rows) -> bool:
    """Return whether later rows may go on with earlier ones, by their times, if any."""
    times = earlier.wall_times, later.wall_times
    return not all(map(len, times)) or not times[0][-1] > times[1][0]


def note_restarts(records: Sequence[TrainingRows]) -> None:
    """Note at each of several trainings which one it is, and how it is read as one."""
    if len(records) == 1:
        return
    from cbreplay.readers.building.turns import TURN_HINT, are_in_turn

    in_turn = are_in_turn([record.rows for record in records])
    for number, record in enumerate(records, start=1):
        rows = record.rows
        back = f", where the epochs step back to {rows.epochs[0] + 1} (counted from 1)"
        if in_turn or record.resumes:
            back += TURN_HINT if in_turn else _JOIN_HINT
        goes_on = began_after(records[max(number - 2, 0)].rows, rows)
        if goes_on and rows.epochs[0] == records[0].rows.epochs[0]:
            back += _rows_hint(records)
        note = (
            f"the log holds {len(records)} trainings; this is number {number}, "
            f"from {rows.place} on{back if number > 1 else ''}"
        )
        record.notes.append(Note(note, "parts") if number > 1 else note)


_JOIN_HINT = (
    ": if a fit was resumed there, --parts join or parts='join' takes them as one"
)


def _rows_hint(records: Sequence[TrainingRows]) -> str:
    """Say how to read fits that all count from the same epoch as one training."""
    hint = ": if its fit went on with the model of the one before, "
    if len(records) > _TWO_FITS:
        hint += "--parts rows or parts='rows' takes them as one training; a --seam for "
        return hint + (
            "each fit after the first, or seams=[...], says how many epochs came before"
        )
    seam = records[0].first_epoch + len(records[0].rows.epochs)
    hint += f"--parts rows --seam {seam} or parts='rows', seams=[{seam}] takes both as "
    return hint + f"one training (the second begins after {count(seam, 'epoch')})"


_TWO_FITS = 2
