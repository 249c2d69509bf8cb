"""The run and the setting of a command that takes only one of each.

The setting is the one that is named, or the one that the run's ``run.json`` names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.cli.refusals import check_decisions
from cbreplay.errors import CbreplayError, ConfigError, ExpressionError, LogError
from cbreplay.wording.plain_text import quoted_code
from cbreplay.wording.words import list_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.cli.question import Question
    from cbreplay.grid import Grid
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = [
    "SETTING_HINT",
    "one_run",
    "one_setting",
    "recorded_list",
    "run_at",
    "sole_setting",
]

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


def run_at(path: str, most: int) -> Run:
    """Return the only run at a path, of which at most so many bytes are read.

    Raises
    ------
    ConfigError
        If there are several.
    LogError
        If it cannot be read as a whole.
    """
    from cbreplay.loading import load_runs

    try:
        runs = load_runs(path, max_bytes=most)
    except LogError as error:
        if "--errors" not in error.hint:
            raise
        # lint has no such option: it speaks of one run, which has to be whole
        hint = "Give the PATH of one run that is whole"
        raise error.changed(hint=hint) from None
    if len(runs) > 1:
        sources = [run.source for run in runs]
        part = (
            f"#{runs[0].name.rpartition('#')[2]}"
            if sources.count(sources[0]) > 1
            else ""
        )
        named = f"{sources[0]}{part}"
        (alone, *more) = load_runs(named, max_bytes=most)
        way = f"Give the PATH of one, as {named}"
        if more or [*alone.series] != [*runs[0].series]:
            # its files are among those of other runs
            way = "Put the files of one into a directory of its own, and give that"
        sentence = f"lint speaks of one run, and there are {len(runs)} in {path}. {way}"
        raise ConfigError(sentence)
    return runs[0]


def one_setting(question: Question, run: Run, command: str) -> Sequence[Callback]:
    """Return the only setting that is named, or the one that the run was trained under.

    Raises
    ------
    ConfigError
        If several are named; if none is, and the run does not say its own; if it has
        too many decisions.
    """
    setting = _named_setting(question, run, command)
    check_decisions(question.runs, setting, question.reading.max_bytes)
    return setting


def _named_setting(question: Question, run: Run, command: str) -> Sequence[Callback]:
    grid = question.grid
    if grid is None:
        if question.keep is not None:
            sentence = f"--keep needs the patience of an EarlyStopping. {SETTING_HINT}"
            raise ConfigError(sentence)
        return recorded_list(run, SETTING_HINT, question.monitor_and_mode)
    return sole_setting(grid, f"{command} speaks of one setting, and the command names")


def sole_setting(
    grid: Grid | None, begun: str, hint: str = "Give one value for each parameter"
) -> tuple[Callback, ...]:
    """Return the only setting that is named.

    `begun` is what an error begins with: "lint speaks of one setting, and -c names". It
    goes on with how many there are.

    Raises
    ------
    ConfigError
        If none is named, or several.
    """
    if grid is not None and len(grid) == 1:
        (setting,) = grid
        return setting
    if not grid:
        sentence = f"{begun} none. {SETTING_HINT}"
        raise ConfigError(sentence)
    varied = grid.parameters.items()
    axes = ", ".join(f"{len(values)} of {name}" for name, values in varied)
    sentence = f"{begun} {len(grid)} ({axes}). {hint}"
    raise ConfigError(sentence)


def recorded_list(
    run: Run, hint: str, defaults: Mapping[str, str] | None = None
) -> Sequence[Callback]:
    """Return the callbacks list that a run was trained under.

    `hint` says what to give where it does not tell; `defaults` are the monitor and the
    mode where a callback names none.

    Raises
    ------
    ConfigError
        If ``run.json`` names no callbacks, one that cannot be read, or several values
        of a parameter.
    """
    from cbreplay.expressions import parse_recorded
    from cbreplay.grid import make_grid

    texts = run.metadata.callbacks if run.metadata is not None else ()
    if not texts:
        sentence = f"run {run.name!r} does not say which callbacks it had. {hint}"
        raise ConfigError(sentence)
    try:
        grid = make_grid(parse_recorded(texts, defaults=defaults or {}))
    except ExpressionError as error:
        problem, _, _ = error.problem.partition("; did you mean")
        sentence = (
            f"a callback that run.json of run {run.name!r} names cannot be read: "
            f"{error.text!r} ({problem}). {_without_unread(texts) or hint}"
        )
        raise ConfigError(sentence) from None
    begun = f"one setting is expected, and run.json of run {run.name!r} names"
    return sole_setting(grid, begun, hint)


def _without_unread(texts: Sequence[str]) -> str:
    """Return the hint to name only the callbacks that can be read; '' if none decides.

    That is not done silently: nothing tells what the others did to the training.
    """
    from cbreplay.expressions import parse_recorded
    from cbreplay.grid import Choices
    from cbreplay.rules.registry import find_rule

    named, left_out = [], []
    for text in texts:
        try:
            (rule,) = parse_recorded([text])
        except (CbreplayError, ValueError):
            name = text.partition("(")[0]
            if find_rule(name) is None:
                left_out.append(name)
            continue
        if isinstance(rule, Choices) or rule.acts_at:
            named.append(f"-c {quoted_code(text)}")
    if not named:
        return ""
    own = [name for name in left_out if name.isidentifier() and len(name) < _LONG]
    module = ""
    if own:
        code = quoted_code(f"my_module:{own[0]}(...)")
        module = f", or its own code as well, as -c {code}"
    return f"Name the others as a setting, {' '.join(named)}{module}"


_LONG = 50
