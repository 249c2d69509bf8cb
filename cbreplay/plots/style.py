"""The look of all pictures: a light and a dark set of colours, axes, text.

Which colour a mark on the curve has: `learning_curve`.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from cbreplay.errors import ConfigError
from cbreplay.plots.in_notebook import picture_html
from cbreplay.plots.picture_text import FONT
from cbreplay.wording.words import visible_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes


__all__ = [
    "DARK",
    "LIGHT",
    "TEXT_SIZE",
    "Look",
    "fit_axes",
    "label_axis",
    "make_axes",
    "make_figure",
    "stack_axes",
    "style_axes",
    "style_text",
]

# in points
TEXT_SIZE = 9.0
_DPI = 144
# matplotlib draws at most 2**16 dots
_MOST_INCHES = 400
_GAP = 0.07  # inches around everything


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of a picture, after Okabe and Ito's colour-blind safe set.

    Parameters
    ----------
    background, text, muted, line : str
        The page, its text, less important text, and lines.
    monitored, objective, faint : str
        The watched series, the judged one, and context.
    decision : str
        The decisions of the callbacks; dark enough for text.
    shade : str
        The stretch that is not in the log.
    """

    background: str
    text: str
    muted: str
    line: str
    monitored: str
    objective: str
    faint: str
    decision: str
    shade: str


LIGHT = Look(
    background="#ffffff",
    text="#17212b",
    muted="#5b6875",
    line="#dfe4e9",
    monitored="#0072b2",
    objective="#007a5a",
    faint="#8a96a3",
    decision="#b84a00",
    shade="#eceff2",
)
DARK = Look(
    background="#14191f",
    text="#e6eaee",
    muted="#9aa7b4",
    line="#2c353f",
    monitored="#56b4e9",
    objective="#5fc79a",
    faint="#75828f",
    decision="#ff9a4d",
    shade="#232c35",
)


class SelfShowingFigure(Figure):
    """A figure that a notebook shows although it was not made with pyplot."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", facecolor=self.get_facecolor())
        return buffer.getvalue()

    def _repr_html_(self) -> str:
        """Return the picture as HTML, which is inverted in a dark notebook."""
        written = [text.get_text() for ax in self.axes for text in ax.texts]
        return picture_html(
            self._repr_png_(),
            width=round(100 * self.get_figwidth()),
            alternative=visible_text("; ".join(filter(None, written))),
        )


def make_figure(
    width: float,
    height: float,
    look: Look = LIGHT,
    layout: Literal["constrained"] | None = "constrained",
) -> Figure:
    """Return an empty figure, in inches, made without pyplot.

    Raises
    ------
    ConfigError
        If it would have no width, or one that no picture can have.
    """
    if not 1 <= width <= _MOST_INCHES:
        sentence = (
            f"width is {width:g}, where inches from 1 to {_MOST_INCHES} are expected"
        )
        raise ConfigError(sentence)
    figure = SelfShowingFigure(
        figsize=(width, height), dpi=_DPI, facecolor=look.background, layout=layout
    )
    FigureCanvasAgg(figure)
    return figure


def stack_axes(
    width: float, heights: Sequence[float], look: Look = LIGHT
) -> tuple[Figure, list[Axes]]:
    """Return a figure with axes below each other, to be placed by `fit_axes`.

    Width and heights are in inches, the heights without the labels.
    """
    figure = make_figure(width, sum(heights), look, layout=None)
    rows = figure.subplots(len(heights), 1, sharex=True, squeeze=False)
    axes = [row[0] for row in rows]
    for ax in axes:
        style_axes(ax, look)
    return figure, axes


def fit_axes(figure: Figure, heights: Sequence[float]) -> None:
    """Place the axes, and make the figure high enough for them and their labels.

    The axes have the given heights, however many rows of labels there are.
    """
    rows: list[list[Any]] = [[] for _ in heights]
    for ax in figure.axes:
        place = ax.get_subplotspec()
        if place is not None:
            rows[place.rowspan.start].append(_surroundings(ax))
    around = [np.max(row, axis=0) + _GAP for row in rows]
    left, right = (max(float(margin[side]) for margin in around) for side in (0, 2))
    bottoms, tops = ([float(margin[side]) for margin in around] for side in (1, 3))
    total = sum(heights) + sum(bottoms) + sum(tops)
    width = float(figure.get_figwidth())
    figure.set_size_inches(width, total)
    upper = total
    for row, height in enumerate(heights):
        upper -= tops[row]
        box = (left / width, (upper - height) / total)
        size = (1 - (left + right) / width, height / total)
        for ax in figure.axes:
            place = ax.get_subplotspec()
            if place is not None and place.rowspan.start == row:
                ax.set_position((*box, *size))
        upper -= height + bottoms[row]


def _surroundings(ax: Axes) -> tuple[float, float, float, float]:
    """Return how far labels reach out of the axes: left, down, right, up, in inches."""
    inner, outer = ax.get_window_extent(), ax.get_tightbbox()
    if outer is None:
        return 0.0, 0.0, 0.0, 0.0
    return (
        (inner.x0 - outer.x0) / _DPI,
        (inner.y0 - outer.y0) / _DPI,
        (outer.x1 - inner.x1) / _DPI,
        (outer.y1 - inner.y1) / _DPI,
    )


def make_axes(ax: Axes | None, look: Look, *, height: float = 3.6) -> Axes:
    """Return the given axes, or those of a new figure, in the shared look."""
    if ax is None:
        ax = make_figure(7.6, height, look).subplots()
    style_axes(ax, look)
    return ax


def style_axes(ax: Axes, look: Look) -> None:
    """Give axes the shared look; nothing outside them changes."""
    ax.set_facecolor(look.background)
    for side, spine in ax.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(look.line)
    ax.tick_params(
        which="both",
        length=0,
        colors=look.muted,
        labelsize=TEXT_SIZE,
        labelfontfamily=FONT,
    )
    # marks on the lower edge must not touch the numbers below it
    ax.tick_params(axis="x", pad=6)
    ax.grid(visible=True, axis="y", color=look.line, linewidth=0.8)
    ax.set_axisbelow(True)
    round_steps = MaxNLocator(7, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    ax.xaxis.set_major_locator(round_steps)
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_formatter(_WholeNumbers())


class _WholeNumbers(ScalarFormatter):
    """Writes each number with its exponent, as 2e+10, not one beside the axis.

    Matplotlib's own ``1e10`` would stand where the lines of labels pass.
    """

    def __init__(self) -> None:
        super().__init__(useOffset=False, useMathText=False)
        self.set_powerlimits((-4, 6))

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the text of a number on the axis."""
        return f"{x:g}" if super().get_offset() else str(super().__call__(x, pos))

    def get_offset(self) -> str:
        """Return no text for the end of the axis."""
        return ""


def style_text(color: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - matplotlib's own
    """Return matplotlib's options for text; ``$`` in a name is never mathematics."""
    return {
        "color": color,
        "fontsize": TEXT_SIZE,
        "fontfamily": FONT,
        "parse_math": False,
        **changes,
    }


def label_axis(ax: Axes, *, x: str | None, y: str, color: str, look: Look) -> None:
    """Name the axes."""
    if x is not None:
        ax.set_xlabel(x, **style_text(look.muted))
    ax.set_ylabel(y, **style_text(color))
