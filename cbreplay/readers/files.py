"""The bytes of a log: opened, unpacked, counted, and refused where they are no text."""

from __future__ import annotations

import io
import os
import stat
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from cbreplay.errors import LogError, TruncatedLogError
from cbreplay.readers.base import UnreadableError
from cbreplay.readers.sizes import too_large

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = [
    "BEFORE_ITS_FIRST",
    "LFS_POINTER",
    "STDIN",
    "cannot_open",
    "check_content",
    "check_readable",
    "check_size",
    "count_unpacked",
    "n_unpacked",
    "open_log",
    "read_beginning",
    "read_bytes",
    "read_chunks",
    "read_raw",
    "read_stdin",
]

_ZIP = b"PK\x03\x04"
_LOOKED_AT = 512
_SMALL_FILE = 1 << 16
# on Windows a file is else opened as text, and CRLF read as LF
_BINARY = getattr(os, "O_BINARY", 0)
LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def open_log(path: str) -> BinaryIO:
    """Open a file that may be a log; a gzip-compressed one is unpacked.

    An event file unpacks itself: `event_files.records`.

    Raises
    ------
    LogError
        If it is missing or cannot be read.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115 - whoever asked for it closes it
    except OSError as error:
        raise cannot_open(path, error) from None
    try:
        beginning = file.peek(len(_GZIP))
    except OSError as error:
        file.close()
        raise cannot_open(path, error) from None
    if not beginning.startswith(_GZIP):
        return file
    import gzip

    unzipped = gzip.GzipFile(fileobj=file, mode="rb")
    # GzipFile closes only a file that it opened, and a pipe cannot be opened twice: so
    # it is told that this one is its own
    unzipped.myfileobj = cast("Any", file)
    return cast("BinaryIO", unzipped)


_GZIP = b"\x1f\x8b"


class _Unpacked(threading.local):
    """How much this thread has unpacked of gzip files to read it."""

    n_bytes = 0


_UNPACKED = _Unpacked()


def n_unpacked() -> int:
    """Return how many bytes this thread has unpacked and read so far.

    Each file is within the limit by itself; the difference before and after reading
    many files tells whether all of them are.
    """
    return _UNPACKED.n_bytes


def count_unpacked(n_bytes: int) -> None:
    """Take note of bytes that were unpacked, to be read."""
    _UNPACKED.n_bytes += n_bytes


def read_chunks(
    file: BinaryIO, source: str, size: int = 1 << 20, *, counted: bool = True
) -> Generator[bytes, None, None]:
    """Yield the content of an open file piece by piece, and close it.

    Unpacked bytes count towards `n_unpacked` if `counted`: not those of a file that is
    only looked at.

    Raises
    ------
    TruncatedLogError
        If a compressed file breaks off.
    LogError
        If it is empty, only points to a file, or is damaged.
    """
    # importing gzip for the name of its class would cost start-up time
    counted = counted and type(file).__module__ == "gzip"
    with file:
        first = True
        while True:
            try:
                chunk = file.read(size)
            except EOFError:
                problem = "the compressed file breaks off"
                raise TruncatedLogError(problem, source=source, hint=_UNZIP) from None
            except OSError as error:
                raise cannot_open(source, error) from None
            except Exception as error:
                # zlib.error; importing zlib for its name would cost start-up time
                if type(error).__module__ != "zlib":
                    raise
                problem = f"the compressed file is damaged ({error})"
                raise LogError(problem, source=source, hint=_UNZIP) from None
            if first:
                check_content(chunk[:_LOOKED_AT], source)
                first = False
            if not chunk:
                return
            if counted:
                count_unpacked(len(chunk))
            yield chunk


_UNZIP = "Give the whole file, or what gunzip saves of it"


def read_raw(path: str, size: int) -> bytes:
    """Return the first bytes of a file as they stand there; none if it has none.

    By ``os.read``, because a Python file object takes twice as long, which counts for
    many logs; and so does asking for a mebibyte of a small file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _BINARY)
    except OSError:
        return b""
    try:
        found = os.read(descriptor, min(size, _SMALL_FILE))
        more = size - len(found) if len(found) == _SMALL_FILE else 0
        return found + os.read(descriptor, more) if more else found
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def check_readable(path: str) -> None:
    """Refuse a file whose first byte the system does not let us read.

    `read_beginning` takes such a file for an empty one.

    Raises
    ------
    UnreadableError
        If it is one.
    """
    try:
        with open(path, "rb", 0) as file:
            file.read(1)
    except OSError as error:
        raise cannot_open(path, error) from None


def read_beginning(path: str, size: int = 65_536) -> bytes:
    """Return the first bytes of a log, nothing if it cannot be read.

    Reading it will say why.
    """
    raw = read_raw(path, size)
    if raw and not raw.startswith((_GZIP, LFS_POINTER, _ZIP)):
        return raw
    try:
        content = read_chunks(open_log(path), path, size, counted=False)
        with closing(content) as chunks:
            return next(chunks, b"")
    except LogError:
        return b""


def read_bytes(path: str, most: int, share: int = 1) -> bytes:
    """Return the content of a file or a pipe, up to a limit or a share of it.

    Raises
    ------
    LogError
        If it is missing, cannot be read, is empty, too large, or only points to a
        file.
    """
    content = bytearray()
    most //= share
    with closing(read_chunks(open_log(path), path)) as chunks:
        for chunk in chunks:
            content += chunk
            if len(content) > most:
                raise too_large(path, most, share=share)
    return bytes(content)


STDIN = "standard input"


