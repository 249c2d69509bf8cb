"""Tables with a row for each data set or metric: a column says what a row is of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.base import ForeignLogError
from cbreplay.readers.columns.column import LogColumn
from cbreplay.readers.columns.header import (
    BATCH_NAMES,
    EPOCH_NAMES,
    STEP_NAMES,
    parse_cell,
)
from cbreplay.readers.columns.rate_names import is_rate_name
from cbreplay.readers.columns.roles import (
    INDEXES,
    KINDS,
    SETTINGS,
    are_epochs,
    letters,
    tells_time,
)
from cbreplay.readers.sizes import check_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import BoolArray, FloatArray

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

    So each metric, where a row holds one value and names its metric. The rows stay, but
    those of an epoch follow each other then, to be put together.

    Raises
    ------
    ForeignLogError
        If nothing says which rows are of one epoch.
    """
    _say_data_sets(table)
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
    sets = [cells.vocabulary[code] for code in np.unique(cells.coded).tolist()]
    of_set = {own: cells.coded == cells.vocabulary.index(own) for own in sets}
    shown = " and ".join(map(repr, sets[:_SHOWN]))
    again = None
    if len(sets) > 1:
        problem = f"its rows are of several data sets: {name} is {shown}"
        again = _bring_together(table, problem, of_set)
    problem = f"its rows are of several kinds: {name} is {shown}"
    _name_columns(table, problem, of_set, _called_by_set)
    if again is not None:
        _put_together(table, again, of_set)
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


def _bring_together(
    table: LogTable, problem: str, of_kind: dict[str, BoolArray]
) -> str | None:
    """Let the rows of one epoch follow each other.

    Return what numbers them, if some numbers stand there again.

    Raises
    ------
    ForeignLogError
        If no column numbers them, or more than one training may stand there in blocks.
    """
    key = _numbering(table)
    if key is None:
        problem += ", and nothing says which of them are of one epoch"
        hint = "Add a column epoch"
        raise ForeignLogError(problem, source=table.source, hint=hint)
    numbers = table.columns[key]
    if (numbers.missing | numbers.wrong).any():
        return None
    if _stand_once(numbers.values, of_kind):
        _sort(table, numbers.values, of_kind)
        return None
    group = np.cumsum(np.append(True, np.diff(numbers.values) != 0)) - 1
    first = next(at for at in of_kind.values() if at[0])
    if len(np.unique(group[first])) <= group[-1]:
        if _go_by_steps(table, numbers.values, of_kind):
            return None
        problem += f", and {key} does not tell which are of one training"
        hint = (
            f"Give each training a file of its own, or a row for each {key}, with a "
            "column for each data set"
        )
        raise ForeignLogError(problem, source=table.source, hint=hint)
    return key


def _stand_once(numbers: FloatArray, of_kind: dict[str, BoolArray]) -> bool:
    """Tell whether each kind has one row of a number at most."""
    n_rows = sum(len(np.unique(numbers[at])) for at in of_kind.values())
    return n_rows == len(numbers)


def _sort(table: LogTable, numbers: FloatArray, of_kind: dict[str, BoolArray]) -> None:
    order = np.argsort(numbers, kind="stable")
    if (np.diff(order) != 1).any():
        for own, at in of_kind.items():
            of_kind[own] = at[order]
        table.take(order)


def _go_by_steps(
    table: LogTable, epochs: FloatArray, of_kind: dict[str, BoolArray]
) -> bool:
    """Sort rows by the steps inside their epochs, and tell whether that can be done."""
    names = {own.lower(): own for own in table.columns}
    step = next((names[own] for own in STEP_NAMES if own in names), None)
    if step is None or not are_epochs(table.columns[step].values).all():
        return False
    steps = table.columns[step].values
    rises = bool((np.diff(epochs[np.argsort(steps, kind="stable")]) >= 0).all())
    if not rises or not _stand_once(steps, of_kind):
        return False
    _sort(table, steps, of_kind)
    return True


def _numbering(table: LogTable) -> str | None:
    """Return the column of epochs, or else of steps; None if there is neither."""
    by_name = {own.lower(): own for own in table.columns}
    numbering = (*EPOCH_NAMES, *STEP_NAMES)
    return next((by_name[own] for own in numbering if own in by_name), None)


