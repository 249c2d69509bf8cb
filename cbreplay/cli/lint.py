"""``cbreplay lint``: settings that can never act, or act otherwise than they look."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from cbreplay.cli.output import Format, format_option
from cbreplay.cli.question import find_log_here
from cbreplay.cli.recorded import recorded_list
from cbreplay.cli.remarks import remark, say
from cbreplay.cli.surroundings import named_defaults
from cbreplay.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.grid import Choices
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["command"]

_HINT = 'Name them with -c "EarlyStopping(patience=5)" or give the training script'
_NOTHING = (
    'Name callbacks with -c "EarlyStopping(patience=5)", or give a training script or '
    "a log"
)


class _NamedList(NamedTuple):
    """A callbacks list, with where it stands: the lines of a script, or a run."""

    callbacks: Sequence[Callback]
    source: str = ""
    lines: tuple[int, ...] = ()
    run: Run | None = None
    epochs: int | None = None
    validation_freq: int | None = None
    schedule: str | None = None
    notes: tuple[str, ...] = ()


@click.command("lint")
@click.argument("path", required=False, metavar="[PATH]")
@click.option(
    "-c",
    "--callbacks",
    "expressions",
    multiple=True,
    metavar="EXPR",
    help='Keras code, for example "EarlyStopping(patience=5)"; repeated, one callbacks '
    "list. Or @file, @train.py.",
)
@click.option("--epochs", type=click.IntRange(min=1), help="The epochs of fit.")
@click.option(
    "--validation-freq", type=click.IntRange(min=1), help="As fit was given it."
)
@click.option(
    "--semantics",
    metavar="KERAS",
    help="Whose rules: keras-3.15, tf_keras-2.18, ...  "
    "[default: run.json's, else the installed one]",
)
@format_option
def command(
    path: str | None,
    expressions: tuple[str, ...],
    *,
    epochs: int | None,
    validation_freq: int | None,
    semantics: str | None,
    output_format: Format,
) -> None:
    """Find settings that can never act, or act otherwise than they look.

    PATH is a training script, which is read and never run, or a log, whose run.json
    names the callbacks. With -c no PATH is needed; a log is then what is known of the
    training.

    \b
    cbreplay lint train.py --epochs 50
    cbreplay lint -c "ReduceLROnPlateau(patience=10)" -c "EarlyStopping(patience=5)"
    cbreplay lint runs/first
    """
    from cbreplay.answers.findings import check_callbacks, findings_document
    from cbreplay.cli.written import print_document

    remark(*named_defaults(click.get_current_context()))
    named = _named_list(path, expressions)
    checked = check_callbacks(
        named.callbacks,
        epochs=epochs or named.epochs,
        validation_freq=validation_freq or named.validation_freq,
        run=named.run,
        semantics=semantics,
        schedule=named.schedule,
        source=named.source,
        lines=named.lines,
        notes=named.notes,
    )
    if output_format in ("csv", "markdown"):
        say(*(f"note: {note}" for note in checked.notes))
    print_document(findings_document(checked), output_format)


def _named_list(path: str | None, expressions: tuple[str, ...]) -> _NamedList:
    if path is not None and path.endswith(".py"):
        if expressions:
            sentence = f"{path} and -c both name callbacks. Give one of the two"
            raise ConfigError(sentence)
        from cbreplay.expressions import read_script_callbacks

        script = read_script_callbacks(path)
        return _NamedList(
            script.callbacks,
            path,
            script.lines,
            epochs=script.epochs,
            validation_freq=script.validation_freq,
            schedule=script.schedule,
            notes=script.notes,
        )
    named = _expressed(expressions) if expressions else None
    if named is not None and path is None:
        return named
    run = _one_run(path or find_log_here(_NOTHING))
    if named is None:
        return _NamedList(recorded_list(run, _HINT), run.name, run=run)
    return named._replace(source=run.name, run=run)


def _expressed(expressions: tuple[str, ...]) -> _NamedList:
    from cbreplay.expressions import read_expressions

    read = read_expressions(expressions, {})
    return _NamedList(_one_setting(read.entries), notes=tuple(read.notes))


def _one_setting(entries: Sequence[Callback | Choices]) -> Sequence[Callback]:
    from cbreplay.grid import make_grid

    grid = make_grid(entries)
    if len(grid) > 1:
        sentence = (
            f"lint speaks of one setting, and {len(grid)} are named. "
            "Give one value for each parameter"
        )
        raise ConfigError(sentence)
    setting: Sequence[Callback] = grid[0]
    return setting


def _one_run(path: str) -> Run:
    from cbreplay.loading import load_runs

    runs = load_runs(path)
    if len(runs) > 1:
        sentence = (
            f"lint speaks of one run, and there are {len(runs)} in {path}. "
            "Give the PATH of one, as logs.csv#2"
        )
        raise ConfigError(sentence)
    return runs[0]
