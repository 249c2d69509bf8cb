"""``cbreplay inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.test_simulate import as_json

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask


def test_runs_series_epochs_and_the_rate_are_shown(ask: Ask, rated_log: Path) -> None:
    answer = ask("inspect", rated_log)
    assert answer.status == 0
    row = answer.out.splitlines()[1].split()
    assert row == [
        "rated.csv",
        "1-8",
        "0",
        "-",
        "0.01",
        "loss",
        "val_accuracy",
        "val_loss",
    ]


def test_notes_are_shown(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "gap.csv"
    path.write_text("epoch,val_loss\n0,0.5\n3,NA\n4,0.4\n")
    answer = ask("inspect", path)
    assert answer.out.splitlines()[1].split()[1:3] == ["1-5", "3"]
    assert answer.out.count("gap.csv: ") >= 2


def test_json_and_csv(ask: Ask, log: Path) -> None:
    answer = as_json(ask("inspect", log, "--format", "json").out)
    assert answer["runs"][0]["series"] == ["loss", "val_accuracy", "val_loss"]
    assert ask("inspect", log, "--format", "csv").out.splitlines()[0].startswith("run,")


def test_the_x_axis_is_said_where_the_log_does_not(ask: Ask, tmp_path: Path) -> None:
    from tests.oracles.tensorboard_loader import write_events

    points = [(1.0, step, "eval/loss", 1 / (step + 1)) for step in (0, 50, 100)]
    write_events(tmp_path / "events.out.tfevents.1", points)
    refused = ask("simulate", tmp_path, "--monitor", "eval/loss")
    assert refused.status == 2
    assert "--x-axis step" in refused.err
    answer = ask(
        "simulate",
        tmp_path,
        "--monitor",
        "eval/loss",
        "--mode",
        "min",
        "--x-axis",
        "step",
    )
    assert answer.status == 0
    shown = " ".join(answer.out.split())
    assert "patience counts evaluations" in shown
    assert "--x-axis step" in shown
