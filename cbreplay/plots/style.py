"""The look of all pictures: a light and a dark set of colours, axes, labels in rows.

Which colour a mark on the curve has: `learning_curve`.
"""

from __future__ import annotations

import functools
import io
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from cbreplay.errors import ConfigError
from cbreplay.plots.in_notebook import picture_html
from cbreplay.plots.picture_text import FONT, drawable_text
from cbreplay.wording.words import spoken_rows, visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes

    from cbreplay.run import Run

__all__ = [
    "DARK",
    "LIGHT",
    "Label",
    "Look",
    "draw_heading",
    "draw_labels",
    "fit_axes",
    "label_axis",
    "make_axes",
    "make_figure",
    "stack_axes",
    "style_axes",
    "style_text",
]

_TEXT_SIZE = 9.0
_ROW_HEIGHT = 13.0
_DPI = 144
# matplotlib draws at most 2**16 dots
_MOST_INCHES = 400
_GAP = 0.07  # inches around everything
# of a character in text that is wrapped: most are narrower
_CHARACTER_WIDTH = 0.6 * _TEXT_SIZE


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


class Label(NamedTuple):
    """A sentence above the axes, tied to an epoch.

    Parameters
    ----------
    epoch : float
        Where its line meets the axes, in the picture's epochs.
    text : str
        The sentence.
    kind : {"decision", "best", "limit", "oddity"}
        What it is about; this gives its colour.
    """

    epoch: float
    text: str
    kind: Literal["decision", "best", "limit", "oddity"]

    def in_rows_of(self, run: Run) -> Label:
        """Return it with "evaluation" for "epoch" where the run's rows are that."""
        return self._replace(text=spoken_rows(self.text, run))


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
        labelsize=_TEXT_SIZE,
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
        "fontsize": _TEXT_SIZE,
        "fontfamily": FONT,
        "parse_math": False,
        **changes,
    }


def label_axis(ax: Axes, *, x: str | None, y: str, color: str, look: Look) -> None:
    """Name the axes."""
    if x is not None:
        ax.set_xlabel(x, **style_text(look.muted))
    ax.set_ylabel(y, **style_text(color))


def draw_heading(
    ax: Axes, title: str, labels: Sequence[Label], look: Look, longest: int
) -> float:
    """Write the labels, and a title of so many characters at most above them.

    Return the distance of the title from the axes, in points.
    """
    above = draw_labels(ax, labels, look) + 3
    bold = style_text(look.text, fontweight="bold")
    ax.set_title(drawable_text(title, longest), loc="left", pad=above, **bold)
    return above


def draw_labels(ax: Axes, labels: Sequence[Label], look: Look) -> float:
    """Write each label in a row of its own above the axes; return their height.

    Each stands beside a line down to its epoch. The lowest rows are for labels whose
    text is crossed by the fewest lines of higher labels, and of these for those nearest
    the middle.

    Returns
    -------
    float
        The height of all rows in points.
    """
    low, high = map(float, ax.get_xlim())
    figure = ax.get_figure(root=True)
    width = 72 * 0.84 * (figure.get_figwidth() if figure is not None else 7.6)
    shares = [(label.epoch - low) / (high - low) for label in labels]
    places, height = [], 4.0
    for place in _stacked(labels, [width * share for share in shares], width):
        places.append((place, height))
        height += _ROW_HEIGHT * place.n_lines
    # from the top, so that a text covers the lines that come down from above it
    for place, above in reversed(places):
        _draw_label(ax, place, look, above)
    return height


class _LabelPlace(NamedTuple):
    """A label with its wrapped text, and where that begins and ends, in points."""

    label: Label
    text: str
    rightwards: bool
    start: float
    end: float

    @property
    def n_lines(self) -> int:
        """How many lines the text has."""
        return max(1, self.text.count("\n") + 1)

    def is_crossed(self, line: float) -> bool:
        """Return whether a line from further up would pass through the text."""
        return self.start < line < self.end


_LEAST_CHARACTERS = 18
# points between a text and its line, so that lines to the same epoch stay visible; and
# what the numbers of the axis take at least, above which there is room too
_BESIDE, _LEFT_OF_AXES = 3.0, 30.0


@functools.cache
def _width_of(text: str) -> float:
    """Return the width of a line of text in points."""
    font = FontProperties(family=FONT, size=_TEXT_SIZE)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width)


def _stacked(
    labels: Sequence[Label], lines: Sequence[float], width: float
) -> Iterator[_LabelPlace]:
    """Yield the place of each label, from the lowest row up."""
    pending = list(range(len(labels)))

    def cost(at: int, place: _LabelPlace) -> tuple[int, int, float, bool]:
        crossings = sum(place.is_crossed(lines[other]) for other in pending)
        towards_middle = place.rightwards == (lines[at] <= width / 2)
        from_middle = abs(lines[at] - width / 2)
        return crossings, place.n_lines, from_middle, not towards_middle

    while pending:
        ways = [
            (cost(at, place), at, place)
            for at in pending
            for place in _ways(labels[at], lines[at], width)
        ]
        _, chosen, place = min(ways, key=lambda way: way[0])
        pending.remove(chosen)
        yield place


def _ways(label: Label, line: float, width: float) -> Iterator[_LabelPlace]:
    """Yield the places of a label: right or left of its line, if there is room."""
    roomy = line <= width / 2
    for rightwards in (roomy, not roomy):
        room = width - line if rightwards else line + _LEFT_OF_AXES
        room -= _BESIDE
        n_fitting = int(room / _CHARACTER_WIDTH)
        if rightwards != roomy and n_fitting < _LEAST_CHARACTERS:
            continue
        lines = [label.text]
        if _width_of(label.text) > room:
            lines = textwrap.wrap(label.text, max(_LEAST_CHARACTERS, n_fitting))
        length = max(map(_width_of, lines), default=0.0)
        start = line + _BESIDE if rightwards else line - _BESIDE - length
        end = start + length
        yield _LabelPlace(label, "\n".join(lines), rightwards, start, end)


def _draw_label(ax: Axes, place: _LabelPlace, look: Look, height: float) -> None:
    """Write one label at a height in points, beside its line down to the axes."""
    label, rightwards = place.label, place.rightwards
    color = {"decision": look.decision, "limit": look.text}.get(label.kind, look.muted)
    side = "left" if rightwards else "right"
    # where the line begins, as a share of the text's width: beside its upper corner
    away = _BESIDE / max(place.end - place.start, 1.0)
    ax.annotate(
        place.text,
        xy=(label.epoch, 1),
        xycoords=("data", "axes fraction"),
        xytext=(_BESIDE if rightwards else -_BESIDE, height),
        textcoords="offset points",
        va="bottom",
        ha=side,
        multialignment=side,
        annotation_clip=False,
        arrowprops={
            "arrowstyle": "-",
            "color": color,
            "linewidth": 0.7,
            "shrinkA": 0,
            "shrinkB": 0,
            "relpos": (-away if rightwards else 1 + away, 1),
        },
        bbox={"facecolor": look.background, "edgecolor": "none", "pad": 0.8},
        **style_text(color, linespacing=1.15),
    )
