"""The three standard streams of a process, and what is wrong with one that failed."""

from __future__ import annotations

import errno
import io
import os
import sys

__all__ = ["CLOSED", "FULL", "open_streams"]


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
