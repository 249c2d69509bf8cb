"""What a command is at, on standard error, once it has taken a second.

A command only says what it is at (`watch`). Whether that is shown, from when on and how
is decided here, for all of them: where somebody looks at standard error and nothing
else goes there, without -q, and never beside other lines.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import click

from cbreplay.cli.loudness import is_quiet, shared_by_command

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Tell", "aside", "watch"]

_PATIENCE_SECONDS = 1.0
_BAR_WIDTH = 16


class Tell(Protocol):
    """Takes what is done and of how much, with a note of what was done last."""

    def __call__(self, done: int, total: int, /, note: str = "") -> None:  # noqa: D102
        ...


@contextmanager
def watch(words: str) -> Iterator[Tell]:
    """Say what is being done, until it is done; inside of it other words may stand.

    Parameters
    ----------
    words : str
        What is being done: ``reading logs``.

    Yields
    ------
    callable
        Takes what is done and of how much, where that is known.
    """
    if not _shown_here():
        yield _tell_nobody
        return
    line = shared_by_command().setdefault("line", _Line())
    line.begin(words)
    try:
        yield line.tell
    finally:
        line.end()


def _tell_nobody(done: int, total: int, /, note: str = "") -> None:
    """Take what is done where nothing is shown."""


@contextmanager
def aside() -> Iterator[None]:
    """Take what is shown away while other lines are printed."""
    context = click.get_current_context(silent=True)
    line = context.find_root().obj.get("line") if context is not None else None
    if line is None:
        yield
        return
    with line.lock:
        line.hide()
        yield
        line.show_if_due()


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


class _Line:
    """One line for the whole command, shown when it has taken long."""

    def __init__(self) -> None:
        self.begun = shared_by_command()["begun"]
        # what is being done, and within it what is being done
        self.doing: list[str] = []
        self.lock = threading.RLock()
        self.timer: threading.Timer | None = None
        self.shown: Any = None

    def begin(self, words: str) -> None:
        with self.lock:
            self.doing.append(words)
            self._renew()

    def end(self) -> None:
        with self.lock:
            self.doing.pop()
            self._renew()

    def tell(self, done: int, total: int, /, note: str = "") -> None:
        with self.lock:
            if self.shown is not None:
                counted = f"{done}/{total} {note}".rstrip()
                self.shown.update(0, completed=done, total=total, counted=counted)

    def hide(self) -> None:
        """Erase the line, and let nothing show it until it is due again."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.shown is not None:
            self.shown.stop()
            self.shown = None

    def show_if_due(self) -> None:
        """Show what is being done, now or when the command has taken a second."""
        if not self.doing:
            return
        missing = self.begun + _PATIENCE_SECONDS - time.monotonic()
        if missing <= 0:
            self._show()
        else:
            self.timer = threading.Timer(missing, self._show)
            self.timer.daemon = True
            self.timer.start()

    def _renew(self) -> None:
        self.hide()
        self.show_if_due()

    def _show(self) -> None:
        with self.lock:
            if self.doing and self.shown is None:
                self.shown = _live_line(self.doing[-1])


def _live_line(words: str) -> Any:  # noqa: ANN401 - rich's, imported late
    """Start a line that moves: words, and how far or how long."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.text import Text

    class HowFar(ProgressColumn):
        def render(self, task: Task) -> Text:
            waited = f"{task.elapsed or 0:.0f} s"
            return Text(task.fields["counted"] or waited, overflow="ellipsis")

    line = Progress(
        TextColumn("{task.description}"),
        BarColumn(_BAR_WIDTH),
        HowFar(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    line.start()
    line.add_task(words, total=None, counted="")
    return line
