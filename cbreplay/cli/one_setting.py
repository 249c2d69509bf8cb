"""The run and the setting of a command that takes only one of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.cli.limits import check_decisions
from cbreplay.cli.recorded import recorded_list
from cbreplay.errors import ConfigError
from cbreplay.words import list_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.cli.question import Question
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["SETTING_HINT", "one_run", "one_setting"]

SETTING_HINT = 'Name a setting with --patience 5 or -c "EarlyStopping(patience=5)"'
_MOST_NAMES = 5


def one_run(question: Question, command: str) -> Run:
    """Return the only run that is asked about.

    Raises
    ------
    ConfigError
        If there are several.
    """
    runs = question.runs
    if len(runs) == 1:
        return runs[0]
    names = list_names([run.name for run in runs], _MOST_NAMES)
    sentence = (
        f"{command} speaks of one run, and there are {len(runs)}: {names}. "
        "Give the PATH of one, or --run NAME"
    )
    raise ConfigError(sentence)


def one_setting(question: Question, run: Run, command: str) -> Sequence[Callback]:
    """Return the only setting that is named, or the one that the run was trained under.

    Raises
    ------
    ConfigError
        If several are named; if none is, and the run does not say its own; if it has
        too many decisions.
    """
    setting = _named_setting(question, run, command)
    check_decisions(question, setting)
    return setting


def _named_setting(question: Question, run: Run, command: str) -> Sequence[Callback]:
    grid = question.grid
    if grid is None:
        if question.keep is not None:
            sentence = f"--keep needs the patience of an EarlyStopping. {SETTING_HINT}"
            raise ConfigError(sentence)
        return recorded_list(run, SETTING_HINT, question.monitor_and_mode)
    if len(grid) == 1:
        setting: Sequence[Callback] = grid[0]
        return setting
    axes = ", ".join(
        f"{len(values)} of {name}" for name, values in grid.parameters.items()
    )
    sentence = (
        f"{command} speaks of one setting, and {len(grid)} are named ({axes}). "
        "Give one value for each, for example --patience 5"
    )
    raise ConfigError(sentence)
