"""Which commands are suggested after an answer about one log.

Other answers have their own: `inspection`, `overview`, `settings`, `advice.document`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.document import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import Run
    from cbreplay.staircase import Staircase

__all__ = ["asked_again", "next_of_one_log"]


def asked_again(
    run: Run, typed: str | None, commands: Sequence[Command]
) -> tuple[Command, ...]:
    """Return the commands; none where the log cannot be read a second time.

    Parameters
    ----------
    run : Run
        What was read.
    typed : str or None
        The log and the options as they were typed; None where nothing was.
    commands : sequence of Command
        What to ask next.
    """
    if typed is None or run.source == "-" or " - " in f" {typed} ":
        return ()
    return tuple(command._replace(line=command.line.strip()) for command in commands)


def next_of_one_log(staircase: Staircase, typed: str | None) -> tuple[Command, ...]:
    """Return what to ask next about one log; nothing where it was piped in.

    Parameters
    ----------
    staircase : Staircase
        The answer.
    typed : str or None
        The log and the options as they were typed; None where nothing was.
    """
    typed_words = f" {typed}" if typed else ""
    patience = staircase.sufficient_patience()
    commands = []
    if patience is not None:
        setting = f"{typed_words} --patience {patience}"
        commands.append(Command("Why", f"cbreplay explain{setting}"))
        commands.append(Command("A picture", f"cbreplay plot{setting}"))
    commands.append(Command("A page", f"cbreplay report{typed_words}"))
    return asked_again(staircase.replay.run, typed, commands)
