"""Write a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from cbreplay.errors import ConfigError, OutputError

__all__ = ["read_suffix", "write_whole"]

_OPTION = "with --output or path="


def read_suffix(path: Path, *known: str) -> str:
    """Return the suffix that decides a file's format, in small letters.

    Parameters
    ----------
    path : Path
        Where somebody wants a file.
    *known : str
        The suffixes there are: ``.png``, ``.svg``.

    Raises
    ------
    OutputError
        If a directory is there.
    ConfigError
        If the suffix is another one.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        reason = "it is a directory"
        hint = f"Name a file in it, such as {path / f'name{known[0]}'}, {_OPTION}"
        raise OutputError(str(path), reason, hint=hint)
    if suffix not in known:
        ends = f"ends in {suffix!r}" if suffix else "has no suffix"
        sentence = (
            f"{str(path)!r} {ends}, where {known[0]} or {known[1]} is expected. "
            "Correct --output or path=."
        )
        raise ConfigError(sentence)
    return suffix


def write_whole(path: Path, content: bytes, *, hint: str = "") -> Path:
    """Write a file through a temporary one beside it, which then takes its name.

    Parameters
    ----------
    path : Path
        The file; an older one is replaced.
    content : bytes
        All of it.
    hint : str
        What to do if it cannot be written.

    Raises
    ------
    OutputError
        If it cannot be written; nothing is left then, and an older file stays.
    """
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".cbreplay-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp makes files for their owner alone; people share pictures and pages
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        raise OutputError(str(path), error.strerror or str(error), hint=hint) from error
    return path


def _umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
