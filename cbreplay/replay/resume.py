"""What is given of resumed fits: new callbacks or the same, and a broken-off fit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cbreplay.run import Run

__all__ = ["Resume", "resumed_as"]

Resume: TypeAlias = Literal["fresh", "carried", "interrupted", "never"]


def resumed_as(run: Run, resume: Resume) -> Run:
    """Return a run with what is given of the fits before its seams.

    Parameters
    ----------
    run : Run
        The record.
    resume : {"fresh", "carried", "interrupted", "never"}
        Whether each fit after the first had new callbacks, the same instances, or new
        ones after a fit that was broken off before its callbacks saw the end; or
        whether no fit was resumed where the log does not tell.
    """
    if resume == "carried":
        return _with_same_callbacks(run)
    if resume == "never":
        return _without_possible_seams(run)
    return replace(run, broken_off=True) if resume == "interrupted" else run


def _with_same_callbacks(run: Run) -> Run:
    if not run.seams:
        return run
    notes = _reworded(run.notes, _OF_SAME_CALLBACKS)
    return replace(run, same_callbacks=True, notes=notes)


def _without_possible_seams(run: Run) -> Run:
    known = tuple(seam for seam in run.seams if seam not in run.possible_seams)
    notes = _reworded(run.notes, _OF_NO_OTHER_FIT)
    return replace(run, seams=known, possible_seams=frozenset(), notes=notes)


# phrases in readers' notes on a resumed fit, and what holds with the same callbacks
_OF_SAME_CALLBACKS = {
    "its callbacks were created anew there": "its callbacks were the same",
    "with callbacks created anew": "under the same callbacks",
}
_OF_NO_OTHER_FIT = {"; what hangs on it is not told": "; it is taken for the same one"}


def _reworded(notes: Iterable[str], words: Mapping[str, str]) -> tuple[str, ...]:
    """Return notes with other words for some."""
    for old, new in words.items():
        notes = [note.replace(old, new) for note in notes]
    return tuple(notes)
