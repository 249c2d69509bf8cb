"""Replays as figures of a report, in every version that a page may show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.plots.picture import draw_parts, draw_small, figure_bytes
from cbreplay.plots.style import DARK, LIGHT
from cbreplay.plots.words import format_number
from cbreplay.report.document import Figure, Image
from cbreplay.words import spoken_evidence

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from cbreplay.replay import Replay

__all__ = ["curve_figure", "describe_decisions", "rate_figure", "small_figure"]

_WIDE, _NARROW = 8.4, 4.3
# beyond this a picture of many points is smaller as pixels
_LARGEST_SVG = 45_000


def curve_figure(replay: Replay) -> Figure:
    """Draw the learning curve with the decisions."""
    words = f"{replay.run.name}: {describe_decisions(replay)}."
    legend = ""
    if replay.outcome.epochs_saved:
        legend = " Grey is what the log recorded after that."
    if replay.evidence != "exact":
        legend += " Shaded is what the log says nothing about."
    return Figure(
        caption=f"{words}{legend}",
        alternative=f"Learning curve of {words}",
        images=_versions(replay, "curve"),
    )


def rate_figure(replay: Replay) -> Figure:
    """Draw the learning rate with its reductions."""
    decided = any(one.changes_learning_rate for one in replay.callbacks)
    what = "recorded and simulated" if decided else "as it was recorded"
    return Figure(
        caption=f"The learning rate, {what}. A triangle is a reduction.",
        alternative=f"Learning rate of {replay.run.name}, {what}",
        images=_versions(replay, "learning-rate"),
    )


def small_figure(replay: Replay) -> Figure:
    """Draw a small curve, one of many."""
    words = describe_decisions(replay)
    images = tuple(
        _image(draw_small(replay, look=DARK if dark else LIGHT), dark=dark)
        for dark in (False, True)
    )
    return Figure(
        caption=words,
        alternative=f"Learning curve of {replay.run.name}: {words}",
        images=images,
        title=replay.run.name,
    )


def describe_decisions(replay: Replay) -> str:
    """Say in one clause what was decided, and how far that is evidence."""
    if replay.evidence != "exact":
        return spoken_evidence(replay)
    stop = "runs to the end of its plan"
    if replay.stopped_epoch is not None:
        stop = f"stops at epoch {replay.stopped_epoch + 1}"
    if replay.kept_epoch is None:
        return stop
    value = format_number(replay.outcome.kept_value) or "no number"
    return f"{stop}, keeps epoch {replay.kept_epoch + 1} ({value})"


def _versions(replay: Replay, part: str) -> tuple[Image, ...]:
    """Draw wide and narrow, light and dark; the narrow ones come first in a page."""
    return tuple(
        _image(
            draw_parts(
                replay,
                (part,),
                look=DARK if dark else LIGHT,
                width=_NARROW if narrow else _WIDE,
            ),
            dark=dark,
            narrow=narrow,
        )
        for narrow, dark in ((True, True), (True, False), (False, True), (False, False))
    )


def _image(drawing: Drawing, *, dark: bool, narrow: bool = False) -> Image:
    content = figure_bytes(drawing, "svg")
    if len(content) <= _LARGEST_SVG:
        return Image(content, "svg", dark=dark, narrow=narrow)
    return Image(figure_bytes(drawing, "png"), "png", dark=dark, narrow=narrow)
