"""``python -m cbreplay``."""

from __future__ import annotations

import gc
import signal
import sys

__all__ = ["run"]


def run() -> None:
    """Run the command line and end the process with its exit status."""
    # while nothing is open that needs closing, Ctrl-C ends the process silently
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # garbage collection during the imports would take a fifth of a short answer's time
    gc.set_threshold(100_000)
    from cbreplay.cli.main import run as answer

    try:
        answer()
    finally:
        # as the process ends, Python would look through all that is left for cycles
        gc.freeze()


if __name__ == "__main__":
    # with -m Python looks for every module in the working directory first, and a
    # numpy.py that lies beside a log must not be what is imported
    if not sys.flags.safe_path:
        del sys.path[0]
    run()
