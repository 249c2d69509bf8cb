"""What a file may be called is said in one sentence, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask


@pytest.mark.parametrize(("command", "suffix"), [("plot", ".png"), ("report", ".html")])
def test_a_directory_is_no_file_to_write(
    ask: Ask, log: Path, tmp_path: Path, command: str, suffix: str
) -> None:
    for place in (tmp_path / "out", tmp_path / f"out{suffix}"):
        place.mkdir()
        answer = ask(command, log, "-o", place)
        assert answer.status == 2
        assert answer.err.splitlines()[-1] == (
            f"cbreplay: cannot write {place}: it is a directory. Name a file in it, "
            f"such as {place / f'name{suffix}'}, with --output or path="
        )
        assert not [*place.iterdir()]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("plot curve", "has no suffix, where .png or .svg is expected"),
        ("plot curve.jpg", "ends in '.jpg', where .png or .svg is expected"),
        ("report page", "has no suffix, where .html or .md is expected"),
        ("report page.pdf", "ends in '.pdf', where .html or .md is expected"),
    ],
)
def test_a_suffix_that_names_no_format_is_refused(
    ask: Ask, log: Path, tmp_path: Path, command: str, words: str
) -> None:
    command, name = command.split()
    answer = ask(command, log, "-o", tmp_path / name)
    assert answer.status == 2
    assert words in answer.err
    assert not (tmp_path / name).exists()
