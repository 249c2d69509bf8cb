"""Real trainings under callbacks decide, replayed, what they decided when trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import load_runs, parse_callbacks, replay_run
from tests.conftest import ROOT

if TYPE_CHECKING:
    from cbreplay import Run

LOGGERS = ("CSVLogger(", "TensorBoard(")


def deciding(run: Run) -> list[Any]:
    """Return the recorded callbacks that decide something."""
    assert run.metadata is not None
    texts = [one for one in run.metadata.callbacks if not one.startswith(LOGGERS)]
    return parse_callbacks(*texts)


def check_replay(run: Run) -> None:
    replay = replay_run(run, deciding(run))
    assert run.metadata is not None
    assert run.metadata.ended is not None
    assert replay.evidence == "exact"
    assert replay.divergence_epoch is None
    ended = run.metadata.ended
    assert run.horizon == ended.epoch
    if ended.by == "plan":
        assert replay.stopped_epoch is None
        return
    assert replay.stopped_epoch == ended.epoch
    names = [type(replay.callbacks[one]).__name__ for one in replay.stopped_by]
    assert names[0] == ended.by


@pytest.mark.parametrize(
    "name", ["digits-mlp-plateau", "digits-mlp-both", "breast-cancer-stopped"]
)
def test_a_sample_log_is_explained_by_the_callbacks_it_was_trained_under(
    name: str,
) -> None:
    (run,) = load_runs(ROOT / "sample_logs" / name)
    check_replay(run)


SETTINGS = [
    ["EarlyStopping(patience=1)"],
    ["EarlyStopping(patience=2, min_delta=0.02, restore_best_weights=True)"],
    ["EarlyStopping('val_accuracy', patience=1, start_from_epoch=3)"],
    ["EarlyStopping('loss', mode='max', patience=2)"],
    ["EarlyStopping(baseline=0.1, patience=3)"],
    ["ReduceLROnPlateau(factor=0.5, patience=1, min_delta=0.05)"],
    ["ReduceLROnPlateau('loss', 0.3, 1, min_delta=0.2, cooldown=2, min_lr=1e-4)"],
    ["ReduceLROnPlateau(factor=0.5, patience=1, min_delta=0.1)", "EarlyStopping()"],
    ["EarlyStopping(patience=2)", "ReduceLROnPlateau(patience=1, min_delta=0.05)"],
]


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize("texts", SETTINGS, ids=" ".join)
def test_a_real_fit_is_replayed_as_it_went(texts: list[str], tmp_path: Any) -> None:
    from cbreplay.record import train_experiment

    train_experiment(
        "breast-cancer",
        out=tmp_path / "run",
        epochs=12,
        batch_size=256,
        learning_rate=0.01,
        callbacks=parse_callbacks(*texts),
    )
    (run,) = load_runs(tmp_path / "run")
    assert len(deciding(run)) == len(texts)
    check_replay(run)
    # the event files alone tell the same story
    (from_events,) = load_runs(tmp_path / "run" / "tensorboard")
    check_replay(from_events)
