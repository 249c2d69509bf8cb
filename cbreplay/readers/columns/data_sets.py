"""Tables with a row for each data set or metric: a column says which one a row is of.

Where a row holds one value and names its metric, each metric gets a column; else each
data set gets columns of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.base import ForeignLogError
from cbreplay.readers.columns.cells import parse_cell
from cbreplay.readers.columns.column import LogColumn
from cbreplay.readers.columns.column_names import (
    DATA_SET_COLUMNS,
    INDEXES,
    KERAS_ITERATIONS,
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
from cbreplay.wording.words import list_first

if TYPE_CHECKING:
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import EpochArray

__all__ = ["NAMED_ABOVE", "lay_out_data_sets"]

# the name of the column for JSON whose rows are nested under their data set's name
NAMED_ABOVE = "the name above its rows"
# prefixes of data sets that a yes-or-no column may name: ``training``, ``is_val``
_SAID = ("", "val_", "eval_", "dev_")
# what Keras puts before the name of a metric of an epoch
_EPOCH_OF = r"^epoch_(?!(learning_rate|lr)$)(?=.)"
# data sets, or metrics, in an error
_SHOWN = 3


def lay_out_data_sets(table: LogTable) -> bool:
    """Give each data set of a table its own columns; tell whether that was needed.

    Where a row holds one value and names its metric, each metric gets columns. Rows are
    only sorted, so that those of an epoch follow each other; they are merged later.

    Raises
    ------
    ForeignLogError
        If nothing says which rows are of one epoch.
    """
    said_so = _say_data_sets(table)
    _cut_paths(table)
    telling = [name for name in table.columns if _tells_data_sets(table, name)]
    if _lay_out_metrics(table, telling):
        return True
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
    codes, table.kinds = np.unique(cells.coded, return_inverse=True)
    sets = [cells.vocabulary[code] for code in codes.tolist()]
    shown = said_so.get(name) or " and ".join(map(repr, sets[:_SHOWN]))
    again, runs = None, sort_by_runs(table)
    if len(sets) > 1:
        # the number of a row does not tell its epoch here
        for own in {*INDEXES} & table.columns.keys():
            del table.columns[own]
        problem = f"its rows are of several data sets: {name} is {shown}"
        again = bring_together(table, problem)
    problem = f"its rows are of several kinds: {name} is {shown}"
    name_columns(table, problem, sets, name_on, frozenset(runs))
    if again is not None:
        put_together(table, again)
    said = " and ".join(sets)
    teller = name if name == NAMED_ABOVE else f"column {name}"
    table.notes.append(
        f"{teller} says which data set a row is of, {said}: each has series of its own"
    )
    return True


def _cut_paths(table: LogTable) -> None:
    """Cut columns of paths, such as ``run_1/train``, into a run and a data set.

    TensorBoard calls so what each of Keras's two writers wrote.
    """
    for name, cells in list(table.columns.items()):
        if not cells.tells_words:
            continue
        codes = np.unique(cells.coded).tolist()
        paths = {code: re.split(_SLASH, cells.vocabulary[code]) for code in codes}
        sets = {prefix_of(parts[-1]) for parts in paths.values()}
        if None in sets or len(sets) <= 1 or min(map(len, paths.values())) <= 1:
            continue
        of_rows = [paths[code] for code in cells.coded.tolist()]
        del table.columns[name]
        table.columns[_SET] = _text_column([parts[-1] for parts in of_rows])
        if len({*map(tuple, (parts[:-1] for parts in paths.values()))}) > 1:
            runs = ["/".join(parts[:-1]) for parts in of_rows]
            table.columns[_RUN] = _text_column(runs)


_SLASH = r"[/\\]"
_SET, _RUN = "dataset", "run"


def _text_column(texts: list[str]) -> LogColumn:
    column = LogColumn()
    column.add(texts, parse_cell)
    column.finish()
    return column


def _tells_data_sets(table: LogTable, name: str) -> bool:
    """Tell whether a column names each row's data set, not only the training's."""
    cells = table.columns[name]
    if not cells.tells_words:
        return False
    prefixes = [
        prefix_of(cells.vocabulary[code]) for code in np.unique(cells.coded).tolist()
    ]
    if None in prefixes or prefixes in ([""], []):
        return False
    # words for several data sets tell them under any name
    named = name == NAMED_ABOVE or letters(name) in DATA_SET_COLUMNS
    return named or len(prefixes) > 1


def _prefixes(cells: LogColumn) -> list[str | None]:
    """Return the prefix that Keras gives a metric on each row's data set."""
    prefixes = list(map(prefix_of, cells.vocabulary))
    return [prefixes[code] for code in cells.coded.tolist()]


