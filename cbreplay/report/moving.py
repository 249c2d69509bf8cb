"""What moves on a page: which settings it offers, and where it stands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.answers.moving import MovingQuestion, NamedSetting, moving_members
from cbreplay.document.on_pages import Figure, Gallery, Moving
from cbreplay.rules.registry import default_family, family_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.document import Document
    from cbreplay.judging import Judging
    from cbreplay.run import Mode, Run

__all__ = ["MovingPage", "with_moving"]


class MovingPage(NamedTuple):
    """What a page is about that shall move.

    Parameters
    ----------
    runs : sequence of Run
        The runs that can be replayed.
    judged_by : sequence of (str or None, {"min", "max"} or None)
        What judges them, each once.
    version : str
        Whose rules decide.
    named : sequence of NamedSetting
        The settings that it offers by name, the first of which it begins with.
    monitors : sequence of str
        The series that were asked about.
    judging : Judging
        How it is judged.
    """

    runs: Sequence[Run]
    judged_by: Sequence[tuple[str | None, Mode | None]]
    version: str
    named: Sequence[NamedSetting]
    monitors: Sequence[str]
    judging: Judging

    def question(self) -> MovingQuestion | None:
        """Return what is asked; None where settings are judged by different series."""
        (objective, mode), *others = self.judged_by
        if others or objective is None or mode is None:
            return None
        return MovingQuestion(
            self.runs,
            self.named,
            self._also(objective),
            self.monitors,
            self.judging,
            objective,
            mode,
            self.version,
        )

    def _also(self, objective: str) -> list[NamedSetting]:
        """Return the rule that reduces the rate, beside those that stop."""
        family = family_of(self.named[0].callbacks) or default_family()
        if family.reducing_rule is None:
            return []
        monitor = next(iter(self.monitors), objective)
        return [NamedSetting("", (family.reducing_rule(monitor=monitor),))]


def with_moving(document: Document, page: MovingPage, *, is_curve: bool) -> Document:
    """Return a page with what moves before its first picture, or near its end.

    Parameters
    ----------
    document, page : Document, MovingPage
        The page, and what of it shall move.
    is_curve : bool
        Whether that picture is the curve which what moves begins with.
    """
    question = page.question()
    if question is None:
        return document
    pictured = (
        section.title
        for section in document.sections
        if any(isinstance(block, (Figure, Gallery)) for block in section.blocks)
    )
    before = next(pictured, document.sections[-1].title)
    members = partial(moving_members, question)
    return document._replace(moving=Moving(members, before, is_curve))
