"""A process that has lost a stream, or is interrupted early, shows no traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cbreplay.cli.main import main
from cbreplay.system import interrupts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="a shell's redirections"
)


def _shell(words: str, log: Path) -> subprocess.CompletedProcess[bytes]:
    command = words.format(cbreplay=f"{sys.executable} -m cbreplay", log=log)
    return subprocess.run(  # noqa: S602 - our own words
        command, shell=True, capture_output=True, check=False
    )


def test_without_standard_output_the_answer_cannot_be_written(log: Path) -> None:
    done = _shell("{cbreplay} simulate {log} >&-", log)
    assert done.returncode == 2
    assert done.stderr == b"cbreplay: cannot write the answer: Bad file descriptor\n"


def test_without_standard_error_the_answer_is_whole(log: Path) -> None:
    whole = _shell("{cbreplay} simulate {log}", log)
    for lost in ("2>&-", "2>/dev/full", "<&-", "<&- 2>&-"):
        done = _shell(f"{{cbreplay}} simulate {{log}} {lost}", log)
        assert (done.returncode, done.stdout) == (0, whole.stdout), lost


def test_without_standard_error_a_refusal_keeps_its_status(log: Path) -> None:
    for lost in ("2>&-", "2>/dev/full"):
        for words in ("simulate {log}x", "simulate --nonsense", "simulat"):
            done = _shell(f"{{cbreplay}} {words} {lost}", log)
            assert (done.returncode, done.stdout) == (2, b""), (lost, words)


def test_without_standard_input_there_is_nothing_to_read(log: Path) -> None:
    done = _shell("{cbreplay} simulate - <&-", log)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"standard input" in done.stderr


def test_a_letter_that_the_terminal_has_not_is_written_out(tmp_path: Path) -> None:
    path = tmp_path / "ж.csv"
    path.write_text("epoch,val_loss\n0,0.5\n1,0.4\n2,0.6\n", encoding="utf-8")
    done = _shell("PYTHONIOENCODING=latin-1 {cbreplay} inspect {log}", path)
    assert done.returncode == 0
    assert rb"\u0436.csv" in done.stdout


def test_an_interrupt_that_an_import_swallows_is_not_lost(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As numpy's extension does, which makes an ImportError of it."""

    def swallow(*_: object) -> None:
        try:
            interrupts.interrupt(signal.SIGINT, None)
        except KeyboardInterrupt:
            message = "numpy._core.multiarray failed to import"
            raise ImportError(message) from None

    monkeypatch.setattr(interrupts, "_received", [])
    monkeypatch.setattr("cbreplay.loading.survey_sources", swallow)
    assert main(["simulate", str(log)]) == 130
    assert capsys.readouterr() == ("", "interrupted\n")


# runs a command that is interrupted when it first imports a module
INTERRUPTED = """
import os, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)

module = sys.argv.pop(1)
sys.meta_path.insert(0, Finder())
from cbreplay.__main__ import run
run()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "module", "status"),
    [
        ("simulate", "click", -signal.SIGINT),
        ("simulate", "cbreplay.errors", -signal.SIGINT),
        ("simulate", "cbreplay.cli.simulate", 130),
        ("simulate", "numpy", 130),
        ("simulate", "numpy.linalg", 130),
        ("simulate", "cbreplay.rules.keras.early_stopping", 130),
        ("report", "matplotlib", 130),
        ("report", "jinja2", 130),
        ("plot", "matplotlib.figure", 130),
    ],
)
def test_an_interrupted_import_shows_no_traceback(
    log: Path, tmp_path: Path, command: str, module: str, status: int
) -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", INTERRUPTED, module, command, str(log)],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert (done.returncode, done.stdout) == (status, b"")
    assert b"Traceback" not in done.stderr
    assert [*tmp_path.iterdir()] == [log]


# a worker that a command has forked is asked to end
FORKING = """
import os, signal
from cbreplay.system.interrupts import heed_signals
heed_signals()
child = os.fork()
if not child:
    os.kill(os.getpid(), signal.SIGTERM)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_worker_that_was_forked_ends_by_its_signal() -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == (f"{-signal.SIGTERM}\n", "")


# a signal that comes while an object is finalized, where nothing can be raised, and
# what takes longer to close than the interrupt is away
FINALIZING = """
import os, signal, time
from cbreplay.system.interrupts import heed_signals
class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
heed_signals()
Finalized()
try:
    print("goes on", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(2.5)
    print("closed")
"""


def test_an_interrupt_that_got_lost_is_raised_again() -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", FINALIZING],
        capture_output=True,
        text=True,
        check=False,
        timeout=40,
    )
    assert done.stdout.splitlines() == ["goes on", "closed"]
