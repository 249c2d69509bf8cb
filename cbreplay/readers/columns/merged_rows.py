"""Rows of one epoch merged into one, in all columns: which value the epoch has.

What becomes of one column: `LogColumn.collapse`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from cbreplay.series_names import is_rate_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.run import BoolArray, EpochArray

__all__ = ["collapse_columns"]


def collapse_columns(
    columns: Mapping[str, LogColumn],
    group: EpochArray,
    several: Literal["few", "any"] = "few",
) -> list[str]:
    """Keep one value of each group of rows in each column, as `LogColumn.collapse`.

    Return the names of the columns that have several values in most groups. Where a row
    lacks what its kind of row holds, nobody knows whether the value of another row is
    that of its group: it stands among the others.
    """
    lacking = _find_lacking(columns, group)
    stepwise = [
        name for name, own in columns.items() if not own.collapse(group, several)
    ]
    for name in lacking.keys() - stepwise:
        for number in lacking[name]:
            columns[name].leave_open(number)
    return stepwise


def _find_lacking(
    columns: Mapping[str, LogColumn], group: EpochArray
) -> dict[str, list[int]]:
    """Return, for each column, the groups in which a row holds it and one lacks it.

    A row of a training beside one of its validation lacks nothing: no row holds both. A
    row lacks something where a fuller kind of row, which holds all that it holds and
    more, also stands alone in a group, or is more than twice as frequent.
    """
    alone = np.bincount(group)[group] == 1
    if alone.all():
        return {}
    there = np.array([~own.missing for own in columns.values()])
    kinds, kind_of = _kinds_of_rows(there)
    n_kinds = kinds.shape[1]
    often = np.bincount(kind_of)
    often_alone = np.bincount(kind_of[alone], minlength=n_kinds)
    found: dict[str, list[int]] = {}
    for kind in np.unique(kind_of[~alone]).tolist():
        holds_it = (kinds >= kinds[:, [kind]]).all(axis=0)
        for name, own, held in zip(columns, there, kinds, strict=True):
            fuller = holds_it & held
            if held[kind] or not fuller.any() or is_rate_name(name):
                continue
            if often_alone[fuller].any() or often[fuller].sum() > 2 * often[kind]:
                groups = np.unique(group[(kind_of == kind) & ~alone])
                valued = np.isin(groups, group[own])
                found.setdefault(name, []).extend(groups[valued].tolist())
    return {name: sorted({*groups}) for name, groups in found.items()}


def _kinds_of_rows(there: BoolArray) -> tuple[BoolArray, EpochArray]:
    """Return what each kind of row holds, and which kind each row is of.

    `there` and the kinds have a row for each column of the table.
    """
    # a number for each kind: ``np.unique`` takes far longer over whole rows
    kind_of = np.zeros(there.shape[1], dtype=np.int64)
    for at, own in enumerate(there, start=1):
        kind_of = 2 * kind_of + own
        if at % _MOST_BITS == 0:
            kind_of = np.unique(kind_of, return_inverse=True)[1]
    _, first, kind_of = np.unique(kind_of, return_index=True, return_inverse=True)
    return there[:, first], kind_of


# so many columns double a number of kinds that is far below 2**31
_MOST_BITS = 32
