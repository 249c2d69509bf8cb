"""Which picture the ``.plot()`` of each result draws."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

from cbreplay.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure as Drawing

    from cbreplay.grid import Grid
    from cbreplay.recommend import Recommendation
    from cbreplay.replay import Replay
    from cbreplay.replay.compare import ReplayComparison
    from cbreplay.run import Run
    from cbreplay.staircase import Staircase
    from cbreplay.sweep import Sweep

__all__ = [
    "draw_costs",
    "draw_curve",
    "draw_pair",
    "draw_replay",
    "draw_run",
    "draw_settings",
    "refuse_drawing",
]


def draw_curve(
    staircase: Staircase, *, patience: float | Sequence[float] | None = None
) -> Drawing:
    """Draw what one patience or several decided; by default the one that was enough."""
    from cbreplay.plots import plot_replay, plot_settings
    from cbreplay.staircase import replay_patience

    if patience is None:
        return plot_replay(replay_patience(staircase))
    if isinstance(patience, Real):
        return plot_replay(replay_patience(staircase, float(patience)))
    replays = {
        f"patience={each:g}": replay_patience(staircase, each)
        for each in _read_patience(patience)
    }
    return plot_settings(replays)


def _read_patience(given: object) -> list[float]:
    """Return the numbers of a list."""
    from collections.abc import Iterable

    if isinstance(given, Iterable) and not isinstance(given, str):
        values = list(given)
    else:
        values = []
    if not values or not all(isinstance(value, Real) for value in values):
        sentence = (
            f"patience is {given!r}, where a number or a list of them is expected"
        )
        raise ConfigError(sentence)
    return [float(value) for value in values]


def draw_run(
    run: Run,
    *,
    patience: float | Sequence[float] | None = None,
    monitor: str = "val_loss",
) -> Drawing:
    """Draw the curve of a run, with what a patience or several decided."""
    from cbreplay.staircase import build_staircase

    return draw_curve(build_staircase(run, monitor=monitor), patience=patience)


def draw_replay(replay: Replay) -> Drawing:
    """Draw the curve of one replay, with its decisions."""
    from cbreplay.plots import plot_replay

    return plot_replay(replay)


def draw_settings(
    runs: Sequence[Run], grid: Grid, replays: Sequence[Replay]
) -> Drawing:
    """Draw what settings decided on one run, on one curve."""
    from cbreplay.answers.pictures import MOST_ON_A_CURVE
    from cbreplay.answers.varied_parameters import short_setting
    from cbreplay.plots import plot_replay, plot_settings

    if len(runs) > 1 or len(grid) > MOST_ON_A_CURVE:
        sentence = (
            f"one curve shows one run and {MOST_ON_A_CURVE} settings at most, and "
            f"these are {len(runs)} and {len(grid)}. Ask about one run"
        )
        raise ConfigError(sentence)
    if len(replays) == 1:
        return plot_replay(replays[0])
    names = [short_setting(grid, config) for config in range(len(grid))]
    return plot_settings(dict(zip(names, replays, strict=True)))


def draw_pair(compared: Sequence[ReplayComparison]) -> Drawing:
    """Draw what A and B decided on one run, on one curve."""
    from cbreplay.plots import plot_settings

    if len(compared) > 1:
        sentence = (
            f"one curve shows one run, and there are {len(compared)}. Ask about one"
        )
        raise ConfigError(sentence)
    return plot_settings({"A": compared[0].first, "B": compared[0].rival})


def draw_costs(sweep: Sweep, advice: Recommendation) -> Drawing:
    """Draw what each setting costs in epochs beside what it loses."""
    from cbreplay.plots import plot_trade_off, trade_off_points
    from cbreplay.recommend import measure_costs

    points = trade_off_points(measure_costs(sweep, advice), advice)
    figure: Drawing = plot_trade_off(points)
    return figure


def refuse_drawing() -> Drawing:
    """Raise ConfigError: there is no picture of this answer."""
    sentence = "these settings are no curve of one run. Ask about one run"
    raise ConfigError(sentence)
