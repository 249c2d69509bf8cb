"""The limits of what is read, as they are typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pytest

from cbreplay import ConfigError, load_runs
from cbreplay.cli.option_values import BYTE_COUNT
from tests.conftest import VALUES, write_csv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask


@pytest.mark.parametrize(
    ("typed", "n_bytes"),
    [
        ("500000", 500_000),
        ("256MB", 256_000_000),
        ("256 MiB", 256 * 1024**2),
        ("1.5g", 1_500_000_000),
        ("2GiB", 2 * 1024**3),
        ("3kb", 3_000),
    ],
)
def test_a_size_is_read_with_its_unit(typed: str, n_bytes: int) -> None:
    assert BYTE_COUNT.convert(typed, None, None) == n_bytes


@pytest.mark.parametrize("typed", ["", "MB", "-1", "0", "1e999", "nan", "5XB", "1 2"])
def test_what_is_no_size_is_refused(typed: str) -> None:
    with pytest.raises(click.BadParameter, match="no size such as"):
        BYTE_COUNT.convert(typed, None, None)


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        ({"max_bytes": 0}, "max_bytes="),
        ({"max_bytes": 1.5}, "max_bytes is 1.5, where a whole number"),
        ({"timeout": 0}, "timeout="),
        ({"timeout": float("nan")}, "timeout="),
    ],
)
def test_a_limit_that_cannot_be_is_refused_by_its_option(
    limits: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigError, match=named):
        load_runs({"loss": [1.0]}, **limits)


def test_a_next_command_has_the_limits_again(ask: Ask, tmp_path: Path) -> None:
    log = tmp_path / "logs.csv"
    write_csv(log, VALUES)
    answer = ask("simulate", str(log), "--max-size", "1GB", "--timeout", "5")
    assert answer.status == 0
    assert "--max-size 1000000000 --timeout 5.0" in answer.out


@pytest.mark.parametrize(
    "words",
    [
        ("simulate", "--format", "json"),
        ("simulate",),
        ("simulate", "--format", "csv"),
        ("report", "-o", "page.html"),
    ],
)
def test_more_replays_than_an_answer_holds_are_refused_at_once(
    ask: Ask, tmp_path: Path, words: tuple[str, ...]
) -> None:
    log = tmp_path / "logs.csv"
    write_csv(log, VALUES)
    command, *options = [word.replace("page", str(tmp_path / "page")) for word in words]
    deltas = ", ".join(f"{number}e-4" for number in range(400))
    asked = tmp_path / "asked.txt"
    asked.write_text(f"EarlyStopping(patience=range(300), min_delta=[{deltas}])")
    answer = ask(command, str(log), "-c", f"@{asked}", *options)
    assert answer.status == 2
    # 300 * 400 replays of 2,560 bytes
    assert answer.err == (
        "cbreplay: 1 run under 120000 settings are 120,000 replays, more than 104,857. "
        "Name fewer settings, or raise the limit: --max-size 308MB\n"
    )


def test_the_limit_of_replays_that_is_named_is_enough(ask: Ask, tmp_path: Path) -> None:
    log = tmp_path / "logs.csv"
    write_csv(log, VALUES)
    words = ("simulate", str(log), "--patience", "1:104858", "--format", "csv")
    assert "--max-size 269MB" in ask(*words).err
    answer = ask(*words, "--max-size", "269MB")
    assert answer.status == 0
    assert len(answer.out.splitlines()) == 1 + 104_858


def test_lint_follows_only_so_much_code_of_all_scripts(
    tmp_path: Path, ask: Ask
) -> None:
    line = "model.fit(x, callbacks=[keras.callbacks.EarlyStopping(patience=3)])\n"
    padded = "import keras\n" + line + "# padded\n" * 30_000
    for number in range(6):
        (tmp_path / f"{number}.py").write_text(padded)
    refused = ask("lint", str(tmp_path))
    assert refused.status == 2
    assert "the 6 scripts here hold more than 1500 kB of code together" in refused.err
    assert "raise the limit: --max-size 2MB" in refused.err
    assert ask("lint", str(tmp_path), "--max-size", "2MB").status == 0
    assert ask("lint", str(tmp_path / "0.py")).status == 0


@pytest.mark.parametrize("command", ["explain", "simulate"])
def test_a_list_that_decides_too_often_is_refused_at_once(
    ask: Ask, tmp_path: Path, command: str
) -> None:
    log = tmp_path / "logs.csv"
    write_csv(log, [float(-epoch) for epoch in range(1_400)])
    listed = [f"EarlyStopping(patience={patience})" for patience in range(1, 101)]
    asked = [word for code in listed for word in ("-c", code)]
    answer = ask(command, str(log), *asked)
    assert answer.status == 2
    # 140,000 decisions of 2,048 bytes
    assert answer.err == (
        "cbreplay: 100 callbacks in each of 1,400 epochs decide 140,000 times, more "
        "than 131,072. Name fewer callbacks, or raise the limit: --max-size 287MB\n"
    )
    assert ask(command, str(log), *asked[:20]).status == 0
