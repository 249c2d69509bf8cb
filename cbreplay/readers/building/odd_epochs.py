"""Epoch columns that are out of order, doubled or damaged, and what that means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.base import ForeignLogError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.errors import LogError
    from cbreplay.readers.base import Damage, LogFacts
    from cbreplay.readers.building.rows import Rows
    from cbreplay.run import BoolArray, EpochArray

__all__ = ["fill_each_other", "one_epoch_alone", "put_in_order"]

# fewer steps back than this may be restarts
_FEW = 3


def put_in_order(
    rows: Rows, facts: LogFacts, *, resumes: bool, damage: Damage | None = None
) -> Rows:
    """Return rows by their epochs, those of one epoch merged, with notes in `facts`.

    With `resumes`, a few epochs with two rows are taken for fits that were resumed
    there. Rows whose epoch was glued from two are reported to the damage.

    Raises
    ------
    LogError
        If most epochs have more than two rows; when strict, if two rows are glued.
    """
    found = _find_order(rows.epochs)
    if found is not None:
        order, note = found
        facts.notes.append(note)
        rows = rows.take(order)
    if damage is not None:
        rows = _without_glued(rows, facts, damage)
    doubled = _find_doubles(rows, facts, resumes=resumes)
    if doubled is None:
        return rows
    # a resumed fit may have left these few
    facts.written_again = _find_doubles(rows, facts, resumes=True) is None
    rows = rows.take(doubled)
    facts.notes += _said_again(rows.lines[rows.repeated].tolist(), facts.counted)
    return rows.folded()


def _said_again(lines: list[int], counted: str) -> Iterator[str]:
    """Note which rows repeat the one above."""
    if len(lines) == 1:
        yield (
            f"{counted} {lines[0]} repeats the row above, to the digit: it was read "
            "once"
        )
    elif lines:
        yield (
            f"{len(lines)} rows repeat the row above, to the digit (the first is "
            f"{counted} {lines[0]}): they were read once"
        )


def _without_glued(rows: Rows, facts: LogFacts, damage: Damage) -> Rows:
    epochs, glued = rows.epochs, _glued(rows.epochs)
    for row in np.flatnonzero(glued).tolist():
        problem = (
            f"the epoch {epochs[row]} does not follow {epochs[row - 1]}, and "
            f"{epochs[row + 1]} comes next: two rows seem to be glued to one"
        )
        damage.report(facts.error_at(int(rows.lines[row]), problem))
    return rows.take(~glued) if glued.any() else rows


def _find_doubles(rows: Rows, facts: LogFacts, *, resumes: bool) -> EpochArray | None:
    """Return an order of the rows in which those of one epoch follow each other.

    None if no epoch has several rows in one training: a row that steps back, or that
    repeats the first epoch of a training, begins another training.

    Most epochs with more than two rows are an error: no restart makes them.
    """
    epochs, cuts = rows.epochs, rows.cuts
    steps = np.diff(epochs)
    same: EpochArray = np.flatnonzero(steps == 0) + 1
    same = same[~np.isin(same, [*cuts])]
    turns = _interleaved(epochs)
    if not len(same) and not len(turns):
        return None
    rows_of_each = np.unique(epochs, return_counts=True)[1]
    if 2 * np.count_nonzero(rows_of_each > _TWO) > len(rows_of_each) and (
        len(turns) or 2 * len(same) >= len(rows_of_each)
    ):
        raise _several_rows(rows, int((turns if len(turns) else same)[0]), facts)
    if len(turns):
        order: EpochArray = np.argsort(epochs, kind="stable")
        return order
    begins = np.concatenate([[0], [*cuts], np.flatnonzero(steps < 0) + 1])
    few = resumes and 2 * len(same) < len(rows_of_each)
    if few or np.isin(same - 1, begins).all():
        return None
    return np.arange(len(epochs))


def one_epoch_alone(epoch: float) -> tuple[str, str]:
    """Return what is wrong with rows that are all of one epoch, and what to do."""
    return f"every row is epoch {epoch:g}", (
        "If fits of one epoch each were appended to one file: --parts rows or "
        "parts='rows' numbers the rows"
    )


def _several_rows(rows: Rows, row: int, facts: LogFacts) -> LogError:
    epochs = rows.epochs
    problem = (
        f"epoch {epochs[row]} has several rows, and so have most epochs: one for each "
        "step, or several workers wrote the same file"
    )
    hint = (
        "Give a log with one row for each epoch, as one CSVLogger writes it; or take "
        "each row as an evaluation: --parts rows or parts='rows'"
    )
    if (epochs == epochs[0]).all():
        problem, hint = one_epoch_alone(epochs[0])
    return facts.error_at(int(rows.lines[row]), problem, hint, ForeignLogError)


def _interleaved(epochs: EpochArray) -> EpochArray:
    """Find the rows of writers that take turns: 0, 1, 0, 2, 1, 3, 2.

    Restarts begin at 0, or where a fit was resumed, and leave out no epochs.
    """
    steps = np.diff(epochs)
    back = np.flatnonzero(steps <= 0) + 1
    n_gaps = np.count_nonzero(steps > 1)
    taking_turns = (
        len(back) >= _FEW
        and 2 * np.count_nonzero(epochs[back] > 0) > len(back)
        and 2 * n_gaps >= len(back)
        and 3 * (len(epochs) - len(np.unique(epochs))) >= len(epochs)
    )
    none: EpochArray = np.zeros(0, dtype=np.int64)
    return back if taking_turns else none


def _glued(epochs: EpochArray) -> BoolArray:
    """Find epochs glued from a cut one and the next: 4, then 5 and 0 as 50, then 1.

    So are 12, then the 1 of 13 and 0 as 10, then 1.
    """
    found = np.zeros(len(epochs), dtype=np.bool_)
    steps = np.diff(epochs)
    if len(steps) < _TWO_STEPS:
        return found
    for i in (np.flatnonzero((steps[:-1] != 1) & (steps[1:] <= 0)) + 1).tolist():
        following = int(epochs[i + 1])
        if following in {0, int(epochs[0])}:
            # a training that begins anew
            continue
        begun, resumed = str(int(epochs[i - 1]) + 1), str(following - 1)
        text = str(int(epochs[i]))
        cut = text.removesuffix(resumed)
        found[i] = text.endswith(resumed) and cut != "" and begun.startswith(cut)
    return found


_TWO, _TWO_STEPS = 2, 2
# at most one distance in this many may differ from the usual one
_REGULAR = 3


def _find_order(epochs: EpochArray) -> tuple[EpochArray, str] | None:
    """Return the order that sorts rows by epoch again, and a note; else None.

    Rows are sorted if all of them step back, for they are no trainings of one epoch
    each; and if the pieces between steps back fill each other's gaps: a table sorted as
    text has 10 and 11 before 2, and writers may take turns. Any other step back is a
    restart.
    """
    steps = np.diff(epochs)
    if len(steps) < _TWO_STEPS or not (steps < 0).any():
        return None
    order: EpochArray = np.argsort(epochs, kind="stable")
    if (steps < 0).all():
        return (
            order,
            "the rows stand from the last epoch to the first: they were sorted",
        )
    note = "the rows do not stand in the order of their epochs: they were sorted"
    pieces = np.cumsum(np.concatenate([[False], steps < 0]))
    return (order, note) if fill_each_other(epochs, pieces) else None


def fill_each_other(epochs: EpochArray, pieces: EpochArray) -> bool:
    """Tell whether pieces of rows are of one training: they fill each other's gaps.

    No epoch is in two of them, they fill more gaps than they leave, and together they
    are regular. Two samples of longer trainings are not.

    `pieces` holds the number of the piece that each row is of, counted from 0.

    Examples
    --------
    >>> turns = np.array([0, 2, 4, 6, 1, 3, 5, 7])
    >>> fill_each_other(turns, np.repeat([0, 1], 4))
    True
    >>> fill_each_other(np.array([0, 1, 2, 3, 2, 3]), np.repeat([0, 1], [4, 2]))
    False
    """
    order = np.argsort(epochs, kind="stable")
    distances = np.diff(epochs[order])
    if not len(distances) or (distances == 0).any():
        return False
    usual = int(np.unique(distances, return_counts=True)[1].max())
    n_left = len(distances) - usual
    n_turns = int(np.count_nonzero(np.diff(pieces[order]))) - int(pieces.max())
    return n_turns > n_left and len(distances) >= _REGULAR * n_left
