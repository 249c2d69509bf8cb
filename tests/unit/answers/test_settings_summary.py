"""Settings beside each other: means of what is decided, never of a bound."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.conftest import write_csv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three runs: patience 1 stops in all of them, patience 3 in two."""
    write_csv(tmp_path / "a.csv", [0.5, 0.6, 0.4, 0.7, 0.7, 0.7])
    write_csv(tmp_path / "b.csv", [0.5, 0.4, 0.6, 0.6, 0.6])
    write_csv(tmp_path / "c.csv", [0.5, 0.6, 0.3, 0.2])
    return tmp_path


def test_a_row_a_setting_over_the_runs_that_decide_it(ask: Ask, folder: Path) -> None:
    answer = ask("simulate", folder, "--patience", "1,3")
    assert answer.status == 0
    lines = answer.out.splitlines()
    (first,) = [line.split() for line in lines if line.startswith(">1 ")]
    (second,) = [line.split() for line in lines if line.startswith(" 3 ")]
    # patience 1 keeps .5, .4, .5 of bests .4, .4, .2: .1, 0 and .3 are lost;
    # it trains 2 + 3 + 2 of 6 + 5 + 4 epochs
    assert first[1:4] == [*"3", "of", "3"]
    assert [float(cell) for cell in first[4:7]] == pytest.approx(
        [0.4 / 3, 0.1528, 0.3], abs=1e-4
    )
    assert first[7:] == ["c.csv", "8", "of", "15"]
    # patience 3 loses nothing in a and b, and does not stop inside c
    assert second[1:] == ["2", "of", "3", "0", "0", "0", "-", "0", "of", "11"]
    assert " ".join(answer.out.split()).startswith(
        "On these 3 runs patience=1 loses least: 0.1333 val_loss on average against "
        "the best of each run, at worst 0.3000; it saves 8 of 15 epochs. 1 setting of "
        "2 cannot be compared. That describes these runs, not the next."
    )


def test_a_bound_is_in_no_mean(ask: Ask, folder: Path) -> None:
    words = ("simulate", folder, "--patience", "3,9", "--format", "json")
    first, second = json.loads(ask(*words).out)["summary"]
    assert (first["exact_runs"], first["recorded_epochs"]) == (2, 11)
    assert (second["exact_runs"], second["mean_regret"]) == (0, None)
    shown = ask("simulate", folder, "--patience", "3,9").out
    assert "No setting is decided on all 3 runs; patience=3 is on 2." in shown


def test_every_run_is_shown_when_it_is_asked_for(ask: Ask, folder: Path) -> None:
    words = ("simulate", folder, "--patience", "1,3")
    assert "a.csv" not in ask(*words).out
    rows = ask(*words, "--each").out
    assert rows.count("a.csv") >= 2
    # and where there is only one setting, a row a setting would say nothing
    assert "c.csv" in ask("simulate", folder, "--patience", "3").out
    assert len(ask(*words, "--format", "csv").out.splitlines()) == 1 + 3 * 2
    told = ask(*words, "--format", "markdown").out
    assert [line.split("|")[1].strip() for line in told.splitlines()[2:]] == [
        "**1**",
        "3",
    ]
