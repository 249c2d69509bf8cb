"""Refuse questions whose answer would take too much memory, before any replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.errors import ConfigError
from cbreplay.readers.sizes import DECISION, REPLAY, most_within, raised_limit
from cbreplay.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.cli.question import Question
    from cbreplay.grid import Grid
    from cbreplay.rules.base import Callback

__all__ = ["check_decisions", "check_replays"]


def check_replays(question: Question, grid: Grid, share: int = 1) -> None:
    """Refuse more runs under more settings than an answer holds.

    Parameters
    ----------
    question : Question
        Its runs, and how large a log may be.
    grid : Grid
        The settings.
    share : int
        How many replays the output form holds in the memory that others need for one.

    Raises
    ------
    ConfigError
        If there are too many, with the option that raises the limit.
    """
    check_decisions(question, grid[0])
    n_runs, n_settings = len(question.runs), len(grid)
    n_replays = n_runs * n_settings
    most = share * most_within(question.max_size, REPLAY)
    if n_replays > most:
        sentence = (
            f"{count(n_runs, 'run')} under {count(n_settings, 'setting')} are "
            f"{n_replays:,} replays, more than {most:,}. Name fewer settings, or "
            f"{raised_limit(n_replays * REPLAY // share)}"
        )
        raise ConfigError(sentence)


def check_decisions(question: Question, callbacks: Sequence[Callback]) -> None:
    """Refuse a list of callbacks with too many decisions on the longest run.

    Raises
    ------
    ConfigError
        If it does, with the option that raises the limit.
    """
    n_deciding = sum(bool(callback.acts_at) for callback in callbacks)
    n_epochs = max((run.recorded_epochs for run in question.runs), default=0)
    n_decisions = n_deciding * n_epochs
    most = most_within(question.max_size, DECISION)
    if n_decisions > most:
        sentence = (
            f"{n_deciding} callbacks in each of {n_epochs:,} epochs decide "
            f"{n_decisions:,} times, more than {most:,}. Name fewer callbacks, or "
            f"{raised_limit(n_decisions * DECISION)}"
        )
        raise ConfigError(sentence)
