"""Two lists on one run: where they part, and what may be compared."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay import (
    ConfigError,
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    PrecheltGL,
    ReduceLROnPlateau,
    Replay,
    Run,
    Series,
    compare_replays,
    replay_run,
)
from cbreplay.replay.compare import total_comparisons
from tests.strategies import early_stoppings, plateaus, runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.replay.compare import ReplayComparison

# best .5 at epoch 2, then .49 at epoch 5
LOSSES = [0.8, 0.6, 0.5, 0.5, 0.52, 0.49, 0.5, 0.51]
RATE = 0.01


def stop(patience: int, **options: Any) -> EarlyStopping:
    options.setdefault("restore_best_weights", True)
    return EarlyStopping(patience=patience, **options)


def reduce(patience: int, factor: float = 0.5) -> ReduceLROnPlateau:
    return ReduceLROnPlateau(patience=patience, factor=factor, min_delta=0)


def make_run(*, rate: float | None = RATE, planned: int | None = None) -> Run:
    rows = [{"val_loss": one, "learning_rate": rate} for one in LOSSES]
    return Run.from_logs(rows, planned_epochs=planned)


def replayed(run: Run, callbacks: Any) -> Replay:
    return replay_run(run, callbacks, semantics="keras-3.15", objective="val_loss")


def compared(first: Any, rival: Any, run: Run | None = None) -> ReplayComparison:
    run = run or make_run()
    return compare_replays(replayed(run, first), replayed(run, rival))


@pytest.mark.parametrize(
    ("first", "rival", "epoch", "cause"),
    [
        # waits 1, 2 at epochs 3, 4; the .49 of epoch 5 ends the wait of patience 3
        ([stop(2)], [stop(3)], 4, "stop"),
        ([stop(3)], [stop(4)], None, None),
        # patience 1 stops at 3, where patience 2 goes on
        ([stop(1)], [stop(2)], 3, "stop"),
        # the same stop; one keeps epoch 2, the other epoch 4
        ([stop(2)], [stop(2, restore_best_weights=False)], 4, "kept weights"),
        # reduces at the end of epoch 4, and the other does nothing
        ([reduce(2)], [stop(9)], 4, "reduction"),
        # to other rates
        ([reduce(2)], [reduce(2, 0.1)], 4, "reduction"),
        # at other epochs: 3 and 4
        ([reduce(1)], [reduce(2)], 3, "reduction"),
        # a scheduler acts at the beginning of epoch 6
        ([LearningRateScheduler({6: 0.001})], [stop(9)], 6, "learning rate"),
        # both leave the record at epoch 6, and by what is not in the log
        (
            [LearningRateScheduler({6: 0.001})],
            [LearningRateScheduler({6: 0.002})],
            None,
            None,
        ),
        # saved files change no training
        ([stop(2)], [stop(2), ModelCheckpoint("a.keras", mode="min")], None, None),
        # .52 is 4 % above .5: the same decisions by another rule
        ([stop(2)], [PrecheltGL(3)], None, None),
    ],
)
def test_lists_part_where_they_first_decide_otherwise(
    first: Any, rival: Any, epoch: int | None, cause: str | None
) -> None:
    comparison = compared(first, rival)
    assert (comparison.parting_epoch, comparison.parted_by) == (epoch, cause)


def test_reductions_of_an_unknown_rate_are_told_apart_by_their_factor() -> None:
    run = make_run(rate=None)
    assert compared([reduce(2)], [reduce(2)], run).parting_epoch is None
    comparison = compared([reduce(2)], [reduce(2, 0.1)], run)
    assert (comparison.parting_epoch, comparison.parted_by) == (4, "reduction")


def test_only_what_is_exact_for_both_is_compared() -> None:
    # both exact: .5 against .49, 3 and 0 epochs saved
    comparison = compared([stop(2)], [stop(5)], make_run(planned=8))
    assert comparison.both_exact
    assert (comparison.better, comparison.epochs_gain) == ("rival", -3)
    assert comparison.value_gain == pytest.approx(0.01)
    # patience 5 goes on past the log
    censored = compared([stop(2)], [stop(5)])
    assert not censored.both_exact
    assert (censored.better, censored.value_gain, censored.epochs_gain) == (None,) * 3
    assert censored.parting_epoch == 4
    diverged = compared([stop(2)], [reduce(1)])
    assert (diverged.parting_epoch, diverged.better) == (3, None)
    assert diverged.evident_until == 3


def test_where_large_is_good_the_gain_is_the_other_way_round() -> None:
    run = Run.from_logs([{"val_accuracy": one} for one in (0.5, 0.4, 0.6, 0.5, 0.5)])
    replays = [
        replay_run(run, EarlyStopping("val_accuracy", patience=one), objective=None)
        for one in (1, 2)
    ]
    # they keep the last epoch: .4 at 1, .5 at 4
    comparison = compare_replays(*replays)
    assert comparison.value_gain == pytest.approx(0.1)
    assert comparison.better == "rival"


@pytest.mark.parametrize(
    ("callbacks", "last"),
    [([stop(2)], 4), ([reduce(2)], 4), ([stop(9)], 7)],
)
def test_the_last_evident_epoch_is_the_stop_the_divergence_or_the_horizon(
    callbacks: Any, last: int
) -> None:
    assert replayed(make_run(), callbacks).last_evident_epoch == last


def test_totals_are_of_the_runs_where_both_are_exact() -> None:
    run = make_run(planned=8)
    comparisons = [
        compared([stop(2)], [stop(5)], run),
        compared([stop(2)], [stop(2)], run),
        compared([stop(2)], [reduce(1)], run),
    ]
    totals = total_comparisons(comparisons)
    assert totals._asdict() == {
        "runs": 3,
        "exact_runs": 2,
        "parted_runs": 2,
        "first_better": 0,
        "rival_better": 1,
        "same": 1,
        # 3 epochs are left after epoch 4
        "first_epochs_saved": 6,
        "rival_epochs_saved": 3,
        # .01 on both runs, and 0 and .01
        "first_mean_regret": pytest.approx(0.01),
        "rival_mean_regret": pytest.approx(0.005),
    }


def test_nothing_exact_has_no_mean() -> None:
    totals = total_comparisons([compared([stop(2)], [stop(9)])])
    assert (totals.exact_runs, totals.first_mean_regret) == (0, None)


def test_a_regret_that_is_a_bound_or_infinite_enters_no_mean() -> None:
    """Patience 1 and 2 stop before the value that is lacking; only .01 is known."""
    told = ([*LOSSES[:6], None, 0.4], [math.inf] * 3 + [0.5])
    runs = [make_run(planned=8)]
    for values in told:
        series = {"val_loss": Series.from_optional(values)}
        runs.append(Run(name="", source="", first_epoch=0, series=series))
    pairs = [compared([stop(1)], [stop(2)], run) for run in runs]
    assert [pair.both_exact for pair in pairs] == [True] * 3
    assert pairs[1].first.outcome.bounds == {"regret": "lower"}
    assert pairs[2].first.outcome.regret == math.inf
    totals = total_comparisons(pairs)
    assert totals.first_mean_regret == totals.rival_mean_regret == pytest.approx(0.01)


def test_a_run_that_was_read_twice_is_one_run() -> None:
    rows = [{"val_loss": loss} for loss in [*LOSSES, math.nan]]
    first, rival = (
        replayed(Run.from_logs(rows), stop(patience)) for patience in (2, 3)
    )
    assert compare_replays(first, rival).parted_by == "stop"


def test_replays_of_different_runs_or_objectives_are_refused() -> None:
    first = replayed(make_run(), [stop(2)])
    with pytest.raises(ConfigError, match="of different runs"):
        compare_replays(first, replayed(make_run(rate=0.02), [stop(2)]))
    rows = [{"val_loss": one, "loss": one} for one in LOSSES]
    run = Run.from_logs(rows)
    replays = [replay_run(run, EarlyStopping(one)) for one in ("loss", "val_loss")]
    with pytest.raises(ConfigError, match=r"by loss min.*by val_loss min.*objective="):
        compare_replays(*replays)


lists = st.one_of(
    st.tuples(early_stoppings()),
    st.tuples(plateaus()),
    st.tuples(early_stoppings(), plateaus()),
)


def decide(run: Run, callbacks: Sequence[Any]) -> Replay:
    return replay_run(
        run,
        callbacks,
        semantics="keras-3.15",
        objective="val_loss",
        objective_mode="min",
    )


@given(runs(), lists)
def test_a_list_parts_nowhere_from_itself(run: Run, callbacks: Sequence[Any]) -> None:
    comparison = compare_replays(decide(run, callbacks), decide(run, callbacks))
    assert (comparison.parting_epoch, comparison.parted_by) == (None, None)
    assert comparison.better in ("same", None)
    assert comparison.epochs_gain in (0, None)


@given(runs(), lists, lists)
def test_swapping_the_lists_swaps_the_answer(
    run: Run, first: Sequence[Any], rival: Sequence[Any]
) -> None:
    replays = decide(run, first), decide(run, rival)
    one, other = compare_replays(*replays), compare_replays(*replays[::-1])
    swapped = {"first": "rival", "rival": "first", "same": "same", None: None}
    assert one[2:] == other[2:]
    assert swapped[one.better] == other.better
    assert one.epochs_gain == (
        None if other.epochs_gain is None else -other.epochs_gain
    )


@given(runs(), lists, lists)
def test_they_part_within_the_evidence_or_at_its_edge(
    run: Run, first: Sequence[Any], rival: Sequence[Any]
) -> None:
    replays = decide(run, first), decide(run, rival)
    comparison = compare_replays(*replays)
    if comparison.parting_epoch is not None:
        assert run.first_epoch <= comparison.parting_epoch
        assert comparison.parting_epoch <= comparison.evident_until + 1
    elif comparison.both_exact:
        # what does not part ends alike
        same = [(one.stopped_epoch, one.kept_epoch) for one in replays]
        assert same[0] == same[1]


def test_two_lists_that_keep_infinity_keep_the_same() -> None:
    # both stop at epoch 1, where infinity is logged
    run = Run.from_logs({"val_loss": loss} for loss in [0.5, math.inf, math.inf])
    lists = [EarlyStopping(patience=patience) for patience in (0, 1)]
    replays = [replay_run(run, listed, semantics="keras-3.15") for listed in lists]
    assert [replay.outcome.kept_value for replay in replays] == [math.inf, math.inf]
    comparison = compare_replays(*replays)
    assert (comparison.better, comparison.value_gain) == ("same", 0)
