"""Read the ``trainer_state.json`` of Hugging Face's Trainer, or its log_history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.errors import LogError
from cbreplay.evidence.cadence import count_lost_before, count_steps, lay_steps
from cbreplay.readers.base import Damage, LogReader
from cbreplay.readers.building.evaluations import OF_MACHINE, TRAINER_SPEED, given_note
from cbreplay.readers.building.table_runs import build_runs
from cbreplay.readers.columns.csv_table import read_table
from cbreplay.readers.columns.roles import EXACT, are_epochs, ended_epochs
from cbreplay.readers.columns.table import LogTable
from cbreplay.readers.other_tools.json_rows import rows_of_columns
from cbreplay.readers.other_tools.json_text import begins_as_json, read_json
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.run import EpochArray, FloatArray, Run

__all__ = ["HuggingFaceReader"]

# the prefixes of what Trainer's evaluate and predict log
_EVALUATED = ("eval_", "test_")
# Trainer's epoch is a quotient: after three epochs it may be 2.9966
_NEARLY = 0.01


class HuggingFaceReader(LogReader):
    """Reader of the log of Trainer: an epoch is what lies before an evaluation."""

    def read(self, path: str) -> Iterator[Run]:
        """Yield the training in the file."""
        damage = Damage(self.options)
        state = self._read_state(path, damage)
        rows = state.get("log_history") if isinstance(state, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            problem = "its log_history is no list of logs"
            hint = "Give the trainer_state.json that Trainer wrote"
            raise LogError(problem, source=path, hint=hint)
        # pandas writes each name in every row
        told = [
            {name: value for name, value in row.items() if value is not None}
            for row in rows
        ]
        kept, notes = _of_training(told)
        rows = _each_once(kept)
        if len(rows) < len(kept):
            again = count(len(kept) - len(rows), "row")
            notes.append(
                f"left out {again} that repeat others of their step, to the digit"
            )
        if not rows:
            problem, hint = "its log_history is empty", "Give the state of a training"
            raise LogError(problem, source=path, hint=hint)
        table = LogTable.of_rows(rows, path, damage)
        table.notes += notes
        table.check_whole()
        self._fold(table, rows, state)
        table.counts_from_zero = True
        table.framework = "Hugging Face"
        yield from build_runs(table, self.options, self.metadata)

    def _read_state(self, path: str, damage: Damage) -> Any:
        """Return the state; around a log_history that was saved by itself, one."""
        if begins_as_json(path):
            state = read_json(path, damage.max_bytes, damage)
            if isinstance(state, list):
                return {"log_history": state}
            rows = rows_of_columns(state)
            return state if rows is None else {"log_history": rows}
        # what pandas writes of its rows
        table = read_table(path, self.options)
        table.check_whole()
        damage.remarks += [*table.notes, *table.damage.notes()]
        return {"log_history": _rows_of(table)}

    def _fold(
        self, table: LogTable, rows: Sequence[dict[str, Any]], state: dict[str, Any]
    ) -> None:
        evaluations = _evaluations(rows)
        # without one, every row is taken
        ends = np.array([own[-1] for own in evaluations] or range(len(rows)))
        after = len(rows) - 1 - int(ends[-1])
        if after:
            table.notes.append(
                f"left out {count(after, 'row')} after the last evaluation"
            )
        table.keep(np.arange(len(rows)) <= ends[-1])
        logged = table.columns["epoch"].values if "epoch" in table.columns else None
        fractions = None if logged is None else logged[ends]
        every = table.columns["step"].values if "step" in table.columns else None
        # each evaluation and each step has a row of its own
        table.has_other_rows = True
        speed = [name for name in table.columns if name.endswith(TRAINER_SPEED)]
        for name in ("epoch", "step"):
            table.columns.pop(name, None)
        table.leave_out(speed, OF_MACHINE)
        group = np.searchsorted(ends, np.arange(len(table)))
        whole = None if self.options.x_axis == "step" else _whole_epochs(fractions)
        table.collapse(group)
        if whole is not None:
            table.columns["epoch"].values = whole.astype(np.float64)
            if logged is not None and logged.min() > whole[0] + _NEARLY:
                # Trainer goes on with the whole log of a checkpoint: a head is lost. A
                # row of an earlier epoch would show that evaluations began later
                table.begins_at = 0
            table.take_plan(state.get("num_train_epochs"))
        else:
            what = "evaluation" if evaluations else "logged step"
            table.notes.insert(0, self._note(what))
            if self.options.x_axis != "epoch":
                _count_evaluations(table, every, ends)

    def _note(self, what: str) -> str:
        """Say what the rows are, where they are no epochs."""
        if self.options.x_axis == "epoch":
            return given_note(f"each {what}")
        if self.options.x_axis == "step":
            return f"each row is one {what}: patience counts {what}s"
        return (
            f"each {what} was taken as one epoch, since they do not fall on whole "
            f"epochs: patience counts {what}s"
        )


def _count_evaluations(
    table: LogTable, every: FloatArray | None, ends: EpochArray
) -> None:
    """Give the rows the numbers of evaluations, by their steps if there are any."""
    table.axis_unit = "evaluations"
    steps = None if every is None else every[ends]
    if every is None or steps is None or not are_epochs(steps).all():
        return
    # where steps go back, a training began anew, or rows are out of order
    several, at = np.unique(steps, return_inverse=True)
    n_lost = count_lost_before(several, every)
    if n_lost:
        # Trainer goes on with the whole log of a checkpoint: a head is lost
        table.begins_at = 0
    numbers = count_steps(several.astype(np.int64)) + n_lost
    table.columns["epoch"].values = numbers[at].astype(np.float64)
    table.steps = lay_steps(numbers, several, int(numbers[-1]) + 1)


def _rows_of(table: LogTable) -> list[dict[str, float]]:
    """Return the values of each row of a CSV, by their names."""
    columns = [
        (name, cells.values.tolist(), cells.blank.tolist())
        for name, cells in table.columns.items()
        if not name.startswith("#")
    ]
    return [
        {name: values[row] for name, values, silent in columns if not silent[row]}
        for row in range(len(table))
    ]


def _each_once(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out rows that repeat one of their step, as where each save appends all."""
    once = {repr(row) if "step" in row else at: row for at, row in enumerate(rows)}
    return list(once.values())


