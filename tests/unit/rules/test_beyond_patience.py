"""A smoothed monitor and a target by hand, and by the benchmark's plain arithmetic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from benchmarks.advice.other_stops import smooth_exponentially, smooth_window
from benchmarks.advice.stopping import stop_when, watch_series
from cbreplay import (
    ConfigError,
    EarlyStopping,
    EmaStopping,
    MeanStopping,
    Replay,
    Run,
    TargetStopping,
    choices,
    explain_replay,
    lint_callbacks,
    make_grid,
    parse_callbacks,
    replay_fits,
    replay_run,
    sweep_runs,
)
from cbreplay.rules.base import format_callback

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.run import FloatArray

NAN, INF = math.nan, math.inf


def make_run(values: Sequence[float | None], **options: Any) -> Run:
    return Run.from_logs(
        [{"loss": 1.0, "val_loss": value} for value in values], **options
    )


def replayed(values: Sequence[float | None], rule: Any, **options: Any) -> Replay:
    return replay_run(make_run(values, **options), rule, semantics="keras-3.15")


def ends(values: Sequence[float | None], rule: Any) -> tuple[int | None, int | None]:
    replay = replayed(values, rule, planned_epochs=len(values))
    return replay.stopped_epoch, replay.kept_epoch


# smoothing .5: 1, .75, .875, .8125, .90625, .703125
EMA = [1.0, 0.5, 1.0, 0.75, 1.0, 0.5]


@pytest.mark.parametrize(
    ("patience", "ended"),
    [
        (1, (2, 1)),  # .875 is not below .75
        (3, (4, 1)),  # nor are .8125 and .90625; .5 was the best value
        (4, (None, 1)),  # .703125 is; an equal value later is no better
    ],
)
def test_the_exponential_mean_stops_and_the_best_value_is_kept(
    patience: int, ended: tuple[int | None, int]
) -> None:
    assert ends(EMA, EmaStopping(patience, smoothing=0.5)) == ended


def test_without_smoothing_it_is_early_stopping() -> None:
    plain = EarlyStopping(patience=2, restore_best_weights=True)
    for rule in (EmaStopping(2, smoothing=0), MeanStopping(2, window=1)):
        assert ends(EMA, rule) == ends(EMA, plain) == (3, 1)


# of two: 4, 3, 1, .5, 1, 2
MEAN = [4.0, 2.0, 0.0, 1.0, 1.0, 3.0]


@pytest.mark.parametrize(("patience", "stopped"), [(1, 4), (2, 5), (3, None)])
def test_the_mean_of_the_last_values_stops(patience: int, stopped: int | None) -> None:
    assert ends(MEAN, MeanStopping(patience, window=2)) == (stopped, 2)


def test_a_mean_has_to_be_better_by_min_delta() -> None:
    # means 1, .9, .8: each better by .1 than the one before, and not by .15
    values = [1.0, 0.8, 0.8, 0.8]
    assert ends(values, MeanStopping(2, window=2, min_delta=0.05))[0] is None
    assert ends(values, MeanStopping(1, window=2, min_delta=0.15))[0] == 1
    # as in Keras its sign does not matter
    assert ends(values, MeanStopping(1, window=2, min_delta=-0.15))[0] == 1


def test_what_is_no_number_is_waited_for_and_is_no_part_of_the_mean() -> None:
    values = [1.0, NAN, INF, 0.5]
    assert ends(values, EmaStopping(2, smoothing=0.5)) == (2, 0)
    # after two waits .75 is better than 1
    assert ends(values, EmaStopping(3, smoothing=0.5)) == (None, 3)
    # nothing was best when it stopped: the last weights stay
    assert ends([NAN, NAN, 1.0], MeanStopping(2)) == (1, 1)


def test_an_epoch_without_the_monitor_is_not_waited_for() -> None:
    assert ends([1.0, None, None, 2.0], EmaStopping(2)) == (None, 0)


def test_what_should_be_large_is_turned_round() -> None:
    rows = [{"val_accuracy": -value, "val_loss": value} for value in EMA]
    run = Run.from_logs(rows, planned_epochs=len(rows))
    for patience in (1, 3, 4):
        rules = [
            EmaStopping(patience, monitor, smoothing=0.5)
            for monitor in ("val_loss", "val_accuracy")
        ]
        small, large = (replay_run(run, rule, semantics="keras-3.15") for rule in rules)
        assert small.stopped_epoch == large.stopped_epoch
        assert small.kept_epoch == large.kept_epoch


@pytest.mark.parametrize(
    ("target", "ended"),
    [
        (0.5, (2, 2)),  # reached by an equal value
        (0.49, (None, 2)),  # the best is put back although nothing stopped
        (2.0, (0, 0)),
    ],
)
def test_a_target_stops_where_it_is_reached(
    target: float, ended: tuple[int | None, int]
) -> None:
    assert ends([1.0, NAN, 0.5, 0.6], TargetStopping(target)) == ended


def test_a_target_for_an_accuracy_is_reached_from_below() -> None:
    run = Run.from_logs([{"val_accuracy": value} for value in (0.5, 0.9, 0.8)])
    replay = replay_run(run, TargetStopping(0.85, "val_accuracy"))
    assert (replay.stopped_epoch, replay.kept_epoch) == (1, 1)


def test_of_a_list_the_first_that_asks_stops() -> None:
    values = [1.0, 0.9, 0.95, 0.96, 0.4]
    patience = EarlyStopping(patience=2, restore_best_weights=True)
    for target, ended in ((0.9, (1, 1)), (0.5, (3, 1))):
        assert ends(values, [patience, TargetStopping(target)]) == ended


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("made", "smooth"),
    [
        (
            lambda patience: EmaStopping(patience, smoothing=0.9),
            lambda losses: smooth_exponentially(losses, 0.9),
        ),
        (
            lambda patience: MeanStopping(patience, window=5),
            lambda losses: smooth_window(losses, 5),
        ),
    ],
    ids=["ema", "mean"],
)
def test_they_stop_where_the_benchmark_does(
    seed: int,
    made: Callable[[int], Any],
    smooth: Callable[[FloatArray], FloatArray],
) -> None:
    rng = np.random.default_rng(seed)
    losses = np.exp(-np.arange(40) / 8) + 0.01 * np.arange(40)
    losses = (losses + rng.normal(0, 0.1, 40))[None]
    watch, patience = watch_series(smooth(losses)), (1, 2, 4, 8)
    asked = [watch.wait >= value for value in patience]
    stops = stop_when(asked, watch_series(losses).best_epoch)
    for place, value in enumerate(patience):
        replay = replayed(losses[0].tolist(), made(value), planned_epochs=40)
        last = 39 if replay.stopped_epoch is None else replay.stopped_epoch
        theirs = (int(stops.last[0, place]), int(stops.kept[0, place]))
        assert (last, replay.kept_epoch) == theirs


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: EmaStopping(0), "patience is 0, where a whole number from 1 on"),
        (lambda: EmaStopping(2.0), "patience is 2.0"),  # type: ignore[arg-type]
        (lambda: EmaStopping(2, smoothing=1), "smoothing is 1, where a share from 0"),
        (lambda: EmaStopping(2, smoothing=-0.1), "smoothing is -0.1"),
        (lambda: EmaStopping(2, min_delta=NAN), "min_delta is nan"),
        (lambda: MeanStopping(2, window=0), "window is 0"),
        (lambda: TargetStopping(NAN), "target is nan, where a number is expected"),
        (lambda: TargetStopping(1, mode="down"), "mode is 'down'"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(make: Any, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        make()


def test_a_direction_that_nothing_tells_is_refused() -> None:
    run = Run.from_logs([{"val_score": 0.5}] * 2)
    for rule in (EmaStopping(1, "val_score"), TargetStopping(1, "val_score")):
        with pytest.raises(ConfigError, match="nothing tells whether 'val_score'"):
            replay_run(run, rule)
        with pytest.raises(ConfigError, match="which the code has to know"):
            rule.to_keras_code()


def test_they_read_as_expressions_and_write_as_them() -> None:
    texts = [
        "EmaStopping(patience=5, smoothing=0.6)",
        "MeanStopping(patience=5, window=3, restore_best_weights=False)",
        "TargetStopping(target=0.9, monitor='val_accuracy')",
    ]
    rules: list[Any] = [
        EmaStopping(5, smoothing=0.6),
        MeanStopping(5, window=3, restore_best_weights=False),
        TargetStopping(0.9, "val_accuracy"),
    ]
    assert parse_callbacks(*texts) == rules
    assert [format_callback(rule) for rule in rules] == texts


def test_a_sweep_decides_every_setting_as_its_replay() -> None:
    runs = [make_run(EMA), make_run(MEAN)]
    for tried in (
        choices(EmaStopping, patience=[1, 2, 3], smoothing=[0.5, 0.9]),
        choices(MeanStopping, patience=[1, 2, 3], window=[2, 5]),
        choices(TargetStopping, target=[0.5, 1.0]),
    ):
        grid = make_grid([tried, choices(EarlyStopping, patience=[1, 4])])
        sweep = sweep_runs(runs, grid, semantics="keras-3.15")
        for i, run in enumerate(runs):
            for j, config in enumerate(grid):
                replay = replay_run(run, config, semantics="keras-3.15")
                assert sweep.stopped[i, j] == (replay.stopped_epoch is not None)
                if sweep.stopped[i, j]:
                    assert sweep.stopped_epoch[i, j] == replay.stopped_epoch
                assert sweep.kept_epoch[i, j] == replay.kept_epoch


def test_another_fit_begins_anew() -> None:
    runs = [make_run([0.5, 0.6]), make_run([0.9, 0.9])]
    replays = replay_fits(runs, [EmaStopping(2)], semantics="keras-3.15")
    assert [replay.stopped_epoch for replay in replays] == [None, None]


def sentences(replay: Replay) -> list[str]:
    return [row.why for row in explain_replay(replay).rows]


def test_a_mean_is_explained_by_its_value_and_its_wait() -> None:
    rule = EmaStopping(2, smoothing=0.5)
    told = explain_replay(replayed([1.0, 0.5, None, 1.0, NAN], rule))
    assert [row.why for row in told.rows] == [
        "the exponential mean of val_loss is 1.000, the best so far",
        "the exponential mean of val_loss is 0.7500, the best so far",
        "no val_loss in this epoch: skipped",
        "the exponential mean of val_loss is 0.8750, the best 0.7500; 1 of 2 waited",
        "val_loss NaN is no part of the mean; 2 of 2 waited: stop",
    ]
    assert [row.decision for row in told.rows] == [
        *("improvement", "improvement", "skip", "wait", "stop"),
    ]
    assert told.closing == (
        (
            "stopped at the end of epoch 5 by EmaStopping: the exponential mean of "
            "val_loss was not better for 2 of 2"
        ),
        (
            "keeps the weights of epoch 2: restore_best_weights=True, and its "
            "val_loss, 0.5000, is the best seen"
        ),
    )
    going = explain_replay(replayed([1.0, 2.0], MeanStopping(5, window=2)))
    assert going.rows[1].why.startswith("the mean of the last 2 val_loss is 1.500, the")
    assert going.closing[1] == "MeanStopping did not stop: it waited at most 1 of 5"


def test_a_target_is_explained_by_the_value_that_reaches_it() -> None:
    assert sentences(replayed([1.0, None, 0.5], TargetStopping(0.6))) == [
        "val_loss 1.000 does not reach the target 0.6",
        "no val_loss in this epoch: skipped",
        "val_loss 0.5000 reaches the target 0.6: stop",
    ]
    closing = explain_replay(replayed([1.0, 0.5], TargetStopping(0.4))).closing
    assert closing[1] == (
        "TargetStopping did not stop: the best val_loss, 0.5000 at epoch 2, does not "
        "reach 0.4"
    )


@pytest.mark.parametrize(
    ("rule", "options", "codes"),
    [
        (EmaStopping(10), {"epochs": 10}, ["patience-beyond-plan"]),
        (EmaStopping(9), {"epochs": 10}, []),
        (
            MeanStopping(5),
            {"epochs": 10, "validation_freq": 2},
            ["patience-beyond-plan"],
        ),
        (TargetStopping(0.5, mode="max"), {}, ["mode-against-metric"]),
    ],
)
def test_what_cannot_act_is_found(
    rule: Any, options: dict[str, Any], codes: list[str]
) -> None:
    assert [found.code for found in lint_callbacks([rule], **options)] == codes
