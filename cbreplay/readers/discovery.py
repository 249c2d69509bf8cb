"""Which runs lie under a path or in an object, and which reader takes each."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from cbreplay.errors import ConfigError, LogError
from cbreplay.readers._layout import (
    Training,
    find_trainings,
    run_json_above,
    run_json_beside,
)
from cbreplay.readers._two_writers import settle_rate
from cbreplay.readers.base import ForeignLogError, ReadOptions, read_bytes
from cbreplay.readers.csv_logger import CsvLoggerReader
from cbreplay.run import Run

if TYPE_CHECKING:
    from cbreplay.run_metadata import RunMetadata

__all__ = ["load_runs"]

# a path, a glob pattern, "-", a Run, or one of in_memory's objects
Source: TypeAlias = str | os.PathLike[str] | Run | Mapping[str, Any] | Any

_KINDS = "a path, a glob pattern, '-', a History, a dict of lists, a DataFrame or a Run"


def load_runs(
    *sources: Source,
    errors: Literal["strict", "skip"] = "strict",
    empty: Literal["missing", "nan"] = "missing",
    planned_epochs: int | None = None,
    validation_freq: int | Iterable[int] | None = None,
    x_axis: Literal["epoch", "step"] | None = None,
) -> list[Run]:
    """Read every run in the sources, in their order.

    Parameters
    ----------
    *sources : path, str, object or Run
        A CSV of Keras's CSVLogger, a directory of its TensorBoard callback, a
        directory with runs anywhere below it, a glob pattern, ``"-"`` for standard
        input, a ``History``, a dict of lists, a DataFrame, or a run.
    errors : {"strict", "skip"}
        Whether a damaged log is an error, or what is whole in it is kept and
        ``run.notes`` say what was dropped.
    empty : {"missing", "nan"}
        Whether an empty cell or ``NA`` is a missing value or a NaN.
    planned_epochs : int, optional
        The `epochs` that ``fit`` was given; it stands above what the log says.
    validation_freq : int or iterable of int, optional
        As in ``Model.fit``, for a History or dict whose val_ lists are shorter.
    x_axis : {"epoch", "step"}, optional
        For event files whose steps are not known to be epochs: each step is one epoch,
        or each step with an evaluation is a row, and patience counts evaluations.

    Returns
    -------
    list of Run
        Each with another name: its directory's or its file's, with ``#1``, ``#2``
        for the trainings in one log.

    Raises
    ------
    LogError
        If a source cannot be read, or there is no run in it.
    ConfigError
        If there is no source, or an option has a value that it cannot have.

    Examples
    --------
    >>> (run,) = load_runs({"loss": [0.9, 0.7], "val_loss": [0.8, 0.6]})
    >>> run.name, run.horizon
    ('dict', 1)
    """
    options = _options(errors, empty, planned_epochs, validation_freq, x_axis)
    if not sources:
        sentence = f"there is nothing to read: give {_KINDS}"
        raise ConfigError(sentence)
    found = [one for source in sources for one in _read_source(source, options)]
    return [settle_rate(run) for run in _named(found)]


def _options(
    errors: Literal["strict", "skip"],
    empty: Literal["missing", "nan"],
    planned_epochs: int | None,
    validation_freq: int | Iterable[int] | None,
    x_axis: Literal["epoch", "step"] | None,
) -> ReadOptions:
    frequency = validation_freq
    if isinstance(frequency, Iterable):
        frequency = tuple(frequency)
    return ReadOptions(
        errors=errors,
        empty=empty,
        planned_epochs=planned_epochs,
        validation_freq=frequency,
        x_axis=x_axis,
    )


@dataclass(slots=True, eq=False, repr=False)
class _Found:
    """The trainings in one log, with a short and a long name for them."""

    name: str
    long_name: str
    runs: list[Run] = field(default_factory=list)


def _read_source(source: Source, options: ReadOptions) -> list[_Found]:
    if isinstance(source, Run):
        return [_Found(source.name, source.name, [_with_plan(source, options)])]
    if isinstance(source, (str, os.PathLike)):
        return _read_path(os.fsdecode(source), options)
    from cbreplay.readers.in_memory import InMemoryReader

    reader = InMemoryReader(options)
    if not reader.accepts(source):
        sentence = f"{type(source).__name__} is no source of runs: give {_KINDS}"
        raise ConfigError(sentence)
    runs = list(reader.read(source))
    return [_Found(runs[0].source, runs[0].source, runs)]


def _with_plan(run: Run, options: ReadOptions) -> Run:
    planned = options.planned_epochs
    if planned is None or planned == run.planned_epochs:
        return run
    if run.planned_epochs is not None:
        note = f"planned epochs: {planned} as given, not {run.planned_epochs}"
        run = run.with_notes(note)
    return replace(run, planned_epochs=planned)


def _read_path(path: str, options: ReadOptions) -> list[_Found]:
    if path == "-":
        return [_Found("stdin", "stdin", _read_stdin(options))]
    if os.path.isdir(path):
        return _read_directory(path, options)
    if os.path.exists(path):
        return _read_training(path, path, _training_of(path), options)
    if any(letter in path for letter in "*?["):
        return _read_pattern(path, options)
    problem = "there is no such file or directory"
    hint = "Give a CSV of CSVLogger, a run directory, a glob pattern, or - for stdin"
    raise LogError(problem, source=path, hint=hint)


def _read_stdin(options: ReadOptions) -> list[Run]:
    binary = getattr(sys.stdin, "buffer", None)
    content = sys.stdin.read().encode() if binary is None else binary.read()
    return list(CsvLoggerReader(options).read_content(content, "standard input"))


def _training_of(path: str) -> Training:
    """Return the training of one file that was asked for by its name."""
    if "tfevents" in os.path.basename(path):
        return Training(place=path, events=path, run_json=run_json_above(path))
    return Training(place=path, csv=path, run_json=run_json_beside(path))


def _read_pattern(pattern: str, options: ReadOptions) -> list[_Found]:
    import glob

    accepts = CsvLoggerReader(options).accepts
    wanted = []
    for path in sorted(glob.glob(pattern, recursive=True)):
        if os.path.isdir(path):
            wanted += [(path, path, one) for one in find_trainings(path, accepts)]
        elif "tfevents" in os.path.basename(path) or accepts(path):
            wanted.append((path, path, _training_of(path)))
    if not wanted:
        problem = "no log matches this pattern"
        raise LogError(problem, source=pattern, hint="Quote it, and check the path")
    return _read_all(wanted, options)


def _read_directory(root: str, options: ReadOptions) -> list[_Found]:
    root = root.rstrip(os.sep) or root
    trainings = find_trainings(root, CsvLoggerReader(options).accepts)
    if not trainings:
        problem = "there is no log in this directory"
        hint = "Give a directory with a CSV of CSVLogger (with an epoch column) or "
        hint += "event files of the TensorBoard callback in it or below it"
        if any(
            name.endswith(".csv") for _, _, names in os.walk(root) for name in names
        ):
            hint += "; a CSV without an epoch column is read when it is named, as with "
            hint += f"{os.path.join(root, '**', '*.csv')!r}"
        raise LogError(problem, source=root, hint=hint)
    return _read_all([(root, root, one) for one in trainings], options)


def _read_all(
    wanted: list[tuple[str, str, Training]], options: ReadOptions
) -> list[_Found]:
    """Read the trainings that were found, and pass by what is none."""
    found: list[_Found] = []
    passed_by: list[LogError] = []
    for root, typed, training in wanted:
        try:
            found += _read_training(root, typed, training, options)
        except ForeignLogError as error:
            passed_by.append(error)
        except LogError as error:
            if options.errors == "strict":
                raise
            passed_by.append(error)
    if not found:
        raise passed_by[0]
    if passed_by:
        notes = [f"left out a log found beside this run: {one}" for one in passed_by]
        found[0].runs[0] = found[0].runs[0].with_notes(*notes)
    return found


def _read_training(
    root: str, typed: str, training: Training, options: ReadOptions
) -> list[_Found]:
    """Read the CSV and the event files of one training, and join them."""
    metadata = _metadata(training)
    by_place: dict[str, list[Run]] = {}
    if training.csv is not None:
        csv_runs = list(CsvLoggerReader(options, metadata).read(training.csv))
        by_place[training.place] = csv_runs
    if training.events is not None:
        by_place = _with_events(by_place, training, options, metadata)
    if not by_place:
        problem = "there is no log beside this run.json"
        hint = "Put logs.csv or tensorboard/ there, or remove the file"
        raise LogError(problem, source=training.run_json or root, hint=hint)
    return [
        _Found(*_names(root, typed, place), [_with_constant_rate(run) for run in runs])
        for place, runs in by_place.items()
    ]


def _metadata(training: Training) -> RunMetadata | None:
    if training.run_json is None:
        return None
    from cbreplay.run_metadata import parse_run_metadata

    content = read_bytes(training.run_json)
    text = content.decode("utf-8-sig", "replace")
    return parse_run_metadata(text, source=training.run_json)


def _with_events(
    by_place: dict[str, list[Run]],
    training: Training,
    options: ReadOptions,
    metadata: RunMetadata | None,
) -> dict[str, list[Run]]:
    """Read the event files too; beside a CSV, those of other tools are passed by."""
    from cbreplay.readers._join import join_logs
    from cbreplay.readers.tensorboard import TensorBoardReader

    place, events = training.place, training.events or ""
    csv_runs = by_place.get(place, [])
    try:
        event_runs = list(TensorBoardReader(options, metadata).read(events))
    except ForeignLogError as error:
        if not csv_runs:
            raise
        note = f"the event files were left out: {error.problem}"
        return {place: [run.with_notes(note) for run in csv_runs]}
    if not csv_runs:
        return {place: event_runs}
    runs, left = join_logs(csv_runs, event_runs, place)
    if not left:
        return {place: runs}
    # without any join there are two logs, and each is named by its file
    csv_place = place if len(left) < len(event_runs) else training.csv or place
    return {csv_place: runs, events: left}


def _with_constant_rate(run: Run) -> Run:
    """Give a run the rate of its optimizer, where nothing logged or changed it."""
    if run.learning_rate is not None or run.metadata is None:
        return run
    from cbreplay.readers._learning_rate import constant_rate

    rate = constant_rate(run.metadata, run.recorded_epochs)
    return run if rate is None else replace(run, learning_rate=rate)


def _names(root: str, typed: str, place: str) -> tuple[str, str]:
    """Return a short and a long name: from the directory, and as it was typed."""
    typed = os.path.normpath(typed)
    relative = os.path.relpath(place, root)
    if relative != os.curdir:
        return relative, os.path.join(typed, relative)
    if os.path.isdir(place) or os.path.isabs(typed):
        return os.path.basename(os.path.abspath(place)) or typed, typed
    return typed, typed


def _named(found: list[_Found]) -> list[Run]:
    """Name each run, the trainings of one log by number, so that no two are alike."""
    short = [one.name for one in found]
    taken: set[str] = set()
    runs = []
    for one in found:
        name = one.name if short.count(one.name) == 1 else one.long_name
        for number, run in enumerate(one.runs, start=1):
            unique = wanted = f"{name}#{number}" if len(one.runs) > 1 else name
            again = 2
            while unique in taken:
                unique = f"{wanted} ({again})"
                again += 1
            taken.add(unique)
            runs.append(run if run.name == unique else replace(run, name=unique))
    return runs
