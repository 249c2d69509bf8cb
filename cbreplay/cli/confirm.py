"""``cbreplay confirm``: hold a replay against a training under the real callbacks."""

from __future__ import annotations

import contextlib
import itertools
import shlex
import sys
from typing import TYPE_CHECKING

import click

from cbreplay.cli.help import GroupedCommand
from cbreplay.cli.one_setting import one_run, one_setting
from cbreplay.cli.options import Format, format_option, log_options, one_setting_options
from cbreplay.cli.process import EXIT_CHECK_FAILED
from cbreplay.cli.progress import watch
from cbreplay.errors import ConfigError

if TYPE_CHECKING:
    from cbreplay.cli.question import Question

__all__ = ["command"]


@click.command("confirm", cls=GroupedCommand)
@log_options
@one_setting_options
@click.option(
    "--script",
    metavar="TEXT",
    help="What stood behind cbreplay record when the run was recorded: "
    '"train.py --seed 7". It is run three times, to its end.',
)
@format_option
def command(question: Question, output_format: Format, script: str | None) -> None:
    """Predict a setting by replay, train under it, and hold both side by side.

    The run is one of cbreplay train, or of a script, recorded on this machine. It is
    trained three times with its own seed: twice as it was recorded, once under the
    setting, which stands there in the place of the callbacks that decide. Ends
    with status 1 if the training did not do what the replay calls exact. A run that was
    resumed is resumed again, with new callbacks or with the same ones (--resume).

    \b
    cbreplay confirm runs/first --patience 3
    cbreplay confirm runs/first -c "ReduceLROnPlateau(patience=2)"
    cbreplay confirm runs/first -c "my_module:MyCallback()"
    cbreplay confirm runs/train/fit1 --patience 3 --script "train.py --seed 7"
    """
    from cbreplay.answers.confirmation import confirmation_document
    from cbreplay.cli.written import print_document
    from cbreplay.record.confirming import confirm_replay

    run = one_run(question, "confirm")
    program = None
    if script is not None:
        from cbreplay.cli.record import read_program

        program = read_program(_words(script))
    else:
        from cbreplay.record.plan import find_fits

        # a run that cannot be trained again is not asked for a setting first
        find_fits(run)
    setting = one_setting(question, run, "confirm")
    # what Keras's callbacks print is no part of the answer
    with contextlib.redirect_stdout(sys.stderr), watch("training three times") as tell:
        n_done = itertools.count(1)
        confirmation = confirm_replay(
            run,
            setting,
            on_epoch=lambda: tell(next(n_done), 3 * run.n_epochs),
            script=program,
        )
    print_document(confirmation_document(confirmation), output_format)
    if not confirmation.held:
        click.get_current_context().exit(EXIT_CHECK_FAILED)


def _words(script: str) -> list[str]:
    try:
        return shlex.split(script)
    except ValueError as error:
        sentence = f"--script is {script!r}, which a shell cannot read: {error}"
        raise ConfigError(sentence) from None
