"""Which commands may be useful after an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.document import Command

if TYPE_CHECKING:
    from cbreplay.staircase import Staircase

__all__ = ["next_of_one_log"]


def next_of_one_log(staircase: Staircase, typed: str | None) -> tuple[Command, ...]:
    """Return what to ask next about one log; nothing where it was piped in.

    Parameters
    ----------
    staircase : Staircase
        The answer.
    typed : str or None
        The log and the options as they were typed; None where nothing was.
    """
    if typed is None or staircase.replay.run.source == "-" or " - " in f" {typed} ":
        return ()
    typed = f" {typed}" if typed else ""
    patience = staircase.sufficient_patience()
    commands = []
    if patience is not None:
        setting = f"{typed} --patience {patience}"
        commands.append(Command("Why", f"cbreplay explain{setting}"))
        commands.append(Command("A picture", f"cbreplay plot{setting}"))
    return (*commands, Command("A page", f"cbreplay report{typed}"))
