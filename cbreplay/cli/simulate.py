"""``cbreplay simulate``: what other settings would have done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import click

from cbreplay.cli.help import GroupedCommand
from cbreplay.cli.options import Format, choose_format, log_options, setting_options
from cbreplay.cli.progress import watch
from cbreplay.cli.refusals import check_replays, named_settings, refuse_beside
from cbreplay.cli.remarks import remark
from cbreplay.cli.typed import typed_logs, typed_setting
from cbreplay.errors import ConfigError
from cbreplay.wording.plain_text import without_secrets

if TYPE_CHECKING:
    from cbreplay.cli.question import Question
    from cbreplay.grid import Grid

__all__ = ["command"]


@click.command("simulate", cls=GroupedCommand)
@log_options
@setting_options
@click.option(
    "--versus",
    multiple=True,
    metavar="EXPR",
    help="Compare the setting with this one, run by run: what differs, as "
    "patience=20, or a whole list, read as -c is and repeated for one list.",
)
@click.option("--versus-patience", metavar="N", help="The same as --versus patience=N.")
@click.option(
    "--versus-min-delta", metavar="X", help="The same as --versus min_delta=X."
)
@click.option(
    "--versus-start-from-epoch",
    metavar="N",
    help="The same as --versus start_from_epoch=N.",
)
@click.option(
    "--keras-code",
    is_flag=True,
    help="Print the setting as Python code to paste into a training script; a rule "
    "that Keras does not have comes with its class. Needs no log.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Read and replay on a dask cluster, for example tcp://host:8786; its workers "
    "must find the logs under the same paths.",
)
@click.option(
    "--same-callbacks",
    is_flag=True,
    help="The runs, in their order, were fits under the same callback objects, as in a "
    "loop over folds: what they carry into the next fit counts.",
)
@click.option(
    "--each",
    is_flag=True,
    help="Of several settings on several runs, show every run, not only what each "
    "setting comes to.",
)
@choose_format("parquet", use="; parquet is for many settings")
def command(
    question: Question,
    output_format: Format | Literal["parquet"],
    *,
    versus: tuple[str, ...],
    versus_patience: str | None,
    versus_min_delta: str | None,
    versus_start_from_epoch: str | None,
    keras_code: bool,
    scheduler: str | None,
    same_callbacks: bool,
    each: bool,
) -> None:
    """Say what other settings would have done on a log.

    With one log and no settings: every patience that the log can tell apart. With
    several logs: one line each. With -c or --patience: one line a setting, or with one
    setting a run; --each shows every run under every setting.

    \b
    cbreplay simulate logs.csv
    cbreplay simulate runs/ --patience 3,5,10,20
    cbreplay simulate logs.csv -c "ReduceLROnPlateau(factor=0.5, patience=[2, 5])"
    cbreplay simulate logs.csv -c "PrecheltGL(alpha=[1, 2, 5])"
    cbreplay simulate -c "PrecheltGL(alpha=2)" --keras-code
    cbreplay simulate runs/ --patience 5 --versus-patience 20
    """
    versus += _changes(
        patience=versus_patience,
        min_delta=versus_min_delta,
        start_from_epoch=versus_start_from_epoch,
    )
    others: dict[str, object] = {
        "--scheduler": scheduler,
        "--versus": versus,
        "--same-callbacks": same_callbacks,
    }
    _check_together(others, output_format, keras_code=keras_code)
    if output_format == "parquet":
        from cbreplay.cli.parquet import check_parquet

        check_parquet()
    if keras_code:
        _print_keras_code(question)
    elif scheduler is not None:
        from cbreplay.cli.cluster import print_swept

        print_swept(question, scheduler, output_format)
    else:
        _print_answer(
            question, output_format, versus, each=each, same_callbacks=same_callbacks
        )


def _changes(**values: str | None) -> tuple[str, ...]:
    """Return the shorthands of --versus as it writes them."""
    given = {name: value for name, value in values.items() if value is not None}
    return tuple(f"{name}={value}" for name, value in given.items())


def _check_together(
    others: dict[str, object], output: str, *, keras_code: bool
) -> None:
    """Refuse options that ask for two answers at once."""
    if keras_code:
        form = {"--format": output != "table"}
        refuse_beside("--keras-code", "prints one setting as code", {**others, **form})
    # each of these is an answer of its own; what is left of the others asks for another
    if others.pop("--scheduler") is not None:
        refuse_beside("--scheduler", "decides settings, run by run", others)
    if rival := others.pop("--versus"):
        if isinstance(rival, tuple) and rival[0].startswith("-"):
            sentence = (
                f"--versus is {rival[0]!r}, which is an option. Write the other list "
                'behind it: --versus "EarlyStopping(patience=10)"'
            )
            raise ConfigError(sentence)
        refuse_beside("--versus", "compares two settings, run by run", others)
    if output == "parquet":
        refuse_beside("--format parquet", "is a sweep, run by run", others)


def _print_answer(
    question: Question,
    output: Format | Literal["parquet"],
    versus: tuple[str, ...],
    *,
    same_callbacks: bool,
    each: bool,
) -> None:
    """Print what the logs say here: a comparison, settings, or every patience."""
    question.leave_out_unmonitored()
    if versus:
        from cbreplay.cli.versus import print_versus

        print_versus(question, versus, output)
    elif output == "parquet":
        from cbreplay.cli.parquet import write_parquet

        write_parquet(question)
    elif question.grid is not None or same_callbacks:
        grid = named_settings(question.grid, "--same-callbacks")
        _print_settings(
            question, grid, output, same_callbacks=same_callbacks, each=each
        )
    else:
        _print_every_patience(question, output)


def _print_settings(
    question: Question,
    grid: Grid,
    output: Format,
    *,
    same_callbacks: bool,
    each: bool,
) -> None:
    """Print every run under every setting."""
    from cbreplay.answers.deciding import decide_fits, decide_settings
    from cbreplay.answers.settings import settings_document
    from cbreplay.cli.written import print_document

    check_replays(question.runs, grid, question.reading.max_bytes)
    with watch("replaying") as tell:
        if same_callbacks:
            cells = decide_fits(question.runs, grid, question.judging)
        else:
            cells = decide_settings(
                question.runs, grid, question.judging, tell, replayed=output == "json"
            )
    document = settings_document(
        cells,
        typed=typed_logs(question),
        typed_setting=typed_setting(question),
        by_options=not question.expressions,
        # with --same-callbacks each fit is a row: it depends on the one before
        each=each or same_callbacks,
    )
    print_document(question.about_the_rest(document), output)


def _print_every_patience(question: Question, output: Format) -> None:
    """Print the staircase of one log, or those of several side by side."""
    from cbreplay.cli.remarks import is_verbose
    from cbreplay.cli.written import print_document

    runs = question.runs
    with watch("trying every patience") as tell:
        staircases = []
        for done, run in enumerate(runs, start=1):
            staircases.append(question.staircase(run))
            tell(done, len(runs))
        if len(staircases) == 1:
            from cbreplay.answers.staircase import staircase_document

            document = staircase_document(staircases[0], typed=typed_logs(question))
        else:
            from cbreplay.answers.overview import overview_document

            document = overview_document(
                staircases, typed=typed_logs(question), verbose=is_verbose()
            )
    print_document(question.about_the_rest(document), output)


def _print_keras_code(question: Question) -> None:
    """Print the one setting that is asked about as Python code."""
    question = replace(question, reads_logs=False)
    from cbreplay.cli.one_setting import sole_setting
    from cbreplay.rules.keras.keras_code import write_keras_code

    begun = "--keras-code writes one setting, and the command names"
    setting = sole_setting(question.grid, begun)
    of_tf = (question.version or "").startswith("tf_keras")
    code = write_keras_code(setting, package="tf_keras" if of_tf else "keras")
    shown = without_secrets(code)
    if shown != code:
        remark("a URL's user, password and query are left out")
    click.echo(shown)
