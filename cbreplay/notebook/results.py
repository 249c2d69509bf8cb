"""The answer that each result of the library shows in a notebook, and its picture."""

# ruff: noqa: ANN401 - results are of many types

from __future__ import annotations

from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any

from cbreplay.arguments import read_argument
from cbreplay.errors import ConfigError
from cbreplay.notebook.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.figure import Figure as Drawing

    from cbreplay.explain import Explanation
    from cbreplay.grid import Grid
    from cbreplay.recommend import Recommendation
    from cbreplay.replay import Replay
    from cbreplay.replay.compare import ReplayComparison
    from cbreplay.run import Run
    from cbreplay.staircase import Staircase
    from cbreplay.sweep import Sweep

__all__ = [
    "about_staircase",
    "answer_about",
    "draw_costs",
    "draw_pair",
    "draw_settings",
]


def answer_about(result: Any) -> Answer:
    """Return the answer that a result of the library shows: one of `_SHOWN`."""
    name = type(result).__name__
    return _SHOWN[name](result)


def _about_run(run: Run) -> Answer:
    from cbreplay.answers.inspection import inspection_document

    return Answer(run, inspection_document([run]), partial(_draw_run, run))


def about_staircase(staircase: Staircase) -> Answer:
    """Return the answer that a staircase shows, with the curve of what was enough."""
    from cbreplay.answers.pictures import curve_figure, curve_section
    from cbreplay.answers.staircase import staircase_document
    from cbreplay.staircase import replay_patience

    replay = replay_patience(staircase)
    curve = curve_section(curve_figure(replay))
    document = staircase_document(staircase, pictures=(curve,))
    return Answer(staircase, document, partial(_draw_curve, staircase))


def _about_replay(replay: Replay) -> Answer:
    from cbreplay.answers.pictures import curve_figure
    from cbreplay.answers.setting_cells import read_replays
    from cbreplay.answers.settings import settings_document
    from cbreplay.document import Section
    from cbreplay.grid import make_grid

    cells = read_replays([replay.run], make_grid(replay.callbacks), [replay])
    document = settings_document(cells)
    if replay.objective is not None:
        curve = Section("The curve", (curve_figure(replay),), on="page", untitled=True)
        document = document._replace(sections=(*document.sections, curve))
    return Answer(replay, document, partial(_draw_replay, replay))


def _about_sweep(sweep: Sweep) -> Answer:
    from cbreplay.answers.settings import settings_document
    from cbreplay.answers.swept_cells import read_sweep, reads_from_sweep
    from cbreplay.answers.swept_logs import swept_document
    from cbreplay.grid import Grid

    is_grid = isinstance(sweep.configs, Grid)
    if not (sweep.records and is_grid and reads_from_sweep(sweep.configs)):
        return Answer(sweep, swept_document(sweep), _refuse_drawing)
    return Answer(
        sweep, settings_document(read_sweep(sweep)), partial(_draw_sweep, sweep)
    )


def _about_advice(advice: Recommendation) -> Answer:
    from cbreplay.answers.advice import short_advice_document

    return Answer(advice, short_advice_document(advice), _refuse_drawing)


def _about_explanation(explanation: Explanation) -> Answer:
    from cbreplay.answers.explanation import explanation_document

    document = explanation_document(explanation)
    return Answer(explanation, document, partial(_draw_replay, explanation.replay))


def _about_comparison(comparison: ReplayComparison) -> Answer:
    from cbreplay.answers.comparison import comparison_document
    from cbreplay.answers.rival_lists import RivalLists

    lists = [replay.callbacks for replay in comparison[:2]]
    document = comparison_document(RivalLists(lists[0], lists[1], [comparison]))
    return Answer(comparison, document, partial(draw_pair, [comparison]))


_SHOWN: Mapping[str, Callable[[Any], Answer]] = {
    "Explanation": _about_explanation,
    "Recommendation": _about_advice,
    "Replay": _about_replay,
    "ReplayComparison": _about_comparison,
    "Run": _about_run,
    "Staircase": about_staircase,
    "Sweep": _about_sweep,
}


def _draw_run(
    run: Run,
    *,
    patience: float | Sequence[float] | None = None,
    monitor: str = "val_loss",
) -> Drawing:
    """Draw the curve of a run, with what patience values decide on it."""
    from cbreplay.staircase import build_staircase

    return _draw_curve(build_staircase(run, monitor=monitor), patience=patience)


def _draw_sweep(sweep: Sweep) -> Drawing:
    """Draw the settings of a sweep, which are replayed for it."""
    from cbreplay.answers.swept_cells import read_sweep

    cells = read_sweep(sweep)
    return draw_settings(cells.runs, cells.grid, cells.replays())


def _draw_replay(replay: Replay) -> Drawing:
    """Draw the curve of one replay, with its decisions."""
    from cbreplay.plots import plot_replay

    return plot_replay(replay)


def _draw_curve(
    staircase: Staircase, *, patience: float | Sequence[float] | None = None
) -> Drawing:
    """Draw what one patience or several decided; by default the one that was enough."""
    from cbreplay.plots import plot_settings
    from cbreplay.staircase import replay_patience

    if patience is None:
        return _draw_replay(replay_patience(staircase))
    given = read_argument("patience", patience, "float | Sequence[float]")
    if isinstance(given, Real):
        return _draw_replay(replay_patience(staircase, float(given)))
    replays = {f"patience={each:g}": replay_patience(staircase, each) for each in given}
    return plot_settings(replays)


def draw_settings(
    runs: Sequence[Run], grid: Grid, replays: Sequence[Replay]
) -> Drawing:
    """Draw what settings decided on one run, on one curve."""
    from cbreplay.answers.pictures import MOST_ON_A_CURVE
    from cbreplay.answers.varied_parameters import short_setting
    from cbreplay.plots import plot_settings

    if len(runs) > 1 or len(grid) > MOST_ON_A_CURVE:
        sentence = (
            f"one curve shows one run and {MOST_ON_A_CURVE} settings at most, and "
            f"these are {len(runs)} and {len(grid)}. Ask about one run"
        )
        raise ConfigError(sentence)
    if len(replays) == 1:
        return _draw_replay(replays[0])
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


def _refuse_drawing() -> Drawing:
    """Raise ConfigError: there is no picture of this answer."""
    sentence = "these settings are no curve of one run. Ask about one run"
    raise ConfigError(sentence)
