"""The files of a run directory: create, read, check before a resumed fit, rewrite."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from cbreplay.errors import ConfigError, OutputError
from cbreplay.system.interrupts import undisturbed
from cbreplay.system.run_lock import (
    RUN_LOCK,
    refuse_second_writer,
    spoken_missing_end,
)
from cbreplay.system.whole_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "ELSEWHERE",
    "EVENTS",
    "LOGS",
    "METADATA",
    "STATE",
    "UNFINISHED_STATE",
    "OwnLog",
    "check_vacant",
    "clear_run",
    "cut_log",
    "logged_columns",
    "make_run_directory",
    "out_unnamed",
    "place_record",
    "place_records_below",
    "read_contents",
    "read_resumable",
    "replace_file",
    "take_directory",
    "write_metadata",
]

LOGS = "logs.csv"
EVENTS = "tensorboard"
METADATA = "run.json"
STATE = "resume.keras"
UNFINISHED_STATE = f"unfinished.{STATE}"
_BY_OUT = " with --out or out="
ELSEWHERE = f"Choose another directory{_BY_OUT}"


@contextlib.contextmanager
def out_unnamed() -> Iterator[None]:
    """Leave ``--out`` and ``out=`` out of a hint: a recorder takes neither."""
    try:
        yield
    except OutputError as error:
        hint = error.hint.replace(_BY_OUT, "")
        raise OutputError(error.path, error.reason, hint=hint) from error.__cause__


@out_unnamed()
def take_directory(directory: Path) -> Path:
    """Return the directory of a recorder, which is created, as an absolute path.

    A script may change its working directory before the fit.

    Raises
    ------
    OutputError
        If it holds something or cannot be written, or another process writes into it.
    """
    refuse_second_writer(directory)
    check_vacant(directory)
    make_run_directory(directory)
    return directory.absolute()


def make_run_directory(out: Path) -> None:
    """Create a run directory.

    Raises
    ------
    OutputError
        If it cannot be created or written to.
    """
    with _failing(out):
        out.mkdir(parents=True, exist_ok=True)
    if not os.access(out, os.W_OK):
        raise OutputError(str(out), "it is not writable", hint=ELSEWHERE)


# a directory for every record of this process (`place_records_below`), and a counter
_below: list[tuple[Path, Iterator[int]]] = []


def place_records_below(root: Path) -> None:
    """Put every record of this process below a directory, whatever the script names.

    So a script that records itself can be run again without a change.
    """
    _below[:] = [(root, itertools.count(1))]


def place_record(directory: Path) -> Path:
    """Return the directory of a new record: the named one, or one below the root."""
    for root, numbers in _below:
        return root / f"own{next(numbers)}"
    return directory


def check_vacant(out: Path) -> None:
    """Refuse a directory that holds something.

    Raises
    ------
    OutputError
        If it does, or cannot be listed.
    """
    with _failing(out):
        # a lock file alone is left by a process that died before it wrote anything
        held = {entry.name for entry in out.iterdir()} if out.exists() else set()
    if held - {RUN_LOCK}:
        raise OutputError(str(out), "the directory is not empty", hint=ELSEWHERE)


@contextlib.contextmanager
def _failing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = "it is a file" if out.is_file() else error.strerror or str(error)
        raise OutputError(str(out), reason, hint=ELSEWHERE) from error


def read_resumable(out: Path) -> dict[str, Any]:
    """Return the ``run.json`` of a run that another fit can resume.

    Raises
    ------
    ConfigError
        If there is no run, if one of its files is a link, if its last fit has not
        ended, if the state of its model is missing, or if ``logs.csv`` does not end at
        the epoch in ``run.json``.
    """
    for link in _links_of_run(out):
        _refuse(out, f"{link} is a link, and may lead anywhere")
    contents = read_contents(out)
    if not contents:
        _refuse(out, f"it holds no {METADATA} that can be read")
    last = _last_logged_epoch(out / LOGS)
    ended = contents.get("ended")
    if not isinstance(ended, dict):
        _refuse(out, _missing_end(out, contents, last))
    if not (out / STATE).is_file():
        _refuse(out, f"it holds no {STATE}, the model as the last fit left it")
    if last != ended.get("epoch"):
        problem = f"its {LOGS} ends at epoch {last}, its {METADATA} at "
        _refuse(out, problem + str(ended.get("epoch")))
    return contents


def read_contents(out: Path) -> dict[str, Any]:
    """Return the object in ``run.json``; an empty one if it cannot be read."""
    contents: Any = None
    unread = contextlib.suppress(OSError, ValueError, RecursionError)
    with unread, _open_plain(out / METADATA) as file:
        contents = json.loads(file.read(_MOST_BYTES))
    return contents if isinstance(contents, dict) else {}


# the most that is read; a run.json or a row of a log usually has some hundred bytes
_MOST_BYTES = 16_000_000
# links are not followed, pipes not waited for
_PLAIN = 0 if sys.platform == "win32" else os.O_NOFOLLOW | os.O_NONBLOCK


def _open_plain(path: Path) -> BinaryIO:
    """Open a regular file for reading; anything else is an OSError."""
    file = os.fdopen(os.open(path, os.O_RDONLY | _PLAIN), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a file", os.fspath(path))
    return file


def clear_run(out: Path) -> None:
    """Remove what a bundled experiment wrote into its directory, and nothing else.

    Raises
    ------
    OutputError
        If it cannot be removed, or a file of it is a link.
    """
    for link in _links_of_run(out):
        raise OutputError(str(out), f"{link} in it is a link", hint=ELSEWHERE)
    with _failing(out):
        for name in (LOGS, STATE, UNFINISHED_STATE, RUN_LOCK):
            (out / name).unlink(missing_ok=True)
        for path in (out / EVENTS).glob("*/events.out.tfevents.*"):
            path.unlink()
        for folder in (*(out / EVENTS).glob("*/"), out / EVENTS):
            with contextlib.suppress(OSError):
                folder.rmdir()
        # last: as long as it is there, an interrupted removal is recognised
        (out / METADATA).unlink()


def _missing_end(out: Path, contents: dict[str, Any], last: int | None) -> str:
    fit = contents.get("fit")
    planned = fit.get("epochs") if isinstance(fit, dict) else None
    epochs = planned if isinstance(planned, int) else None
    return spoken_missing_end(out, 0 if last is None else last + 1, epochs)


def logged_columns(out: Path) -> list[str]:
    """Return the columns of ``logs.csv`` after ``epoch``; [] if there is no file."""
    try:
        with _open_plain(out / LOGS) as file:
            header = file.readline(_MOST_BYTES).decode("utf-8", "replace")
            return header.rstrip("\r\n").split(",")[1:]
    except FileNotFoundError:
        # the fit was interrupted before its first epoch
        return []


class OwnLog:
    """The ``logs.csv`` that a logger holds open, and that may be moved or removed."""

    def __init__(self, out: Path) -> None:
        self._path = out / LOGS
        self._opened: os.stat_result | None = None

    def see_file(self) -> None:
        """Note which file a logger has opened; none if it has failed."""
        with contextlib.suppress(FileNotFoundError):
            self._opened = self._path.stat()

    def check_is_there(self) -> None:
        """Refuse to go on if the log was removed, moved or replaced.

        Another run may be there.

        Raises
        ------
        OutputError
            If the file of this name is another one than was opened, or missing.
        """
        if self._opened is None:
            return
        with contextlib.suppress(OSError):
            if os.path.samestat(self._path.stat(), self._opened):
                return
        reason = "it was removed, moved or replaced while the training wrote it"
        raise OutputError(str(self._path), reason, hint="Train again")


def cut_log(out: Path, last: int | None) -> None:
    """Remove from ``logs.csv``, in place, what follows its last complete epoch.

    If it is None, only the header is kept.
    """
    path, kept = out / LOGS, 0
    if not path.is_file():
        return
    with path.open("r+b") as file:
        for number, row in enumerate(file):
            epoch = row.partition(b",")[0]
            is_kept = number == 0 or (
                last is not None and epoch.isdigit() and int(epoch) <= last
            )
            if not is_kept or not row.endswith(b"\n"):
                break
            kept += len(row)
        file.truncate(kept)


def write_metadata(out: Path, contents: Mapping[str, Any]) -> None:
    """Write ``run.json``, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    text = json.dumps(contents, indent=1, allow_nan=False) + "\n"
    # undisturbed: in a script, a signal would else end the process at once
    with undisturbed():
        write_whole(out / METADATA, text.encode(), hint="")


