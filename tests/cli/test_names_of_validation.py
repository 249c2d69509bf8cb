"""Whatever a tool calls its validation series, the answers are those of Keras's."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import pytest

from cbreplay import EarlyStopping, load_runs, replay_run
from cbreplay.plots import learning_curve_points

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

KERAS = ("loss", "accuracy", "val_loss", "val_accuracy")
TOOLS = [
    ("train_loss", "train_acc", "valid_loss", "valid_acc"),
    ("loss", "accuracy", "eval_loss", "eval_accuracy"),
    ("train_loss", "train_acc", "test_loss", "test_acc"),
    ("train/loss", "train/acc", "dev/loss", "dev/acc"),
    ("training/loss", "training/accuracy", "validation/loss", "validation/accuracy"),
    ("Loss/train", "Acc/train", "Loss/val", "Acc/val"),
    # Lightning's, of what is logged of each step and of each epoch
    ("train_loss_epoch", "train_acc_epoch", "val_loss_epoch", "val_acc_epoch"),
]
QUESTIONS = [
    ("simulate",),
    ("simulate", "--patience", "1:6"),
    ("explain", "--patience", "3"),
    ("recommend",),
]


def write(path: Path, names: tuple[str, ...]) -> Path:
    """Write a log that overfits from its twelfth epoch on, while its scores go on."""
    lines = [",".join(["epoch", *names])]
    for epoch in range(30):
        fallen = math.exp(-epoch / 5)
        loss = 0.5 + 1.5 * fallen + 0.01 * abs(epoch - 11)
        values = (0.2 + fallen, 0.9 - fallen / 2, loss, 0.8 - fallen / 3)
        lines.append(",".join(map(repr, [epoch, *values])))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, ""]))
    return path


def with_keras_names(text: str, names: tuple[str, ...]) -> str:
    """Put Keras's names where the tool's stand, and leave out what only names say."""
    meant = dict(zip(names, KERAS, strict=True))
    longest = sorted(map(re.escape, names), key=len, reverse=True)
    text = re.sub("|".join(longest), lambda found: meant[found[0]], text)
    text = text.replace("the epoch of the best val_loss,", "the best epoch,")
    return re.sub("monitor=.val_loss., ", "", text)


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
@pytest.mark.parametrize("names", TOOLS, ids=lambda names: names[2])
def test_a_tools_names_are_answered_as_keras_names(
    ask: Ask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: tuple[str, ...],
    question: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    command, *options = question
    answers = []
    for named in (KERAS, names):
        log = write(tmp_path / "log.csv", named).name
        watched = ("--monitor", named[2], "--mode", "min")
        answer = ask(command, log, *watched, *options, "--format", "markdown")
        assert answer.status == 0, answer.err
        answers.append(with_keras_names(answer.out, named))
    assert answers[1] == answers[0]


@pytest.mark.parametrize("names", TOOLS, ids=lambda names: names[2])
def test_a_stop_by_the_training_names_the_validation_series_beside_it(
    ask: Ask, tmp_path: Path, names: tuple[str, ...]
) -> None:
    log = write(tmp_path / "log.csv", names)
    watched = ("--monitor", names[0], "--mode", "min")
    said = " ".join(ask("simulate", log, *watched, "--patience", "1").out.split())
    assert f"{names[0]} is measured on the data that is trained on" in said
    assert f"(--monitor {names[2]}" in said


@pytest.mark.parametrize("names", [KERAS, *TOOLS], ids=lambda names: names[2])
def test_the_training_series_is_drawn_beside_its_validation(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    (run,) = load_runs(write(tmp_path / "log.csv", names))
    stopping = EarlyStopping(monitor=names[2], mode="min", patience=2)
    points = learning_curve_points(replay_run(run, [stopping]))
    assert [(curve.name, curve.role) for curve in points.curves] == [
        (names[2], "monitored"),
        (names[0], "training"),
    ]


def test_yolos_metrics_are_those_of_a_validation(ask: Ask, tmp_path: Path) -> None:
    names = ("train/box_loss", "train/cls_loss", "val/box_loss", "metrics/mAP50-95(B)")
    log = write(tmp_path / "log.csv", names)
    watched = ("--monitor", "val/box_loss", "--mode", "min", "--format", "markdown")
    said = ask("simulate", log, *watched).out
    assert "`metrics/mAP50-95(B)` was best at epoch 30" in said
    assert "is measured on" not in ask("simulate", log, "--monitor", names[3]).out


def test_how_long_an_evaluation_took_is_no_metric(ask: Ask, tmp_path: Path) -> None:
    names = ("loss", "accuracy", "eval_loss", "eval_runtime")
    log = write(tmp_path / "log.csv", names)
    said = ask("simulate", log, "--monitor", "eval_loss", "--mode", "min").out
    assert "eval_runtime" not in said
