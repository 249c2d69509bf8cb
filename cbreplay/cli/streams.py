"""The three standard streams of a process, and what is wrong with one that failed."""

from __future__ import annotations

import errno
import io
import os
import sys

__all__ = ["CLOSED", "FULL", "open_streams"]


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


# what a reader that has gone away leaves; Windows says EINVAL
CLOSED = (errno.EPIPE, errno.EINVAL) if sys.platform == "win32" else (errno.EPIPE,)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