def replace_file(temporary: Path, path: Path) -> None:
    """Move a finished temporary file to its place.

    Raises
    ------
    OutputError
        If that fails; the temporary file is then removed.
    """
    try:
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise OutputError(str(path), error.strerror or str(error)) from error


def _links_of_run(out: Path) -> Iterator[str]:
    """Yield the files of a run that are links: to write there is to write elsewhere."""
    for name in (METADATA, LOGS, STATE, UNFINISHED_STATE, RUN_LOCK, EVENTS):
        if (out / name).is_symlink():
            yield name
    for folder, below, names in os.walk(out / EVENTS):
        for name in (*below, *names):
            path = Path(folder, name)
            if path.is_symlink():
                yield path.relative_to(out).as_posix()


def _refuse(out: Path, problem: str) -> NoReturn:
    sentence = (
        f"{str(out)!r} is not a run that can be resumed: {problem}. Train into "
        "another directory with --out or out=, without --append or append=True."
    )
    raise ConfigError(sentence)


def _last_logged_epoch(path: Path) -> int | None:
    """Return the epoch of the last row; None if it is missing or incomplete."""
    try:
        with _open_plain(path) as file:
            begins = max(0, os.fstat(file.fileno()).st_size - _MOST_BYTES)
            file.seek(begins)
            text = file.read(_MOST_BYTES).decode("utf-8")
    except (OSError, ValueError):
        return None
    # the first line is the header, or the end of a row
    rows = text.splitlines()[1:]
    if not rows or not text.endswith("\n"):
        return None
    epoch = rows[-1].partition(",")[0]
    return int(epoch) if epoch.isdecimal() and len(epoch) < _MOST_DIGITS else None


# Python refuses numbers of thousands of digits, and no fit has so many epochs
_MOST_DIGITS = 20
