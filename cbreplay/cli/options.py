"""Shared options, and the question that they make together."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from cbreplay.errors import ConfigError

if TYPE_CHECKING:
    from cbreplay.callbacks.base import Callback
    from cbreplay.grid import Choices, Grid
    from cbreplay.readers.discovery import Survey
    from cbreplay.run import Mode, Run

__all__ = [
    "Question",
    "advice_options",
    "find_log_here",
    "is_quiet",
    "judging_options",
    "log_options",
    "read_defaults",
    "read_values",
    "say",
    "setting_options",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_MOST_DIRECTORIES = 20_000
# what a next command has to say again
_REPEATED = (
    "errors",
    "empty",
    "planned_epochs",
    "validation_freq",
    "x_axis",
    "monitor",
    "mode",
    "keep",
    "objective",
    "objective_mode",
    "semantics",
)


@dataclass(kw_only=True, eq=False, repr=False)
class Question:
    """What the options of a command ask for; runs are read when they are first used.

    Parameters
    ----------
    paths : tuple of str
        The logs; none means the one that lies here.
    errors, empty, planned_epochs, validation_freq, x_axis : str, str, int, int, str
        As in `load_runs`.
    run : tuple of str
        The names of the runs that are asked about; none means all.
    expressions : tuple of str
        The texts of -c.
    patience, min_delta, start_from_epoch : str or None
        Shorthands: one value, ``3,5,10``, or ``1:30`` with both ends.
    monitor, mode, keep : str or None
        As given; None where the option was not.
    objective, objective_mode, semantics, initial_lr : str or float or None
        As in `replay_run`.
    """

    paths: tuple[str, ...] = ()
    errors: Literal["strict", "skip"] = "strict"
    empty: Literal["missing", "nan"] = "missing"
    planned_epochs: int | None = None
    validation_freq: int | None = None
    x_axis: Literal["epoch", "step"] | None = None
    run: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()
    patience: str | None = None
    min_delta: str | None = None
    start_from_epoch: str | None = None
    monitor: str | None = None
    mode: str | None = None
    keep: Literal["best", "last"] | None = None
    objective: str | None = None
    objective_mode: Mode | None = None
    semantics: str | None = None
    initial_lr: float | None = None
    left_out: list[str] = field(default_factory=list, init=False)

    @cached_property
    def runs(self) -> list[Run]:
        """The runs under the paths, or those of them that --run names, read once."""
        runs = self.survey.runs
        if not self.run:
            return runs
        by_name = {run.name: run for run in runs}
        for name in self.run:
            if name not in by_name:
                raise _unknown_run(name, list(by_name))
        return [by_name[name] for name in dict.fromkeys(self.run)]

    @cached_property
    def survey(self) -> Survey:
        """What lies under the paths."""
        from cbreplay.readers.base import ReadOptions
        from cbreplay.readers.discovery import survey_sources

        options = ReadOptions(
            errors=self.errors,
            empty=self.empty,
            planned_epochs=self.planned_epochs,
            validation_freq=self.validation_freq,
            x_axis=self.x_axis,
        )
        return survey_sources(self.paths or (find_log_here(),), options)

    def leave_out_unmonitored(self) -> None:
        """Keep the runs that hold what is monitored, if any does, and say which do not.

        A run that is asked about alone is kept: its answer is the error.
        """
        wanted = self._monitored()
        lacking = {run.name: _absent(run, wanted) for run in self.runs}
        if len(self.runs) == 1 or all(lacking.values()):
            return
        self.runs = [run for run in self.runs if not lacking[run.name]]
        self.left_out = [
            f"left out {name}: it has no {', '.join(absent)}"
            for name, absent in lacking.items()
            if absent
        ]
        say(*self.left_out)

    def _monitored(self) -> list[str]:
        """Return the series that the answer needs."""
        objective = [self.objective] if self.objective is not None else []
        if self.grid is None:
            return [self.monitor or "val_loss", *objective]
        from cbreplay.callbacks.base import monitored_series, rule_name

        if any(rule_name(one) == "DrivenCallback" for one in self.grid[0]):
            # it may write what the others monitor
            return objective
        monitors = monitored_series(self.grid[0])
        for name, values in self.grid.parameters.items():
            if name.endswith(".monitor"):
                monitors += values
        return list(dict.fromkeys([*(monitors or ["val_loss"]), *objective]))

    @cached_property
    def grid(self) -> Grid | None:
        """The settings that are asked about; None if none was named."""
        entries = self._expressed() if self.expressions else self._shorthand()
        if entries is None:
            return None
        from cbreplay.grid import make_grid

        return make_grid(entries)

    @property
    def monitor_and_mode(self) -> dict[str, str]:
        """What --monitor and --mode fill in where an expression is silent."""
        given = {"monitor": self.monitor, "mode": self.mode}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def command_line(self) -> str:
        """The command as it was typed, to be shown and typed again."""
        import shlex

        return shlex.join(["cbreplay", *sys.argv[1:]])

    def typed(self) -> str:
        """Return the paths and what they are judged by, for a next command."""
        import shlex

        words = list(self.paths)
        for name in self.run:
            words += ["--run", name]
        usual = Question()
        for option in _REPEATED:
            value = getattr(self, option)
            if value != getattr(usual, option):
                words += [_option_name(option), str(value)]
        return shlex.join(words)

    def _expressed(self) -> list[Callback | Choices]:
        for option in ("patience", "min_delta", "start_from_epoch", "keep"):
            if getattr(self, option) is not None:
                sentence = (
                    f"{_option_name(option)} builds an EarlyStopping of its own "
                    "and does not go with -c. Write it into the expression"
                )
                raise ConfigError(sentence)
        from cbreplay.expressions import read_expressions

        read = read_expressions(self.expressions, self.monitor_and_mode)
        for note in read.notes:
            say(f"note: {note}")
        return read.entries

    def _shorthand(self) -> list[Callback | Choices] | None:
        texts = {
            "patience": self.patience,
            "min_delta": self.min_delta,
            "start_from_epoch": self.start_from_epoch,
        }
        if all(text is None for text in texts.values()):
            return None
        from cbreplay.callbacks import EarlyStopping
        from cbreplay.grid import choices

        varied = {
            name: read_values(_option_name(name), text)
            for name, text in texts.items()
            if text is not None
        }
        return [
            choices(
                EarlyStopping,
                monitor=self.monitor or "val_loss",
                mode=self.mode or "auto",
                restore_best_weights=self.keep != "last",
                **varied,
            )
        ]


def _unknown_run(name: str, there: list[str]) -> ConfigError:
    from cbreplay.errors import nearest_name

    shown = ", ".join(there[:_SHOWN_RUNS])
    more = f" and {len(there) - _SHOWN_RUNS} more" if len(there) > _SHOWN_RUNS else ""
    near = nearest_name(name, there)
    return ConfigError(
        f"there is no run {name!r}{near}; there is {shown}{more} (--run)"
    )


_SHOWN_RUNS = 8


def _absent(run: Run, names: Iterable[str]) -> list[str]:
    """Return which series a run does not hold in any epoch."""
    from cbreplay.run import LEARNING_RATE_NAMES

    return [
        name
        for name in names
        if name not in LEARNING_RATE_NAMES
        and not (name in run.series and run.series[name].recorded.any())
    ]


def read_values(option: str, text: str) -> range | list[float]:
    """Read an option's ``5``, ``3,5,10`` or ``1:30`` (both ends)."""
    try:
        if ":" in text:
            first, last = (int(end) for end in text.split(":"))
            values: range | list[float] = range(first, last + 1)
        else:
            values = [_read_number(one) for one in text.split(",")]
    except ValueError:
        values = []
    if len(values) == 0:
        sentence = (
            f"{option} is {text!r}, where one value, several as 3,5,10, or a range "
            "of integers as 1:30 is expected"
        )
        raise ConfigError(sentence)
    return values


