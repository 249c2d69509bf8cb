"""Draws the learning rate, recorded and simulated, from its points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from cbreplay.arguments import checked
from cbreplay.plots.curve import POINTS_ACROSS, drawn_places
from cbreplay.plots.labels import draw_heading
from cbreplay.plots.style import (
    LIGHT,
    Look,
    label_axis,
    make_axes,
    style_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from cbreplay.plots.learning_rate import LearningRatePoints, RateChange
    from cbreplay.run import EpochArray, FloatArray

__all__ = ["plot_learning_rate"]

_LONGEST_TITLE = 70


@checked
def plot_learning_rate(
    points: LearningRatePoints,
    *,
    ax: Axes | None = None,
    look: Look = LIGHT,
    labels: bool = True,
) -> Axes:
    """Draw the learning-rate staircase.

    Parameters
    ----------
    points : LearningRatePoints
        Every number in the picture.
    ax : Axes, optional
        Where to draw; a figure of its own by default.
    look : Look
        The colours.
    labels : bool
        Whether the reductions are written out above; under a learning curve the
        curve's own labels stand there.
    """
    ax = make_axes(ax, look, height=2.8)
    ax.set_xlim(*points.span)
    if points.logarithmic:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(numticks=6))
        ax.yaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:.3g}"))
    ax.set_ylim(*points.limits)
    if points.shade is not None:
        ax.axvspan(points.shade.start, points.span[1], facecolor=look.shade, zorder=0.5)
    _draw_steps(ax, points, look)
    scale = " (log)" if points.logarithmic else ""
    name = f"learning rate{scale}"
    label_axis(ax, x=points.x_name, y=name, color=look.muted, look=look)
    if labels:
        draw_heading(ax, points.title, points.labels, look, _LONGEST_TITLE)
    return ax


def _draw_steps(ax: Axes, points: LearningRatePoints, look: Look) -> None:
    """Draw both rates as steps, each with its name, and a mark at each reduction."""
    name = "recorded and simulated" if points.decided and points.same else "recorded"
    epochs, recorded, simulated = points.epochs, points.recorded, points.simulated
    _draw_rate(ax, epochs, recorded, look.monitored, dashed=False)
    _name_recorded(ax, epochs, recorded, name, look.monitored)
    if points.decided and not points.same:
        _draw_rate(ax, epochs, simulated, look.decision, dashed=True)
        _name_simulated(ax, epochs, (simulated, recorded), look.decision)
    marked = _told_apart(points.reductions, points.span)
    ax.plot(
        [change.epoch + 0.5 for change in marked],
        [change.new for change in marked],
        linestyle="none",
        marker="v",
        markersize=6,
        color=look.decision if points.decided else look.monitored,
        zorder=5,
    )


def _told_apart(
    changes: Sequence[RateChange], span: tuple[float, float]
) -> list[RateChange]:
    """Leave out changes in the same pixel column as the one before.

    A schedule may change the rate in every one of thousands of epochs.
    """
    begin, end = span
    columns = {
        int(POINTS_ACROSS * (change.epoch - begin) / (end - begin)): change
        for change in reversed(changes)
    }
    return [*reversed(columns.values())]


def _draw_rate(
    ax: Axes, epochs: EpochArray, values: FloatArray, color: str, *, dashed: bool
) -> None:
    """Draw one staircase: each epoch is half an epoch to each side."""
    places = drawn_places(values)
    epochs, values = epochs[places], values[places]
    ax.plot(
        np.column_stack([epochs - 0.5, epochs + 0.5]).ravel(),
        np.repeat(values, 2),
        color=color,
        linestyle=(0, (4, 2)) if dashed else "-",
        linewidth=1.8,
        zorder=4 if dashed else 3,
    )


def _name_recorded(
    ax: Axes, epochs: EpochArray, values: FloatArray, words: str, color: str
) -> None:
    """Write the name of a rate above its highest step, which no part of it crosses."""
    known = np.flatnonzero(np.isfinite(values))
    if known.size:
        at = int(known[np.argmax(values[known])])
        rightwards = _is_left(ax, float(epochs[at]))
        place = float(epochs[at]) - 0.5 if rightwards else float(epochs[at]) + 0.5
        _write_name(ax, (place, float(values[at])), words, color, rightwards=rightwards)


def _name_simulated(
    ax: Axes, epochs: EpochArray, rates: tuple[FloatArray, FloatArray], color: str
) -> None:
    """Write its name below the end of the simulated rate, or below its beginning.

    In the lower left corner if neither place is free. `rates` are the simulated and the
    recorded one; the rest is as in `_draw_rate`.
    """
    known = np.flatnonzero(np.isfinite(rates[0]))
    if not known.size:
        return
    last, first = int(known[-1]), int(known[0])
    ends = (last, float(epochs[last]) + 0.5, _is_left(ax, float(epochs[last])))
    begins = (first, float(epochs[first]) - 0.5, True)
    low, high = ax.get_xlim()
    figure = ax.get_figure(root=True)
    per_point = 1.0 if figure is None else figure.dpi / 72
    # the width of a name, in epochs
    room = (high - low) * _NAME_WIDTH * per_point / ax.get_window_extent().width

    def is_free(at: int, place: float, rightwards: bool) -> bool:  # noqa: FBT001 - a place
        start = place if rightwards else place - room
        below = (epochs + 0.5 > start) & (epochs - 0.5 < start + room)
        drawn = np.concatenate([rate[below] for rate in rates])
        return not bool((drawn < rates[0][at]).any())

    free = next((end for end in (ends, begins) if is_free(*end)), None)
    if free is None:
        # a rate falls, so the lower left corner is free
        corner = (begins[1], ax.get_ylim()[0])
        _write_name(ax, corner, "simulated", color, rightwards=True)
        return
    at, place, rightwards = free
    point = (place, float(rates[0][at]))
    _write_name(ax, point, "simulated", color, rightwards=rightwards, below=True)


# the width of a name in points; the share of the axis beyond which it is written to
# the left
_NAME_WIDTH, _LATE = 68, 0.8


def _is_left(ax: Axes, epoch: float) -> bool:
    """Return whether a name has room to the right of an epoch."""
    low, high = ax.get_xlim()
    return epoch <= low + _LATE * (high - low)


def _write_name(
    ax: Axes,
    point: tuple[float, float],
    words: str,
    color: str,
    *,
    rightwards: bool,
    below: bool = False,
) -> None:
    ax.annotate(
        words,
        xy=point,
        xytext=(4 if rightwards else -2, -4 if below else 4),
        textcoords="offset points",
        ha="left" if rightwards else "right",
        va="top" if below else "bottom",
        **style_text(color),
    )
