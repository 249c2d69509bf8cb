"""What a reader is, and the choices that every reader is given."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol, SupportsIndex, cast

from cbreplay.errors import ConfigError, LogError, TruncatedLogError
from cbreplay.readers.sizes import too_large

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from cbreplay.run import Run

__all__ = [
    "MOST_BYTES",
    "MOST_SILENCE",
    "SKIP_HINT",
    "Damage",
    "ForeignLogError",
    "LogReader",
    "ReadOptions",
    "cannot_open",
    "check_content",
    "check_size",
    "open_log",
    "read_beginning",
    "read_bytes",
    "read_chunks",
    "read_raw",
]

# of one source, unpacked
MOST_BYTES = 1 << 28
# of the server of a URL, in seconds
MOST_SILENCE = 60.0
SKIP_HINT = "Correct it, or leave it out with --errors skip or errors='skip'"
_ZIP = b"PK\x03\x04"
_LOOKED_AT = 256
_SMALL_FILE = 1 << 16
# else Windows reads two letters of a line end as one
_BINARY = getattr(os, "O_BINARY", 0)
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


class ForeignLogError(LogError):
    """A log of another tool: an error if it was asked for, else passed by."""


class LogReader(Protocol):
    """One log format.

    A reader is made with the `ReadOptions` and the `RunMetadata` that apply, and then
    asked about paths.
    """

    def accepts(self, path: str) -> bool:
        """Tell from the name and the first bytes whether this is such a log."""
        ...

    def read(self, path: str) -> Iterator[Run]:
        """Yield each training that the log holds, in the order of the log.

        A run is named by its path; whoever asked for it knows a better name.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ReadOptions:
    """How logs are to be read.

    Parameters
    ----------
    errors : {"strict", "skip"}
        Whether damage is an error, or is dropped and noted.
    empty : {"missing", "nan"}
        What an empty cell or ``NA`` means.
    planned_epochs : int, optional
        The `epochs` that ``fit`` was given; it stands above what the log says.
    validation_freq : int or sequence of int, optional
        As in ``Model.fit``, for a History whose val_ lists are shorter.
    x_axis : {"epoch", "step"}, optional
        What the steps of a log count that does not say: epochs, or something else, so
        that each step with an evaluation is a row.
    parts : {"split", "join", "rows"}
        What a log is whose epochs step back: several trainings; one whose later rows
        replace the earlier ones; or one in which each row is the next epoch.
    first_epoch : int, optional
        The zero-based epoch of the first row, whatever number stands there.
    seams : sequence of int
        Epochs, zero-based, at which a fit was resumed although the log does not say so.
    max_bytes : int
        How much a file may hold, unpacked; `cbreplay.readers.sizes` says what counts.
    timeout : float
        After how many seconds of silence the server of a URL is given up.

    Raises
    ------
    ConfigError
        If a value is not one of these.
    """

    errors: Literal["strict", "skip"] = "strict"
    empty: Literal["missing", "nan"] = "missing"
    planned_epochs: int | None = None
    validation_freq: int | tuple[int, ...] | None = None
    x_axis: Literal["epoch", "step"] | None = None
    parts: Literal["split", "join", "rows"] = "split"
    first_epoch: int | None = None
    seams: tuple[int, ...] = ()
    max_bytes: int = MOST_BYTES
    timeout: float = MOST_SILENCE

    def __post_init__(self) -> None:
        _check_choice("errors", self.errors, ("strict", "skip"))
        _check_choice("empty", self.empty, ("missing", "nan"))
        _check_choice("x_axis", self.x_axis, (None, "epoch", "step"))
        _check_choice("parts", self.parts, ("split", "join", "rows"))
        if self.planned_epochs is not None:
            _check_counts("planned_epochs", (self.planned_epochs,))
        frequency = self.validation_freq
        if isinstance(frequency, Iterable):
            frequency = tuple(frequency)
            object.__setattr__(self, "validation_freq", frequency)
            _check_counts("validation_freq", frequency)
        elif frequency is not None:
            _check_counts("validation_freq", (frequency,))
        if self.first_epoch is not None:
            _check_counts("first_epoch", (self.first_epoch,), least=0)
        seams = tuple(sorted(set(self.seams)))
        object.__setattr__(self, "seams", seams)
        _check_counts("seams", seams, option="seam")
        _check_counts("max_bytes", (self.max_bytes,), option="max-size")
        if not 0 < self.timeout < float("inf"):
            sentence = (
                "timeout must be a positive number of seconds, not "
                f"{self.timeout!r} (--timeout or timeout=)"
            )
            raise ConfigError(sentence)


def _check_choice(name: str, value: object, choices: tuple[str | None, ...]) -> None:
    if value not in choices:
        wanted = " or ".join(map(repr, filter(None, choices)))
        option = name.replace("_", "-")
        sentence = f"{name} must be {wanted}, not {value!r} (--{option} or {name}=)"
        raise ConfigError(sentence)


def _check_counts(
    name: str, values: Sequence[Any], *, least: int = 1, option: str = ""
) -> None:
    for value in values:
        # numpy's integers count too; True does not
        whole = not isinstance(value, bool) and isinstance(value, SupportsIndex)
        if not whole or value < least:
            option = option or name.replace("_", "-")
            sentence = f"{name} must be a whole number from {least} on, not {value!r}"
            message = f"{sentence} (--{option} or {name}=)"
            raise ConfigError(message)