def _say_data_sets(table: LogTable) -> dict[str, str]:
    """Turn columns that say yes or no, such as ``training``, into names of data sets.

    Return, by column, its two values for a message. Most epochs must have a row of
    each, else the column may tell which epochs were validated. Without epochs there
    must be equally many rows of each.
    """
    said_so: dict[str, str] = {}
    prefixes = {
        name: prefix_of(letters(name).removeprefix("is")) for name in table.columns
    }
    named = {name: own for name, own in prefixes.items() if own in _SAID}
    if not named:
        return said_so
    key = find_numbering(table)
    for name, prefix in named.items():
        cells, word = table.columns[name], letters(name)
        if cells.tells_words:
            texts = np.array([text.lower() for text in cells.vocabulary])[cells.coded]
            yes, no = texts == "true", texts == "false"
        else:
            # the number under another name may be a metric's
            yes, no = cells.values == 1, cells.values == 0
            yes &= word.startswith("is")
        if not (yes | no).all():
            continue
        if key is None:
            of_both = word.startswith("is") and yes.sum() == no.sum()
        else:
            numbers = table.columns[key].values
            of_yes, of_no = np.unique(numbers[yes]), np.unique(numbers[no])
            n_both = len(np.intersect1d(of_yes, of_no))
            of_both = 2 * n_both > min(len(of_yes), len(of_no))
        if of_both:
            said_so[name] = " and ".join(
                dict.fromkeys(repr(cells.text(int(np.argmax(at)))) for at in (yes, no))
            )
            sets = ["train", prefix[:-1]] if prefix else ["val", "train"]
            table.columns[name] = _text_column([sets[own] for own in yes.tolist()])
    return said_so


# the empty text and one metric: with no more than that, the table may be anything
_PAIR = 2
# metrics in a note
_LISTED = 5


def _lay_out_metrics(table: LogTable, telling: list[str]) -> bool:
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
    named = dict.fromkeys(
        _called_by_metric(own, metric) for own in values for metric in metrics
    )
    listed = [own for own in named if own in table.columns]
    from cbreplay.readers.columns.cell_by_cell import read_spelled

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
    """Return Keras's names of the metrics in the order of the rows, and each row's.

    Tags of its TensorBoard callback are those of its logs, but for the learning rate;
    rows of batches, and of calls of evaluate, are left out.
    """
    of_keras = letters(name) == "tag" and any(
        own.startswith("epoch_") for own in table.columns[name].vocabulary
    )
    if of_keras:
        tags = table.columns[name].words_of_rows()
        table.keep(np.array([not re.fullmatch(KERAS_ITERATIONS, tag) for tag in tags]))
    metric, *sets = (table.columns[own].words_of_rows() for own in (name, *telling))
    if of_keras:
        # a script may log a loss of its own beside Keras's
        short = {tag: re.sub(_EPOCH_OF, "", tag) for tag in metric}
        metric = [tag if short[tag] in short else short[tag] for tag in metric]
    called = list(map(name_on, metric, sets[0])) if sets else metric
    metrics = list(dict.fromkeys(called))
    numbers = {own: number for number, own in enumerate(metrics)}
    return metrics, np.array([numbers[own] for own in called])


def _called_by_metric(name: str, metric: str) -> str:
    return metric if letters(name) in VALUES else name_on(metric, name)
