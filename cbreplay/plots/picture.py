"""One replay as a figure, and a figure as a file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import matplotlib as mpl

from cbreplay.arguments import checked
from cbreplay.plots.drawn_learning_curve import plot_learning_curve
from cbreplay.plots.drawn_learning_rate import plot_learning_rate
from cbreplay.plots.learning_curve import (
    LearningCurvePoints,
    learning_curve_points,
    several_curve_points,
)
from cbreplay.plots.learning_rate import (
    LearningRatePoints,
    constant_rate,
    has_learning_rate,
    learning_rate_points,
)
from cbreplay.plots.parameter_map import MapPoints, plot_map
from cbreplay.plots.style import LIGHT, Look, fit_axes, stack_axes
from cbreplay.plots.trade_off import TradeOffPoints, plot_trade_off
from cbreplay.system.whole_files import check_output, write_whole
from cbreplay.wording.shown_digits import spoken_figure

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from cbreplay.replay import Replay

__all__ = [
    "draw_points",
    "figure_bytes",
    "plot_replay",
    "plot_settings",
    "save_figure",
]

_WIDTH = 7.6
_HEIGHTS = {"curve": 2.9, "learning-rate": 1.9}
_RATE_BELOW_HEIGHT = 0.9
# metadata that would make equal pictures differ in their bytes: dates, versions
_TIMES = {"svg": "Date", "png": "Software", "pdf": "CreationDate"}
_SMALL_WIDTH, _SMALL_HEIGHT = 2.7, 1.2


@checked
def plot_replay(
    replay: Replay,
    *,
    kind: Literal["curve", "learning-rate"] = "curve",
    look: Look = LIGHT,
    width: float = _WIDTH,
) -> Figure:
    """Draw a replay: the learning curve with its decisions, or the learning rate.

    Parameters
    ----------
    replay : Replay
        What is drawn.
    kind : {"curve", "learning-rate"}
        The learning curve, with the rate below it where one is known; or the rate
        alone.
    look : Look
        The colours.
    width : float
        In inches.

    Raises
    ------
    EvidenceError
        If the rate is asked for and none is known.
    """
    if kind == "curve" and has_learning_rate(replay):
        return _draw_curve_above_rate(replay, look, width)
    read_points = learning_curve_points if kind == "curve" else learning_rate_points
    return draw_points(read_points(replay), look=look, width=width)


@checked
def plot_settings(
    replays: Mapping[str, Replay], *, look: Look = LIGHT, width: float = _WIDTH
) -> Figure:
    """Draw what several settings decide on one learning curve.

    Parameters
    ----------
    replays : mapping of str to Replay
        Of one run, by the short names of the settings.
    look : Look
        The colours.
    width : float
        In inches.

    Raises
    ------
    ConfigError
        If one curve cannot show them.
    """
    return draw_points(several_curve_points(replays), look=look, width=width)


def _draw_curve_above_rate(replay: Replay, look: Look, width: float) -> Figure:
    """Draw the curve, and the rate below it; a constant one is only written."""
    rates, heights = learning_rate_points(replay), [_HEIGHTS["curve"]]
    constant = constant_rate(rates)
    if constant is None:
        heights.append(_RATE_BELOW_HEIGHT)
    figure, axes = stack_axes(width, heights, look)
    plot_learning_curve(learning_curve_points(replay), ax=axes[0], look=look)
    if constant is None:
        axes[0].set_xlabel("")
        plot_learning_rate(rates, ax=axes[1], look=look, labels=False)
    else:
        rate = spoken_figure(constant, 3)
        below = f"{axes[0].get_xlabel()}\nlearning rate {rate} throughout"
        axes[0].set_xlabel(below)
    fit_axes(figure, heights)
    return figure


def draw_points(
    points: LearningCurvePoints | LearningRatePoints | MapPoints | TradeOffPoints,
    *,
    look: Look,
    width: float = _WIDTH,
    small: bool = False,
) -> Figure:
    """Draw the points of any picture.

    The width is in inches; `small` draws a learning curve without words, as one of
    many.
    """
    if isinstance(points, MapPoints):
        return plot_map(points, look=look, width=width, note=False)
    if isinstance(points, TradeOffPoints):
        return plot_trade_off(points, look=look, width=width)
    is_curve = isinstance(points, LearningCurvePoints)
    height = _HEIGHTS["curve" if is_curve else "learning-rate"]
    if small and is_curve:
        width, height = _SMALL_WIDTH, _SMALL_HEIGHT
    figure, axes = stack_axes(width, [height], look)
    if isinstance(points, LearningCurvePoints):
        plot_learning_curve(points, ax=axes[0], look=look, labels=not small)
    else:
        plot_learning_rate(points, ax=axes[0], look=look)
    fit_axes(figure, [height])
    return figure


def figure_bytes(figure: Figure, kind: Literal["png", "svg", "pdf"]) -> bytes:
    """Write a figure as PNG, SVG or PDF; the same figure gives the same bytes.

    Text in SVG stays text.
    """
    buffer = io.BytesIO()
    # matplotlib takes these from its global settings only; they are put back at once
    with mpl.rc_context(
        {
            "svg.hashsalt": "cbreplay",
            "svg.fonttype": "none",
            # in chunks: the memory for a long line is kept as long as the figure
            "agg.path.chunksize": 1_000,
        }
    ):
        metadata = {_TIMES[kind]: None}
        figure.savefig(
            buffer, format=kind, facecolor=figure.get_facecolor(), metadata=metadata
        )
    return buffer.getvalue()


@checked
def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure to a ``.png``, ``.svg`` or ``.pdf`` file, whole or not at all.

    Parameters
    ----------
    figure : Figure
        What is written.
    path : str or path
        The file; its suffix decides the format.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ConfigError
        If the suffix is another.
    OutputError
        If the file cannot be written, or no plain file is there.
    """
    path = Path(path)
    kinds: dict[str, Literal["png", "svg", "pdf"]]
    kinds = {".png": "png", ".svg": "svg", ".pdf": "pdf"}
    return write_whole(path, figure_bytes(figure, kinds[check_output(path, *kinds)]))
