"""Rows of a log, one epoch each, in the log's order: cut, joined and compared."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.building.written_digits import count_all_digits
from cbreplay.readers.columns.column import LogColumn
from cbreplay.readers.columns.merged_rows import collapse_columns
from cbreplay.readers.sizes import check_trainings
from cbreplay.run import Series

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from cbreplay.readers.base import LogFacts
    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = ["Rows", "lay_out", "split_rows", "spread"]

# two trainings may fail alike after fewer numbers
_MANY_NUMBERS = 5
# so many digits are not equal by chance
_MANY_DIGITS = 15


class Rows:
    """Rows of a log in its order, one epoch each.

    Parameters
    ----------
    epochs : array or sequence of int
        The epoch of each row.
    columns : mapping of str to Series
        The values, each column as long as `epochs`.
    wall_times : array or sequence of float
        When each epoch ended, in seconds; empty where the log does not say.
    place : str
        Where the rows begin, for a note: ``"line 12"``.
    begins_file : bool
        Whether another file of the writer begins here, which need not be another fit.
    lines : array of int
        The line of each row in its log; empty where that is not needed.
    cuts : collection of int
        Positions before which the log says that a fit began.

    Attributes
    ----------
    written : dict of str to float
        When the last value of each column was written, where the log says it.
    """

    __slots__ = (
        *("begins_file", "columns", "cuts", "epochs", "lines", "place", "wall_times"),
        "written",
    )

    def __init__(
        self,
        epochs: EpochArray | Sequence[int],
        columns: Mapping[str, Series],
        wall_times: FloatArray | Sequence[float] = (),
        place: str = "",
        *,
        begins_file: bool = False,
        lines: EpochArray | Sequence[int] = (),
        cuts: Collection[int] = (),
    ) -> None:
        self.epochs: EpochArray = np.asarray(epochs, dtype=np.int64)
        self.columns = {**columns}
        self.wall_times: FloatArray = np.asarray(wall_times, dtype=np.float64)
        self.lines: EpochArray = np.asarray(lines, dtype=np.int64)
        self.place, self.begins_file, self.cuts = place, begins_file, {*cuts}
        self.written: dict[str, float] = {}

    @property
    def follow_each_other(self) -> bool:
        """Whether each epoch is the one after that of the row above."""
        epochs = self.epochs
        span = int(epochs[-1]) - int(epochs[0]) + 1
        return span == len(epochs) and bool((epochs[1:] > epochs[:-1]).all())

    def take(self, kept: BoolArray | EpochArray | slice) -> Rows:
        """Return some of the rows, or all in another order."""
        columns = {name: column.take(kept) for name, column in self.columns.items()}
        return self._of(kept, columns, self._cuts_among(kept) if self.cuts else set())

    def _of(
        self,
        kept: BoolArray | EpochArray | slice,
        columns: dict[str, Series],
        cuts: set[int],
    ) -> Rows:
        rows = copy(self)
        rows.epochs, rows.columns, rows.cuts = self.epochs[kept], columns, cuts
        if len(self.wall_times):
            rows.wall_times = self.wall_times[kept]
        if len(self.lines):
            rows.lines = self.lines[kept]
        return rows

    def _cuts_among(self, kept: BoolArray | EpochArray | slice) -> set[int]:
        """Return the cuts among some of the rows, or among all in another order."""
        at = np.arange(len(self.epochs))[kept]
        last_above = np.maximum.accumulate(np.append(-1, at))
        n_above = {cut: int(np.count_nonzero(at < cut)) for cut in self.cuts}
        # in a new order a fit begins only where the rows above it are still the same
        return {n for cut, n in n_above.items() if last_above[n] < cut}

    @property
    def begins(self) -> BoolArray:
        """Which rows are of another epoch than the row above."""
        differs: BoolArray = np.ones(len(self.epochs), dtype=np.bool_)
        differs[1:] = np.diff(self.epochs) != 0
        return differs

    @property
    def repeated(self) -> BoolArray:
        """Which rows repeat the row above, which is of the same epoch."""
        again: BoolArray = ~self.begins
        for series in self.columns.values():
            values, there = series.values, series.recorded
            nan = np.isnan(values)
            same = (values[1:] == values[:-1]) | (nan[1:] & nan[:-1])
            again[1:] &= (there[1:] == there[:-1]) & (same | ~there[1:])
        return again

    def folded(self) -> Rows:
        """Merge consecutive rows of one epoch.

        The last of several values is used; the others are kept beside it.
        """
        begins = self.begins
        group = np.cumsum(begins) - 1
        columns = {
            name: LogColumn.of(series.values, ~series.recorded)
            for name, series in self.columns.items()
        }
        collapse_columns(columns, group, "any")
        merged = {
            name: Series(own.values, ~own.missing, own.others)
            for name, own in columns.items()
        }
        cuts = {int(group[cut]) for cut in self.cuts if cut < len(group)}
        return self._of(np.append(begins[1:], [True]), merged, cuts)

    def begins_as(self, other: Rows) -> bool:
        """Tell whether the shorter one is the beginning of the longer, to the bit.

        Failed trainings may be equal without being the same one. So the compared rows
        must hold finite numbers that change; with NaN or infinity among them, the
        longer one must hold many different numbers. So must the shorter one, or many
        digits, where a column has one number in all rows of each, as the time of a
        save has.
        """
        n_rows = min(len(self.epochs), len(other.epochs))
        if self.columns.keys() != other.columns.keys():
            return False
        if not np.array_equal(self.epochs[:n_rows], other.epochs[:n_rows]):
            return False
        shorter, longer = sorted((self, other), key=lambda rows: len(rows.epochs))
        changes = n_rows == 1
        of_save: set[str] = set()
        for name, column in self.columns.items():
            upper, lower = column.values[:n_rows], other.columns[name].values[:n_rows]
            if upper.tobytes() != lower.tobytes():
                of_save.add(name)
                continue
            fails = column.recorded[:n_rows].all() and not np.isfinite(upper).all()
            if fails and not longer.holds_many():
                return False
            changes = changes or bool((upper != upper[0]).any())
        return changes and (not of_save or shorter.is_saved_in(longer, of_save))

    def is_saved_in(self, longer: Rows, of_save: Collection[str]) -> bool:
        """Tell whether two saves of one table differ in nothing but some columns.

        Each of these holds one number for a whole save. The others hold too much to be
        equal by chance; what never changes, as a learning rate, does not count.
        """
        for name in of_save:
            both = self.columns[name].values, longer.columns[name].values
            if not all(map(_is_one, both)):
                return False
        told = [
            column.values
            for name, column in self.columns.items()
            if name not in of_save and not _is_one(longer.columns[name].values)
        ]
        return self.holds_many() or count_all_digits(told) >= _MANY_DIGITS

    def holds_rows(self, other: Rows) -> bool:
        """Tell whether each row of another one stands here too, to the bit."""
        at = np.searchsorted(self.epochs, other.epochs)
        if not np.array_equal(self.epochs[at % len(self.epochs)], other.epochs):
            return False
        return self.take(at).begins_as(other)

    def count_models_anew(self) -> None:
        """Count from the first epoch again where Keras's numbers tell of another model.

        Its ``auc`` is ``auc_1`` then: each fold has a model of its own. Only a column
        of epochs could say that a fit went on.
        """
        if not any(name[-1:].isdigit() for name in self.columns):
            return
        from cbreplay.readers.columns.numbered_names import join_numbered

        _, begins, _ = join_numbered(self.columns)
        self.epochs = self.epochs.copy()
        for at in begins:
            self.epochs[at:] -= self.epochs[at] - self.epochs[0]

    def shares_rows(self, other: Rows) -> bool:
        """Tell whether both begin alike and hold most rows of the shorter, to the bit.

        They are saves of one table then, of which each may have lost some rows.
        """
        own = self.take(np.isin(self.epochs, other.epochs))
        theirs = other.take(np.isin(other.epochs, self.epochs))
        shorter = min(len(self.epochs), len(other.epochs))
        if self.epochs[0] != other.epochs[0] or 4 * len(own.epochs) < 3 * shorter:
            return False
        return own.holds_many() and own.begins_as(theirs)

    def holds_many(self) -> bool:
        """Tell whether a column has too many numbers to be equal by chance."""
        return any(
            len(np.unique(column.values[np.isfinite(column.values)])) >= _MANY_NUMBERS
            for column in self.columns.values()
        )

    @classmethod
    def joined(cls, pieces: Sequence[Rows], names: Iterable[str] = ()) -> Rows:
        """Put rows one below the other; a column may be in some of them only.

        `names` are of columns that come first, whether any of the rows has them or not.
        """
        names = dict.fromkeys(names)
        names.update((name, None) for piece in pieces for name in piece.columns)
        if len(pieces) == 1 and len(pieces[0].columns) == len(names):
            return pieces[0]
        epochs = np.concatenate([piece.epochs for piece in pieces])
        ends = np.cumsum([len(piece.epochs) for piece in pieces])
        places = np.split(np.arange(len(epochs)), ends[:-1])
        held = [(piece.columns, at) for piece, at in zip(pieces, places, strict=True)]
        series = {
            name: lay_out(
                [(own[name], at) for own, at in held if name in own], len(epochs)
            )
            for name in names
        }
        times = np.concatenate([piece.wall_times for piece in pieces])
        first = pieces[0]
        return cls(epochs, series, times, first.place, begins_file=first.begins_file)


def lay_out(parts: Sequence[tuple[Series, EpochArray]], length: int) -> Series:
    """Lay the values of series out over `length` epochs, each at its place.

    Of several at one place the last is used; different earlier ones are kept beside it.
    """
    if len(parts) == 1 and len(parts[0][0]) == length:
        # without a gap a long log is not copied
        return parts[0][0]
    values = np.full(length, np.nan, parts[0][0].values.dtype if parts else np.float64)
    recorded = np.zeros(length, dtype=np.bool_)
    others: dict[int, tuple[float, ...]] = {}
    for series, at in parts:
        there = series.recorded
        for row in np.flatnonzero(recorded[at] & there).tolist():
            before = float(values[at[row]])
            # all NaN count as equal
            if repr(before) != repr(float(series.values[row])):
                others[int(at[row])] = *others.get(int(at[row]), ()), before
        values[at[there]], recorded[at[there]] = series.values[there], True
        for row, held in series.others.items():
            others[int(at[row])] = *others.get(int(at[row]), ()), *held
    return Series(values, recorded, others)


def spread(series: Series, at: EpochArray, length: int) -> Series:
    """Spread a series over `length` epochs: its values at `at`, the rest missing."""
    return lay_out([(series, at)], length)


def _is_one(values: FloatArray) -> bool:
    """Tell whether all values are one finite number."""
    return bool(np.isfinite(values).all() and (values == values[0]).all())


def split_rows(rows: Rows, facts: LogFacts, most: int) -> list[Rows]:
    """Cut rows wherever an epoch does not follow upwards, and at their cuts.

    `most` is the limit for a log, in bytes.

    Raises
    ------
    LogError
        If there are too many pieces.
    """
    n_rows = len(rows.epochs)
    if not rows.cuts and rows.follow_each_other:
        rows.place = f"{facts.counted} {rows.lines[0]}"
        return [rows]
    steps_back = np.flatnonzero(np.diff(rows.epochs) <= 0) + 1
    cuts = {cut for cut in rows.cuts if cut < n_rows}
    starts = sorted({0, *cuts, *steps_back.tolist()})
    check_trainings(len(starts), facts.source, most)
    # a piece has none inside
    rows.cuts = set()
    pieces = []
    for start, stop in zip(starts, [*starts[1:], n_rows], strict=True):
        piece = rows.take(slice(start, stop))
        piece.place = f"{facts.counted} {piece.lines[0]}"
        pieces.append(piece)
    return pieces
