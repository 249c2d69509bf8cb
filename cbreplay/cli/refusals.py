"""What a command refuses before any work: options, sizes, files to write."""

from __future__ import annotations

import os
import re
import stat
import sys
from typing import TYPE_CHECKING

import click

from cbreplay.errors import ConfigError, OutputError
from cbreplay.readers.sizes import (
    DECISION,
    REPLAY,
    most_within,
    raised_limit,
    spoken_size,
)
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cbreplay.grid import Grid
    from cbreplay.readers.discovery.training_files import Seen
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = [
    "check_code_length",
    "check_decisions",
    "check_replays",
    "named_settings",
    "option_name",
    "refuse_advising",
    "refuse_beside",
    "refuse_beside_schedule",
    "refuse_misplaced",
    "refuse_printing_into_a_log",
    "reserve_output",
]


def option_name(name: str) -> str:
    """Return a parameter's option: ``--start-from-epoch``."""
    return f"--{name.replace('_', '-')}"


def refuse_beside_schedule(callbacks: Sequence[Callback], schedule: str) -> None:
    """Refuse a callback that sets the rate, if a script's optimizer has a schedule."""
    for callback in callbacks:
        if callback.changes_learning_rate:
            sentence = (
                f"the optimizer of the script has the LearningRateSchedule {schedule}, "
                f"beside which {callback.class_name} raises TypeError in Keras 3, and "
                "changes no rate that is trained at in Keras 2. Write the other "
                "callbacks with -c"
            )
            raise ConfigError(sentence)


def refuse_misplaced(path: str) -> None:
    """Refuse a word that is no path, and was meant as the value of an option."""
    if os.path.exists(path):  # noqa: PTH110
        return
    number = re.fullmatch(r"\d+(\.\d+)?", path)
    option = re.fullmatch(r"([a-z]+(?:[-_][a-z]+)*)=(.*)", path)
    if not (number or option):
        return
    sentence = (
        f"{path} is no path: several values of an option are one word, as 5,{path}"
    )
    if option:
        name = option_name(option[1])
        sentence = f"{path} is no path: an option begins with --, as {name}={option[2]}"
    raise ConfigError(sentence)


def refuse_beside(option: str, why: str, others: Mapping[str, object]) -> None:
    """Refuse other options beside one.

    `why` says what that does: ``"prints a setting as code"``. A false value among the
    others means that the option is not given.

    Raises
    ------
    ConfigError
        If one is given; the first is named.
    """
    given = [name for name, value in others.items() if value]
    if given:
        sentence = f"{option} {why}, and does not go with {given[0]}. Leave one out"
        raise ConfigError(sentence)


def named_settings(grid: Grid | None, option: str) -> Grid:
    """Return the settings that are named, which an option needs.

    Raises
    ------
    ConfigError
        If none is.
    """
    if grid is None:
        sentence = f"{option} is for settings. Name some with -c or --patience"
        raise ConfigError(sentence)
    return grid


def refuse_advising(shown: str, instead: str) -> None:
    """Refuse options about a recommendation in a command that shows none.

    Those that come from a pyproject.toml are ignored. `shown` is what shows none, as
    ``"--kind curve"``; `instead` what to choose instead.

    Raises
    ------
    ConfigError
        If one was typed; the first is named.
    """
    from cbreplay.recommend import Advising

    context = click.get_current_context()
    typed = click.core.ParameterSource.COMMANDLINE
    for name in Advising._fields:
        if context.get_parameter_source(name) is typed:
            sentence = (
                f"{option_name(name)} is about a recommendation, which {shown} "
                f"does not show. {instead}, or leave it out"
            )
            raise ConfigError(sentence)


def check_replays(
    runs: Sequence[Run], grid: Grid, max_bytes: int, share: int = 1
) -> None:
    """Refuse more runs under more settings than an answer holds.

    `max_bytes` is how large a log may be; `share` how many replays the output form
    holds in the memory that others need for one.

    Raises
    ------
    ConfigError
        If there are too many, with the option that raises the limit.
    """
    check_decisions(runs, grid[0], max_bytes)
    n_runs, n_settings = len(runs), len(grid)
    n_replays = n_runs * n_settings
    most = share * most_within(max_bytes, REPLAY)
    if n_replays > most:
        sentence = (
            f"{count(n_runs, 'run')} under {count(n_settings, 'setting')} are "
            f"{n_replays:,} replays, more than {most:,}. Name fewer settings, or "
            f"{raised_limit(n_replays * REPLAY // share)}"
        )
        raise ConfigError(sentence)


def check_decisions(
    runs: Sequence[Run], callbacks: Sequence[Callback], max_bytes: int
) -> None:
    """Refuse a list of callbacks with too many decisions on the longest run.

    Raises
    ------
    ConfigError
        If it does, with the option that raises the limit.
    """
    n_deciding = sum(bool(callback.acts_at) for callback in callbacks)
    n_epochs = max((run.recorded_epochs for run in runs), default=0)
    n_decisions = n_deciding * n_epochs
    most = most_within(max_bytes, DECISION)
    if n_decisions > most:
        sentence = (
            f"{n_deciding} callbacks in each of {n_epochs:,} epochs decide "
            f"{n_decisions:,} times, more than {most:,}. Name fewer callbacks, or "
            f"{raised_limit(n_decisions * DECISION)}"
        )
        raise ConfigError(sentence)


def check_code_length(paths: Sequence[str], most: int) -> None:
    """Refuse scripts that hold more code together than is followed at once."""
    from cbreplay.scripts.sources import code_length

    held = sum(map(code_length, paths))
    if held > most:
        sentence = (
            f"the {len(paths):,} scripts here hold more than {spoken_size(most)} of "
            f"code together. Name fewer, or {raised_limit(held)}"
        )
        raise ConfigError(sentence)


def reserve_output(
    output: Path, inputs: Sequence[str], suffixes: Sequence[str]
) -> None:
    """Refuse a file that cannot be written, or that an answer is made from.

    Raises
    ------
    ConfigError
        If its suffix is none of these.
    OutputError
        If it is an input, or if nothing can be written there.
    """
    from cbreplay.readers.formats import format_of
    from cbreplay.system.whole_files import check_output, is_among

    check_output(output, *suffixes)
    # logs below an input directory are not named: any file that is a log is refused
    if is_among(output, inputs) or format_of(str(output)):
        reason = "it is one of the files that are read"
        hint = "Name another with --output or path="
        raise OutputError(str(output), reason, hint=hint)


def refuse_printing_into_a_log(typed: Sequence[str], seen: Sequence[Seen]) -> None:
    """Refuse to answer into what is asked about: ``simulate a.csv >> a.csv``.

    Raises
    ------
    ConfigError
        If standard output is one of the logs.
    """
    try:
        stdout = sys.stdout.fileno()
        is_file = stat.S_ISREG(os.fstat(stdout).st_mode)
    except (AttributeError, OSError, ValueError):
        return
    if not is_file:
        return
    from cbreplay.system.whole_files import is_among

    logs = {
        file.path: f"{file.path}, which is one of the logs"
        for file in seen
        if file.fate in _READ
    }
    if "-" in typed:
        logs["-"] = "the file that standard input comes from"
    for path, told in logs.items():
        if is_among(stdout, [path]):
            sentence = f"standard output is {told}. Send the answer to another file"
            raise ConfigError(sentence)


_READ = ("read", "joined")
