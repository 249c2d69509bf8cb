"""Read the epoch scalars of Keras's TensorBoard callback from event files."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.errors import LogError
from cbreplay.readers._event_proto import EventScalars, Scalar
from cbreplay.readers._fits import (
    Column,
    Record,
    Rows,
    build_run,
    join_rows,
    split_rows,
)
from cbreplay.readers._layout import event_files
from cbreplay.readers._learning_rate import read_event_rate
from cbreplay.readers._record_io import read_records
from cbreplay.readers.base import SKIP_HINT, Damage, ForeignLogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.readers._learning_rate import RateReading
    from cbreplay.readers.base import ReadOptions
    from cbreplay.run import Run
    from cbreplay.run_metadata import RunMetadata

__all__ = ["TensorBoardReader"]

# what the TensorBoard callback calls its two writers
_WRITERS = ("train", "validation")
_PREFIX = "epoch_"
_RATE_TAGS = ("epoch_learning_rate", "epoch_lr")
_TIME = re.compile(r"tfevents\.(\d+)", re.ASCII)
_SHOWN_TAGS = 8


class TensorBoardReader:
    """Reader of a TensorBoard directory, or of one event file.

    Parameters
    ----------
    options : ReadOptions
        How damage is to be read.
    metadata : RunMetadata, optional
        What the ``run.json`` above the directory says.
    """

    def __init__(
        self, options: ReadOptions, metadata: RunMetadata | None = None
    ) -> None:
        self.options, self.metadata = options, metadata

    def accepts(self, path: str) -> bool:
        """Tell whether event files lie there, under ``train/`` or ``validation/``."""
        return any(_event_files(path).values())

    def read(self, path: str) -> Iterator[Run]:
        """Yield each training in the event files.

        Raises
        ------
        LogError
            If no file holds an epoch scalar of Keras; when strict, also if one is
            damaged.
        """
        damage = Damage(self.options)
        files = _event_files(path)
        scans = {name: _scan(files[name], name, damage) for name in files}
        train = scans[""] if scans[""].points else scans["train"]
        if not any(scan.points for scan in scans.values()):
            raise _no_epochs(path, scans.values(), damage)
        notes = damage.notes()
        if not train.points:
            notes = (*notes, "the training's own event files hold no epoch: val_ only")
        pieces = _pair(_pieces(train), _pieces(scans["validation"]))
        records = join_rows(pieces, self.metadata, path)
        for record in records:
            # run.json describes the training that ended last
            known = self.metadata if record is records[-1] else None
            yield self._run(record, path, known, notes)

    def _run(
        self,
        record: Record,
        path: str,
        metadata: RunMetadata | None,
        notes: Sequence[str],
    ) -> Run:
        rates = [(tag, record.take_rate(tag)) for tag in _RATE_TAGS]
        rate: RateReading | None = None
        for tag, logged in rates:
            if logged is not None and logged.recorded.any() and rate is None:
                rate = read_event_rate(logged, tag, metadata, record.first_epoch)
        return build_run(
            record,
            source=path,
            options=self.options,
            metadata=metadata,
            rate=rate,
            notes=notes,
        )


def _event_files(path: str) -> dict[str, list[str]]:
    """Return the event files of each writer, in the order they were begun."""
    files: dict[str, list[str]] = {"": [], "train": [], "validation": []}
    if not os.path.isdir(path):
        if "tfevents" in os.path.basename(path):
            files[_writer_of(os.path.dirname(path))].append(path)
        return files
    files[_writer_of(path)] = _listed(path, path)
    for writer in _WRITERS:
        files[writer] += _listed(os.path.join(path, writer), path)
    return files


def _writer_of(directory: str) -> str:
    name = os.path.basename(os.path.abspath(directory))
    return name if name in _WRITERS else ""


def _listed(directory: str, root: str) -> list[str]:
    def begun(name: str) -> tuple[int, str]:
        time = _TIME.search(name)
        return (int(time[1]) if time else 0, name)

    names = sorted(event_files(directory, root), key=begun)
    return [os.path.join(directory, name) for name in names]


@dataclass(slots=True)
class _Point:
    """What one writer wrote at the end of one epoch."""

    epoch: int
    wall_time: float
    file: str
    values: dict[str, float] = field(default_factory=dict)


class _Scan(NamedTuple):
    """What one writer's files hold."""

    points: list[_Point]
    tags: list[str]
    files: list[str]


