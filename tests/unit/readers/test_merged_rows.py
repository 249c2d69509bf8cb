"""Rows of one epoch merged into one: which kinds of rows a table has."""

from __future__ import annotations

import numpy as np
import pytest

from cbreplay.readers.columns.merged_rows import _kinds_of_rows


@pytest.mark.parametrize("n_columns", [1, 2, 31, 32, 33, 70])
def test_rows_are_of_one_kind_where_they_hold_the_same_columns(n_columns: int) -> None:
    some = np.random.default_rng(n_columns).random((n_columns, 40)) < 0.5
    there = np.concatenate([some, some[:, ::-1]], axis=1)
    kinds, kind_of = _kinds_of_rows(there)
    np.testing.assert_array_equal(kinds[:, kind_of], there)
    assert kinds.shape[1] == len({row.tobytes() for row in there.T})
