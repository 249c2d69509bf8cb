"""A report on a run whose rows are evaluations, in its own words."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from cbreplay.report.document import Code, CodeBlock, Image, Paragraph, Section
from cbreplay.words import spoken_rows

if TYPE_CHECKING:
    from cbreplay.report.document import Document
    from cbreplay.run import Run

__all__ = ["in_evaluations"]

_Part = TypeVar("_Part")


def in_evaluations(report: Document, run: Run) -> Document:
    """Call the rows evaluations throughout, and say above what patience counts."""
    steps = [] if run.steps is None else run.steps.tolist()
    said = (
        f"Patience counts evaluations: the rows of this log are those of the steps "
        f"{steps[0]} to {steps[-1]}."
    )
    note = Section("What is counted", (Paragraph((said,)),))
    spoken = _spoken(report, run)
    return replace(spoken, sections=(note, *spoken.sections))


def _spoken(part: _Part, run: Run) -> _Part:
    """Write a part of a report otherwise; code and pictures stay as they are."""
    found: Any = part
    if isinstance(found, str):
        found = spoken_rows(found, run)
    elif isinstance(found, (Code, CodeBlock, Image)):
        pass
    elif isinstance(found, tuple):
        parts = [_spoken(one, run) for one in found]
        # a NamedTuple is made of its fields
        found = type(found)(*parts) if hasattr(found, "_fields") else tuple(parts)
    elif is_dataclass(found) and not isinstance(found, type):
        changed = {
            one.name: _spoken(getattr(found, one.name), run) for one in fields(found)
        }
        found = replace(found, **changed)
    spoken: _Part = found
    return spoken
