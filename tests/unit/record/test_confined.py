"""What a recorded ModelCheckpoint is trained with writes into its own directory."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from cbreplay import ConfigError, EarlyStopping, ModelCheckpoint
from cbreplay.record.retraining import confined

LOGS = {"epoch": 3, "val_loss": 0.25}


@pytest.mark.parametrize(
    "path",
    [
        "{epoch!s:/>1.0}tmp/a.keras",
        "{epoch!s:.>2.0}/a.keras",
        "a/..{epoch!s:/>1.0}..{epoch!s:/>1.0}a.keras",
        "{epoch:/>2}.keras",
        "{epoch:\\>2}.keras",
        "{epoch:/^3}..{epoch:/^3}a.keras",
    ],
)
def test_a_number_makes_no_directory(path: str) -> None:
    with pytest.raises(ConfigError, match="leads to another directory"):
        confined(ModelCheckpoint(path))


@pytest.mark.parametrize(
    "path",
    [
        "/a.keras",
        "../../a.keras",
        "best.keras",
        "w{epoch:02d}-{val_loss:.2f}.keras",
        "{epoch:*>4}/{val_loss:.3e}/{epoch!r}.keras",
        "./{epoch}/../../{epoch}.keras",
    ],
)
def test_a_file_lies_below_where_it_is_trained(path: str) -> None:
    written = PurePosixPath(confined(ModelCheckpoint(path)).filepath.format(**LOGS))
    assert not written.is_absolute()
    assert ".." not in written.parts


def test_what_writes_no_file_is_as_it_was() -> None:
    rule = EarlyStopping(patience=3)
    assert confined(rule) is rule
