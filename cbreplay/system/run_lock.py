"""One writer at a time in a run directory, by a lock that no dead process holds.

The lock is the system's (``flock``) on a file of the directory: it ends with the
process that holds it, however that ends. So nothing is judged by process numbers,
which are reused and mean nothing on another machine. The file tells people who holds
the lock, and stays behind only where a fit did not come to its end. On a file system
without such locks the file itself is the lock, and only people can know that its
process is gone.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from cbreplay.errors import OutputError
from cbreplay.system.interrupts import undisturbed

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    Directory: TypeAlias = str | os.PathLike[str]

__all__ = [
    "RUN_LOCK",
    "LockHolder",
    "RunLock",
    "find_writer",
    "refuse_second_writer",
    "spoken_missing_end",
]

RUN_LOCK = "run.lock"
_ELSEWHERE = "Wait for it, or choose another directory with --out or out="
# with these a file system says that it has no such locks
_WITHOUT_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)
_MOST_BYTES = 4096
# a link is not followed, a pipe not waited for
_PLAIN = 0 if sys.platform == "win32" else os.O_NOFOLLOW | os.O_NONBLOCK
# a reader holds the lock for a moment, to see whether it could
_TRIES, _PAUSE_SECONDS = 20, 0.01


class LockHolder(NamedTuple):
    """Who writes a run directory, or did.

    Parameters
    ----------
    state : {"alive", "dead", "unknown"}
        Whether it still does; a lock of another machine does not tell.
    process : int or None
        Its number on its machine.
    host : str
        The name of its machine.
    gave_up : bool
        Whether it stopped writing here, and trained on.
    """

    state: Literal["alive", "dead", "unknown"]
    process: int | None = None
    host: str = ""
    gave_up: bool = False

    def __str__(self) -> str:
        """Name the process, as far as it is known."""
        number = (
            "another process" if self.process is None else f"process {self.process}"
        )
        return f"{number} on {self.host}" if self.host else number


class RunLock:
    """The right to write a run directory: held from construction until `leave`.

    Parameters
    ----------
    directory : path
        The run directory; it must be there.

    Raises
    ------
    OutputError
        If another process, or this one, writes a run into it, or it cannot be written.
    """

    def __init__(self, directory: Directory) -> None:
        self._path = Path(directory) / RUN_LOCK
        self._file = self._take(os.fspath(directory))
        _held.add(self)

    def leave(self) -> None:
        """Give the right back, after the run's end is recorded."""
        if self not in _held:
            return
        with undisturbed():
            _held.discard(self)
            # removed before it is given back: who waits looks whether it is there
            with contextlib.suppress(OSError):
                self._path.unlink()
            self.close()

    def give_up(self) -> None:
        """Note in the file that this run is not written to its end; let go of it."""
        with contextlib.suppress(OSError):
            # in place: this needs no room on a disk that is full
            told = json.dumps({**_describe(self._file), "gave_up": True}).encode()
            os.lseek(self._file, 0, os.SEEK_SET)
            os.write(self._file, told)
        _held.discard(self)
        self.close()

    def close(self) -> None:
        """Let go of the file, and leave the lock to whoever else holds it."""
        with contextlib.suppress(OSError):
            os.close(self._file)

    def __enter__(self) -> Self:
        """Return the lock, which is held."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the right back."""
        self.leave()

    def _take(self, directory: str) -> int:
        for _ in range(_TRIES):
            try:
                file = self._try_to_take()
            except OSError as error:
                reason = error.strerror or str(error)
                raise OutputError(str(self._path), reason, hint=_ELSEWHERE) from error
            if file is not None:
                return file
            time.sleep(_PAUSE_SECONDS)
        raise _held_by(directory, find_writer(directory))

    def _try_to_take(self) -> int | None:
        """Return the locked file; None where another one holds it."""
        made = not os.path.lexists(self._path)
        flags = os.O_RDWR | os.O_CREAT | (os.O_EXCL if made else 0) | _PLAIN
        try:
            file = os.open(self._path, flags, 0o666)
        except FileExistsError:
            return None
        taken = False
        try:
            locked = _lock(file, exclusive=True)
            # without locks the one who makes the file has it
            if (made if locked is None else locked) and _is_at(file, self._path):
                os.ftruncate(file, 0)
                os.write(file, json.dumps(_describe(file)).encode())
                taken = True
        except OSError:
            # the disk may be full
            if made:
                self._path.unlink()
            raise
        finally:
            if not taken:
                os.close(file)
        return file if taken else None