def _read_number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _option_name(name: str) -> str:
    """Return a parameter's option: ``--start-from-epoch``."""
    return f"--{name.replace('_', '-')}"


def find_log_here() -> str:
    """Return ``logs.csv`` if it lies here, else the newest run directory below.

    Raises
    ------
    click.UsageError
        If there is neither.
    """
    if os.path.isfile("logs.csv"):
        return "logs.csv"
    newest: tuple[float, str] | None = None
    for visited, (folder, below, names) in enumerate(os.walk(".")):
        below[:] = sorted(name for name in below if not name.startswith("."))
        if "logs.csv" in names:
            log = os.path.join(folder, "logs.csv")
            newest = max(newest or (0.0, ""), (os.stat(log).st_mtime, folder))
        if visited > _MOST_DIRECTORIES:
            break
    if newest is None:
        sentence = (
            "there is no logs.csv here and no run directory below. Give the path of a "
            "CSVLogger file, a TensorBoard directory, or a directory of runs."
        )
        raise click.UsageError(sentence)
    return os.path.relpath(newest[1])


def read_defaults() -> dict[str, Any]:
    """Return the option defaults of ``[tool.cbreplay]`` in a pyproject.toml here."""
    try:
        with open("pyproject.toml", "rb") as file:
            text = file.read()
    except OSError:
        return {}
    if b"tool.cbreplay" not in text:
        return {}
    import tomllib

    try:
        table = tomllib.loads(text.decode("utf-8"))["tool"]["cbreplay"]
    except (ValueError, KeyError) as error:
        sentence = f"pyproject.toml: [tool.cbreplay] cannot be read ({error})"
        raise ConfigError(sentence) from None
    from cbreplay.cli.main import cli

    context = click.Context(cli)
    flat = {key.replace("-", "_"): value for key, value in table.items()}
    return dict.fromkeys(cli.list_commands(context), flat)


