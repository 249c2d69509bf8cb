"""Options that ask for two answers at once: none is passed over in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import Ask, write_csv

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = ("--patience", "3")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--same-callbacks"], "--same-callbacks is for settings"),
        (["--same-callbacks", "--format", "parquet", *PATIENCE], "--format parquet is"),
        (
            ["--same-callbacks", "--versus-patience", "5", *PATIENCE],
            "--versus compares",
        ),
        (["--versus", "patience=9", "--versus-patience", "5", *PATIENCE], "twice"),
        (["--keras-code", "--format", "json", *PATIENCE], "--keras-code prints"),
        (["--keras-code", "--versus", "patience=9", *PATIENCE], "--keras-code prints"),
        (["--scheduler", "tcp://h:1", "--same-callbacks", *PATIENCE], "--scheduler"),
        (["--scheduler", "tcp://h:1", "--run", "logs", *PATIENCE], "--run"),
        (["--scheduler", "tcp://h:1", "--resume", "carried", *PATIENCE], "--resume"),
    ],
    ids=lambda case: " ".join(case) if isinstance(case, list) else "",
)
def test_an_option_that_would_be_passed_over_is_refused(
    ask: Ask, tmp_path: Path, words: list[str], said: str
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_csv(tmp_path / name / "logs.csv", [0.5, 0.4, 0.45])
    answer = ask("simulate", tmp_path, *words)
    assert (answer.status, answer.out) == (2, "")
    assert said in answer.err


def test_what_is_typed_about_advice_is_refused_where_none_is_given(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log = write_csv(tmp_path / "logs.csv", [0.5, 0.4, 0.45])
    page = tmp_path / "page.md"
    words = ("report", log, "--patience", "1,2", "-o", page)
    answer = ask(*words, "--prechelt")
    assert answer.status == 2
    assert "--prechelt is about a recommendation, which a page of" in answer.err
    assert not page.exists()
    # a project's own default is for the commands that recommend, and stops no other
    (tmp_path / "pyproject.toml").write_text('[tool.cbreplay]\ntolerance = "2%"\n')
    assert ask(*words).status == 0
    assert ask("plot", log, "-o", tmp_path / "curve.svg").status == 0
