"""One column of a table: its numbers, and what its other cells are."""

from __future__ import annotations

import math
import re
from copy import copy
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cbreplay.by_key import by_key
from cbreplay.readers.columns.cells import parse_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = ["LogColumn", "listed_numbers"]

# so many cells are shown as text, or looked at as such, and so many texts are kept
_KEPT_TEXTS = 1000
# what a cell holds; to that of a text its index in the vocabulary is added
_NUMBER, _MISSING, _WRONG = 0, 1, 2
# a column with more different texts than this does not tell kinds of rows
_FEW_TEXTS = 40
# a column with several values in one epoch of this many is logged by steps
_MANY = 4
# how str() writes one number of PyTorch, NumPy or TensorFlow
_WRAPPED = (
    r"tensor\(([^\s,()]+)(?:,.*)?\)"
    r"|(?:np|numpy)\.(?:float|int|uint)[0-9]+\(([^\s,()]+)\)"
    r"|<tf\.(?:Tensor|Variable)[^<>]*\bnumpy=([^\s,<>]+)>"
)
# a scheduler's get_last_lr() gives one rate a group
_LIST = r"[\[(]([^\[\]()]*)[\])]"
# rates in proportion to each other are as near as their float32 numbers
_NEAR = 1e-5


class LogColumn:
    """One column: its numbers, and what its other cells are.

    Attributes
    ----------
    values : array of shape (n_rows,)
        The numbers, NaN where there is none.
    states : int array of shape (n_rows,)
        What each cell holds: 0 a number, 1 nothing or ``NA``, 2 a text that is not
        kept, and from 3 on a text of the vocabulary: its index is 2 less.
    n_na : int
        How many cells are ``NA``.
    words : set of str
        The texts of the missing cells, as "" and "NA".
    wrapped : str
        A cell whose number was taken out of ``tensor(0.5)`` or the like.
    of_groups : bool
        Whether a list of numbers has one for each parameter group: its first is the
        value of the cell.
    whole : bool
        Whether every cell is known to hold a number.
    others : dict of int to tuple of float
        By row, the earlier values where several rows were merged.
    """

    values: FloatArray
    states: NDArray[np.uint16]

    def __init__(self, *, of_groups: bool = False) -> None:
        self.of_groups = of_groups
        self._chunks: list[FloatArray] = []
        self._states: list[NDArray[np.uint16]] = []
        self.n_na = 0
        self.words: set[str] = set()
        self.wrapped = ""
        self._codes = {"": 0}
        self.whole = False
        self.others: dict[int, tuple[float, ...]] = {}
        self._listed: dict[int, list[float]] = {}

    @property
    def missing(self) -> BoolArray:
        """Where a cell is empty, or ``NA``."""
        empty: BoolArray = self.states == _MISSING
        return empty

    @property
    def wrong(self) -> BoolArray:
        """Where a cell holds something else than a number."""
        return self.states >= _WRONG

    @property
    def blank(self) -> BoolArray:
        """Where a cell holds no number: it is empty, or holds something else."""
        blank: BoolArray = self.states != _NUMBER
        return blank

    @property
    def vocabulary(self) -> list[str]:
        """An empty text, and then the different texts of cells that are no number."""
        return [*self._codes]

    @property
    def coded(self) -> NDArray[np.uint16]:
        """The index of each row's text in the vocabulary, 0 where none is kept."""
        return np.maximum(self.states, _WRONG) - np.uint16(_WRONG)

    @property
    def texts(self) -> dict[int, str]:
        """The first cells that are no number, by their row."""
        # nearly always there is none
        if len(self._codes) == 1:
            return {}
        rows = np.flatnonzero(self.states > _WRONG)[:_KEPT_TEXTS]
        vocabulary, codes = self.vocabulary, self.coded[rows]
        return {
            row: vocabulary[code]
            for row, code in zip(rows.tolist(), codes.tolist(), strict=True)
        }

    @property
    def is_text(self) -> bool:
        """Whether every row has a text, which is known."""
        known = len(self.states) > 0 and len(self._codes) > 1
        return known and bool((self.states > _WRONG).all())

    @property
    def tells_words(self) -> bool:
        """Whether every row has a text, and the different ones are few."""
        return self.is_text and len(self._codes) <= _FEW_TEXTS + 1

    def add_plain(self, cells: Sequence[str]) -> bool:
        """Take cells that all hold numbers; False if one does not."""
        try:
            values = np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            return False
        if np.isinf(values).any():
            # 1e400 becomes inf too: `add` tells the two apart
            return False
        self._chunks.append(values)
        self._states.append(np.zeros(len(cells), dtype=np.uint16))
        return True

    def add(self, cells: Sequence[Any], parse: Callable[[Any], float | None]) -> None:
        """Take cells one by one."""
        values = np.full(len(cells), np.nan)
        states = np.zeros(len(cells), dtype=np.uint16)
        n_above = sum(map(len, self._chunks))
        for i, cell in enumerate(cells):
            try:
                value = parse(cell)
            except ValueError:
                value = _unwrapped(cell)
                if value is None and self.of_groups and (own := listed_numbers(cell)):
                    self._listed[n_above + i] = own
                    value = own[0]
                if value is None:
                    states[i] = _WRONG + self._code(str(cell).strip())
                    continue
                self.wrapped = str(cell).strip()
            if value is None:
                states[i] = _MISSING
                if cell is not None:
                    self.n_na += cell.strip() == "NA"
                    self.words.add(cell.strip())
            else:
                values[i] = value
        self._chunks.append(values)
        self._states.append(states)

    def _code(self, text: str) -> int:
        """Return a text's index in the vocabulary; 0 if there are too many texts."""
        if len(self._codes) > _KEPT_TEXTS:
            return self._codes.get(text, 0)
        return self._codes.setdefault(text, len(self._codes))

    def finish(self) -> None:
        """Join the cells that were added."""
        self.values = np.concatenate([np.empty(0), *self._chunks])
        self.states = np.concatenate([np.empty(0, np.uint16), *self._states])
        self.whole = len(self.values) > 0 and not self.states.any()
        self._chunks, self._states = [], []

    def add_column(self, below: LogColumn) -> None:
        """Take the cells of another column, before `finish`."""
        texts = [_WRONG + self._code(text) for text in below.vocabulary[1:]]
        states = np.array([_NUMBER, _MISSING, _WRONG, *texts], dtype=np.uint16)
        self._chunks.append(below.values)
        self._states.append(states[below.states])
        self.n_na += below.n_na
        self.words |= below.words
        self.wrapped = self.wrapped or below.wrapped

    def groups_apart(self) -> dict[int, LogColumn]:
        """Return the later numbers of lists, by their place, as a column of each.

        Those in proportion to the first are left out: they tell nothing else.
        """
        apart = {}
        listed = zip_longest(*self._listed.values(), fillvalue=math.nan)
        for place, rates in enumerate(listed):
            own = np.full(len(self.values), np.nan)
            own[[*self._listed]] = rates
            both = ~np.isnan(own) & ~np.isnan(self.values)
            # at the beginning of a warmup all may be 0, which is in any proportion
            both &= (own != 0) | (self.values != 0)
            first, other = self.values[both], own[both]
            near = np.isclose(first * other[:1], other * first[:1], _NEAR, 0)
            if not (near & ((first == 0) == (other == 0))).all():
                apart[place] = LogColumn.of(own)
        return apart

    @classmethod
    def of_numbers(cls, values: FloatArray, states: NDArray[np.uint16]) -> LogColumn:
        """Make a column whose every cell holds a number; all `states` are 0."""
        column = cls()
        column.values, column.states, column.whole = values, states, True
        return column

    @classmethod
    def of(cls, values: FloatArray, missing: BoolArray | None = None) -> LogColumn:
        """Make a column of numbers, which are missing where they are NaN or as said."""
        column = cls()
        column.values = values
        missing = np.isnan(values) if missing is None else missing
        column.states = np.where(missing, _MISSING, _NUMBER).astype(np.uint16)
        return column

    def differs_in(self, other: LogColumn) -> int | None:
        """Return the first row in which another column differs; None if it is equal."""
        same = (self.values == other.values) | np.isnan(self.values) & np.isnan(
            other.values
        )
        same &= (self.missing == other.missing) & (self.wrong == other.wrong)
        texts, others = self.texts, other.texts
        for row in texts.keys() | others.keys():
            same[row] &= texts.get(row) == others.get(row)
        return None if same.all() else int(np.argmin(same))

    def is_scattered(self, group: EpochArray) -> bool:
        """Tell whether a group of rows has one with a value, and one without."""
        n_held = np.bincount(group, weights=~self.missing)
        return bool(((n_held > 0) & (n_held < np.bincount(group))).any())

    def collapse(
        self, group: EpochArray, several: Literal["few", "any", "last"] = "few"
    ) -> bool:
        """Keep one value of each group of rows; False if most have several.

        The last of several is used; the earlier ones are kept in `others`.

        Parameters
        ----------
        group : int array of shape (n_rows,)
            The number of each row's group, which never falls.
        several : {"few", "any", "last"}
            Whether a few groups or any may have several values, or whether the last
            one alone is wanted.
        """
        there = np.flatnonzero(~self.missing)
        ends: BoolArray = np.ones(len(there), dtype=np.bool_)
        ends[:-1] = np.diff(group[there]) != 0
        others = {int(group[row]): held for row, held in self.others.items()}
        if not ends.all() and several != "last" and self._differ(there, ~ends):
            n_several = len(np.unique(group[there][:-1][~ends[:-1]]))
            if several == "few" and _MANY * n_several > np.count_nonzero(ends):
                return False
            others = self._others(there, group)
        there = there[ends]
        n_groups = int(group[-1]) + 1
        values = np.full(n_groups, np.nan)
        states = np.full(n_groups, _MISSING, dtype=np.uint16)
        values[group[there]] = self.values[there]
        states[group[there]] = self.states[there]
        self.whole = self.whole and not states.any()
        self.values, self.states, self.others = values, states, others
        return True

    def leave_open(self, row: int) -> None:
        """Make what a row holds one of its other values: it may have had none."""
        self.others[row] = *self.others.get(row, ()), float(self.values[row])
        self.values[row], self.states[row], self.whole = np.nan, _MISSING, False

    def _differ(self, there: EpochArray, followed: BoolArray) -> bool:
        """Tell whether a value differs from the next one in its group."""
        at = np.flatnonzero(followed)
        own, following = self.values[there[at]], self.values[there[at + 1]]
        same = (own == following) | (np.isnan(own) & np.isnan(following))
        return not same.all()

    def _others(
        self, there: EpochArray, group: EpochArray
    ) -> dict[int, tuple[float, ...]]:
        """Return the earlier values of each group, if one differs from the last."""
        values = self.values
        rows_of = by_key(there.tolist(), lambda row: int(group[row]))
        held = {number: values[rows].tolist() for number, rows in rows_of.items()}
        return {
            number: tuple(earlier)
            for number, (*earlier, last) in held.items()
            if any(not _same(value, last) for value in earlier)
        }

    def drop_wrong(self) -> None:
        """Take cells that are no numbers as missing; they have been reported."""
        self.states = np.minimum(self.states, np.uint16(_MISSING))

    def read_texts(self, numbers: Mapping[int, float]) -> None:
        """Take the numbers that the texts of some rows, which are all, stand for."""
        rows = [*numbers]
        self.values[rows], self.states[rows] = [*numbers.values()], _NUMBER

    def words_of_rows(self) -> list[str]:
        """Return the text of each row; '' where there is none, or it is not kept."""
        vocabulary = self.vocabulary
        return [vocabulary[code] for code in self.coded.tolist()]

    def take(self, rows: EpochArray) -> None:
        """Keep these rows only, or all of them in another order."""
        if self.others:
            place = {row: at for at, row in enumerate(rows.tolist())}
            held = self.others.items()
            self.others = {place[row]: own for row, own in held if row in place}
        self.values, self.states = self.values[rows], self.states[rows]

    def within(self, rows: BoolArray) -> LogColumn:
        """Return a copy with values in these rows only."""
        cells = copy(self)
        cells.values = np.where(rows, self.values, np.nan)
        cells.states = np.where(rows, self.states, np.uint16(_MISSING))
        cells.whole = self.whole and bool(rows.all())
        cells.others = {row: held for row, held in self.others.items() if rows[row]}
        return cells

    def text(self, row: int) -> str:
        """Return the text of a cell for a message, cut if it is long."""
        code = int(self.states[row]) - _WRONG
        if code > 0:
            return self.vocabulary[code][:_SHOWN_LETTERS]
        if code == _MISSING - _WRONG:
            # which of several words stood in this cell is not kept
            return " or ".join(sorted(self.words))
        return repr(float(self.values[row])).removesuffix(".0")


