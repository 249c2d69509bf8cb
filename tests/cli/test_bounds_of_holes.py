"""What a log with a hole says is best, and what is lost to it, is a bound; no more is.

The losses of epochs 1 to 8 fall to 0.4 at epoch 4, so that patience 3 stops at epoch 7,
3 epochs before the end. What epochs 9 and 10 had is not in the log, and may have been a
lower loss: what is lost is at least what the record shows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import validate

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

SCHEMA = json.loads((ROOT / "cbreplay/schemas/answer.schema.json").read_text())
LOSSES = ["0.9", "0.7", "0.5", "0.4", "0.45", "0.46", "0.47", "0.48", "", ""]


def write_log(path: Path, losses: list[str]) -> Path:
    rows = [f"{epoch},0.{9 - epoch}1,{loss}" for epoch, loss in enumerate(losses)]
    path.write_text("\n".join(["epoch,loss,val_loss", *rows, ""]))
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_log(tmp_path / "logs.csv", LOSSES)


def cells_of(out: str, first: str) -> list[list[str]]:
    rows = [line.replace(">= ", ">=").split() for line in out.splitlines()]
    return [cells for cells in rows if cells[:1] == [first]]


def test_only_what_is_lost_is_a_bound(ask: Ask, log: Path) -> None:
    out = ask("simulate", log, "--patience", "3").out
    assert cells_of(out, "3") == [["3", "7", "4", "0.4000", ">=0", "3", "exact"]]


def test_the_best_of_several_settings_is_the_best_recorded(ask: Ask, log: Path) -> None:
    out = " ".join(ask("simulate", log, "--patience", "2,3").out.split())
    # 0.4 in epoch 4 is the lowest: both keep it, and stop at 6 and at 7
    best = "patience=2 keeps the best recorded val_loss, as does patience=3, which"
    assert best in out


def test_a_staircase_tells_the_bound_in_every_form(ask: Ask, log: Path) -> None:
    assert ">= 0" in ask("simulate", log).out
    told = json.loads(ask("simulate", log, "--format", "json").out)
    validate(told, SCHEMA)
    steps = told["staircase"]["steps"]
    assert [step["evidence"] for step in steps] == ["exact", "incomplete"]
    assert [step["bounds"] for step in steps] == [{"regret": "lower"}, {}]


def test_a_log_without_a_hole_has_no_bound(ask: Ask, tmp_path: Path) -> None:
    losses = [loss or "0.49" for loss in LOSSES]
    log = write_log(tmp_path / "logs.csv", losses)
    assert ">=" not in ask("simulate", log).out
    told = json.loads(ask("simulate", log, "--format", "json").out)
    assert [step["bounds"] for step in told["staircase"]["steps"]] == [{}, {}]


def test_what_was_still_gained_is_not_told_over_a_hole(
    ask: Ask, tmp_path: Path
) -> None:
    """Patience 1 acts after epoch 5; .4 was the best until then, .2 came after it."""
    losses = [*LOSSES[:6], "0.3", "0.2"]
    setting = ("-c", "ReduceLROnPlateau(patience=1)")
    gained = "still lowered its best"
    whole = write_log(tmp_path / "whole.csv", [*losses, "0.25", "0.26"])
    assert gained in " ".join(ask("simulate", whole, *setting).out.split())
    hole = write_log(tmp_path / "hole.csv", [*losses, "", ""])
    assert gained not in " ".join(ask("simulate", hole, *setting).out.split())
    for log, told in ((whole, True), (hole, False)):
        page = tmp_path / "page.md"
        assert ask("report", log, *setting, "-o", page).status == 0
        assert (gained in " ".join(page.read_text().split())) == told


def test_a_page_of_several_runs_averages_no_bound(ask: Ask, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    write_log(runs / "hole.csv", LOSSES)
    # patience 3 stops at epoch 8 and keeps 5, .1 above the .3 of epoch 10
    whole = ["0.9", "0.8", "0.7", "0.6", "0.4", "0.45", "0.46", "0.47", "0.48", "0.3"]
    write_log(runs / "whole.csv", whole)
    page = tmp_path / "page.md"
    assert ask("report", runs, "--patience", "3", "-o", page).status == 0
    text = page.read_text()
    assert text.startswith(
        "# On the 1 of 2 runs that tells it, EarlyStopping(patience=3"
    )
    assert " loses 0.1000 `val_loss` against the best;" in text
    assert "| 4 | 7 | 4 | 0.4000 | \\>= 0 | 3 | exact |" in text


def test_a_page_of_several_runs_says_which_logs_lack_values(
    ask: Ask, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    write_log(runs / "hole.csv", ["0.9", "", *LOSSES[2:8], "0.49", "0.5"])
    write_log(runs / "whole.csv", [loss or "0.49" for loss in LOSSES])
    page = tmp_path / "page.md"
    assert ask("report", runs, "--patience", "3", "-o", page).status == 0
    text = page.read_text()
    assert "Lacks values" in text
    assert "the log lacks values. They are counted, never averaged (hole.csv)" in text
