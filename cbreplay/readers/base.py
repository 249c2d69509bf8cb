"""What a reader is, its options, its damage, and what a log says of all its runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Literal

from cbreplay.arguments import shown_value
from cbreplay.errors import ConfigError, LogError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.run import AxisUnit, Run
    from cbreplay.run_metadata import RunMetadata

__all__ = [
    "MOST_BYTES",
    "MOST_PLANNED",
    "MOST_SILENCE",
    "SKIP_HINT",
    "Damage",
    "ForeignLogError",
    "LogFacts",
    "LogReader",
    "ReadOptions",
    "UnreadableError",
]

# the default of max_bytes: how much is read of one source, unpacked
MOST_BYTES = 1 << 28
# the default of timeout: how long the server of a URL may be silent, in seconds
MOST_SILENCE = 60.0
# in sweeps an epoch is an int32
MOST_PLANNED = 2**31 - 1
_LEAVE_OUT = "leave it out with --errors skip or errors='skip'"
SKIP_HINT = f"Correct it, or {_LEAVE_OUT}"


class ForeignLogError(LogError):
    """Not a log: an error if the file was named; in a directory it is passed over."""


class UnreadableError(LogError):
    """A file that the system does not let us read."""

    def in_directory(self) -> UnreadableError:
        """Return the error with a hint how to read the other files beside it."""
        hint = f"Check its permissions, or {_LEAVE_OUT}"
        return self.changed(hint=hint)


class NothingLoggedError(ForeignLogError):
    """A log that holds nothing at all; any other error tells more than this."""


class LogReader:
    """The reader of one log format; which one takes a file, `formats` tells.

    `metadata` is what the ``run.json`` beside the log says.
    """

    def __init__(
        self, options: ReadOptions, metadata: RunMetadata | None = None
    ) -> None:
        self.options, self.metadata = options, metadata

    def read(self, path: str) -> Iterator[Run]:
        """Yield each training that the log holds, in the order of the log.

        A run is named by its path; `discovery` gives it a better name afterwards.

        Raises
        ------
        LogError
            If it is no such log, or holds no training; when strict, also if it is
            damaged. `ForeignLogError`: in a directory it is passed over.
        """
        raise NotImplementedError


@dataclass(kw_only=True, eq=False, repr=False)
class ReadOptions:
    """The options of `cbreplay.load_runs`, by its names and with its defaults.

    Raises
    ------
    ConfigError
        If a number is too small.
    """

    errors: Literal["strict", "skip"] = "strict"
    empty: Literal["missing", "nan"] = "missing"
    planned_epochs: int | None = None
    validation_freq: int | Iterable[int] | None = None
    x_axis: Literal["epoch", "step"] | None = None
    parts: Literal["split", "join", "rows"] = "split"
    first_epoch: int | None = None
    seams: tuple[int, ...] = ()
    max_bytes: int = MOST_BYTES
    timeout: float = MOST_SILENCE

    def __post_init__(self) -> None:
        _check_counts("planned_epochs", [self.planned_epochs])
        validated = self.validation_freq
        listed = validated if isinstance(validated, Iterable) else [validated]
        _check_counts("validation_freq", listed)
        first = [self.first_epoch]
        _check_counts("first_epoch", first, least=0, most=_MOST_BEFORE)
        self.seams = tuple(sorted(set(self.seams)))
        _check_counts("seams", self.seams, option="seam")
        _check_counts("max_bytes", [self.max_bytes], option="max-size")
        if not 0 < self.timeout < float("inf"):
            sentence = (
                "timeout must be a positive number of seconds, not "
                f"{self.timeout!r} (--timeout or timeout=)"
            )
            raise ConfigError(sentence)


# an array of numpy counts no further, with room for the epochs of a log
_MOST_BEFORE = 2**62


def _check_counts(
    name: str,
    values: Iterable[int | None],
    *,
    least: int = 1,
    most: int | None = None,
    option: str = "",
) -> None:
    for value in values:
        if value is not None and (value < least or (most or value) < value):
            option = option or name.replace("_", "-")
            ends = "on" if most is None else f"to {most}"
            shown = shown_value(value)
            sentence = f"{name} must be a whole number from {least} {ends}, not {shown}"
            message = f"{sentence} (--{option} or {name}=)"
            raise ConfigError(message)


class LogFacts:
    """What a log says about all trainings in it.

    Attributes
    ----------
    source : str
        Its name: a path, or what kind of object it is.
    notes : list of str
        The notes on the whole log.
    planned_epochs : int or None
        The plan that it states.
    not_logged : set of str
        The metrics whose missing values were not logged, as the log itself says.
    empty_cells : set of str
        The columns in which cells are empty.
    written_again : bool
        Whether a few epochs have several rows, which a resumed fit may have left.
    n_dropped : int
        How many rows or records were left out as damaged.
    left_out : mapping of str to str
        The columns that were not read, each with the reason.
    counted : {"row", "line", "column"}
        What the numbers of its rows count.
    counts_from : int
        The number by which it calls epoch 0.
    begins_at : int or None
        The epoch at which every training of its writer begins.
    axis_unit : {"epochs", "evaluations", "checks", "iterations"}
        What a row stands for.
    framework : str
        Who trained, where it tells that it was not Keras.
    """

    def __init__(self, source: str, notes: Iterable[str] = ()) -> None:
        self.source, self.notes = source, [*notes]
        self.planned_epochs: int | None = None
        self.not_logged: set[str] = set()
        self.empty_cells: set[str] = set()
        self.written_again = False
        self.n_dropped = 0
        self.left_out: dict[str, str] = {}
        self.counted = "row"
        self.counts_from = 0
        self.begins_at: int | None = None
        self.axis_unit: AxisUnit = "epochs"
        self.framework = ""

    def take_plan(self, planned: object) -> None:
        """Take the planned epochs that it states, or note that they are no plan."""
        number = int(planned) if isinstance(planned, Integral) else 0
        if 0 < number <= MOST_PLANNED and planned is not True:
            self.planned_epochs = number
        elif planned is not None:
            shown = shown_value(planned)
            no_plan = f"the planned epochs are {shown}, which is no plan and not used"
            self.notes.append(no_plan)

    def error_at(
        self,
        place: int,
        problem: str,
        hint: str = SKIP_HINT,
        kind: type[LogError] = LogError,
    ) -> LogError:
        """Return an error about a row, given its number."""
        if self.counted == "line":
            return kind(problem, source=self.source, line=place, hint=hint)
        problem = f"{self.counted} {place}: {problem}"
        return kind(problem, source=self.source, hint=hint)


class Damage:
    """Collects what is wrong in one file: raises it when strict, else notes it.

    Attributes
    ----------
    max_bytes : int
        How much of the file is read.
    remarks : list of str
        What is noted in any case, strict or not.
    """

    def __init__(self, options: ReadOptions) -> None:
        self.strict = options.errors == "strict"
        self.max_bytes = options.max_bytes
        self.errors: list[LogError] = []
        self.remarks: list[str] = []
        self.n_more = 0

    def remember(self, error: UnreadableError) -> None:
        """Remember, once, an unreadable part of a directory with other files."""
        if all(error.source != known.source for known in self.errors):
            self.errors.append(error)

    def report(self, error: LogError) -> None:
        """Raise the error when strict; else remember it as something dropped."""
        if self.strict:
            raise error
        if len(self.errors) < _REMEMBERED:
            self.errors.append(error)
        else:
            self.n_more += 1

    def add(self, other: Damage) -> None:
        """Remember what was found in another part of the file too."""
        self.errors += other.errors
        self.remarks += other.remarks
        self.n_more += other.n_more

    @property
    def n_dropped(self) -> int:
        """How many times something was left out as damaged."""
        return len(self.errors) + self.n_more

    def notes(self) -> tuple[str, ...]:
        """Return the remarks, and a sentence on what was dropped."""
        if not self.errors:
            return tuple(self.remarks)
        shown = "; ".join(_place(error) for error in self.errors[:_SHOWN])
        more = self.n_dropped - _SHOWN
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
    if isinstance(error, UnreadableError):
        return f"{os.path.basename(error.source)} {error.problem}"
    return error.problem