def _is_evaluation(row: Mapping[str, Any]) -> bool:
    return any(name.startswith(_EVALUATED) for name in row)


def _of_training(
    rows: Sequence[dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[str]]:
    """Leave out what Trainer logs before and after the training, and say so."""
    sums = [i for i, row in enumerate(rows) if "train_runtime" in row]
    kept = [row for row in rows if "train_runtime" not in row]
    notes = []
    if sums:
        # trainer.evaluate() after trainer.train(): of the best model, perhaps
        after = len(rows) - 1 - sums[-1]
        if not all(map(_is_evaluation, rows[sums[-1] + 1 :])):
            after = 0
    else:
        after = _count_again(rows)
    if after:
        kept = kept[: len(kept) - after]
        what = count(after, "evaluation")
        notes.append(f"left out {what} after the end of the training")
    before = 0
    while before < len(kept) - 1 and kept[before].get("step") == 0:
        before += 1
    if before and all(map(_is_evaluation, kept[:before])):
        notes.append(f"left out {count(before, 'evaluation')} before the first step")
        kept = kept[before:]
    return kept, notes


def _count_again(rows: Sequence[Mapping[str, Any]]) -> int:
    """Count the evaluations at the end that repeat the step of one before them."""
    last = rows[-1].get("step") if rows else None
    if last is None:
        return 0
    _, *again = _evaluations([row for row in rows if row.get("step") == last]) or [[]]
    return sum(map(len, again))


def _evaluations(rows: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """Return the rows of each evaluation: of several data sets, several of one step."""
    found: list[list[int]] = []
    seen: set[str] = set()
    for i, row in enumerate(rows):
        # each data set has names of its own
        names = {name for name in row if name.startswith(_EVALUATED)}
        if not names:
            continue
        same = found and rows[found[-1][0]].get("step") == row.get("step") is not None
        if same and not names & seen:
            found[-1].append(i)
        else:
            found.append([i])
            seen = set()
        seen |= names
    return found


def _whole_epochs(fractions: Any) -> EpochArray | None:
    """Return zero-based epochs, if each row ends one."""
    if fractions is None or not np.isfinite(fractions).all():
        return None
    nearest = np.rint(fractions)
    near = np.abs(fractions - nearest) <= _NEARLY
    # where they step back, another training begins, or this one was resumed
    if not near.all() or nearest.min() < 1 or bool((np.diff(nearest) == 0).any()):
        return ended_epochs(fractions)
    # a number too large for an epoch is refused later, with its place in the file
    epochs: EpochArray = np.minimum(nearest - 1, EXACT).astype(np.int64)
    return epochs
