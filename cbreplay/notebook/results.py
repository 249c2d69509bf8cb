"""The answer that each result of the library shows in a notebook."""

# ruff: noqa: ANN401 - results are of many types

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.notebook.answer import Answer
from cbreplay.notebook.drawings import (
    draw_curve,
    draw_pair,
    draw_replay,
    draw_run,
    draw_settings,
    refuse_drawing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.figure import Figure as Drawing

    from cbreplay.explain import Explanation
    from cbreplay.recommend import Recommendation
    from cbreplay.replay import Replay
    from cbreplay.replay.compare import ReplayComparison
    from cbreplay.run import Run
    from cbreplay.staircase import Staircase
    from cbreplay.sweep import Sweep

__all__ = ["about_staircase", "answer_about"]


def answer_about(result: Any) -> Answer:
    """Return the answer that a result of the library shows.

    Parameters
    ----------
    result : Run, Replay, Staircase, Sweep, Recommendation, Explanation or
        ReplayComparison
        What is shown.
    """
    name = type(result).__name__
    return _SHOWN[name](result)


def _about_run(run: Run) -> Answer:
    from cbreplay.answers.inspection import Inspection, inspection_document

    document = inspection_document(Inspection((run,), ()), typed="")._replace(next=())
    return Answer(run, document, lambda **asked: draw_run(run, **asked))


def about_staircase(staircase: Staircase) -> Answer:
    """Return the answer that a staircase shows, with the curve of what was enough."""
    from cbreplay.answers.pictures import curve_figure
    from cbreplay.answers.staircase import staircase_document
    from cbreplay.document import Section
    from cbreplay.staircase import replay_patience

    replay = replay_patience(staircase)
    curve = Section("The decisions on the curve", (curve_figure(replay),), on="page")
    document = staircase_document(staircase, pictures=(curve,))
    return Answer(staircase, document, lambda **asked: draw_curve(staircase, **asked))


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
    return Answer(replay, document, lambda: draw_replay(replay))


def _about_sweep(sweep: Sweep) -> Answer:
    from cbreplay.answers.settings import settings_document
    from cbreplay.answers.swept_cells import read_sweep, reads_from_sweep
    from cbreplay.answers.swept_logs import swept_document
    from cbreplay.grid import Grid

    is_grid = isinstance(sweep.configs, Grid)
    if not (sweep.records and is_grid and reads_from_sweep(sweep.configs)):
        return Answer(sweep, swept_document(sweep), refuse_drawing)
    cells = read_sweep(sweep)

    def draw() -> Drawing:
        return draw_settings(cells.runs, cells.grid, cells.replays())

    return Answer(sweep, settings_document(cells), draw)


def _about_advice(advice: Recommendation) -> Answer:
    from cbreplay.answers.advice import short_advice_document

    return Answer(advice, short_advice_document(advice), refuse_drawing)


def _about_explanation(explanation: Explanation) -> Answer:
    from cbreplay.answers.explanation import explanation_document

    document = explanation_document(explanation)
    return Answer(explanation, document, lambda: draw_replay(explanation.replay))


def _about_comparison(comparison: ReplayComparison) -> Answer:
    from cbreplay.answers.comparison import comparison_document
    from cbreplay.answers.rival_lists import RivalLists

    lists = [replay.callbacks for replay in comparison[:2]]
    document = comparison_document(RivalLists(lists[0], lists[1], [comparison]))
    return Answer(comparison, document, lambda: draw_pair([comparison]))


_SHOWN: Mapping[str, Callable[[Any], Answer]] = {
    "Explanation": _about_explanation,
    "Recommendation": _about_advice,
    "Replay": _about_replay,
    "ReplayComparison": _about_comparison,
    "Run": _about_run,
    "Staircase": about_staircase,
    "Sweep": _about_sweep,
}