_SHOWN_LETTERS = 40


def _same(value: float, other: float) -> bool:
    return value == other or (math.isnan(value) and math.isnan(other))


def _unwrapped(cell: object) -> float | None:
    """Return the number in what str() made of a tensor; None if it is none.

    >>> _unwrapped("tensor(0.5, device='cuda:0')"), _unwrapped("noon")
    (0.5, None)
    """
    found = re.fullmatch(_WRAPPED, cell.strip()) if isinstance(cell, str) else None
    if found is None:
        return None
    try:
        return float(next(text for text in found.groups() if text))
    except ValueError:
        return None


def listed_numbers(cell: object) -> list[float]:
    """Return the numbers of a list, or of a text that shows one; none if it is none.

    So a scheduler tells the rates of several parameter groups. A list is never the
    value of a metric: it may hold one number for each class.

    >>> listed_numbers([0.5, 5]), listed_numbers("[1e-3]"), listed_numbers("(0.1,)")
    ([0.5, 5.0], [0.001], [0.1])
    """
    listed = cell
    if isinstance(cell, str):
        found = re.fullmatch(_LIST, cell.strip())
        listed = found[1].split(",") if found is not None else None
        if isinstance(listed, list) and len(listed) > 1 and not listed[-1].strip():
            # the comma of a tuple of one
            del listed[-1]
    if not isinstance(listed, (list, tuple)):
        return []
    try:
        return [_number(value) for value in listed]
    except (TypeError, ValueError, OverflowError):
        return []


def _number(value: object) -> float:
    number = parse_cell(value) if isinstance(value, str) else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
    if number is None:
        raise ValueError(value)
    return number
