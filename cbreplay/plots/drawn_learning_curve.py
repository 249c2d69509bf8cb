"""Draws the learning curve with the decisions, from its points."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.arguments import checked
from cbreplay.plots.curve import draw_non_finite, draw_series, find_lone
from cbreplay.plots.labels import draw_heading
from cbreplay.plots.picture_text import drawable_text, shorten
from cbreplay.plots.style import (
    LIGHT,
    Look,
    label_axis,
    make_axes,
    style_axes,
    style_text,
)
from cbreplay.wording.words import visible_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cbreplay.plots.curve import Curve
    from cbreplay.plots.learning_curve import LearningCurvePoints

__all__ = ["plot_learning_curve"]

_LONGEST_TITLE = 30
_LONGEST_SETTING, _MOST_LINES = 60, 4
_WIDE = 6.0


@checked
def plot_learning_curve(
    points: LearningCurvePoints,
    *,
    ax: Axes | None = None,
    look: Look = LIGHT,
    labels: bool = True,
) -> Axes:
    """Draw the learning curve with the decisions.

    Parameters
    ----------
    points : LearningCurvePoints
        Every number in the picture.
    ax : Axes, optional
        Where to draw; a figure of its own by default.
    look : Look
        The colours.
    labels : bool
        Whether the decisions are written out and the axes named; False for a small
        picture among others.
    """
    ax = make_axes(ax, look)
    ax.set_xlim(*points.span)
    if points.shade is not None:
        ax.axvspan(points.shade.start, points.span[1], facecolor=look.shade, zorder=0.5)
    judged_ax = _draw_curves(ax, points, look, labels=labels)
    _draw_marks(ax, judged_ax, points, look)
    if labels:
        _draw_leaders(judged_ax, points, look)
        _write_words(ax, judged_ax, points, look)
    return ax


def _write_words(
    ax: Axes, judged_ax: Axes, points: LearningCurvePoints, look: Look
) -> None:
    """Name the run and the axes, and write the decisions out."""
    main, judged = drawable_text(points.curves[0].name), points.judged.name
    label_axis(ax, x=points.x_name, y=main, color=look.monitored, look=look)
    if judged_ax is not ax:
        name = drawable_text(judged)
        label_axis(judged_ax, x=None, y=name, color=look.objective, look=look)
    above = draw_heading(ax, points.title, points.labels, look, _LONGEST_TITLE)
    if ax.figure.get_figure(root=True).get_figwidth() >= _WIDE:
        setting = _in_lines(points.setting)
        ax.set_title(setting, loc="right", pad=above, **style_text(look.muted))


def _in_lines(setting: str) -> str:
    """Write a setting in a few lines, so that none of its numbers is left out."""
    lines = textwrap.wrap(visible_text(setting), _LONGEST_SETTING)
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"{lines[_MOST_LINES - 1]} ..."]
    return "\n".join(shorten(line, _LONGEST_SETTING + 4) for line in lines)


def _draw_curves(
    ax: Axes, points: LearningCurvePoints, look: Look, *, labels: bool
) -> Axes:
    """Draw every series; return the axes that the judged one is on."""
    judged_ax = ax
    for curve in points.curves:
        target, color = ax, look.monitored
        if curve.role == "training":
            if labels:
                _draw_training(ax, points, curve, look)
            continue
        if curve.role == "objective":
            judged_ax = target = ax.twinx()
            style_axes(target, look)
            target.grid(visible=False)
            target.set_xlim(*points.span)
            color = look.objective
        target.set_ylim(*curve.limits)
        if not _has_values(points, curve):
            target.set_yticks([])
        draw_series(
            target,
            points.epochs,
            curve,
            last_decided=points.last_decided,
            color=color,
            look=look,
        )
        draw_non_finite(target, curve, color)
    return judged_ax


def _has_values(points: LearningCurvePoints, curve: Curve) -> bool:
    """Return whether any curve on this one's axis has a value."""
    is_objective = curve.role == "objective"
    sharing = [
        each for each in points.curves if is_objective == (each.role == "objective")
    ]
    return any(np.isfinite(each.values).any() for each in sharing)


def _draw_training(
    ax: Axes, points: LearningCurvePoints, curve: Curve, look: Look
) -> None:
    """Draw the training series faintly, on the monitored one's axis, with its name."""
    ax.plot(
        points.epochs,
        curve.values,
        color=look.faint,
        linewidth=0.9,
        marker="o",
        markersize=2.5,
        markevery=np.flatnonzero(find_lone(curve.values)).tolist(),
        zorder=1.5,
    )
    low, high = ax.get_ylim()
    # on the right are the numbers of the other axis
    shared = points.judged is not points.curves[0]
    inside = np.flatnonzero((curve.values > low) & (curve.values < high))
    if inside.size:
        ax.annotate(
            drawable_text(curve.name, 16),
            xy=(float(points.epochs[inside[-1]]), float(curve.values[inside[-1]])),
            xytext=(-4, 4) if shared else (5, 0),
            textcoords="offset points",
            ha="right" if shared else "left",
            va="bottom" if shared else "center",
            annotation_clip=False,
            bbox={"facecolor": look.background, "edgecolor": "none", "pad": 0.8}
            if shared
            else None,
            **style_text(look.muted),
        )


def _draw_leaders(ax: Axes, points: LearningCurvePoints, look: Look) -> None:
    """Lead from the kept and the best epoch up to their labels."""
    kept = [(mark, look.decision) for mark in (points.kept, *points.more_kept)]
    for mark, color in (*kept, (points.best, look.muted)):
        if mark is not None:
            top = ax.get_ylim()[1]
            ax.vlines(mark.epoch, mark.value, top, color=color, linewidth=0.6)


def _draw_marks(
    ax: Axes, judged_ax: Axes, points: LearningCurvePoints, look: Look
) -> None:
    """Mark the stop, the kept epoch, and the best recorded one."""
    dashes = (0, (2, 2))
    for stop in filter(None, (points.stop, *points.more_stops)):
        color, at = look.decision, stop.epoch
        ax.axvline(at, color=color, linewidth=0.9, linestyle=dashes, zorder=2)
        ax.plot(*stop, marker="s", markersize=6, color=look.decision, zorder=5)
    color = look.monitored if judged_ax is ax else look.objective
    for kept in filter(None, (points.kept, *points.more_kept)):
        judged_ax.plot(
            *kept,
            marker="o",
            markersize=7.5,
            markerfacecolor=look.background,
            markeredgecolor=color,
            markeredgewidth=2,
            zorder=6,
        )
    if points.best is not None:
        judged_ax.plot(
            *points.best, marker="^", markersize=6.5, color=look.muted, zorder=5
        )
