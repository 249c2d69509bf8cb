"""How large a log may be, and the errors of a larger one.

A small file may unpack to a thousand times its bytes, and two rows may name a million
epochs between them. One limit in bytes (`max_bytes`) covers all of it: the unpacked
bytes of a file, and the memory that its columns, trainings and missing values would
take. Beyond it each `check_...` raises a `LogError`.
"""

from __future__ import annotations

from cbreplay.errors import LogError

__all__ = [
    "DECISION",
    "REPLAY",
    "check_cells",
    "check_columns",
    "check_epochs",
    "check_logs",
    "check_rows",
    "check_trainings",
    "check_unpacked",
    "most_within",
    "raised_limit",
    "spoken_size",
    "too_large",
]

# estimated bytes in memory of a column, a training, an epoch and a missing cell
_COLUMN, _TRAINING, _EPOCH, _CELL = 10_240, 40_960, 4_096, 32
# of a row, or an object of JSON, however little is in it
_ROW = 320
# of one run under one setting, in an answer
REPLAY = 2_560
# of the decision of one callback in one epoch, as `explain` holds it
DECISION = 2_048
# a lower limit than this limits the bytes of files only; columns, trainings and epochs
# are limited as by this one
_LEAST = 1 << 28
_BINARY = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def too_large(
    source: str, most: int, n_bytes: int | None = None, share: int = 1
) -> LogError:
    """Return the error of a file that holds more than is read.

    `most` may be a share of the whole limit, which then is `share` times as much.
    """
    problem = f"it holds more than {spoken_size(most)}"
    needed = share * (4 * most if n_bytes is None else n_bytes)
    return LogError(
        problem, source=source, hint=f"If it is a log, {raised_limit(needed)}"
    )


def check_columns(n_columns: int, source: str, most: int) -> None:
    """Refuse a table of more columns than a log has."""
    if n_columns > most_within(most, _COLUMN):
        problem = f"it has {n_columns:,} columns, {_more_than(most, _COLUMN)}"
        advice = "Leave out what is no metric, or"
        raise _refused(problem, source, advice, n_columns * _COLUMN)


def check_rows(n_rows: int, source: str, most: int) -> None:
    """Refuse more rows than a log has, before each of them is looked at."""
    if n_rows > most_within(most, _ROW):
        problem = f"it has {_more_than(most, _ROW)} rows"
        advice = "Leave out what is no epoch, or"
        raise _refused(problem, source, advice, 4 * max(most, _LEAST))


def check_trainings(n_trainings: int, source: str, most: int) -> None:
    """Refuse a log that is cut into more pieces than a log has trainings."""
    if n_trainings > most_within(most, _TRAINING):
        problem = (
            f"its epochs step back, or its header stands once more, "
            f"{n_trainings - 1:,} times: {_more_than(most, _TRAINING)} trainings"
        )
        advice = "If each row is the next epoch: --parts rows or parts='rows'; or"
        raise _refused(problem, source, advice, n_trainings * _TRAINING)


def check_logs(n_logs: int, source: str, most: int) -> None:
    """Refuse more logs, or trainings in them, than are read at once."""
    if n_logs > most_within(most, _TRAINING):
        problem = f"{n_logs:,} logs lie here, {_more_than(most, _TRAINING)}"
        raise _refused(problem, source, _FEWER, n_logs * _TRAINING)


def check_unpacked(n_bytes: int, source: str, most: int) -> None:
    """Refuse gzip files that hold more than one file may, all of them together."""
    if n_bytes > most:
        problem = f"the gzip files here hold more than {spoken_size(most)} together"
        raise _refused(problem, source, _FEWER, 4 * n_bytes)


def check_epochs(n_epochs: int, source: str, most: int, what: str) -> None:
    """Refuse a training of more epochs than anybody replays one by one.

    The error begins with `what`, which says where they come from.
    """
    if n_epochs > most_within(most, _EPOCH):
        problem = f"{what}: {n_epochs:,} epochs, {_more_than(most, _EPOCH)}"
        advice = "Correct what is no epoch, or"
        raise _refused(problem, source, advice, n_epochs * _EPOCH)


def check_cells(n_missing: int, source: str, most: int, what: str) -> None:
    """Refuse a log whose series lack far more values than they have.

    The error begins with `what`, which says where these epochs come from.
    """
    if n_missing > most_within(most, _CELL):
        problem = f"{what}: {n_missing:,} values are missing"
        advice = "Correct what does not belong there, or"
        raise _refused(problem, source, advice, n_missing * _CELL)


def most_within(most: int, n_bytes: int) -> int:
    """Return how many things of `n_bytes` each are within the limit `most`."""
    return max(most, _LEAST) // n_bytes


def _more_than(most: int, n_bytes: int) -> str:
    return f"more than {most_within(most, n_bytes):,}"


_FEWER = "Ask about fewer at once, or"


def _refused(problem: str, source: str, advice: str, needed: int) -> LogError:
    return LogError(problem, source=source, hint=f"{advice} {raised_limit(needed)}")


def spoken_size(n_bytes: int) -> str:
    """Write a number of bytes, in the largest unit of which it is a multiple.

    >>> spoken_size(1 << 28), spoken_size(2_000_000_000), spoken_size(999)
    ('256 MiB', '2 GB', '999 bytes')
    """
    for size, unit in sorted((*_BINARY, *_UNITS), reverse=True):
        if n_bytes >= size and n_bytes % size == 0:
            return f"{n_bytes // size} {unit}"
    return f"{n_bytes:,} bytes"


def raised_limit(n_bytes: int) -> str:
    """Say which option allows this many bytes, rounded up in its unit.

    >>> raised_limit(10_240_000_123)
    'raise the limit: --max-size 11GB or max_bytes=11_000_000_000'
    """
    unit, name = next((unit for unit in _UNITS if n_bytes >= unit[0]), (10**3, "kB"))
    number = -(-n_bytes // unit)
    return f"raise the limit: --max-size {number}{name} or max_bytes={number * unit:_}"
