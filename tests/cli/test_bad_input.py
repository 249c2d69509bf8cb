"""What goes wrong outside is one sentence and an exit status, and nothing is lost."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cbreplay.cli import main as cli_main
from tests.conftest import VALUES, Ask, write_csv

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = ["simulate", "explain", "lint", "inspect", "plot", "report"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "bad.csv"),
        (b"", "empty"),
        (b"epoch,loss,val_loss\r\n", "no row"),
        (bytes(range(256)) * 20, "bad.csv"),
        (b"epoch,loss\r\na,b\r\n", "no cell of a metric is a number"),
        (b"name,words\r\nx,y\r\n", "bad.csv"),
        (b"epoch,val_loss\r\n0,0.5\r\n1,zzz\r\n", "line 3"),
        (b"epoch,val_loss\r\n0,0.5\r\n1,0.4,7\r\n", "line 3"),
        # the only row is just being written
        (b"epoch,loss,val_loss\r\n0,0.6,0.5", "bad.csv"),
    ],
)
def test_an_unusable_log_is_one_sentence(
    ask: Ask, tmp_path: Path, command: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_bytes(content)
    before = sorted(tmp_path.iterdir())
    names = {"report": "x.html", "plot": "x.png"}
    output: list[str | Path] = []
    if command in names:
        output = ["-o", tmp_path / names[command]]
    answer = ask(command, path, *output)
    check_refusal(answer.status, answer.out, answer.err, message)
    assert sorted(tmp_path.iterdir()) == before
    if content is not None:
        assert path.read_bytes() == content


def check_refusal(status: int, out: str, err: str, message: str) -> None:
    assert status == 2
    assert out == ""
    assert message in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--monitor", "val_acc", "--mode", "max"],
            "It has loss, val_accuracy, val_loss",
        ),
        (["-c", "EarlyStopping(patiense=3)"], "did you mean 'patience'?"),
        (["-c", "EarlyStoping()"], "did you mean 'EarlyStopping'?"),
        (["-c", "print(1)"], "'print' is not a callback"),
        (["-c", "__import__('os')"], "is not a callback"),
        (["-c", "EarlyStopping(patience=n)"], "'n', which is not a literal"),
        (["-c", "EarlyStopping()", "--patience", "3"], "does not go with -c"),
        (["-c", "EarlyStopping()", "--keep", "last"], "--keep builds an"),
        (
            ["-c", "EarlyStopping(monitor='loss')", "--monitor", "x"],
            "Give one of the two",
        ),
        (["--patience", "x"], "--patience is 'x'"),
        (["--patience", "5:1"], "--patience is '5:1'"),
        (["--patience", "1:2:3"], "a range of integers as 1:30"),
        (["--min-delta", "nan"], "min_delta is nan"),
        (["--semantics", "keras-2.3"], "are not known; known: keras-2.15, keras-3.0"),
        (["--semantics", "torch"], "is not a Keras version"),
        (["--patience", "1", "--objective", "nope"], "no series 'nope'"),
        (["-c", "ReduceLROnPlateau(min_lr=0.1)"], "Give --initial-lr"),
    ],
)
def test_an_impossible_question_is_one_sentence(
    ask: Ask, log: Path, words: Sequence[str], message: str
) -> None:
    answer = ask("simulate", log, *words)
    check_refusal(answer.status, answer.out, answer.err, message)


@pytest.mark.parametrize("words", [["--patience"], ["--format", "xml"], ["--nope"]])
def test_wrong_options_are_usage_errors(
    ask: Ask, log: Path, words: Sequence[str]
) -> None:
    answer = ask("simulate", log, *words)
    assert (answer.status, answer.out) == (2, "")
    assert "Error: " in answer.err
    assert "Traceback" not in answer.err


def test_an_unknown_command_is_a_usage_error(ask: Ask) -> None:
    answer = ask("simulat")
    assert answer.status == 2
    assert "No such command" in answer.err


def test_a_log_in_place_of_a_command_is_shown_the_command(ask: Ask, log: Path) -> None:
    answer = ask(str(log))
    assert answer.status == 2
    asked = answer.err.strip().splitlines()[-1].partition("cbreplay ")[2]
    assert ask(*shlex.split(asked)).status == 0


def test_a_misspelt_monitor_is_mended_where_it_was_written(ask: Ask, log: Path) -> None:
    setting = "ModelCheckpoint('a.keras', save_best_only=True, monitor='val_los')"
    answer = ask("simulate", log, "-c", setting)
    assert "Choose one, as monitor='val_loss', mode='min'" in answer.err
    assert "--monitor" not in answer.err
    mended = setting.replace("'val_los'", "'val_loss', mode='min'")
    assert ask("simulate", log, "-c", mended).status == 0
    for beside in ([], ["-c", "EarlyStopping(patience=2)"]):
        by_option = ask("simulate", log, *beside, "--monitor", "val_los")
        assert "--monitor val_loss --mode min" in by_option.err


def test_too_many_cells_are_refused_before_they_are_replayed(
    ask: Ask, log: Path
) -> None:
    answer = ask(
        "simulate", log, "--patience", "1:2000", "--start-from-epoch", "1:2000"
    )
    check_refusal(
        answer.status, answer.out, answer.err, "4,000,000 replays, more than 104,857"
    )


def test_names_cannot_steer_the_terminal(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,val_\x1b[31mloss\u202e,val_loss\n0,1,2\n1,1,2\n")
    for command in ("simulate", "inspect"):
        answer = ask(command, path)
        assert answer.status == 0
        assert "\x1b" not in answer.out + answer.err
        assert "\u202e" not in answer.out + answer.err


def test_a_defect_of_ours_prints_its_traceback_and_asks_for_a_report(
    ask: Ask, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        message = "a defect"
        raise RuntimeError(message)

    monkeypatch.setattr("cbreplay.loading.survey_sources", fail)
    answer = ask("simulate", log)
    assert (answer.status, answer.out) == (3, "")
    assert "RuntimeError: a defect" in answer.err
    assert "Please report it" in answer.err


def test_an_interrupt_is_130(
    ask: Ask, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cbreplay.loading.survey_sources", interrupt)
    answer = ask("simulate", log)
    assert (answer.status, answer.out) == (130, "")
    assert answer.err.split() == ["interrupted"]


def start(*words: object, stdout: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "cbreplay", *map(str, words)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        # a background job may have been told to ignore it, and children inherit that
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


@pytest.mark.slow
def test_a_closed_pipe_is_silent(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "log.csv", VALUES * 300)
    words = ["simulate", path, "--patience", "1:1500", "--format", "csv"]
    with start(*words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no /dev/full"
)
def test_a_full_disk_under_standard_output_is_said(log: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with start("simulate", log, stdout=full) as process:
        os.close(full)
        assert process.stderr is not None
        message = process.stderr.read().decode()
        assert process.wait() == 2
    assert message == "cbreplay: cannot write the answer: No space left on device\n"


@pytest.mark.slow
def test_ctrl_c_ends_a_long_answer_with_130(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "log.csv", VALUES * 40)
    words = ["simulate", path, "--patience", "1:100000"]
    with start(*words, stdout=subprocess.PIPE) as process:
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in err
    assert err.rstrip().endswith(b"interrupted")


@pytest.mark.slow
def test_python_m_cbreplay_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cbreplay", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("cbreplay, version ")


def test_every_command_is_listed_and_explained(ask: Ask) -> None:
    answer = ask("--help")
    assert answer.status == 0
    for name in cli_main.cli.list_commands(None):  # type: ignore[arg-type]
        assert f"\n  {name} " in answer.out
        assert ask(name, "--help").status == 0


@pytest.mark.parametrize(("command", "name"), [("plot", "x.png"), ("report", "x.html")])
def test_an_output_that_cannot_be_written_is_one_sentence(
    ask: Ask, log: Path, tmp_path: Path, command: str, name: str
) -> None:
    (tmp_path / name).mkdir()
    before = sorted(tmp_path.rglob("*"))
    taken = ask(command, log, "-o", tmp_path / name)
    check_refusal(taken.status, taken.out, taken.err, "cannot write")
    missing = ask(command, log, "-o", tmp_path / "no" / "such" / name)
    check_refusal(missing.status, missing.out, missing.err, "No such file or directory")
    wrong = ask(command, log, "-o", tmp_path / "x.exe")
    check_refusal(wrong.status, wrong.out, wrong.err, "'.exe'")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="file-size limits are POSIX's")
@pytest.mark.parametrize(("command", "name"), [("plot", "x.png"), ("report", "x.html")])
def test_a_disk_that_fills_up_leaves_the_old_file_and_no_other(
    log: Path, tmp_path: Path, command: str, name: str
) -> None:
    output = tmp_path / "out" / name
    output.parent.mkdir()
    output.write_text("the old one")
    # a limit on the size of a file fails in the middle of a write, as a full disk does
    limited = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "from cbreplay.cli.main import run\n"
        "run()\n"
    )
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-B", "-c", limited, command, str(log), "-o", str(output)],
        capture_output=True,
        text=True,
        check=False,
    )
    check_refusal(done.returncode, done.stdout, done.stderr, "File too large")
    assert output.read_text() == "the old one"
    assert list(output.parent.iterdir()) == [output]
