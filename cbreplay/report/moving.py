"""The controls of a page: which settings they offer, and where they are placed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cbreplay.answers.moving import MovingQuestion, NamedSetting, moving_members
from cbreplay.document.on_pages import Figure, Gallery, Moving
from cbreplay.rules.registry import default_family, family_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.document import Document
    from cbreplay.judging import Judging
    from cbreplay.run import Mode, Run

__all__ = ["with_moving"]


def with_moving(
    document: Document,
    runs: Sequence[Run],
    judged_by: Sequence[tuple[str | None, Mode | None]],
    *,
    version: str,
    named: Sequence[NamedSetting],
    monitors: Sequence[str],
    judging: Judging,
    replaces: tuple[str, ...] = (),
    is_curve: bool,
) -> Document:
    """Return a page with controls before its first picture, or before its last section.

    The page is returned as it is if settings are judged by different series.

    Parameters
    ----------
    document : Document
        The page.
    runs : sequence of Run
        The runs that can be replayed.
    judged_by : sequence of (str or None, {"min", "max"} or None)
        The objectives with their directions, each once.
    version : str
        The Keras version whose rules decide.
    named : sequence of NamedSetting
        The settings that are offered by name; the page begins with the first.
    monitors : sequence of str
        The series that were asked about.
    judging : Judging
        How it is judged.
    replaces : tuple of str
        The titles of the sections that say the same as the controls at their start.
    is_curve : bool
        Whether the first picture is a curve, which the controls replace too.
    """
    (objective, mode), *others = judged_by
    if others or objective is None or mode is None:
        return document
    also = _also(named[0], next(iter(monitors), objective))
    question = MovingQuestion(
        runs, named, also, monitors, judging, objective, mode, version
    )
    pictured = (
        section.title
        for section in document.sections
        if any(isinstance(block, (Figure, Gallery)) for block in section.blocks)
    )
    before = next(pictured, document.sections[-1].title)
    members = partial(moving_members, question)
    replaces += (before,) if is_curve else ()
    return document._replace(moving=Moving(members, before, replaces))


def _also(first: NamedSetting, monitor: str) -> list[NamedSetting]:
    """Return the rule that reduces the rate, to be offered too; [] without one."""
    family = family_of(first.callbacks) or default_family()
    if family.reducing_rule is None:
        return []
    return [NamedSetting("", (family.reducing_rule(monitor=monitor),))]
