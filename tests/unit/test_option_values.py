"""The values of an option, as they are typed."""

from __future__ import annotations

import pytest

from cbreplay.cli.option_values import read_values


@pytest.mark.parametrize(
    ("text", "values"),
    [("5", [5]), ("3,5,10", [3, 5, 10]), ("1:3", [1, 2, 3]), ("3,3.0,5,3", [3, 5])],
)
def test_each_value_is_tried_once(text: str, values: list[int]) -> None:
    assert list(read_values("--patience", text)) == values
