"""Rows that take turns, as of a log call for each series: a round of them is an epoch.

A script that calls ``wandb.log`` for the training, and once more for the validation,
makes two rows and two steps of each epoch. They never hold one series both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.evidence.cadence import count_batches
from cbreplay.readers.columns.roles import are_epochs
from cbreplay.series_names import is_validation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.run import EpochArray

__all__ = ["EACH_ROUND", "round_of_rows"]

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
