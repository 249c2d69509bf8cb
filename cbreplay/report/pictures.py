"""Replays as figures of a report, in every version that a page may show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.plots.parameter_map import map_points, plot_map
from cbreplay.plots.picture import draw_parts, draw_small, figure_bytes
from cbreplay.plots.style import DARK, LIGHT
from cbreplay.plots.trade_off import plot_trade_off, trade_off_points
from cbreplay.plots.words import format_number
from cbreplay.recommend.side_by_side import setting_label
from cbreplay.report.document import Column, Figure, Image, Table
from cbreplay.words import count, spoken_evidence

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure as Drawing

    from cbreplay.plots.parameter_map import MapPoints
    from cbreplay.plots.style import Look
    from cbreplay.recommend import Costs, Recommendation
    from cbreplay.replay import Replay

__all__ = [
    "curve_figure",
    "describe_decisions",
    "map_figure",
    "rate_figure",
    "small_figure",
    "trade_off_figure",
]

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


def map_figure(costs: Costs, advice: Recommendation) -> Figure:
    """Draw what patience and min_delta cost."""
    points = map_points(costs, advice)
    return Figure(
        caption=(
            f"What patience and min_delta cost on the same {_compared(costs, advice)}: "
            f"the stronger the colour, the more is lost. {points.note}"
        ),
        alternative=f"Map of patience and min_delta: {points.note}",
        images=_all_versions(
            lambda look, width: plot_map(points, look=look, width=width, note=False)
        ),
        table=_map_table(points),
    )


def _map_table(points: MapPoints) -> Table:
    columns = (Column("min_delta", "left"), *(Column(str(n)) for n in points.patience))
    rows = tuple(
        (f"{one:g}", *texts)
        for one, texts in zip(points.min_delta, points.texts, strict=True)
    )
    return Table(columns, rows, "The map as a table: a column is a patience")


def trade_off_figure(costs: Costs, advice: Recommendation) -> Figure:
    """Draw what is lost against what is trained."""
    points = trade_off_points(costs, advice)
    words = "; ".join(one.words for one in points.named)
    drawn = {one.label for one in costs.named}
    absent = ", ".join(
        setting_label(one)
        for one in advice.settings
        if one.label not in drawn | {"start", "min_delta"}
    )
    rest = f" Not drawn, as not all of these tell it: {absent}." if absent else ""
    if costs.n_compared < costs.n_groups:
        rest += f" The table above is over all {advice.unit}s that tell a setting."
    return Figure(
        caption=(
            f"Each dot is a patience, means over the same {_compared(costs, advice)}. "
            f"In brackets: epochs trained, {points.axis}. Downwards and to the left is "
            f"better; the upper part is drawn closer together.{rest}"
        ),
        alternative=f"What is lost against what is trained: {words}.",
        images=_all_versions(
            lambda look, width: plot_trade_off(points, look=look, width=width)
        ),
    )


def _compared(costs: Costs, advice: Recommendation) -> str:
    if costs.n_compared == costs.n_groups:
        return count(costs.n_groups, advice.unit)
    return f"{costs.n_compared} of {count(costs.n_groups, advice.unit)}"


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
    return _all_versions(
        lambda look, width: draw_parts(replay, (part,), look=look, width=width)
    )


def _all_versions(draw: Callable[[Look, float], Drawing]) -> tuple[Image, ...]:
    """Draw wide and narrow, light and dark; the narrow ones come first in a page."""
    return tuple(
        _image(
            draw(DARK if dark else LIGHT, _NARROW if narrow else _WIDE),
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
