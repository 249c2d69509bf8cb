"""Pictures: for each, a function that collects its points, and one that draws them.

Tests look at the points; the drawing makes no decision of its own.
"""

from __future__ import annotations

from cbreplay.plots.drawn_learning_curve import plot_learning_curve
from cbreplay.plots.drawn_learning_rate import plot_learning_rate
from cbreplay.plots.learning_curve import (
    LearningCurvePoints,
    learning_curve_points,
    several_curve_points,
)
from cbreplay.plots.learning_rate import LearningRatePoints, learning_rate_points
from cbreplay.plots.parameter_map import MapPoints, map_points, plot_map
from cbreplay.plots.picture import plot_replay, plot_settings, save_figure
from cbreplay.plots.trade_off import TradeOffPoints, plot_trade_off, trade_off_points

__all__ = [
    "LearningCurvePoints",
    "LearningRatePoints",
    "MapPoints",
    "TradeOffPoints",
    "learning_curve_points",
    "learning_rate_points",
    "map_points",
    "plot_learning_curve",
    "plot_learning_rate",
    "plot_map",
    "plot_replay",
    "plot_settings",
    "plot_trade_off",
    "save_figure",
    "several_curve_points",
    "trade_off_points",
]
