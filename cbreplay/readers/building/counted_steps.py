"""Rows of steps without an epoch: counted as evaluations, epochs or rounds, or refused.

A sample of a longer history lacks some of its evaluations, so nothing is counted there.
Rows take turns where a script calls ``wandb.log`` for the training, and once more for
the validation: that makes two rows and two steps of each epoch, which never hold one
series both, and a round of them is an epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import LogError
from cbreplay.evidence.cadence import (
    are_thinned,
    count_batches,
    count_lost_before,
    count_steps,
    lack_epochs,
    lacks_steps,
    lay_steps,
    stand_further_apart,
    stand_regularly,
)
from cbreplay.readers.base import ForeignLogError
from cbreplay.readers.building.evaluations import (
    axis_hint,
    count_hint,
    evaluation_note,
    given_note,
)
from cbreplay.readers.columns.column import LogColumn
from cbreplay.readers.columns.roles import are_epochs
from cbreplay.series_names import LEARNING_RATE_NAMES, is_validation, suggest_monitor
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import BoolArray, EpochArray

__all__ = [
    "EACH_ROUND",
    "EACH_STEP",
    "are_batches",
    "check_drawn",
    "count_evaluations",
    "count_rows",
    "end_epochs",
    "judges_seldom",
    "leave_out_stepless",
    "round_of_rows",
    "skips",
    "unsaid",
]

EACH_STEP = "there is no epoch: each step was taken as one"
_ENDS = (
    "{} of its steps have a value of a validation: each was taken as the end of an "
    "epoch, as given, and what lies between was left out"
)
# this many steps at irregular distances are not a log of every epoch
_MANY = 6
# fewer have but one distance
_FEWEST = 3
# a validation every second epoch is common in a log of epochs
_SELDOM, _HALF = 3, 2


def skips(steps: LogColumn) -> bool:
    """Tell whether steps that only go upwards show that others are not in the log."""
    values = steps.values
    if len(values) < _MANY or not are_epochs(values).all():
        return False
    numbers = values.astype(np.int64)
    if bool((np.diff(numbers) <= 0).any()):
        return False
    return not stand_regularly(numbers) or count_steps(numbers)[-1] >= len(numbers)


def judges_seldom(table: LogTable, steps: LogColumn) -> bool:
    """Tell whether rows between the validations hold values of the training only.

    Most rows do so, or half of them, where the steps count batches.
    """
    judged = _judged_rows(table)
    n_judged = int(np.count_nonzero(judged))
    if not n_judged or _SELDOM * n_judged <= len(table):
        return n_judged > 0
    values = steps.values
    if not are_epochs(values).all() or bool((np.diff(values) < 0).any()):
        return False
    every, own = (np.unique(each.astype(np.int64)) for each in (values, values[judged]))
    return count_batches(every) and _HALF * len(own) <= len(every) + 1


def _judged_rows(table: LogTable) -> BoolArray:
    """Return which rows hold a value of a validation."""
    return table.rows_with(filter(is_validation, table.columns))


def are_batches(table: LogTable, steps: LogColumn) -> bool:
    """Tell whether rows are of a training only, each some number of batches apart."""
    judged = any(map(is_validation, table.columns))
    every = _whole_steps(table, steps, may_go_back=True)
    return not judged and count_batches(np.unique(every))


def unsaid(table: LogTable) -> ForeignLogError:
    """Return the error of rows that are steps, if the user did not say what counts."""
    judged = [name for name in table.columns if is_validation(name)]
    n_judged = max(
        int(np.count_nonzero(~table.columns[name].missing)) for name in judged
    )
    problem = (
        f"its rows are steps, and {judged[0]} has a value at {n_judged} of {len(table)}"
    )
    return ForeignLogError(problem, source=table.source, hint=axis_hint(judged))


def count_evaluations(table: LogTable, steps: LogColumn, options: ReadOptions) -> None:
    """Keep the steps at which something was evaluated, and number them.

    Raises
    ------
    LogError
        If a sample lacks some of them.
    """
    check_drawn(table, steps, options)
    logged = _whole_steps(table, steps)
    table.collapse(logged, "any")
    every_step = table.columns.pop("epoch").values
    metrics = [name for name in table.columns if name not in LEARNING_RATE_NAMES]
    judged = [name for name in metrics if is_validation(name)]
    at = table.rows_with(judged or metrics)
    if not at.any():
        problem = "no step has a value"
        hint = "Log at least one metric"
        raise LogError(problem, source=table.source, hint=hint)
    n_between = sum(int((~table.columns[name].missing[~at]).sum()) for name in metrics)
    table.keep(at)
    steps_of_rows = every_step[at]
    own = steps_of_rows.astype(np.int64)
    numbers = count_steps(own)
    if table.may_be_drawn:
        is_whole = options.parts == "rows"
        numbers = _numbered(table, own, logged, is_sample=not is_whole)
    table.steps = lay_steps(numbers, steps_of_rows, int(numbers[-1]) + 1)
    table.axis_unit = "evaluations"
    number = LogColumn.of(numbers.astype(np.float64))
    table.columns = {"epoch": number, **table.columns}
    table.notes.insert(0, evaluation_note(judged, n_between))


def end_epochs(table: LogTable, steps: LogColumn, options: ReadOptions) -> None:
    """Keep the steps at which something was evaluated, each as the end of an epoch."""
    count_evaluations(table, steps, options)
    table.axis_unit, table.steps = "epochs", None
    table.notes[0] = _ENDS.format(len(table))


def check_drawn(table: LogTable, steps: LogColumn, options: ReadOptions) -> None:
    """Refuse to count the evaluations that a sample of a history happens to hold.

    In a sample they are at irregular distances, and so are the other rows. Where there
    are no other rows, only a writer that draws samples is refused. A few evaluations
    have nearly any distances by chance: of these the other rows tell.
    """
    judged = _judged_rows(table)
    if options.parts == "rows" or not judged.any():
        return
    every, n_judged = _whole_steps(table, steps), int(np.count_nonzero(judged))
    evaluated, others = np.unique(every[judged]), np.unique(every)
    if len(evaluated) < _MANY:
        # evaluations may stand in rows of their own between regular ones
        between = np.unique(every[~judged])
        is_whole = len(others) < _MANY or not all(map(are_thinned, (others, between)))
        # a loop that logs its training every few seconds evaluates on a plan
        is_whole = is_whole or not (table.may_be_drawn or lacks_steps(evaluated))
        what = f"{len(others)} steps"
    else:
        is_whole = stand_regularly(evaluated) or stand_further_apart(evaluated)
        what = f"{n_judged} evaluations"
        if not table.may_be_drawn:
            alone = len(others) == len(evaluated)
            is_whole = is_whole or alone or stand_regularly(others)
    if not is_whole:
        raise _drawn(table, what, options)


def _drawn(table: LogTable, what: str, options: ReadOptions) -> ForeignLogError:
    """Return the error of evaluations or steps that are those of a sample."""
    problem = (
        f"its {what} stand at irregular distances, as in a sample of a longer history"
    )
    also, too = "", ""
    if options.x_axis is None:
        names = [name for name in table.columns if is_validation(name)]
        also, too = suggest_monitor(names)
        also, too = f" --x-axis step{also}", f", x_axis='step'{too}"
    whole = f"--parts rows{also} or parts='rows'{too}"
    hint = f"{_WHOLE_HISTORY}, or if it is whole: {whole}"
    return ForeignLogError(problem, source=table.source, hint=hint)


_WHOLE_HISTORY = (
    "Export the whole history (W&B: run.scan_history(), which draws no sample)"
)


def count_rows(table: LogTable, steps: LogColumn | None, *, given: bool) -> EpochArray:
    """Take each step, or each row without steps, as one epoch, with a note."""
    table.is_counted = True
    if steps is None:
        table.notes.append("there is no epoch: each row was taken as one")
        return np.arange(len(table))
    values = _whole_steps(table, steps, may_go_back=not table.may_be_drawn)
    several = np.unique(values)
    if given and count_batches(several):
        ends = int(several[0]), int(several[-1])
        table.notes.append(given_note(numbered=ends))
        return _numbered(table, several)[np.searchsorted(several, values)]
    if given:
        table.notes.append(given_note())
        return values
    if bool((np.diff(several) == 1).all()):
        table.notes.append(EACH_STEP)
        return values
    lacks = lack_epochs(several)
    tells = len(several) >= (_MANY if lacks else _FEWEST)
    if tells and not stand_regularly(several):
        raise _sampled(table, several)
    shown = ", ".join(map(str, several[:_SHOWN].tolist()))
    table.notes.append(
        f"there is no epoch: each logged step ({shown}, ...) was taken as one"
    )
    if lacks:
        return values
    return _numbered(table, several)[np.searchsorted(several, values)]


def _numbered(
    table: LogTable,
    steps: EpochArray,
    logged: EpochArray | None = None,
    *,
    is_sample: bool = False,
) -> EpochArray:
    """Count steps from 0, with those that are lost before the first one.

    A tracker logs a run from its begin on: its callbacks saw what is lost there. These
    steps only go upwards; `logged` are those of all rows, if some are not counted.
    """
    logged = steps if logged is None else logged
    n_lost = count_lost_before(steps, logged, is_sample=is_sample)
    if n_lost and table.may_be_drawn:
        table.begins_at = 0
    return count_steps(steps) + n_lost


_SHOWN = 3


def _sampled(table: LogTable, steps: EpochArray) -> LogError:
    """Return the error of steps that leave out others: a sample's, or by a plan."""
    if stand_further_apart(steps):
        shown = ", ".join(map(str, steps[:_MANY].tolist()))
        problem = (
            f"nothing says which epoch a row is of, and its steps ({shown}, ...) stand "
            "further and further apart"
        )
        hint = f"If no row was lost between them, {count_hint()}"
        return LogError(problem, source=table.source, hint=hint)
    problem = (
        f"nothing says which epoch a row is of, and its {len(steps)} steps stand at "
        "irregular distances, as in a sample of a longer history"
    )
    hint = f"{_WHOLE_HISTORY}, or, if it is whole, {count_hint()}"
    return LogError(problem, source=table.source, hint=hint)


