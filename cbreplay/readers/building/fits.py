"""From the rows of a log to runs: restarts, resumed fits, missing epochs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from cbreplay.errors import ConfigError, LogError
from cbreplay.run import Run, Series

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Protocol

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.building.learning_rate import RateReading
    from cbreplay.run import BoolArray, EpochArray, FloatArray
    from cbreplay.run_metadata import RunMetadata

    class RowPlaces(Protocol):
        """Where each row stands, for the notes."""

        def __getitem__(self, position: int, /) -> str: ...


__all__ = ["Column", "Rows", "TrainingRows", "build_run", "join_rows", "split_rows"]

# an epoch number far beyond the others would make series that no memory holds
_MOST_MISSING = 1_000_000

# what a column can be made of: a value, or None where nothing was recorded
Column: TypeAlias = "list[float | None]"
Values: TypeAlias = "Series | Sequence[float | None]"


class Rows:
    """Rows of a log in its order, one epoch each.

    Parameters
    ----------
    epochs : array or sequence of int
        The epoch of each row.
    columns : mapping of str to Series or sequence
        The values, each column as long as `epochs`.
    wall_times : array or sequence of float
        When each epoch ended, in seconds; empty where the log does not say.
    place : str
        Where the rows begin, for a note: ``"line 12"``.
    """

    __slots__ = ("columns", "epochs", "place", "wall_times")

    def __init__(
        self,
        epochs: EpochArray | Sequence[int],
        columns: Mapping[str, Values],
        wall_times: FloatArray | Sequence[float] = (),
        place: str = "",
    ) -> None:
        self.epochs: EpochArray = np.asarray(epochs, dtype=np.int64)
        self.columns = {name: _as_series(one) for name, one in columns.items()}
        self.wall_times: FloatArray = np.asarray(wall_times, dtype=np.float64)
        self.place = place

    @property
    def follow_each_other(self) -> bool:
        """Whether each epoch is the one after that of the row above."""
        epochs = self.epochs
        span = int(epochs[-1]) - int(epochs[0]) + 1
        return span == len(epochs) and bool((epochs[1:] > epochs[:-1]).all())

    def take(self, kept: BoolArray | EpochArray | slice) -> Rows:
        """Return some of the rows, or all in another order."""
        columns = {name: one.take(kept) for name, one in self.columns.items()}
        times = self.wall_times[kept] if len(self.wall_times) else ()
        return Rows(self.epochs[kept], columns, times)

    def extend(self, other: Rows) -> None:
        """Put the rows of another after these; a column may be in one of them only."""
        before, after = len(self.epochs), len(other.epochs)
        for name in {**self.columns, **other.columns}:
            upper = self.columns.get(name) or _nothing(before)
            lower = other.columns.get(name) or _nothing(after)
            self.columns[name] = Series(
                np.concatenate([upper.values, lower.values]),
                np.concatenate([upper.recorded, lower.recorded]),
            )
        self.epochs = np.concatenate([self.epochs, other.epochs])
        self.wall_times = np.concatenate([self.wall_times, other.wall_times])


def _as_series(column: Values) -> Series:
    return column if isinstance(column, Series) else Series.from_optional(column)


def _nothing(length: int) -> Series:
    return Series(np.full(length, np.nan), np.zeros(length, dtype=np.bool_))


def split_rows(rows: Rows, places: RowPlaces, cuts: Collection[int]) -> list[Rows]:
    """Cut rows wherever an epoch does not follow upwards, and at the given positions.

    Parameters
    ----------
    rows : Rows
        All rows of the log.
    places : indexable of str
        Where each row stands, for the notes.
    cuts : collection of int
        Positions before which the log says that a fit began.
    """
    n_rows = len(rows.epochs)
    if not cuts and rows.follow_each_other:
        rows.place = places[0]
        return [rows]
    steps_back = np.flatnonzero(np.diff(rows.epochs) <= 0) + 1
    starts = sorted({0, *(cut for cut in cuts if cut < n_rows), *steps_back.tolist()})
    pieces = []
    for start, stop in zip(starts, [*starts[1:], n_rows], strict=True):
        piece = rows.take(slice(start, stop))
        piece.place = places[start]
        pieces.append(piece)
    return pieces


@dataclass(slots=True, eq=False, repr=False)
class TrainingRows:
    """One training, from the rows of one fit or of several that resumed each other.

    Parameters
    ----------
    rows : Rows
        The rows, with epochs that only go up.
    seams : dict of int to str
        The epochs at which a fit was resumed, each with its note.
    notes : list of str
        What else people should know.
    """

    rows: Rows
    seams: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def first_epoch(self) -> int:
        """The first epoch that has a row."""
        return int(self.rows.epochs[0])

    @property
    def horizon(self) -> int:
        """The last epoch that has a row."""
        return int(self.rows.epochs[-1])

    def drop_from(self, epoch: int) -> int:
        """Leave out the rows from an epoch on, and return how many they were."""
        n_kept = int(np.count_nonzero(self.rows.epochs < epoch))
        dropped = len(self.rows.epochs) - n_kept
        self.rows = self.rows.take(slice(n_kept))
        self.seams = {at: note for at, note in self.seams.items() if at < epoch}
        return dropped

    def take_rate(self, name: str) -> Series | None:
        """Take a column out as the float32 learning rate."""
        column = self.rows.columns.pop(name, None)
        return None if column is None else self.series(column, np.float32)

    def series(
        self, column: Values, dtype: type[np.floating[Any]] = np.float64
    ) -> Series:
        """Lay a column out over every epoch from the first to the last."""
        logged = _as_series(column)
        length = self.horizon - self.first_epoch + 1
        if length == len(logged) and logged.values.dtype == dtype:
            # no gap: a long log is not copied
            return logged
        values = np.full(length, np.nan, dtype=dtype)
        recorded = np.zeros(length, dtype=np.bool_)
        positions = self.rows.epochs - self.first_epoch
        # a rate beyond float32 is inf there, as it is for the optimizer
        with np.errstate(over="ignore"):
            values[positions] = logged.values
        recorded[positions] = logged.recorded
        return Series(values, recorded)


def join_rows(
    pieces: Sequence[Rows], metadata: RunMetadata | None, source: str
) -> list[TrainingRows]:
    """Put the pieces of a log together to trainings.

    A piece that goes on upwards belongs to the training before it. One that steps
    back is another training, unless ``run.json`` says that a fit was resumed at that
    epoch: then its rows replace those from there on.

    Raises
    ------
    LogError
        If an epoch is so far beyond the others that no memory would hold the series.
    """
    resumed = _resumed_epochs(metadata)
    pending = list(resumed)
    records: list[TrainingRows] = []
    for piece in pieces:
        first = int(piece.epochs[0])
        if records and first > records[-1].horizon:
            records[-1].seams[first] = _seam_note(first)
            records[-1].rows.extend(piece)
        elif records and first in pending:
            del pending[: pending.index(first) + 1]
            _replace_from(records[-1], piece)
        else:
            records.append(TrainingRows(piece))
    _note_seams(records[-1], resumed)
    _note_restarts(records)
    for record in records:
        _check_span(record, source)
    return records


def _resumed_epochs(metadata: RunMetadata | None) -> list[int]:
    """Return the epochs at which the fits after the first began."""
    if metadata is None or not metadata.earlier_fits:
        return []
    later = [*(one.fit for one in metadata.earlier_fits[1:]), metadata.fit]
    return [fit.initial_epoch for fit in later]


def _seam_note(epoch: int) -> str:
    return (
        f"a fit was resumed at epoch {epoch} (counted from 0): "
        "its callbacks were created anew there"
    )


def _replace_from(record: TrainingRows, piece: Rows) -> None:
    first = int(piece.epochs[0])
    dropped = record.drop_from(first)
    record.seams[first] = (
        f"{_seam_note(first)}, and its rows stand for the {dropped} earlier ones "
        "from that epoch on"
    )
    record.rows.extend(piece)


def _note_seams(record: TrainingRows, resumed: Iterable[int]) -> None:
    """Note the seams that only ``run.json`` knows, because the rows just go on."""
    for epoch in resumed:
        if record.first_epoch < epoch <= record.horizon:
            record.seams.setdefault(epoch, _seam_note(epoch))


def _note_restarts(records: Sequence[TrainingRows]) -> None:
    for number, record in enumerate(records, start=1):
        if len(records) == 1:
            return
        rows = record.rows
        back = f", where the epochs step back to {rows.epochs[0]} (counted from 0)"
        record.notes.append(
            f"the log holds {len(records)} trainings; this is number {number}, "
            f"from {rows.place} on{back if number > 1 else ''}"
        )


def _check_span(record: TrainingRows, source: str) -> None:
    span = record.horizon - record.first_epoch + 1
    if span - len(record.rows.epochs) > _MOST_MISSING:
        problem = (
            f"the epochs run from {record.first_epoch} to {record.horizon} "
            f"in {len(record.rows.epochs)} rows"
        )
        hint = "Correct the epoch that does not belong there"
        raise LogError(problem, source=source, hint=hint)


def build_run(
    record: TrainingRows,
    *,
    source: str,
    options: ReadOptions,
    metadata: RunMetadata | None = None,
    planned_epochs: int | None = None,
    rate: RateReading | None = None,
    notes: Iterable[str] = (),
    not_logged: Collection[str] = (),
) -> Run:
    """Make a run of a record whose columns are metrics only.

    Parameters
    ----------
    record : TrainingRows
        The training.
    source : str
        Where it was read; also the run's name until it gets a better one.
    options : ReadOptions
        How it was read.
    metadata : RunMetadata, optional
        What ``run.json`` says about this training.
    planned_epochs : int, optional
        The plan that the log itself states.
    rate : RateReading, optional
        The learning rate.
    notes : iterable of str
        What was odd about the whole log.
    not_logged : collection of str
        The metrics whose missing values were not logged, as the log itself says.

    Raises
    ------
    LogError
        If it holds no metric.
    """
    if not record.rows.columns:
        problem = "it holds no metric, only a learning rate"
        raise LogError(problem, source=source, hint="Log at least the loss")
    series = {name: record.series(one) for name, one in record.rows.columns.items()}
    planned, plan_notes = _plan(record, options, metadata, planned_epochs)
    if record.first_epoch > 0 and metadata is None:
        plan_notes.append(
            f"its first epoch in the log is {record.first_epoch}, taken as counted "
            f"from 0, so that {record.first_epoch} came before it"
        )
    seconds = _epoch_seconds(record)
    return Run(
        name=source,
        source=source,
        first_epoch=record.first_epoch,
        series=series,
        learning_rate=rate.learning_rate if rate else None,
        other_learning_rate=rate.other if rate else None,
        epoch_seconds=seconds,
        wall_seconds=_wall_seconds(seconds, metadata),
        started=_started(record, metadata),
        planned_epochs=planned,
        metadata=metadata,
        not_logged=frozenset(not_logged) & series.keys(),
        notes=(
            *notes,
            *record.notes,
            *_missing_notes(record, series),
            *(note for _, note in sorted(record.seams.items())),
            *plan_notes,
            *(rate.notes if rate else ()),
        ),
    )


def _missing_notes(record: TrainingRows, series: Mapping[str, Series]) -> list[str]:
    notes = []
    epochs = record.rows.epochs
    span = record.horizon - record.first_epoch + 1
    n_absent = span - len(epochs)
    if n_absent:
        notes.append(
            f"no row for {n_absent} of {span} epochs: {_gaps(epochs)} (counted from 0)"
        )
    counts: dict[int, list[str]] = {}
    for name, one in series.items():
        n_missing = len(epochs) - int(one.recorded.sum())
        if n_missing:
            counts.setdefault(n_missing, []).append(name)
    notes += [
        f"{', '.join(names)}: no value in {n_missing} of {len(epochs)} rows"
        for n_missing, names in counts.items()
    ]
    return notes


def _gaps(epochs: EpochArray) -> str:
    """Write the epochs between those that there are shortly: ``3-5, 9``."""
    before = np.flatnonzero(np.diff(epochs) > 1)
    ends = [(int(epochs[i]) + 1, int(epochs[i + 1]) - 1) for i in before[:_SHOWN]]
    shown = [f"{first}-{last}" if last > first else f"{first}" for first, last in ends]
    return ", ".join(shown) + (", ..." if len(before) > _SHOWN else "")


_SHOWN = 5


def _plan(
    record: TrainingRows,
    options: ReadOptions,
    metadata: RunMetadata | None,
    logged: int | None,
) -> tuple[int | None, list[str]]:
    """Choose the planned epochs: what the user says, else what the log says."""
    if logged is None and metadata is not None:
        logged = metadata.fit.epochs
    given = options.planned_epochs
    planned = logged if given is None else given
    notes = []
    if given is not None and logged not in (None, given):
        notes.append(f"planned epochs: {given} as given, not {logged} as recorded")
    if planned is not None and record.horizon >= planned:
        reached = record.horizon + 1
        if given is not None:
            sentence = (
                f"the log holds {reached} epochs, more than the {given} planned. "
                "Correct --planned-epochs or planned_epochs=."
            )
            raise ConfigError(sentence)
        notes.append(f"the log holds {reached} epochs, more than the {planned} planned")
    return planned, notes


def _epoch_seconds(record: TrainingRows) -> Series | None:
    """Return the time between the ends of neighbouring epochs of one fit."""
    epochs, times = record.rows.epochs, record.rows.wall_times
    if not len(times):
        return None
    # a pause between two fits, or a clock set back, is no epoch's time
    with np.errstate(over="ignore", invalid="ignore"):
        took = np.diff(times)
    counts = (np.diff(epochs) == 1) & (took >= 0)
    for seam in record.seams:
        counts &= epochs[1:] != seam
    values, recorded = np.full(len(times), np.nan), np.zeros(len(times), dtype=np.bool_)
    values[1:][counts], recorded[1:] = took[counts], counts
    return record.series(Series(values, recorded))


def _wall_seconds(seconds: Series | None, metadata: RunMetadata | None) -> float | None:
    """Return the total of ``run.json``, else that of the epochs with a known time."""
    recorded = metadata.raw.get("wall_seconds") if metadata is not None else None
    if isinstance(recorded, (int, float)) and not isinstance(recorded, bool):
        return float(recorded)
    if seconds is None or not seconds.recorded.any():
        return None
    known: FloatArray = seconds.values[seconds.recorded]
    return float(known.sum())


def _started(record: TrainingRows, metadata: RunMetadata | None) -> float | None:
    """Return when ``run.json`` says it began, else when its first row was written."""
    stated = metadata.started if metadata is not None else None
    if stated is not None or not len(record.rows.wall_times):
        return stated
    first = float(record.rows.wall_times[0])
    return first if math.isfinite(first) else None