_PAIR = 2
# one epoch in so many may stand there again
_FEW = 4
# of data sets, in an error; and of metrics, in a note
_SHOWN, _LISTED = 3, 5


def _name_columns(
    table: LogTable,
    problem: str,
    of_kind: dict[str, BoolArray],
    called: Callable[[str, str], str],
) -> None:
    """Name the values of each data set or metric as Keras does.

    Parameters
    ----------
    table : LogTable
        The rows.
    problem : str
        What to say of them if they cannot be named.
    of_kind : dict of str to bool array of shape (n_rows,)
        Which rows are of each.
    called : callable
        What the values of a column are called, by its name, in the rows of a kind.

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
        for kind, at in of_kind.items():
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


def _called_by_set(name: str, data_set: str) -> str:
    prefix = prefix_of(data_set) or ""
    return name if name.startswith(prefix) else f"{prefix}{name}"


def _is_of_epoch(name: str) -> bool:
    known = name.lower() in _OF_EPOCHS or name in INDEXES or name.startswith("#")
    return known or is_rate_name(name) or letters(name) in SETTINGS


def _say_data_sets(table: LogTable) -> None:
    """Name the data set of each row where a column says yes or no: ``training``.

    Most epochs have a row of each then; else it may say which epochs were validated.
    """
    prefixes = {
        name: prefix_of(letters(name).removeprefix("is")) for name in table.columns
    }
    named = {name: own for name, own in prefixes.items() if own in _SAID}
    key = _numbering(table) if named else None
    if key is None:
        return
    numbers = table.columns[key].values
    for name, prefix in named.items():
        cells, word = table.columns[name], letters(name)
        if len(cells.coded) and cells.coded.all():
            texts = np.array([text.lower() for text in cells.vocabulary])[cells.coded]
            yes, no = texts == "true", texts == "false"
        else:
            # the number under another name may be a metric's
            yes, no = cells.values == 1, cells.values == 0
            yes &= word.startswith("is")
        if not (yes | no).all():
            continue
        of_yes, of_no = np.unique(numbers[yes]), np.unique(numbers[no])
        n_both = len(np.intersect1d(of_yes, of_no))
        if 2 * n_both > min(len(of_yes), len(of_no)):
            sets = ["train", prefix[:-1]] if prefix else ["val", "train"]
            said = LogColumn()
            said.add([sets[own] for own in yes.tolist()], 0, parse_cell)
            said.finish()
            table.columns[name] = said


# the data sets whose other is the training's, and the training's
_SAID = ("", "val_", "eval_", "dev_")


def _lay_out_metrics(table: LogTable, telling: list[str]) -> bool:
    """Give each metric columns of its own where a row has a value and names its metric.

    Raises
    ------
    ForeignLogError
        If nothing says which rows are of one training, or two have one name.
    LogError
        If a row does not say its epoch.
    """
    key, name = _numbering(table), _teller_of_metrics(table)
    telling = [own for own in telling if own != name]
    if key is None or name is None:
        return False
    values, others = _values_and_others(table, {key, name, *telling})
    shown = " and ".join(map(repr, table.columns[name].vocabulary[1 : _SHOWN + 1]))
    problem = f"its rows are of several metrics: {name} is {shown}"
    if not values or others:
        if (
            values
            and letters(name) not in KINDS
            and len(table.columns[name].vocabulary) > _PAIR
        ):
            problem += f", beside {' and '.join(others[:_SHOWN])}"
            hint = "Give one row for each epoch, with a column for each metric"
            raise ForeignLogError(problem, source=table.source, hint=hint)
        return False
    numbers = table.columns[key]
    if (numbers.missing | numbers.wrong).any():
        row = int(np.flatnonzero(numbers.missing | numbers.wrong)[0])
        problem = f"this row names a metric, and no {key}"
        if numbers.wrong[row]:
            problem = f"the {key} {numbers.text(row)!r} is not a whole number"
        raise table.error(problem, row, f"Give each row its {key}")
    of_metric = _rows_of_metrics(table, name, telling)
    for own in {name, *telling, *INDEXES} & table.columns.keys():
        del table.columns[own]
    again = _bring_together(table, problem, of_metric)
    for own in [own for own, cells in table.columns.items() if tells_time(own, cells)]:
        del table.columns[own]
    _name_columns(table, problem, of_metric, _called_by_metric)
    if again is not None or key.lower() in STEP_NAMES:
        _put_together(table, key, of_metric)
    listed = [
        *dict.fromkeys(
            _called_by_metric(own, kind) for own in values for kind in of_metric
        )
    ]
    listed = [own for own in listed if own in table.columns]
    told = ", ".join(listed[:_LISTED]) + (", ..." if listed[_LISTED:] else "")
    table.notes.append(f"column {name} says which metric a row is of: {told}")
    return True


def _teller_of_metrics(table: LogTable) -> str | None:
    """Return the column in which each row names its metric; None if there is none."""
    for name, cells in table.columns.items():
        if (
            letters(name) not in _METRICS
            or not len(cells.coded)
            or not cells.coded.all()
        ):
            continue
        # a name may be that of a run
        if letters(name) in KINDS or any(
            "loss" in own.lower() for own in cells.vocabulary
        ):
            return name
    return None


_METRICS = frozenset(
    ("metric", "metricname", "key", "tag", "variable", "measure", "name", "series")
)
_VALUES = frozenset(("value", "metricvalue"))


def _values_and_others(table: LogTable, known: set[str]) -> tuple[list[str], list[str]]:
    """Return the columns of the values, and those that say something else."""
    values, others = [], []
    for name, cells in table.columns.items():
        if name in known or _is_of_epoch(name):
            continue
        if letters(name) in _VALUES or prefix_of(name) is not None:
            values.append(name)
        elif not _says_nothing_else(name, cells):
            others.append(name)
    return values, others


def _says_nothing_else(name: str, cells: LogColumn) -> bool:
    """Tell whether a column holds times, is empty, or has one word in each row."""
    alike = cells.wrong.all() and len(set(cells.texts.values())) == 1
    return bool(alike or cells.missing.all()) or tells_time(name, cells)


def _rows_of_metrics(
    table: LogTable, name: str, telling: list[str]
) -> dict[str, BoolArray]:
    """Return which rows are of each metric, as Keras calls it on its data set."""
    tellers = [table.columns[own] for own in (name, *telling)]
    codes = np.stack([cells.coded for cells in tellers])
    of_metric: dict[str, BoolArray] = {}
    for held in np.unique(codes, axis=1).T:
        metric, *sets = (
            cells.vocabulary[code]
            for cells, code in zip(tellers, held.tolist(), strict=True)
        )
        called = _called_by_set(metric, sets[0]) if sets else metric
        at = (codes == held[:, None]).all(axis=0)
        of_metric[called] = of_metric.get(called, np.zeros_like(at)) | at
    # in the order of the rows
    return dict(sorted(of_metric.items(), key=lambda own: int(np.argmax(own[1]))))


def _called_by_metric(name: str, metric: str) -> str:
    return metric if letters(name) in _VALUES else _called_by_set(metric, name)


def _put_together(table: LogTable, key: str, of_kind: dict[str, BoolArray]) -> None:
    """Make one row of those that follow each other, of one number and a kind each.

    The rows of epochs are put together later, but for those of a few that stand there
    again: a fit may have been resumed there.
    """
    numbers = table.columns[key].values
    kinds = np.zeros(len(table), dtype=np.int64)
    for kind, at in enumerate(of_kind.values()):
        kinds[at] = kind
    differs = np.append(True, np.diff(numbers) != 0)
    begins = differs.copy()
    met: set[int] = set()
    for row, kind in enumerate(kinds.tolist()):
        begins[row] |= kind in met
        met = {kind} if begins[row] else met | {kind}
    n_again = int(np.count_nonzero(begins & ~differs))
    few = 0 < _FEW * n_again <= int(np.count_nonzero(differs))
    if not few and key.lower() not in STEP_NAMES:
        return
    group = np.cumsum(begins) - 1
    for cells in table.columns.values():
        cells.collapse(group, "any")
    table.lines = table.lines[begins]
    table.repeated_header = {
        int(group[row]) for row in table.repeated_header if row < len(group)
    }
