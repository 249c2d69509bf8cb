"""A signal waits until what is begun is done, and what it leaves is clean."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cbreplay.system.interrupts import is_interrupt, undisturbed
from cbreplay.system.whole_files import passing_directory, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture(autouse=True)
def usual_handler() -> Iterator[None]:
    """As at a terminal; what is started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_until_it_is_done_and_then_comes_once() -> None:
    done = []

    @undisturbed()
    def outer() -> None:
        signal.raise_signal(signal.SIGINT)
        inner()
        done.append("outer")

    @undisturbed()
    def inner() -> None:
        signal.raise_signal(signal.SIGINT)
        done.append("inner")

    with pytest.raises(KeyboardInterrupt):
        outer()
    assert done == ["inner", "outer"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with undisturbed():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


# an interrupt in a finalizer, where nothing can be raised: it comes again, at once
LOST = """
import signal, time
from cbreplay.system.interrupts import heed_signals
class Finalized:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)
heed_signals()
Finalized()
began = time.monotonic()
try:
    time.sleep(60)
except KeyboardInterrupt:
    print(time.monotonic() - began < 0.9)
"""


def test_an_interrupt_that_is_lost_comes_again_without_a_word() -> None:
    ended = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", LOST], capture_output=True, text=True, check=False
    )
    assert (ended.stdout, ended.stderr) == ("True\n", "")


# nobody has said what SIGTERM is to do, as in a script of one's own
AT_ONCE = """
import signal
from cbreplay.system.interrupts import undisturbed
with undisturbed():
    signal.raise_signal(signal.SIGTERM)
    print("done", flush=True)
print("goes on")
"""


def test_a_signal_that_ends_the_process_at_once_waits_too() -> None:
    ended = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", AT_ONCE], capture_output=True, text=True, check=False
    )
    assert (ended.stdout, ended.returncode) == ("done\n", -signal.SIGTERM)


def test_a_directory_is_gone_although_its_removal_was_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    remove = os.rmdir

    def interrupted(*words: object, **options: object) -> None:
        signal.raise_signal(signal.SIGINT)
        remove(*words, **options)  # type: ignore[arg-type]

    made = []

    def use() -> None:
        with passing_directory() as place:
            made.append(Path(place))
            (made[0] / "log").write_text("x")
            monkeypatch.setattr("os.rmdir", interrupted)

    with pytest.raises(KeyboardInterrupt):
        use()
    assert not made[0].exists()


def test_a_second_interrupt_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def interrupted(path: Path, *, missing_ok: bool = False) -> None:
        signal.raise_signal(signal.SIGINT)
        unlink(path, missing_ok=missing_ok)

    def begun(path: Path, _content: bytes) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr("cbreplay.system.whole_files._write_new", begun)
    monkeypatch.setattr(Path, "unlink", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "page.html", b"new")
    assert [*tmp_path.iterdir()] == []


def test_what_a_library_makes_of_an_interrupt_is_one() -> None:
    def convert() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            message = "the step failed"
            raise RuntimeError(message) from None

    with pytest.raises(RuntimeError) as caught:
        convert()
    assert is_interrupt(caught.value)
    assert not is_interrupt(RuntimeError("the step failed"))
