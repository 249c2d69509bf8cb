"""Labels above a picture: each in a row of its own, beside a line to its epoch."""

from __future__ import annotations

import functools
import textwrap
from typing import TYPE_CHECKING, Literal, NamedTuple

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from cbreplay.plots.picture_text import FONT, drawable_text
from cbreplay.plots.style import TEXT_SIZE, Look, style_text
from cbreplay.wording.words import spoken_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes

    from cbreplay.run import Run

__all__ = ["Label", "draw_heading", "draw_labels"]

_ROW_HEIGHT = 13.0
# of a character in text that is wrapped: most are narrower
_CHARACTER_WIDTH = 0.6 * TEXT_SIZE


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
    font = FontProperties(family=FONT, size=TEXT_SIZE)
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
