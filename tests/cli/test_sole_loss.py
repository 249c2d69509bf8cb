"""Logs without val_loss: their one validation loss is watched, and said so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask


def write(path: Path, *names: str) -> Path:
    rows = [(0.9, 0.8), (0.8, 0.6), (0.7, 0.65), (0.6, 0.7)]
    lines = [
        ",".join(map(str, [epoch, loss, *[value] * len(names)]))
        for epoch, (loss, value) in enumerate(rows)
    ]
    path.write_text("\n".join([",".join(["epoch", "loss", *names]), *lines, ""]))
    return path


@pytest.mark.parametrize(
    "name", ["eval_loss", "Loss/val", "losses/eval.total_loss", "validation_error"]
)
def test_the_sole_validation_loss_is_watched(
    ask: Ask, tmp_path: Path, name: str
) -> None:
    log = write(tmp_path / "logs.csv", name)
    answer = ask("simulate", log)
    assert answer.status == 0
    assert f"the epoch of the best {name}, 2," in " ".join(answer.out.split())
    told = f"there is no val_loss: {name} is watched, smaller is better"
    assert told in answer.err
    staircase = json.loads(ask("simulate", log, "--format", "json").out)["staircase"]
    assert (staircase["monitor"], staircase["objective"]["mode"]) == (name, "min")
    # .6 is best at the second epoch, then .65 is the first without improvement
    setting = ask("simulate", log, "--patience", "1", "--format", "csv").out
    assert ",exact,2,1,0.6,0.0," in setting
    assert ask("explain", log, "--patience", "1").status == 0


@pytest.mark.parametrize(
    "names", [("eval_loss", "val/loss"), ("val_accuracy",), ("test_loss",)]
)
def test_none_or_several_are_refused(
    ask: Ask, tmp_path: Path, names: tuple[str, ...]
) -> None:
    answer = ask("simulate", write(tmp_path / "logs.csv", *names))
    assert answer.status == 2
    assert "has no series 'val_loss'; it has loss, " in answer.err


def test_a_setting_that_is_written_out_watches_what_it_says(
    ask: Ask, tmp_path: Path
) -> None:
    log = write(tmp_path / "logs.csv", "eval_loss")
    assert ask("simulate", log, "-c", "EarlyStopping()").status == 2
