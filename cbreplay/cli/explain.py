"""``cbreplay explain``: why a setting decided as it did, epoch by epoch."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Literal

import click

from cbreplay.cli.options import log_options, setting_options
from cbreplay.cli.output import (
    Column,
    Format,
    format_option,
    print_json,
    print_table,
    terminal_width,
)
from cbreplay.errors import ConfigError, ExpressionError
from cbreplay.words import (
    count,
    list_names,
    spoken_rows,
    spoken_semantics,
    visible_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.cli.question import Question
    from cbreplay.explain import Explanation, TraceRow
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["command"]

_DECISIVE = ("improvement", "reduction", "schedule", "save", "stop")
_STATE = ("wait", "best", "best_epoch", "held_epoch", "cooldown_counter", "measured")
_MOST_NAMES = 5
# how the library begins every sentence past a divergence
_FICTION = "fiction: "


@click.command("explain")
@log_options
@setting_options
@click.option(
    "--only",
    type=click.Choice(["decisions"]),
    help="Only epochs in which something was decided, and the last.",
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
    only: Literal["decisions"] | None,
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
    explanation = _explain(question, hypothetical=hypothetical)
    if not explanation.rows:
        sentence = "these callbacks decide nothing, so there is nothing to explain"
        raise ConfigError(sentence)
    rows = _chosen(explanation, only=only, epochs=epochs)
    if output_format == "json":
        _print_as_json(explanation, rows)
    elif output_format == "table":
        click.echo("\n".join(_screen(explanation, rows, terminal_width())))
    else:
        print_table(
            _COLUMNS, _table_rows(explanation, rows, output_format), output_format
        )


def _explain(question: Question, *, hypothetical: bool) -> Explanation:
    from cbreplay.explain import explain_replay
    from cbreplay.replay import replay_run

    run = _one_run(question)
    replay = replay_run(
        run,
        _one_setting(question, run),
        judging=question.judging,
        hypothetical=hypothetical,
    )
    return explain_replay(replay)


def _one_run(question: Question) -> Run:
    runs = question.runs
    if len(runs) == 1:
        return runs[0]
    names = list_names([run.name for run in runs], _MOST_NAMES)
    sentence = (
        f"explain speaks of one run, and there are {len(runs)}: {names}. "
        "Give the PATH of one, or --run NAME"
    )
    raise ConfigError(sentence)


def _one_setting(question: Question, run: Run) -> Sequence[Callback]:
    grid = question.grid
    if grid is None:
        return _recorded_setting(question, run)
    if len(grid) == 1:
        setting: Sequence[Callback] = grid[0]
        return setting
    axes = ", ".join(
        f"{len(values)} of {name}" for name, values in grid.parameters.items()
    )
    sentence = (
        f"explain speaks of one setting, and {len(grid)} are named ({axes}). "
        "Give one value for each, for example --patience 5"
    )
    raise ConfigError(sentence)


def _recorded_setting(question: Question, run: Run) -> Sequence[Callback]:
    """Return the callbacks that ``run.json`` names."""
    from cbreplay.expressions import parse_recorded
    from cbreplay.grid import Choices
    from cbreplay.rules import Bystander

    hint = 'Name a setting with --patience 5 or -c "EarlyStopping(patience=5)"'
    if question.keep is not None:
        sentence = f"--keep needs the patience of an EarlyStopping. {hint}"
        raise ConfigError(sentence)
    texts = run.metadata.callbacks if run.metadata is not None else ()
    if not texts:
        sentence = f"run {run.name!r} does not say which callbacks it had. {hint}"
        raise ConfigError(sentence)
    try:
        read = parse_recorded(texts, defaults=question.monitor_and_mode)
    except ExpressionError as error:
        sentence = (
            f"a callback that run.json of run {run.name!r} names cannot be replayed: "
            f"{error.text!r} ({error.problem}). {hint}"
        )
        raise ConfigError(sentence) from None
    callbacks = [one for one in read if not isinstance(one, Choices)]
    if len(callbacks) < len(read) or all(
        isinstance(one, Bystander) for one in callbacks
    ):
        sentence = (
            f"the callbacks that run.json of run {run.name!r} names decide nothing: "
            f"{', '.join(texts)}. {hint}"
        )
        raise ConfigError(sentence)
    return callbacks


def _chosen(
    explanation: Explanation, *, only: str | None, epochs: str | None
) -> list[TraceRow]:
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
    if only == "decisions":
        last_epoch = max((row.epoch for row in explanation.rows), default=0)
        rows = [
            row for row in rows if row.decision in _DECISIVE or row.epoch == last_epoch
        ]
    return rows


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


def _screen(
    explanation: Explanation, rows: Sequence[TraceRow], width: int
) -> Iterator[str]:
    """Write the trace for people: the question, a line a decision, and the end."""
    replay = explanation.replay
    yield from _heading(replay, width)
    yield ""
    yield from _lines(explanation, rows, width)
    yield ""
    notes = (f"note: {note}" for note in (*replay.run.notes, *replay.notes))
    closing = (spoken_rows(one, replay.run) for one in explanation.closing)
    for sentence in (*closing, *notes):
        yield from _folded(sentence, " ", "   ", width)


def _heading(replay: Replay, width: int) -> Iterator[str]:
    from cbreplay.rules.base import format_callback

    run = replay.run
    epochs = f"{count(run.recorded_epochs, 'epoch')}, plan unknown"
    if run.planned_epochs is not None:
        epochs = f"{run.recorded_epochs} of {run.planned_epochs} planned epochs"
    if run.steps is not None:
        epochs = f"{spoken_rows(epochs, run)}; patience counts evaluations"
    facts = (
        f"{visible_text(run.name)}: {epochs}; "
        f"rules of {spoken_semantics(replay.semantics.name)}"
    )
    yield from textwrap.wrap(facts, width)
    for callback in replay.callbacks:
        yield from _folded(format_callback(callback), "", "    ", width)


def _lines(
    explanation: Explanation, rows: Sequence[TraceRow], width: int
) -> Iterator[str]:
    """Write a line for each row, folded beside its epoch and its callback."""
    callbacks = explanation.replay.callbacks
    shown = dict.fromkeys(row.callback for row in explanation.rows)
    names = {index: type(callbacks[index]).__name__ for index in shown}
    room = max(len(name) for name in names.values()) + 2 if len(names) > 1 else 0
    epoch: int | None = None
    for row in rows:
        number = "" if row.epoch == epoch else str(row.epoch + 1)
        name = names[row.callback].ljust(room) if room else ""
        epoch = row.epoch
        start = f"{number:>5}  {name}"
        why = spoken_rows(row.why, explanation.replay.run)
        yield from _folded(why, start, " " * len(start), width)


def _folded(sentence: str, first: str, rest: str, width: int) -> list[str]:
    """Fold a sentence; a fiction says on every line that it is one."""
    if sentence.startswith(_FICTION):
        sentence = sentence.removeprefix(_FICTION)
        first, rest = first + _FICTION, rest + _FICTION
    return textwrap.wrap(
        visible_text(sentence),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
    )


def _table_rows(
    explanation: Explanation, rows: Sequence[TraceRow], output: Format
) -> list[dict[str, Any]]:
    callbacks = explanation.replay.callbacks
    shift = 0 if output == "csv" else 1
    return [
        _described(row)
        | {
            "epoch": row.epoch + shift,
            "callback_name": type(callbacks[row.callback]).__name__,
            "wait": getattr(row.after, "wait", None),
            "best": getattr(row.before, "best", None),
            "cooldown": getattr(row.after, "cooldown_counter", None),
            "left": None if row.compared is None else row.compared[0],
            "right": None if row.compared is None else row.compared[1],
        }
        for row in rows
    ]


def _plain(value: object) -> str:
    return "-" if value is None else str(value)


_COLUMNS = [
    Column("epoch", "epoch"),
    Column("callback", "index"),
    Column("callback_name", "callback", align="left"),
    Column("value", "value", _plain),
    Column("best", "best before", _plain),
    Column("left", "compared", _plain),
    Column("right", "with", _plain),
    Column("wait", "wait", _plain),
    Column("cooldown", "cooldown", _plain),
    Column("learning_rate", "learning rate", _plain),
    Column("new_learning_rate", "new rate", _plain),
    Column("decision", "decision", align="left"),
    Column("needed", "needed next", _plain),
    Column("hypothetical", "fiction", lambda value: "yes" if value else "no"),
    Column("why", "why", align="left"),
]


def _print_as_json(explanation: Explanation, rows: Sequence[TraceRow]) -> None:
    from cbreplay.rules.base import format_callback

    replay = explanation.replay
    setting = [format_callback(one) for one in replay.callbacks]
    print_json(
        "explain",
        runs=[replay.run],
        replays=[(0, 0, replay)],
        configs=[{"callbacks": setting, "parameters": {}}],
        trace={
            "rows": [_described(row) for row in rows],
            "closing": list(explanation.closing),
        },
    )


def _described(row: TraceRow) -> dict[str, Any]:
    return row._asdict() | {
        "before": _state(row.before),
        "after": _state(row.after),
    }


def _state(state: Any) -> dict[str, Any]:  # noqa: ANN401 - each rule has its own state
    return {name: getattr(state, name) for name in _STATE if hasattr(state, name)}
