"""How a process begins and ends: its three streams, and the signals that end it."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["ended_by", "heed_signals", "leave_signals", "open_streams"]

_ENDING = [signal.SIGINT, signal.SIGTERM]
if sys.platform != "win32":
    _ENDING.append(signal.SIGHUP)
# seconds until an interrupt that got lost is raised once more
_REMINDED = 1.0
_received: list[int] = []
_process = os.getpid()


def open_streams() -> None:
    """Give a process that was started without standard streams what stands for them.

    Else the next file that is opened would take a stream's number, and what a library
    prints would go into it. Reading from the one and writing to the other fails as it
    would have; standard error swallows what nobody can read.
    """
    for number, flags in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            # open() takes the lowest free number: this one
            os.open(os.devnull, flags)
    # Python has None for a stream that it was not given
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    # a letter that the terminal has not is written out, and ends nothing
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def heed_signals() -> None:
    """Let a signal that ends the process end it as Ctrl-C does: what is open is closed.

    One that the caller ignores, as nohup does, stays ignored.
    """
    for number in _ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def leave_signals() -> None:
    """Let a signal end the process at once, from when there is nothing to close."""
    if _received and sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, 0)
    for number in _ENDING:
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, signal.SIG_DFL)


def ended_by() -> int | None:
    """Return the signal that asked this process to end, if one did.

    The interrupt that it raises can get lost: numpy turns one that comes while it is
    imported into an ImportError.
    """
    return _received[0] if _received else None


def _interrupt(number: int, _frame: FrameType | None) -> None:
    if os.getpid() != _process:
        # a forked worker has nothing to clean up: it just ends
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return
    if _received and number != signal.SIGINT:
        # it is asked again while it already ends
        return
    _received.append(number)
    if sys.platform != "win32":
        signal.signal(signal.SIGALRM, _remind)
        signal.setitimer(signal.ITIMER_REAL, _REMINDED, _REMINDED)
    raise KeyboardInterrupt


def _remind(_number: int, _frame: FrameType | None) -> None:
    """Raise the interrupt again, unless what was open is being closed for it.

    It is lost where nothing can be raised: in a finalizer, of which a training runs
    many.
    """
    handled = sys.exc_info()[1]
    while handled is not None:
        if isinstance(handled, KeyboardInterrupt):
            return
        handled = handled.__context__
    raise KeyboardInterrupt


# what a reader that has gone away leaves; Windows says EINVAL
CLOSED = (errno.EPIPE, errno.EINVAL) if sys.platform == "win32" else (errno.EPIPE,)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
