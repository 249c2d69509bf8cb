"""The progress line on standard error, once a command has taken a second.

A command says what it is doing with `watch`; `cbreplay.cli.remarks.aside` hides it.
The line is shown only if standard error is a terminal, standard output no pipe, and
without -q.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from cbreplay.cli.remarks import is_quiet, shared_by_command

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Tell", "watch"]

_PATIENCE_SECONDS = 1.0
_BAR_WIDTH = 16


class Tell(Protocol):
    """Takes how much is done, of how much, with a note on what was done last."""

    def __call__(self, done: int, total: int, /, note: str = "") -> None:  # noqa: D102
        ...


@contextmanager
def watch(words: str) -> Iterator[Tell]:
    """Show what is being done while the block runs; blocks may be nested.

    `words` say what is being done: ``reading logs``.

    Yields
    ------
    callable
        To be called with how much is done, and of how much, if that is known.
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
    """Show nothing."""


def _shown_here() -> bool:
    """Return whether to show progress: standard error is a terminal that is free.

    If standard output is a pipe, its reader may print on the same terminal.
    """
    if is_quiet() or not sys.stderr.isatty():
        return False
    try:
        return not stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):
        return False


class _Line:
    """The one progress line of a command."""

    def __init__(self) -> None:
        self.begun = shared_by_command()["begun"]
        # the words of the open `watch` blocks, the innermost last
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
        """Show the line, now or as soon as the command has taken a second."""
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
    """Start rich's progress bar, with a count if there is one, else the seconds."""
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
