"""The command group, and the one place where an error becomes an exit code."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING

import click

from cbreplay.cli.help import HELP
from cbreplay.cli.process import (
    CLOSED,
    EXIT_ANSWERED,
    EXIT_DEFECT,
    EXIT_SIGNALLED,
    EXIT_UNUSABLE,
    FULL,
    open_streams,
    spare_threads,
)
from cbreplay.cli.remarks import tell, tell_lines
from cbreplay.errors import (
    CbreplayError,
    UnknownMonitorError,
    as_options,
    without_monitor,
)
from cbreplay.system.interrupts import ended_by, heed_signals, leave_signals
from cbreplay.version import __version__
from cbreplay.wording.near_names import nearest_name
from cbreplay.wording.plain_text import shell_words, shown_word, without_secrets

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["cli", "main", "run"]

# the commands, grouped by the question that a user comes with; each is a module of
# this package
_SECTIONS = {
    "Ask": {
        "simulate": "What other settings would have done on a log.",
        "explain": "Why a setting stopped, reduced or kept, epoch by epoch.",
        "recommend": "A setting that holds on runs it was not chosen on.",
        "lint": "Settings that never act, or act otherwise than they look.",
    },
    "Show": {
        "plot": "Draw the learning curve with decisions, or the learning rate.",
        "report": "Write the answer as one self-contained page.",
        "inspect": "Which runs and series are there, and what was odd.",
    },
    "Train": {
        "train": "Train a bundled real experiment and leave a run directory.",
        "record": "Run your training script as it is, and record every fit.",
        "confirm": "Train under a setting, and compare with what was predicted.",
    },
}

# options whose value is a call, as EarlyStopping(patience=5)
_WRITTEN_OUT = ("-c", "--callbacks", "--versus")


class _Commands(click.Group):
    """A group that imports a command when it is called, so that --help stays quick."""

    def get_help_option(self, ctx: click.Context) -> click.Option:  # noqa: ARG002 - click's
        return HELP

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return [name for section in _SECTIONS.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"cbreplay.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.list_commands(ctx) and args[0][:1] != "-":
            near = nearest_name(args[0], self.list_commands(ctx))
            if not near and os.path.lexists(args[0]):
                asked = shell_words(["simulate", args[0]])
                near = f". To ask about what lies there: cbreplay {asked}"
            ctx.fail(f"No such command {args[0]!r}{near}")
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))


def _show_version(
    context: click.Context, _option: click.Parameter, asked: bool
) -> None:
    if asked and not context.resilient_parsing:
        click.echo(f"cbreplay, version {__version__}")
        context.exit()


@click.group(
    cls=_Commands,
    epilog="With one log and no options: cbreplay simulate logs.csv",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.option(
    "-q", "--quiet", is_flag=True, help="Say nothing but the answer and its doubts."
)
@click.option(
    "--no-config",
    is_flag=True,
    help="Leave out the defaults of [tool.cbreplay] in a pyproject.toml here.",
)
@click.pass_context
def cli(context: click.Context, quiet: bool, no_config: bool) -> None:
    """Backtesting for Keras training callbacks.

    Reads what CSVLogger and TensorBoard wrote, and replays what EarlyStopping,
    ReduceLROnPlateau, ModelCheckpoint and the like would have decided under other
    settings.
    """
    context.ensure_object(dict).update(
        quiet=quiet, no_config=no_config, begun=time.monotonic()
    )


def run() -> None:
    """Run the command line and end the process with its exit status."""
    open_streams()
    heed_signals()
    # numpy would start threads for linear algebra, which no command uses
    spare_threads()
    status = main()
    leave_signals()
    # to collect garbage at the end of the process would only take time
    gc.freeze()
    sys.exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    `arguments` are the words after the program's name, by default of this process.
    """
    try:
        status = _answer(arguments)
        sys.stdout.flush()
    except OSError as error:
        return _system_refused(error)
    except KeyboardInterrupt:
        return _interrupted()
    return status


def _answer(arguments: Sequence[str] | None) -> int:
    try:
        # a command that ends by itself, --help or --fail-if, returns its status
        ended = cli.main(args=arguments, prog_name="cbreplay", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - sorted below
        if ended_by() is not None:
            return _interrupted()
        return _sort_out(error, sys.argv[1:] if arguments is None else arguments)
    return ended if isinstance(ended, int) else EXIT_ANSWERED


def _sort_out(error: BaseException, typed: Sequence[str]) -> int:
    """Print what went wrong, and return the exit status."""
    if isinstance(error, click.ClickException):
        return _misused(error, typed)
    if isinstance(error, CbreplayError):
        in_call = isinstance(error, UnknownMonitorError) and error.option == "monitor"
        in_call &= any(word.startswith(_WRITTEN_OUT) for word in typed)
        in_call &= not any(word.startswith("--monitor") for word in typed)
        # --monitor beside a setting that names another would be refused
        sentence = str(error) if in_call else as_options(error.sentence)
        inspects = next(iter(typed), "") == "inspect"
        return _complain(without_monitor(sentence) if inspects else sentence)
    # click says Abort for the end of a file too, which nobody typed here
    if isinstance(error, (KeyboardInterrupt, click.Abort)) and not isinstance(
        error.__cause__, EOFError
    ):
        return _interrupted()
    if isinstance(error, OSError):
        raise error
    if isinstance(error, MemoryError):
        return _complain("there is not enough memory for this. Give fewer logs at once")
    return _confess()


def _misused(error: click.ClickException, typed: Sequence[str]) -> int:
    """Show the usage of a command, without secrets of typed URLs."""
    from cbreplay.cli.usage_errors import spoken_usage

    usage = spoken_usage(error)
    for word in typed:
        # whole words: a password may hold spaces or quotes, which usually end a URL
        if "://" in word:
            usage = usage.replace(word, shown_word(word))
            usage = usage.replace(repr(word)[1:-1], shown_word(word))
    tell_lines(*usage.splitlines())
    if isinstance(error, click.BadParameter):
        _say_where_from(error)
    return EXIT_UNUSABLE


def _say_where_from(error: click.BadParameter) -> None:
    """Name the file that a refused value came from, if nobody typed it."""
    from cbreplay.cli.working_directory import WHERE_FROM, is_default

    context, parameter = error.ctx, error.param
    if context is not None and parameter is not None and is_default(context, parameter):
        tell(f"It {WHERE_FROM}.")


def _interrupted() -> int:
    leave_signals()
    number = ended_by() or signal.SIGINT
    tell("interrupted" if number == signal.SIGINT else "ended by a signal")
    return EXIT_SIGNALLED + number


def _complain(sentence: str) -> int:
    tell_lines(f"cbreplay: {sentence}")
    return EXIT_UNUSABLE


def _system_refused(error: OSError) -> int:
    """Handle an OSError: of a file, or of standard output that is closed or full.

    Nothing is printed for an output that is closed.
    """
    if error.filename is not None:
        return _complain(f"{os.fsdecode(error.filename)}: {error.strerror}")
    # Python flushes once more at exit, which must not fail again
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno in CLOSED:
        return EXIT_ANSWERED
    if error.errno in FULL:
        return _complain(f"cannot write the answer: {os.strerror(error.errno)}")
    return _confess()


def _confess() -> int:
    """Print the traceback of a defect in cbreplay, and how to report it."""
    import traceback

    tell(
        f"{without_secrets(traceback.format_exc())}\n"
        "This is a defect of cbreplay, not of your log. Please report it with the "
        f"lines above, the command, and the version ({__version__})."
    )
    return EXIT_DEFECT
