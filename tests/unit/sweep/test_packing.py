"""Columns on their way between processes: back comes what went in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbreplay.sweep.cells import pack_column, put_column


@given(
    arrays.arrays(
        st.sampled_from([np.bool_, np.int32]),
        arrays.array_shapes(min_dims=2, max_dims=2),
    )
)
def test_what_is_packed_comes_back(column: Any) -> None:
    back = np.zeros_like(column)
    put_column(pack_column(column), back)
    assert (back == column).all()
    assert back.dtype == column.dtype


@pytest.mark.parametrize(
    ("highest", "size"), [(255, 1), (256, 2), (2**15 - 1, 2), (2**15, 4), (2**30, 4)]
)
def test_numbers_are_as_narrow_as_they_fit(highest: int, size: int) -> None:
    packed = pack_column(np.array([[0, highest]], dtype=np.int32))
    assert packed.dtype.itemsize == size


def test_a_column_of_one_value_is_that_value() -> None:
    assert pack_column(np.full((3, 4), 7, dtype=np.int32)).shape == ()
