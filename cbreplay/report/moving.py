"""What moves on a page: which settings it offers, and where it stands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.answers.moving import MovingQuestion, NamedSetting, moving_members
from cbreplay.document import Figure, Gallery, Moving
from cbreplay.rules.registry import default_family, family_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.document import Document
    from cbreplay.judging import Judging
    from cbreplay.replay import Replay

__all__ = ["MovingPage", "with_moving"]


class MovingPage(NamedTuple):
    """What a page is about that shall move.

    Parameters
    ----------
    replays : sequence of Replay
        Of the runs, by the setting that the page begins with.
    named : sequence of NamedSetting
        The settings that it offers by name, the first of which it begins with.
    monitors : sequence of str
        The series that were asked about.
    judging : Judging
        How it is judged.
    progress : callable, optional
        As in `sweep_runs`.
    """

    replays: Sequence[Replay]
    named: Sequence[NamedSetting]
    monitors: Sequence[str]
    judging: Judging
    progress: Callable[[int, int], None] | None = None

    def question(self) -> MovingQuestion | None:
        """Return what is asked; None where settings are judged by different series."""
        judged = {(replay.objective, replay.objective_mode) for replay in self.replays}
        objective, mode = judged.pop()
        if judged or objective is None or mode is None:
            return None
        return MovingQuestion(
            [replay.run for replay in self.replays],
            self.named,
            self._also(objective),
            self.monitors,
            self.judging,
            objective,
            mode,
            self.replays[0].semantics.name,
        )

    def _also(self, objective: str) -> list[NamedSetting]:
        """Return the rule that reduces the rate, beside those that stop."""
        family = family_of(self.named[0].callbacks) or default_family()
        if family.reducing_rule is None:
            return []
        monitor = next(iter(self.monitors), objective)
        return [NamedSetting("", (family.reducing_rule(monitor=monitor),))]


def with_moving(document: Document, page: MovingPage, *, is_curve: bool) -> Document:
    """Return a page with what moves before its first picture.

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
    pictured = next(
        section.title
        for section in document.sections
        if any(isinstance(block, (Figure, Gallery)) for block in section.blocks)
    )
    members = partial(moving_members, question, page.progress)
    return document._replace(moving=Moving(members, pictured, is_curve))
