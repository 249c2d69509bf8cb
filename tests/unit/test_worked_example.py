"""Eight epochs, seven lists: every field of every answer, as worked out by hand.

The rows were also seen with the real callbacks of Keras 3.15.1.
"""

from __future__ import annotations

from typing import Any

import pytest

from cbreplay import EarlyStopping, ReduceLROnPlateau, Replay, Run, replay_run
from cbreplay.replay import Reduction

LOSSES = [0.8, 0.6, 0.5, 0.5, 0.52, 0.49, 0.5, 0.51]
RATE, HALF_RATE = 0.009999999776482582, 0.004999999888241291


def E(patience: int) -> EarlyStopping:  # noqa: N802 - the table's name
    return EarlyStopping(
        monitor="val_loss", patience=patience, min_delta=0.02, restore_best_weights=True
    )


def R(patience: int) -> ReduceLROnPlateau:  # noqa: N802 - the table's name
    return ReduceLROnPlateau(factor=0.5, patience=patience, min_delta=0)


def replayed(
    callbacks: list[Any], planned: int | None = None, **options: Any
) -> Replay:
    rows = [{"val_loss": loss, "learning_rate": 0.01} for loss in LOSSES]
    run = Run.from_logs(rows, planned_epochs=planned)
    return replay_run(run, callbacks, **{"semantics": "keras-3.15"} | options)


# (list, plan, wait of E, stopped, best_epoch, kept, trained, saved, kept_value, regret,
#  reductions, D, evidence)
ROWS = [
    ([E(3)], None, [0, 0, 0, 1, 2, 3], 5, 2, 2, 6, 2, 0.5, 0.01, [], None, "exact"),
    (
        [E(5)],
        None,
        [0, 0, 0, 1, 2, 3, 4, 5],
        *(7, 2, 2, 8, 0, 0.5, 0.01, [], None, "exact"),
    ),
    (
        [E(6)],
        None,
        [0, 0, 0, 1, 2, 3, 4, 5],
        *(None, 2, 2, 8, 0, 0.5, 0.01, [], None, "censored"),
    ),
    (
        [E(6)],
        8,
        [0, 0, 0, 1, 2, 3, 4, 5],
        *(None, 2, 2, 8, 0, 0.5, 0.01, [], None, "exact"),
    ),
    (
        [E(3), R(2)],
        None,
        [0, 0, 0, 1, 2],
        *(None, None, None, 6, 2, None, None, [(4, RATE, HALF_RATE, 1)], 5, "diverged"),
    ),
    (
        [E(2), R(2)],
        None,
        [0, 0, 0, 1, 2],
        *(4, 2, 2, 5, 3, 0.5, 0.01, [(4, RATE, HALF_RATE, 1)], None, "exact"),
    ),
    (
        [E(3), R(3)],
        None,
        [0, 0, 0, 1, 2, 3],
        5,
        2,
        2,
        6,
        2,
        0.5,
        0.01,
        [],
        None,
        "exact",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(len(row[0])) + row[-1])
def test_every_field_of_the_worked_example(row: tuple[Any, ...]) -> None:
    callbacks, plan, waits, stopped, best_epoch, kept, trained, saved = row[:8]
    kept_value, regret, reductions, divergence, evidence = row[8:]
    replay = replayed(callbacks, plan)
    assert [step.state.wait for step in replay.trace if step.callback == 0] == waits
    assert replay.stopped_epoch == stopped
    assert replay.best_epoch == best_epoch
    assert replay.kept_epoch == kept
    assert replay.outcome.trained_epochs == trained
    assert replay.outcome.epochs_saved == saved
    assert replay.outcome.kept_value == kept_value
    assert replay.outcome.regret == pytest.approx(regret)
    assert list(replay.reductions) == [Reduction(*one) for one in reductions]
    assert replay.divergence_epoch == divergence
    assert replay.evidence == evidence


def test_keras_2_15_restores_only_where_it_stops() -> None:
    whole = replayed([E(6)], planned=8, semantics="keras-2.15")
    assert (whole.kept_epoch, whole.outcome.kept_value) == (7, 0.51)
    assert whole.outcome.regret == pytest.approx(0.02)
    assert (whole.best_epoch, whole.evidence) == (2, "exact")
    assert replayed([E(5)], semantics="keras-2.15").kept_epoch == 2


def test_bounds_stand_where_the_table_says_at_least_and_at_most() -> None:
    for callbacks in ([E(6)], [E(3), R(2)]):
        outcome = replayed(callbacks).outcome
        assert outcome.bounds == {"trained_epochs": "lower", "epochs_saved": "upper"}
    assert replayed([E(3)]).outcome.bounds == {}


def test_censored_values_are_provisional_and_planned_ones_are_not() -> None:
    provisional = replayed([E(6)]).outcome.provisional
    assert provisional == ("kept_epoch", "kept_value", "regret")
    assert replayed([E(6)], planned=8).outcome.provisional == ()


def test_the_fiction_of_e3_r2_stops_at_5() -> None:
    replay = replayed([E(3), R(2)], hypothetical=True)
    assert replay.hypothetical is not None
    assert replay.hypothetical.stopped_epoch == 5
    assert replay.stopped_epoch is None


def test_the_fiction_of_r2_reduces_at_4_and_at_7() -> None:
    replay = replayed([R(2)], hypothetical=True)
    assert replay.hypothetical is not None
    assert [one.epoch for one in replay.hypothetical.reductions] == [4, 7]
    assert [one.epoch for one in replay.reductions] == [4]


def test_r3_alone_runs_to_the_horizon_without_a_reduction() -> None:
    replay = replayed([R(3)], hypothetical=True)
    assert (replay.evidence, replay.reductions, replay.hypothetical) == (
        "censored",
        (),
        None,
    )
