"""The options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Literal, TypeAlias, TypeVar

import click

from cbreplay.cli.option_values import BYTE_COUNT, Share
from cbreplay.cli.question import Question
from cbreplay.cli.remarks import quiet_option, remark, verbose_option
from cbreplay.cli.working_directory import follow_config, named_defaults
from cbreplay.readers.base import MOST_BYTES, MOST_SILENCE, ReadOptions
from cbreplay.wording.shown_digits import showing_digits

__all__ = [
    "Format",
    "advice_options",
    "callbacks_option",
    "choose_format",
    "choosing_options",
    "format_option",
    "judging_options",
    "log_options",
    "no_config_option",
    "one_setting_options",
    "semantics_option",
    "setting_options",
    "speaking_options",
]

Format: TypeAlias = Literal["table", "json", "csv", "markdown"]
_Command = TypeVar("_Command", bound=Callable[..., Any])

_SPEAKING_OPTIONS = [
    verbose_option,
    quiet_option,
    click.option(
        "--precision",
        type=click.IntRange(1, 17),
        metavar="N",
        help="How many significant digits of a value people are shown; JSON, CSV and "
        "Parquet hold them all.  [default: 4, and fewer of what is estimated]",
    ),
]

no_config_option = click.option(
    "--no-config",
    is_flag=True,
    # first of all: it decides the defaults of the other options
    is_eager=True,
    expose_value=False,
    callback=follow_config,
    help="Leave out the defaults of [tool.cbreplay] in a pyproject.toml here.",
)


def _complete_path(
    _context: click.Context, _argument: click.Parameter, begun: str
) -> list[Any]:
    """Let a shell complete a path; click.Path would do it, and reads the locale."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(begun, type="file")]


_LOG_OPTIONS = [
    click.argument(
        "paths", nargs=-1, metavar="[PATH...]", shell_complete=_complete_path
    ),
    click.option(
        "--errors",
        type=click.Choice(["strict", "skip"]),
        default="strict",
        show_default=True,
        help="Refuse a damaged log, or keep what is whole and list the rest.",
    ),
    click.option(
        "--empty",
        type=click.Choice(["missing", "nan"]),
        default="missing",
        show_default=True,
        help="What an empty cell or NA means.",
    ),
    click.option(
        "--planned-epochs",
        type=click.IntRange(min=1),
        help="The epochs that fit was given, where the log does not say.",
    ),
    click.option(
        "--validation-freq",
        type=click.IntRange(min=1),
        help="How often a History was validated.",
    ),
    click.option(
        "--run",
        multiple=True,
        metavar="NAME",
        help="Only the run of this name, of several; a part of a log is logs.csv#2.",
    ),
    click.option(
        "--x-axis",
        type=click.Choice(["epoch", "step"]),
        help="What the steps of a log count, where it does not say: epochs, or "
        "else each evaluation is a row and patience counts evaluations.",
    ),
    click.option(
        "--first-epoch",
        type=click.IntRange(min=0),
        help="The epoch of the first row, counted from 0, whatever stands there.",
    ),
    click.option(
        "--parts",
        type=click.Choice(["split", "join", "rows"]),
        default="split",
        help="What a log is whose epochs step back: several trainings, one whose later "
        "rows replace the earlier ones, or one in which every row is an epoch.",
    ),
    click.option(
        "--seam",
        "seams",
        type=click.IntRange(min=1),
        multiple=True,
        help="How many epochs came before a fit that was resumed unsaid: 20 if it "
        "began with epoch 21 of 40, as initial_epoch=20 does.",
    ),
    click.option(
        "--resume",
        type=click.Choice(["fresh", "carried", "interrupted", "never"]),
        default="fresh",
        help="Whether a resumed fit had callbacks that were created anew, as a script "
        "that is started again has them, or the same instances, which Keras resets, or "
        "new ones after a fit that was killed or interrupted; never, if no fit was "
        "resumed where the log does not tell.",
    ),
    click.option(
        "--max-size",
        "max_bytes",
        type=BYTE_COUNT,
        default=MOST_BYTES,
        help="How much one source may hold, unpacked or downloaded: 256MB, 2GB.  "
        "[default: 256MiB]",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=MOST_SILENCE,
        metavar="SECONDS",
        help="How long the server of a URL may be silent.  "
        f"[default: {MOST_SILENCE:g}]",
    ),
    no_config_option,
]


def callbacks_option(
    patience: str = "5", *, several: str = "", once: str = ""
) -> Callable[[_Command], _Command]:
    """Return the option ``-c``, with what its help says of several values or one."""
    return click.option(
        "-c",
        "--callbacks",
        "expressions",
        multiple=True,
        metavar="EXPR",
        help=f'Keras code, for example "EarlyStopping(patience={patience})"; {several}'
        f"repeated, one callbacks list. {once}Or @file, @train.py.",
    )


def _shorthands(patience: str, min_delta: str, start: str) -> list[Any]:
    """Return the options that build an EarlyStopping; each text shows its values."""
    own = "Of an EarlyStopping."
    return [
        click.option("--patience", metavar=patience, help=own),
        click.option("--min-delta", metavar=min_delta, help=own),
        click.option("--start-from-epoch", metavar=start, help=own),
    ]


_SETTING_OPTIONS = [
    callbacks_option("range(1, 31)", several="a list or range means try each; "),
    *_shorthands("N|A:B|A,B", "X|X,Y", "N|A:B"),
]
_ONE_SETTING_OPTIONS = [
    callbacks_option(once="One value for each parameter. "),
    *_shorthands("N", "X", "N"),
]

