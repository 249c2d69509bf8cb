"""`ask`: what other settings would have done on trainings, as an `Answer`."""

# ruff: noqa: ANN401 - trainings and settings are of many types

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from cbreplay.arguments import checked
from cbreplay.errors import ConfigError
from cbreplay.judging import read_judging
from cbreplay.notebook.answer import Answer
from cbreplay.notebook.results import (
    about_staircase,
    draw_costs,
    draw_pair,
    draw_settings,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from cbreplay.grid import Grid
    from cbreplay.judging import Judging, JudgingOptions
    from cbreplay.run import Run

__all__ = ["ask"]


@checked
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
        It shows itself; ``.data`` is the result.

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
        judged = _judged_by(callbacks, runs, judged)
        return _compared(runs, _grid_of(callbacks), _grid_of(versus), judged)
    if callbacks is not None:
        return _decided(runs, _grid_of(callbacks), _judged_by(callbacks, runs, judged))
    if len(runs) > 1:
        return _recommended(runs, monitor, mode, keep, judged)
    from cbreplay.staircase import build_staircase

    staircase = build_staircase(
        runs[0], monitor=monitor, mode=mode, keep=keep, judging=judged
    )
    return about_staircase(staircase)


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


def _judged_by(callbacks: Any, runs: Sequence[Run], judging: Judging) -> Judging:
    """Add the Keras version that a script imports, if nothing else names one."""
    from cbreplay.expressions import read_expressions
    from cbreplay.rules.families import names_version

    told = judging.semantics is not None or any(map(names_version, runs))
    if told or not isinstance(callbacks, str):
        return judging
    return judging._replace(semantics=read_expressions([callbacks], {}).semantics)


def _decided(runs: Sequence[Run], grid: Grid, judging: Judging) -> Answer:
    """Answer what settings would have done."""
    from cbreplay.answers.deciding import decide_settings
    from cbreplay.answers.settings import settings_document

    cells = decide_settings(runs, grid, judging, traced=True)
    replays = cells.replays()
    data = replays[0] if len(replays) == 1 else list(replays)
    document = settings_document(cells)
    return Answer(data, document, partial(draw_settings, runs, grid, replays))


def _compared(
    runs: Sequence[Run], first: Grid, rival: Grid, judging: Judging
) -> Answer:
    from cbreplay.answers.comparison import comparison_document
    from cbreplay.answers.rival_lists import compare_lists

    for grid in (first, rival):
        if len(grid) != 1:
            sentence = (
                f"versus= compares one list with one, and there are {len(grid)}. Give "
                "one value for each parameter"
            )
            raise ConfigError(sentence)
    lists = compare_lists(runs, first[0], rival[0], judging)
    compared = lists.compared
    data = compared[0] if len(compared) == 1 else compared
    document = comparison_document(lists)
    return Answer(data, document, partial(draw_pair, compared))


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
    return Answer(advice, document, partial(draw_costs, sweep, advice))
