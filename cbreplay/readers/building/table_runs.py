"""From a table with one row for each epoch to its runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.fits import join_rows
from cbreplay.readers.building.metric_columns import MetricColumns
from cbreplay.readers.building.numbering import number_epochs
from cbreplay.readers.building.rows import Rows, split_rows
from cbreplay.readers.building.runs import build_run
from cbreplay.readers.building.telling_columns import note_phases
from cbreplay.readers.columns.header import are_sorted_by_keras
from cbreplay.wording.note import Note
from cbreplay.wording.words import list_first

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.building.training_rows import TrainingRows
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import EpochArray, Run
    from cbreplay.run_metadata import RunMetadata

__all__ = ["build_runs"]

_ONE_HEADER = (
    "its trainings share one header: CSVLogger writes none for a fit that it appends, "
    "so a fit with as many other metrics would stand under wrong names"
)
_SHOWN = 5


def build_runs(
    table: LogTable, options: ReadOptions, metadata: RunMetadata | None = None
) -> Iterator[Run]:
    """Yield each training in a table with one row for each epoch.

    Raises
    ------
    LogError
        If it holds no metric; when strict, also if a row is damaged.
    """
    rows = _rows_in_order(table, options, metadata)
    above = [f"{table.counted} {rows.lines[cut]}" for cut in sorted(rows.cuts)]
    pieces = split_rows(rows, table, options.max_bytes)
    records = join_rows(pieces, options, metadata, table.source)
    if metadata is None:
        note_phases(records, table, rows)
    table.notes += _header_notes(table, above, len(records))
    table.notes += table.damage.notes()
    table.n_dropped = table.damage.n_dropped
    called = _names_of(records, table, rows)
    for record in records:
        # run.json describes the training that ended last
        known = metadata if record is records[-1] else None
        run = build_run(record, table, options, known)
        run = run if table.steps is None else _with_steps(run, table.steps)
        name = called.get(record.rows.place)
        yield run if name is None else run.with_name(name)


def _header_notes(table: LogTable, above: list[str], n_trainings: int) -> Iterator[str]:
    """Yield where the header stands again, or that trainings share one."""
    if above:
        yield f"the header stands again above {list_first(above, _SHOWN)}"
    elif (
        n_trainings > 1
        and table.counted == "line"
        and are_sorted_by_keras(table.header)
    ):
        yield _ONE_HEADER


def _names_of(
    records: Sequence[TrainingRows], table: LogTable, rows: Rows
) -> dict[str, str]:
    """Return names for the trainings, by the place where each begins; empty if none."""
    if len(records) == 1:
        return {}
    from cbreplay.readers.building.telling_columns import name_parts

    named = name_parts(table, rows).items()
    called = {f"{table.counted} {rows.lines[at]}": name for at, name in named}
    told = [called.get(record.rows.place, "") for record in records]
    return called if all(told) and len(set(told)) == len(told) else {}


def _rows_in_order(
    table: LogTable, options: ReadOptions, metadata: RunMetadata | None
) -> Rows:
    """Return the undamaged rows of a table in the order of their epochs."""
    columns = MetricColumns(table, options)
    times = () if table.wall_times is None else table.wall_times
    cuts = table.repeated_header
    rows = Rows(columns.epochs, columns.series, times, lines=table.lines, cuts=cuts)
    if not columns.whole.all():
        rows = rows.take(columns.whole)
    if options.parts == "rows":
        rows.cuts = set()
    elif not rows.follow_each_other:
        from cbreplay.readers.building.odd_epochs import put_in_order

        resumes = options.parts == "join" or bool(metadata and metadata.earlier_fits)
        rows = put_in_order(rows, table, resumes=resumes, damage=table.damage)
    known = table.counts_from_zero or table.steps is not None
    lacks_rows = table.damage.n_dropped > 0
    numbered = number_epochs(rows.epochs, options, known=known, lacks_rows=lacks_rows)
    rows.epochs = numbered.epochs
    if table.is_counted and options.parts == "split" and metadata is None:
        rows.count_models_anew()
    table.counts_from += numbered.counts_from
    table.notes += numbered.notes
    rows.cuts -= {0, len(rows.lines)}
    above_every_row = len(rows.cuts) + 1 == len(rows.lines) >= _MANY_FITS
    if above_every_row and (np.diff(rows.epochs) > 0).all():
        rows.cuts = set()
        table.notes.append(
            "the header stands above every row: they were read as rows of one fit"
        )
    return rows


# this many fits of one epoch each are read as one fit
_MANY_FITS = 3


def _with_steps(run: Run, steps: EpochArray) -> Run:
    """Give a run the steps of its rows, which are evaluations."""
    # `steps` begins at 0, whatever epoch the first row was given
    own = steps[run.first_epoch + run.counts_from :][: run.n_epochs]
    shown = f"the rows are those of the steps {own[0]} to {own[-1]}"
    return replace(run, steps=own).with_notes(Note(shown, "reading"))
