"""A figure's points as pictures, in every version that a page may show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from cbreplay.plots.picture import draw_points, figure_bytes
from cbreplay.plots.style import DARK, LIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from cbreplay.document import Figure

__all__ = ["Image", "draw_versions"]

_WIDE, _NARROW = 8.4, 4.3
# in bytes: a larger picture, of many points, is smaller as PNG
_LARGEST_SVG = 45_000


class Image(NamedTuple):
    """A picture as bytes, for a light or a dark page, for a wide or a narrow one.

    Parameters
    ----------
    content : bytes
        The file.
    kind : {"svg", "png"}
        Its format.
    dark, narrow : bool
        For which pages it is.
    """

    content: bytes
    kind: Literal["svg", "png"]
    dark: bool = False
    narrow: bool = False


def draw_versions(figure: Figure) -> list[Image]:
    """Draw a figure light and dark, and wide and narrow unless it is a small one.

    The narrow and dark ones come first, as a page has to list them.
    """
    points = figure.points()
    widths = (False,) if figure.small else (True, False)
    return [
        _as_image(
            draw_points(
                points,
                look=DARK if dark else LIGHT,
                width=_NARROW if narrow else _WIDE,
                small=figure.small,
            ),
            dark=dark,
            narrow=narrow,
        )
        for narrow in widths
        for dark in (True, False)
    ]


def _as_image(drawing: Drawing, *, dark: bool, narrow: bool) -> Image:
    content = figure_bytes(drawing, "svg")
    if len(content) <= _LARGEST_SVG:
        return Image(content, "svg", dark=dark, narrow=narrow)
    return Image(figure_bytes(drawing, "png"), "png", dark=dark, narrow=narrow)
