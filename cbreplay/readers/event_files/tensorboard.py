"""Read the event files of Keras's TensorBoard callback, and of other tools."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import LogError
from cbreplay.evidence.cadence import lay_steps
from cbreplay.readers.base import Damage, LogFacts, LogReader
from cbreplay.readers.building.evaluations import left_out_notes
from cbreplay.readers.building.fits import join_rows
from cbreplay.readers.building.numbering import number_epochs
from cbreplay.readers.building.rate_columns import (
    KERAS_RATE_TAGS,
    LoggedRate,
    take_rate,
)
from cbreplay.readers.building.rows import Rows
from cbreplay.readers.building.runs import build_run
from cbreplay.readers.event_files.beside_keras import with_other_scalars
from cbreplay.readers.event_files.epochs import (
    STEP,
    count_evaluations,
    drop_last_words,
    keep_epochs,
    number_samples,
)
from cbreplay.readers.event_files.files import read_files, report_damage
from cbreplay.readers.event_files.layouts import (
    HUGGING_FACE_EPOCH,
    choose_layout,
    drop_after_fit,
)
from cbreplay.readers.event_files.points import at_steps, cut_points, file_of
from cbreplay.readers.event_files.refused import (
    CROWDED,
    check_hyperparameters,
    no_epochs,
    nothing_left,
)
from cbreplay.readers.event_files.scalar_table import Scalars
from cbreplay.readers.event_files.several_files import (
    drop_purged,
    join_writers,
    pair_points,
    share_marks,
)
from cbreplay.readers.sizes import check_trainings
from cbreplay.wording.note import Note

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.building.training_rows import TrainingRows
    from cbreplay.readers.event_files.files import LogFiles
    from cbreplay.readers.event_files.layouts import Layout
    from cbreplay.readers.event_files.several_files import Purged
    from cbreplay.run import Run, Series
    from cbreplay.run_metadata import RunMetadata

__all__ = ["TensorBoardReader"]

_LIKE_VALIDATION = ("val", "valid", "eval", "test", "dev")
# the tools whose rules a training goes by, and not Keras's
_FRAMEWORKS = ("Ultralytics", "Lightning", "Hugging Face")
_MOST_MARKS = 50


class TensorBoardReader(LogReader):
    """Reader of a TensorBoard directory, or of one event file."""

    def read(self, path: str) -> Iterator[Run]:
        """Yield each training in the event files.

        Raises
        ------
        LogError
            If nothing in the files is known to be an epoch; when strict, also if one
            is damaged.
        """
        yield from self._runs(read_files([path], self.options.max_bytes), path)

    def read_together(self, paths: Sequence[str], place: str) -> list[Run]:
        """Return the trainings in several directories, of writers of the same one.

        They lie in the directory `place`; what is raised is as for `read`.
        """
        log = read_files(paths, self.options.max_bytes, place)
        return list(self._runs(log, place))

    def _runs(self, log: LogFiles, path: str) -> Iterator[Run]:
        damage = Damage(self.options)
        log = log._replace(files=share_marks(log.files))
        layout = self._layout_of(log, path, damage)
        held = {writer: drop_purged(files) for writer, files in log.files.items()}
        purged = dict.fromkeys(note for own in held.values() for note in own.notes)
        facts = LogFacts(path, (*damage.notes(), *layout.notes, *purged))
        parts = log._replace(files={name: own.parts for name, own in held.items()})
        records = self._read_trainings(parts, layout, facts, self.metadata)
        if not records:
            raise nothing_left(path, log, facts.left_out, damage)
        facts.n_dropped = damage.n_dropped
        facts.begins_at = layout.begins_at
        facts.axis_unit = "evaluations" if layout.tool == "steps" else "epochs"
        tool = "Hugging Face" if HUGGING_FACE_EPOCH in log.tags else layout.tool
        facts.framework = tool if tool in _FRAMEWORKS else ""
        if purged:
            last = records[-1]
            last.replaced += self._taken_back(parts, held, layout, last, path)
        for record in records:
            # run.json describes the training that ended last
            known = self.metadata if record is records[-1] else None
            steps = record.rows.columns.pop(STEP, None)
            for _, fit in record.replaced:
                if fit is not None:
                    fit.rows.columns.pop(STEP, None)
            run = build_run(record, facts, self.options, known, take_rate=_take_rate)
            if log.notes:
                run = run.with_notes(*log.notes)
            yield run if steps is None else _with_steps(run, steps)

    def _read_trainings(
        self,
        log: LogFiles,
        layout: Layout,
        facts: LogFacts,
        metadata: RunMetadata | None = None,
    ) -> list[TrainingRows]:
        """Read all trainings, at zero-based epochs; there may be none."""
        options = self.options
        pieces, joined = _read_points(log, layout, options, facts.left_out)
        if not pieces:
            return []
        n_notes = len(facts.notes)
        pieces = _rows_of(pieces, layout, log.tags, facts)
        by_row = options.parts == "rows"
        if layout.tool == "epochs" and by_row:
            # every row is the next epoch: the steps were not asked
            del facts.notes[n_notes:]
        check_trainings(len(pieces), file_of(pieces[0]), options.max_bytes)
        steps = np.concatenate([piece.epochs for piece in pieces])
        numbered = number_epochs(steps, options, known=layout.counts_from_zero)
        facts.counts_from = layout.first_step + numbered.counts_from
        left_out = left_out_notes(facts.left_out)
        validation = _called_validation(facts.source)
        facts.notes += [*joined, *left_out, *numbered.notes, *validation]
        pieces = at_steps(pieces, numbered.epochs)
        rows = [Rows.joined(pieces)] if by_row else pieces
        return join_rows(rows, options, metadata, facts.source)

    def _taken_back(
        self,
        log: LogFiles,
        purged: Mapping[str, Purged],
        layout: Layout,
        record: TrainingRows,
        path: str,
    ) -> list[tuple[int, TrainingRows | None]]:
        """Return the fits whose last values a mark took back, as `TrainingRows` has it.

        Where these cannot be told, all that is known is where the first one ended: the
        writers marked different restarts, or so many that nobody waits until the files
        were read once more for each.
        """
        found: list[tuple[int, TrainingRows | None]] = []
        marks = {name: own.marks for name, own in purged.items() if own.parts}
        n_marks = {*map(len, marks.values())}
        told = len(n_marks) == 1 and max(n_marks) <= _MOST_MARKS
        try:
            for of_writers in zip(*marks.values(), strict=True) if told else ():
                sides = [
                    log._replace(files=log.files | dict(zip(marks, own, strict=True)))
                    for own in zip(*of_writers, strict=True)
                ]
                fits, kept = (
                    self._read_trainings(side, layout, LogFacts(path)) for side in sides
                )
                if not fits or not kept or fits[-1].horizon <= kept[-1].horizon:
                    continue
                left = kept[-1].horizon
                # a fit may end before its first value; the next takes back more then
                seam = min((at for at in record.seams if at > left), default=left + 1)
                found = [(min(at, seam), own) for at, own in found]
                found.append((seam, fits[-1]))
        except LogError:
            told = False
        if not told:
            return [(seam, None) for seam in sorted(record.seams)[:1]]
        return [(seam, fit) for seam, fit in found if seam <= record.horizon]

    def _layout_of(self, log: LogFiles, path: str, damage: Damage) -> Layout:
        """Tell who laid the files out, and report what is damaged in them."""
        layout = choose_layout(log.tables, self.options)
        if layout is not None and layout.tool == "keras":
            counts = self.options.parts != "rows"
            layout = with_other_scalars(layout, log.files, steps_count=counts)
        report_damage(log, layout, damage)
        check_hyperparameters(log, path)
        if layout is None:
            raise no_epochs(path, log, damage)
        return layout


def _called_validation(path: str) -> Iterator[str]:
    """Doubt a directory that is called as other tools call their validation's."""
    directory = path if os.path.isdir(path) else os.path.dirname(path)
    name = os.path.basename(os.path.abspath(directory))
    if name.lower() in _LIKE_VALIDATION:
        yield (
            f"the directory {name} may hold the validation of a run beside it: only "
            "train and validation, as Keras calls them, are put together; with these "
            "names they are read as one run"
        )