def _scan(files: Sequence[str], writer: str, damage: Damage) -> _Scan:
    """Read the epoch scalars of a writer's files; a repeated step is a new point."""
    points: list[_Point] = []
    names: dict[str, str | None] = {}
    tags: dict[str, None] = {}
    for path in files:
        events = EventScalars()
        file = os.path.basename(path)
        for offset, payload in read_records(path, damage):
            for scalar in _scalars(events, payload, path, offset, damage):
                if scalar.tag not in names:
                    names[scalar.tag] = _series_name(scalar.tag, writer)
                name = names[scalar.tag]
                if name is None:
                    tags.setdefault(scalar.tag)
                elif scalar.step < 0:
                    problem = f"{scalar.tag} has the step {scalar.step}, below 0"
                    damage.report(
                        LogError(problem, source=path, byte=offset, hint=SKIP_HINT)
                    )
                else:
                    _add(points, scalar, name, file)
        tags.update(events.other_tags)
    return _Scan(points, list(tags), list(files))


def _scalars(
    events: EventScalars, payload: bytes, path: str, offset: int, damage: Damage
) -> list[Scalar]:
    try:
        return events.read(payload)
    except ValueError as error:
        problem = f"this record is not an event ({error})"
        damage.report(LogError(problem, source=path, byte=offset, hint=SKIP_HINT))
        return []


def _series_name(tag: str, writer: str) -> str | None:
    """Return the Keras name of an epoch scalar; the rate keeps its tag."""
    if not tag.startswith(_PREFIX) or tag == _PREFIX:
        return None
    if writer == "validation":
        return f"val_{tag.removeprefix(_PREFIX)}"
    return tag if tag in _RATE_TAGS else tag.removeprefix(_PREFIX)


def _add(points: list[_Point], scalar: Scalar, name: str, file: str) -> None:
    last = points[-1] if points else None
    fits = last is not None and last.epoch == scalar.step and last.file == file
    if last is None or not fits or name in last.values:
        last = _Point(scalar.step, scalar.wall_time, file)
        points.append(last)
    last.values[name] = scalar.value


def _no_epochs(path: str, scans: Iterable[_Scan], damage: Damage) -> LogError:
    """Return the error of event files without epochs: the tags that there are."""
    if damage.errors:
        return damage.errors[0]
    tags = list(dict.fromkeys(tag for scan in scans for tag in scan.tags))
    shown = ", ".join(tags[:_SHOWN_TAGS]) + (", ..." if len(tags) > _SHOWN_TAGS else "")
    held = f"its tags are {shown}" if tags else "it holds no summary at all"
    problem = f"there is no epoch scalar of Keras (epoch_loss); {held}"
    hint = "Give the log_dir of Keras's TensorBoard callback"
    return ForeignLogError(problem, source=path, hint=hint)


def _pieces(scan: _Scan) -> list[Rows]:
    """Cut a writer's points where the steps step back or another file begins."""
    points = scan.points
    if not points:
        return []
    names = dict.fromkeys(name for point in points for name in point.values)
    columns: dict[str, Column] = {
        name: [point.values.get(name) for point in points] for name in names
    }
    epochs = [point.epoch for point in points]
    rows = Rows(epochs, columns, [point.wall_time for point in points])
    cuts = [i for i in range(1, len(points)) if points[i].file != points[i - 1].file]
    return split_rows(rows, [f"file {point.file}" for point in points], cuts)


def _pair(train: list[Rows], validation: list[Rows]) -> list[Rows]:
    """Put the validation rows beside the training rows of the same fit.

    Each fit writes one piece of each, or of one only. Where their numbers differ, a
    piece of validation belongs to the last fit that had logged before it began.
    """
    if not train:
        return validation
    in_order = len(train) == len(validation)
    groups: list[list[Rows]] = [[] for _ in train]
    for i, piece in enumerate(validation):
        begun = [
            j for j, fit in enumerate(train) if fit.wall_times[0] <= piece.wall_times[0]
        ]
        groups[i if in_order else max(begun, default=0)].append(piece)
    return [_merged([fit, *group]) for fit, group in zip(train, groups, strict=True)]


def _merged(pieces: Sequence[Rows]) -> Rows:
    """Put pieces of one fit side by side, by epoch; a later one stands."""
    values: dict[int, dict[str, float | None]] = {}
    wall_times: dict[int, float] = {}
    for piece in pieces:
        for i, epoch in enumerate(piece.epochs):
            row = values.setdefault(epoch, {})
            row.update({name: column[i] for name, column in piece.columns.items()})
            wall_times.setdefault(epoch, piece.wall_times[i])
    epochs = sorted(values)
    names = dict.fromkeys(name for piece in pieces for name in piece.columns)
    columns: dict[str, Column] = {
        name: [values[epoch].get(name) for epoch in epochs] for name in names
    }
    times = [wall_times[epoch] for epoch in epochs]
    return Rows(epochs, columns, times, pieces[0].place)
