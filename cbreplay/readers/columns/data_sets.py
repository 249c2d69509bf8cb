"""Tables with a row for each data set: a column says which one a row is of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.columns.cells import parse_cell
from cbreplay.readers.columns.column import LogColumn
from cbreplay.readers.columns.column_names import (
    DATA_SET_COLUMNS,
    INDEXES,
    KINDS,
    letters,
    name_on,
    prefix_of,
)
from cbreplay.readers.columns.epoch_rows import (
    bring_together,
    find_numbering,
    name_columns,
    put_together,
    sort_by_runs,
)
from cbreplay.readers.columns.named_metrics import lay_out_metrics

if TYPE_CHECKING:
    from cbreplay.readers.columns.table import LogTable

__all__ = ["NAMED_ABOVE", "lay_out_data_sets"]

# the name of the column for JSON whose rows are nested under their data set's name
NAMED_ABOVE = "the name above its rows"
# prefixes of data sets that a yes-or-no column may name: ``training``, ``is_val``
_SAID = ("", "val_", "eval_", "dev_")
# data sets in an error
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
    if lay_out_metrics(table, telling):
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
