"""The process of a command: its streams, its environment, its exit status."""

from __future__ import annotations

import errno
import io
import os
import sys

__all__ = [
    "CLOSED",
    "EXIT_ANSWERED",
    "EXIT_CHECK_FAILED",
    "EXIT_DEFECT",
    "EXIT_SIGNALLED",
    "EXIT_UNUSABLE",
    "FULL",
    "open_streams",
    "spare_threads",
    "users_environment",
]

# 1: a check that the user asked for has failed (--fail-if); 2: unusable input
EXIT_ANSWERED, EXIT_CHECK_FAILED, EXIT_UNUSABLE, EXIT_DEFECT = 0, 1, 2, 3
# plus the number of the signal, as shells do: 130 for Ctrl-C
EXIT_SIGNALLED = 128

_THREADS = "OPENBLAS_NUM_THREADS"
_set_here: list[str] = []


def spare_threads() -> None:
    """Keep numpy from starting threads for linear algebra, which no command uses."""
    if _THREADS not in os.environ:
        os.environ[_THREADS] = "1"
        _set_here.append(_THREADS)


def users_environment() -> dict[str, str]:
    """Return the environment as the user has it, for a process of the user's."""
    return {name: text for name, text in os.environ.items() if name not in _set_here}


def open_streams() -> None:
    """Open /dev/null for standard streams that the process was started without.

    Else the next file that is opened would get a stream's number, and what a library
    prints would go into it. Standard input is opened for writing and standard output
    for reading, so that their use still fails; standard error swallows everything.
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
    # a character that the terminal's encoding lacks is escaped, and is no error
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


# the error of writing to a pipe whose reader has gone; on Windows EINVAL
CLOSED = (errno.EPIPE, errno.EINVAL) if sys.platform == "win32" else (errno.EPIPE,)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
