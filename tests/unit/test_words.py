"""Evidence in words: who changed the rate, and in which epoch, counted from 1."""

from __future__ import annotations

from typing import Any

import pytest

from cbreplay import LearningRateScheduler, ReduceLROnPlateau, Run, replay_run
from cbreplay.words import spoken_divergence

REDUCTION = ReduceLROnPlateau(patience=2, factor=0.5)


@pytest.mark.parametrize(
    ("callback", "words"),
    [
        # flat: reduced at the end of the third epoch
        (REDUCTION, "after the learning-rate change at epoch 3 the log says nothing"),
        # a table's epochs count from 0: its change stands at the beginning of the third
        (
            LearningRateScheduler({0: 0.5, 2: 0.25}),
            (
                "epoch 3 begins at another learning rate than the recorded one: "
                "from there on the log says nothing"
            ),
        ),
    ],
)
def test_a_divergence_names_the_epoch_of_the_change(callback: Any, words: str) -> None:
    run = Run.from_logs([{"val_loss": 0.5, "learning_rate": 0.5}] * 6)
    assert spoken_divergence(replay_run(run, callback, semantics="keras-3.15")) == words