def leave_out_stepless(table: LogTable, step: str) -> None:
    """Leave out rows without a step below all others, as those of a test.

    One that stands between others is damaged. Nothing is left out where rows below hold
    what rows with a step do: the training goes on there without steps.

    Raises
    ------
    LogError
        When strict, if a row without a step stands between others.
    """
    cells = table.columns[step]
    without = cells.blank
    if not without.any() or without.all():
        return
    known = [
        own
        for name, own in table.columns.items()
        if name != step and not own.blank[~without].all()
    ]
    inside = np.arange(len(table)) < np.flatnonzero(~without)[-1]
    below = without & ~inside
    if any((below & ~own.missing).any() for own in known):
        return
    for row in np.flatnonzero(without & inside).tolist():
        problem = f"the step {cells.text(row)!r} is not a whole number"
        table.damage.report(table.error(problem, row))
    n_left_out = int(np.count_nonzero(below))
    if n_left_out:
        table.notes.append(f"left out {count(n_left_out, 'row')} without a step")
    table.keep(~without)


def _whole_steps(
    table: LogTable, steps: LogColumn, *, may_go_back: bool = False
) -> EpochArray:
    """Return the step of each row.

    A training that goes on from a checkpoint goes back to its step, where others count
    its rows; evaluations are counted by steps that never do.
    """
    if not are_epochs(steps.values).all():
        row = int(np.flatnonzero(~are_epochs(steps.values))[0])
        problem = f"the step {steps.text(row)!r} is not a whole number"
        raise table.error(problem, row, "Export the history with its steps")
    values: EpochArray = steps.values.astype(np.int64)
    if not may_go_back and bool((np.diff(values) < 0).any()):
        row = int(np.flatnonzero(np.diff(values) < 0)[0]) + 1
        problem = f"the step {values[row]} follows {values[row - 1]}"
        raise table.error(problem, row, "Export one history, in the order of its steps")
    return values


