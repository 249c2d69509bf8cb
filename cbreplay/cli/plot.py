"""``cbreplay plot``: one run and one setting as a picture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from cbreplay.cli.help import GroupedCommand
from cbreplay.cli.one_setting import sole_setting
from cbreplay.cli.options import advice_options, choosing_options, log_options
from cbreplay.cli.progress import watch
from cbreplay.cli.refusals import refuse_advising, reserve_output
from cbreplay.cli.remarks import echo_path
from cbreplay.cli.working_directory import import_matplotlib
from cbreplay.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cbreplay.cli.question import Question
    from cbreplay.grid import Grid
    from cbreplay.recommend import Advising
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["command"]


@click.command("plot", cls=GroupedCommand)
@log_options
@choosing_options
@advice_options
@click.option(
    "--kind",
    type=click.Choice(["curve", "learning-rate", "map", "trade-off"]),
    default="curve",
    show_default=True,
    help="Of one run the learning curve with decisions, or the learning rate; of "
    "several what patience and min_delta cost, or what is lost against what is "
    "trained, with the settings that cbreplay recommend names.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A .png, .svg or .pdf file.  [default: the run's name, or the kind, .png]",
)
def command(
    question: Question,
    kind: Literal["curve", "learning-rate", "map", "trade-off"],
    output: Path | None,
    *,
    advising: Advising,
) -> None:
    """Draw what a setting would have done on one run, or what settings cost on several.

    Of one run, without a setting: the smallest patience that keeps the best recorded
    value.

    \b
    cbreplay plot logs.csv
    cbreplay plot logs.csv --patience 5 -o five.svg
    cbreplay plot logs.csv --patience 5,10,20
    cbreplay plot runs/ --kind map
    cbreplay plot runs/ --kind trade-off --tolerance 0.5% --group-by none
    """
    if output is None:
        several = kind in ("map", "trade-off")
        output = (
            Path(f"{kind}.png") if several else _default_path(question.runs[0].name)
        )
    reserve_output(output, question.inputs, (".png", ".svg", ".pdf"))
    import_matplotlib()
    from cbreplay.plots import plot_replay, save_figure

    if kind in ("curve", "learning-rate"):
        refuse_advising(f"--kind {kind}", "Choose --kind map or trade-off")
    with watch("drawing"):
        if kind == "map" or kind == "trade-off":  # noqa: PLR1714 - mypy reads this one
            figure = _draw_costs(question, kind, advising)
        elif kind == "curve" and question.grid is not None and len(question.grid) > 1:
            figure = _draw_settings(question, question.grid)
        else:
            figure = plot_replay(_replay(question), kind=kind)
        saved = save_figure(figure, output)
    echo_path(saved)


def _draw_costs(
    question: Question, kind: Literal["map", "trade-off"], advising: Advising
) -> Figure:
    """Draw what settings cost on several runs."""
    from cbreplay.cli.recommend import try_patience
    from cbreplay.plots import map_points, plot_map, plot_trade_off, trade_off_points
    from cbreplay.recommend import measure_costs, recommend_config

    runs = question.runs
    if len(runs) == 1:
        sentence = (
            f"--kind {kind} compares settings over several runs, and there is one. "
            "Give a directory of runs, or draw this one: cbreplay plot --kind curve"
        )
        raise ConfigError(sentence)
    current = _one_setting(question)
    sweep, without = try_patience(question)
    advice = recommend_config(
        sweep, current=current, excluded=without, **advising._asdict()
    )
    costs = measure_costs(
        sweep,
        advice,
        current=current,
        group_by=advising.group_by,
        recorded_under=advising.recorded_under,
    )
    if kind == "map":
        return plot_map(map_points(costs, advice))
    return plot_trade_off(trade_off_points(costs, advice))


def _one_setting(question: Question) -> tuple[Callback, ...] | None:
    """Return the setting that was named; None without any."""
    if question.grid is None:
        return None
    begun = "a picture shows one setting, and the command names"
    return sole_setting(question.grid, begun)


def _draw_settings(question: Question, grid: Grid) -> Figure:
    """Draw several settings on the curve of the one run."""
    from cbreplay.answers.pictures import MOST_ON_A_CURVE
    from cbreplay.answers.varied_parameters import short_setting
    from cbreplay.plots import plot_settings
    from cbreplay.replay import replay_run

    if len(grid) > MOST_ON_A_CURVE:
        sentence = (
            f"a curve shows {MOST_ON_A_CURVE} settings at most, and -c or --patience "
            f"names {len(grid)}. Choose some, or see all: cbreplay simulate"
        )
        raise ConfigError(sentence)
    run = _only_run(question)
    replays = {
        short_setting(grid, config): replay_run(
            run, callbacks, judging=question.judging
        )
        for config, callbacks in enumerate(grid)
    }
    return plot_settings(replays)


def _replay(question: Question) -> Replay:
    """Replay the one setting on the one run."""
    from cbreplay.replay import replay_run

    run = _only_run(question)
    setting = _one_setting(question)
    if setting is not None:
        return replay_run(run, setting, judging=question.judging)
    from cbreplay.staircase import replay_patience

    return replay_patience(question.staircase(run), judging=question.judging)


def _only_run(question: Question) -> Run:
    if len(question.runs) != 1:
        sentence = (
            f"a picture shows one run, and there are {len(question.runs)}. Give the "
            "PATH of one, or --run NAME, or draw all: --kind map, cbreplay report"
        )
        raise ConfigError(sentence)
    return question.runs[0]


def _default_path(name: str) -> Path:
    """Return a file name for the current directory; a run's name is never a path."""
    safe = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:80]
    return Path(f"{safe.removesuffix('.csv') or 'run'}.png")
