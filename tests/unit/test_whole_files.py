"""What a file may be called is said in one sentence, before anything is written."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from cbreplay import OutputError
from cbreplay.system.whole_files import is_among, write_whole
from tests.conftest import VALUES, write_csv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ask


@pytest.mark.parametrize(("command", "suffix"), [("plot", ".png"), ("report", ".html")])
def test_a_directory_is_no_file_to_write(
    ask: Ask, log: Path, tmp_path: Path, command: str, suffix: str
) -> None:
    for place in (tmp_path / "out", tmp_path / f"out{suffix}"):
        place.mkdir()
        answer = ask(command, log, "-o", place)
        assert answer.status == 2
        assert answer.err.splitlines()[-1] == (
            f"cbreplay: cannot write {place}: it is a directory. Name a file in it, "
            f"such as {place / f'name{suffix}'}, with --output"
        )
        assert not [*place.iterdir()]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("plot curve", "has no suffix, where .png, .svg or .pdf is expected"),
        ("plot curve.jpg", "ends in '.jpg', where .png, .svg or .pdf is expected"),
        ("report page", "has no suffix, where .html or .md is expected"),
        ("report page.pdf", "ends in '.pdf', where .html or .md is expected"),
    ],
)
def test_a_suffix_that_names_no_format_is_refused(
    ask: Ask, log: Path, tmp_path: Path, command: str, words: str
) -> None:
    command, name = command.split()
    answer = ask(command, log, "-o", tmp_path / name)
    assert answer.status == 2
    assert words in answer.err
    assert not (tmp_path / name).exists()


def _link(path: Path) -> None:
    (path.parent / "precious").write_text("kept")
    path.symlink_to("precious")


def _socket(path: Path) -> None:
    here = os.open(".", os.O_RDONLY)
    os.chdir(path.parent)
    try:
        # the path of a socket is short
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)


@pytest.mark.filterwarnings("ignore:unclosed")
@pytest.mark.parametrize(
    ("place", "reason"),
    [(_link, "a link to precious"), (os.mkfifo, "a pipe"), (_socket, "a socket")],
)
def test_what_is_no_plain_file_is_not_replaced(
    ask: Ask, log: Path, tmp_path: Path, place: Callable[[Path], None], reason: str
) -> None:
    for name in ("plot.png", "report.html"):
        output = tmp_path / name
        place(output)
        before = what_lies_in(tmp_path)
        answer = ask(output.stem, log, "-o", output)
        assert answer.status == 2
        assert f"cannot write {output}: it is {reason}" in answer.err
        assert what_lies_in(tmp_path) == before


def what_lies_in(folder: Path) -> dict[Path, tuple[int, ...]]:
    """Return what would differ if a file were replaced or written to; reading may."""
    found = {path: path.lstat() for path in folder.iterdir()}
    return {
        path: (held.st_mode, held.st_ino, held.st_size, held.st_mtime_ns)
        for path, held in found.items()
    }


def test_a_link_that_leads_nowhere_is_one_too(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to("absent")
    with pytest.raises(OutputError, match="it is a link to absent"):
        write_whole(tmp_path / "x", b"new")
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize(
    ("number", "where"),
    [
        (errno.ENOENT, "in a directory that is there"),
        (errno.EACCES, "in a directory that you may write into"),
        (errno.EROFS, "in a directory that you may write into"),
        (errno.ENOSPC, "in another directory"),
    ],
)
def test_what_to_do_follows_what_the_system_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, where: str
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OutputError, match=f"Choose a file {where}, with"):
        write_whole(tmp_path / "x", b"new")


@pytest.mark.parametrize("name", ["log.md", "other.md"])
def test_an_input_is_no_output(ask: Ask, tmp_path: Path, name: str) -> None:
    log = write_csv(tmp_path / "log.md", VALUES)
    output = tmp_path / name
    if output != log:
        output.hardlink_to(log)
    content = log.read_bytes()
    answer = ask("report", log, "-o", output)
    assert answer.status == 2
    assert answer.err.startswith(
        f"cbreplay: cannot write {output}: it is one of the files that are read. "
    )
    assert log.read_bytes() == output.read_bytes() == content


@pytest.mark.skipif(sys.platform == "win32", reason="opened files have other numbers")
def test_what_standard_input_comes_from_is_no_output(tmp_path: Path) -> None:
    log = write_csv(tmp_path / "log.md", VALUES)
    content = log.read_bytes()
    for words, mode in (
        (["report", "-", "-o", str(log)], "w"),
        (["simulate", "-"], "a"),
    ):
        with (
            log.open("rb") as given,
            (tmp_path / "other" if mode == "w" else log).open(mode) as taken,
        ):
            ended = subprocess.run(  # noqa: S603 - this Python, and words of ours
                [sys.executable, "-m", "cbreplay", *words],
                stdin=given,
                stdout=taken,
                stderr=subprocess.PIPE,
                check=False,
            )
        assert ended.returncode == 2
        assert log.read_bytes() == content


def test_a_file_of_expressions_is_no_output(
    ask: Ask, log: Path, tmp_path: Path
) -> None:
    asked = tmp_path / "asked.md"
    asked.write_text("EarlyStopping(patience=2)\n")
    answer = ask("report", log, "-c", f"@{asked}", "-o", asked)
    assert answer.status == 2
    assert "it is one of the files that are read" in answer.err
    assert asked.read_text() == "EarlyStopping(patience=2)\n"


def test_an_event_file_of_a_directory_is_no_output(
    ask: Ask, sample_logs: Path, tmp_path: Path
) -> None:
    (seen,) = (sample_logs / "diabetes" / "tensorboard" / "train").iterdir()
    place = tmp_path / "train" / "events.out.tfevents.1.html"
    place.parent.mkdir()
    place.write_bytes(seen.read_bytes())
    answer = ask("report", tmp_path, "--monitor", "loss", "-o", place)
    assert answer.status == 2
    assert "it is one of the files that are read" in answer.err
    assert place.read_bytes() == seen.read_bytes()


def test_the_suffix_is_refused_before_the_logs_are_read(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("cbreplay.loading.survey_sources", read)
    for words in (["report"], ["plot"], ["plot", "--kind", "map"]):
        answer = ask(*words, tmp_path, "-o", tmp_path / "out.gif")
        assert answer.status == 2
        assert "ends in '.gif'" in answer.err


def test_a_file_is_among_others_under_any_name(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("a")
    first, second, link = (str(tmp_path / name) for name in ("a", "b", "link"))
    assert is_among(link, ["absent", "\0", second, first])
    assert not is_among(first, ["absent", second])
    assert not is_among("absent", ["absent"])


def test_an_answer_is_not_printed_into_its_log(log: Path) -> None:
    """As ``cbreplay simulate log.csv >> log.csv`` would."""
    before = log.read_bytes()
    with log.open("ab") as stdout:
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-m", "cbreplay", "simulate", str(log)],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "which is one of the logs" in done.stderr
    assert log.read_bytes() == before


# writes a large file slowly, as a full network disk would
SLOW_WRITER = """
import os, sys, time
from pathlib import Path
from cbreplay.system.interrupts import heed_signals
from cbreplay.system.whole_files import write_whole

