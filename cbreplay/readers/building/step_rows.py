"""Rows that are steps, not epochs, as in logs of W&B or Lightning.

Each row is given its epoch, and the rows of one epoch are merged. Where no row has one,
`counted_steps` counts the steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import LogError
from cbreplay.evidence.cadence import count_lost_before
from cbreplay.readers.building.counted_steps import (
    EACH_ROUND,
    EACH_STEP,
    are_batches,
    check_drawn,
    count_evaluations,
    count_rows,
    end_epochs,
    judges_seldom,
    leave_out_stepless,
    round_of_rows,
    skips,
    unsaid,
)
from cbreplay.readers.building.evaluations import count_hint
from cbreplay.readers.building.telling_columns import leave_out_said_tests
from cbreplay.readers.columns.column import LogColumn
from cbreplay.readers.columns.column_names import BATCH_NAMES, EPOCH_NAMES, STEP_NAMES
from cbreplay.readers.columns.roles import (
    are_epochs,
    are_fractions,
    counts_by_one,
    never_go_back,
    read_ended_epochs,
)
from cbreplay.readers.columns.written_again import (
    drop_earlier_copies,
    leave_out_restored,
)
from cbreplay.series_names import is_rate_name
from cbreplay.wording.note import Note
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import BoolArray, EpochArray

__all__ = ["fold_by", "fold_data_sets", "fold_steps", "nearest_epochs"]

_TWO_ROWS = 2


def nearest_epochs(table: LogTable, cells: LogColumn) -> EpochArray | None:
    """Return the epoch of each row; a row without one belongs to that of the next.

    None if there is no epoch at all, or one that is no whole number.
    """
    known = np.flatnonzero(~cells.missing)
    if not len(known) or not are_epochs(cells.values[known]).all():
        return None
    following = np.searchsorted(known, np.arange(len(table)))
    nearest = known[np.minimum(following, len(known) - 1)]
    epochs: EpochArray = cells.values[nearest].astype(np.int64)
    return epochs


def fold_by(
    table: LogTable,
    epoch_name: str | None,
    step_name: str | None,
    options: ReadOptions,
) -> None:
    """Merge the rows of each epoch; without epochs, count the steps or the rows.

    Raises
    ------
    LogError
        If a row has neither an epoch nor a step, or if evaluations are to be counted
        of which a sample lacks some.
    """
    leave_out_said_tests(table)
    drop_earlier_copies(table)
    if epoch_name is not None and options.x_axis != "step":
        read_ended_epochs(table, epoch_name)
    counts = options.x_axis == "step" and step_name != epoch_name
    if counts and step_name is not None:
        table.columns.pop(epoch_name or "", None)
        counted = table.columns.pop(step_name)
        count_evaluations(table, counted, options)
        return
    epochs = _find_epochs(table, epoch_name, step_name, options)
    if epochs is None:
        return
    n_rows = len(table)
    is_number = epoch_name is not None or EACH_STEP in table.notes
    alone = epoch_name is None or step_name is None
    if is_number and _stand_again(table, epochs, alone=alone):
        # what they are is told later, as of a CSV
        numbers = LogColumn.of(epochs.astype(np.float64))
        table.columns = {"epoch": numbers, **table.columns}
        return
    if is_number and epochs.min() == 0:
        # also where the row of epoch 0 has no value, and is dropped
        table.counts_from_zero, table.begins_at = True, 0
    # two values of one step are not those of two batches
    by_step = table.is_counted or (epoch_name is not None and epoch_name == step_name)
    table.collapse(epochs, "any" if by_step else "few")
    _drop_silent_epochs(table, has_steps=step_name is not None)
    _note_fewer(table, n_rows)


def _find_epochs(
    table: LogTable,
    epoch_name: str | None,
    step_name: str | None,
    options: ReadOptions,
) -> EpochArray | None:
    """Return the epoch of each row; None where its evaluations were counted instead.

    What rows are is told by the first of these that holds. Where the user says what
    counts (`x_axis`, or `parts="rows"`), 2, 3 and 5 are not asked.

    1. They name whole epochs: those with one number are one epoch.
    2. They name fractions of epochs: each that has a value is an evaluation.
    3. They take turns, a series each: a round is an epoch.
    4. Few of them have a value of a validation: each of these ends an epoch if the user
       says that steps are epochs. If the user says nothing, the table is refused.
    5. Their steps count batches, and nothing is validated: each is an evaluation.
    6. Else each step is an epoch, or each row without steps.
    """
    silent = table.columns[epoch_name].missing if epoch_name is not None else None
    epochs = (
        None if epoch_name is None else _take_epochs(table, epoch_name, options.parts)
    )
    steps = table.columns.pop(step_name, None) if step_name is not None else None
    if epochs is not None and silent is not None:
        # trackers know no initial_epoch: epochs before the first row are missing
        table.begins_at = 0
        return epochs if steps is None else _of_own_step(epochs, silent, steps)
    is_told = options.x_axis is not None or options.parts == "rows"
    if epoch_name is not None and not is_told:
        rows = LogColumn.of(np.arange(len(table), dtype=np.float64))
        count_evaluations(table, rows if steps is None else steps, options)
        return None
    rounds = None if is_told else round_of_rows(table.columns, steps)
    if rounds is not None:
        table.notes.append(EACH_ROUND)
        return rounds
    if steps is not None and judges_seldom(table, steps):
        if options.x_axis == "epoch":
            end_epochs(table, steps, options)
            return None
        if not is_told:
            check_drawn(table, steps, options)
            raise unsaid(table)
    elif steps is not None and not is_told and are_batches(table, steps):
        count_evaluations(table, steps, options)
        return None
    return count_rows(table, steps, given=options.x_axis == "epoch")


def fold_data_sets(table: LogTable, options: ReadOptions) -> None:
    """Merge the rows of each epoch, where each data set had a row of its own."""
    epoch, step = map(table.first_of, (EPOCH_NAMES, STEP_NAMES))
    table.check_whole()
    if epoch is not None:
        table.rename({epoch: "epoch"})
        epoch = "epoch"
    elif step is not None and _count_in_runs(table.columns[step]):
        table.rename({step: "epoch"})
        epoch = step = "epoch"
        table.notes.append(EACH_STEP)
    fold_by(table, epoch, step, options)


def _count_in_runs(steps: LogColumn) -> bool:
    """Tell whether steps count one by one, and begin again with each training.

    >>> _count_in_runs(LogColumn.of(np.array([0.0, 1.0, 2.0, 0.0, 1.0])))
    True
    >>> _count_in_runs(LogColumn.of(np.array([10.0, 20.0, 30.0, 10.0, 20.0])))
    False
    """
    if not np.isfinite(steps.values).all():
        return False
    distances = np.diff(steps.values)
    again = distances < 0
    begins = steps.values[np.append(True, again)]
    return bool(
        again.any() and (distances[~again] == 1).all() and (begins == begins[0]).all()
    )


def fold_steps(table: LogTable, options: ReadOptions) -> None:
    """Merge the rows of a CSV that are steps, by its columns or as the user says.

    Rows with an epoch and a step or batch belong to that epoch. Without an epoch the
    user has to say what the steps count.

    Raises
    ------
    LogError
        If a step is no whole number, or goes back; or if rows without an epoch are
        steps, by the few of them that a validation has, and nothing says what counts.
    """
    epoch, step = map(table.first_of, (EPOCH_NAMES, STEP_NAMES))
    if epoch is not None and not are_fractions(table.columns[epoch]):
        batch = table.first_of(BATCH_NAMES) or step
        if batch is not None and _several_rows_each(table.columns[epoch]):
            _fold_batches(table, epoch, batch, options)
        elif options.x_axis == "step":
            note = "its rows are epochs, by their column: the x-axis need not be said"
            table.notes.append(note)
    elif epoch is not None or _are_steps(table, step, options):
        table.check_whole()
        fold_by(table, epoch, step, options)


def _are_steps(table: LogTable, step: str | None, options: ReadOptions) -> bool:
    """Tell whether rows without an epoch are steps; else each of them is an epoch.

    They are if they take turns, if the user says what steps count, or if the steps
    stand there again, skip some, go back or begin late.
    """
    each_row = options.parts == "rows"
    series = {name: own for name, own in table.columns.items() if name != step}
    counted = None if step is None else table.columns[step]
    if not each_row and round_of_rows(series, counted) is not None:
        return True
    if step is None:
        if not each_row:
            drop_earlier_copies(table)
        return False
    leave_out_stepless(table, step)
    leave_out_restored(table, step)
    cells = table.columns[step]
    tell_steps = (_stands_again, skips, _goes_back, _is_late)
    are_steps = options.x_axis is not None or (
        not each_row and any(tells(cells) for tells in tell_steps)
    )
    if are_steps:
        drop_earlier_copies(table)
    elif not each_row and judges_seldom(table, cells):
        drop_earlier_copies(table)
        raise unsaid(table)
    return are_steps


def _note_fewer(table: LogTable, n_rows: int) -> None:
    """Note how many epochs the rows make, where these are fewer."""
    if len(table) < n_rows:
        note = f"{n_rows} logged rows make {count(len(table), 'epoch')}"
        table.notes.insert(0, Note(note, "reading"))


def _stand_again(table: LogTable, epochs: EpochArray, *, alone: bool) -> bool:
    """Tell whether complete rows of a few epochs are there twice.

    Where that is the only number of a row (`alone`), it may be more than a few.
    """
    again = np.diff(epochs) == 0
    n_again = int(np.count_nonzero(again))
    whole = not any(cells.missing.any() for cells in table.columns.values())
    twice = alone and not (again[1:] & again[:-1]).any()
    return whole and n_again > 0 and (twice or _FEW * n_again <= len(epochs) - n_again)


_FEW = 4


def _several_rows_each(epochs: LogColumn) -> bool:
    """Tell whether most epochs have more than two rows, one below the other."""
    n_rows = _rows_of_each(epochs)
    return bool(2 * np.count_nonzero(n_rows > _TWO_ROWS) > len(n_rows))


def _stands_again(steps: LogColumn) -> bool:
    """Tell whether most steps have two or three rows, one below the other.

    Then training and validation have a row each, or a step was logged more than once.
    """
    n_rows = _rows_of_each(steps)
    often = 2 * np.count_nonzero(n_rows > 1) > len(n_rows) > 1
    return bool(often) and int(n_rows.max()) <= _THREE_ROWS


def _goes_back(steps: LogColumn) -> bool:
    """Tell whether steps go back that do not plainly count the rows of trainings.

    >>> _goes_back(LogColumn.of(np.array([0.0, 5.0, 10.0, 5.0, 10.0])))
    True
    >>> _goes_back(LogColumn.of(np.array([0.0, 1.0, 2.0, 1.0, 2.0])))
    False
    """
    values = steps.values
    is_whole = are_epochs(values).all()
    return bool(is_whole and (np.diff(values) < 0).any() and not counts_by_one(values))


def _is_late(steps: LogColumn) -> bool:
    """Tell whether other steps came before the first, by how far apart all are."""
    values = steps.values
    is_upwards = never_go_back(values) and not counts_by_one(values)
    return is_upwards and count_lost_before(values, values) > 0


def _rows_of_each(numbers: LogColumn) -> EpochArray:
    """Return how many rows each number has; none where they are none, or go back."""
    values = numbers.values
    if not never_go_back(values):
        return np.zeros(0, dtype=np.int64)
    return np.unique(values, return_counts=True)[1]


_THREE_ROWS = 3


def _fold_batches(
    table: LogTable, epoch: str, batch: str, options: ReadOptions
) -> None:
    """Merge the batches of each epoch, or make a row of each evaluation."""
    table.check_whole()
    cells = table.columns[batch]
    if bool((cells.values[1:] < cells.values[:-1]).any()):
        # the batch number begins anew in each epoch: the rows are counted instead
        cells.values = np.arange(len(table), dtype=np.float64)
    table.rename({epoch: "epoch"})
    fold_by(table, "epoch", batch, options)


def _take_epochs(table: LogTable, name: str, parts: str) -> EpochArray | None:
    """Take the column of epochs out of a table; None if they are no whole numbers."""
    epochs = nearest_epochs(table, table.columns.pop(name))
    if parts == "rows" and epochs is not None and (epochs == epochs[0]).all():
        # fits of one epoch each: they are told apart by their rows alone
        return np.arange(len(table))
    return epochs


def _of_own_step(epochs: EpochArray, silent: BoolArray, steps: LogColumn) -> EpochArray:
    """Give a row without an epoch that of the row above, if its step is this number.

    MMEngine's rows of a training have an epoch, and a step that counts batches; its
    rows of a validation have only a step, which is the epoch that has just ended.
    """
    at = np.flatnonzero(silent[1:]) + 1
    back = steps.values[at] < steps.values[at - 1]
    at = at[back & (steps.values[at] == epochs[at - 1])]
    if len(at):
        epochs = epochs.copy()
        epochs[at] = epochs[at - 1]
    return epochs


def _drop_silent_epochs(table: LogTable, *, has_steps: bool) -> None:
    """Leave out epochs without a value, as those of a column that was left out."""
    names = [
        name for name in table.columns if name != "epoch" and not is_rate_name(name)
    ]
    columns = [table.columns[name] for name in names]
    if not columns or (table.left_out and all(cells.blank.all() for cells in columns)):
        problem = "no column has one value for each epoch"
        hint = "Log at least one metric once in each epoch"
        hint += f"; or {count_hint()}" if has_steps else ""
        if len(table) == 1 and not has_steps:
            from cbreplay.readers.building.odd_epochs import one_epoch_alone

            problem, hint = one_epoch_alone(float(table.columns["epoch"].values[0]))
        if any(map(is_rate_name, table.columns)) and not table.left_out:
            problem = "it holds no metric, only a learning rate"
            hint = "Give the log of a metric too"
        raise LogError(problem, source=table.source, hint=hint)
    said = table.rows_with(names)
    if said.any() and not said.all():
        table.keep(said)
