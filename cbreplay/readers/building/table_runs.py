"""From a table with one row for each epoch to its runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.note import Note
from cbreplay.readers.building.fits import join_rows
from cbreplay.readers.building.metric_columns import MetricColumns
from cbreplay.readers.building.numbering import number_epochs
from cbreplay.readers.building.rate_columns import take_rate
from cbreplay.readers.building.rows import Rows, split_rows
from cbreplay.readers.building.runs import LogFacts, build_run
from cbreplay.readers.building.telling_columns import note_phases, rows_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.building.training_rows import TrainingRows
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import BoolArray, EpochArray, Run
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
    rows, lines, cuts = _rows_in_order(table, options, metadata)

    def place_of(row: int) -> str:
        return f"{table.counted} {lines[row]}"

    pieces = split_rows(
        rows, place_of, cuts, source=table.source, most=options.max_bytes
    )
    records = join_rows(pieces, options, metadata, table.source)
    if metadata is None:
        note_phases(records, table, rows, lines)
    table.notes += _header_notes(table, list(map(place_of, sorted(cuts))), len(records))
    facts = _facts_of(table)
    called = _names_of(records, table, rows, lines)
    for record in records:
        # run.json describes the training that ended last
        known = metadata if record is records[-1] else None
        run = build_run(
            record,
            facts,
            source=table.source,
            options=options,
            metadata=known,
            take_rate=take_rate,
        )
        run = run if table.steps is None else _with_steps(run, table.steps)
        name = called.get(record.rows.place)
        yield run if name is None else replace(run, name=name)


def _header_notes(table: LogTable, above: list[str], n_trainings: int) -> Iterator[str]:
    """Yield where the header stands again, or that trainings share one."""
    if above:
        stands = " and ".join(above[:_SHOWN]) + (", ..." if above[_SHOWN:] else "")
        yield f"the header stands once more above {stands}"
    elif n_trainings > 1 and table.counted == "line" and not table.has_own_rows:
        yield _ONE_HEADER


def _facts_of(table: LogTable) -> LogFacts:
    """Return what a table tells of all its trainings."""
    return LogFacts(
        notes=(*table.notes, *table.damage.notes()),
        planned_epochs=table.planned_epochs,
        not_logged=frozenset(table.not_logged),
        empty_cells=frozenset(table.empty_cells),
        written_again=table.written_again,
        n_dropped=table.damage.n_dropped,
        left_out=table.left_out,
        counts_from=table.counts_from,
        begins_at=table.begins_at,
        axis_unit=table.axis_unit,
        framework=table.framework,
    )


def _names_of(
    records: Sequence[TrainingRows], table: LogTable, rows: Rows, lines: EpochArray
) -> dict[str, str]:
    """Return names for the trainings, by the place where each begins; empty if none."""
    if len(records) == 1:
        return {}
    from cbreplay.readers.building.telling_columns import name_parts

    named = name_parts(table, rows.epochs, rows_at(table.lines, lines))
    called = {f"{table.counted} {lines[at]}": name for at, name in named.items()}
    told = [called.get(record.rows.place, "") for record in records]
    return called if all(told) and len(set(told)) == len(told) else {}


class _Placed(NamedTuple):
    """Rows, the line of each, and the positions before which the header is repeated."""

    rows: Rows
    lines: EpochArray
    cuts: set[int]

    def take(self, kept: BoolArray | EpochArray) -> _Placed:
        """Return some of the rows, or all in another order."""
        if kept.dtype == np.bool_:
            cuts = {int(np.count_nonzero(kept[:cut])) for cut in self.cuts}
        else:
            # in a new order, a header begins a fit only if the rows above it are still
            # the same
            before = np.maximum.accumulate([-1, *kept.tolist()])
            cuts = {cut for cut in self.cuts if before[cut] < cut}
        return _Placed(self.rows.take(kept), self.lines[kept], cuts)

    def folded(self) -> _Placed:
        """Merge consecutive rows of one epoch."""
        begins = self.rows.begins
        group = np.cumsum(begins) - 1
        ends = np.append(begins[1:], [True])
        cuts = {int(group[cut]) for cut in self.cuts if cut < len(group)}
        return _Placed(self.rows.folded(), self.lines[ends], cuts)


def _rows_in_order(
    table: LogTable, options: ReadOptions, metadata: RunMetadata | None
) -> _Placed:
    """Return the undamaged rows of a table in the order of their epochs."""
    columns = MetricColumns(table, options)
    times = () if table.wall_times is None else table.wall_times
    rows = Rows(columns.epochs, columns.series, times)
    placed = _Placed(rows, table.lines, table.repeated_header)
    if not columns.whole.all():
        placed = placed.take(columns.whole)
    if options.parts == "rows":
        placed = placed._replace(cuts=set())
    elif not placed.rows.follow_each_other:
        resumes = options.parts == "join" or bool(metadata and metadata.earlier_fits)
        placed = _without_odd_rows(placed, table, resumes=resumes)
    known = table.counts_from_zero or table.steps is not None
    numbered = number_epochs(placed.rows.epochs, options, known=known)
    placed.rows.epochs = numbered.epochs
    table.counts_from += numbered.counts_from
    table.notes += numbered.notes
    cuts = placed.cuts - {0, len(placed.lines)}
    above_every_row = len(cuts) + 1 == len(placed.lines) >= _MANY_FITS
    if above_every_row and (np.diff(placed.rows.epochs) > 0).all():
        cuts = set()
        table.notes.append(
            "the header stands above every row: they were read as rows of one fit"
        )
    return placed._replace(cuts=cuts)


# this many fits of one epoch each are read as one fit
_MANY_FITS = 3


def _without_odd_rows(placed: _Placed, table: LogTable, *, resumes: bool) -> _Placed:
    from cbreplay.readers.building.odd_epochs import (
        check_epochs,
        find_doubles,
        find_order,
        may_be_resumed,
    )

    found = find_order(placed.rows.epochs)
    if found is not None:
        order, note = found
        table.notes.append(note)
        placed = placed.take(order)
    odd = check_epochs(placed.rows.epochs, placed.lines, table.source, table.damage)
    if odd.any():
        placed = placed.take(~odd)
    epochs, lines, source = placed.rows.epochs, placed.lines, table.source
    doubled = find_doubles(epochs, lines, source, resumes=resumes, cuts=placed.cuts)
    if doubled is None:
        return placed
    table.written_again = may_be_resumed(epochs, lines, source)
    placed = placed.take(doubled)
    again = placed.lines[placed.rows.repeated]
    if len(again) == 1:
        note = f"line {again[0]} repeats the row above, to the digit: it was read once"
        table.notes.append(note)
    elif len(again):
        rows = f"{len(again)} rows repeat the row above, to the digit (the first is "
        table.notes.append(f"{rows}line {again[0]}): they were read once")
    return placed.folded()


def _with_steps(run: Run, steps: EpochArray) -> Run:
    """Give a run the steps of its rows, which are evaluations."""
    # `steps` begins at 0, whatever epoch the first row was given
    own = steps[run.first_epoch + run.counts_from :][: run.n_epochs]
    shown = f"the rows are those of the steps {own[0]} to {own[-1]}"
    return replace(run, steps=own).with_notes(Note(shown, "reading"))
