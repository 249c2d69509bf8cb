"""What only a page shows of an answer: pictures, and controls to try settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.document.tables import worked_out

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
        What it shows; understandable without the picture too.
    legend : str
        What its colours and signs mean.
    alternative : str
        A description for readers who cannot see it.
    title : str
        Its title, if it has one.
    small : bool
        Whether it is one of many.
    table : Table or None
        Its numbers, if they are in no other table.
    """

    points: Callable[[], Any]
    caption: str
    alternative: str
    title: str = ""
    small: bool = False
    table: Table | None = None
    legend: str = ""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the points themselves: the way to them may hold anything."""
        return Figure, (worked_out(self.points), *self[1:])

    @property
    def words_below(self) -> str:
        """The caption, and what the signs in the picture mean."""
        return f"{self.caption} {self.legend}".rstrip()


class Gallery(NamedTuple):
    """Small figures beside each other."""

    figures: tuple[Figure, ...]


class Moving(NamedTuple):
    """Controls of a page that look up the answers for other settings.

    Parameters
    ----------
    members : callable
        Returns everything that they can look up, as JSON; None if there is nothing.
    before : str
        The title of the section before which they are placed.
    replaces : tuple of str
        The titles of the sections that a page without them shows in their place.
    """

    members: Callable[[], Mapping[str, Any] | None]
    before: str
    replaces: tuple[str, ...] = ()
