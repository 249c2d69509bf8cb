"""A run directory has one writer, and a dead one does not keep it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from cbreplay import OutputError, load_runs
from cbreplay.system import run_lock
from cbreplay.system.run_lock import (
    RUN_LOCK,
    RunLock,
    find_writer,
    refuse_second_writer,
    spoken_missing_end,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="flock is POSIX's")

HOLDER = """
import sys
from cbreplay.system.run_lock import RunLock
lock = RunLock(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
lock.leave()
"""


def _hold(directory: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", HOLDER, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the directory."""
    with _hold(tmp_path) as process:
        yield process
        process.kill()


def test_the_second_writer_is_refused_and_told_who_writes(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    who = f"process {other.pid} on {socket.gethostname()} writes a run into it"
    for refuse in (refuse_second_writer, RunLock):
        with pytest.raises(OutputError, match=who) as caught:
            refuse(tmp_path)
        assert "choose another directory with out=" in str(caught.value)


def test_a_process_that_ends_by_itself_leaves_nothing(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    other.communicate(timeout=30)
    assert find_writer(tmp_path) is None
    assert [*tmp_path.iterdir()] == []


def test_a_killed_process_does_not_keep_the_directory(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    other.kill()
    other.wait(timeout=30)
    holder = find_writer(tmp_path)
    assert holder is not None
    assert (holder.state, holder.process) == ("dead", other.pid)
    refuse_second_writer(tmp_path)
    with RunLock(tmp_path):
        holder = find_writer(tmp_path)
        assert holder is not None
        assert (holder.state, holder.process) == ("alive", os.getpid())
    assert [*tmp_path.iterdir()] == []


def test_one_process_does_not_write_twice(tmp_path: Path) -> None:
    with RunLock(tmp_path), pytest.raises(OutputError, match="writes a run into it"):
        RunLock(tmp_path)
    RunLock(tmp_path).leave()


def test_leaving_twice_is_leaving_once(tmp_path: Path) -> None:
    first = RunLock(tmp_path)
    first.leave()
    with RunLock(tmp_path):
        first.leave()
        assert (tmp_path / RUN_LOCK).exists()


def test_of_many_at_once_one_gets_it(tmp_path: Path) -> None:
    got, refused = [], []
    begin = threading.Barrier(8)

    def take() -> None:
        begin.wait()
        try:
            got.append(RunLock(tmp_path))
        except OutputError as error:
            refused.append(error)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 7)
    got[0].leave()


def test_turns_follow_each_other_without_a_gap_or_an_overlap(tmp_path: Path) -> None:
    """A lock file that was removed while somebody waited for it is no lock."""
    inside, most = 0, 0

    def take_turns() -> None:
        nonlocal inside, most
        for _ in range(30):
            try:
                lock = RunLock(tmp_path)
            except OutputError:
                continue
            inside += 1
            most = max(most, inside)
            inside -= 1
            lock.leave()

    threads = [threading.Thread(target=take_turns) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


# is killed while a worker that it has forked goes on
FORKING = """
import os, signal, sys, time
from cbreplay.system.run_lock import RunLock
RunLock(sys.argv[1])
if os.fork():
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.read()
"""


def test_a_forked_worker_does_not_keep_it(tmp_path: Path) -> None:
    """As a data loader that goes on when the training was killed."""
    with subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", FORKING, str(tmp_path)], stdin=subprocess.PIPE
    ) as process:
        assert process.wait(timeout=30) == -signal.SIGKILL
        found = find_writer(tmp_path)
        assert found is not None
        assert (found.state, found.process) == ("dead", process.pid)


def test_a_copy_of_a_lock_is_nobodys(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(tmp_path / RUN_LOCK, copy)
    holder = find_writer(copy)
    assert holder is not None
    assert (holder.state, holder.process) == ("unknown", other.pid)


def test_a_lock_of_another_machine_does_not_tell(tmp_path: Path) -> None:
    seen = tmp_path.stat()
    told = {"process": 7, "host": "far", "machine": "x", "file": [seen.st_dev, 0]}
    (tmp_path / RUN_LOCK).write_text(json.dumps(told))
    assert find_writer(tmp_path) == run_lock.LockHolder("unknown", 7, "far")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 5000,
        "[]",
        '{"process": 1e400, "host": 3}',
        f'{{"process": {"9" * 4000}}}',
        '{"process": true, "machine": {}, "file": null}',
    ],
)
def test_nonsense_in_a_lock_is_nobodys(tmp_path: Path, text: str) -> None:
    (tmp_path / RUN_LOCK).write_text(text)
    assert find_writer(tmp_path) == run_lock.LockHolder("unknown")
    with RunLock(tmp_path):
        pass


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / RUN_LOCK)
    assert find_writer(tmp_path) is None
    with pytest.raises(OutputError, match=RUN_LOCK):
        RunLock(tmp_path)
    (tmp_path / RUN_LOCK).unlink()
    (tmp_path / RUN_LOCK).symlink_to("precious")
    assert find_writer(tmp_path) is None
    with pytest.raises(OutputError, match=RUN_LOCK):
        RunLock(tmp_path)
    assert not (tmp_path / "precious").exists()


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert find_writer(tmp_path / "absent") is None
    with pytest.raises(OutputError, match="No such file or directory"):
        RunLock(tmp_path / "absent")


def test_without_locks_of_the_system_the_file_is_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_lock, "_lock", lambda *_, **__: None)
    with RunLock(tmp_path):
        holder = find_writer(tmp_path)
        assert holder is not None
        assert (holder.state, holder.process) == ("unknown", os.getpid())
        refuse_second_writer(tmp_path)
        with pytest.raises(OutputError, match=r"If it is, remove .*run\.lock"):
            RunLock(tmp_path)
    with RunLock(tmp_path):
        pass


