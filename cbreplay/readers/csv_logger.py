"""Read what Keras's CSVLogger wrote, and CSVs that people made of it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from cbreplay.errors import LogError
from cbreplay.readers._csv_text import (
    CsvText,
    decode_text,
    parse_cell,
    parse_text,
    shown_names,
    sniff_header,
)
from cbreplay.readers._fits import (
    Column,
    Record,
    Rows,
    build_run,
    join_rows,
    split_rows,
)
from cbreplay.readers._learning_rate import read_csv_rate
from cbreplay.readers.base import (
    SKIP_HINT,
    Damage,
    ForeignLogError,
    check_content,
    read_bytes,
)
from cbreplay.run import LEARNING_RATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.run import Run
    from cbreplay.run_metadata import RunMetadata

__all__ = ["CsvLoggerReader"]

_SUFFIXES = (".csv", ".log", ".tsv", ".txt")
_BEGINNING = 65_536
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_LISTS = "its cells are lists, not single numbers"
_TEXT = "no cell is a number"


class CsvLoggerReader:
    """Reader of CSV logs.

    Parameters
    ----------
    options : ReadOptions
        How damage and empty cells are to be read.
    metadata : RunMetadata, optional
        What the ``run.json`` beside the log says.
    """

    def __init__(
        self, options: ReadOptions, metadata: RunMetadata | None = None
    ) -> None:
        self.options, self.metadata = options, metadata

    def accepts(self, path: str) -> bool:
        """Tell whether a file is named like a log and has an ``epoch`` column.

        A ``logs.csv`` is one by its name, so that a damaged one is not passed by.
        """
        if os.path.basename(path) == "logs.csv":
            return os.path.exists(path)
        if not path.lower().endswith(_SUFFIXES):
            return False
        try:
            with open(path, "rb") as file:
                beginning = file.read(_BEGINNING)
            text, _ = decode_text(beginning, path)
        except (FileNotFoundError, LogError):
            return False
        except OSError:
            # reading it will say why
            return True
        header, _ = sniff_header(text)
        return len(header) > 1 and "epoch" in [name.lower() for name in header]

    def read(self, path: str) -> Iterator[Run]:
        """Yield each training in the file.

        Raises
        ------
        LogError
            If it is no CSV of numbers; when strict, also if a row is damaged.
        """
        yield from self.read_content(read_bytes(path), path)

    def read_content(self, content: bytes, source: str) -> Iterator[Run]:
        """Yield each training in the content of a file."""
        check_content(content, source)
        text, notes = decode_text(content, source)
        damage = Damage(self.options)
        parsed = parse_text(text, source, damage)
        rows, lines, cuts = _Cells(parsed, source, damage, self.options).rows()
        places = [f"line {line}" for line in lines]
        records = join_rows(split_rows(rows, places, cuts), self.metadata, source)
        if cuts:
            stands = " and ".join(places[cut] for cut in sorted(cuts))
            parsed.notes.append(f"the header stands once more above {stands}")
        notes = [*notes, *parsed.notes, *damage.notes()]
        for record in records:
            # run.json describes the training that ended last
            known = self.metadata if record is records[-1] else None
            yield _run(record, source, self.options, known, notes)


def _run(
    record: Record,
    source: str,
    options: ReadOptions,
    metadata: RunMetadata | None,
    notes: Sequence[str],
) -> Run:
    rates = [record.take_rate(name) for name in LEARNING_RATE_NAMES]
    logged = next((rate for rate in rates if rate is not None), None)
    if logged is not None and not logged.recorded.any():
        logged = None
    return build_run(
        record,
        source=source,
        options=options,
        metadata=metadata,
        rate=None if logged is None else read_csv_rate(logged, metadata),
        notes=notes,
    )


class _Cells:
    """The cells of a CSV on their way to numbers."""

    def __init__(
        self, parsed: CsvText, source: str, damage: Damage, options: ReadOptions
    ) -> None:
        self.parsed, self.source = parsed, source
        self.damage, self.options = damage, options
        self.unreadable: dict[int, str] = {}
        self.left_out: dict[str, list[str]] = {}
        self.n_empty = 0

    def rows(self) -> tuple[Rows, list[int], set[int]]:
        """Return the rows, their lines, and before which of them a header stands."""
        parsed = self.parsed
        cells = dict(
            zip(self._names(), map(list, zip(*parsed.rows, strict=True)), strict=True)
        )
        epoch_name = self._epoch_name(cells)
        epoch_cells = cells.pop(epoch_name, None) if epoch_name else None
        columns = {name: self._column(name, column) for name, column in cells.items()}
        kept = {name: one for name, one in columns.items() if one is not None}
        self._check_columns(kept, epoch_name)
        epochs = self._epochs(epoch_cells)
        whole = [i for i in range(len(parsed.rows)) if not self._damaged(i)]
        self._check_rows(whole)
        self._note_left_out()
        self._note_rates(kept)
        rows = Rows(
            [epochs[i] for i in whole],
            {name: [column[i] for i in whole] for name, column in kept.items()},
        )
        lines = [parsed.lines[i] for i in whole]
        self._check_steps(rows.epochs, lines)
        cuts = {sum(i < at for i in whole) for at in parsed.repeated_header}
        return rows, lines, cuts - {0, len(whole)}

    def _names(self) -> list[str]:
        """Return the column names; a nameless one gets its number."""
        return [name or f"#{i}" for i, name in enumerate(self.parsed.header)]

    def _epoch_name(self, cells: dict[str, list[str]]) -> str | None:
        """Choose the epoch column: by its name, else pandas's nameless index."""
        for name in cells:
            if name.lower() == "epoch":
                return name
        note = "there is no epoch column: the rows were taken as epochs 0, 1, 2, ..."
        index = cells.get("#0")
        if index is not None and all(cell.isdecimal() for cell in index):
            note = "there is no epoch column: the nameless first one was taken as it"
            self.parsed.notes.append(note)
            return "#0"
        self.parsed.notes.append(note)
        return None

    def _column(self, name: str, cells: list[str]) -> Column | None:
        """Read a column; None if it is none of numbers and was left out."""
        values: Column = []
        wrong: dict[int, str] = {}
        for i, cell in enumerate(cells):
            try:
                values.append(parse_cell(cell))
            except ValueError:
                values.append(None)
                wrong[i] = cell
        reason = self._reason_to_leave_out(name, cells, values, wrong)
        if reason:
            self.left_out.setdefault(reason, []).append(name)
            return None
        for i, cell in wrong.items():
            self.unreadable.setdefault(i, f"{cell!r} under {name} is not a number")
        if self.options.empty == "nan" and name not in LEARNING_RATE_NAMES:
            return self._with_nan(name, values, wrong)
        self.n_empty += sum(value is None for value in values) - len(wrong)
        return values

    def _with_nan(self, name: str, values: Column, wrong: dict[int, str]) -> Column:
        n_empty = sum(value is None for value in values) - len(wrong)
        if n_empty:
            note = f"{name}: {n_empty} empty cells were read as NaN"
            self.parsed.notes.append(note)
        return [float("nan") if value is None else value for value in values]

    def _reason_to_leave_out(
        self, name: str, cells: list[str], values: Column, wrong: dict[int, str]
    ) -> str:
        comma = next((i for i, c in wrong.items() if _DECIMAL_COMMA.fullmatch(c)), None)
        if comma is not None:
            problem = f"{wrong[comma]!r} under {name} has a decimal comma"
            hint = "Write decimal points, as Keras does"
            line = self.parsed.lines[comma]
            raise LogError(problem, source=self.source, line=line, hint=hint)
        if any(cell.strip('"').startswith("[") for cell in wrong.values()):
            return _LISTS
        if name.startswith("#"):
            return "a column without a name, as pandas writes its index"
        if name.startswith("val_") and set(cells) == {"NA"}:
            # CSVLogger invents these when the first epoch has no validation
            return "Keras named it, and never logged a value (every cell is NA)"
        if any(value is not None for value in values):
            return ""
        if wrong:
            return _TEXT
        return "" if self.options.empty == "nan" else "every cell is empty"

    def _check_columns(self, kept: dict[str, Column], epoch_name: str | None) -> None:
        header = shown_names(self.parsed.header)
        metrics = [name for name in kept if name not in LEARNING_RATE_NAMES]
        if not any(v is not None for name in metrics for v in kept[name]):
            problem = f"no cell of a metric is a number; the columns are {header}"
            hint = "Give the CSV that Keras's CSVLogger wrote"
            raise LogError(problem, source=self.source, hint=hint)
        odd = self.unreadable or {_LISTS, _TEXT} & self.left_out.keys()
        if epoch_name is None and odd:
            problem = f"there is no epoch column; the columns are {header}"
            hint = "Give the CSV that Keras's CSVLogger wrote, or name a column epoch"
            raise LogError(problem, source=self.source, line=1, hint=hint)

    def _epochs(self, cells: list[str] | None) -> list[int]:
        """Read the epoch column; a cell that is no epoch damages its row."""
        if cells is None:
            # without epochs, a header that stands once more begins another training
            starts = [0, *sorted(self.parsed.repeated_header)]
            return [
                i - max(start for start in starts if start <= i)
                for i in range(len(self.parsed.rows))
            ]
        epochs = []
        for i, cell in enumerate(cells):
            epoch = _epoch(cell)
            if epoch is None:
                self.unreadable[i] = f"the epoch {cell!r} is not a whole number"
            epochs.append(epoch or 0)
        return epochs

    def _damaged(self, row: int) -> bool:
        problem = self.unreadable.get(row)
        if problem is not None:
            line = self.parsed.lines[row]
            error = LogError(problem, source=self.source, line=line, hint=SKIP_HINT)
            self.damage.report(error)
        return problem is not None

    def _check_rows(self, whole: list[int]) -> None:
        if not whole:
            problem = "no row is whole"
            hint = "Give a log with at least one whole epoch"
            raise LogError(problem, source=self.source, hint=hint)

    def _note_left_out(self) -> None:
        if self.n_empty:
            self.parsed.notes.append(
                "an empty cell or NA was read as missing "
                "(--empty nan or empty='nan' reads it as NaN)"
            )
        for reason, names in self.left_out.items():
            self.parsed.notes.append(f"left out {', '.join(names)}: {reason}")

    def _note_rates(self, kept: dict[str, Column]) -> None:
        if all(name in kept for name in LEARNING_RATE_NAMES):
            note = "learning_rate stands beside lr: learning_rate was taken"
            self.parsed.notes.append(note)
        several = [name for name in kept if name.startswith("learning_rate_")]
        if several:
            note = f"{', '.join(several)}: kept as metrics, because a run has one rate"
            self.parsed.notes.append(note)

    def _check_steps(self, epochs: list[int], lines: list[int]) -> None:
        """Refuse a log whose rows are steps: they are no restarts."""
        if "step" not in self.parsed.header:
            return
        for i in range(1, len(epochs)):
            if epochs[i] == epochs[i - 1]:
                problem = f"epoch {epochs[i]} has several rows, one for each step"
                hint = "Give a log with one row for each epoch, as CSVLogger writes it"
                raise ForeignLogError(
                    problem, source=self.source, line=lines[i], hint=hint
                )


def _epoch(cell: str) -> int | None:
    """Return a zero-based epoch; pandas may have written 3 as 3.0."""
    try:
        number = parse_cell(cell)
    except ValueError:
        return None
    if number is None or not number.is_integer() or not 0 <= number < _EXACT:
        return None
    return int(number)


# above it, float64 no longer holds every whole number
_EXACT = 2**53
