"""The controls of a page: which settings they offer, and where they are placed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cbreplay.answers.moving import MovingQuestion, NamedSetting, moving_members
from cbreplay.document import Figure, Gallery, Moving
from cbreplay.rules.families import default_family, family_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.document import Document
    from cbreplay.run import Mode

__all__ = ["with_moving"]


def with_moving(
    document: Document,
    question: MovingQuestion,
    judged_by: Sequence[tuple[str | None, Mode | None]],
    *,
    replaces: tuple[str, ...] = (),
    is_curve: bool = False,
) -> Document:
    """Return a page with controls before its first picture, or before its last section.

    The page is returned as it is if settings are judged by different series.

    Else the page begins with the first named setting of the question. `judged_by` are
    the objectives with their directions, each once; `replaces` are the titles of the
    sections that say the same as the controls at their start, and `is_curve` says
    whether the first picture is a curve, which the controls then replace too.
    """
    (objective, mode), *others = judged_by
    if others or objective is None or mode is None:
        return document
    asked = question._replace(
        also=_also(question.named[0], next(iter(question.monitors), objective)),
        objective=objective,
        objective_mode=mode,
    )
    pictured = (
        section.title
        for section in document.sections
        if any(isinstance(block, (Figure, Gallery)) for block in section.blocks)
    )
    before = next(pictured, document.sections[-1].title)
    members = partial(moving_members, asked)
    replaces += (before,) if is_curve else ()
    return document._replace(moving=Moving(members, before, replaces))


def _also(first: NamedSetting, monitor: str) -> list[NamedSetting]:
    """Return the rule that reduces the rate, to be offered too; [] without one."""
    family = family_of(first.callbacks) or default_family()
    if family.reducing_rule is None:
        return []
    return [NamedSetting("", (family.reducing_rule(monitor=monitor),))]
