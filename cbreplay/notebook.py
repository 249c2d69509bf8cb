"""Ask in a notebook: a training in, an answer out that shows itself."""

# ruff: noqa: ANN401 - trainings, settings and results are of many types

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

from cbreplay.errors import ConfigError
from cbreplay.judging import read_judging

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Unpack

    import pandas as pd
    from matplotlib.figure import Figure as Drawing

    from cbreplay.document import Document, Table
    from cbreplay.explain import Explanation
    from cbreplay.grid import Grid
    from cbreplay.judging import Judging, JudgingOptions
    from cbreplay.recommend import Recommendation
    from cbreplay.replay import Replay
    from cbreplay.replay.compare import ReplayComparison
    from cbreplay.run import Run
    from cbreplay.staircase import Staircase
    from cbreplay.sweep import Sweep

__all__ = ["Answer", "answer_about", "ask"]

_PICTURES = (".png", ".svg", ".pdf")


class Answer:
    """An answer that shows itself: in a notebook, as text, as a picture, as a table.

    Parameters
    ----------
    data : object
        What was worked out: a Staircase, a Recommendation, ...
    document : Document
        What it says.
    draw : callable
        Returns its picture; takes what `plot` is given.
    """

    def __init__(
        self, data: Any, document: Document, draw: Callable[..., Drawing]
    ) -> None:
        self.data = data
        self._document, self._draw = document, draw

    def __str__(self) -> str:
        """Return what a terminal shows."""
        from cbreplay.writers.as_text import write_text

        return write_text(self._document)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from cbreplay.writers.as_notebook import write_notebook

        return write_notebook(self._document)

    def to_document(self) -> Document:
        """Return what it says, as the document that every form is written of."""
        return self._document

    def to_frame(self) -> pd.DataFrame:
        """Return its table as a DataFrame; epochs count from 0.

        Raises
        ------
        ConfigError
            If it has none.
        """
        import pandas as pd

        table = self._document.answer_table()
        if table is None:
            sentence = "this answer has no table. See .data"
            raise ConfigError(sentence)
        return pd.DataFrame(_columns_of(table))

    def plot(self, **options: Any) -> Drawing:
        """Return its picture as a matplotlib figure.

        Parameters
        ----------
        **options : patience
            Of one run: the patience, or several of them, whose decisions are drawn.
        """
        return self._draw(**options)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file: ``.html``, ``.md``, ``.png``, ``.svg`` or ``.pdf``.

        Parameters
        ----------
        path : str or path
            The file; its suffix decides the format.
        """
        from pathlib import Path

        if Path(path).suffix.lower() in _PICTURES:
            from cbreplay.plots import save_figure

            return save_figure(self.plot(), path)
        from cbreplay.writers.files import write_report

        return write_report(self._document, path)


def _columns_of(table: Table) -> dict[str, list[Any]]:
    """Return the cells of the columns that programs read."""
    from cbreplay.document import Cell

    return {
        column.key: [
            cell.value if isinstance(cell, Cell) else cell
            for cell in table.cells_of(place)
        ]
        for place, column in enumerate(table.columns)
        if column.shown != "people"
    }


def ask(
    source: Any,
    callbacks: Any = None,
    *,
    versus: Any = None,
    monitor: str = "val_loss",
    mode: str = "auto",
    keep: Literal["best", "last"] = "best",
    **judging: Unpack[JudgingOptions],
) -> Answer:
    """Ask what other settings would have done on one training or on several.

    Parameters
    ----------
    source : History, dict of lists, DataFrame, path, Run, or a list of these
        The trainings.
    callbacks : Callback, list of callbacks and choices, Grid or str, optional
        The settings. Without any: of one run every patience, of several runs what is
        recommended.
    versus : the same, optional
        A rival, which is compared run by run.
    monitor, mode, keep : str
        As in `build_staircase`; for a question without settings.
    **judging : semantics, initial_learning_rate, objective, objective_mode
        As in `replay_run`.

    Returns
    -------
    Answer
        Shows itself; ``.data`` is what was worked out.

    Examples
    --------
    >>> import cbreplay
    >>> losses = {"val_loss": [0.9, 0.5, 0.6, 0.7, 0.7]}
    >>> answer = cbreplay.ask(losses, semantics="keras-3.15")
    >>> print(answer.data.sufficient_patience())
    1
    >>> print(str(answer).splitlines()[0])
    On this run patience 1 was enough: it keeps the best epoch, 2, and stops at 3 of
    """
    runs, judged = _runs_of(source), read_judging(judging)
    if versus is not None:
        return _compared(runs, _grid_of(callbacks), _grid_of(versus), judged)
    if callbacks is not None:
        return _decided(runs, _grid_of(callbacks), judged)
    if len(runs) > 1:
        return _recommended(runs, monitor, mode, keep, judged)
    from cbreplay.staircase import build_staircase

    staircase = build_staircase(
        runs[0], monitor=monitor, mode=mode, keep=keep, judging=judged
    )
    return _of_staircase(staircase)


def _runs_of(source: Any) -> list[Run]:
    from cbreplay.given import as_runs

    runs = as_runs(source)
    if not runs:
        sentence = (
            "there are no trainings to ask about. Give a History, a path, a Run, or a "
            "list of these"
        )
        raise ConfigError(sentence)
    return runs


def _grid_of(callbacks: Any) -> Grid:
    """Read settings, however they are given."""
    from cbreplay.expressions import parse_callbacks
    from cbreplay.grid import Grid, make_grid

    if isinstance(callbacks, Grid):
        return callbacks
    if isinstance(callbacks, str):
        return make_grid(parse_callbacks(callbacks))
    listed = isinstance(callbacks, list | tuple)
    return make_grid(callbacks if listed else [callbacks])


def _of_staircase(staircase: Staircase) -> Answer:
    from cbreplay.answers.pictures import curve_figure
    from cbreplay.answers.staircase import staircase_document
    from cbreplay.document import Section

    replay = _sufficient(staircase)
    curve = Section("The decisions on the curve", (curve_figure(replay),), on="page")
    document = staircase_document(staircase, pictures=(curve,))
    return Answer(staircase, document, lambda **asked: _curve(staircase, **asked))


def _sufficient(staircase: Staircase) -> Replay:
    """Replay the patience that was enough, or the longest that is known of."""
    patience = staircase.sufficient_patience()
    if patience is None:
        patience = staircase.steps[-1].first_patience
    return _replay_patience(staircase, patience)


def _replay_patience(staircase: Staircase, patience: float) -> Replay:
    from dataclasses import replace

    from cbreplay.judging import Judging
    from cbreplay.replay import replay_run

    replay = staircase.replay
    judging = Judging(
        semantics=replay.semantics.name,
        objective=replay.objective,
        objective_mode=replay.objective_mode,
    )
    rule: Any = replay.callbacks[0]
    return replay_run(replay.run, replace(rule, patience=patience), judging=judging)


def _curve(
    staircase: Staircase, *, patience: float | Sequence[float] | None = None
) -> Drawing:
    from cbreplay.plots import plot_replay, plot_settings

    if patience is None:
        return plot_replay(_sufficient(staircase))
    if isinstance(patience, Real):
        return plot_replay(_replay_patience(staircase, float(patience)))
    replays = {
        f"patience={each:g}": _replay_patience(staircase, each)
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


def _decided(runs: Sequence[Run], grid: Grid, judging: Judging) -> Answer:
    """Answer what settings would have done."""
    from cbreplay.answers.deciding import decide_settings
    from cbreplay.answers.settings import settings_document

    cells = decide_settings(runs, grid, judging, replayed=True)
    replays = cells.replays()
    data = replays[0] if len(replays) == 1 else list(replays)
    document = settings_document(cells)
    return Answer(data, document, lambda: _draw_settings(runs, grid, replays))


def _draw_settings(
    runs: Sequence[Run], grid: Grid, replays: Sequence[Replay]
) -> Drawing:
    from cbreplay.answers.axes import short_setting
    from cbreplay.answers.pictures import MOST_ON_A_CURVE
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


def _compared(
    runs: Sequence[Run], first: Grid, rival: Grid, judging: Judging
) -> Answer:
    from cbreplay.answers.comparison import RivalLists, comparison_document
    from cbreplay.replay import replay_run
    from cbreplay.replay.compare import compare_replays

    for grid in (first, rival):
        if len(grid) != 1:
            sentence = (
                f"versus= compares one list with one, and there are {len(grid)}. Give "
                "one value for each parameter"
            )
            raise ConfigError(sentence)
    compared = [
        compare_replays(
            *(replay_run(run, grid[0], judging=judging) for grid in (first, rival))
        )
        for run in runs
    ]
    document = comparison_document(RivalLists(first[0], rival[0], compared))
    data = compared[0] if len(compared) == 1 else compared
    return Answer(data, document, lambda: _draw_pair(compared))


def _draw_pair(compared: Sequence[ReplayComparison]) -> Drawing:
    from cbreplay.plots import plot_settings

    if len(compared) > 1:
        sentence = (
            f"one curve shows one run, and there are {len(compared)}. Ask about one"
        )
        raise ConfigError(sentence)
    return plot_settings({"A": compared[0].first, "B": compared[0].rival})


def _recommended(
    runs: Sequence[Run],
    monitor: str,
    mode: str,
    keep: Literal["best", "last"],
    judging: Judging,
) -> Answer:
    from cbreplay.answers.advice import advice_document
    from cbreplay.recommend import recommend_config, sweep_patience

    sweep, without = sweep_patience(
        runs, monitor=monitor, mode=mode, keep=keep, judging=judging
    )
    advice = recommend_config(sweep, excluded=without)
    document = advice_document(advice, sweep, runs=runs)
    return Answer(advice, document, lambda: _draw_costs(sweep, advice))


def _draw_costs(sweep: Sweep, advice: Recommendation) -> Drawing:
    from cbreplay.plots import plot_trade_off, trade_off_points
    from cbreplay.recommend import measure_costs

    points = trade_off_points(measure_costs(sweep, advice), advice)
    figure: Drawing = plot_trade_off(points)
    return figure


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
    return Answer(run, document, lambda **asked: _draw_run(run, **asked))


def _draw_run(
    run: Run,
    *,
    patience: float | Sequence[float] | None = None,
    monitor: str = "val_loss",
) -> Drawing:
    from cbreplay.staircase import build_staircase

    return _curve(build_staircase(run, monitor=monitor), patience=patience)


def _about_replay(replay: Replay) -> Answer:
    from cbreplay.answers.pictures import curve_figure
    from cbreplay.answers.replayed_cells import read_replays
    from cbreplay.answers.settings import settings_document
    from cbreplay.document import Section
    from cbreplay.grid import make_grid

    cells = read_replays([replay.run], make_grid(replay.callbacks), [replay])
    document = settings_document(cells)
    if replay.objective is not None:
        curve = Section("The curve", (curve_figure(replay),), on="page", untitled=True)
        document = document._replace(sections=(*document.sections, curve))
    return Answer(replay, document, lambda: _draw_replay(replay))


def _draw_replay(replay: Replay) -> Drawing:
    from cbreplay.plots import plot_replay

    return plot_replay(replay)


def _about_sweep(sweep: Sweep) -> Answer:
    from cbreplay.answers.settings import settings_document
    from cbreplay.answers.swept_cells import read_sweep, reads_from_sweep
    from cbreplay.answers.swept_logs import swept_document
    from cbreplay.grid import Grid

    is_grid = isinstance(sweep.configs, Grid)
    if not (sweep.records and is_grid and reads_from_sweep(sweep.configs)):
        return Answer(sweep, swept_document(sweep), _refuse_drawing)
    cells = read_sweep(sweep)

    def draw() -> Drawing:
        return _draw_settings(cells.runs, cells.grid, cells.replays())

    return Answer(sweep, settings_document(cells), draw)


def _refuse_drawing() -> Drawing:
    sentence = "these settings are no curve of one run. Ask about one run"
    raise ConfigError(sentence)


def _about_advice(advice: Recommendation) -> Answer:
    from cbreplay.answers.advice import short_advice_document

    return Answer(advice, short_advice_document(advice), _refuse_drawing)


def _about_explanation(explanation: Explanation) -> Answer:
    from cbreplay.answers.explanation import explanation_document

    document = explanation_document(explanation)
    return Answer(explanation, document, lambda: _draw_replay(explanation.replay))


def _about_comparison(comparison: ReplayComparison) -> Answer:
    from cbreplay.answers.comparison import RivalLists, comparison_document

    lists = [replay.callbacks for replay in comparison[:2]]
    document = comparison_document(RivalLists(lists[0], lists[1], [comparison]))
    return Answer(comparison, document, lambda: _draw_pair([comparison]))


_SHOWN: Mapping[str, Callable[[Any], Answer]] = {
    "Explanation": _about_explanation,
    "Recommendation": _about_advice,
    "Replay": _about_replay,
    "ReplayComparison": _about_comparison,
    "Run": _about_run,
    "Staircase": _of_staircase,
    "Sweep": _about_sweep,
}
