"""Which commands are suggested after an answer, by the question that was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.document import Command
from cbreplay.rules.base import format_callback
from cbreplay.wording.plain_text import quoted_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.replay import Replay
    from cbreplay.run import Run
    from cbreplay.staircase import Staircase

__all__ = [
    "next_of_advice",
    "next_of_explanation",
    "next_of_inspection",
    "next_of_one_log",
    "next_of_overview",
    "next_of_settings",
]

# a longer trace is also offered without the epochs in which nothing was decided
_LONG_TRACE = 40


def _asked_again(
    run: Run, typed: str | None, commands: Sequence[Command]
) -> tuple[Command, ...]:
    """Return the commands; none where the log cannot be read a second time.

    `typed` are the logs and the options as they were typed; None where nothing was.
    """
    if typed is None or run.source == "-" or " - " in f" {typed} ":
        return ()
    return tuple(command._replace(line=command.line.strip()) for command in commands)


def next_of_one_log(staircase: Staircase, typed: str | None) -> tuple[Command, ...]:
    """Return what to ask next about one log; nothing where it was piped in."""
    typed_words = f" {typed}" if typed else ""
    patience = staircase.sufficient_patience()
    commands = []
    if patience is not None:
        setting = f"{typed_words} --patience {patience}"
        commands.append(Command("Why", f"cbreplay explain{setting}"))
        commands.append(Command("A picture", f"cbreplay plot{setting}"))
    commands.append(Command("A page", f"cbreplay report{typed_words}"))
    return _asked_again(staircase.replay.run, typed, commands)


def next_of_settings(
    cells: SettingCells,
    typed: str | None,
    *,
    nearest: int | None,
    by_options: bool,
    again: str,
    shows_each: bool,
) -> tuple[Command, ...]:
    """Return what to ask next: why, of one log; which setting to pick, of several.

    `nearest` is the setting that comes nearest to the best on one log, if one is known.
    The settings were typed as `again`; `by_options` if that is ``--patience`` and its
    like. `shows_each` tells whether every run has its rows already.
    """
    words = f" {typed}" if typed else ""
    if len(cells.runs) > 1:
        commands = [Command("A pick", f"cbreplay recommend{words}")]
        if not shows_each:
            asked = f"{words} {again}".rstrip()
            rows = Command("Each run", f"cbreplay simulate{asked} --each")
            commands.insert(0, rows)
        return _asked_again(cells.runs[0], typed, commands)
    config = 0 if nearest is None else nearest
    if again and len(cells.grid) == 1:
        options = [again]
    elif by_options:
        values = cells.grid.values_of(config).items()
        options = [
            f"--{name.rpartition('.')[2].replace('_', '-')} {value}"
            for name, value in values
        ]
    else:
        rules = cells.grid[config]
        options = [f"-c {quoted_code(format_callback(rule))}" for rule in rules]
    commands = [Command("Why", f"cbreplay explain{words} {' '.join(options)}")]
    return _asked_again(cells.runs[0], typed, commands)


def next_of_explanation(
    replay: Replay, typed: str | None, setting: str, *, n_lines: int, n_decisive: int
) -> tuple[Command, ...]:
    """Return what to ask next about one setting, named by its options.

    `n_lines` are told of its epochs; `n_decisive` of them decide something.
    """
    asked = f"{typed} {setting}".strip() if typed is not None else None
    explain = f"cbreplay explain {asked}"
    commands = []
    if replay.divergence_epoch is not None and replay.hypothetical is None:
        commands.append(Command("As if it held", f"{explain} --hypothetical"))
    if n_lines > max(_LONG_TRACE, n_decisive):
        commands.append(Command("In short", f"{explain} --only decisions"))
    commands.append(Command("A picture", f"cbreplay plot {asked}"))
    return _asked_again(replay.run, typed, commands)


def next_of_inspection(run: Run, typed: str | None) -> tuple[Command, ...]:
    """Return what to ask about logs that were only looked at."""
    command = Command("Ask", f"cbreplay simulate {typed}")
    return _asked_again(run, typed, [command])


def next_of_overview(run: Run, typed: str | None) -> tuple[Command, ...]:
    """Return what to ask about several logs."""
    commands = [
        Command("A pick", f"cbreplay recommend {typed}"),
        Command("Settings", f"cbreplay simulate {typed} --patience 3,5,10,20"),
    ]
    return _asked_again(run, typed, commands)


def next_of_advice(
    patience: float, typed: str | None, planned_epochs: int | None = None
) -> tuple[Command, ...]:
    """Return what to ask about a recommendation; nothing where a log was piped in.

    `planned_epochs` is a plan that was inferred from the logs: the command names it.
    """
    if typed is None or " - " in f" {typed} ":
        return ()
    words = f" {typed}" if typed else ""
    words += f" --patience {patience}"
    if planned_epochs is not None:
        words += f" --planned-epochs {planned_epochs}"
    return (Command("Every run", f"cbreplay simulate{words}"),)
