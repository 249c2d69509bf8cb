"""What is said of a log that was left out, and others beside it were read."""

from __future__ import annotations

from cbreplay.errors import LogError
from cbreplay.note import Note
from cbreplay.readers.base import SKIP_HINT

__all__ = ["note_left_out"]


def note_left_out(error: LogError, *, strict: bool) -> Note:
    """Say of a log beside others why it was left out, and what would read it.

    Parameters
    ----------
    error : LogError
        Why it cannot be read.
    strict : bool
        Whether a damaged line is an error, so that to skip it would help.
    """
    hint = error.hint
    if hint == SKIP_HINT:
        # the log itself is left out already
        skip = ", or keep what is whole of it with --errors skip or errors='skip'"
        hint = "Correct it" + (skip if strict else "")
    told = LogError(
        error.problem,
        source=error.source,
        line=error.line,
        byte=error.byte,
        hint=hint,
    )
    return Note(f"left out another of these logs: {told.sentence}", "other logs")
