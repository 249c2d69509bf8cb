"""Tables with several rows for an epoch, each of one data set or one metric.

The rows of an epoch are brought together, and every data set or metric gets its own
columns. Which data set or metric a row is of: `data_sets`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.base import ForeignLogError
from cbreplay.readers.columns.column_names import (
    BATCH_NAMES,
    EPOCH_NAMES,
    FOLDS,
    INDEXES,
    RUNS,
    SETTINGS,
    STEP_NAMES,
    is_epoch_name,
    is_nameless,
    letters,
)
from cbreplay.readers.columns.roles import (
    are_epochs,
    are_round,
    check_rows_are_no_runs,
)
from cbreplay.readers.sizes import check_columns
from cbreplay.series_names import is_rate_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import EpochArray, FloatArray

__all__ = [
    "bring_together",
    "find_numbering",
    "is_of_epoch",
    "name_columns",
    "put_together",
    "runs_of_rows",
    "sort_by_runs",
    "tables_of_folds",
    "tables_of_runs",
]

# columns that are the same for all data sets of an epoch
_OF_EPOCHS = frozenset((*EPOCH_NAMES, *STEP_NAMES, *BATCH_NAMES))
# at most one epoch in this many may be there again
_FEW = 4


def find_numbering(table: LogTable) -> str | None:
    """Return the column of epochs, or else of steps; None if there is neither."""
    return table.first_of((*EPOCH_NAMES, *STEP_NAMES))


def bring_together(table: LogTable, problem: str) -> str | None:
    """Sort rows of several kinds so that those of one epoch follow each other.

    Return the column that numbers them if some rows are there again, which
    `put_together` then merges; else None.

    Raises
    ------
    ForeignLogError
        If no column numbers them, or if there may be several trainings in blocks.
    """
    key = find_numbering(table)
    if key is None:
        problem += ", and nothing says which of them are of one epoch"
        hint = "Add a column epoch"
        raise ForeignLogError(problem, source=table.source, hint=hint)
    numbers = table.columns[key]
    if numbers.blank.any():
        return None
    if _stand_once(table.kinds, numbers.values):
        _sort(table, numbers.values)
        return None
    group = np.cumsum(np.append(True, np.diff(numbers.values) != 0)) - 1
    if len(np.unique(group[table.kinds == table.kinds[0]])) <= group[-1]:
        if _go_by_steps(table, numbers.values):
            return None
        problem += f", and {key} does not tell which are of one training"
        hint = (
            f"Give each training a file of its own, or a row for each {key}, with a "
            "column for each data set"
        )
        raise ForeignLogError(problem, source=table.source, hint=hint)
    return key


def _stand_once(kinds: EpochArray, numbers: FloatArray) -> bool:
    """Tell whether each kind has at most one row of each number."""
    order = np.lexsort((numbers, kinds))
    kinds, numbers = kinds[order], numbers[order]
    again = (kinds[1:] == kinds[:-1]) & (numbers[1:] == numbers[:-1])
    return not again.any()


def _sort(table: LogTable, numbers: FloatArray) -> None:
    order = np.argsort(numbers, kind="stable")
    if (np.diff(order) != 1).any():
        table.take(order)


def _go_by_steps(table: LogTable, epochs: FloatArray) -> bool:
    """Sort rows by the steps inside their epochs if possible; tell whether it was."""
    step = table.first_of(STEP_NAMES)
    if step is None or not are_epochs(table.columns[step].values).all():
        return False
    steps = table.columns[step].values
    rises = bool((np.diff(epochs[np.argsort(steps, kind="stable")]) >= 0).all())
    if not rises or not _stand_once(table.kinds, steps):
        return False
    _sort(table, steps)
    return True


def runs_of_rows(
    table: LogTable, called: Collection[str] = RUNS
) -> tuple[list[str], EpochArray | None]:
    """Return the columns that name the training of a row, and each row's training.

    Trainings are numbered from 0 in the order of the rows; None if no column names one
    in every row.
    """
    names: list[str] = []
    run: EpochArray | None = None
    for name, cells in table.columns.items():
        if letters(name) not in called:
            continue
        if cells.tells_words:
            number = np.unique(cells.coded, return_inverse=True)[1]
        elif len(table) and not cells.blank.any():
            number = np.unique(cells.values, return_inverse=True)[1]
        else:
            continue
        names.append(name)
        run = number if run is None else run * (number.max() + 1) + number
        _, first, run = np.unique(run, return_index=True, return_inverse=True)
        # in the order of the rows
        run = np.argsort(np.argsort(first))[run]
    return names, run


def tables_of_runs(
    table: LogTable, names: Sequence[str], run: EpochArray
) -> Iterator[tuple[str, LogTable]]:
    """Yield the rows of each training as a table, and what the named columns call it.

    `run` is the number of the training of each row, as `runs_of_rows` returns it.
    """
    columns = {name: own for name, own in table.columns.items() if name not in names}
    said = [(name, table.columns[name]) for name in names]
    for number in range(int(run.max()) + 1):
        rows = run == number
        at = int(np.argmax(rows))
        called = [
            own.text(at) if own.is_text else f"{name}={own.text(at)}"
            for name, own in said
        ]
        yield ",".join(called), table.part(rows, columns)


def tables_of_folds(table: LogTable) -> Iterator[tuple[str, LogTable]]:
    """Yield the rows of each fold or seed as a table, or else the whole one.

    Where the epochs begin anew with each, these tell its rows later.
    """
    names, run = runs_of_rows(table, FOLDS)
    key = find_numbering(table)
    if run is None or key is None or not run.any():
        return iter([("", table)])
    begins = np.flatnonzero(np.diff(run)) + 1
    numbers = table.columns[key].values
    anew = is_epoch_name(key) and (numbers[begins] <= numbers[begins - 1]).all()
    # a number that is another in each row names no training
    if anew or len(begins) != run.max() or 2 * len(begins) >= len(run):
        return iter([("", table)])
    return tables_of_runs(table, names, run)


def sort_by_runs(table: LogTable) -> list[str]:
    """Sort rows so that those of one training follow each other, if columns name it.

    Return these columns. Rows are sorted only if each kind has one row of an epoch in
    each training, and if the epochs begin anew with each training.
    """
    check_rows_are_no_runs(table)
    key = find_numbering(table)
    names, run = runs_of_rows(table)
    if key is not None and run is None:
        names, run = _rates_of_rows(table, table.columns[key].values)
    if key is None or run is None or not run.any():
        return names
    numbers = table.columns[key].values
    order = np.lexsort((numbers, run))
    if (np.diff(order) == 1).all():
        return names
    begins = np.flatnonzero(np.diff(run[order])) + 1
    rises = numbers[order][begins] > numbers[order][begins - 1]
    kind_in_run = run
    if len(table.kinds):
        kind_in_run = run * (table.kinds.max() + 1) + table.kinds
    if rises.any() or not _stand_once(kind_in_run, numbers):
        return names
    table.take(order)
    if (np.diff(run) < 0).any():
        table.notes.append(f"its rows were sorted by {' and '.join(names)}")
    return names


def _rates_of_rows(
    table: LogTable, numbers: FloatArray
) -> tuple[list[str], EpochArray | None]:
    """Return a column of rates of which each epoch has a row, and which one a row has.

    So trainings with a rate each were written in turn; one training has a rate in each
    epoch, unless its rows are steps. Trainings are numbered in the order of the rows.
    """
    n_epochs = len({*numbers.tolist()})
    if table.first_of((*STEP_NAMES, *BATCH_NAMES)) is not None:
        return [], None
    for name in filter(is_rate_name, table.columns):
        values = table.columns[name].values
        rates, first, run = np.unique(values, return_index=True, return_inverse=True)
        each_once = len(rates) * n_epochs == len(table) and _stand_once(run, numbers)
        if min(len(rates), n_epochs) > 1 and each_once and are_round(rates):
            return [name], np.argsort(np.argsort(first))[run]
    return [], None


def name_columns(
    table: LogTable,
    problem: str,
    kinds: Sequence[str],
    called: Callable[[str, str], str],
    shared: frozenset[str] = frozenset(),
) -> None:
    """Name the values of each data set or metric as Keras does.

    `kinds` are the names of the kinds of rows, and `called` returns the name of a new
    column from that of the old one and of the kind. `shared` columns are equal in all
    rows of an epoch. If they cannot be named, `problem` begins the message.

    Raises
    ------
    ForeignLogError
        If two columns would have one name.
    """
    columns: dict[str, LogColumn] = {}
    for name, cells in table.columns.items():
        of_epoch = name in shared or is_of_epoch(name)
        if of_epoch or cells.blank.all():
            columns[name] = cells
            continue
        for number, kind in enumerate(kinds):
            at = table.kinds == number
            if (cells.missing | ~at).all():
                continue
            own = called(name, kind)
            if own in columns or (own != name and own in table.columns):
                problem += f", and {own} may be either's"
                hint = "Give one row for each epoch, with a column for each of these"
                raise ForeignLogError(problem, source=table.source, hint=hint)
            columns[own] = cells.within(at)
            if not (cells.missing & at).any():
                table.has_own_rows.add(own)
    check_columns(len(columns), table.source, table.damage.max_bytes)
    table.columns = columns


def is_of_epoch(name: str) -> bool:
    """Tell whether a column belongs to the epoch, not to a data set or metric."""
    known = name.lower() in _OF_EPOCHS or name in INDEXES or is_nameless(name)
    return known or is_rate_name(name) or letters(name) in SETTINGS


def put_together(table: LogTable, key: str) -> None:
    """Merge consecutive rows of one number, as long as each is of another kind.

    This is done for steps, and if a few epochs are there again, where a fit may have
    been resumed. Other rows of epochs are merged later.
    """
    numbers = table.columns[key].values
    differs = np.append(True, np.diff(numbers) != 0)
    begins = differs.copy()
    met: set[int] = set()
    for row, kind in enumerate(table.kinds.tolist()):
        begins[row] |= kind in met
        met = {kind} if begins[row] else met | {kind}
    n_again = int(np.count_nonzero(begins & ~differs))
    few = 0 < _FEW * n_again <= int(np.count_nonzero(differs))
    if not few and key.lower() not in STEP_NAMES:
        return
    table.merge(begins, "any")
