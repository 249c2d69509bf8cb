"""What only a page shows of an answer: pictures, and controls that move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cbreplay.document.tables import Table

__all__ = ["Figure", "Gallery", "Moving"]


class Figure(NamedTuple):
    """A picture as its points, with the words that say the same.

    Parameters
    ----------
    points : callable
        Returns the points that ``plots`` draws, of one of its own classes; they are
        only computed by a form with pictures.
    caption : str
        What it shows, standing without the picture too.
    legend : str
        What its colours and signs mean, for who sees it.
    alternative : str
        What someone who cannot see it is told.
    title : str
        Its name, where it has one of its own.
    small : bool
        Whether it is one of many.
    table : Table or None
        Its numbers, where they stand nowhere else.
    """

    points: Callable[[], Any]
    caption: str
    alternative: str
    title: str = ""
    small: bool = False
    table: Table | None = None
    legend: str = ""

    @property
    def words_below(self) -> str:
        """The caption, and what the signs in the picture mean."""
        return f"{self.caption} {self.legend}".rstrip()


class Gallery(NamedTuple):
    """Small figures beside each other."""

    figures: tuple[Figure, ...]


class Moving(NamedTuple):
    """Controls that look other settings up, for a form that can move.

    Parameters
    ----------
    members : callable
        Returns everything that they can look up, as JSON has it; None where there is
        nothing to move.
    before : str
        The title of the section before which they stand.
    stands_in : bool
        Whether they show what that section shows, which then is left out.
    """

    members: Callable[[], Mapping[str, Any] | None]
    before: str
    stands_in: bool = False
