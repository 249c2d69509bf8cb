"""Pictures: the points of each are tested, the drawing decides nothing."""

from __future__ import annotations

from cbreplay.plots.learning_curve import (
    LearningCurvePoints,
    learning_curve_points,
    plot_learning_curve,
)
from cbreplay.plots.learning_rate import (
    LearningRatePoints,
    learning_rate_points,
    plot_learning_rate,
)
from cbreplay.plots.picture import plot_replay, save_figure

__all__ = [
    "LearningCurvePoints",
    "LearningRatePoints",
    "learning_curve_points",
    "learning_rate_points",
    "plot_learning_curve",
    "plot_learning_rate",
    "plot_replay",
    "save_figure",
]
