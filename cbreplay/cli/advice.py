"""The answer of ``recommend``: a screen, a table of settings, or JSON."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from cbreplay.cli.output import Column, Format, print_json, print_table
from cbreplay.cli.progress import watch
from cbreplay.recommend.code import setting_code
from cbreplay.rules.base import format_callback

if TYPE_CHECKING:
    from cbreplay.cli.question import Question
    from cbreplay.recommend import Recommendation
    from cbreplay.sweep import Sweep

__all__ = ["describe_advice", "print_advice", "try_patience", "wrap"]


def try_patience(
    question: Question, min_delta: float | list[float] = 0
) -> tuple[Sweep, tuple[tuple[str, str], ...]]:
    """Sweep every patience on the runs that a question is about.

    Returns what `sweep_patience` does, and shows how far it has come.
    """
    from cbreplay.recommend import sweep_patience

    runs = question.runs
    with watch("trying every patience") as tell:
        return sweep_patience(
            runs,
            monitor=question.monitors,
            mode=question.mode or "auto",
            keep=question.keep or "best",
            min_delta=min_delta,
            judging=question.judging,
            progress=tell,
        )


def print_advice(
    advice: Recommendation, sweep: Sweep, question: Question, output: Format
) -> None:
    """Print a recommendation in the format that was asked for."""
    if output == "json":
        print_json(
            "recommend",
            runs=question.runs,
            semantics=sweep.runs[0].semantics,
            objective={"name": advice.objective, "mode": advice.objective_mode},
            configs=_configs(advice),
            recommendation=describe_advice(advice, sweep),
        )
    elif output == "table":
        from cbreplay.cli.advice_screen import advice_screen

        click.echo(advice_screen(advice, sweep, question))
    else:
        rows = [one._asdict() for one in advice.settings]
        print_table(_columns(advice), rows, output)


def _columns(advice: Recommendation) -> list[Column]:
    side = "above best" if advice.objective_mode == "min" else "below best"
    number = _significant
    return [
        Column("label", "answer", align="left"),
        Column("setting", "setting", align="left"),
        Column("n_groups", f"{advice.unit}s"),
        Column("mean_regret", f"{side}, mean", number),
        Column("lost_share", "in its scale", number),
        Column("worst_regret", "worst", number),
        Column("worst_run", "worst run", lambda name: name or "-", align="left"),
        Column("cost", "trained", number),
        Column("score", "score", number),
        Column("left_out_regret", f"{side}, left out", number),
        Column("left_out_score", "score, left out", number),
    ]


def _significant(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _configs(advice: Recommendation) -> list[dict[str, Any]]:
    if not advice.callbacks:
        return []
    written = [format_callback(one) for one in advice.callbacks]
    return [{"callbacks": written, "parameters": {}}]


def describe_advice(advice: Recommendation, sweep: Sweep) -> dict[str, Any]:
    """Return a recommendation as JSON has it."""
    tolerance, promise, left_out = advice.tolerance, advice.promise, advice.left_out
    code = None
    if advice.callbacks:
        code = setting_code(advice.callbacks, sweep.runs[0].semantics)
    return {
        "kind": advice.kind,
        "patience": advice.patience,
        "code": code,
        "reasons": list(advice.reasons),
        "promise": None if promise is None else promise._asdict(),
        "monitor": advice.monitor,
        "keep": advice.keep,
        "confidence": advice.confidence,
        "cost_weight": advice.cost_weight,
        "tolerance": None
        if tolerance is None
        else {"kind": tolerance.kind, "value": tolerance.value},
        "unit": advice.unit,
        "grouped_by": advice.grouped_by,
        "groups": [one._asdict() for one in advice.groups],
        "settings": [one._asdict() for one in advice.settings],
        "left_out": None if left_out is None else left_out._asdict(),
        "forward": None if advice.forward is None else advice.forward._asdict(),
        "monitors": [
            one._asdict()
            | {"left_out": None if one.left_out is None else one.left_out._asdict()}
            for one in advice.monitors
        ],
        "told_apart": advice.told_apart,
        "doubts": [one._asdict() for one in advice.doubts],
        "excluded": [{"run": run, "reason": why} for run, why in advice.excluded],
        "unproven": list(advice.unproven),
    }


def wrap(sentence: str, width: int, first: str = " ", rest: str = "   ") -> list[str]:
    """Break a sentence into lines; nothing in it can steer a terminal."""
    from cbreplay.words import visible_text

    return textwrap.wrap(
        visible_text(sentence),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
    )