def find_writer(directory: Directory) -> LockHolder | None:
    """Return who writes a run directory or did; None where no lock was left.

    Nothing is written, and nothing is waited for: not even a pipe of that name.
    """
    path = Path(directory) / RUN_LOCK
    try:
        file = os.open(path, os.O_RDONLY | _PLAIN)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        told = _read(file)
        locked = _lock(file, exclusive=False)
        return LockHolder(
            _state(file, told, locked=locked),
            _process(told),
            _host(told),
            gave_up=told.get("gave_up") is True,
        )
    except OSError:
        return LockHolder("unknown")
    finally:
        os.close(file)


def spoken_missing_end(directory: Directory, epoch: int, planned: int | None) -> str:
    """Say that a training has no recorded end, and what is known of it.

    `epoch` is the last one that is logged, counted from 1, of those that were planned.
    """
    end = f"epoch {epoch}" if planned is None else f"epoch {epoch} of {planned}"
    holder = find_writer(directory)
    fate = "killed, or still running"
    if holder is not None and holder.gave_up:
        fate = "it could not be recorded any further"
    elif holder is not None and holder.state == "alive":
        fate = f"it is still running ({holder})"
    elif holder is not None and holder.state == "dead":
        fate = "it was killed"
    return f"no end is recorded at {end}: {fate}"


def refuse_second_writer(directory: Directory) -> None:
    """Refuse a directory that another process writes a run into, without taking it.

    Raises
    ------
    OutputError
        If one does.
    """
    holder = find_writer(directory)
    if holder is not None and holder.state == "alive":
        raise _held_by(os.fspath(directory), holder)


def _held_by(directory: str, holder: LockHolder | None) -> OutputError:
    if holder is not None and holder.state == "unknown":
        reason = f"{holder} began a run in it, and cannot be asked whether it is gone"
        hint = f"If it is, remove {Path(directory) / RUN_LOCK}. {_ELSEWHERE}"
        return OutputError(directory, reason, hint=hint)
    writer = holder or LockHolder("alive")
    return OutputError(directory, f"{writer} writes a run into it", hint=_ELSEWHERE)


def _state(
    file: int, told: dict[str, Any], *, locked: bool | None
) -> Literal["alive", "dead", "unknown"]:
    if locked is False:
        return "alive"
    # a lock of another machine may not reach us, and a copy is nobody's
    here = told.get("machine") == _machine() and told.get("file") == _identity(file)
    return "dead" if locked and here else "unknown"


def _lock(file: int, *, exclusive: bool) -> bool | None:
    """Try to lock a file: whether it could be, None where no locks are kept."""
    try:
        import fcntl
    except ImportError:
        return None
    kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        if error.errno in _WITHOUT_LOCKS:
            return None
        raise
    return True


def _is_at(file: int, path: Path) -> bool:
    """Tell whether a file still is the one of this name."""
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except FileNotFoundError:
        return False


def _describe(file: int) -> dict[str, Any]:
    import socket

    return {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "machine": _machine(),
        "file": _identity(file),
    }


def _identity(file: int) -> list[int]:
    """Return what a copy of the file does not have."""
    seen = os.fstat(file)
    return [seen.st_dev, seen.st_ino]


def _machine() -> str:
    """Return a name of this machine since its last start, which no other has."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        import uuid

        return f"{uuid.getnode():x}"


def _read(file: int) -> dict[str, Any]:
    try:
        told = json.loads(os.read(file, _MOST_BYTES))
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _process(told: dict[str, Any]) -> int | None:
    number = told.get("process")
    return number if type(number) is int and 0 < number < _MOST_PROCESSES else None


_MOST_PROCESSES = 1 << 32


def _host(told: dict[str, Any]) -> str:
    host = told.get("host")
    return host[:_LONGEST_NAME] if isinstance(host, str) else ""


_LONGEST_NAME = 64

# what this process holds
_held: set[RunLock] = set()


def _leave_to_parent() -> None:
    """Close the locks that a forked worker inherited: its parent may end before it."""
    for lock in _held:
        lock.close()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
