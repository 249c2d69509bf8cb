"""Where rows are evaluations, every screen says that patience counts them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import cbreplay
from cbreplay.plots.learning_curve import learning_curve_points
from cbreplay.replay import replay_run
from cbreplay.wording.words import spoken_counting, spoken_rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

LOSSES = (0.9, 0.7, 0.6, 0.65, 0.64, 0.63, 0.5)
JUDGED = ("--monitor", "eval_loss", "--mode", "min")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A training that Trainer evaluated every 100 steps, a tenth of an epoch."""
    return write_state(tmp_path / "trainer_state.json", LOSSES)


def write_state(path: Path, losses: tuple[float, ...]) -> Path:
    rows = [
        {"epoch": (i + 1) / 10, "step": 100 * (i + 1), "eval_loss": loss}
        for i, loss in enumerate(losses)
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"log_history": rows}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("simulate",),
            "7 evaluations; how many were planned is not recorded. Judged by eval_loss",
        ),
        (("simulate",), "best 0.5000 at evaluation 7 of 7"),
        (
            ("simulate", "--patience", "1:2", "--min-delta", "0,0.1"),
            "Patience counts evaluations, which count from 1.",
        ),
        (("explain", "--patience", "2"), "stopped at the end of evaluation 5"),
        (("explain", "--patience", "2"), "patience counts evaluations"),
        (("recommend",), "patience counts evaluations"),
    ],
)
def test_a_screen_speaks_of_evaluations(
    ask: Ask, state: Path, words: tuple[str, ...], said: str
) -> None:
    command, *options = words
    answer = ask(command, state, *JUDGED, *options)
    assert answer.status == 0, answer.err
    assert said in " ".join((answer.out + answer.err).split())


def test_inspect_says_that_rows_are_evaluations(ask: Ask, state: Path) -> None:
    assert "1-7 (evaluations)" in ask("inspect", state).out


def test_a_report_speaks_of_evaluations(ask: Ask, state: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.md"
    assert ask("report", state, *JUDGED, "-o", target).status == 0
    text = target.read_text(encoding="utf-8")
    assert "those of the steps 100 to 700" in text
    assert "7 evaluations; how many were planned" in text
    spoken = [line for line in text.splitlines() if "epoch" in line.lower()]
    # what was assumed in reading, and names such as start_from_epoch, stay
    assert all("taken as" in line or "_epoch" in line for line in spoken)


def test_a_picture_speaks_of_evaluations(state: Path) -> None:
    (run,) = cbreplay.load_runs(state)
    stopping = cbreplay.EarlyStopping(monitor="eval_loss", mode="min", patience=2)
    points = learning_curve_points(replay_run(run, [stopping]))
    assert points.x_name == "evaluation"
    assert points.labels[0].text.startswith("stops at evaluation 5 of 7")


def test_the_names_in_json_stay(ask: Ask, state: Path) -> None:
    answer = ask("simulate", state, *JUDGED, "--patience", "2", "--format", "json")
    (result,) = json.loads(answer.out)["results"]
    assert result["stopped_epoch"] == 4


def test_several_runs_of_both_kinds_are_told_apart(
    ask: Ask, state: Path, tmp_path: Path
) -> None:
    for number in range(3):
        losses = tuple(loss + number / 1000 for loss in LOSSES)
        write_state(tmp_path / f"run{number}" / "trainer_state.json", losses)
    counted = ask("recommend", *tmp_path.glob("run*"), *JUDGED)
    said = " ".join(counted.out.split())
    assert "Patience counts evaluations, which count from 1." in said
    evaluated, trained = cbreplay.load_runs(state, {"loss": [1.0, 0.5]})
    assert spoken_counting([trained]) == "epochs count from 1"
    assert "of some runs an epoch here is" in spoken_counting([evaluated, trained])


def test_only_the_word_is_replaced(state: Path) -> None:
    (run,) = cbreplay.load_runs(state)
    kept = "start_from_epoch, {epoch:02d}.keras, --epochs, val/epoch, 'epoch'"
    assert spoken_rows(kept, run) == kept
    assert spoken_rows("Epoch 3 of 7 epochs.", run) == "Evaluation 3 of 7 evaluations."
