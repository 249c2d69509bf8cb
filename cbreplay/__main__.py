"""``python -m cbreplay``."""

from __future__ import annotations

from cbreplay.cli.main import run

if __name__ == "__main__":
    run()
