"""What a terminal gets that a pipe does not: colours and boxes, and wider lines."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def on_terminal(*words: object, columns: int = 100, **environment: str) -> str:
    """Run a command on a pseudo-terminal and return what it showed."""
    master, slave = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "cbreplay", *map(str, words)],
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(slave)
    shown = b""
    while select.select([master], [], [], 30)[0]:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert process.wait(timeout=30) == 0
    return shown.decode()


def test_a_table_is_drawn_by_rich(log: Path) -> None:
    shown = on_terminal("simulate", log, "--patience", "1,2")
    assert "─" in shown
    assert "\x1b[1m" in shown


def test_no_color_is_obeyed(log: Path) -> None:
    shown = on_terminal("simulate", log, "--patience", "1,2", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)


def test_a_wider_terminal_gets_wider_lines(log: Path) -> None:
    narrow = on_terminal("simulate", log, "--semantics", "keras-3.15", columns=60)
    wide = on_terminal("simulate", log, "--semantics", "keras-3.15", columns=200)
    assert max(map(len, narrow.splitlines()[:12])) <= 80
    longest = max(len(line) for line in wide.splitlines() if "cbreplay " not in line)
    assert 80 < longest <= 120
