"""A bar on standard error while something takes long, and nothing of it afterwards."""

from __future__ import annotations

import os
import stat
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from cbreplay.cli.remarks import is_quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Tell", "watch"]

# called with two numbers: how much is done, and how much there is to do
Tell: TypeAlias = "Callable[[int, int], None]"
_PATIENCE_SECONDS = 1.0


@contextmanager
def watch(words: str) -> Iterator[Tell | None]:
    """Show how far something has come, once it has taken a second.

    Parameters
    ----------
    words : str
        What is being done: ``reading logs``.

    Yields
    ------
    callable or None
        Takes what is done and of how much; None where no bar shall be shown.
    """
    if not _shown_here():
        yield None
        return
    bar = _Bar(words)
    try:
        yield bar.tell
    finally:
        bar.remove()


def _shown_here() -> bool:
    """Return whether somebody looks at standard error, and at nothing else.

    What reads a pipe may show it on the same terminal.
    """
    if is_quiet() or not sys.stderr.isatty():
        return False
    try:
        return not stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):
        return False


class _Bar:
    """A bar that is begun late, and removed."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.begun = time.monotonic()
        self.shown: tuple[Any, Any] | None = None

    def tell(self, done: int, total: int) -> None:
        if self.shown is None:
            if time.monotonic() - self.begun < _PATIENCE_SECONDS:
                return
            self.shown = _show(self.words, total)
        progress, task = self.shown
        progress.update(task, completed=done, total=total)

    def remove(self) -> None:
        if self.shown is not None:
            self.shown[0].stop()


def _show(words: str, total: int) -> tuple[Any, Any]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    progress.start()
    return progress, progress.add_task(words, total=total)
