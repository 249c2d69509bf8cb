"""Rows of one epoch merged into one, in all columns: which value the epoch has.

What becomes of one column: `LogColumn.collapse`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from cbreplay.readers.columns.column_names import is_rate_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.run import EpochArray

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
    row does that holds no more than a part of others, where these stand alone in their
    groups, or are the most.
    """
    there = np.array([~own.missing for own in columns.values()])
    kinds, kind_of = np.unique(there, axis=1, return_inverse=True)
    kind_of = kind_of.reshape(-1)
    alone = np.bincount(group)[group] == 1
    n_kinds = kinds.shape[1]
    often = np.bincount(kind_of)
    often_alone = np.bincount(kind_of[alone], minlength=n_kinds)
    found: dict[str, list[int]] = {}
    for kind in np.unique(kind_of[~alone]).tolist():
        holds_it = (kinds >= kinds[:, [kind]]).all(axis=0)
        groups = np.unique(group[(kind_of == kind) & ~alone])
        for name, own, held in zip(columns, there, kinds, strict=True):
            fuller = holds_it & held
            if held[kind] or not fuller.any() or is_rate_name(name):
                continue
            if often_alone[fuller].any() or often[fuller].sum() > 2 * often[kind]:
                valued = np.isin(groups, group[own])
                found.setdefault(name, []).extend(groups[valued].tolist())
    return {name: sorted({*groups}) for name, groups in found.items()}
