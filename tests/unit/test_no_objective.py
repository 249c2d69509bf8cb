"""A list that monitors nothing needs no series to be judged by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    Run,
    TerminateOnNaN,
    UnknownMonitorError,
    compare_replays,
    replay_run,
)
from cbreplay.sweep import EVIDENCE, sweep_runs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

_RUN = Run.from_logs([{"loss": loss} for loss in (0.5, 0.4, 0.3)], planned_epochs=3)
_EVERY_EPOCH = ModelCheckpoint("w{epoch}.keras", save_best_only=False)
_LISTS: dict[str, list[Any]] = {
    "saves every epoch": [_EVERY_EPOCH],
    "ends on NaN": [TerminateOnNaN()],
    "both": [TerminateOnNaN(), _EVERY_EPOCH],
}


def test_every_epoch_is_saved_where_nothing_is_judged() -> None:
    replay = replay_run(_RUN, _EVERY_EPOCH)
    # Keras numbers the files from 1
    assert replay.files == {"w1.keras": 0, "w2.keras": 1, "w3.keras": 2}
    assert (replay.objective, replay.objective_mode) == (None, None)
    assert (replay.evidence, replay.kept_epoch) == ("exact", 2)
    assert (replay.outcome.kept_value, replay.outcome.regret) == (None, None)
    with pytest.raises(ConfigError, match="ModelCheckpoint monitors no series"):
        _ = replay.judged_by


def test_a_schedule_needs_none() -> None:
    run = Run.from_logs([{"loss": 0.5, "learning_rate": 0.1}] * 3)
    assert replay_run(run, LearningRateScheduler(lambda _: 0.1)).objective is None


def test_val_loss_judges_where_the_log_has_it() -> None:
    run = Run.from_logs({"val_loss": loss} for loss in (0.3, 0.5))
    replay = replay_run(run, _EVERY_EPOCH)
    assert (replay.objective, replay.objective_mode) == ("val_loss", "min")
    assert replay.outcome.regret == 0.5 - 0.3


@pytest.mark.parametrize(
    ("callback", "judging"),
    [
        (_EVERY_EPOCH, {"objective": "val_loss"}),
        (ModelCheckpoint("w.keras", save_best_only=True), {}),
        (EarlyStopping(), {}),
    ],
)
def test_a_series_that_is_named_has_to_be_there(
    callback: Any, judging: dict[str, Any]
) -> None:
    with pytest.raises(UnknownMonitorError, match="no series 'val_loss'"):
        replay_run(_RUN, callback, **judging)


@pytest.mark.parametrize("name", _LISTS)
def test_a_sweep_says_the_same(name: str) -> None:
    replay = replay_run(_RUN, _LISTS[name])
    sweep = sweep_runs([_RUN], [_LISTS[name]])
    assert EVIDENCE[sweep.evidence[0, 0]] == replay.evidence
    assert sweep.kept_epoch[0, 0] == replay.kept_epoch
    assert np.isnan([sweep.kept_value[0, 0], sweep.regret[0, 0]]).all()


def test_neither_of_two_keeps_the_better() -> None:
    replays = [replay_run(_RUN, rules) for rules in _LISTS.values()]
    assert compare_replays(replays[0], replays[1]).better is None


def test_the_terminal_answers_without_a_value(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "logs.csv").write_text("epoch,loss\r\n0,.5\r\n1,.4\r\n2,.3\r\n")
    words = (tmp_path / "logs.csv", "-c", "ModelCheckpoint('w{epoch}.keras')")
    shown = ask("simulate", *words)
    assert shown.status == 0
    assert "above best" not in shown.out
    assert "w3.keras" in shown.out
    answer = json.loads(ask("simulate", *words, "--format", "json").out)
    assert answer["objective"] is None
    assert answer["results"][0]["kept_value"] is None
    assert "saved as w3.keras" in ask("explain", *words).out
    drawn = ask("plot", *words, "-o", tmp_path / "curve.png")
    assert drawn.status == 2
    assert "nothing judges what is kept. Name one with --objective" in drawn.err
    assert not (tmp_path / "curve.png").exists()