_LOG_OPTIONS = [
    click.argument("paths", nargs=-1, metavar="[PATH...]"),
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
]

_SETTING_OPTIONS = [
    click.option(
        "-c",
        "--callbacks",
        "expressions",
        multiple=True,
        metavar="EXPR",
        help='Keras code, for example "EarlyStopping(patience=range(1, 31))"; a list '
        "or range means try each; repeated, one callbacks list. Or @file, @train.py.",
    ),
    click.option("--patience", metavar="N|A:B|A,B", help="Of an EarlyStopping."),
    click.option("--min-delta", metavar="X|X,Y", help="Of an EarlyStopping."),
    click.option("--start-from-epoch", metavar="N|A:B", help="Of an EarlyStopping."),
]

_JUDGING_OPTIONS = [
    click.option("--monitor", help="The series to watch.  [default: val_loss]"),
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
    click.option(
        "--semantics",
        metavar="KERAS",
        help="Whose rules: keras-3.15, tf_keras-2.18, ...  "
        "[default: run.json's, else the installed one]",
    ),
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
        "value.  [default: the spread between seeds, else 1%]",
    ),
    click.option(
        "--confidence",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=0.9,
        show_default=True,
        help="On what share of new runs the tolerance shall be kept.",
    ),
    click.option(
        "--cost-weight",
        type=click.FloatRange(min=0),
        default=0.05,
        show_default=True,
        help="What training a whole record counts, beside losing the size of the best "
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
]


def say(*lines: str) -> None:
    """Print remarks on standard error, which -q silences; text is made visible."""
    if lines and not is_quiet():
        from cbreplay.words import visible_text

        click.echo("\n".join(visible_text(line) for line in lines), err=True)


def is_quiet() -> bool:
    """Return whether nothing but the answer is wanted (-q)."""
    return bool(click.get_current_context().find_root().obj["quiet"])


def log_options(function: _Command) -> Any:  # noqa: ANN401 - a decorated command
    """Add the reading options, and hand all shared ones over as one `question`."""
    names = {one.name for one in fields(Question)}

    @functools.wraps(function)
    def ask(*positional: Any, **options: Any) -> Any:  # noqa: ANN401 - click's
        asked = {name: options.pop(name) for name in list(options) if name in names}
        return function(*positional, question=Question(**asked), **options)

    return _add(ask, _LOG_OPTIONS)


def setting_options(function: _Command) -> Any:  # noqa: ANN401 - a decorated command
    """Add the options that name settings; goes below `log_options`."""
    return _add(function, [*_SETTING_OPTIONS, *_JUDGING_OPTIONS])


def judging_options(function: _Command) -> Any:  # noqa: ANN401 - a decorated command
    """Add those that say what is watched and judged; goes below `log_options`."""
    return _add(function, _JUDGING_OPTIONS)


def advice_options(function: _Command) -> Any:  # noqa: ANN401 - a decorated command
    """Add those that say what a recommendation shall keep, and of what runs."""
    return _add(function, _ADVICE_OPTIONS)


def _add(function: Any, options: list[Any]) -> Any:  # noqa: ANN401 - click's decorators
    for option in reversed(options):
        function = option(function)
    return function
