"""Which column is the epoch, and whether the rows of a table are epochs at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.base import ForeignLogError
from cbreplay.readers.columns.column_names import (
    EPOCH_NAMES,
    INDEXES,
    KINDS,
    LIKE_EPOCH,
    MODELS,
    ONE_RUN,
    PHASES,
    SETTINGS,
    STATES,
    STEP_NAMES,
    is_epoch_name,
    is_time,
    letters,
    prefix_of,
)
from cbreplay.series_names import is_rate_name

if TYPE_CHECKING:
    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = [
    "EXACT",
    "are_epochs",
    "are_fractions",
    "are_round",
    "check_one_kind",
    "check_rows_are_epochs",
    "check_rows_are_no_runs",
    "counts_by_one",
    "counts_rows",
    "ended_epochs",
    "find_epoch",
    "may_say_kinds",
    "never_go_back",
    "read_ended_epochs",
    "tells_time",
]
_SHOWN = 5
# above it, float64 no longer holds every whole number
EXACT = 2.0**53


def find_epoch(table: LogTable) -> str | None:
    """Choose the column of epochs; None where each row is the next epoch.

    The first of these that there is: a column with the name of an epoch; one with a
    name like it, whose numbers may count epochs; pandas's nameless index; steps that
    count the rows. What was taken is noted, where its name does not say so.
    """
    columns = table.columns
    named = table.first_of(EPOCH_NAMES)
    if named is not None:
        return named
    for name, cells in columns.items():
        if re.fullmatch(LIKE_EPOCH, letters(name)) and _may_count(cells.values):
            table.notes.append(f"{name} was taken as the epoch")
            return name
    table.is_counted = True
    silent = any(map(is_epoch_name, table.left_out))
    none = "the epoch column is empty:" if silent else "there is no epoch column:"
    for name in INDEXES:
        index = columns.get(name)
        if index is None or not _may_count(index.values):
            continue
        # a column called index need not be pandas's
        if name != "index" or _is_index(index.values):
            nameless = (
                "the index" if table.counted == "row" else "the nameless first one"
            )
            called = nameless if name == "#0" else name
            table.notes.append(f"{none} {called} was taken as it")
            return name
    step = table.first_of(STEP_NAMES)
    if step is not None and counts_by_one(columns[step].values):
        told = f"{step}, which counts the rows, was taken as it"
        axis = " (--x-axis step or x_axis='step' counts evaluations by it)"
        table.notes.append(f"{none} {told}{axis}")
        return step
    told = "the rows were taken as epochs 1, 2, 3, ..."
    axis = f" (--x-axis step or x_axis='step' counts them by {step})" if step else ""
    table.notes.append(f"{none} {told}{axis}")
    return None


def check_one_kind(table: LogTable, epochs: FloatArray | None) -> list[str]:
    """Refuse a table in which each row is of one metric or one data set; return notes.

    R's ``as.data.frame(history)`` has a row for each epoch, metric and data set. A
    column of phases of one training is no reason: each epoch has one row then, or the
    epochs begin anew with each phase.
    """
    notes = []
    for name, cells in table.columns.items():
        if cells.whole or not cells.texts:
            continue
        kinds = list(dict.fromkeys(cells.texts.values()))
        if letters(name) in KINDS and len(kinds) > 1 and not cells.words:
            if epochs is not None and _are_phases(name, cells, epochs):
                notes.append(f"column {name} names phases: {', '.join(kinds[:_SHOWN])}")
                continue
            shown = " and ".join(map(repr, kinds[:2]))
            problem = f"its rows are of several kinds: {name} is {shown}"
            hint = "Give one row for each epoch, with a column for each of these"
            row = next(at for at, text in cells.texts.items() if text == kinds[1])
            line = int(table.lines[row])
            raise table.error_at(line, problem, hint, ForeignLogError)
    return notes


def _are_phases(name: str, cells: LogColumn, epochs: FloatArray) -> bool:
    """Tell whether each epoch has one row, or each phase counts its own epochs."""
    if len(np.unique(epochs)) == len(epochs):
        return True
    kinds = cells.words_of_rows()
    begins = [row for row in range(1, len(kinds)) if kinds[row] != kinds[row - 1]]
    in_blocks = len(begins) + 1 == len(set(kinds))
    datasets = any(prefix_of(kind) is not None for kind in set(kinds))
    return letters(name) in PHASES and in_blocks and not datasets


def check_rows_are_no_runs(table: LogTable) -> None:
    """Refuse a table of runs or of models: hardly two rows name one of them.

    It may have a column of epochs, which says how long each was trained.
    """
    epoch = table.first_of(EPOCH_NAMES)
    numbers = np.zeros(0) if epoch is None else table.columns[epoch].values
    # where epochs count the rows, each is one, and a name in it may be that of a file
    of_tracker = table.first_of(STATES) is not None and not counts_rows(numbers)
    for name, cells in table.columns.items():
        own = letters(name)
        of_models = own in MODELS and len(numbers) > 0 and not counts_rows(numbers)
        if of_models and _hold_numbers(cells, numbers):
            # the file that was saved in each epoch
            continue
        if own not in ONE_RUN and not of_models and not (own == "name" and of_tracker):
            continue
        if not cells.tells_words and (not own.endswith("id") or cells.blank.any()):
            continue
        _, first = np.unique(
            cells.coded if cells.tells_words else cells.values, return_index=True
        )
        # two runs may be called alike
        if len(first) > 1 and 2 * len(first) > len(table):
            shown = " and ".join(repr(cells.text(row)) for row in sorted(first)[:2])
            kind = "models" if of_models else "runs"
            problem = f"its rows are {kind}, not epochs: {name} is {shown}"
            raise ForeignLogError(problem, source=table.source, hint=_OF_EPOCHS)


def _hold_numbers(cells: LogColumn, numbers: FloatArray) -> bool:
    """Tell whether the text of each row holds its number, as ``model_05.pt`` does."""
    texts = cells.words_of_rows() if cells.tells_words else []
    return bool(texts) and all(
        re.search(rf"(?<!\d)0*{number:g}(?!\d)", text) is not None
        for text, number in zip(texts, numbers.tolist(), strict=True)
    )


def check_rows_are_epochs(table: LogTable) -> None:
    """Refuse rows that are not epochs but models, settings, folds or data sets."""
    of_values = table.first_of(["value"]) is not None
    for name, cells in table.columns.items():
        texts = list(cells.texts.values())
        kinds = len(set(texts))
        # a value of another metric in each row, or a row for each of some models
        distinct = kinds > 1 and (of_values or kinds == len(texts) == len(table))
        if distinct and not tells_time(name, cells):
            shown = " and ".join(map(repr, list(dict.fromkeys(texts))[:2]))
            problem = f"its rows are no epochs: {name} is {shown}"
            raise ForeignLogError(problem, source=table.source, hint=_OF_EPOCHS)
        if letters(name) in SETTINGS:
            _check_one_training(table, name, cells)
        if is_rate_name(name) and _are_tried(cells):
            tried = ", ".join(f"{rate:g}" for rate in cells.values[:_SHOWN])
            problem = (
                f"its rows seem to be trials, not epochs: {name} is {tried}, another "
                "in each row, and up and down as no schedule goes"
            )
            hint = f"{_OF_EPOCHS}; if each row is one, {_NUMBERED}"
            raise ForeignLogError(problem, source=table.source, hint=hint)


_NUMBERED = "say so with --x-axis epoch or x_axis='epoch'"
_ROUND = 2


def _are_tried(cells: LogColumn) -> bool:
    """Tell whether rates are a grid that was tried, and no schedule.

    Each occurs once, has at most two digits, and they rise again after a fall. One
    cycle, a decay or a warmup never rises again; other cycles repeat rates, or have
    rates of many digits.
    """
    rates = cells.values
    if cells.blank.any() or len(np.unique(rates)) < len(rates):
        return False
    rises = np.diff(rates) > 0
    falls_first = np.flatnonzero(~rises)[:1]
    if not len(falls_first) or not rises[falls_first[0] :].any():
        return False
    return are_round(rates)


def are_round(rates: FloatArray) -> bool:
    """Tell whether rates have two digits at most, as those that people try.

    So has what float32 made of 0.001; the rates of most schedules have many.

    >>> are_round(np.array([0.1, 0.0010000000474974513])), are_round(np.array([1 / 3]))
    (True, False)
    """
    digits = [f"{rate:.6e}".partition("e")[0].rstrip("0.") for rate in rates.tolist()]
    return all(len(text.replace(".", "")) <= _ROUND for text in digits)


def _check_one_training(table: LogTable, name: str, cells: LogColumn) -> None:
    """Refuse rows of several trainings, by a setting that differs."""
    known = cells.values[~cells.blank]
    found = np.unique(known)
    if len(found) <= 1:
        return
    shown = " and ".join(f"{value:g}" for value in found[:2])
    if 2 * len(found) > len(known):
        problem = f"its rows are no epochs: {name} is {shown}"
        raise ForeignLogError(problem, source=table.source, hint=_OF_EPOCHS)
    problem = f"its rows are of several trainings: {name} is {shown}"
    hint = "Give a log for each, or a column epoch"
    raise ForeignLogError(problem, source=table.source, hint=hint)


# a date in any order, or a clock
_MOMENT = r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?!\d)|\d{1,3}:\d\d(?!\d)|\d+ days? "
_OF_EPOCHS = "Give a log with one row for each epoch"


def tells_time(name: str, cells: LogColumn) -> bool:
    """Tell whether a column holds times or dates, by its name or by each text."""
    texts = cells.texts.values()
    return is_time(name) or (
        bool(texts) and all(re.match(_MOMENT, text) for text in texts)
    )


def are_epochs(values: np.ndarray[tuple[int], np.dtype[np.floating]]) -> BoolArray:
    """Tell which numbers are zero-based epochs; pandas may have written 3 as 3.0."""
    # comparing with NaN is False and no warning
    whole: BoolArray = (values >= 0) & (values < EXACT) & (np.floor(values) == values)
    return whole


def never_go_back(numbers: FloatArray) -> bool:
    """Tell whether all are whole numbers from 0 on, none of them below the one above.

    >>> never_go_back(np.array([0.0, 2.0, 2.0])), never_go_back(np.array([1.0, 0.0]))
    (True, False)
    """
    return bool(are_epochs(numbers).all() and (np.diff(numbers) >= 0).all())


# how far two ends may be from a distance of 1, and an end from its epoch's number
_NEARLY, _NEAR = 0.05, 0.25


def ended_epochs(values: FloatArray) -> EpochArray | None:
    """Return the zero-based epochs that rows are the ends of, by how much was trained.

    Trainer's last step of an epoch may lie before its end, at 0.99, 1.98 and 2.97: it
    drops batches that fill no step. None if rows are whole epochs, or anything else.

    >>> ended_epochs(np.array([0.99, 1.98, 1.98, 2.97])).tolist()
    [0, 1, 1, 2]
    >>> ended_epochs(np.array([0.5, 1.0, 1.5])), ended_epochs(np.array([1.0, 2.0]))
    (None, None)
    """
    if are_epochs(values).all() or not np.isfinite(values).all():
        return None
    ends = np.array(sorted({*values.tolist()}))
    nearest = np.rint(values)
    off = np.abs(np.diff(ends, prepend=np.rint(ends[0]) - 1) - 1).max()
    if nearest.min() < 1 or off > _NEARLY or np.abs(values - nearest).max() > _NEAR:
        return None
    epochs: EpochArray = nearest.astype(np.int64) - 1
    return epochs


def read_ended_epochs(table: LogTable, name: str) -> None:
    """Read a column as zero-based epochs, with a note, if its rows end one each."""
    cells = table.columns[name]
    if not cells.whole and cells.blank.any():
        return
    epochs = ended_epochs(cells.values)
    if epochs is None:
        return
    first = ", ".join(f"{value:g}" for value in sorted({*cells.values.tolist()})[:2])
    table.notes.append(
        f"{name} ({first}, ...) tells how much was trained: each row is the end of an "
        "epoch, and these were numbered"
    )
    cells.values = epochs.astype(np.float64)
    table.counts_from_zero = True


def are_fractions(epochs: LogColumn) -> bool:
    """Tell whether rows are said to lie within epochs, as 0.25, 0.5, 0.75 and 1."""
    values = epochs.values
    between = int(np.count_nonzero(values != np.rint(values)))
    # nearly always all are whole numbers, and no more is asked
    return (
        between > 1
        and 2 * between >= len(values)
        and not epochs.missing.any()
        and bool(np.isfinite(values).all() and (np.diff(values) >= 0).all())
    )


def may_say_kinds(table: LogTable) -> bool:
    """Tell whether a column may name the kind of each row, by words or yes and no."""
    return any(
        bool(cells.texts) or prefix_of(letters(name).removeprefix("is")) is not None
        for name, cells in table.columns.items()
    )


def _may_count(values: FloatArray) -> bool:
    """Tell whether values are epochs that differ; a plan would be equal in all rows."""
    differ = len(values) == 1 or bool((values[1:] != values[:-1]).any())
    return differ and bool(are_epochs(values).all())


def counts_rows(values: FloatArray) -> bool:
    """Tell whether numbers are those of the rows: 0, 1, 2, ... or 1, 2, 3, ..."""
    return bool(len(values) and values[0] in (0, 1) and (np.diff(values) == 1).all())


def counts_by_one(values: FloatArray) -> bool:
    """Tell whether each number is one more than the one above, or begins again.

    It may begin again at the start, or, where some rows go on after a step back, at any
    later number, as in a resumed training.
    """
    if not are_epochs(values).all() or len(values) <= 1:
        return False
    steps = np.diff(values)
    begins = values[1:][steps <= 0]
    on = int(np.count_nonzero(steps == 1)) > len(begins)
    resumed = on and bool((begins >= values[0]).all())
    again = resumed or bool((begins == values[0]).all())
    return again and bool(((steps == 1) | (steps <= 0)).all())


def _is_index(values: FloatArray) -> bool:
    """Tell whether numbers are those of rows from 0 on, of which few were taken out."""
    distances = np.diff(values)
    n_next = int(np.count_nonzero(distances == 1))
    return bool(
        values[0] == 0 and (distances > 0).all() and 2 * n_next >= len(distances)
    )
