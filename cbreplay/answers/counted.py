"""A number with its noun, as parts of a sentence that keep the number as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.document import Fact, say

if TYPE_CHECKING:
    from cbreplay.document import Text

__all__ = ["counted"]


def counted(number: int, noun: str, name: str) -> Text:
    """Say a number with its noun; `name` is what it is called in the answer's data.

    >>> from cbreplay.document import plain_text
    >>> plain_text(counted(1, "run", "n_runs")), plain_text(counted(3, "run", "n_runs"))
    ('1 run', '3 runs')
    """
    return say(Fact(number, "count", name), f" {noun}" if number == 1 else f" {noun}s")
