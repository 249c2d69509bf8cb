"""``cbreplay plot``: one run and one setting as a picture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from cbreplay.cli.options import Question, log_options, setting_options
from cbreplay.errors import ConfigError

if TYPE_CHECKING:
    from cbreplay.replay import Replay
    from cbreplay.run import Run

__all__ = ["command"]


@click.command("plot")
@log_options
@setting_options
@click.option(
    "--kind",
    type=click.Choice(["curve", "learning-rate"]),
    default="curve",
    show_default=True,
    help="The learning curve with decisions, or the learning rate.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A .png or .svg file.  [default: the run's name, .png]",
)
def command(
    question: Question, kind: Literal["curve", "learning-rate"], output: Path | None
) -> None:
    """Draw what a setting would have done on one run.

    Without a setting: the smallest patience that keeps the best recorded value.

    \b
    cbreplay plot logs.csv
    cbreplay plot logs.csv --patience 5 -o five.svg
    """
    from cbreplay.plots import plot_replay, save_figure

    figure = plot_replay(_replay(question), kind=kind)
    click.echo(save_figure(figure, output or _default_path(question.runs[0].name)))


def _replay(question: Question) -> Replay:
    """Replay the one setting on the one run."""
    from cbreplay.replay import replay_run

    if len(question.runs) != 1:
        sentence = (
            f"a picture shows one run, and there are {len(question.runs)}. Give the "
            "PATH of one, or --run NAME, or write a page of all: cbreplay report"
        )
        raise ConfigError(sentence)
    if question.grid is None:
        return _sufficient(question, question.runs[0])
    if len(question.grid) != 1:
        sentence = (
            f"a picture shows one setting, and -c or --patience names "
            f"{len(question.grid)}. Choose one"
        )
        raise ConfigError(sentence)
    return replay_run(
        question.runs[0],
        question.grid[0],
        semantics=question.semantics,
        initial_learning_rate=question.initial_lr,
        objective=question.objective,
        objective_mode=question.objective_mode,
    )


def _sufficient(question: Question, run: Run) -> Replay:
    from cbreplay.report.asked import replay_sufficient

    return replay_sufficient(
        run,
        monitor=question.monitor,
        mode=question.mode,
        keep=question.keep or "best",
        semantics=question.semantics,
        objective=question.objective,
        objective_mode=question.objective_mode,
    )


def _default_path(name: str) -> Path:
    """Return a file name beside the caller; a name from a log is never a path."""
    safe = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:80]
    return Path(f"{safe.removesuffix('.csv') or 'run'}.png")
