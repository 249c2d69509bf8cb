"""``cbreplay lint``: settings that can never act, or act otherwise than they look."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import click

from cbreplay.cli.help import GroupedCommand
from cbreplay.cli.log_here import find_log_here
from cbreplay.cli.one_setting import recorded_list, run_at, sole_setting
from cbreplay.cli.option_values import BYTE_COUNT
from cbreplay.cli.options import (
    callbacks_option,
    choose_format,
    no_config_option,
    semantics_option,
    speaking_options,
)
from cbreplay.cli.process import EXIT_CHECK_FAILED
from cbreplay.cli.progress import watch
from cbreplay.cli.refusals import check_code_length
from cbreplay.cli.remarks import remark, say_notes
from cbreplay.cli.working_directory import named_defaults
from cbreplay.errors import NO_LOG_IN_DIRECTORY, ConfigError, ExpressionError, LogError
from cbreplay.readers.base import MOST_BYTES
from cbreplay.wording.near_names import nearest_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.answers.findings import ListFindings
    from cbreplay.answers.script_findings import ScriptFindings, ScriptsFindings
    from cbreplay.expressions import Expressions
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["command"]

_HINT = 'Name them with -c "EarlyStopping(patience=5)" or give the training script'
_NOTHING = (
    'Name callbacks with -c "EarlyStopping(patience=5)", or give a training script or '
    "a log"
)


_OutputForm: TypeAlias = Literal["table", "json", "csv", "markdown", "github"]
# to follow a megabyte of dense code from list to list takes some six seconds
_MOST_CODE = 1_500_000


class _FitOptions(NamedTuple):
    """What the options, or else a script, say about the training."""

    epochs: int | None
    validation_freq: int | None
    semantics: str | None

    def completed(self, other: _FitOptions, run: Run | None) -> _FitOptions:
        """Return this with what another says where neither this nor a run does."""
        from cbreplay.rules.families import names_version

        fit = None if run is None or run.metadata is None else run.metadata.fit
        no_plan = run is None or run.planned_epochs is None
        no_freq = fit is None or fit.validation_freq is None
        return _FitOptions(
            self.epochs or (other.epochs if no_plan else None),
            self.validation_freq or (other.validation_freq if no_freq else None),
            self.semantics or (None if names_version(run) else other.semantics),
        )


def _codes(
    context: click.Context,  # noqa: ARG001 - click's signature
    parameter: click.Parameter,  # noqa: ARG001 - as above
    texts: tuple[str, ...],
) -> tuple[str, ...]:
    """Return the codes of ``--select a,b --select c``."""
    codes = [code.strip() for text in texts for code in text.split(",")]
    return tuple(filter(None, codes))


@click.command("lint", cls=GroupedCommand)
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path())
@callbacks_option()
@click.option("--epochs", type=click.IntRange(min=1), help="The epochs of fit.")
@click.option(
    "--validation-freq",
    "fit_validation_freq",
    type=click.IntRange(min=1),
    help="As fit was given it.",
)
@semantics_option
@click.option(
    "--select",
    "selected",
    multiple=True,
    callback=_codes,
    metavar="CODES",
    help="Report these findings only: reduce-after-stop,absent-monitor.",
)
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    callback=_codes,
    metavar="CODES",
    help="Leave these findings out. In a script: # cbreplay: ignore[CODES].",
)
@no_config_option
@click.option(
    "--max-size",
    "max_bytes",
    type=BYTE_COUNT,
    help="How much code all scripts together may hold, or a log.  "
    "[default: 1.5MB of code, 256MiB of a log]",
)
@click.option(
    "--exit-code", is_flag=True, help="End with status 1 where there is a finding."
)
@choose_format("github", use="; github is for annotations of a pull request")
@speaking_options
def command(
    paths: tuple[str, ...],
    expressions: tuple[str, ...],
    *,
    epochs: int | None,
    fit_validation_freq: int | None,
    semantics: str | None,
    selected: tuple[str, ...],
    ignored: tuple[str, ...],
    max_bytes: int | None,
    exit_code: bool,
    output_format: _OutputForm,
) -> None:
    """Find settings that can never act, or act otherwise than they look.

    PATH is a training script or notebook, which is read and never run, a directory of
    them, or a log, whose run.json names the callbacks. With -c no PATH is needed; a log
    is then what is known of the training. Without both, the scripts here and below are
    meant or, if none names a callback, the newest log.

    \b
    cbreplay lint train.py --epochs 50
    cbreplay lint src notebooks --exit-code --ignore keeps-later-weights
    cbreplay lint -c "ReduceLROnPlateau()" -c "EarlyStopping(patience=5)"
    cbreplay lint runs/first
    """
    from cbreplay.lint.codes import choose_codes

    remark(*named_defaults(click.get_current_context()))
    is_chosen = choose_codes(selected=selected, ignored=ignored)
    _check_there(paths)
    plan = _FitOptions(epochs, fit_validation_freq, semantics)
    scripts = _scripts_of(paths)
    if not paths and not expressions:
        scripts = _scripts_here()
    if scripts and expressions:
        sentence = f"{paths[0]} and -c both name callbacks. Give one of the two"
        raise ConfigError(sentence)
    found = _findings(paths, expressions, scripts, plan, max_bytes).keep(is_chosen)
    _print(found, output_format)
    if exit_code and found.n_found:
        click.get_current_context().exit(EXIT_CHECK_FAILED)


def _findings(
    paths: tuple[str, ...],
    expressions: tuple[str, ...],
    scripts: list[str],
    plan: _FitOptions,
    max_bytes: int | None,
) -> ListFindings | ScriptsFindings:
    if scripts:
        check_code_length(scripts, max_bytes or _MOST_CODE)
        return _check_scripts(scripts, plan)
    try:
        return _check_list(paths, expressions, plan, max_bytes or MOST_BYTES)
    except LogError as error:
        from cbreplay.scripts.sources import find_scripts

        # a directory of scripts, none of which names a callback
        if any(find_scripts(path, named=False) for path in paths):
            return _check_scripts([], plan)
        if expressions or error.problem != NO_LOG_IN_DIRECTORY:
            raise
        problem = "there is no script (.py, .ipynb) and no log in this directory"
        hint = (
            f"Give a training script, or else {error.hint[:1].lower()}{error.hint[1:]}"
        )
        raise LogError(problem, source=error.source, hint=hint) from None


def _print(found: ListFindings | ScriptsFindings, output_format: _OutputForm) -> None:
    from cbreplay.cli.written import print_document

    document = found.document()
    if output_format in ("csv", "github"):
        say_notes(document.program()["notes"])
    if output_format == "github":
        from cbreplay.writers.as_github import write_annotations

        click.echo(write_annotations(document.program()), nl=False)
    else:
        print_document(document, output_format)


def _scripts_of(paths: tuple[str, ...]) -> list[str]:
    """Return the scripts that are named, or lie below a directory that holds no log."""
    from cbreplay.scripts.sources import find_scripts, is_script

    found: list[str] = []
    others: list[str] = []
    for path in paths:
        if is_script(path):
            found.append(path)
        elif _may_hold_scripts(path) and (scripts := find_scripts(path)):
            found += scripts
        elif not _may_hold_scripts(path) or not find_scripts(path, named=False):
            others.append(path)
    if found and others:
        sentence = (
            f"{found[0]} is a script and {others[0]} is none. Ask about scripts, or "
            f"about one log, which -c @{found[0]} checks by the script's callbacks"
        )
        raise ConfigError(sentence)
    return list(dict.fromkeys(found))


def _check_there(paths: tuple[str, ...]) -> None:
    """Refuse several paths if one is not there; a single one is refused where read."""
    for path in paths if len(paths) > 1 else ():
        if not os.path.lexists(path):
            sentence = (
                f"{path}: there is no such file or directory{nearest_path(path)}. "
                "Give the scripts and directories that are there"
            )
            raise ConfigError(sentence)


def _scripts_here() -> list[str]:
    """Return the scripts here and below, where this is not the directory of a run."""
    from cbreplay.scripts.sources import find_scripts

    if not _may_hold_scripts(os.curdir):
        return []
    try:
        return [os.path.normpath(path) for path in find_scripts(os.curdir)]
    except ExpressionError:
        # nobody has asked about this directory
        return []


def _may_hold_scripts(path: str) -> bool:
    """Return whether a path is a directory, and not that of a run."""
    return os.path.isdir(path) and not os.path.exists(f"{path}/run.json")  # noqa: PTH110, PTH112


def _check_scripts(paths: Sequence[str], plan: _FitOptions) -> ScriptsFindings:
    """Check scripts; one of several that cannot be read is left out, with a note."""
    from cbreplay.answers.script_findings import ScriptsFindings, tell_once
    from cbreplay.rules.families import resolve_semantics, spoken_version

    resolved = resolve_semantics(plan.semantics)
    checked: list[ScriptFindings] = []
    notes = list(resolved.notes)
    with watch("reading scripts") as tell:
        for done, path in enumerate(paths, start=1):
            try:
                checked.append(_check_script(path, plan))
            except ExpressionError as error:
                if len(paths) == 1:
                    raise
                notes.append(f"left out {path}: {error.problem}")
            tell(done, len(paths))
    if len(paths) > 1:
        checked = [own for own in tell_once(checked) if own.concerns_callbacks]
    usual = resolved.semantics.name
    others = [script for script in checked if script.semantics != usual]
    if others and len({script.semantics for script in checked}) == 1:
        # the notes on the installed Keras do not concern them
        notes = notes[len(resolved.notes) :]
        return ScriptsFindings(tuple(checked), others[0].semantics, tuple(notes))
    notes += [
        f"{script.script.source.path} is checked by the rules of "
        f"{spoken_version(script.semantics)}, which it trains with"
        for script in others
    ]
    return ScriptsFindings(tuple(checked), usual, tuple(notes))


def _check_script(path: str, plan: _FitOptions) -> ScriptFindings:
    from cbreplay.answers.script_findings import ScriptFindings
    from cbreplay.lint.scripts import (
        ABOUT_PLAN,
        BESIDE_SCHEDULES,
        lint_script,
        script_semantics,
        unchecked_monitors,
        unchecked_names,
        unchecked_plans,
        unchecked_rates,
    )
    from cbreplay.scripts.training_scripts import read_training_script

    script = read_training_script(path)
    semantics = script_semantics(script, plan.semantics).semantics.name
    findings = lint_script(script, **plan._asdict())
    unchecked = {
        ("absent-monitor",): tuple(unchecked_monitors(script, findings)),
        BESIDE_SCHEDULES: tuple(unchecked_rates(script)),
        ABOUT_PLAN: tuple(unchecked_plans(script, plan.epochs)),
        ("unknown-parameter",): tuple(unchecked_names(script, plan.semantics)),
    }
    return ScriptFindings(script, findings, semantics, unchecked)


def _check_list(
    paths: tuple[str, ...], expressions: tuple[str, ...], plan: _FitOptions, most: int
) -> ListFindings:
    from cbreplay.answers.findings import check_callbacks
    from cbreplay.expressions import read_expressions

    if len(paths) > 1:
        sentence = f"lint speaks of one run, and {len(paths)} PATHs are given"
        raise ConfigError(sentence)
    if not expressions:
        run = run_at(paths[0] if paths else find_log_here(_NOTHING), most)
        listed = recorded_list(run, _HINT)
        return check_callbacks(listed, run=run, source=run.name, **plan._asdict())
    read = read_expressions(expressions, {})
    setting = _setting_of(read)
    known = run_at(paths[0], most) if paths else None
    told = _FitOptions(read.epochs, read.validation_freq, read.semantics)
    return check_callbacks(
        setting,
        run=known,
        source="" if known is None else known.name,
        notes=read.notes,
        written=read.written,
        schedule=read.schedule,
        **plan.completed(told, known)._asdict(),
    )


def _setting_of(read: Expressions) -> Sequence[Callback]:
    from cbreplay.grid import make_grid

    grid = make_grid(read.entries)
    return sole_setting(grid, "lint speaks of one setting, and -c names")
