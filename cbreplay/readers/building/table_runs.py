"""From a table with one row for each epoch to runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import LogError
from cbreplay.readers.building.fits import (
    Rows,
    TrainingRows,
    build_run,
    join_rows,
    split_rows,
)
from cbreplay.readers.building.learning_rate import read_csv_rate
from cbreplay.readers.building.odd_epochs import check_epochs, find_order
from cbreplay.readers.columns.header import shown_names
from cbreplay.readers.columns.roles import (
    EXACT,
    INDEXES,
    are_epochs,
    check_one_kind,
    find_epoch,
    name_rate,
)
from cbreplay.run import LEARNING_RATE_NAMES, Series

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.columns.column import TableColumn
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import BoolArray, EpochArray, Run
    from cbreplay.run_metadata import RunMetadata

__all__ = ["build_runs"]

_LISTS = "its cells are lists, not single numbers"
_TEXT = "no cell is a number"
_ONE_HEADER = (
    "its trainings share one header: CSVLogger writes none for a fit that it appends, "
    "so a fit with as many other metrics would stand under wrong names"
)


def build_runs(
    table: LogTable, options: ReadOptions, metadata: RunMetadata | None = None
) -> Iterator[Run]:
    """Yield each training in a table with one row for each epoch.

    Raises
    ------
    LogError
        If it holds no metric; when strict, also if a row is damaged.
    """
    rows, lines, cuts = _RowsOfTable(table, options).rows()
    places = _LinesOfRows(table.counted, lines)
    records = join_rows(split_rows(rows, places, cuts), metadata, table.source)
    if cuts:
        stands = " and ".join(places[cut] for cut in sorted(cuts))
        table.notes.append(f"the header stands once more above {stands}")
    elif len(records) > 1 and table.counted == "line":
        table.notes.append(_ONE_HEADER)
    notes = [*table.notes, *table.damage.notes()]
    for record in records:
        # run.json describes the training that ended last
        known = metadata if record is records[-1] else None
        yield _run(record, table, options, known, notes)


class _LinesOfRows:
    """Where each row stands, written when it is asked for."""

    def __init__(self, counted: str, lines: EpochArray) -> None:
        self._counted, self._lines = counted, lines

    def __getitem__(self, position: int) -> str:
        return f"{self._counted} {self._lines[position]}"


def _run(
    record: TrainingRows,
    table: LogTable,
    options: ReadOptions,
    metadata: RunMetadata | None,
    notes: Sequence[str],
) -> Run:
    rates = [record.take_rate(name) for name in LEARNING_RATE_NAMES]
    logged = next((rate for rate in rates if rate is not None), None)
    if logged is not None and not logged.recorded.any():
        logged = None
    run = build_run(
        record,
        source=table.source,
        options=options,
        metadata=metadata,
        planned_epochs=table.planned_epochs,
        rate=None if logged is None else read_csv_rate(logged, metadata),
        notes=notes,
    )
    if table.steps is None:
        return run
    steps = table.steps[run.first_epoch : run.horizon + 1]
    shown = f"the rows are those of the steps {steps[0]} to {steps[-1]}"
    return replace(run, steps=steps, notes=(*run.notes, shown))


class _RowsOfTable:
    """The columns of a table on their way to the rows of trainings."""

    def __init__(self, table: LogTable, options: ReadOptions) -> None:
        self.table, self.options = table, options
        self.damaged: dict[int, str] = {}
        self.bad: BoolArray = np.zeros(len(table), dtype=np.bool_)
        self.left_out: dict[str, list[str]] = {}
        self.n_empty = 0

    def rows(self) -> tuple[Rows, EpochArray, set[int]]:
        """Return the rows, their lines, and before which of them a header stands."""
        table = self.table
        name_rate(table)
        columns = dict(table.columns)
        epoch_name = find_epoch(table)
        epoch_cells = columns.pop(epoch_name) if epoch_name else None
        kept = {name: cells for name, cells in columns.items() if self._keeps(name)}
        self._check_columns(kept, epoch_name)
        check_one_kind(self.table)
        for name, cells in kept.items():
            self._report_wrong(name, cells)
        epochs = self._epochs(epoch_cells)
        self._drop_damaged()
        whole = ~self.bad
        if not whole.any():
            problem, hint = (
                "no row is whole",
                "Give a log with at least one whole epoch",
            )
            raise LogError(problem, source=table.source, hint=hint)
        series = {name: self._series(name, cells) for name, cells in kept.items()}
        self._note_left_out(kept)
        self._note_rates(kept)
        cuts = {int(whole[:at].sum()) for at in table.repeated_header}
        lines = table.lines
        if not whole.all():
            epochs, lines = epochs[whole], lines[whole]
            series = {
                name: Series(one.values[whole], one.recorded[whole])
                for name, one in series.items()
            }
        times = self._wall_times(whole)
        found = None if cuts - {0, len(epochs)} else find_order(epochs)
        if found is not None:
            order, note = found
            table.notes.append(note)
            epochs, lines = epochs[order], lines[order]
            series = {
                name: Series(one.values[order], one.recorded[order])
                for name, one in series.items()
            }
            times = [times[row] for row in order] if times else []
        odd = check_epochs(epochs, lines, table.source, table.damage)
        rows = Rows(epochs, series, times)
        if odd.any():
            rows, lines = rows.without(odd), lines[~odd]
            cuts = {cut - int(odd[:cut].sum()) for cut in cuts}
        return rows, lines, cuts - {0, len(rows.epochs)}

    def _keeps(self, name: str) -> bool:
        """Tell whether a column is a series; note the reason if it is none."""
        self.table.check_decimal_comma(name)
        reason = self._reason_to_leave_out(name, self.table.columns[name])
        if reason:
            self.left_out.setdefault(reason, []).append(name)
        return not reason

    def _reason_to_leave_out(self, name: str, cells: TableColumn) -> str:
        none = (cells.missing | cells.wrong).all()
        lists = any(text.strip('"').startswith("[") for text in cells.texts.values())
        if none and lists:
            return _LISTS
        if name.startswith("#") or name == INDEXES[1]:
            return _nameless(name, cells)
        if not none:
            return ""
        return _TEXT if cells.wrong.any() else self._reason_of_empty(name, cells)

    def _reason_of_empty(self, name: str, cells: TableColumn) -> str:
        if name.startswith("val_") and cells.n_na == len(self.table):
            # CSVLogger invents these when the first epoch has no validation
            return "Keras named it, and never logged a value (every cell is NA)"
        if self.options.empty == "nan":
            return ""
        if self.table.counted == "row":
            return "no row has a value of it"
        return "every cell is empty" if cells.words <= {""} else "no cell has a value"

    def _check_columns(
        self, kept: dict[str, TableColumn], epoch_name: str | None
    ) -> None:
        header = shown_names(self.table.header)
        metrics = [one for name, one in kept.items() if name not in LEARNING_RATE_NAMES]
        if not metrics and not self.left_out:
            problem = f"there is no metric; the columns are {header}"
            hint = "Log at least the loss"
            raise LogError(problem, source=self.table.source, hint=hint)
        if all((one.missing | one.wrong).all() for one in metrics):
            problem = f"no cell of a metric is a number; the columns are {header}"
            hint = "Give the CSV that Keras's CSVLogger wrote"
            raise LogError(problem, source=self.table.source, hint=hint)
        texts = any(one.wrong.any() for one in kept.values())
        if epoch_name is None and (texts or {_LISTS, _TEXT} & self.left_out.keys()):
            problem = f"there is no epoch column; the columns are {header}"
            hint = "Give the CSV that Keras's CSVLogger wrote, or name a column epoch"
            raise LogError(problem, source=self.table.source, line=1, hint=hint)

    def _report_wrong(self, name: str, cells: TableColumn) -> None:
        self.bad |= cells.wrong
        for row in cells.texts:
            text = f"{cells.text(row)!r} under {name} is not a number"
            self.damaged.setdefault(row, text)

    def _epochs(self, cells: TableColumn | None) -> EpochArray:
        """Read the epoch column; a cell that is no epoch damages its row."""
        if cells is None:
            # without epochs, a header that stands once more begins another training
            starts = np.array([0, *sorted(self.table.repeated_header)])
            rows = np.arange(len(self.table))
            begun = starts[np.searchsorted(starts, rows, side="right") - 1]
            counted: EpochArray = rows - begun
            return counted
        good = are_epochs(cells.values)
        self.bad |= ~good
        for row in np.flatnonzero(~good)[:_SHOWN].tolist():
            self.damaged[row] = _no_epoch(cells.text(row), float(cells.values[row]))
        epochs: EpochArray = np.where(good, cells.values, 0).astype(np.int64)
        return epochs

    def _drop_damaged(self) -> None:
        for row in np.flatnonzero(self.bad).tolist():
            problem = self.damaged.get(row, "a cell is not a number")
            self.table.damage.report(self.table.error(problem, row))

    def _series(self, name: str, cells: TableColumn) -> Series:
        n_missing = int(cells.missing.sum())
        is_rate = name in LEARNING_RATE_NAMES
        if n_missing and self.options.empty == "nan" and not is_rate:
            note = f"{name}: {n_missing} empty cells were read as NaN"
            self.table.notes.append(note)
            return Series(cells.values, ~cells.wrong)
        self.n_empty += n_missing
        return Series(cells.values, ~(cells.missing | cells.wrong))

    def _wall_times(self, whole: BoolArray) -> list[float]:
        times = self.table.wall_times
        return [] if times is None else times[whole].tolist()

    def _note_left_out(self, kept: dict[str, TableColumn]) -> None:
        if self.n_empty:
            nan = "--empty nan or empty='nan' reads it as NaN"
            if "#0" in self.table.columns:
                nan = f"pandas, which names no index, writes a NaN so: {nan}"
            self.table.notes.append(f"{self._missing()} was read as missing ({nan})")
        wrapped = [one.wrapped for one in kept.values() if one.wrapped]
        if wrapped:
            note = (
                f"the number in cells such as {wrapped[0][:_SHOWN_LETTERS]} was taken"
            )
            self.table.notes.append(note)
        for reason, names in self.left_out.items():
            shown = [_spoken(name) for name in names]
            self.table.notes.append(f"left out {', '.join(shown)}: {reason}")

    def _missing(self) -> str:
        """Return what stands where a value is missing."""
        if self.table.counted == "row":
            return "a name without a value"
        cells = self.table.columns.values()
        words = {word for one in cells for word in one.words} - {"", "NA"}
        *most, last = ["an empty cell", "NA", *sorted(words)]
        return f"{', '.join(most)} or {last}"

    def _note_rates(self, kept: dict[str, TableColumn]) -> None:
        notes = self.table.notes
        if all(name in kept for name in LEARNING_RATE_NAMES):
            notes.append("learning_rate stands beside lr: learning_rate was taken")
        several = [name for name in kept if name.startswith(("learning_rate_", "lr_"))]
        if several:
            note = f"{', '.join(several)}: kept as metrics, because a run has one rate"
            notes.append(note)


_SHOWN, _SHOWN_LETTERS = 1000, 40


def _spoken(name: str) -> str:
    """Return a column's name, or the number of one without, counted from 1."""
    number = name.removeprefix("#")
    nameless = name.startswith("#") and number.isdecimal()
    return f"column {int(number) + 1}" if nameless else name


def _nameless(name: str, cells: TableColumn) -> str:
    if cells.missing.all():
        return "it has no name and no value"
    return "it has no name" + (
        ", as pandas writes its index" if name in INDEXES else ""
    )


def _no_epoch(text: str, value: float) -> str:
    if value < 0:
        return f"the epoch {text!r} is below 0"
    if value >= EXACT:
        return f"the epoch {text!r} is too large for one"
    return f"the epoch {text!r} is not a whole number"
