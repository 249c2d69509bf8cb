"""A log as named columns of numbers, held in arrays however long it is."""

from __future__ import annotations

import re
from copy import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cbreplay.readers.base import SKIP_HINT, ForeignLogError, LogFacts
from cbreplay.readers.columns.cells import parse_cell
from cbreplay.readers.columns.column import LogColumn
from cbreplay.readers.columns.column_names import is_epoch_name
from cbreplay.readers.columns.header import shown_names
from cbreplay.readers.columns.merged_rows import collapse_columns
from cbreplay.readers.sizes import check_cells, check_columns
from cbreplay.series_names import is_rate_name
from cbreplay.wording.note import Note, reworded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cbreplay.errors import LogError
    from cbreplay.readers.base import Damage
    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = ["DECIMAL_COMMA", "LogTable"]

# thousands separated by a sign, with decimals after another sign, or twice in a number
_GROUPED = (
    r"[+-]?[0-9]{1,3}(?:(?:,[0-9]{3})+\.[0-9]+|(?:\.[0-9]{3})+,[0-9]+"
    r"|(?:(?P<sign>[,. '\u00a0\u202f])[0-9]{3})(?:(?P=sign)[0-9]{3})+"
    r"|(?:[ '\u00a0\u202f][0-9]{3})+(?:[.,][0-9]+)?)"
)
DECIMAL_COMMA = r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?"


_STEPWISE = (
    "several values in an epoch, one for each step "
    "(--x-axis step or x_axis='step' makes a row of each evaluation)"
)


