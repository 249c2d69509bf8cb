"""What is given of resumed fits: new callbacks or the same, and a broken-off fit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
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
        return run.with_same_callbacks()
    if resume == "never":
        return run.without_possible_seams()
    return replace(run, broken_off=True) if resume == "interrupted" else run
