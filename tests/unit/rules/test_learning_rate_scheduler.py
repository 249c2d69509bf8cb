"""LearningRateScheduler: the rate of each epoch, divergence, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cbreplay import (
    ConfigError,
    EvidenceError,
    LearningRateScheduler,
    ModelCheckpoint,
    Replay,
    Run,
    explain_replay,
    parse_callbacks,
    replay_run,
)
from cbreplay.rules.base import format_callback


def replayed(rates: list[float], *callbacks: Any, **options: Any) -> Replay:
    rows = [{"val_loss": 0.5, "learning_rate": one} for one in rates]
    return replay_run(Run.from_logs(rows), callbacks, semantics="keras-3.15", **options)


def test_a_table_holds_from_its_epochs_on() -> None:
    # float32 has 0.5, 0.25 and 0.125 exactly
    table = LearningRateScheduler({3: 0.125, 1: 0.25})
    replay = replayed([0.5, 0.25, 0.25, 0.125], table)
    assert (replay.evidence, replay.divergence_epoch) == ("censored", None)
    assert replay.reductions == ()
    assert replay.learning_rate is not None
    assert replay.learning_rate.values.tolist() == [0.5, 0.25, 0.25, 0.125]


def test_the_epoch_that_begins_at_another_rate_is_the_divergence() -> None:
    replay = replayed([0.5] * 4, LearningRateScheduler({2: 0.25}), hypothetical=True)
    # unlike a reduction, it acts in the epoch itself
    assert (replay.evidence, replay.divergence_epoch) == ("diverged", 2)
    assert replay.outcome.trained_epochs == 3
    assert {one.epoch for one in replay.trace} == {0, 1}
    assert replay.hypothetical is not None
    assert replay.hypothetical.learning_rate is not None
    assert replay.hypothetical.learning_rate.values.tolist() == [0.5, 0.5, 0.25, 0.25]
    explanation = explain_replay(replay)
    assert explanation.closing[0] == (
        "epoch 3 begins at another learning rate than the recorded one: from there on "
        "the log says nothing"
    )
    assert [row.decision for row in explanation.rows] == [
        "wait",
        "wait",
        "schedule",
        "wait",
    ]


def test_a_function_gets_the_float32_rate_and_is_rounded_to_float32() -> None:
    SEEN.clear()

    def tenth(epoch: int, rate: float) -> float:
        SEEN.append(rate)
        return 0.1 if epoch else rate

    replayed([0.01, 0.1, 0.1], LearningRateScheduler(tenth))
    assert [float(np.float32(one)) for one in (0.01, 0.01, 0.1)] == SEEN


SEEN: list[float] = []


def test_a_schedule_that_keeps_count_or_raises_is_refused() -> None:
    class Counting:
        calls = 0

        def __call__(self, _: int, rate: float) -> float:
            self.calls += 1
            return rate / self.calls

    with pytest.raises(EvidenceError, match="changes what it keeps from call to call"):
        replayed([0.5, 0.5], LearningRateScheduler(Counting()))
    counted = {"calls": 0}

    def counting(_: int, rate: float) -> float:
        counted["calls"] += 1
        return rate

    with pytest.raises(EvidenceError, match="changes what it keeps"):
        replayed([0.5, 0.5], LearningRateScheduler(counting))
    with pytest.raises(ConfigError, match=r"raises ZeroDivisionError.* in epoch 1"):
        replayed([0.5, 0.5], LearningRateScheduler(lambda epoch: 1 / epoch))


@pytest.mark.parametrize("schedule", [{1: 1e39}, lambda epoch: 0.5 + 1e39 * epoch])
def test_a_rate_beyond_float32_is_infinite_as_in_the_optimizers_variable(
    schedule: Any,
) -> None:
    replay = replayed([0.5, math.inf], LearningRateScheduler(schedule))
    assert replay.divergence_epoch is None
    assert replay.learning_rate is not None
    assert replay.learning_rate.values.tolist() == [0.5, math.inf]


def test_a_schedule_of_the_epoch_alone_works() -> None:
    schedule = LearningRateScheduler(lambda epoch: 0.5 / (1 + epoch))
    assert replayed([0.5, 0.25], schedule).divergence_epoch is None


@pytest.mark.parametrize("result", [1, True, None, np.int64(1)])
def test_a_rate_that_is_no_float_is_refused_as_by_keras(result: Any) -> None:
    with pytest.raises(ConfigError, match="where Keras wants a float"):
        replayed([0.5], LearningRateScheduler(lambda *_: result))


def test_the_rate_before_the_first_epoch_has_to_be_known() -> None:
    run = Run.from_logs([{"val_loss": 0.5}] * 3)
    table = LearningRateScheduler({0: 0.5, 2: 0.25})
    with pytest.raises(EvidenceError, match="initial_learning_rate="):
        replay_run(run, table, semantics="keras-3.15")
    replay = replay_run(run, table, semantics="keras-3.15", initial_learning_rate=0.5)
    assert replay.divergence_epoch == 2


@pytest.mark.parametrize("name", ["keras-2.15", "keras-3.15"])
def test_it_writes_the_rate_into_the_logs(name: str) -> None:
    key = "lr" if name == "keras-2.15" else "learning_rate"
    rows = [{"val_loss": 0.5, "learning_rate": 0.25}]
    saving = ModelCheckpoint(f"{{{key}:.2f}}.keras")
    listed: list[Any] = [LearningRateScheduler({0: 0.25}), saving]
    replay = replay_run(Run.from_logs(rows), listed, semantics=name)
    assert list(replay.files) == ["0.25.keras"]
    with pytest.raises(ConfigError, match="is not logged"):
        replay_run(Run.from_logs(rows), [saving, listed[0]], semantics=name)


@pytest.mark.parametrize("table", [{}, {-1: 0.1}, {0.5: 0.1}, {0: -1.0}, {0: "a"}, 3])
def test_what_is_no_table_is_refused(table: Any) -> None:
    with pytest.raises(ConfigError, match="Write a table"):
        LearningRateScheduler(table)


def test_a_table_is_text_and_back() -> None:
    (read,) = parse_callbacks("LearningRateScheduler({80: 1e-4, 0: 1})")
    assert read == LearningRateScheduler({0: 1.0, 80: 0.0001})
    text = "LearningRateScheduler(schedule={0: 1.0, 80: 0.0001})"
    assert format_callback(read) == text


@pytest.mark.keras
def test_keras_is_given_a_function_that_is_recorded_as_the_table() -> None:
    from cbreplay.record.keras_callbacks import describe_callback, make_keras_callback

    ours = LearningRateScheduler({1: 0.25})
    theirs = make_keras_callback(ours)
    assert [theirs.schedule(epoch, 0.5) for epoch in (0, 1, 2)] == [0.5, 0.25, 0.25]
    assert parse_callbacks(describe_callback(theirs)) == [ours]


def test_it_is_explained_at_the_beginning_of_the_epoch() -> None:
    explanation = explain_replay(
        replayed([0.5, 0.25], LearningRateScheduler({1: 0.25}))
    )
    assert [row.why for row in explanation.rows] == [
        "begins at the learning rate 0.5, as before",
        "begins at the learning rate 0.25, which was 0.5",
    ]
    told = "changed the learning rate once, last at the beginning of epoch 2, to 0.25"
    assert f"LearningRateScheduler {told}" in explanation.closing


def test_a_schedule_of_the_rate_it_finds_starts_from_the_rate_before() -> None:
    # trained at .5 x .9, .45 x .9, ...; the log cannot tell the .5
    scheduler = LearningRateScheduler(lambda _, rate: rate * 0.9)
    rates, rate = [], 0.5
    for _ in range(3):
        rate = float(np.float32(rate * 0.9))
        rates.append(rate)
    run = Run.from_logs({"val_loss": 1.0, "learning_rate": one} for one in rates)
    replay = replay_run(run, scheduler)
    assert replay.divergence_epoch == 0
    assert any("needs the one before, by --initial-lr" in one for one in replay.notes)
    replay = replay_run(run, scheduler, initial_learning_rate=0.5)
    assert replay.divergence_epoch is None
    assert replay.learning_rate is not None
    assert replay.learning_rate.values.tolist() == rates
