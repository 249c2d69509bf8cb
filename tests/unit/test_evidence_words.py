"""Evidence in words: who changed the rate, and in which epoch, counted from 1."""

from __future__ import annotations

from typing import Any

import pytest

from cbreplay import (
    LearningRateScheduler,
    ReduceLROnPlateau,
    Run,
    choices,
    make_grid,
    replay_run,
    sweep_runs,
)
from cbreplay.answers.swept_cells import read_sweep
from cbreplay.evidence.words import parting_of, spoken_divergence
from cbreplay.judging import Judging

REDUCTION = ReduceLROnPlateau(patience=2, factor=0.5)


@pytest.mark.parametrize(
    ("callback", "words"),
    [
        # flat: reduced at the end of the third epoch
        (
            REDUCTION,
            (
                "this setting changes the learning rate after epoch 3, and the "
                "log shows no such change: from there on it says nothing"
            ),
        ),
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


@pytest.mark.parametrize(
    ("rates", "cause"),
    [
        # flat: patience 2 reduces at the end of the third epoch, to half
        ([0.5] * 6, "reduction"),
        ([0.5, 0.5, 0.5, 0.05, 0.05, 0.05], "reduction"),
        ([0.5, 0.5, 0.25, 0.25, 0.25, 0.25], "recorded"),
        ([0.9**epoch for epoch in range(6)], "recorded"),
        # it makes the first change as recorded, and not the second
        ([0.5, 0.5, 0.5, 0.25, 0.125, 0.125], "recorded"),
    ],
)
def test_a_divergence_is_laid_to_who_changed_the_rate(
    rates: list[float], cause: str
) -> None:
    logs = [{"val_loss": 0.5, "learning_rate": rate} for rate in rates]
    run, semantics = Run.from_logs(logs), "keras-3.15"
    replay = replay_run(run, REDUCTION, semantics=semantics)
    assert parting_of(replay) == cause
    # a table over a grid, which the arrays of a sweep fill, says the same
    judging = Judging(semantics=semantics)
    grid = make_grid([choices(ReduceLROnPlateau, patience=[2], factor=[0.5])])
    cells = read_sweep(sweep_runs([run], grid, judging=judging))
    assert cells.columns["parted_by"] == [cause]
