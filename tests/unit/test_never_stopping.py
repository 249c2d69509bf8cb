"""Lists of which no callback can end a training: they save no recorded epoch."""

from __future__ import annotations

from typing import Any

import pytest

from cbreplay import (
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    TerminateOnNaN,
    replay_run,
    sweep_runs,
)
from cbreplay.answers.swept_cells import read_sweep
from cbreplay.grid import choices, make_grid
from cbreplay.rules.registry import known_rules, never_stop

# the worked example of the definitions: a reduction after epoch 4 of 8
LOSSES = [0.8, 0.6, 0.5, 0.5, 0.52, 0.49, 0.5, 0.51]
REDUCING = ReduceLROnPlateau(factor=0.5, patience=2, min_delta=0)
SAVING = ModelCheckpoint("best.keras", save_best_only=True)


def logged(**options: Any) -> Run:
    rows = [{"val_loss": loss, "learning_rate": 0.01} for loss in LOSSES]
    return Run.from_logs(rows, **options)


def _halved_late(epoch: int, rate: float) -> float:
    return rate / 2 if epoch == 5 else rate


@pytest.mark.parametrize(
    "rules",
    [[REDUCING], [REDUCING, SAVING], [LearningRateScheduler(_halved_late)]],
)
def test_a_list_that_cannot_stop_trains_every_recorded_epoch(rules: list[Any]) -> None:
    replay = replay_run(logged(), rules, semantics="keras-3.15")
    assert replay.evidence == "diverged"
    assert (replay.outcome.trained_epochs, replay.outcome.epochs_saved) == (8, 0)
    # the plan is not known: it may have trained on
    assert replay.outcome.bounds == {"trained_epochs": "lower", "epochs_saved": "upper"}


def test_one_that_can_stop_may_do_so_after_the_evidence() -> None:
    rules = [EarlyStopping(patience=9), REDUCING]
    outcome = replay_run(logged(), rules, semantics="keras-3.15").outcome
    # the rate parts in epoch 5: six are trained for sure, two of eight perhaps not
    assert (outcome.trained_epochs, outcome.epochs_saved) == (6, 2)


def test_up_to_a_known_plan_the_length_is_exact() -> None:
    run = logged(planned_epochs=8)
    outcome = replay_run(run, [REDUCING], semantics="keras-3.15").outcome
    assert (outcome.trained_epochs, outcome.epochs_saved, outcome.bounds) == (8, 0, {})


@pytest.mark.parametrize("planned", [None, 8])
@pytest.mark.parametrize("rules", [(REDUCING,), (REDUCING, SAVING), ([REDUCING],)])
def test_a_sweep_says_so_too(rules: Any, planned: int | None) -> None:
    run = logged(planned_epochs=planned)
    sweep = sweep_runs([run], [rules], semantics="keras-3.15")
    assert sweep.trained_epochs.tolist() == [[8]]
    assert sweep.epochs_saved.tolist() == [[0]]
    assert sweep.bounded.tolist() == [[planned is None]]
    assert sweep.to_frame()["bounded"].tolist() == [planned is None]


def test_the_cells_of_an_answer_have_the_bounds_of_the_sweep() -> None:
    grid = make_grid([choices(ReduceLROnPlateau, patience=[1, 2], min_delta=0)])
    for planned, told in ((None, "trained_epochs:lower;epochs_saved:upper"), (8, "")):
        runs = [logged(planned_epochs=planned)]
        cells = read_sweep(sweep_runs(runs, grid, semantics="keras-3.15"))
        assert cells.columns["bounds"] == [told, told]


def test_only_rules_that_are_known_never_to_stop_count() -> None:
    class Own(ModelCheckpoint):
        """It may do anything."""

    assert never_stop([ModelCheckpoint, ReduceLROnPlateau])
    assert not never_stop([ModelCheckpoint, TerminateOnNaN])
    assert not never_stop([Own])
    assert not never_stop([len])
    # a rule that is there to stop early can stop
    assert not any(never_stop([row.load()]) for row in known_rules() if _stops(row))


def _stops(row: Any) -> bool:
    stops: bool = row.load().stops_early
    return stops