class Damage:
    """What is wrong in one file: raised when strict, else kept for a note.

    Attributes
    ----------
    max_bytes : int
        How much of the file is read.
    remarks : list of str
        What is noted besides, strict or not.
    """

    def __init__(self, options: ReadOptions) -> None:
        self.strict = options.errors == "strict"
        self.max_bytes = options.max_bytes
        self.errors: list[LogError] = []
        self.remarks: list[str] = []
        self.n_more = 0

    def report(self, error: LogError) -> None:
        """Raise the error, or remember that what it concerns was dropped."""
        if self.strict:
            raise error
        if len(self.errors) < _REMEMBERED:
            self.errors.append(error)
        else:
            self.n_more += 1

    def notes(self) -> tuple[str, ...]:
        """Say in one sentence what was dropped, behind the remarks."""
        if not self.errors:
            return tuple(self.remarks)
        shown = "; ".join(_place(error) for error in self.errors[:_SHOWN])
        more = len(self.errors) + self.n_more - _SHOWN
        tail = f"; and {more} more" if more > 0 else ""
        return (*self.remarks, f"dropped as damaged: {shown}{tail}")


_SHOWN = 5
# a file of many gigabytes may be damaged in every line
_REMEMBERED = 1000


def _place(error: LogError) -> str:
    if error.line is not None:
        return f"line {error.line} ({error.problem})"
    if error.byte is not None:
        return f"byte {error.byte} ({error.problem})"
    return error.problem


def open_log(path: str) -> BinaryIO:
    """Open a file that may be a log; of a gzip-compressed one what is in it.

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
    # it closes only a file of its own; a pipe cannot be opened twice
    unzipped.myfileobj = cast("Any", file)
    return cast("BinaryIO", unzipped)


_GZIP = b"\x1f\x8b"


def read_chunks(
    file: BinaryIO, source: str, size: int = 1 << 20
) -> Generator[bytes, None, None]:
    """Yield the content of an open file piece by piece, and close it.

    Raises
    ------
    TruncatedLogError
        If a compressed file breaks off.
    LogError
        If it is empty, only points to a file, or is damaged.
    """
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
            yield chunk


_UNZIP = "Give the whole file, or what gunzip saves of it"


def read_raw(path: str, size: int) -> bytes:
    """Return the first bytes of a file as they stand there; none if it has none.

    A file object of Python's would cost twice as long, which counts for many logs, and
    so would asking for a mebibyte where a small file lies.
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


def read_beginning(path: str, size: int = 65_536) -> bytes:
    """Return the first bytes of a log, nothing if it cannot be read.

    Reading it will say why.
    """
    raw = read_raw(path, size)
    if raw and not raw.startswith((_GZIP, _LFS_POINTER, _ZIP)):
        return raw
    try:
        with closing(read_chunks(open_log(path), path, size)) as chunks:
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


def check_size(path: str, most: int) -> None:
    """Refuse a file that holds more than so many bytes, unpacked, before it is read.

    Raises
    ------
    LogError
        If it does.
    """
    try:
        found = os.stat(path)
    except OSError:
        # reading it will say why
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
        with closing(read_chunks(open_log(path), path)) as chunks:
            for chunk in chunks:
                n_bytes += len(chunk)
                if n_bytes > most:
                    return True
    except LogError:
        # damage is reported where the file is read
        return False
    return False


# no byte of gzip unpacks to more
_MOST_UNPACKED = 1032


def check_content(beginning: bytes, source: str) -> None:
    """Refuse a file that is empty, of another kind, or a pointer of Git LFS.

    Parameters
    ----------
    beginning : bytes
        Its first bytes.
    source : str
        Its name, for the error.

    Raises
    ------
    LogError
        If it is one of these.
    """
    if not beginning:
        problem, hint = "the file is empty", "Give a log with at least one epoch"
        raise LogError(problem, source=source, hint=hint)
    if beginning.startswith(_LFS_POINTER):
        problem = "this is a Git LFS pointer, not the log itself"
        raise LogError(problem, source=source, hint="Fetch the log: git lfs pull")
    for signature, what, hint in _OTHER_KINDS:
        if beginning.startswith(signature):
            problem = f"this is {what}"
            raise LogError(problem, source=source, hint=hint)
    if beginning.startswith(_ZIP):
        what, hint = _zipped(beginning)
        problem = f"this is {what}"
        raise LogError(problem, source=source, hint=hint)


_AS_CSV = "Save it as CSV"
_GIVE_LOG = "Give the log that was written while it trained"
_OTHER_KINDS = (
    (b"\x89HDF\r\n", "an HDF5 file, as Keras saves models in", _GIVE_LOG),
    (
        b"\xd0\xcf\x11\xe0",
        "a workbook of Excel, or another file of old Office",
        _AS_CSV,
    ),
    (b"PAR1", "a Parquet table", _AS_CSV),
    (b"SQLite format 3", "an SQLite database", "Export the run as CSV"),
    (b"ARROW1", "an Arrow or Feather table", _AS_CSV),
    (b"%PDF", "a PDF", _GIVE_LOG),
    (b"<!DOCTYPE html", "a web page", _GIVE_LOG),
    (b"<html", "a web page", _GIVE_LOG),
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
    return LogError(problem, source=path, hint="Check the path and its permissions")
