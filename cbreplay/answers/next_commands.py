"""Which commands are suggested after an answer, by the question that was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.document import Command
from cbreplay.rules.base import format_callback
from cbreplay.wording.plain_text import quoted_code

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    typed: str | None,
    asked: Iterable[tuple[str, str, str]],
    run: Run | None = None,
) -> tuple[Command, ...]:
    """Return commands about the same logs; none where these cannot be read again.

    `typed` are the logs and the options as they were typed; None where nothing was.
    Each of `asked` is a label, a command of cbreplay, and what comes after `typed`.
    `run` is one of the logs, which may have been piped in.
    """
    is_piped = run is not None and run.source == "-"
    if typed is None or is_piped or " - " in f" {typed} ":
        return ()
    return tuple(
        Command(label, " ".join(filter(None, ["cbreplay", command, typed, options])))
        for label, command, options in asked
    )


def next_of_one_log(staircase: Staircase, typed: str | None) -> tuple[Command, ...]:
    """Return what to ask next about one log; nothing where it was piped in."""
    patience, asked = staircase.sufficient_patience(), [("A page", "report", "")]
    if patience is not None:
        setting = f"--patience {patience}"
        asked = [("Why", "explain", setting), ("A picture", "plot", setting), *asked]
    return _asked_again(typed, asked, staircase.replay.run)


def next_of_settings(
    cells: SettingCells,
    typed: str | None,
    *,
    by_options: bool,
    again: str,
    shows_each: bool,
) -> tuple[Command, ...]:
    """Return what to ask next: why, of one log; which setting to pick, of several.

    The settings were typed as `again`; `by_options` if that is ``--patience`` and its
    like. `shows_each` tells whether every run has its rows already.
    """
    if len(cells.runs) > 1:
        asked = [("A pick", "recommend", "")]
        if not shows_each:
            asked.insert(0, ("Each run", "simulate", f"{again} --each".strip()))
        return _asked_again(typed, asked, cells.runs[0])
    from cbreplay.answers.one_run_headline import nearest_setting

    config = nearest_setting(cells) or 0
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
    return _asked_again(typed, [("Why", "explain", " ".join(options))], cells.runs[0])


def next_of_explanation(
    replay: Replay, typed: str | None, setting: str, *, n_lines: int, n_decisive: int
) -> tuple[Command, ...]:
    """Return what to ask next about one setting, named by its options.

    `n_lines` are told of its epochs; `n_decisive` of them decide something.
    """
    asked = []
    if replay.divergence_epoch is not None and replay.hypothetical is None:
        asked.append(("As if it held", "explain", f"{setting} --hypothetical"))
    if n_lines > max(_LONG_TRACE, n_decisive):
        asked.append(("In short", "explain", f"{setting} --only decisions"))
    return _asked_again(typed, [*asked, ("A picture", "plot", setting)], replay.run)


def next_of_inspection(run: Run, typed: str | None) -> tuple[Command, ...]:
    """Return what to ask about logs that were only looked at."""
    return _asked_again(typed, [("Ask", "simulate", "")], run)


def next_of_overview(run: Run, typed: str | None) -> tuple[Command, ...]:
    """Return what to ask about several logs."""
    settings = ("Settings", "simulate", "--patience 3,5,10,20")
    return _asked_again(typed, [("A pick", "recommend", ""), settings], run)


def next_of_advice(
    patience: float, typed: str | None, planned_epochs: int | None = None
) -> tuple[Command, ...]:
    """Return what to ask about a recommendation; nothing where a log was piped in.

    `planned_epochs` is a plan that was inferred from the logs: the command names it.
    """
    options = f"--patience {patience}"
    if planned_epochs is not None:
        options += f" --planned-epochs {planned_epochs}"
    return _asked_again(typed, [("Every run", "simulate", options)])
