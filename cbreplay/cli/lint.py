"""``cbreplay lint``: settings that can never act, or act otherwise than they look."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cbreplay.cli.output import (
    Column,
    Format,
    format_option,
    print_json,
    print_table,
    terminal_width,
)
from cbreplay.cli.question import find_log_here
from cbreplay.cli.remarks import remark, say
from cbreplay.cli.surroundings import named_defaults
from cbreplay.errors import ConfigError, ExpressionError
from cbreplay.words import count, spoken_semantics, visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.grid import Choices
    from cbreplay.lint import Finding
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["command"]

_HINT = 'Name them with -c "EarlyStopping(patience=5)" or give the training script'
_NOTHING = (
    'Name callbacks with -c "EarlyStopping(patience=5)", or give a training script or '
    "a log"
)


class _Asked(NamedTuple):
    """A callbacks list, with where it stands: the lines of a script, or a run."""

    callbacks: Sequence[Callback]
    source: str = ""
    lines: tuple[int, ...] = ()
    run: Run | None = None
    epochs: int | None = None
    validation_freq: int | None = None


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
    from cbreplay.lint import lint_callbacks
    from cbreplay.rules.keras.semantics import resolve_semantics

    remark(*named_defaults(click.get_current_context()))
    asked = _asked(path, expressions)
    metadata = None if asked.run is None else asked.run.metadata
    resolved = resolve_semantics(semantics, metadata=metadata)
    found = lint_callbacks(
        asked.callbacks,
        epochs=epochs or asked.epochs,
        validation_freq=validation_freq or asked.validation_freq,
        run=asked.run,
        semantics=semantics,
    )
    if output_format == "json":
        _print_as_json(asked, found, resolved.semantics.name, resolved.notes)
        return
    say(*(f"note: {note}" for note in resolved.notes))
    if output_format == "table":
        lines = _screen(asked, found, resolved.semantics.name, terminal_width())
        click.echo("\n".join(lines))
    else:
        print_table(_COLUMNS, [_row(asked, one) for one in found], output_format)


def _asked(path: str | None, expressions: tuple[str, ...]) -> _Asked:
    if path is not None and path.endswith(".py"):
        if expressions:
            sentence = f"{path} and -c both name callbacks. Give one of the two"
            raise ConfigError(sentence)
        from cbreplay.expressions import read_script_callbacks

        script = read_script_callbacks(path)
        say(*(f"note: {path}: {note}" for note in script.notes))
        return _Asked(
            script.callbacks,
            path,
            script.lines,
            epochs=script.epochs,
            validation_freq=script.validation_freq,
        )
    named = _named(expressions) if expressions else None
    if named is not None and path is None:
        return _Asked(named)
    run = _one_run(path or find_log_here(_NOTHING))
    callbacks = _recorded(run) if named is None else named
    return _Asked(callbacks, run.name, run=run)


def _named(expressions: tuple[str, ...]) -> Sequence[Callback]:
    from cbreplay.expressions import read_expressions

    read = read_expressions(expressions, {})
    say(*(f"note: {note}" for note in read.notes))
    return _one_setting(read.entries)


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


def _recorded(run: Run) -> Sequence[Callback]:
    """Return the callbacks that ``run.json`` names."""
    from cbreplay.expressions import parse_recorded

    texts = run.metadata.callbacks if run.metadata is not None else ()
    if not texts:
        sentence = f"run {run.name!r} does not say which callbacks it had. {_HINT}"
        raise ConfigError(sentence)
    try:
        return _one_setting(parse_recorded(texts))
    except ExpressionError as error:
        sentence = (
            f"a callback that run.json of run {run.name!r} names cannot be read: "
            f"{error.text!r} ({error.problem}). {_HINT}"
        )
        raise ConfigError(sentence) from None


def _screen(
    asked: _Asked, found: Sequence[Finding], semantics: str, width: int
) -> Iterator[str]:
    """Write each finding for people: where, what, why, and what to write instead."""
    source = f"{asked.source}: " if asked.source else ""
    callbacks = count(len(asked.callbacks), "callback")
    told = f"{count(len(found), 'finding')} in {callbacks}"
    if not found:
        told = f"nothing to object to in {callbacks}"
    facts = f"{source}{told}; rules of {spoken_semantics(semantics)}"
    yield from textwrap.wrap(visible_text(facts), width)
    for finding in found:
        yield ""
        line = f"line {asked.lines[finding.callback]}, " if asked.lines else ""
        where = f"{finding.severity} {finding.code}: {line}{_code(asked, finding)}"
        yield from _folded(where, "", "    ", width)
        yield from _folded(finding.message, " ", "   ", width)
        yield from _folded(finding.reason, " why:     ", "          ", width)
        yield from _folded(finding.fix, " instead: ", "          ", width)


def _folded(sentence: str, first: str, rest: str, width: int) -> list[str]:
    return textwrap.wrap(
        visible_text(sentence),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
    )


def _code(asked: _Asked, finding: Finding) -> str:
    from cbreplay.rules.base import format_callback

    return format_callback(asked.callbacks[finding.callback])


def _row(asked: _Asked, finding: Finding) -> dict[str, Any]:
    line = asked.lines[finding.callback] if asked.lines else None
    return finding._asdict() | {"line": line, "setting": _code(asked, finding)}


_COLUMNS = [
    Column("severity", "severity", align="left"),
    Column("code", "finding", align="left"),
    Column("callback", "index"),
    Column("line", "line", lambda value: "-" if value is None else str(value)),
    Column("setting", "setting", align="left"),
    Column("message", "what", align="left"),
    Column("reason", "why", align="left"),
    Column("fix", "instead", align="left"),
]


def _print_as_json(
    asked: _Asked, found: Sequence[Finding], semantics: str, notes: Sequence[str]
) -> None:
    from cbreplay.rules.base import format_callback

    setting = [format_callback(one) for one in asked.callbacks]
    rows = [_row(asked, one) for one in found]
    for row in rows:
        del row["setting"]
    print_json(
        "lint",
        runs=[] if asked.run is None else [asked.run],
        configs=[{"callbacks": setting, "parameters": {}}],
        notes=notes,
        semantics=semantics,
        findings=rows,
    )
