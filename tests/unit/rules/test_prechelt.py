"""Prechelt's rules by hand: what each measures, when it stops, what it refuses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    EvidenceError,
    PrecheltGL,
    PrecheltPQ,
    PrecheltUP,
    Replay,
    Run,
    UnknownMonitorError,
    choices,
    explain_replay,
    lint_callbacks,
    make_grid,
    parse_callbacks,
    replay_fits,
    replay_run,
    sweep_runs,
)
from cbreplay.rules.prechelt.pq import training_progress
from cbreplay.rules.prechelt.state import generalization_loss

if TYPE_CHECKING:
    from collections.abc import Sequence

NAN, INF = math.nan, math.inf


def make_run(
    validation: Sequence[float | None],
    training: Sequence[float | None] | None = None,
    **options: Any,
) -> Run:
    losses = training or [1.0] * len(validation)
    rows = [{"loss": a, "val_loss": b} for a, b in zip(losses, validation, strict=True)]
    return Run.from_logs(rows, **options)


def replayed(
    validation: Sequence[float | None],
    rule: Any,
    training: Sequence[float | None] | None = None,
    **options: Any,
) -> Replay:
    run = make_run(validation, training, **options)
    return replay_run(run, rule, semantics="keras-3.15")


def stops(
    validation: Sequence[float | None],
    rule: Any,
    training: Sequence[float | None] | None = None,
) -> int | None:
    return replayed(validation, rule, training).stopped_epoch


# --- GL: 100 (E_va / E_opt - 1)


# E_opt is .5 at epoch 1; .55 is 10 % above it, .625 is 25 %
GL_CURVE = [0.8, 0.5, 0.55, 0.5, 0.625, 0.4]


@pytest.mark.parametrize(
    ("alpha", "stopped"), [(0, 2), (9, 2), (11, 4), (24.9, 4), (25, None), (100, None)]
)
def test_gl_stops_above_its_threshold_and_not_at_it(
    alpha: float, stopped: int | None
) -> None:
    # .625 / .5 - 1 is exactly .25
    assert stops(GL_CURVE, PrecheltGL(alpha)) == stopped


def test_gl_is_measured_against_the_best_so_far_and_not_the_best_of_all() -> None:
    # .5 is 25 % above the .4 that comes later
    assert stops([0.5, 0.5, 0.4], PrecheltGL(1)) is None


def test_the_weights_of_the_best_error_are_kept_unless_told_otherwise() -> None:
    best = replayed(GL_CURVE, PrecheltGL(11))
    assert (best.kept_epoch, best.outcome.kept_value) == (1, 0.5)
    assert best.outcome.regret == pytest.approx(0.1)
    last = replayed(GL_CURVE, PrecheltGL(11, restore_best_weights=False))
    assert (last.kept_epoch, last.outcome.kept_value) == (4, 0.625)


def test_they_are_kept_as_well_when_nothing_stops() -> None:
    replay = replayed([0.5, 0.51], PrecheltGL(50), planned_epochs=2)
    assert (replay.evidence, replay.stopped_epoch) == ("exact", None)
    assert replay.kept_epoch == 0


def test_an_epoch_without_the_monitor_is_skipped() -> None:
    assert stops([0.5, None, 0.6], PrecheltGL(10)) == 2


@pytest.mark.parametrize(
    ("values", "stopped"),
    [
        # NaN is never the best, and never above anything
        ([NAN, 0.5, NAN, 0.6], 3),
        ([0.5, NAN, NAN], None),
        # an infinite error is infinitely above, but not above an infinite best
        ([0.5, INF], 1),
        ([INF, INF], None),
        ([INF, 0.5, 0.6], 2),
    ],
)
def test_what_is_no_number_neither_stops_nor_counts_as_best(
    values: list[float], stopped: int | None
) -> None:
    assert stops(values, PrecheltGL(10)) == stopped


@pytest.mark.parametrize("rule", [PrecheltGL(5), PrecheltPQ(1)])
@pytest.mark.parametrize("error", [0.0, -0.25])
def test_a_ratio_with_an_error_that_is_not_positive_is_refused(
    rule: Any, error: float
) -> None:
    with pytest.raises(EvidenceError, match=r"val_loss is .* in epoch 2.*PrecheltUP"):
        replayed([0.5, error, 0.5], rule)


def test_it_is_not_refused_where_training_ends_before() -> None:
    assert stops([0.5, 0.6, 0.0], PrecheltGL(5)) == 1


def test_a_training_error_that_is_not_positive_is_refused_too() -> None:
    with pytest.raises(EvidenceError, match=r"PrecheltPQ: loss is 0\.0 in epoch 2"):
        replayed([0.5, 0.5], PrecheltPQ(1), [0.5, 0.0])


# --- PQ: GL / P_k at the end of a strip


def test_progress_is_the_mean_above_the_least_in_per_mille() -> None:
    # mean of 5, 4, 3, 2, 2 is 3.2: 1000 (16 / (5 * 2) - 1) = 600
    assert training_progress((5.0, 4.0, 3.0, 2.0, 2.0)) == 600
    assert generalization_loss(1.5, 1.0) == 50


# P_5 is 600 in both strips; GL is 0 at epoch 4, and 50 % at epoch 9
PQ_VALIDATION = [1.5, 1.25, 1.25, 1.5, 1.0, 3.0, 1.0, 1.0, 1.0, 1.5]
PQ_TRAINING = [5.0, 4.0, 3.0, 2.0, 2.0, 10.0, 8.0, 6.0, 4.0, 4.0]


@pytest.mark.parametrize(
    # 50 / 600 is .0833
    ("alpha", "stopped"),
    [(0, 9), (0.083, 9), (0.084, None)],
)
def test_pq_stops_at_the_end_of_a_strip_above_its_threshold(
    alpha: float, stopped: int | None
) -> None:
    # GL is 20 at epoch 3 and 200 at epoch 5, where no strip ends
    assert stops(PQ_VALIDATION, PrecheltPQ(alpha), PQ_TRAINING) == stopped


def test_without_progress_any_loss_of_generalization_stops() -> None:
    flat = [0.7] * 5
    assert stops([0.5, 0.5, 0.5, 0.5, 0.500001], PrecheltPQ(1e9), flat) == 4
    assert stops([0.5, 0.5, 0.5, 0.5, 0.5], PrecheltPQ(0), flat) is None


@pytest.mark.parametrize("broken", [NAN, INF])
def test_a_training_error_that_is_no_number_stops_nothing(broken: float) -> None:
    # the progress is NaN or infinite, the quotient NaN or 0
    for position in range(5):
        training = [1.0] * 5
        training[position] = broken
        assert stops([0.5, 0.9, 0.9, 0.9, 0.9], PrecheltPQ(0), training) is None


def test_an_epoch_that_lacks_one_series_belongs_to_no_strip() -> None:
    validation = [0.5, None, 0.5, 0.5, 0.6]
    assert stops(validation, PrecheltPQ(1, strip_length=3)) is None
    assert stops([*validation, 0.6, 0.6], PrecheltPQ(1, strip_length=3)) == 6
    assert stops(
        [0.5, 0.5, 0.5, 0.6], PrecheltPQ(1, strip_length=3), [1.0, None, 1.0, 1.0]
    ) == (3)


def test_strips_are_counted_from_the_first_epoch_of_the_fit() -> None:
    rule = PrecheltPQ(1, strip_length=2)
    assert replayed([0.5, 0.6, 0.7], rule, first_epoch=3).stopped_epoch == 4


def test_another_training_monitor_is_read() -> None:
    rows = [{"mae": 1.0, "val_loss": 0.5}, {"mae": 1.0, "val_loss": 0.6}]
    rule = PrecheltPQ(1, training_monitor="mae", strip_length=2)
    assert replay_run(Run.from_logs(rows), rule).stopped_epoch == 1


def test_an_unknown_training_monitor_is_named() -> None:
    with pytest.raises(
        UnknownMonitorError, match=r"no series 'los'.*with training_monitor=\."
    ):
        replayed([0.5, 0.5], PrecheltPQ(1, training_monitor="los"))


# --- UP: rises in a row, from strip end to strip end


# strip ends of 2: .5, .6, .7, .6, .7, .8
UP_CURVE = [0.9, 0.5, 0.9, 0.6, 0.9, 0.7, 0.9, 0.6, 0.9, 0.7, 0.9, 0.8]


@pytest.mark.parametrize(("strips", "stopped"), [(1, 3), (2, 5), (3, None)])
def test_up_counts_rises_in_a_row_at_strip_ends(
    strips: int, stopped: int | None
) -> None:
    assert stops(UP_CURVE, PrecheltUP(strips, strip_length=2)) == stopped


def test_an_equal_error_is_no_rise() -> None:
    curve = [0.5, 0.6, 0.6, 0.7]
    assert stops(curve, PrecheltUP(2, strip_length=1)) is None
    assert stops([*curve, 0.8], PrecheltUP(2, strip_length=1)) == 4


def test_nan_at_a_strip_end_is_no_rise_and_nor_is_what_follows() -> None:
    rule = PrecheltUP(2, strip_length=1)
    assert stops([0.5, 0.6, NAN, 0.7, 0.8], rule) is None
    assert stops([0.5, 0.6, NAN, 0.7, 0.8, 0.9], rule) == 5


def test_up_takes_no_ratio_so_any_value_will_do() -> None:
    assert stops([-0.5, -0.4, -0.3], PrecheltUP(2, strip_length=1)) == 2
    assert stops([0.0, 0.1, 0.2], PrecheltUP(2, strip_length=1)) == 2


def test_up_follows_a_measure_that_should_be_large_down() -> None:
    rows = [{"val_accuracy": one} for one in (0.5, 0.8, 0.7, 0.6, 0.9)]
    rule = PrecheltUP(2, "val_accuracy", strip_length=1)
    replay = replay_run(Run.from_logs(rows), rule)
    assert (replay.stopped_epoch, replay.kept_epoch) == (3, 1)
    assert replay.objective_mode == "max"


# --- what is refused, read, explained, swept


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: PrecheltGL(-1), "alpha is -1, where a finite number from 0 on"),
        (lambda: PrecheltGL(INF), "alpha is inf"),
        (lambda: PrecheltGL("2"), "alpha is '2', where a number"),  # type: ignore[arg-type]
        (lambda: PrecheltGL(2, mode="max"), "mode is 'max', and its ratio"),
        (lambda: PrecheltPQ(1, mode="least"), "'auto', 'min' or 'max'"),
        (lambda: PrecheltPQ(1, strip_length=0), "strip_length is 0, where a whole"),
        (lambda: PrecheltUP(0), "strips is 0, where a whole number from 1 on"),
        (lambda: PrecheltUP(2.0), "strips is 2.0"),  # type: ignore[arg-type]
        (lambda: PrecheltUP(True), "strips is True"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(make: Any, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        make()


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        (PrecheltGL(1, "val_accuracy"), "'val_accuracy' should be large, and its"),
        (PrecheltPQ(1, "val_auc"), "'val_auc' should be large, and its"),
        (PrecheltGL(1, "val_score"), "nothing tells whether 'val_score'"),
        (PrecheltUP(1, "val_score"), "nothing tells whether 'val_score'"),
    ],
)
def test_a_direction_that_is_wrong_or_unknown_is_refused(
    rule: Any, complaint: str
) -> None:
    names = ("loss", "val_accuracy", "val_auc", "val_score")
    run = Run.from_logs([dict.fromkeys(names, 0.5)] * 2)
    with pytest.raises(ConfigError, match=complaint):
        replay_run(run, rule)


def test_the_rules_read_as_expressions_and_write_as_them() -> None:
    texts = [
        "PrecheltGL(alpha=2)",
        "PrecheltPQ(alpha=0.5, training_monitor='mae')",
        "PrecheltUP(strips=3, restore_best_weights=False)",
    ]
    rules: list[Any] = [
        PrecheltGL(2),
        PrecheltPQ(0.5, training_monitor="mae"),
        PrecheltUP(3, restore_best_weights=False),
    ]
    from cbreplay.rules.base import format_callback

    assert parse_callbacks(*texts) == rules
    assert [format_callback(one) for one in rules] == texts


def test_a_grid_holds_every_threshold() -> None:
    grid = make_grid([choices(PrecheltGL, alpha=[1, 2, 3, 5])])
    assert grid.parameters == {"PrecheltGL.alpha": [1, 2, 3, 5]}
    assert [stops(GL_CURVE, config) for config in grid] == [2, 2, 2, 2]


@pytest.mark.parametrize(
    "tried",
    [
        choices(PrecheltGL, alpha=[0, 5, 24, 30]),
        choices(PrecheltPQ, alpha=[0.1, 10.0], strip_length=[1, 2]),
        choices(PrecheltUP, strips=[1, 2], strip_length=[1, 2]),
    ],
    ids=lambda one: one.kind.__name__,
)
def test_a_sweep_decides_every_setting_as_its_replay(tried: Any) -> None:
    runs = [make_run(GL_CURVE), make_run(UP_CURVE), make_run(PQ_VALIDATION)]
    grid = make_grid([tried, choices(EarlyStopping, patience=[1, 4])])
    sweep = sweep_runs(runs, grid, semantics="keras-3.15")
    for i, run in enumerate(runs):
        for j, config in enumerate(grid):
            replay = replay_run(run, config, semantics="keras-3.15")
            assert sweep.stopped[i, j] == (replay.stopped_epoch is not None)
            if sweep.stopped[i, j]:
                assert sweep.stopped_epoch[i, j] == replay.stopped_epoch
            assert sweep.kept_epoch[i, j] == replay.kept_epoch


def test_they_stand_in_a_list_beside_the_others() -> None:
    replay = replayed(GL_CURVE, [EarlyStopping(patience=2), PrecheltGL(24)])
    assert (replay.stopped_epoch, replay.stopped_by) == (3, (0,))
    # EarlyStopping restores nothing, the rule does
    assert replay.kept_epoch == 1


def test_another_fit_begins_anew() -> None:
    runs = [make_run([0.5, 0.5]), make_run([0.9, 0.9])]
    replays = replay_fits(runs, [PrecheltGL(1)], semantics="keras-3.15")
    assert [one.stopped_epoch for one in replays] == [None, None]


def sentences(replay: Replay) -> list[str]:
    return [row.why for row in explain_replay(replay).rows]


def test_gl_is_explained_in_percent() -> None:
    replay = replayed([0.5, None, NAN, 0.625], PrecheltGL(10))
    assert sentences(replay) == [
        "val_loss 0.5000 is the best so far: GL 0 is not above alpha 10",
        "no val_loss in this epoch: skipped",
        "val_loss NaN, the best 0.5000 of epoch 1; GL is not a number: goes on",
        "val_loss 0.6250, the best 0.5000 of epoch 1: GL 25.0 is above alpha 10: stop",
    ]
    assert explain_replay(replay).closing == (
        "stopped at the end of epoch 4 by PrecheltGL: GL 25.0 is above alpha 10",
        (
            "keeps the weights of epoch 1: restore_best_weights=True, and its "
            "val_loss, 0.5000, is the best seen"
        ),
    )


def test_a_measure_is_written_with_the_digits_that_show_its_side() -> None:
    # 25.00001 above 25, which three digits would write as 25.0
    (_, last) = sentences(replayed([0.5, 0.62500005], PrecheltGL(25)))
    assert "GL 25.00001 is above alpha 25" in last


def test_pq_is_explained_at_strip_ends() -> None:
    rule = PrecheltPQ(0.1, strip_length=2)
    replay = replayed([0.5, 0.5, 0.5, 0.55], rule, [2.0, None, 1.0, 1.0])
    assert sentences(replay) == [
        "val_loss 0.5000 is the best so far; epoch 1 of 2 of its strip",
        "no loss in this epoch: skipped",
        # GL is 0
        (
            "val_loss 0.5000, the best 0.5000 of epoch 1; end of a strip: GL / P_2 0 "
            "is not above alpha 0.1"
        ),
        "val_loss 0.5500, the best 0.5000 of epoch 1; epoch 1 of 2 of its strip",
    ]
    assert explain_replay(replay).closing[1] == (
        "PrecheltPQ did not stop: GL / P_2 was at most 0, at epoch 3, and alpha is 0.1"
    )


def test_up_is_explained_by_its_rises() -> None:
    replay = replayed([0.5, 0.6, 0.7], PrecheltUP(2, strip_length=1))
    told = explain_replay(replay)
    assert told.rows[1].why == (
        "val_loss 0.6000, the best 0.5000 of epoch 1; end of a strip: 1 rise in a "
        "row, of 2"
    )
    assert told.closing[0] == (
        "stopped at the end of epoch 3 by PrecheltUP: 2 rises in a row, of 2"
    )
    (first, second, *_) = explain_replay(replayed([0.5, 0.4], PrecheltUP(2))).closing
    assert first.startswith("not stopped in the log")
    assert second == (
        "PrecheltUP measured nothing that could stop: no strip of 5 epochs ended with "
        "a number"
    )


def test_weights_that_are_not_restored_are_explained() -> None:
    rule = PrecheltGL(10, restore_best_weights=False)
    closing = explain_replay(replayed([0.5, 0.625], rule)).closing
    assert closing[1] == (
        "keeps the weights of epoch 2, the last one trained: restore_best_weights is "
        "False; the best val_loss, 0.5000, was at epoch 1"
    )


@pytest.mark.parametrize(
    ("rule", "options", "codes"),
    [
        (PrecheltGL(2), {"epochs": 100}, []),
        (PrecheltPQ(2), {"epochs": 5}, []),
        (PrecheltPQ(2), {"epochs": 4}, ["strips-beyond-plan"]),
        # the end of the third strip
        (PrecheltUP(2), {"epochs": 15}, []),
        (PrecheltUP(2), {"epochs": 14}, ["strips-beyond-plan"]),
        (PrecheltPQ(2, strip_length=1), {}, ["strip-of-one"]),
        (PrecheltUP(2), {"validation_freq": 3}, ["strip-in-validations"]),
        (PrecheltGL(2, "val_accuracy"), {}, ["ratio-of-no-error"]),
        (PrecheltGL(2, "val_accuracy", "min"), {}, ["mode-against-metric"]),
        (PrecheltUP(2, "val_accuracy"), {}, []),
    ],
)
def test_lint_finds_what_cannot_act(
    rule: Any, options: dict[str, int], codes: list[str]
) -> None:
    found = lint_callbacks(rule, **options)  # type: ignore[arg-type]
    assert [one.code for one in found] == codes


@pytest.mark.parametrize("epochs", [14, 15])
def test_the_earliest_stop_of_up_is_where_lint_says(epochs: int) -> None:
    rising = [0.5 + at / 100 for at in range(epochs)]
    stopped = stops(rising, PrecheltUP(2))
    assert stopped == (14 if epochs == 15 else None)
    assert bool(lint_callbacks(PrecheltUP(2), epochs=epochs)) == (stopped is None)
