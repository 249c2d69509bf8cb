"""Whatever bytes a log holds, reading it ends in runs or in a named error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from cbreplay import CbreplayError
from cbreplay.loading import load_runs
from tests.oracles.damaged_logs import SEEDS, damaged

if TYPE_CHECKING:
    from pathlib import Path


def check_outcome(directory: Path, name: str, content: bytes) -> None:
    """Read a log both ways; anything but runs or a sentence is a failure."""
    path = directory / name
    path.write_bytes(content)
    for errors in ("strict", "skip"):
        try:
            runs = load_runs(path, errors=errors)
        except CbreplayError as error:
            sentence = str(error)
        else:
            sentence = "runs"
            lengths = [{len(series) for series in run.series.values()} for run in runs]
            assert lengths == [{run.n_epochs} for run in runs]
        assert sentence


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(log=damaged())
def test_no_damage_makes_another_error(tmp_path: Path, log: tuple[str, bytes]) -> None:
    check_outcome(tmp_path, *log)


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_the_logs_that_are_damaged_can_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(SEEDS[name])
    assert load_runs(tmp_path / name)
    assert load_runs(tmp_path)
