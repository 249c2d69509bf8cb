"""``python -m cbreplay``."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # with -m Python looks for every module in the working directory first, and a
    # numpy.py that lies beside a log must not be what is imported
    if not sys.flags.safe_path:
        del sys.path[0]
    from cbreplay.cli.main import run

    run()
