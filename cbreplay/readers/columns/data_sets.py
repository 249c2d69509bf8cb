"""Tables with a row for each data set: a column says which one a row is of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.base import ForeignLogError
from cbreplay.readers.columns.header import BATCH_NAMES, EPOCH_NAMES, STEP_NAMES
from cbreplay.readers.columns.rate_names import is_rate_name
from cbreplay.readers.columns.roles import INDEXES, KINDS, SETTINGS, letters
from cbreplay.readers.sizes import check_columns

if TYPE_CHECKING:
    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import BoolArray

__all__ = ["NAMED_ABOVE", "lay_out_data_sets", "prefix_of"]

# columns that may tell the data set of a row
_TELLING = frozenset(
    (
        *("split", "phase", "mode", "set", "stage", "subset", "data", "dataset"),
        *("datasplit", "partition"),
    )
)
# the column of rows that JSON has below the names of their data sets
NAMED_ABOVE = "the name above its rows"
_DATA_SET = re.compile(
    "(?P<train>train(ing)?)|(?P<val>val(id|idation)?)|(?P<test>test(ing)?)"
    "|(?P<eval>eval(uation)?)|(?P<dev>dev)"
)
# what is of an epoch, whatever the data set
_OF_EPOCHS = frozenset((*EPOCH_NAMES, *STEP_NAMES, *BATCH_NAMES))


def prefix_of(data_set: str) -> str | None:
    """Return what Keras puts before a metric on a data set; None if it is none.

    >>> prefix_of("Train"), prefix_of("valid"), prefix_of("fold1")
    ('', 'val_', None)
    """
    found = _DATA_SET.fullmatch(letters(data_set).removesuffix("set"))
    if found is None:
        return None
    return "" if found["train"] else f"{found.lastgroup}_"


def lay_out_data_sets(table: LogTable) -> bool:
    """Give each data set of a table columns of its own, and tell whether it did.

    The rows stay, but those of an epoch follow each other then, to be put together.

    Raises
    ------
    ForeignLogError
        If nothing says which rows are of one epoch.
    """
    telling = [name for name in table.columns if _tells_data_sets(table, name)]
    others = [
        name
        for name, cells in table.columns.items()
        if letters(name) in KINDS and len(set(cells.texts.values())) > 1
    ]
    if not telling or {*others} - {*telling}:
        return False
    name, *alike = telling
    cells = table.columns[name]
    if any(_prefixes(table.columns[own]) != _prefixes(cells) for own in alike):
        return False
    for own in telling:
        del table.columns[own]
    sets = [cells.vocabulary[code] for code in np.unique(cells.coded).tolist()]
    of_set = {own: cells.coded == cells.vocabulary.index(own) for own in sets}
    if len(sets) > 1:
        _bring_together(table, name, of_set)
    _name_columns(table, name, of_set)
    said = " and ".join(sets)
    teller = name if name == NAMED_ABOVE else f"column {name}"
    table.notes.append(
        f"{teller} says which data set a row is of, {said}: each has series of its own"
    )
    return True


def _tells_data_sets(table: LogTable, name: str) -> bool:
    """Tell whether each row names its data set there, and not only a training's."""
    cells = table.columns[name]
    if not len(cells.coded) or not cells.coded.all():
        return False
    prefixes = [
        prefix_of(cells.vocabulary[code]) for code in np.unique(cells.coded).tolist()
    ]
    if None in prefixes or prefixes in ([""], []):
        return False
    # words for several data sets tell them under any name
    named = name == NAMED_ABOVE or letters(name) in _TELLING
    return named or len(prefixes) > 1


def _prefixes(cells: LogColumn) -> list[str | None]:
    """Return what stands before a metric in each row."""
    prefixes = list(map(prefix_of, cells.vocabulary))
    return [prefixes[code] for code in cells.coded.tolist()]


def _bring_together(table: LogTable, name: str, of_set: dict[str, BoolArray]) -> None:
    """Let the rows of one epoch follow each other.

    Raises
    ------
    ForeignLogError
        If no column numbers them, or more than one training may stand there in blocks.
    """
    by_name = {own.lower(): own for own in table.columns}
    numbering = (*EPOCH_NAMES, *STEP_NAMES)
    key = next((by_name[own] for own in numbering if own in by_name), None)
    sets = list(of_set)
    shown = " and ".join(map(repr, sets[:_SHOWN]))
    problem = f"its rows are of several data sets: {name} is {shown}"
    if key is None:
        problem += ", and nothing says which of them are of one epoch"
        hint = "Add a column epoch"
        raise ForeignLogError(problem, source=table.source, hint=hint)
    numbers = table.columns[key]
    if (numbers.missing | numbers.wrong).any():
        return
    n_rows = sum(len(np.unique(numbers.values[at])) for at in of_set.values())
    if n_rows == len(table):
        order = np.argsort(numbers.values, kind="stable")
        if (np.diff(order) != 1).any():
            for own, at in of_set.items():
                of_set[own] = at[order]
            table.take(order)
        return
    group = np.cumsum(np.append(True, np.diff(numbers.values) != 0)) - 1
    first = next(at for at in of_set.values() if at[0])
    if len(np.unique(group[first])) <= group[-1]:
        problem += f", and {key} does not tell which are of one training"
        hint = (
            f"Give each training a file of its own, or a row for each {key}, with a "
            "column for each data set"
        )
        raise ForeignLogError(problem, source=table.source, hint=hint)


_SHOWN = 3


def _name_columns(table: LogTable, telling: str, of_set: dict[str, BoolArray]) -> None:
    """Name the values of each data set as Keras does.

    Raises
    ------
    ForeignLogError
        If two columns would have one name.
    """
    columns: dict[str, LogColumn] = {}
    for name, cells in table.columns.items():
        if _is_of_epoch(name) or (cells.missing | cells.wrong).all():
            columns[name] = cells
            continue
        for data_set, at in of_set.items():
            if (cells.missing | ~at).all():
                continue
            prefix = prefix_of(data_set) or ""
            own = name if name.startswith(prefix) else f"{prefix}{name}"
            if own in columns or (own != name and own in table.columns):
                shown = " and ".join(map(repr, [*of_set][:_SHOWN]))
                problem = f"its rows are of several kinds: {telling} is {shown}"
                problem += f", and {own} may be either's"
                hint = "Give one row for each epoch, with a column for each of these"
                raise ForeignLogError(problem, source=table.source, hint=hint)
            columns[own] = cells.within(at)
            if not (cells.missing & at).any():
                table.has_own_rows.add(own)
    check_columns(len(columns), table.source, table.damage.max_bytes)
    table.columns = columns


def _is_of_epoch(name: str) -> bool:
    known = name.lower() in _OF_EPOCHS or name in INDEXES or name.startswith("#")
    return known or is_rate_name(name) or letters(name) in SETTINGS
