from __future__ import annotations

import pytest

from cbreplay.plots.picture_text import drawable_text, shorten
from cbreplay.wording.words import visible_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("val_loss", "val_loss"),
        ("日本", "日本"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb\n", "a\\u200bb\\n"),
        ("a\udcffb", "a\\udcffb"),
    ],
)
def test_what_a_reader_could_not_see_is_written_out(text: str, shown: str) -> None:
    assert visible_text(text) == shown
    assert shown.encode("utf-8")


@pytest.mark.parametrize("longest", [5, 8, 9, 40])
def test_a_long_name_keeps_both_ends_and_its_length(longest: int) -> None:
    name = "abcdefghijklmnopqrstuvwxyz"
    short = shorten(name, longest)
    assert len(short) == min(longest, len(name))
    assert short[0] == "a"
    assert short[-1] == "z"


def test_a_glyph_that_the_font_lacks_becomes_a_box() -> None:
    assert drawable_text("run 日") == "run □"
