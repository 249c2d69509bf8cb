"""One run and one list: evidence, divergence, outcome, notes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    EvidenceError,
    ReduceLROnPlateau,
    Replay,
    Run,
    Series,
    UnknownMonitorError,
    replay_run,
)
from cbreplay.replay import Reduction
from cbreplay.run_metadata import RunMetadata

if TYPE_CHECKING:
    from collections.abc import Sequence

FLAT = [0.5] * 6


def recorded(losses: Sequence[float | None], rates: Any = None, **options: Any) -> Run:
    rows: list[dict[str, Any]] = [{"val_loss": loss} for loss in losses]
    for row, rate in zip(rows, rates or [], strict=False):
        row["learning_rate"] = rate
    return Run.from_logs(rows, **options)


def replayed(run: Run, *callbacks: Any, **options: Any) -> Replay:
    return replay_run(run, callbacks, semantics="keras-3.15", **options)


def halve(patience: int = 1, **parameters: Any) -> ReduceLROnPlateau:
    return ReduceLROnPlateau(factor=0.5, patience=patience, min_delta=0, **parameters)


# --- divergence


def test_a_reduction_that_the_record_shows_too_is_no_divergence() -> None:
    # flat from epoch 0, patience 2: reduced at the end of epochs 2 and 4
    run = recorded(FLAT, [0.5, 0.5, 0.5, 0.25, 0.25, 0.125])
    replay = replayed(run, halve(2))
    assert replay.divergence_epoch is None
    assert replay.reductions == (
        Reduction(2, 0.5, 0.25, 0),
        Reduction(4, 0.25, 0.125, 0),
    )
    assert replay.evidence == "censored"


def test_a_recorded_drop_that_the_list_does_not_make_is_a_divergence() -> None:
    run = recorded(FLAT, [0.5, 0.5, 0.5, 0.25, 0.25, 0.25])
    replay = replayed(run, halve(5))
    assert (replay.divergence_epoch, replay.reductions) == (3, ())
    assert replay.outcome.trained_epochs == 4


def test_a_recorded_drop_does_not_concern_a_list_that_cannot_change_the_rate() -> None:
    run = recorded(FLAT, [0.5, 0.5, 0.5, 0.25, 0.25, 0.25])
    replay = replayed(run, EarlyStopping(patience=4))
    assert (replay.stopped_epoch, replay.divergence_epoch) == (4, None)
    assert replay.learning_rate is not None
    assert replay.learning_rate.values.tolist() == [0.5, 0.5, 0.5, 0.25, 0.25]


@pytest.mark.parametrize("first", [0, 1])
def test_a_reduction_at_the_stop_epoch_diverges_from_nothing(first: int) -> None:
    both: list[Any] = [EarlyStopping(patience=2), halve(2)]
    order = [both[first], both[1 - first]]
    replay = replayed(recorded(FLAT, [0.5] * 6), *order)
    assert (replay.evidence, replay.stopped_epoch) == ("exact", 2)
    assert [one.epoch for one in replay.reductions] == [2]
    assert replay.stopped_by == (first,)


def test_a_reduction_at_the_horizon_diverges_from_nothing() -> None:
    replay = replayed(recorded(FLAT, [0.5] * 6), halve(5))
    assert (replay.divergence_epoch, len(replay.reductions)) == (None, 1)
    assert replay.evidence == "censored"


def test_a_missing_rate_is_its_neighbours_where_both_agree() -> None:
    agree = recorded(FLAT, [0.5, None, 0.5, 0.5, 0.5, 0.5])
    assert replayed(agree, halve(9)).divergence_epoch is None
    differ = recorded(FLAT, [0.5, 0.5, None, 0.25, 0.25, 0.25])
    assert replayed(differ, halve(9)).divergence_epoch == 2


def test_a_missing_last_rate_has_one_neighbour_only() -> None:
    run = recorded(FLAT, [0.5, 0.5, 0.5, 0.5, 0.5, None])
    assert replayed(run, halve(9)).divergence_epoch == 5


def test_two_readings_of_the_rate_take_the_earlier_divergence() -> None:
    rates = [0.5, 0.5, 0.5, 0.25, 0.25, 0.25]
    later = Series.from_optional([0.5, *rates[:-1]], dtype=np.float32)
    run = replace(recorded(FLAT, rates), other_learning_rate=later)
    replay = replayed(run, halve(9))
    assert replay.divergence_epoch == 3
    assert any("at epoch 4 or at epoch 5" in note for note in replay.notes)
    # the list that explains the first reading leaves the second one at its drop
    assert replayed(run, halve(2)).divergence_epoch == 3


# --- logs without a rate


def test_without_a_rate_any_change_is_a_divergence_and_rates_are_unknown() -> None:
    replay = replayed(recorded(FLAT), halve(2))
    assert replay.divergence_epoch == 3
    assert replay.reductions == (Reduction(2, None, None, 0),)
    assert replay.learning_rate is None
    assert any("taken as constant" in note for note in replay.notes)


def test_a_given_initial_rate_fills_the_rates() -> None:
    replay = replayed(recorded(FLAT), halve(2), initial_learning_rate=0.5)
    assert replay.reductions == (Reduction(2, 0.5, 0.25, 0),)
    assert replay.learning_rate is not None
    assert replay.learning_rate.values.tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("parameters", [{"min_lr": 0.1}, {"min_lr": -1.0}])
def test_a_floor_needs_the_rate(parameters: dict[str, float]) -> None:
    with pytest.raises(EvidenceError, match="Give initial_learning"):
        replayed(recorded(FLAT), halve(2, **parameters))


def test_a_factor_that_float32_may_swallow_needs_the_rate() -> None:
    tiny = ReduceLROnPlateau(factor=1 - 1e-9, patience=1)
    with pytest.raises(EvidenceError, match="decide by its value"):
        replayed(recorded(FLAT), tiny)
    replay = replayed(recorded(FLAT), tiny, initial_learning_rate=0.5)
    assert len(replay.reductions) == 5
    assert replay.divergence_epoch is None


def test_an_initial_rate_must_not_contradict_the_record() -> None:
    run = recorded(FLAT, [0.5] * 6)
    assert replayed(run, halve(9), initial_learning_rate=0.5).divergence_epoch is None
    with pytest.raises(ConfigError, match=r"records the learning rate 0.5.*not 0.25"):
        replayed(run, halve(9), initial_learning_rate=0.25)


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf, 1e39])
def test_an_initial_rate_is_a_positive_float32(rate: float) -> None:
    with pytest.raises(ConfigError, match="a positive float32"):
        replayed(recorded(FLAT), halve(2), initial_learning_rate=rate)


def test_a_record_whose_first_rate_is_missing_needs_it() -> None:
    run = recorded(FLAT, [None, 0.5, 0.5, 0.5, 0.5, 0.5])
    with pytest.raises(EvidenceError, match="of its first epoch"):
        replayed(run, halve(2))
    assert replayed(run, halve(9), initial_learning_rate=0.5).divergence_epoch is None


def test_a_learning_rate_schedule_is_refused_as_by_keras() -> None:
    run = replace(recorded(FLAT), metadata=RunMetadata(schedule="CosineDecay"))
    with pytest.raises(ConfigError, match=r"CosineDecay.*raises TypeError in Keras 3"):
        replayed(run, halve(2))
    with pytest.raises(ConfigError, match=r"changes no rate.* in tf_keras 2\.21"):
        replay_run(run, [halve(2)], semantics="tf_keras-2.21")
    assert replayed(run, EarlyStopping(patience=2)).stopped_epoch == 2


# --- outcome


def test_missing_epochs_are_skipped_and_noted() -> None:
    replay = replayed(recorded([None, 0.5] * 4), EarlyStopping(patience=2))
    assert replay.stopped_epoch == 5
    assert any("missing in 4 of 8 epochs" in note for note in replay.notes)


def test_the_objective_judges_and_the_monitor_decides() -> None:
    rows = [{"val_loss": v, "val_accuracy": a} for v, a in [(0.5, 0.7), (0.6, 0.9)] * 2]
    restoring = EarlyStopping(patience=1, restore_best_weights=True)
    replay = replayed(Run.from_logs(rows), restoring, objective="val_accuracy")
    assert (replay.objective, replay.objective_mode) == ("val_accuracy", "max")
    assert replay.outcome.kept_value == 0.7
    assert replay.outcome.regret == pytest.approx(0.2)


def test_an_objective_without_a_direction_is_refused() -> None:
    run = Run.from_logs([{"val_loss": 0.5, "val_dice": 0.5}])
    with pytest.raises(ConfigError, match="Give objective_mode="):
        replayed(run, EarlyStopping(), objective="val_dice")
    replay = replayed(run, EarlyStopping(), objective="val_dice", objective_mode="max")
    assert replay.outcome.kept_value == 0.5


def test_the_first_early_stopping_names_the_objective() -> None:
    run = Run.from_logs([{"val_loss": 0.5, "loss": 0.4}])
    replay = replayed(run, halve(1, monitor="loss"), EarlyStopping(monitor="val_loss"))
    assert replay.objective == "val_loss"
    assert replayed(run, halve(1, monitor="loss")).objective == "loss"


def test_nan_at_the_kept_epoch_has_no_value_and_is_noted() -> None:
    restoring = EarlyStopping(patience=1, restore_best_weights=True)
    replay = replayed(recorded([math.nan, 0.5, 0.4]), restoring)
    assert (replay.stopped_epoch, replay.kept_epoch) == (1, 0)
    assert (replay.outcome.kept_value, replay.outcome.regret) == (None, None)
    assert any("taken as best" in note for note in replay.notes)
    ends = "training ends with the weights of epoch 1, where val_loss has no number"
    assert ends in replay.notes


def test_infinities_are_kept_values_without_a_best_on_record() -> None:
    replay = replayed(recorded([math.inf, math.inf]), EarlyStopping(patience=1))
    assert (replay.outcome.kept_value, replay.outcome.regret) == (math.inf, None)


def test_seconds_are_saved_where_they_were_recorded() -> None:
    seconds = Series.from_optional([None, 2.0, 2.0, 3.0, 3.0, 4.0])
    run = replace(recorded(FLAT), epoch_seconds=seconds)
    assert replayed(run, EarlyStopping(patience=2)).outcome.seconds_saved == 10.0
    outcome = replayed(run, EarlyStopping(patience=9)).outcome
    assert outcome.seconds_saved == 0.0
    assert outcome.bounds["seconds_saved"] == "upper"
    gap = replace(run, epoch_seconds=Series.from_optional([None] * 5 + [1.0]))
    assert replayed(gap, EarlyStopping(patience=2)).outcome.seconds_saved is None


def test_a_run_whose_best_is_last_was_still_improving() -> None:
    falling = recorded([0.5, 0.4, 0.3])
    notes = replayed(falling, EarlyStopping(patience=2)).notes
    assert any("still improving" in note for note in notes)
    risen = recorded([0.5, 0.3, 0.4, 0.4, 0.4])
    notes = replayed(risen, EarlyStopping(patience=2)).notes
    assert not any("still improving" in note for note in notes)


@pytest.mark.parametrize(
    ("losses", "improved"),
    [
        ([3.0, 2.0, 2.5], False),
        ([1 - 0.02 * epoch for epoch in range(20)] + [0.9], False),
        # its rises were 0.1 and 0.1, so one of 0.05 is no change of course
        ([0.9, 1.0, 0.8, 0.9, 0.7, 0.75], True),
        ([0.9, 1.0, 0.8, 0.9, 0.7, 0.85], False),
    ],
)
def test_a_run_that_got_worse_after_its_best_improved_no_longer(
    losses: list[float], *, improved: bool
) -> None:
    notes = replayed(recorded(losses), EarlyStopping(patience=2)).notes
    told = [note for note in notes if "still improving" in note]
    assert bool(told) == improved
    # the best is not the last value here
    assert all("best near the end" in note for note in told)


@pytest.mark.parametrize(
    ("last", "end"),
    [(math.nan, "NaN"), (math.inf, "infinity"), (-math.inf, "infinity")],
)
def test_a_run_that_ended_in_nan_improved_no_longer(last: float, end: str) -> None:
    """It fell to the epoch before its last, which is NaN: nothing improved there."""
    notes = replayed(recorded([0.5, 0.4, 0.3, last]), EarlyStopping(patience=2)).notes
    assert f"val_loss ended in {end}, from epoch 4 on" in notes
    assert not any("still improving" in note for note in notes)
    # a NaN that numbers follow ended nothing
    risen = recorded([0.5, math.nan, 0.4, 0.3])
    notes = replayed(risen, EarlyStopping(patience=2)).notes
    assert any("still improving" in note for note in notes)
    assert not any("ended in" in note for note in notes)


def test_the_last_listed_restoring_callback_decides_what_is_kept() -> None:
    # val_loss is best at epoch 0, loss at epoch 1
    pairs = [(0.4, 0.9), (0.5, 0.3), (0.6, 0.4)]
    run = Run.from_logs([{"val_loss": v, "loss": t} for v, t in pairs])
    by_val = EarlyStopping(patience=1, restore_best_weights=True)
    by_loss = EarlyStopping(monitor="loss", patience=9, restore_best_weights=True)
    never_seen = EarlyStopping(
        monitor="loss", patience=9, restore_best_weights=True, start_from_epoch=99
    )
    assert replayed(run, by_loss, by_val).kept_epoch == 0
    assert replayed(run, by_val, by_loss).kept_epoch == 1
    assert replayed(run, by_val, never_seen).kept_epoch == 0


def test_best_is_absent_until_a_monitored_epoch() -> None:
    replay = replayed(recorded(FLAT), EarlyStopping(start_from_epoch=99))
    assert (replay.best_epoch, replay.best, replay.kept_epoch) == (None, None, 5)


# --- refusals


def test_a_monitor_that_is_nowhere_is_refused() -> None:
    with pytest.raises(UnknownMonitorError, match="it has val_loss"):
        replayed(recorded(FLAT), EarlyStopping(monitor="val_acc", mode="max"))


def test_what_is_no_callback_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"Give parse_callbacks\('EarlyStopping\(\)'"):
        replayed(recorded(FLAT), "EarlyStopping()")
    with pytest.raises(ConfigError, match="is not a callback that cbreplay can replay"):
        replayed(recorded(FLAT), "EarlyStopping")
    with pytest.raises(ConfigError, match=r"a class.* Give an instance, EarlyStopp"):
        replayed(recorded(FLAT), EarlyStopping)
    with pytest.raises(ConfigError, match="there is no callback"):
        replayed(recorded(FLAT))


def test_the_rate_as_a_monitor_needs_a_callback_that_writes_it_before() -> None:
    stopper = EarlyStopping(monitor="learning_rate", mode="min", patience=1)
    with pytest.raises(ConfigError, match="only in a list with a ReduceLROnPlateau"):
        replayed(recorded(FLAT), stopper)
    with pytest.raises(ConfigError, match="Put it before"):
        replay_run(recorded(FLAT), [stopper, ReduceLROnPlateau()])


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        (EarlyStopping, {"patience": "5"}, "patience is '5', where a number"),
        (EarlyStopping, {"patience": math.nan}, "patience is nan"),
        (EarlyStopping, {"baseline": [1]}, r"baseline is \[1\]"),
        (EarlyStopping, {"mode": "mim"}, r"mode is 'mim'.*did you mean 'min'\?"),
        (ReduceLROnPlateau, {"factor": 1}, "factor is 1, where a number below 1"),
        (ReduceLROnPlateau, {"cooldown": None}, "cooldown is None"),
        (ReduceLROnPlateau, {"min_lr": 1e39}, "no float32 rate"),
    ],
)
def test_parameters_that_keras_cannot_compute_with_are_refused(
    kind: Any, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        kind(**parameters)


def test_verbose_stands_where_keras_has_it() -> None:
    assert EarlyStopping("loss", 0.1, 3, 1, "min", 0.5, True, 2).start_from_epoch == 2
    assert ReduceLROnPlateau("loss", 0.5, 3, 1, "min", 0.1, 2, 0.001).min_lr == 0.001


def test_a_metric_that_ends_in_nan_is_no_failed_training() -> None:
    runs = [
        Run.from_logs(
            {"loss": loss, "val_auc": auc}
            for loss, auc in zip(losses, scores, strict=True)
        )
        for losses, scores in (
            ([0.5, 0.4, 0.3], [0.6, 0.7, math.nan]),
            ([0.5, 0.4, math.nan], [0.6, 0.7, math.nan]),
        )
    ]
    stopping = EarlyStopping(monitor="val_auc", mode="max", patience=5)
    degenerate, failed = (replay_run(run, stopping).notes for run in runs)
    assert "val_auc ended in NaN, from epoch 3 on" in degenerate
    assert "val_auc ended in NaN, from epoch 3 on: the training failed there" in failed