_DEFAULT_MONITOR = "[default: val_loss]"
_MONITOR = click.option(
    "--monitor", metavar="NAME", help=f"The series to watch.  {_DEFAULT_MONITOR}"
)
# of several series the best to stop on is chosen
_MONITORS = click.option(
    "--monitor",
    metavar="NAME|A,B",
    help="The series to watch; of several runs also several to choose among.  "
    f"{_DEFAULT_MONITOR}",
)
semantics_option = click.option(
    "--semantics",
    metavar="KERAS",
    help="Whose rules: keras-3.15, tf_keras-2.18, ...  "
    "[default: run.json's, else the installed one]",
)
_JUDGING_OPTIONS = [
    click.option(
        "--mode", type=click.Choice(["auto", "min", "max"]), help="As in Keras."
    ),
    click.option(
        "--keep",
        type=click.Choice(["best", "last"]),
        help="The weights that training ends with.  [default: best]",
    ),
    click.option("--objective", help="The series to judge by.  [default: the monitor]"),
    click.option(
        "--objective-mode",
        type=click.Choice(["min", "max"]),
        help="Its direction, where its name does not tell.",
    ),
    semantics_option,
    click.option(
        "--initial-lr",
        type=float,
        help="The learning rate of the first epoch, where the log has none.",
    ),
]


_ADVICE_OPTIONS = [
    click.option(
        "--tolerance",
        metavar="X|P%",
        help="What a run may lose: in the objective's unit, or a share of its best "
        "value.  [default: 1%, or the spread between seeds where it is less]",
    ),
    click.option(
        "--confidence",
        type=Share(0, 1, min_open=True, max_open=True),
        metavar="X|P%",
        help="On what share of new runs the tolerance shall be kept.  [default: 90%, "
        "or 80% from 4 to 8 runs]",
    ),
    click.option(
        "--cost-weight",
        type=click.FloatRange(min=0),
        default=0.05,
        show_default=True,
        help="What training the whole plan counts, beside losing the size of the best "
        "value.",
    ),
    click.option(
        "--group-by",
        metavar="WAY",
        help="What counts as one: none (every run), directory, learning-rate, "
        "run.json, or a key of run.json such as optimizer.class.  "
        "[default: found by itself]",
    ),
    click.option(
        "--recorded-under",
        type=click.IntRange(min=1),
        metavar="PATIENCE",
        help="The EarlyStopping that ended logs which do not say so themselves.",
    ),
    click.option(
        "--prechelt",
        is_flag=True,
        help="Score the stopping rules GL, PQ and UP of Prechelt (1998) too.",
    ),
    click.option(
        "--beyond-patience",
        is_flag=True,
        help="Score a smoothed monitor, a target value, and a patience or a target "
        "too.",
    ),
]


def choose_format(*more: str, use: str = "") -> Callable[[_Command], _Command]:
    """Return a ``--format`` option with more forms, and what these are for."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(["table", "json", "csv", "markdown", *more]),
        default="table",
        show_default=True,
        help=f"How the answer is written{use}. In json and csv epochs count from 0.",
    )


format_option = choose_format()


def _adding(*options: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - click's decorators
    """Return a decorator that adds options to a command, below `log_options`."""

    def add(function: Any) -> Any:  # noqa: ANN401 - a command on its way
        for option in reversed(options):
            function = option(function)
        return function

    return add


def speaking_options(function: _Command) -> Any:  # noqa: ANN401 - a decorated command
    """Add ``-v``, ``-q`` and ``--precision``; `log_options` adds them too."""

    @functools.wraps(function)
    def speak(*positional: Any, precision: int | None, **options: Any) -> Any:  # noqa: ANN401 - click's
        is_exact = options.get("output_format") in ("json", "csv", "parquet")
        with showing_digits(None if is_exact else precision):
            return function(*positional, **options)

    return _adding(*_SPEAKING_OPTIONS)(speak)


def log_options(function: _Command) -> Any:  # noqa: ANN401 - a decorated command
    """Add the reading options, and hand all shared ones over as one `question`."""
    asked, read = (
        {option.name for option in fields(kind)} for kind in (Question, ReadOptions)
    )

    @functools.wraps(function)
    def ask(*positional: Any, **options: Any) -> Any:  # noqa: ANN401 - click's
        # every command that reads a log needs it; imported later, deep inside other
        # imports, it takes 10 ms more: Python has to enlarge its stack
        import numpy as np  # noqa: F401

        remark(*named_defaults(click.get_current_context()))
        reading = ReadOptions(**{name: options.pop(name) for name in read})
        shared = {name: options.pop(name) for name in asked & options.keys()}
        question = Question(reading=reading, **shared)
        return function(*positional, question=question, **options)

    return _adding(*_LOG_OPTIONS)(speaking_options(ask))


# the options that name settings, with a --monitor that may name several to choose among
# or not; those that name one setting; and those about monitor and objective alone
choosing_options = _adding(*_SETTING_OPTIONS, _MONITORS, *_JUDGING_OPTIONS)
setting_options = _adding(*_SETTING_OPTIONS, _MONITOR, *_JUDGING_OPTIONS)
one_setting_options = _adding(*_ONE_SETTING_OPTIONS, _MONITOR, *_JUDGING_OPTIONS)
judging_options = _adding(_MONITORS, *_JUDGING_OPTIONS)


def advice_options(function: _Command) -> Any:  # noqa: ANN401 - a decorated command
    """Add the options about recommendations, and hand them over as `advising`."""

    @functools.wraps(function)
    def ask(*positional: Any, **options: Any) -> Any:  # noqa: ANN401 - click's
        from cbreplay.recommend import Advising

        named = {name: options.pop(name) for name in Advising._fields}
        return function(*positional, advising=Advising(**named), **options)

    return _adding(*_ADVICE_OPTIONS)(ask)