class LogTable(LogFacts):
    """A CSV as columns.

    Attributes
    ----------
    header : list of str
        The names as they are written, some perhaps empty.
    columns : dict of str to LogColumn
        The columns by name; a nameless one is called by its number: ``"#0"``.
    lines : int array of shape (n_rows,)
        The line of each row.
    repeated_header : set of int
        Positions of the rows before which the header is repeated.
    said_fits : dict of int to str
        By their line, texts between rows that say that a fit begins.
    damage : Damage
        What was dropped so far.
    kinds : int array of shape (n_rows,)
        Which kind of row each is, where they are of several data sets or metrics.
    wall_times : array of shape (n_rows,), or None
        When each row was written, in seconds, where a format knows it.
    crlf : bool
        Whether its lines end with CRLF, as Keras ends them.
    counts_from_zero : bool
        Whether the writer is known to count epochs from 0.
    is_counted : bool
        Whether no column of epochs says which one a row is of: the rows, or their
        steps, were counted.
    steps : int array, or None
        The step of each epoch from 0 on, where these are numbers of evaluations.
    may_be_drawn : bool
        Whether the writer exports samples of a longer history.
    has_other_rows : bool
        Whether it has rows for other things than a metric: then an epoch without a
        value of the metric did not log one.
    is_shortened : bool
        Whether rows were left out, as those between two evaluations.
    has_own_rows : set of str
        The metrics that have rows of their own, so that a missing value has no cell.
    scattered : set of str
        The columns that have a value in some rows of an epoch alone: an empty cell says
        that the row is of something else, not that a value was NaN.
    """

    def __init__(self, source: str, damage: Damage, header: Sequence[str]) -> None:
        super().__init__(source)
        check_columns(len(header), source, damage.max_bytes)
        self.damage, self.header = damage, list(header)
        # names that the header has twice, by the key of the second column
        self._repeated: dict[str, str] = {}
        self.columns: dict[str, LogColumn] = {}
        for i, name in enumerate(header):
            key = name or f"#{i}"
            if key in self.columns:
                key = f"{name}\t{i}"
                self._repeated[key] = name
            self.columns[key] = LogColumn(of_groups=is_rate_name(name))
        self.lines: EpochArray = np.zeros(0, dtype=np.int64)
        self.kinds: EpochArray = self.lines
        self.repeated_header: set[int] = set()
        self.said_fits: dict[int, str] = {}
        self.wall_times: FloatArray | None = None
        self.counted = "line"
        self.crlf = self.counts_from_zero = self.is_counted = False
        self.steps: EpochArray | None = None
        self.has_other_rows = self.may_be_drawn = False
        self.is_shortened = False
        self.has_own_rows: set[str] = set()
        self.scattered: set[str] = set()

    def join_repeated(self) -> None:
        """Leave out a column that is there twice with the same cells.

        Raises
        ------
        LogError
            If the cells differ.
        """
        for key, name in self._repeated.items():
            first, second = self.columns[name], self.columns.pop(key)
            row = first.differs_in(second)
            if row is not None:
                problem = f"two columns are named {name!r}, and they differ here"
                raise self.error(problem, row, "Rename or delete one of them")
            note = f"{name} stands there twice with the same values: it was read once"
            self.notes.append(note)

    @classmethod
    def of_plain(
        cls, names: Sequence[str], values: FloatArray, source: str, damage: Damage
    ) -> LogTable:
        """Make a table of finite numbers below a header in the first line.

        `values` has the shape (n_columns, n_rows), and the names are all different.
        """
        check_columns(len(names), source, damage.max_bytes)
        table = cls(source, damage, [])
        table.header = list(names)
        n_rows = values.shape[1]
        states = np.zeros(n_rows, dtype=np.uint16)
        states.setflags(write=False)
        table.columns = {
            name: LogColumn.of_numbers(own, states)
            for name, own in zip(names, values, strict=True)
        }
        table.lines = np.arange(2, n_rows + 2)
        return table

    @classmethod
    def of_rows(
        cls, rows: Sequence[Mapping[str, Any]], source: str, damage: Damage
    ) -> LogTable:
        """Make a table of rows that are mappings, as in JSON; None is missing."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        table = cls(source, damage, names)
        n_missing = len(names) * len(rows) - sum(map(len, rows))
        what = f"its {len(rows):,} rows name {len(names):,} columns between them"
        check_cells(n_missing, source, damage.max_bytes, what)
        table.counted = "row"
        table.lines = np.arange(1, len(rows) + 1)
        for name, cells in table.columns.items():
            cells.add([row.get(name) for row in rows], _parse_value)
            cells.finish()
        table.finish()
        return table

    def add_below(self, other: LogTable) -> None:
        """Add the rows of a table that stands below this one, under its own header.

        What only one of the two names was not logged in the rows of the other.
        """
        tables = self.columns, other.columns
        changed = self.columns.keys() ^ other.columns.keys()
        self.has_own_rows |= changed | other.has_own_rows
        self.not_logged |= other.not_logged | {
            name
            for name in changed
            if not any(own[name].missing.any() for own in tables if name in own)
        }
        for name in dict.fromkeys([*self.columns, *other.columns]):
            column = LogColumn(of_groups=is_rate_name(name))
            for own, n_rows in zip(tables, map(len, (self, other)), strict=True):
                column.add_column(own.get(name, LogColumn.of(np.full(n_rows, np.nan))))
            column.finish()
            self.columns[name] = column
        names = self.header, other.header
        self.header = list(dict.fromkeys([*self.header, *other.header]))
        begins = [len(self) + at for at in (0, *other.repeated_header)]
        self.repeated_header |= {*begins}
        self.lines = np.concatenate([self.lines, other.lines])
        self.said_fits |= other.said_fits
        self.damage.add(other.damage)
        said = _changed_names(*names)
        more = [note for note in other.notes if note not in self.notes]
        self.notes += [f"from line {other.lines[0]} on its header {said}", *more]

    def __len__(self) -> int:
        return len(self.lines)

    def error(self, problem: str, row: int, hint: str = SKIP_HINT) -> LogError:
        """Return an error about a row, with its place."""
        return self.error_at(int(self.lines[row]), problem, hint)

    def first_of(self, names: Iterable[str]) -> str | None:
        """Return the column of the first name, in small letters, that there is."""
        columns = _by_small_letters(tuple(self.columns))
        return next((columns[name] for name in names if name in columns), None)

    def find(self, name: str) -> str:
        """Return the name of a column as it is written, given it in small letters.

        Raises
        ------
        ForeignLogError
            If there is none.
        """
        found = self.first_of([name])
        if found is not None:
            return found
        problem = f"there is no column {name}; there is {shown_names(self.header)}"
        hint = "Give the file as it was written"
        raise ForeignLogError(problem, source=self.source, hint=hint)

    def leave_out(self, names: Sequence[str], reason: str) -> None:
        """Take columns out, with a note."""
        found = [name for name in names if self.columns.pop(name, None) is not None]
        self.left_out |= dict.fromkeys(found, reason)
        if found:
            left_out = f"left out {', '.join(found)}: {reason}"
            self.notes.append(reworded(reason, left_out))

    def finish(self) -> None:
        """Give groups of parameters columns; leave out one of epochs that has none.

        A table where steps alone were logged may have such a column.
        """
        for name, cells in [*self.columns.items()]:
            for place, own in cells.groups_apart().items():
                self.columns.setdefault(f"{name}/pg{place}", own)
        names = filter(is_epoch_name, self.columns)
        silent = [name for name in names if self.columns[name].missing.all()]
        self.leave_out(silent, "no row has one")

    def first_rows(self, key: str | None) -> list[int]:
        """Return where trainings begin: below a header, and where `key` steps back."""
        begins = {0, *self.repeated_header}
        if key is not None:
            numbers = self.columns[key].values
            # infinity minus infinity would warn
            back = numbers[1:] < numbers[:-1]
            begins.update((np.flatnonzero(back) + 1).tolist())
        return sorted(row for row in begins if row < len(self))

    def rows_with(self, names: Iterable[str]) -> BoolArray:
        """Tell which rows hold something in one of these columns."""
        held = np.zeros(len(self), dtype=np.bool_)
        for name in names:
            held |= ~self.columns[name].missing
        return held

    def rename(self, names: Mapping[str, str]) -> None:
        """Rename columns; each keeps its place."""
        self.columns = {
            names.get(name, name): cells for name, cells in self.columns.items()
        }

    def collapse(
        self, epochs: EpochArray, several: Literal["few", "any"] = "few"
    ) -> None:
        """Merge consecutive rows of the same epoch.

        Of several values in an epoch the last is used; the others are kept beside it. A
        column with several values in many epochs is logged by steps: it is left out,
        with a note, unless it is a learning rate, or any epoch may have several.
        """
        begins = np.concatenate([[True], np.diff(epochs) != 0])
        self.merge(begins, several)
        self.columns = {
            "epoch": LogColumn.of(epochs[begins].astype(np.float64)),
            **self.columns,
        }

    def merge(self, begins: BoolArray, several: Literal["few", "any"]) -> None:
        """Merge each row at which something begins with the rows below it."""
        group = np.cumsum(begins) - 1
        self.scattered.update(
            name for name, own in self.columns.items() if own.is_scattered(group)
        )
        stepwise = collapse_columns(self.columns, group, several)
        for name in filter(is_rate_name, [*stepwise]):
            self.columns[name].collapse(group, "last")
            note = "changes within an epoch: the rate of its last step stands"
            self.notes.append(Note(f"{name} {note}", "rate"))
            stepwise.remove(name)
        self.leave_out(stepwise, _STEPWISE)
        self.lines, self.kinds = self.lines[begins], self.kinds[:0]
        if self.wall_times is not None:
            # an epoch ends with its last row
            self.wall_times = self.wall_times[np.append(begins[1:], True)]
        self.repeated_header = {
            int(group[at]) for at in self.repeated_header if at < len(group)
        }

    def part(self, rows: BoolArray, columns: Mapping[str, LogColumn]) -> LogTable:
        """Return a table of some of the rows, with these columns."""
        part = copy(self)
        part.columns = {name: copy(cells) for name, cells in columns.items()}
        part.notes, part.left_out = [*self.notes], {**self.left_out}
        part.not_logged, part.empty_cells = {*self.not_logged}, {*self.empty_cells}
        part.scattered = {*self.scattered}
        part.keep(rows)
        return part

    def keep(self, rows: BoolArray) -> None:
        """Keep these rows only."""
        repeated = {int(rows[:at].sum()) for at in self.repeated_header}
        self.is_shortened |= not bool(rows.all())
        self.take(np.flatnonzero(rows))
        self.repeated_header = repeated

    def take(self, rows: EpochArray) -> None:
        """Put the rows into another order, and forget repeated headers."""
        for cells in self.columns.values():
            cells.take(rows)
        self.lines = self.lines[rows]
        if len(self.kinds):
            self.kinds = self.kinds[rows]
        if self.wall_times is not None:
            self.wall_times = self.wall_times[rows]
        self.repeated_header = set()

    def check_whole(self) -> None:
        """Report the first cell that is no number in each column of numbers."""
        for name, cells in self.columns.items():
            if not cells.wrong.any() or (cells.wrong | cells.missing).all():
                continue
            row = int(np.flatnonzero(cells.wrong)[0])
            problem = f"{cells.text(row)!r} under {name} is not a number"
            self.damage.report(self.error(problem, row))
            cells.drop_wrong()

    def check_decimal_comma(self, name: str) -> None:
        """Refuse a column in which a comma may be decimal or separate thousands."""
        for row, text in self.columns[name].texts.items():
            if re.fullmatch(DECIMAL_COMMA, text):
                problem = (
                    f"{text!r} under {name} has a decimal comma, or one of thousands"
                )
                hint = "Write decimal points, as Keras does, or separate cells with ;"
                raise self.error(problem, row, hint)

    def grouped_number(self, name: str) -> tuple[int, str] | None:
        """Return the row and text of the first cell like ``1,000.5``; None without one.

        It may be something else: an address, or a version.
        """
        texts = self.columns[name].texts.items()
        return next((cell for cell in texts if re.fullmatch(_GROUPED, cell[1])), None)

    def check_thousands(self, name: str) -> None:
        """Refuse a column with a cell like ``1,000.5``."""
        found = self.grouped_number(name)
        if found is not None:
            row, text = found
            problem = f"{text!r} under {name} is not a plain number"
            hint = "If thousands are set apart in it, write 1234.5 and not 1,234.5"
            raise self.error(problem, row, hint)


@lru_cache(maxsize=16)
def _by_small_letters(names: tuple[str, ...]) -> dict[str, str]:
    """Return names by how they are written in small letters, the first of each.

    Many logs share their names, and each is asked for several.
    """
    return {name.lower(): name for name in reversed(names)}


def _changed_names(names: Sequence[str], later: Sequence[str]) -> str:
    """Say which names a later header has more, or fewer."""
    more = [name for name in later if name not in names]
    fewer = [name for name in names if name not in later]
    said = [f"names {' and '.join(more)} too"] if more else []
    said += [f"lacks {' and '.join(fewer)}"] if fewer else []
    return ", and ".join(said) or "has another order"


def _parse_value(value: object) -> float | None:
    """Read a value of JSON; W&B writes what JSON cannot hold as text."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(value)  # noqa: TRY004 - as of a cell that is no number
    try:
        return parse_cell(value) if isinstance(value, str) else float(value)
    except OverflowError:
        raise ValueError(value) from None
