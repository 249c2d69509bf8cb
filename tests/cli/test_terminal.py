"""What a terminal gets that a pipe does not: colours and boxes, and wider lines."""

from __future__ import annotations

import json
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


ERASE_LINE = "\x1b[2K"


def waiting(seconds: float) -> tuple[str, str]:
    """Return the command, which says what it is at after so many seconds."""
    return "-c", (
        "from cbreplay.cli import main, progress; "
        f"progress._PATIENCE_SECONDS = {seconds}; main.run()"
    )


IMPATIENT = waiting(-1.0)
# however slow the machine is
PATIENT = waiting(600.0)


def on_terminal(
    *words: object,
    columns: int = 100,
    program: tuple[str, ...] = PATIENT,
    **environment: str,
) -> str:
    """Run a command on a pseudo-terminal and return what it showed."""
    master, slave = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, *program, *map(str, words)],
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


def test_the_first_sentence_is_bold(log: Path) -> None:
    words = ("simulate", log, "--patience", "1,2")
    assert on_terminal(*words).startswith("\x1b[1mThis log decides ")
    assert "\x1b" not in on_terminal(*words, TERM="dumb")


def test_no_color_is_obeyed(log: Path) -> None:
    shown = on_terminal("simulate", log, "--patience", "1,2", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)


def test_a_wider_terminal_gets_wider_lines(log: Path) -> None:
    narrow = on_terminal("simulate", log, "--semantics", "keras-3.15", columns=60)
    wide = on_terminal("simulate", log, "--semantics", "keras-3.15", columns=200)
    narrow, wide = (re.sub(r"\x1b\[\d+m", "", shown) for shown in (narrow, wide))
    assert max(map(len, narrow.splitlines()[:12])) <= 80
    longest = max(len(line) for line in wide.splitlines() if "cbreplay " not in line)
    assert 80 < longest <= 120


def test_what_is_said_beside_an_answer_breaks_between_words(tmp_path: Path) -> None:
    log = tmp_path / "logs.csv"
    log.write_text("epoch,eval_loss\n0,0.9\n1,0.5\n2,0.6\n")
    shown = on_terminal("simulate", log, "--patience", "1", columns=40)
    remark, _, _ = shown.partition("\x1b")
    lines = remark.split("\r\n")
    said = "there is no val_loss: eval_loss is watched, smaller is better"
    assert " ".join(remark.split()) == said
    # what fits into 40 columns without a word cut in two
    assert lines[:2] == ["there is no val_loss: eval_loss is", said[35:]]


def test_a_bar_stands_while_something_takes_long_and_is_gone_at_the_end(
    log: Path,
) -> None:
    """As if a second had passed: what is drawn is erased before the answer."""
    words = ("simulate", log, log, "--patience", "1,2")
    shown = on_terminal(*words, program=IMPATIENT)
    before, erased, answer = shown.rpartition(ERASE_LINE)
    assert erased
    assert "reading logs" in before
    assert "2/2" in before
    assert "reading logs" not in answer
    assert "stops at" in answer


@pytest.mark.parametrize(
    ("words", "doing"),
    [
        (("explain", "LOG", "--patience", "1"), "replaying"),
        (("explain", "LOG", "--patience", "1"), "writing the answer"),
        (("recommend", "LOG"), "weighing the settings"),
        (("inspect", "LOG"), "looking at every series"),
        (("simulate", "LOG", "--patience", "1", "--versus-patience", "3"), "replaying"),
        (("plot", "LOG", "-o", "OUT.png"), "drawing"),
        (("report", "LOG", "-o", "OUT.md"), "drawing the page"),
        (("lint", "SCRIPT"), "reading scripts"),
    ],
)
def test_every_command_says_what_it_is_at(
    log: Path, tmp_path: Path, words: tuple[str, ...], doing: str
) -> None:
    script = tmp_path / "train.py"
    script.write_text("import keras\nmodel.fit(x, y, epochs=3)\n")
    paths = {"LOG": log, "SCRIPT": script}
    out = str(tmp_path / "out")
    asked = [paths.get(word, word.replace("OUT", out)) for word in words]
    shown = on_terminal(*asked, program=IMPATIENT)
    before, erased, answer = shown.rpartition(ERASE_LINE)
    assert doing in before
    assert erased
    assert doing not in answer
    # no line of the answer, and no remark, stands in one with what it is at
    for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", shown)):
        assert line.strip() == doing or doing not in line
    assert doing not in on_terminal("-q", *asked, program=IMPATIENT)


@pytest.mark.keras
def test_a_training_says_which_epoch_it_is_at(tmp_path: Path) -> None:
    words = ("train", "diabetes", "--epochs", "2", "--out", tmp_path / "run")
    before, erased, after = on_terminal(*words, program=IMPATIENT).rpartition(
        ERASE_LINE
    )
    assert erased
    assert "training" in before
    assert re.search(r"2/2 .*loss \d", before)
    assert "2/2" not in after
    assert "next: cbreplay simulate" in after


def test_no_bar_stands_for_what_is_quick_or_quiet(log: Path) -> None:
    assert ERASE_LINE not in on_terminal("simulate", log, log)
    quiet = on_terminal("-q", "simulate", log, log, program=IMPATIENT)
    assert "reading logs" not in quiet


def test_no_bar_stands_where_the_answer_goes_into_a_pipe(log: Path) -> None:
    """What reads the pipe may show it on the same terminal."""
    master, slave = pty.openpty()
    words = ["simulate", str(log), str(log), "--format", "json"]
    answer = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *IMPATIENT, *words],
        stdout=subprocess.PIPE,
        stderr=slave,
        check=True,
    )
    os.write(slave, b"end")
    shown = os.read(master, 65536)
    os.close(slave)
    os.close(master)
    assert b"reading logs" not in shown
    assert json.loads(answer.stdout)["command"] == "simulate"


@pytest.mark.parametrize("columns", [44, 72, 110])
def test_an_answer_fits_the_terminal_that_it_stands_on(
    sample_logs: Path, columns: int
) -> None:
    words = ("explain", sample_logs / "digits-mlp-both", "--only", "decisions")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(*words, columns=columns))
    lines = [line.rstrip() for line in shown.splitlines()]
    # code to paste and the words of a command stay whole
    told = [line for line in lines if not {"/", ")"} & {*line}]
    told = [line for line in told if "cbreplay " not in line]
    assert columns - 15 < max(map(len, told)) <= columns
