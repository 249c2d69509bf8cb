"""The values of an option, as they are typed."""

from __future__ import annotations

import click
import pytest

from cbreplay.cli.option_values import Share, read_values


@pytest.mark.parametrize(
    ("text", "values"),
    [("5", [5]), ("3,5,10", [3, 5, 10]), ("1:3", [1, 2, 3]), ("3,3.0,5,3", [3, 5])],
)
def test_each_value_is_tried_once(text: str, values: list[int]) -> None:
    assert list(read_values("--patience", text)) == values


def test_a_share_may_be_typed_as_percents() -> None:
    share = Share(0, 1, min_open=True, max_open=True)
    assert share.convert("90%", None, None) == share.convert("0.9", None, None) == 0.9
    for text in ("90", "150%", "x%", "nan"):
        said = f"'{text}' is no share above 0 and below 1, such as 0.9 or 90%"
        with pytest.raises(click.BadParameter, match=said):
            share.convert(text, None, None)
