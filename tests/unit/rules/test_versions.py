"""Where the versions part: the smallest training that tells each difference.

tests/differential drives the real classes of every version on the same ones
(`version_cases`), and on random ones.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from cbreplay import EarlyStopping, ReduceLROnPlateau, Replay, Run, replay_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.rules.base import Callback

KERAS_2 = ["keras-2.15", "tf_keras-2.16", "tf_keras-2.18"]
OLD_PLATEAU = [*KERAS_2, "keras-3.0", "keras-3.7"]
EVERY = [*OLD_PLATEAU, "keras-3.11"]


def replayed(
    values: Sequence[float],
    callbacks: Callback | list[Callback],
    semantics: str,
    *,
    rate: float = 0.5,
) -> Replay:
    rows = [{"loss": value, "learning_rate": rate} for value in values]
    run = Run.from_logs(rows, planned_epochs=len(rows))
    return replay_run(run, callbacks, semantics=semantics, hypothetical=True)


def reduced(
    values: Sequence[float], callback: ReduceLROnPlateau, semantics: str
) -> list[int]:
    replay = replayed(values, callback, semantics)
    fiction = replay.hypothetical or replay
    return [one.epoch for one in fiction.reductions]


@pytest.mark.parametrize("semantics", EVERY)
def test_a_first_nan_is_best_for_good_where_best_starts_empty(semantics: str) -> None:
    callback = EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)
    replay = replayed([math.nan, 1, 0.5, 0.4], callback, semantics)
    if semantics in ("keras-3.7", "keras-3.11"):
        assert (replay.stopped_epoch, replay.kept_epoch) == (2, 0)
    else:
        assert (replay.stopped_epoch, replay.kept_epoch) == (None, 3)


@pytest.mark.parametrize("semantics", EVERY)
def test_a_step_below_float32_improves_only_in_float64(semantics: str) -> None:
    values = [1, 1 - 1e-9]
    stopping = EarlyStopping(monitor="loss", patience=1)
    in_float64 = semantics in KERAS_2
    assert replayed(values, stopping, semantics).stopped_epoch == (
        None if in_float64 else 1
    )
    plateau = ReduceLROnPlateau(monitor="loss", patience=1, min_delta=0)
    assert reduced(values, plateau, semantics) == (
        [] if semantics in OLD_PLATEAU else [1]
    )


@pytest.mark.parametrize("semantics", EVERY)
def test_a_negative_min_delta_is_absolute_from_3_11_on(semantics: str) -> None:
    plateau = ReduceLROnPlateau(monitor="loss", patience=1, min_delta=-0.1)
    assert reduced([1, 1.05, 1.1, 1.12], plateau, semantics) == (
        [] if semantics in OLD_PLATEAU else [1, 2, 3]
    )


@pytest.mark.parametrize("semantics", EVERY)
def test_min_delta_stands_on_the_side_of_best_before_3_11(semantics: str) -> None:
    # .3 + .1 < .4 is false; .3 < .4 - .1 is true in float64: .30000000000000004
    plateau = ReduceLROnPlateau(monitor="loss", patience=1, min_delta=0.1)
    assert reduced([0.4, 0.3], plateau, semantics) == (
        [] if semantics in OLD_PLATEAU else [1]
    )
    stopping = EarlyStopping(monitor="loss", patience=1, min_delta=0.1)
    assert replayed([0.4, 0.3], stopping, semantics).stopped_epoch == 1


@pytest.mark.parametrize(
    ("semantics", "rate"),
    [
        ("keras-2.15", 0.0008999999845400453),
        ("tf_keras-2.17", 0.0008999999845400453),
        ("tf_keras-2.18", 0.0009000000427477062),
        ("tf_keras-2.18+numpy1", 0.0008999999845400453),
        ("keras-3.0", 0.0008999999845400453),
        ("keras-3.15", 0.0008999999845400453),
    ],
)
def test_two_reductions_of_a_hundredth_by_three_tenths(
    semantics: str, rate: float
) -> None:
    plateau = ReduceLROnPlateau(monitor="loss", patience=1, factor=0.3)
    replay = replayed([1, 1, 1], plateau, semantics, rate=0.01)
    assert replay.hypothetical is not None
    assert replay.hypothetical.reductions[-1].new == rate


@pytest.mark.parametrize("semantics", EVERY)
def test_without_a_stop_only_keras_2_15_keeps_the_last_weights(semantics: str) -> None:
    callback = EarlyStopping(monitor="loss", patience=9, restore_best_weights=True)
    replay = replayed([1, 2, 3], callback, semantics)
    assert replay.kept_epoch == (2 if semantics == "keras-2.15" else 0)


@pytest.mark.parametrize("semantics", ["keras-2.15", "tf_keras-2.16"])
def test_keras_2_15_restores_before_the_next_callback_looks(semantics: str) -> None:
    first = EarlyStopping(monitor="loss", patience=1, restore_best_weights=True)
    # it first looks in the epoch of the stop, sees no improvement, and takes what it
    # finds: on 2.15 the weights that the first has just put back
    second = EarlyStopping(
        monitor="loss", start_from_epoch=1, restore_best_weights=True
    )
    replay = replayed([1, math.inf], [first, second], semantics)
    assert replay.stopped_by == (0, 1)
    assert replay.kept_epoch == (0 if semantics == "keras-2.15" else 1)


@pytest.mark.parametrize("semantics", ["keras-2.15", "tf_keras-2.16"])
def test_best_epoch_of_weights_that_never_improved(semantics: str) -> None:
    callback = EarlyStopping(
        monitor="loss", patience=5, start_from_epoch=1, restore_best_weights=True
    )
    replay = replayed([1, math.nan, math.nan], callback, semantics)
    # Keras 2.15 leaves its attribute at 0, which names no weights that it holds
    assert replay.best_epoch == (None if semantics == "keras-2.15" else 1)


@pytest.mark.parametrize("semantics", EVERY)
def test_a_value_beyond_float32_is_compared_in_float64(semantics: str) -> None:
    plateau = ReduceLROnPlateau(monitor="loss", patience=1, mode="max")
    if semantics in OLD_PLATEAU:
        assert reduced([1e39, 2e39], plateau, semantics) == []
    else:
        with pytest.raises(ValueError, match="does not fit into float32"):
            reduced([1e39, 2e39], plateau, semantics)


def test_a_factor_beyond_float32_leads_to_min_lr() -> None:
    plateau = ReduceLROnPlateau(monitor="loss", patience=1, factor=-1e39, min_lr=0.001)
    for semantics in EVERY:
        replay = replayed([1, 1], plateau, semantics)
        (reduction,) = replay.reductions
        assert reduction.new == pytest.approx(0.001)
