"""Write a file whole or not at all, and never over a link, a pipe or a device."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from typing import TYPE_CHECKING

from cbreplay.errors import ConfigError, OutputError
from cbreplay.system.interrupts import undisturbed
from cbreplay.wording.plain_text import is_url, shown_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["check_output", "is_among", "passing_directory", "write_whole"]

_OPTION = "with --output or path="
# which directory to choose instead, by the system's error
_WHERE = {
    errno.ENAMETOOLONG: "any directory, with a shorter name",
    errno.ENOENT: "a directory that is there",
    errno.ENOTDIR: "a directory that is there",
    errno.EACCES: "a directory that you may write into",
    errno.EPERM: "a directory that you may write into",
    errno.EROFS: "a directory that you may write into",
}


def check_output(path: Path, *known: str) -> str:
    """Refuse a path that cannot be written, before there is anything to write.

    Returns its suffix in small letters, one of the `known`: ``.png``, ``.svg``.

    Raises
    ------
    OutputError
        If it is a URL, if a directory, a link, a pipe or a device is there, or if
        nothing can be written beside it.
    ConfigError
        If the suffix is another one.
    """
    # pathlib has made one slash of the two
    address = str(path).replace(":/", "://", 1)
    if is_url(address) and not path.parent.is_dir():
        reason, hint = "it is a URL", f"Name a file here, {_OPTION}"
        raise OutputError(shown_url(address), reason, hint=hint)
    _check_place(path)
    suffix = path.suffix.lower()
    if path.is_dir():
        reason = "it is a directory"
        hint = f"Name a file in it, such as {path / f'name{known[0]}'}, {_OPTION}"
        raise OutputError(str(path), reason, hint=hint)
    if suffix not in known:
        ends = f"ends in {suffix!r}" if suffix else "has no suffix"
        sentence = (
            f"{str(path)!r} {ends}, where {_spoken(known)} is expected. "
            "Correct --output or path=."
        )
        raise ConfigError(sentence)
    if not os.access(path.parent, os.W_OK):
        number = errno.EACCES if path.parent.is_dir() else errno.ENOENT
        raise OutputError(str(path), os.strerror(number), hint=_choose(number))
    return suffix


def _choose(number: int | None) -> str:
    """Say where to write instead, by the number of the system's error."""
    where = _WHERE.get(number or 0, "another directory")
    return f"Choose a file in {where}, {_OPTION}"


def _spoken(known: Sequence[str]) -> str:
    """Name suffixes, without those that only shorten another: ``.htm``."""
    longer = [
        suffix
        for suffix in known
        if not any(other != suffix and other.startswith(suffix) for other in known)
    ]
    return " or ".join([", ".join(longer[:-1]), longer[-1]])


def is_among(file: str | os.PathLike[str] | int, others: Iterable[str]) -> bool:
    """Tell whether a path or descriptor is one of some files, under whatever name.

    The file that standard input comes from is called ``-``.
    """
    try:
        wanted = os.stat(file)  # noqa: PTH116 - a descriptor has no Path
    except (OSError, ValueError):
        return False
    for other in others:
        named = _STANDARD_INPUT if other == "-" else other
        with contextlib.suppress(OSError, ValueError):
            if os.path.samestat(wanted, os.stat(named)):  # noqa: PTH116 - as above
                return True
    return False


_STANDARD_INPUT = 0


def write_whole(path: Path, content: bytes, *, hint: str | None = None) -> Path:
    """Write a file through a temporary one beside it, which then takes its name.

    An older file is replaced. `hint` says what to do if it cannot be written; by
    default to choose another file.

    Raises
    ------
    OutputError
        If it cannot be written, or if a link, a pipe or a device is there; nothing is
        left then, and what was there stays.
    """
    _check_place(path)
    # named before it is made: an interrupt between the two finds it too
    temporary = path.parent / f".cbreplay-{secrets.token_hex(8)}"
    try:
        _write_new(temporary, content)
        temporary.replace(path)
    except OSError as error:
        instead = _choose(error.errno) if hint is None else hint
        reason = error.strerror or str(error)
        raise OutputError(str(path), reason, hint=instead) from error
    finally:
        with undisturbed(), contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


@contextlib.contextmanager
def passing_directory() -> Iterator[str]:
    """Make a temporary directory that is gone afterwards, whatever ended its use.

    An interrupt waits while it is made and while it is removed. What a thread still
    writes into it, when nobody waits for that any more, is no error.
    """
    import tempfile

    made = None
    try:
        with undisturbed():
            made = tempfile.TemporaryDirectory(
                prefix="cbreplay-", ignore_cleanup_errors=True
            )
        yield made.name
    finally:
        if made is not None:
            with undisturbed():
                made.cleanup()


# else Windows writes two letters for each line end
_BINARY = getattr(os, "O_BINARY", 0)


def _write_new(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
    with os.fdopen(os.open(path, flags, 0o666), "wb") as file:
        file.write(content)


_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def _check_place(path: Path) -> None:
    """Refuse a link, a pipe or a device, which a new file would silently replace."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(
            str(path), error.strerror or str(error), hint=_choose(error.errno)
        ) from error
    except ValueError as error:
        # a name with a NUL in it, which no system takes
        raise OutputError(str(path), str(error), hint=_choose(None)) from error
    if stat.S_ISLNK(mode):
        reason = f"it is a link to {path.readlink()}"
        hint = f"Name the file that is meant, {_OPTION}, or remove the link"
        raise OutputError(str(path), reason, hint=hint)
    for is_kind, kind in _KINDS:
        if is_kind(mode):
            hint = f"Name a file, {_OPTION}"
            raise OutputError(str(path), f"it is {kind}", hint=hint)