def _read_points(
    log: LogFiles, layout: Layout, options: ReadOptions, left_out: dict[str, str]
) -> tuple[list[Rows], list[str]]:
    """Put the points of training and validation together, fit by fit, with notes.

    What is `left_out` is added with its reason.
    """
    left_out |= layout.silent
    notes, most = [], options.max_bytes
    of_writers: dict[str, list[Rows]] = {}
    for writer, files in log.files.items():
        parts, after = drop_after_fit(files)
        notes += after
        pieces: list[Rows] = []
        for part in parts:
            table, unread = layout.to_epochs(part)
            if options.parts == "rows":
                table = table.each(Scalars.numbered)
            series = layout.series_of(table, writer)
            cut, crowded = cut_points(series, most, log.name_of(table.path))
            if part.resumed and cut:
                cut[0].begins_file = False
            pieces += cut
            left_out |= unread | dict.fromkeys(crowded, CROWDED)
        of_writers[writer], joined = join_writers(pieces, most)
        notes += joined
    above, train = of_writers.pop(""), of_writers.pop("train")
    # a script may log in the directory and Keras below it
    train = pair_points(train, above, most) if layout.beside else above or train
    paired = train
    for pieces in of_writers.values():
        paired = pair_points(paired, pieces, most)
    if layout.tool == "keras" and not train:
        there = any(log.files[""] + log.files["train"])
        held = "hold no epoch" if there else "are not here"
        notes.append(f"the training's own event files {held}: val_ only")
    return paired, [*dict.fromkeys(notes)]


def _rows_of(
    pieces: list[Rows], layout: Layout, tags: Sequence[str], facts: LogFacts
) -> list[Rows]:
    """Tell which steps are rows, by the tool that wrote them or by the user."""
    if layout.tool == "keras":
        return number_samples(pieces, tags, facts)
    if layout.tool == "steps":
        return count_evaluations(pieces, facts)
    if layout.tool == "epochs":
        return keep_epochs(pieces, facts)
    return drop_last_words(pieces, facts)


def _take_rate(record: TrainingRows) -> LoggedRate:
    """Take the learning rate out of a training: Keras's, or whatever it is called."""
    for name, source in KERAS_RATE_TAGS.items():
        logged = record.take_rate(name)
        if logged is not None and logged.recorded.any():
            return LoggedRate(logged, source=source)
    # another tool writes the rate of each row
    return take_rate(record)._replace(source="")


def _with_steps(run: Run, logged: Series) -> Run:
    """Give a run the steps of its evaluations, and say where they begin and end."""
    at = np.flatnonzero(logged.recorded)
    steps = lay_steps(at, logged.values[at], len(logged))
    note = f"the evaluations are those of the steps {steps[0]} to {steps[-1]}"
    return replace(run, steps=steps).with_notes(Note(note, "reading"))
