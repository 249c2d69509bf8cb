"""Read the event files of Keras's TensorBoard callback, and of other tools."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.errors import LogError
from cbreplay.readers.base import (
    SKIP_HINT,
    Damage,
    ForeignLogError,
    read_beginning,
)
from cbreplay.readers.building.fits import TrainingRows, join_rows
from cbreplay.readers.building.rate_columns import LoggedRate
from cbreplay.readers.building.rows import Rows
from cbreplay.readers.building.runs import LogFacts, build_run
from cbreplay.readers.entries import event_files, holds_events, is_event_file
from cbreplay.readers.event_files.layouts import (
    HUGGING_FACE_EPOCH,
    KERAS_RATE_TAGS,
    choose_layout,
    count_evaluations,
    note_other_scalars,
    number_samples,
)
from cbreplay.readers.event_files.points import (
    cut_by_point,
    cut_by_series,
    join_writers,
    pair_points,
)
from cbreplay.readers.event_files.reading import read_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.event_files.layouts import Layout
    from cbreplay.readers.event_files.points import Points
    from cbreplay.readers.event_files.scalar_table import EventTable
    from cbreplay.run import Run
    from cbreplay.run_metadata import RunMetadata

__all__ = ["TensorBoardReader"]

# what the TensorBoard callback calls its two writers
_WRITERS = ("train", "validation")
_TIME = re.compile(r"tfevents\.(\d+)", re.ASCII)
_LIKE_VALIDATION = ("val", "valid", "eval", "test", "dev")
_SHOWN_TAGS, _SHOWN_FILES = 8, 3
_MOST_TRAININGS = 10_000


class TensorBoardReader:
    """Reader of a TensorBoard directory, or of one event file.

    Parameters
    ----------
    options : ReadOptions
        How damage is to be read, and what steps count.
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
            If nothing in the files is known to be an epoch; when strict, also if one
            is damaged.
        """
        scan = _scan(_event_files(path))
        tables = {
            writer: [one.table for one in files] for writer, files in scan.files.items()
        }
        layout = choose_layout(tables, self.options)
        damage = Damage(self.options)
        _report(scan, layout, damage)
        if layout is None:
            raise _no_epochs(path, scan, damage)
        read = _read_points(scan, layout)
        if not read.pieces:
            raise _no_epochs(path, scan, damage)
        if len(read.pieces) > _MOST_TRAININGS:
            problem = f"its steps go back {len(read.pieces)} times"
            raise LogError(problem, source=path, hint="Give the log of fewer trainings")
        notes = (*damage.notes(), *layout.notes, *read.notes, *_called_validation(path))
        pieces = [_rows(one) for one in read.pieces]
        records = join_rows(pieces, self.options, self.metadata, path)
        for number, record in enumerate(records):
            # run.json describes the training that ended last
            known = self.metadata if record is records[-1] else None
            run = self._run(record, path, known, notes, layout)
            if scan.notes:
                run = run.with_notes(*scan.notes)
            yield run if read.steps is None else _with_steps(run, number, read)

    def _run(
        self,
        record: TrainingRows,
        path: str,
        metadata: RunMetadata | None,
        notes: Sequence[str],
        layout: Layout,
    ) -> Run:
        rate: LoggedRate | None = None
        for name in layout.rates:
            logged = record.take_rate(name)
            if logged is None or not logged.recorded.any() or rate is not None:
                continue
            if name in KERAS_RATE_TAGS:
                # Keras 2 takes it from logs, as its CSVLogger does
                rate = LoggedRate(
                    logged, source="logs" if name == "epoch_lr" else "optimizer"
                )
            else:
                note = f"{name} was taken as the learning rate of each row"
                notes_of_rate = () if name == "lr" else (note,)
                rate = LoggedRate(logged, notes=notes_of_rate, source="")
        return build_run(
            record,
            LogFacts(notes=tuple(notes)),
            source=path,
            options=self.options,
            metadata=metadata,
            rate=rate,
        )


def _called_validation(path: str) -> Iterator[str]:
    """Doubt a directory that is called as other tools call their validation's."""
    directory = path if os.path.isdir(path) else os.path.dirname(path)
    name = os.path.basename(os.path.abspath(directory))
    if name.lower() in _LIKE_VALIDATION:
        yield (
            f"the directory {name} may hold the validation of a run beside it: only "
            "train and validation, as Keras calls them, are put together"
        )


def _event_files(path: str) -> dict[str, list[str]]:
    """Return the event files of each writer, in the order they were begun."""
    files: dict[str, list[str]] = {"": [], "train": [], "validation": []}
    if not os.path.isdir(path):
        if is_event_file(path) or holds_events(read_beginning(path, 64)):
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


class _File(NamedTuple):
    """An event file and what it holds."""

    path: str
    table: EventTable


class _Scan(NamedTuple):
    """The event files of each writer, and those that cannot be read at all."""

    files: dict[str, list[_File]]
    unread: list[LogError]
    notes: list[str]


def _scan(paths: Mapping[str, Sequence[str]]) -> _Scan:
    scan = _Scan({writer: [] for writer in paths}, [], [])
    empty = []
    for writer, listed in paths.items():
        for path in listed:
            if not _is_empty(path):
                try:
                    scan.files[writer].append(_File(path, read_events(path)))
                except LogError as error:
                    scan.unread.append(error)
            else:
                empty.append(path)
        read = [one for one in scan.files[writer] if len(one.table.tag)]
        if len(read) > 1:
            names = [os.path.basename(one.path) for one in read[:_SHOWN_FILES]]
            more = ", ..." if len(read) > _SHOWN_FILES else ""
            scan.notes.append(
                f"{writer or 'the directory'} holds {len(read)} event files, read in "
                f"the order of their times: {', '.join(names)}{more}"
            )
    if empty and (any(scan.files.values()) or scan.unread):
        # a writer that has not written yet
        names = [os.path.basename(one) for one in empty[:_SHOWN_FILES]]
        scan.notes.append(f"empty files were passed by: {', '.join(names)}")
    elif empty:
        problem, hint = "the file is empty", "Give a log with at least one epoch"
        scan.unread.append(LogError(problem, source=empty[0], hint=hint))
    return scan


