"""``cbreplay explain``: why a setting decided as it did, epoch by epoch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cbreplay.cli.help import GroupedCommand
from cbreplay.cli.one_setting import SETTING_HINT, one_run, one_setting
from cbreplay.cli.options import Format, format_option, log_options, one_setting_options
from cbreplay.cli.progress import watch
from cbreplay.cli.typed import typed_logs, typed_setting
from cbreplay.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.cli.question import Question
    from cbreplay.explain import Explanation, TraceRow
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["command"]

# the words of --only, and the decisions of the trace that each stands for
_KINDS = {
    "stop": ("stop",),
    "reduce": ("reduction", "schedule"),
    "save": ("save",),
    "improvement": ("improvement",),
}


def _read_kinds(
    _context: click.Context, _parameter: click.Parameter, text: str | None
) -> frozenset[str]:
    """Return the decisions that ``--only stop,save`` names."""
    if text is None:
        return frozenset()
    from cbreplay.answers.explanation import DECISIVE

    kinds = _KINDS | {"decisions": DECISIVE}
    names = [name.strip() for name in text.split(",")]
    if not kinds.keys() >= set(names):
        sentence = (
            f"--only is {text!r}, where one or more of {', '.join(kinds)} are "
            "expected, as stop,save"
        )
        raise ConfigError(sentence)
    return frozenset(kind for name in names for kind in kinds[name])


@click.command("explain", cls=GroupedCommand)
@log_options
@one_setting_options
@click.option(
    "--only",
    metavar="A,B",
    callback=_read_kinds,
    help="Only epochs with one of these decisions, and the last: stop, reduce, save, "
    "improvement, or decisions for all four, of improvements in a row the last.",
)
@click.option(
    "--files",
    is_flag=True,
    help="Only the files that the callbacks leave, and whose weights each holds.",
)
@click.option("--epochs", metavar="A:B", help="Only these epochs, counted from 1.")
@click.option(
    "--hypothetical",
    is_flag=True,
    help="Go on past a learning-rate change as if the curve still held: a fiction.",
)
@format_option
def command(
    question: Question,
    *,
    only: frozenset[str],
    files: bool,
    epochs: str | None,
    hypothetical: bool,
    output_format: Format,
) -> None:
    """Say why a setting stopped, reduced or kept what it did, epoch by epoch.

    One run and one setting. Without -c or --patience, the callbacks that the run's
    run.json names.

    \b
    cbreplay explain logs.csv --patience 7
    cbreplay explain logs.csv -c @train.py --only decisions
    cbreplay explain runs/first --epochs 30:45
    """
    if files and (only or epochs is not None or hypothetical):
        sentence = (
            "--files is about what is left at the end, so it does not go with --only, "
            "--epochs or --hypothetical"
        )
        raise ConfigError(sentence)
    from cbreplay.answers.explanation import explanation_document
    from cbreplay.cli.written import print_document
    from cbreplay.rules.base import format_callback

    explanation = _explain(question, hypothetical=hypothetical)
    if not explanation.rows:
        idle = ", ".join(map(format_callback, explanation.replay.callbacks))
        sentence = f"there is nothing to explain: {idle} decide nothing. {SETTING_HINT}"
        raise ConfigError(sentence)
    rows = _chosen(explanation, only=only, epochs=epochs)
    document = explanation_document(
        explanation,
        rows=rows,
        typed=typed_logs(question),
        setting=typed_setting(question),
        files=files,
    )
    print_document(document, output_format)


def _explain(question: Question, *, hypothetical: bool) -> Explanation:
    from cbreplay.explain import explain_replay
    from cbreplay.replay import replay_run

    run = one_run(question, "explain")
    setting = one_setting(question, run, "explain")
    if question.grid is None:
        setting, notes = _without_effect(run, setting)
        run = replace(run, notes=(*run.notes, *notes))
    with watch("replaying"):
        replay = replay_run(
            run, setting, judging=question.judging, hypothetical=hypothetical
        )
        return explain_replay(replay)


def _without_effect(
    run: Run, setting: Sequence[Callback]
) -> tuple[Sequence[Callback], tuple[str, ...]]:
    """Put bystanders for callbacks that the optimizer's schedule left without effect.

    With a LearningRateSchedule in the optimizer, no callback changes the rate that is
    trained at: Keras 3 raises TypeError for it, and in older versions the schedule sets
    its own rate at the next step. A note on it is returned too.
    """
    schedule = run.metadata.schedule if run.metadata is not None else None
    idle = [rule for rule in setting if rule.changes_learning_rate]
    if schedule is None or not idle:
        return setting, ()
    from cbreplay.rules.bystander import Bystander

    listed = [
        Bystander(rule.class_name, rule.code.partition("(")[2][:-1])
        if rule.changes_learning_rate
        else rule
        for rule in setting
    ]
    names = " and ".join(dict.fromkeys(rule.class_name for rule in idle))
    note = f"{names} changed no rate: the optimizer's is the schedule {schedule}"
    return listed, (note,)


def _chosen(
    explanation: Explanation, *, only: frozenset[str], epochs: str | None
) -> list[TraceRow]:
    from cbreplay.answers.explanation import deciding_rows

    rows = list(explanation.rows)
    if epochs is not None:
        first, last = _read_epochs(epochs)
        rows = [row for row in rows if first <= row.epoch + 1 <= last]
        if not rows:
            ends = [row.epoch + 1 for row in explanation.rows]
            sentence = (
                f"--epochs is {epochs!r}, and the trace goes from epoch {min(ends)} to "
                f"{max(ends)}"
            )
            raise ConfigError(sentence)
    if not only:
        return rows
    last_epoch = max(row.epoch for row in explanation.rows)
    return deciding_rows(rows, last_epoch, only)


def _read_epochs(text: str) -> tuple[int, int]:
    first, colon, last = text.partition(":")
    try:
        ends = (int(first), int(last if colon else first))
    except ValueError:
        ends = (1, 0)
    if not 1 <= ends[0] <= ends[1]:
        sentence = (
            f"--epochs is {text!r}, where the first and the last epoch are expected, "
            "counted from 1, as 30:45"
        )
        raise ConfigError(sentence)
    return ends
