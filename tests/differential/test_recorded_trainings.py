"""Real trainings under callbacks decide, replayed, what they decided when trained."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cbreplay import (
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    TerminateOnNaN,
    load_runs,
    parse_callbacks,
    replay_run,
)
from tests.conftest import ROOT
from tests.oracles.keras_driver import Written, as_keras
from tests.oracles.real_fits import LOGS, RealFit, fit_once

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


def stopping(patience: int = 1, **given: Any) -> EarlyStopping:
    return EarlyStopping(
        patience=patience, **{"restore_best_weights": True, "mode": "min", **given}
    )


def plateau(factor: float = 0.5, **given: Any) -> ReduceLROnPlateau:
    return ReduceLROnPlateau(factor=factor, **{"patience": 1, **given})


def best(filepath: str = "best.keras", **given: Any) -> ModelCheckpoint:
    return ModelCheckpoint(filepath, save_best_only=True, **given)


def scheduled(text: str) -> LearningRateScheduler:
    return LearningRateScheduler(Written(text))


STEPS = LearningRateScheduler({2: 0.05, 5: 0.001})
DECAY = scheduled("lambda epoch: 0.2 / (1 + epoch)")
COSINE = scheduled("lambda epoch: np.float32(0.3) * np.cos(np.float32(epoch) / 8)")
HALVES = scheduled("lambda epoch, rate: rate / 2 if epoch in (3, 7) else rate")
WEIGHTS = "{epoch:02d}-{val_loss:.4f}.weights.h5"
NAN = TerminateOnNaN()
RAISING = TerminateOnNaN(raise_error=True)
# rates at which the loss oscillates, and at which it ends as NaN
WILD, EXPLODING = 0.3, 3.0
EPOCHS = 12
# what it is fitted with, and under which callbacks
FITS: list[tuple[dict[str, Any], list[Any]]] = [
    ({}, [stopping()]),
    ({}, [stopping(4)]),
    ({}, [stopping(2, restore_best_weights=False)]),
    ({}, [stopping(2, min_delta=0.05)]),
    ({}, [stopping(2, baseline=0.8)]),
    ({}, [stopping(2, baseline=0.1)]),
    ({}, [stopping(30)]),
    ({}, [stopping(0, start_from_epoch=6)]),
    ({"initial_epoch": 4}, [stopping(0, start_from_epoch=6)]),
    ({"initial_epoch": 3}, [stopping(1, start_from_epoch=2), plateau()]),
    ({}, [stopping(3, monitor="val_mae", mode="max")]),
    ({"validation_freq": 2}, [stopping(2)]),
    ({"learning_rate": EXPLODING}, [stopping(2)]),
    ({}, [plateau(0.3)]),
    ({"learning_rate": WILD}, [plateau(0.3, cooldown=2, min_lr=0.02)]),
    ({}, [plateau(0.9, min_delta=0.05, cooldown=1)]),
    ({}, [plateau(0.5, monitor="val_mae", mode="max")]),
    ({"validation_freq": 3}, [plateau(0.7)]),
    ({"learning_rate": EXPLODING}, [plateau(0.1)]),
    ({}, [plateau(0.5), plateau(0.3, monitor="loss", min_delta=0.02)]),
    ({}, [plateau(0.5, patience=2), plateau(0.7), stopping(4)]),
    ({"initial_epoch": 2}, [plateau(0.3), stopping(5)]),
    ({}, [STEPS]),
    ({}, [DECAY]),
    ({}, [COSINE]),
    ({}, [HALVES]),
    ({}, [STEPS, HALVES]),
    ({"initial_epoch": 5}, [DECAY]),
    ({}, [HALVES, plateau(0.3)]),
    ({}, [plateau(0.3), HALVES]),
    ({"learning_rate": WILD}, [STEPS, stopping(2)]),
    ({}, [ModelCheckpoint("last.keras")]),
    ({}, [best()]),
    ({}, [best(WEIGHTS, save_weights_only=True)]),
    ({}, [best("a/{epoch}.keras", initial_value_threshold=0.79)]),
    ({}, [best("m.keras", monitor="val_mae", mode="max")]),
    ({"validation_freq": 2}, [best("{epoch}.keras")]),
    ({"learning_rate": EXPLODING}, [best("{epoch}-{loss:.3g}.keras")]),
    ({}, [best(), ModelCheckpoint("{epoch:03d}.keras")]),
    ({}, [stopping(2), best()]),
    ({}, [best("{epoch}.keras"), plateau(0.3), stopping(3)]),
    ({}, [plateau(0.3), best("{epoch}-{learning_rate:.5f}.keras")]),
    ({}, [DECAY, ModelCheckpoint("{learning_rate}.keras"), stopping(4)]),
    ({"learning_rate": EXPLODING}, [NAN]),
    ({"learning_rate": EXPLODING}, [RAISING]),
    ({"learning_rate": EXPLODING}, [NAN, stopping(9)]),
    ({"learning_rate": EXPLODING}, [stopping(9), ModelCheckpoint("l.keras"), NAN]),
    ({"learning_rate": EXPLODING}, [stopping(9), RAISING, ModelCheckpoint("l.keras")]),
    ({"learning_rate": EXPLODING}, [plateau(0.9), best(), NAN, stopping(2)]),
    ({"learning_rate": 1.0}, [NAN, RAISING]),
    ({}, [scheduled("lambda epoch: 10.0 ** (epoch - 3)"), NAN, best(), stopping(9)]),
    ({}, [NAN, STEPS, best(), plateau(0.5), stopping(4)]),
]


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*which is not available:UserWarning")
@pytest.mark.filterwarnings("ignore:Can save best model only:UserWarning")
# Keras's own sums of float32
@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered")
@pytest.mark.parametrize(("options", "callbacks"), FITS, ids=str)
def test_a_small_fit_is_replayed_decision_by_decision(
    options: dict[str, Any],
    callbacks: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    fitted = fit_once(
        [as_keras(one) for one in callbacks],
        **{"learning_rate": 0.05, "epochs": EPOCHS, **options},
    )
    check_decisions(trained_run(fitted), callbacks, fitted)
    if not fitted.raised and not rewrites_rate(callbacks):
        # its own log tells the same story
        (logged,) = load_runs(LOGS, planned_epochs=EPOCHS)
        check_decisions(logged, callbacks, fitted)


def trained_run(fitted: RealFit) -> Run:
    """Return the record of a fit, with the rate that every epoch was trained at."""
    # an epoch that an error broke off is not logged
    broken_off = [{"loss": math.nan}] if fitted.raised else []
    rows = [
        {**logs, "learning_rate": rate}
        for logs, rate in zip([*fitted.logs, *broken_off], fitted.rates, strict=True)
    ]
    return Run.from_logs(rows, first_epoch=fitted.epochs[0], planned_epochs=EPOCHS)


def rewrites_rate(callbacks: list[Any]) -> bool:
    """Return whether a reduction's row is written again after the reduction."""
    writers = [type(one) for one in callbacks if one.changes_learning_rate]
    return ReduceLROnPlateau in writers[:-1]


def check_decisions(run: Run, callbacks: list[Any], fitted: RealFit) -> None:
    replay = replay_run(run, callbacks)
    assert (replay.evidence, replay.divergence_epoch) == ("exact", None)
    assert replay.stopped_epoch == fitted.stopped_epoch
    assert list(replay.stopped_by) == fitted.stopped_by
    if replay.learning_rate is not None:
        assert replay.learning_rate.values.tolist() == fitted.rates
    assert list(replay.saves) == fitted.saves
    written = {str(one) for one in Path().rglob("*") if one.is_file()} - {LOGS}
    assert replay.files.keys() == written
    assert replay.kept_epoch is not None
    assert_same(fitted.final_weights, fitted.weights[replay.kept_epoch])
    for name, epoch in replay.files.items():
        assert_same(fitted.file_weights(name), fitted.weights[epoch])


def assert_same(ours: list[Any], theirs: list[Any]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)