def read_stdin(most: int) -> bytes:
    """Read standard input, up to a size."""
    content: bytes
    try:
        if isinstance(sys.stdin, io.TextIOWrapper):
            content = sys.stdin.buffer.read(most + 1)
        else:
            # a notebook or a test has put something else in its place
            content = sys.stdin.read(most + 1).encode()
    except OSError as error:
        raise cannot_open(STDIN, error) from None
    if len(content) > most:
        raise too_large(STDIN, most)
    return content


def check_size(path: str, most: int) -> None:
    """Refuse a file that holds more than so many bytes, unpacked, before it is read."""
    try:
        found = os.stat(path)
    except OSError:
        # the error is raised where the file is read
        return
    # a pipe is counted while it is read
    if not stat.S_ISREG(found.st_mode) or found.st_size * _MOST_UNPACKED <= most:
        return
    if not read_raw(path, len(_GZIP)).startswith(_GZIP):
        if found.st_size > most:
            raise too_large(path, most, found.st_size)
    elif _holds_more(path, most):
        raise too_large(path, most)


def _holds_more(path: str, most: int) -> bool:
    """Unpack a file and keep nothing of it; True as soon as it holds more."""
    n_bytes = 0
    try:
        content = read_chunks(open_log(path), path, counted=False)
        with closing(content) as chunks:
            for chunk in chunks:
                n_bytes += len(chunk)
                if n_bytes > most:
                    return True
    except LogError:
        # damage is reported where the file is read
        return False
    return False


# one byte of gzip unpacks to no more than this
_MOST_UNPACKED = 1032


# what Keras's CSVLogger leaves, which writes at the end of each epoch
BEFORE_ITS_FIRST = "as of a fit that has not ended its first epoch"


def check_content(beginning: bytes, source: str) -> None:
    """Refuse a file that is empty, of another kind, or a pointer of Git LFS."""
    if not beginning:
        problem = f"the file is empty, {BEFORE_ITS_FIRST}"
        hint = "Give a log with at least one epoch"
        raise LogError(problem, source=source, hint=hint)
    if beginning.startswith(LFS_POINTER):
        problem = "this is a Git LFS pointer, not the log itself"
        raise LogError(problem, source=source, hint="Fetch the log: git lfs pull")
    kind = _other_kind(beginning)
    if kind is not None:
        what, hint = kind
        problem = f"this is {what}"
        raise LogError(problem, source=source, hint=hint)


def _other_kind(beginning: bytes) -> tuple[str, str] | None:
    """Return what a file is that is no log, and a hint; None where nothing tells."""
    if beginning.startswith(_ZIP):
        return _zipped(beginning)
    if beginning.startswith(b"ustar", _TAR_AT):
        return "a tar archive", "Unpack it"
    kinds = (
        (what, hint)
        for signature, what, hint in _OTHER_KINDS
        if beginning.startswith(signature)
    )
    return next(kinds, None)


# where the header of a tar archive's first file says what it is
_TAR_AT = 257
_AS_CSV = "Save it as CSV"
_GIVE_LOG = "Give the log that was written while it trained"
_NO_PAGE = f"{_GIVE_LOG}; the URL of a directory ends in /"
_OTHER_KINDS = (
    (b"\x89HDF\r\n", "an HDF5 file, as Keras saves models in", _GIVE_LOG),
    (
        b"\xd0\xcf\x11\xe0",
        "a workbook of Excel, or another file of old Office",
        _AS_CSV,
    ),
    (b"PAR1", "a Parquet table", _AS_CSV),
    (
        b"SQLite format 3",
        "an SQLite database",
        (
            "Export the run as CSV (MLflow: key, value, step, timestamp of each of "
            "MlflowClient().get_metric_history(run_id, key))"
        ),
    ),
    (
        b":W&B",
        "W&B's own record of a run",
        (
            "Export its history: pandas.DataFrame(run.scan_history()).to_csv(...), of "
            "wandb.Api().run(...)"
        ),
    ),
    (b"BZh", "a file that bzip2 packed", "Unpack it"),
    (b"\xfd7zXZ", "a file that xz packed", "Unpack it"),
    (b"\x28\xb5\x2f\xfd", "a file that zstd packed", "Unpack it"),
    (b"ARROW1", "an Arrow or Feather table", _AS_CSV),
    (b"%PDF", "a PDF", _GIVE_LOG),
    (b"<!", "a web page", _NO_PAGE),
    (b"<html", "a web page", _NO_PAGE),
    (b"\x89PNG", "a picture", _GIVE_LOG),
    (b"\xff\xd8\xff", "a picture", _GIVE_LOG),
)


def _zipped(beginning: bytes) -> tuple[str, str]:
    """Return what a zip archive is, by the name of the first file in it, and a hint."""
    length = int.from_bytes(beginning[26:28], "little")
    first = beginning[30 : 30 + length]
    if first.endswith(b".npy"):
        return "an archive of numpy's arrays", "Write them as CSV, each under its name"
    if first == b"[Content_Types].xml" or first.startswith(
        (b"xl/", b"_rels/", b"docProps")
    ):
        return "a workbook of Excel, or another file of Office", _AS_CSV
    if first.endswith((b"data.pkl", b"metadata.json", b"config.json")):
        return "a saved model", _GIVE_LOG
    return "a zip archive", "Unpack it"


def cannot_open(path: str, error: OSError) -> LogError:
    """Return the error of a path that the system does not let us read."""
    problem = f"cannot be read ({error.strerror or error})"
    hint = "Check the path and its permissions"
    # what gzip says of damage is an OSError without a number
    kind = LogError if error.errno is None else UnreadableError
    return kind(problem, source=path, hint=hint)
