"""A training that goes on in a second fit decides, replayed, what Keras decided."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import Run, replay_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = [pytest.mark.keras, pytest.mark.slow]

PLANNED, SEAM = 30, 4


def make_model() -> Any:
    import keras

    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    # at this rate the loss rises again soon
    model.compile(keras.optimizers.SGD(0.3), "mse")
    return model


def fit(
    model: Any, callbacks: Sequence[Any], first: int, end: int
) -> tuple[list[int], list[dict[str, float]]]:
    """Return the epochs that a fit trained, and their logs."""
    import keras

    random = np.random.default_rng(2)
    x = random.normal(size=(32, 3)).astype("float32")
    y = (x[:, :1] + random.normal(size=(32, 1))).astype("float32")
    epochs: list[int] = []
    logs: list[dict[str, float]] = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, _logs: epochs.append(epoch),
        on_epoch_end=lambda _epoch, seen: logs.append(dict(seen)),
    )
    model.fit(
        x[:24],
        y[:24],
        validation_data=(x[24:], y[24:]),
        batch_size=4,
        epochs=end,
        initial_epoch=first,
        shuffle=False,
        verbose=0,
        callbacks=[*callbacks, watch],
    )
    return epochs, logs


def stopping(patience: int, *, restores: bool = False) -> Any:
    import keras

    return keras.callbacks.EarlyStopping(
        patience=patience, restore_best_weights=restores
    )


def record(callbacks: Sequence[Any] = ()) -> Run:
    """Train to the plan in two fits of one model."""
    model = make_model()
    rows = fit(model, callbacks, 0, SEAM)[1] + fit(model, callbacks, SEAM, PLANNED)[1]
    return replace(Run.from_logs(rows), seams=(SEAM,))


@pytest.mark.parametrize("resume", ["fresh", "carried"])
@pytest.mark.parametrize("patience", [5, 6, 8])
def test_of_new_and_of_kept_callbacks(resume: Any, patience: int) -> None:
    run = record()
    stopper, model = stopping(patience), make_model()
    fit(model, [stopper], 0, SEAM)
    if resume == "fresh":
        stopper = stopping(patience)
    epochs, _ = fit(model, [stopper], SEAM, PLANNED)
    stopped = epochs[-1] if model.stop_training else None
    replay = replay_run(run, stopping(patience), resume=resume)
    assert replay.stopped_epoch == stopped


@pytest.mark.parametrize("restores", [False, True])
def test_of_a_training_that_was_killed_and_restored(
    tmp_path: Path, *, restores: bool
) -> None:
    """BackupAndRestore brings weights and epoch back; EarlyStopping begins anew."""
    import keras

    class Killed(Exception):  # noqa: N818 - stands for the end of a process
        pass

    def kill(epoch: int, _logs: Any) -> None:
        if epoch == SEAM:
            raise Killed

    def backup() -> Any:
        return keras.callbacks.BackupAndRestore(str(tmp_path / "backup"))

    run = record()
    killer = keras.callbacks.LambdaCallback(on_epoch_begin=kill)
    first = stopping(5, restores=restores)
    with pytest.raises(Killed):
        fit(make_model(), [first, backup(), killer], 0, PLANNED)
    model = make_model()
    second = stopping(5, restores=restores)
    epochs, logs = fit(model, [second, backup()], 0, PLANNED)
    # the first epoch that was not trained whole; the numbers are those without a kill
    assert epochs[0] == SEAM
    recorded = run.series["val_loss"].values[SEAM : SEAM + len(logs)].tolist()
    assert [seen["val_loss"] for seen in logs] == recorded
    asked = stopping(5, restores=restores)
    replay = replay_run(run, asked, resume="interrupted")
    assert (replay.stopped_epoch, model.stop_training) == (epochs[-1], True)
    assert replay.kept_epoch == (second.best_epoch if restores else epochs[-1])
    # had the first fit ended at the seam, it would have put its best weights back
    ended = replay_run(run, asked, resume="fresh")
    best_before = int(run.series["val_loss"].values[:SEAM].argmin())
    assert best_before < SEAM - 1
    assert ended.gap_epoch == (SEAM if restores else None)
