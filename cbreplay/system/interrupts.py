"""The signals that end a process: as an interrupt, and not in the midst of a step."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = [
    "ended_by",
    "heed_signals",
    "interrupt",
    "is_interrupt",
    "leave_signals",
    "undisturbed",
]

_ENDING = [signal.SIGINT, signal.SIGTERM]
if sys.platform != "win32":
    # the terminal is gone, or the limit of CPU time is reached
    _ENDING += [signal.SIGHUP, signal.SIGXCPU]
# seconds until an interrupt that got lost is raised once more
_REMINDED = 1.0
_RAISED_AGAIN = 0.05
_received: list[int] = []
_process = os.getpid()


def heed_signals(
    handle: Callable[[int, FrameType | None], None] | None = None,
) -> None:
    """Let a signal that ends the process end it as Ctrl-C does: what is open is closed.

    One that the caller ignores, as nohup does, stays ignored. `handle` is the handler
    to install, by default `interrupt`.
    """
    for number in _ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handle or interrupt)
    sys.unraisablehook = _take_back


def leave_signals() -> None:
    """Let a signal end the process at once again: nothing is open any more."""
    if _received and sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, 0)
    for number in _ENDING:
        if signal.getsignal(number) is interrupt:
            signal.signal(number, signal.SIG_DFL)


def ended_by() -> int | None:
    """Return the signal that asked this process to end, if one did.

    The interrupt that it raises can get lost: numpy turns one that comes while it is
    imported into an ImportError.
    """
    return _received[0] if _received else None


def is_interrupt(error: BaseException) -> bool:
    """Tell whether an error is an interrupt, or what a library made of one."""
    return ended_by() is not None or _holds_interrupt(error)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Hold signals back until the block has ended, whoever handles them.

    Without it an interrupt, or a second one while the first is handled, could leave a
    temporary file behind, or a training without a recorded end. In another thread than
    the main one this does nothing, because signals interrupt only the main thread.
    """
    waiting: list[int] = []
    handlers = {}
    try:
        for number in _WAITING:
            handler = signal.getsignal(number)
            # None is a handler set by native code, which could not be put back
            if handler not in (signal.SIG_IGN, None):
                try:
                    signal.signal(number, lambda caught, _: waiting.append(caught))
                except ValueError:
                    break
                handlers[number] = handler
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for caught in dict.fromkeys(waiting):
            signal.raise_signal(caught)


_WAITING = list(_ENDING)
if sys.platform != "win32":
    # the reminder
    _WAITING.append(signal.SIGALRM)


def interrupt(number: int, _frame: FrameType | None) -> None:
    """Raise an interrupt, and once more each second until it is answered."""
    if os.getpid() != _process:
        # a forked worker has nothing to clean up: it just ends
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return
    if _received and number != signal.SIGINT:
        # it is asked to end again while it already ends
        return
    _received.append(number)
    if sys.platform != "win32":
        signal.signal(signal.SIGALRM, _remind)
        signal.setitimer(signal.ITIMER_REAL, _REMINDED, _REMINDED)
    raise KeyboardInterrupt


def _take_back(lost: sys.UnraisableHookArgs) -> None:
    """Retry an interrupt that could not be raised; show any other error as usual."""
    if not isinstance(lost.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
    elif _received and sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, _RAISED_AGAIN, _REMINDED)


def _remind(_number: int, _frame: FrameType | None) -> None:
    """Raise the interrupt again, unless it is being handled at this moment.

    It gets lost in a finalizer, where Python swallows exceptions; a training runs many.
    """
    if not _holds_interrupt(sys.exc_info()[1]):
        raise KeyboardInterrupt


def _holds_interrupt(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__context__
    return False
