"""``cbreplay recommend``: a setting as code to paste, or that there is not enough."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cbreplay.cli.help import GroupedCommand
from cbreplay.cli.one_setting import sole_setting
from cbreplay.cli.option_values import read_values
from cbreplay.cli.options import (
    Format,
    advice_options,
    format_option,
    judging_options,
    log_options,
)
from cbreplay.cli.process import EXIT_CHECK_FAILED
from cbreplay.cli.progress import watch
from cbreplay.cli.remarks import remark, say_notes, tell_lines
from cbreplay.cli.typed import typed_logs
from cbreplay.wording.plain_text import quoted_code

if TYPE_CHECKING:
    from cbreplay.cli.question import Question
    from cbreplay.recommend import Advising, Excluded
    from cbreplay.rules.base import Callback
    from cbreplay.sweep import Sweep

__all__ = ["command", "try_patience"]


@click.command("recommend", cls=GroupedCommand)
@log_options
@judging_options
@click.option(
    "--min-delta", metavar="X|X,Y", help="Of the EarlyStopping.  [default: 0]"
)
@advice_options
@click.option(
    "--current",
    metavar="EXPR|train.py",
    help="The setting in use, to compare with.  [default: run.json's]",
)
@click.option(
    "--fail-if",
    "conditions",
    multiple=True,
    metavar="CHECK",
    help='Exit with status 1 if it holds: "left_out_regret>0.01" (also mean_regret, '
    "worst_regret), all of the recommended setting; or no-recommendation, where not "
    "even a rule of thumb is given. A figure that is only a bound fails.",
)
@format_option
def command(
    question: Question,
    *,
    advising: Advising,
    current: str | None,
    conditions: tuple[str, ...],
    output_format: Format,
) -> None:
    """Recommend an EarlyStopping that holds on runs it was not chosen on.

    Says what it would have cost on every run and on runs left out of the choice, beside
    the usual settings; or that the logs are not enough, and why.

    \b
    cbreplay recommend runs/
    cbreplay recommend runs/ --tolerance 0.5% --confidence 0.8 --current train.py
    cbreplay recommend runs/ --monitor val_loss,val_accuracy --objective val_loss
    """
    from cbreplay.answers.advice import advice_document
    from cbreplay.cli.fail_if import failed_checks, read_check
    from cbreplay.cli.written import print_document
    from cbreplay.recommend import recommend_config

    checks = [read_check(text) for text in conditions]
    in_use = None if current is None else _read_current(current, question)
    sweep, without = try_patience(question, _read_min_delta(question.min_delta))
    with watch("weighing the settings"):
        advice = recommend_config(
            sweep, current=in_use, excluded=without, **advising._asdict()
        )
    if advice.monitors:
        # next commands are about the monitor that was chosen
        question = replace(question, monitor=advice.monitor)
    question.narrow(sweep.records)
    if len(sweep.records) == 1:
        _say_of_one_run(current, question)
    document = advice_document(
        advice, sweep, runs=question.runs, typed=typed_logs(question)
    )
    print_document(document, output_format)
    failed = failed_checks(checks, advice)
    if failed:
        # with -q too: the exit status needs a reason
        tell_lines(*(f"failed: {sentence}" for sentence in failed))
        click.get_current_context().exit(EXIT_CHECK_FAILED)


def try_patience(
    question: Question, min_delta: float | list[float] = 0
) -> tuple[Sweep, tuple[Excluded, ...]]:
    """Sweep every patience on the runs that a question is about.

    Returns what `sweep_patience` does, and shows how far it has come.
    """
    from cbreplay.recommend import sweep_patience

    with watch("trying every patience") as tell:
        return sweep_patience(
            question.runs,
            monitor=question.monitors,
            mode=question.watched_mode or "auto",
            keep=question.keep or "best",
            min_delta=min_delta,
            judging=question.judging,
            progress=tell,
        )


def _read_min_delta(text: str | None) -> float | list[float]:
    values = [0.0] if text is None else list(read_values("--min-delta", text))
    return values[0] if len(values) == 1 else values


def _written(text: str) -> str:
    """Return the text of --current as -c takes it: ``@train.py``."""
    return f"@{text}" if text.endswith(".py") and "(" not in text else text


def _say_of_one_run(current: str | None, question: Question) -> None:
    """Say which options are ignored for one run, and which command answers them."""
    typed, min_delta = typed_logs(question), question.min_delta
    command = "cbreplay simulate" + (f" {typed}" if typed else "")
    if current is not None:
        setting = quoted_code(_written(current))
        told = "" if typed is None else f"; on this one: {command} -c {setting}"
        remark(f"--current is compared on several runs, and here is one{told}")
    if min_delta not in (None, "0"):
        asked = f"--patience 1,3,5,10 --min-delta {min_delta}"
        told = "" if typed is None else f"; with it: {command} {asked}"
        remark(
            "--min-delta is of a choice among several runs, and here is one: what is "
            f"said of it is said without a min_delta{told}"
        )


def _read_current(text: str, question: Question) -> tuple[Callback, ...]:
    """Read the setting in use: an expression, or a script."""
    from cbreplay.expressions import read_expressions
    from cbreplay.grid import make_grid

    read = read_expressions([_written(text)], {"monitor": question.monitors[0]})
    say_notes(read.notes)
    begun = "one setting is in use, and --current names"
    return sole_setting(make_grid(read.entries), begun)
