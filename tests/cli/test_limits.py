"""The limits of what is read, as they are typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pytest

from cbreplay import ConfigError, load_runs
from cbreplay.cli.byte_count import BYTE_COUNT
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
        ({"max_bytes": 1.5}, "max_bytes="),
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
