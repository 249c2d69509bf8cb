"""What stopping early costs against what it trains, with the named settings."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cbreplay.arguments import checked
from cbreplay.by_key import by_key
from cbreplay.plots.labels import Label, draw_labels
from cbreplay.plots.picture_text import lost_words
from cbreplay.plots.style import (
    LIGHT,
    Look,
    fit_axes,
    label_axis,
    stack_axes,
)
from cbreplay.recommend.setting_names import setting_label
from cbreplay.wording.kinds import spoken_value
from cbreplay.wording.shown_digits import scale_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cbreplay.recommend import Costs, Recommendation
    from cbreplay.run import EpochArray, FloatArray

__all__ = ["Named", "TradeOffPoints", "plot_trade_off", "trade_off_points"]

_WIDTH, _HEIGHT = 7.6, 2.6
_MARGIN = 0.03


class Named(NamedTuple):
    """A named setting: the share it trains, its mean regret, and both in words."""

    name: str
    cost: float
    regret: float
    words: str
    is_recommended: bool


@dataclass(frozen=True, slots=True, eq=False)
class TradeOffPoints:
    """Every number in the picture.

    Parameters
    ----------
    patience : array of shape (n_patience,)
        The values that are priced.
    cost, regret : array of shape (n_patience,)
        The share of the recorded epochs that each trains, and what it loses.
    named : tuple of Named
        The named settings; several at the same point are one.
    axis : str
        The title of the regret axis.
    """

    patience: EpochArray
    cost: FloatArray
    regret: FloatArray
    named: tuple[Named, ...]
    axis: str


@checked
def trade_off_points(costs: Costs, advice: Recommendation) -> TradeOffPoints:
    """Collect what the trade-off of a recommendation shows.

    Parameters
    ----------
    costs : Costs
        The priced settings.
    advice : Recommendation
        Whose setting stands out.

    Raises
    ------
    EvidenceError
        If no runs can be compared.
    """
    costs.require_compared(advice.compared.unit)
    regret, cost = costs.regret[costs.chosen], costs.cost[costs.chosen]
    known = np.isfinite(regret) & np.isfinite(cost)
    return TradeOffPoints(
        costs.patience[known],
        cost[known],
        regret[known],
        tuple(_named(costs, advice)),
        lost_words(advice),
    )


def _named(costs: Costs, advice: Recommendation) -> Iterator[Named]:
    """Yield the named settings; those at the same point become one, with all names.

    One that loses everything is left out: it has no place on the axis.
    """
    regrets = [scored.mean_regret for scored in advice.settings]
    scale = scale_of(regrets, "cost")
    shown = [own for own in costs.named if not math.isinf(own.mean_regret or 0.0)]
    for (cost, regret), settings in by_key(
        shown, lambda own: (own.cost or 0.0, own.mean_regret or 0.0)
    ).items():
        labels = {scored.label for scored in settings}
        name = _joint_name(
            [
                setting_label(scored)
                for scored in settings
                # of settings at one point, a bare 5 or 10 adds nothing to a name
                if scored.label not in ("5", "10") or labels <= {"5", "10"}
            ]
        )
        trained = spoken_value(cost, "share")
        lost = spoken_value(regret, "difference", scale)
        words = f"{name} ({trained}, {lost})"
        yield Named(name, cost, regret, words, "recommended" in labels)


def _joint_name(names: list[str]) -> str:
    """Join the names of settings at one point; names of one patience share its number.

    >>> _joint_name(["recommended: 9", "cheapest: 9", "no early stopping"])
    'recommended, cheapest: 9, no early stopping'
    """
    parts = [name.partition(": ") for name in names]
    by_value = by_key(parts, lambda part: part[1:])
    return ", ".join(
        f"{', '.join(name for name, _, _ in own)}{colon}{value}"
        for (colon, value), own in by_value.items()
    )


@checked
def plot_trade_off(
    points: TradeOffPoints, *, look: Look = LIGHT, width: float = _WIDTH
) -> Figure:
    """Draw what is lost against what is trained.

    Parameters
    ----------
    points : TradeOffPoints
        What is drawn.
    look : Look
        The colours.
    width : float
        In inches.
    """
    figure, (ax,) = stack_axes(width, [_HEIGHT], look)
    regrets = [*points.regret, *(named.regret for named in points.named)]
    top = 1.08 * float(max(regrets, default=0.0)) or 1.0
    _scale_axes(ax, top)
    ax.plot(
        points.cost,
        points.regret,
        color=look.monitored,
        linewidth=1.4,
        marker="o",
        markersize=3.2,
        clip_on=False,
        zorder=3,
    )
    labels = [_draw_named(ax, named, top, look) for named in points.named]
    axis = "\n".join([*textwrap.wrap(points.axis, 30), "(square-root scale)"])
    label_axis(
        ax, x="epochs trained, of those recorded", y=axis, color=look.muted, look=look
    )
    draw_labels(ax, labels, look)
    fit_axes(figure, [_HEIGHT])
    return figure


def _scale_axes(ax: Axes, top: float) -> None:
    """Set the axes, with a square-root scale that gives small losses room."""
    ax.set_yscale("function", functions=(_root, np.square))
    ax.set_ylim(0, top)
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_minor_locator(MaxNLocator(1))
    ax.set_xlim(-_MARGIN, 1 + _MARGIN)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:.0f} %"))


def _draw_named(ax: Axes, named: Named, top: float, look: Look) -> Label:
    """Draw a named setting, with a line up to its label, which is returned."""
    ax.plot([named.cost] * 2, [named.regret, top], color=look.faint, linewidth=0.7)
    point, filled, hollow = (named.cost, named.regret), look.decision, look.background
    if named.is_recommended:
        ax.plot(*point, "s", color=filled, markersize=7, clip_on=False, zorder=6)
        return Label(named.cost, named.words, "decision")
    ring = ax.plot(*point, "o", color=hollow, markersize=6, clip_on=False, zorder=5)
    ring[0].set_markeredgecolor(look.text)
    return Label(named.cost, named.words, "best")


def _root(values: FloatArray) -> FloatArray:
    return np.sqrt(np.maximum(values, 0.0))
