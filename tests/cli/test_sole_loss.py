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
    "name",
    [
        *("eval_loss", "Loss/val", "losses/eval.total_loss", "validation_error"),
        *("validate_loss", "valLoss"),
    ],
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
    "names", [("eval_loss", "val/loss"), ("val_accuracy",), ("test_loss", "dev/loss")]
)
def test_none_or_several_are_refused(
    ask: Ask, tmp_path: Path, names: tuple[str, ...]
) -> None:
    answer = ask("simulate", write(tmp_path / "logs.csv", *names))
    assert answer.status == 2
    assert "has no series 'val_loss'; " in answer.err
    assert "t has loss, " in answer.err


def test_a_setting_that_is_written_out_watches_what_it_says(
    ask: Ask, tmp_path: Path
) -> None:
    log = write(tmp_path / "logs.csv", "eval_loss")
    assert ask("simulate", log, "-c", "EarlyStopping()").status == 2


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ["val/loss", "valid_loss", "Val Loss"])
@pytest.mark.parametrize("named", [False, True])
def test_what_is_printed_as_the_next_question_is_answered(
    ask: Ask, tmp_path: Path, name: str, *, named: bool
) -> None:
    log = write(tmp_path / "logs.csv", name)
    watched = ["--monitor", name] if named else []
    answer = ask("simulate", log, *watched)
    assert answer.status == 0, answer.err
    # named or found, it is the same series with the same direction
    assert f"Judged by {name}, smaller is better" in " ".join(answer.out.split())
    # all six of one name, and of another three where it is named and three where not
    forms = [
        (command, setting)
        for command in ("plot", "report")
        for setting in ([], ["--patience", "1"], ["--patience", "1,2"])
    ]
    for command, setting in forms if name == "valid_loss" else forms[named::2]:
        made = tmp_path / ("made.png" if command == "plot" else "made.html")
        asked = ask(command, log, *watched, *setting, "-o", made)
        assert asked.status == 0, asked.err
    assert ask("explain", log, *watched, "--patience", "1").status == 0
    assert ask("recommend", log, *watched).status == 0


def test_the_direction_of_another_series_stays_the_question_that_it_is_in_keras(
    ask: Ask, tmp_path: Path
) -> None:
    log = write(tmp_path / "logs.csv", "val/loss")
    log.write_text(log.read_text().replace("epoch,loss", "epoch,reward"))
    answer = ask("simulate", log, "--monitor", "reward")
    assert answer.status == 2
    assert "mode='auto' cannot be resolved for 'reward'" in answer.err