EACH_ROUND = "there is no epoch: its rows take turns, and each round was taken as one"
_FEWEST_ROUNDS = 3


def round_of_rows(
    columns: Mapping[str, LogColumn], steps: LogColumn | None
) -> EpochArray | None:
    """Return the number of the round that each row is of; None if they take no turns.

    They do if each series stands in one row of a round, some of a validation and some
    not, and every round is like the first. The last one may be cut. Steps that count
    batches, or leave out a round, tell that the rows are something else.
    """
    held = {name: ~own.missing for name, own in columns.items()}
    held = {name: there for name, there in held.items() if there.any()}
    if len({is_validation(name) for name in held}) == 1 or not held:
        return None
    there = np.stack([*held.values()])
    n_rows = there.shape[1]
    like_first = np.flatnonzero((there == there[:, :1]).all(axis=0))
    length = int(like_first[1]) if len(like_first) > 1 else 1
    if (
        length == 1
        or n_rows < _FEWEST_ROUNDS * length
        or not (there[:, :length].sum(axis=1) == 1).all()
        or not (there[:, length:] == there[:, :-length]).all()
    ):
        return None
    rounds: EpochArray = np.arange(n_rows) // length
    return rounds if steps is None else _counted(rounds, steps, length)


def _counted(rounds: EpochArray, steps: LogColumn, length: int) -> EpochArray | None:
    """Return the rounds numbered by steps, if each has as many as the first."""
    if not are_epochs(steps.values).all():
        return None
    numbers = steps.values.astype(np.int64)
    distances = numbers[length:] - numbers[:-length]
    is_even = (distances == distances[0]).all() and (np.diff(numbers) > 0).all()
    if not is_even or count_batches(numbers):
        return None
    first = int(numbers[0] // distances[0])
    return rounds + first