class Slow:
    def __init__(self, file): self.file = file
    def __enter__(self): return self
    def __exit__(self, *_): self.file.close()
    def write(self, content):
        self.file.write(content)
        print("written", flush=True)
        time.sleep(60)

heed_signals()
opened = os.fdopen
os.fdopen = lambda *words: Slow(opened(*words))
write_whole(Path(sys.argv[1]), b"new")
"""


def _heed(ending: signal.Signals) -> None:
    usual = signal.default_int_handler if ending == signal.SIGINT else signal.SIG_DFL
    signal.signal(ending, usual)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_process_that_is_ended_leaves_no_temporary_file(
    tmp_path: Path, ending: signal.Signals
) -> None:
    output = tmp_path / "page.html"
    output.write_text("old")
    with subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", SLOW_WRITER, str(output)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # what was started in the background, or under nohup, ignores them
        preexec_fn=lambda: _heed(ending),  # noqa: PLW1509
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len([*tmp_path.iterdir()]) == 2
        process.send_signal(ending)
        process.wait(timeout=30)
    assert [*tmp_path.iterdir()] == [output]
    assert output.read_text() == "old"


@pytest.mark.slow
def test_a_command_that_is_asked_to_end_says_so(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "log.csv", VALUES * 40)
    with subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", "cbreplay", "simulate", path, "--patience", "1:100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        time.sleep(1.5)
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (143, b"")
    assert err.splitlines()[-1] == b"ended by a signal"
