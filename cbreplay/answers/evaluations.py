"""Reword an answer about a log whose rows are evaluations and no epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from cbreplay.document import (
    Claim,
    Code,
    CodeBlock,
    Command,
    Deferred,
    Fact,
    Paragraph,
    Section,
    TableColumn,
    say,
)
from cbreplay.wording.words import spoken_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.document import Document
    from cbreplay.run import Run

__all__ = ["in_evaluations"]

_Part = TypeVar("_Part")
# parts that are typed, pasted or read by programs keep their words
_AS_IT_IS = (Claim, Code, CodeBlock, Command, Fact)


def in_evaluations(document: Document, runs: Sequence[Run]) -> Document:
    """Say "evaluation" for "epoch" throughout, and add what patience counts.

    An answer about several runs, or about one whose rows are epochs, stays as it is.
    """
    if len(runs) > 1 or runs[0].steps is None:
        return document
    run, steps = runs[0], runs[0].steps.tolist()
    said = (
        f"Patience counts evaluations: the rows of this log are those of the steps "
        f"{steps[0]} to {steps[-1]}."
    )
    note = Section("What is counted", (Paragraph(say(said)),), untitled=True)
    spoken = _spoken(document._replace(program=dict), run)
    return spoken._replace(
        question=document.question,
        sections=(note, *spoken.sections),
        program=document.program,
    )


def _spoken(part: _Part, run: Run) -> _Part:
    """Reword the texts in a part of a document; code and values stay as they are."""
    found: Any = tuple(part) if isinstance(part, Deferred) else part
    if isinstance(found, str):
        found = spoken_rows(found, run)
    elif isinstance(found, TableColumn):
        found = found._replace(title=spoken_rows(found.title, run))
    elif isinstance(found, tuple) and not isinstance(found, _AS_IT_IS):
        parts = [_spoken(member, run) for member in found]
        # a NamedTuple is made of its fields
        made: Any = getattr(type(found), "_make", tuple)
        found = made(parts)
    spoken: _Part = found
    return spoken