def test_a_missing_end_says_what_is_known(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    begins = "no end is recorded at epoch 26 of 30: "
    running = f"it is still running (process {other.pid} on {socket.gethostname()})"
    assert spoken_missing_end(tmp_path, 26, 30) == begins + running
    other.kill()
    other.wait(timeout=30)
    assert spoken_missing_end(tmp_path, 26, 30) == begins + "it was killed"
    (tmp_path / RUN_LOCK).unlink()
    assert spoken_missing_end(tmp_path, 26, 30) == begins + "killed, or still running"
    assert spoken_missing_end(tmp_path, 26, None) == (
        "no end is recorded at epoch 26: killed, or still running"
    )


def test_a_writer_that_gave_up_is_neither_killed_nor_running(tmp_path: Path) -> None:
    RunLock(tmp_path).give_up()
    holder = find_writer(tmp_path)
    assert holder is not None
    assert (holder.state, holder.gave_up) == ("dead", True)
    assert spoken_missing_end(tmp_path, 26, 30) == (
        "no end is recorded at epoch 26 of 30: it could not be recorded any further"
    )
    # and keeps the directory from nobody
    refuse_second_writer(tmp_path)


@pytest.mark.parametrize(
    ("told", "noted"),
    [
        ({"fit": {"epochs": 30}, "ended": None}, True),
        ({"fit": {"epochs": 30}}, False),
        ({"fit": {"epochs": 30}, "ended": {"by": "plan", "epoch": 2}}, False),
    ],
)
def test_a_training_without_a_recorded_end_is_named_when_it_is_read(
    tmp_path: Path, *, told: dict[str, object], noted: bool
) -> None:
    (tmp_path / "logs.csv").write_text("epoch,val_loss\r\n0,3\r\n1,2\r\n2,1\r\n")
    (tmp_path / "run.json").write_text(json.dumps({"schema": 1, **told}))
    (run,) = load_runs(tmp_path)
    note = "no end is recorded at epoch 3 of 30: killed, or still running"
    assert (note in run.notes) is noted
    assert run.planned_epochs == 30


def test_of_a_log_that_starts_over_the_last_training_has_no_end(tmp_path: Path) -> None:
    rows = "epoch,val_loss\r\n0,3\r\n1,2\r\n2,1\r\n0,4\r\n1,3\r\n"
    (tmp_path / "logs.csv").write_text(rows)
    (tmp_path / "run.json").write_text('{"schema": 1, "ended": null}')
    first, last = load_runs(tmp_path)
    begins = "no end is recorded at epoch 2: "
    assert [any(begins in note for note in run.notes) for run in (first, last)] == [
        False,
        True,
    ]
