"""Tables with a row for each value: a column names the metric that a row holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.base import ForeignLogError
from cbreplay.readers.columns.column_names import (
    INDEXES,
    KINDS,
    STEP_NAMES,
    TRACKED_METRICS,
    VALUES,
    letters,
    name_on,
    prefix_of,
)
from cbreplay.readers.columns.epoch_rows import (
    bring_together,
    find_numbering,
    is_of_epoch,
    name_columns,
    put_together,
    runs_of_rows,
    sort_by_runs,
)
from cbreplay.readers.columns.roles import counts_rows, tells_time
from cbreplay.readers.columns.spelled import read_spelled
from cbreplay.wording.words import list_first

if TYPE_CHECKING:
    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import EpochArray

__all__ = ["lay_out_metrics"]

# the empty text and one metric: with no more than that, the table may be anything
_PAIR = 2
# metrics in an error, and in a note
_SHOWN, _LISTED = 3, 5


def lay_out_metrics(table: LogTable, telling: list[str]) -> bool:
    """Give each metric its own column, where a row has a value and names its metric.

    Raises
    ------
    ForeignLogError
        If nothing says which rows are of one training, or two have one name.
    LogError
        If a row does not say its epoch.
    """
    key, name = find_numbering(table), _teller_of_metrics(table)
    telling = [own for own in telling if own != name]
    if key is None or name is None:
        return False
    values, others = _values_and_others(table, {key, name, *telling})
    shown = " and ".join(map(repr, table.columns[name].vocabulary[1 : _SHOWN + 1]))
    problem = f"its rows are of several metrics: {name} is {shown}"
    runs, run = runs_of_rows(table)
    of_epochs = _alike_in_epochs(table, key, run, others)
    counted = [own for own in others if counts_rows(table.columns[own].values)]
    beside = [own for own in others if own not in {*runs, *of_epochs, *counted}]
    if not values or beside:
        if values:
            _refuse_beside(table, key, name, beside, problem)
        return False
    _check_numbers(table, key)
    metrics, table.kinds = _metrics_of_rows(table, name, telling)
    sort_by_runs(table)
    for own in {name, *telling, *INDEXES, *counted} & table.columns.keys():
        del table.columns[own]
    again = bring_together(table, problem)
    for own in [own for own, cells in table.columns.items() if tells_time(own, cells)]:
        del table.columns[own]
    shared = frozenset((*runs, *of_epochs))
    name_columns(table, problem, metrics, _called_by_metric, shared)
    if again is not None or key.lower() in STEP_NAMES:
        put_together(table, key)
    listed = [
        *dict.fromkeys(
            _called_by_metric(own, metric) for own in values for metric in metrics
        )
    ]
    listed = [own for own in listed if own in table.columns]
    # one metric may be written in percent, beside others that are not
    read_spelled(table)
    told = list_first(listed, _LISTED)
    table.notes.append(f"column {name} says which metric a row is of: {told}")
    return True


def _alike_in_epochs(
    table: LogTable, key: str, run: EpochArray | None, names: list[str]
) -> list[str]:
    """Return the columns that are equal in all rows of an epoch, as a rate is."""
    runs = np.zeros(len(table)) if run is None else run.astype(np.float64)
    epochs = np.stack([runs, table.columns[key].values])
    n_epochs = len(np.unique(epochs, axis=1).T)
    found = []
    for name in names:
        cells = table.columns[name]
        whole = not cells.blank.any()
        told = np.unique(np.vstack([epochs, cells.values]), axis=1) if whole else None
        if told is not None and len(told.T) == n_epochs < len(table):
            found.append(name)
    return found


def _refuse_beside(
    table: LogTable, key: str, name: str, beside: list[str], problem: str
) -> None:
    """Refuse a table with further columns, if an epoch has several rows."""
    numbers = table.columns[key].values
    if len(table.columns[name].vocabulary) <= _PAIR or (
        letters(name) in KINDS and len(np.unique(numbers)) == len(numbers)
    ):
        return
    listed = " and ".join(beside[:_SHOWN])
    problem += f", beside {listed}"
    hint = f"Leave {listed} out"
    texts = next((own for own in beside if table.columns[own].wrong.any()), None)
    if texts is not None:
        hint = f"Give a log for each {texts}, without that column"
    hint += f", or give one row for each {key}, with a column for each metric"
    raise ForeignLogError(problem, source=table.source, hint=hint)


def _check_numbers(table: LogTable, key: str) -> None:
    """Refuse a row that names a metric but no epoch."""
    numbers = table.columns[key]
    unsaid = numbers.missing | numbers.wrong
    if unsaid.any():
        row = int(np.flatnonzero(unsaid)[0])
        problem = f"this row names a metric, and no {key}"
        if numbers.wrong[row]:
            problem = f"the {key} {numbers.text(row)!r} is not a whole number"
        raise table.error(problem, row, f"Give each row its {key}")


def _teller_of_metrics(table: LogTable) -> str | None:
    """Return the column in which each row names its metric; None if there is none."""
    for name, cells in table.columns.items():
        if letters(name) not in TRACKED_METRICS or not cells.tells_words:
            continue
        # a column "name" may name runs: it must hold a loss
        if letters(name) in KINDS or any(
            "loss" in own.lower() for own in cells.vocabulary
        ):
            return name
    return None


def _values_and_others(table: LogTable, known: set[str]) -> tuple[list[str], list[str]]:
    """Return the columns that hold values, and those that hold anything else."""
    values, others = [], []
    for name, cells in table.columns.items():
        if name in known or is_of_epoch(name):
            continue
        if letters(name) in VALUES or prefix_of(name) is not None:
            values.append(name)
        elif not _says_nothing_else(name, cells):
            others.append(name)
    return values, others


def _says_nothing_else(name: str, cells: LogColumn) -> bool:
    """Tell whether a column holds times, is empty, or has one word in each row."""
    alike = cells.wrong.all() and len(set(cells.texts.values())) == 1
    return bool(alike or cells.missing.all()) or tells_time(name, cells)


def _metrics_of_rows(
    table: LogTable, name: str, telling: list[str]
) -> tuple[list[str], EpochArray]:
    """Return Keras's names of the metrics in the order of the rows, and each row's."""
    metric, *sets = (table.columns[own].words_of_rows() for own in (name, *telling))
    called = list(map(name_on, metric, sets[0])) if sets else metric
    metrics = list(dict.fromkeys(called))
    numbers = {own: number for number, own in enumerate(metrics)}
    return metrics, np.array([numbers[own] for own in called])


def _called_by_metric(name: str, metric: str) -> str:
    return metric if letters(name) in VALUES else name_on(metric, name)