def _is_empty(path: str) -> bool:
    try:
        return os.path.isfile(path) and os.path.getsize(path) == 0
    except OSError:
        return False


def _report(scan: _Scan, layout: Layout | None, damage: Damage) -> None:
    """Report what is damaged, file for file, in the order of each file."""
    for error in scan.unread:
        damage.report(error)
    for writer, files in scan.files.items():
        for file in files:
            errors = [*file.table.damage.errors]
            if layout is not None:
                errors += _negative_steps(file, writer, layout)
            for error in sorted(errors, key=lambda one: one.byte or 0):
                damage.report(error)
            damage.n_more += file.table.damage.n_more


def _negative_steps(file: _File, writer: str, layout: Layout) -> Iterator[LogError]:
    table = file.table
    for i in np.flatnonzero(table.steps < 0).tolist():
        tag = table.tags[table.tag[i]]
        if layout.series_name(tag, writer) is not None:
            problem = f"{tag} has the step {table.steps[i]}, below 0"
            byte = int(table.offsets[i])
            yield LogError(problem, source=file.path, byte=byte, hint=SKIP_HINT)


class _Read(NamedTuple):
    """The points of all trainings, and their steps where rows are no epochs."""

    pieces: list[Points]
    steps: list[Points] | None
    notes: list[str]


def _read_points(scan: _Scan, layout: Layout) -> _Read:
    """Put the points of training and validation together, fit by fit."""
    notes: list[str] = []
    cut = cut_by_point if layout.tool in ("keras", "old keras") else cut_by_series
    found: dict[str, list[Points]] = {}
    tags: dict[str, None] = {}
    for writer, files in scan.files.items():
        pieces: list[Points] = []
        for file in files:
            table, left_out = layout.to_epochs(file.table)
            names = [layout.series_name(tag, writer) for tag in table.tags]
            pieces += cut(table, names, os.path.basename(file.path))
            tags.update(dict.fromkeys(table.tags))
            notes += left_out
        found[writer], joined = join_writers(pieces)
        notes += joined
    train = found[""] or found["train"]
    pieces = pair_points(train, found["validation"])
    if layout.tool == "keras" and not train:
        there = any(scan.files[""] + scan.files["train"])
        held = "hold no epoch" if there else "are not here"
        notes.append(f"the training's own event files {held}: val_ only")
    if layout.tool == "keras":
        notes += note_other_scalars(tags)
        pieces, note = number_samples(pieces, set(tags))
        notes += [note] if note else []
    if layout.tool != "steps":
        return _Read(pieces, None, list(dict.fromkeys(notes)))
    pieces, evaluations, note = count_evaluations(pieces)
    return _Read(pieces, evaluations, [note, *dict.fromkeys(notes)])


def _rows(points: Points) -> Rows:
    place = f"file {points.file}"
    return Rows(points.steps, points.columns, points.wall_times, place)


def _with_steps(run: Run, number: int, read: _Read) -> Run:
    """Give a run the steps of its evaluations, and say where they begin and end."""
    # a training begins with evaluation 0
    begins = np.cumsum([int(one.steps[0]) == 0 for one in read.pieces]) - 1
    pairs = zip(read.steps or (), begins.tolist(), strict=True)
    steps = np.concatenate([one.steps for one, begun in pairs if begun == number])
    shown = f"the evaluations are those of the steps {steps[0]} to {steps[-1]}"
    return replace(run, steps=steps, notes=(*run.notes, shown))


def _no_epochs(path: str, scan: _Scan, damage: Damage) -> LogError:
    """Return the error of event files without epochs: the tags that there are."""
    tables = [file.table for files in scan.files.values() for file in files]
    tags = list(dict.fromkeys(tag for one in tables for tag in one.tags))
    if damage.errors and not tags:
        return damage.errors[0]
    others = dict.fromkeys(tag for one in tables for tag in one.other_tags)
    listed = [*tags, *others]
    shown = ", ".join(listed[:_SHOWN_TAGS])
    shown += ", ..." if len(listed) > _SHOWN_TAGS else ""
    if not tags:
        held = (
            f"its tags hold no scalar ({shown})"
            if listed
            else "it holds no summary at all"
        )
        problem = f"there is no epoch scalar of Keras (epoch_loss); {held}"
        hint = "Give the log_dir of Keras's TensorBoard callback"
        return ForeignLogError(problem, source=path, hint=hint)
    if HUGGING_FACE_EPOCH in tags:
        problem = (
            f"by its tag {HUGGING_FACE_EPOCH} the steps here are parts of epochs, and "
            "evaluations do not stand at the end of each"
        )
        hint = "To count evaluations: --x-axis step or x_axis='step'"
        return ForeignLogError(problem, source=path, hint=hint)
    problem = (
        "there is no epoch scalar of Keras (epoch_loss), and nothing says that the "
        f"steps here are epochs; its tags are {shown}"
    )
    hint = (
        "If each step is one epoch: --x-axis epoch or x_axis='epoch'; to count "
        "evaluations: --x-axis step or x_axis='step'"
    )
    return ForeignLogError(problem, source=path, hint=hint)
