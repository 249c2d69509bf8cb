from __future__ import annotations

import click
import pytest

from cbreplay.cli.byte_size import ByteSize


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [
        ("1", 1),
        ("2GB", 2 * 1000**3),
        ("256MiB", 256 * 1024**2),
        ("1.5 gb", 1500 * 1000**2),
        ("10k", 10_000),
        ("1TiB", 1024**4),
    ],
)
def test_a_size_is_read_with_its_unit(text: str, n_bytes: int) -> None:
    assert ByteSize().convert(text, None, None) == n_bytes


@pytest.mark.parametrize(
    "text", ["", "big", "-1", "0", "0.1", "1e9", "9" * 5000, "1XB"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write 300MB, 1GB or 512MiB"):
        ByteSize().convert(text, None, None)
