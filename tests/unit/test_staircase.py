"""One log's answer equals what each patience decides on its own."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbreplay import (
    ConfigError,
    EarlyStopping,
    ReduceLROnPlateau,
    Run,
    Series,
    build_staircase,
    load_runs,
    replay_run,
)
from cbreplay.run_metadata import Ended, RunMetadata
from cbreplay.staircase.rate_history import explain_rate
from tests.strategies import runs

if TYPE_CHECKING:
    from pathlib import Path

SEMANTICS = "keras-3.15"


# the rules that differ in where best starts and when weights are restored
RULES = st.sampled_from([SEMANTICS, "keras-2.15", "keras-3.0", "tf_keras-2.21"])


@given(runs(), st.sampled_from(["best", "last"]), RULES)
@settings(max_examples=300)
def test_every_patience_falls_into_the_step_that_its_replay_gives(
    run: Run, keep: Literal["best", "last"], semantics: str
) -> None:
    staircase = build_staircase(run, keep=keep, semantics=semantics)
    for patience in range(30):
        one = EarlyStopping(patience=patience, restore_best_weights=keep == "best")
        replay = replay_run(run, one, semantics=semantics)
        (step,) = [
            step
            for step in staircase.steps
            if step.first_patience <= patience
            and (step.last_patience is None or patience <= step.last_patience)
        ]
        assert step.kept_epoch == replay.kept_epoch
        assert step.kept_value == replay.outcome.kept_value
        assert step.regret == replay.outcome.regret
        assert step.evidence == replay.evidence
        if patience == step.first_patience:
            assert step.first_stopped_epoch == replay.stopped_epoch
            assert step.most_epochs_saved == replay.outcome.epochs_saved
        if patience == step.last_patience:
            assert step.last_stopped_epoch == replay.stopped_epoch
            assert step.fewest_epochs_saved == replay.outcome.epochs_saved


@given(runs(min_epochs=3))
def test_steps_follow_one_another_without_gaps(run: Run) -> None:
    steps = build_staircase(run, semantics=SEMANTICS).steps
    assert steps[0].first_patience == 0
    assert steps[-1].last_patience is None
    for one, after in itertools.pairwise(steps):
        assert one.last_patience is not None
        assert after.first_patience == one.last_patience + 1
        assert one.kept_epoch is not None
        assert after.kept_epoch is not None
        assert after.kept_epoch >= one.kept_epoch


def losses(*values: float, **options: Any) -> Run:
    return Run.from_logs([{"val_loss": value} for value in values], **options)


def test_a_small_log_by_hand() -> None:
    run = Run.from_logs(
        [
            {"val_loss": loss, "val_accuracy": accuracy, "loss": 1.0}
            for loss, accuracy in [(4, 0.1), (3, 0.5), (5, 0.4), (2, 0.6), (4, 0.9)]
        ]
    )
    staircase = build_staircase(run, semantics=SEMANTICS)
    first, rest = staircase.steps
    # 5 > 3 at epoch 2: patience 0 and 1 stop there and keep epoch 1
    assert (first.first_patience, first.last_patience) == (0, 1)
    assert (first.first_stopped_epoch, first.kept_epoch, first.regret) == (2, 1, 1.0)
    assert first.others == {"val_accuracy": 0.5}
    # patience 2 waits through epoch 3, and the log ends one wait later
    assert (rest.first_patience, rest.evidence, rest.kept_epoch) == (2, "censored", 3)
    assert (staircase.best_epoch, staircase.best_value) == (3, 2.0)
    assert staircase.other_best == {"val_accuracy": (4, 0.9)}
    # the second half is 5, 2, 4: changes of 3 and 2
    assert staircase.usual_change == 2.5


@pytest.mark.parametrize(
    ("monitor", "is_said"),
    [("val_loss", True), ("Valid Loss", True), ("loss", False), ("test_loss", False)],
)
def test_how_a_difference_was_measured_is_said_of_validation_alone(
    monitor: str, *, is_said: bool
) -> None:
    run = Run.from_logs([{monitor: loss} for loss in (4, 3, 5, 2, 4)])
    staircase = build_staircase(run, monitor=monitor, mode="min", semantics=SEMANTICS)
    assert ("two in three such differences" in str(staircase)) == is_said


def test_a_run_that_reached_its_plan_is_exact_to_the_end() -> None:
    staircase = build_staircase(losses(3, 2, 1, planned_epochs=3), semantics=SEMANTICS)
    assert [step.evidence for step in staircase.steps] == ["exact"]


def test_its_own_stop_is_noted() -> None:
    metadata = RunMetadata(ended=Ended("EarlyStopping", 2))
    run = replace(losses(1, 2, 3), metadata=metadata)
    notes = build_staircase(run, semantics=SEMANTICS).notes
    assert any("its own EarlyStopping ended this training" in note for note in notes)
    interrupted = replace(run, metadata=RunMetadata(ended=Ended("interrupt", 2)))
    notes = build_staircase(interrupted, semantics=SEMANTICS).notes
    assert any("ended by an interrupt" in note for note in notes)


def test_a_keep_that_is_neither_is_refused() -> None:
    with pytest.raises(ConfigError, match="keep is 'all'"):
        build_staircase(losses(1), keep="all")  # type: ignore[arg-type]


# --- the learning rate


def reduced_by(
    callback: ReduceLROnPlateau,
    values: list[float],
    rate: float,
    semantics: str = SEMANTICS,
) -> Run:
    """Record values under a callback: the rate of each epoch follows its replay."""
    rows: list[dict[str, float]] = [
        {"val_loss": v, "learning_rate": rate} for v in values
    ]
    replay = replay_run(
        Run.from_logs(rows), callback, semantics=semantics, hypothetical=True
    )
    simulated = (replay.hypothetical or replay).learning_rate
    assert simulated is not None
    for row, value in zip(rows, simulated.values.tolist(), strict=True):
        row["learning_rate"] = value
    return Run.from_logs(rows)


VALUES = [1.0, 0.9, 0.95, 0.96, 0.97, 0.8, 0.81, 0.82, 0.83, 0.84, 0.85, 0.86, 0.87]


@pytest.mark.parametrize(
    "callback",
    [
        ReduceLROnPlateau(factor=0.5, patience=3),
        ReduceLROnPlateau(factor=0.1, patience=2),
        ReduceLROnPlateau(factor=0.2, patience=2, min_lr=5e-5),
        ReduceLROnPlateau(factor=0.3, patience=2, cooldown=3),
    ],
)
# the two round a rate in different ways
@pytest.mark.parametrize("semantics", [SEMANTICS, "tf_keras-2.21"])
def test_a_recorded_setting_is_found_again(
    callback: ReduceLROnPlateau, semantics: str
) -> None:
    run = reduced_by(callback, VALUES, 0.001, semantics)
    history = explain_rate(run, monitor="val_loss", semantics=semantics)
    assert len(history.reductions) >= 1
    assert history.explained_by == callback


@given(
    st.lists(st.floats(0, 1, width=16), min_size=8, max_size=30),
    st.sampled_from([0.1, 0.5, 0.25]),
    st.integers(1, 5),
    st.integers(0, 4),
)
def test_whatever_explains_a_record_gives_its_every_rate(
    values: list[float], factor: float, patience: int, cooldown: int
) -> None:
    callback = ReduceLROnPlateau(factor=factor, patience=patience, cooldown=cooldown)
    run = reduced_by(callback, values, 0.01)
    history = explain_rate(run, monitor="val_loss", semantics=SEMANTICS)
    if not history.reductions:
        assert history.explained_by is None
        return
    if history.explained_by is None:
        # one drop cannot show a cooldown too, and 1 acts like none
        assert len(history.reductions) == 1
        assert cooldown > 1
        return
    replay = replay_run(run, history.explained_by, semantics=SEMANTICS)
    assert replay.divergence_epoch is None


def test_a_rate_that_rises_is_not_explained() -> None:
    run = Run.from_logs(
        [{"val_loss": 0.5, "learning_rate": rate} for rate in (0.1, 0.2, 0.1)]
    )
    history = explain_rate(run, monitor="val_loss", semantics=SEMANTICS)
    assert (history.rises, history.explained_by) == (True, None)
    assert len(history.reductions) == 1


def test_a_rate_that_a_resumed_fit_raised_is_explained_fit_by_fit() -> None:
    # no value is better than the first: patience 2 reduces after epoch 2
    rates = [0.1, 0.1, 0.1, 0.05, 0.1, 0.1]
    run = Run.from_logs([{"val_loss": 0.5, "learning_rate": rate} for rate in rates])
    resumed = replace(run, seams=(4,))
    history = explain_rate(resumed, monitor="val_loss", semantics=SEMANTICS)
    assert history.raised_by_fits == (4,)
    assert (history.explained_by.factor, history.explained_by.patience) == (0.5, 2)
    assert (
        explain_rate(run, monitor="val_loss", semantics=SEMANTICS).explained_by is None
    )


def test_a_drop_while_improving_is_not_explained() -> None:
    run = Run.from_logs(
        [
            {"val_loss": 1 - i / 9, "learning_rate": 0.1 if i < 4 else 0.01}
            for i in range(8)
        ]
    )
    assert (
        explain_rate(run, monitor="val_loss", semantics=SEMANTICS).explained_by is None
    )


def test_where_another_patience_would_first_act_by_hand() -> None:
    # flat: `wait` is 1 at epoch 1, 3 at epoch 3, 5 at epoch 5
    run = losses(*[0.5] * 7)
    history = explain_rate(run, monitor="val_loss", semantics=SEMANTICS)
    assert not history.is_recorded
    assert [tuple(one) for one in history.first_reductions] == [(3, 3), (5, 5)]


def test_the_rate_is_described_where_it_is_recorded() -> None:
    rates = [None, 0.5, 0.25]
    run = Run.from_logs([{"val_loss": 0.5, "learning_rate": rate} for rate in rates])
    history = explain_rate(run, monitor="val_loss", semantics=SEMANTICS)
    assert (history.first, history.last) == (0.5, 0.25)
    assert history.reductions[0].epoch == 1
    assert np.isclose(history.reductions[0].new, 0.25)


def test_of_two_readings_the_plainer_explanation_is_given() -> None:
    setting = ReduceLROnPlateau(factor=0.5, patience=5)
    run = reduced_by(setting, [0.5 - 0.001 * (i in (0, 1)) for i in range(40)], 0.001)
    assert run.learning_rate is not None
    trained = run.learning_rate.values
    # logged after each reduction: every row has the rate of the next epoch
    logged = Series.from_optional([*trained[1:].tolist(), 0.0], dtype=np.float32)
    as_events = replace(
        run, learning_rate=logged, other_learning_rate=run.learning_rate
    )
    history = explain_rate(as_events, monitor="val_loss", semantics=SEMANTICS)
    assert (history.explained_by, history.is_other_reading) == (setting, True)


def test_a_drop_is_not_explained_by_more_parameters_than_it_can_test() -> None:
    # one drop after an epoch that only a large min_delta calls a plateau
    values = [1.0, 0.9995, 0.999, 0.9985, 0.998, 0.9975]
    rates = [0.01, 0.01, 0.01, 0.001, 0.001, 0.001]
    rows = [
        {"val_loss": v, "learning_rate": r} for v, r in zip(values, rates, strict=True)
    ]
    history = explain_rate(Run.from_logs(rows), monitor="val_loss", semantics=SEMANTICS)
    assert (len(history.reductions), history.explained_by) == (1, None)


def test_a_rate_that_was_rounded_by_hand_was_not_reduced_by_keras() -> None:
    # Keras makes 0.00010000000474974513 of 0.001 and 0.1
    rates = [0.001, 0.001, 0.001, 0.0001, 0.0001]
    run = Run.from_logs([{"val_loss": 0.5, "learning_rate": rate} for rate in rates])
    history = explain_rate(run, monitor="val_loss", semantics=SEMANTICS)
    assert (len(history.reductions), history.explained_by) == (1, None)


def test_the_suggested_patience_is_not_0_where_1_is_the_same() -> None:
    staircase = build_staircase(losses(1, 2, 3, 4), semantics=SEMANTICS)
    assert staircase.sufficient_patience() == 1
    assert build_staircase(losses(1), semantics=SEMANTICS).sufficient_patience() is None


@pytest.mark.parametrize(
    ("digits", "setting"),
    [
        (2, ReduceLROnPlateau(factor=0.2, patience=2, min_lr=1e-6)),
        (3, ReduceLROnPlateau(factor=0.5, patience=3)),
        (3, ReduceLROnPlateau(factor=0.9, patience=1)),
    ],
)
def test_rates_that_were_rounded_when_the_log_was_saved_again_are_explained(
    digits: int, setting: ReduceLROnPlateau, tmp_path: Path
) -> None:
    losses = [0.7, 0.69, *[0.686 + 0.0001 * (i % 3) for i in range(20)]]
    rates = reduced_by(setting, losses, 0.001).learning_rate
    assert rates is not None
    rows = [
        f"{epoch},{float(f'{rate:.{digits}g}')},{loss}\n"
        for epoch, (rate, loss) in enumerate(zip(rates.values, losses, strict=True))
    ]
    log = tmp_path / "logs.csv"
    log.write_text("epoch,learning_rate,val_loss\n" + "".join(rows))
    (run,) = load_runs(log)
    history = explain_rate(run, monitor="val_loss", semantics=SEMANTICS)
    assert (history.explained_by, history.is_rounded) == (setting, True)
