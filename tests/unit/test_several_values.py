"""Two values of one series in one epoch: certain while every choice decides alike."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles.plain_stop import stop_at

if TYPE_CHECKING:
    from collections.abc import Mapping

from cbreplay import (
    EarlyStopping,
    ModelCheckpoint,
    Run,
    Series,
    build_staircase,
    choices,
    make_grid,
    replay_run,
    sweep_runs,
)
from cbreplay.answers.staircase import staircase_document
from cbreplay.document import plain_text
from cbreplay.evidence.training_course import was_still_improving

SIXTEENTHS = st.integers(0, 12).map(lambda count: count / 16)


def run_of(values: list[float], others: Mapping[int, tuple[float, ...]]) -> Run:
    known = Series.from_optional(values)
    series = {"val_loss": replace(known, others=others)}
    return Run(name="run", source="", first_epoch=0, series=series)


def ask(run: Run, *callbacks: Any) -> Any:
    return replay_run(run, callbacks, semantics="keras-3.15")


def test_a_choice_that_decides_nothing_leaves_the_answer_exact() -> None:
    # best .5 at epoch 2; at epoch 3 it is .7 or .8, both worse
    run = run_of([0.9, 0.8, 0.5, 0.7, 0.6, 0.6], {3: (0.8,)})
    replay = ask(run, EarlyStopping(patience=2, restore_best_weights=True))
    assert (replay.evidence, replay.stopped_epoch) == ("exact", 4)
    assert replay.outcome.kept_value == 0.5
    assert replay.outcome.regret == 0.0


def test_a_best_that_hangs_on_a_choice_is_not_told() -> None:
    # at epoch 1 it is .375 or .5; both ways patience 2 stops at 3, where epoch 1 or
    # epoch 2 is the best
    run = run_of([0.6, 0.375, 0.45, 0.5, 0.7], {1: (0.5,)})
    replay = ask(run, EarlyStopping(patience=2, baseline=0.4))
    assert (replay.evidence, replay.stopped_epoch, replay.kept_epoch) == ("exact", 3, 3)
    assert (replay.best_epoch, replay.best) == (None, None)
    restoring = EarlyStopping(patience=2, baseline=0.4, restore_best_weights=True)
    assert (ask(run, restoring).evidence, ask(run, restoring).gap_epoch) == (
        "incomplete",
        3,
    )


def test_from_the_first_epoch_that_a_choice_decides_the_log_is_incomplete() -> None:
    # at epoch 3 it is .4 or .7: with .7 patience 2 stops at epoch 4, with .4 later
    run = run_of([0.9, 0.8, 0.5, 0.4, 0.6, 0.6, 0.6], {3: (0.7,)})
    replay = ask(run, EarlyStopping(patience=2))
    assert (replay.evidence, replay.gap_epoch) == ("incomplete", 4)
    # patience 1 stops at 3 or goes on
    assert ask(run, EarlyStopping(patience=1)).gap_epoch == 3


def test_what_is_kept_may_hang_on_the_choice_though_the_stop_does_not() -> None:
    # two epochs after it the stop is the same; the best is epoch 2 or 3
    run = run_of([0.9, 0.8, 0.5, 0.5, 0.6, 0.6, 0.6], {3: (0.4,)})
    restoring = EarlyStopping(patience=3, restore_best_weights=True)
    assert ask(run, restoring).evidence == "incomplete"
    saving = ModelCheckpoint("a.keras", save_best_only=True)
    assert ask(run, saving).gap_epoch == 3


def test_what_a_plan_keeps_at_its_end_may_hang_on_the_choice() -> None:
    # the best is epoch 2 or 3, and no stop comes before the plan ends
    run = run_of([0.9, 0.8, 0.5, 0.5, 0.6], {3: (0.4,)})
    restoring = EarlyStopping(patience=9, restore_best_weights=True)
    planned = replace(run, planned_epochs=5)
    replay = ask(planned, restoring)
    assert (replay.evidence, replay.gap_epoch) == ("incomplete", 4)
    sweep = sweep_runs([planned], [[restoring]], semantics="keras-3.15")
    assert (sweep.evidence[0, 0], sweep.gap_epoch[0, 0]) == (3, 4)
    assert ask(planned, EarlyStopping(patience=9)).evidence == "exact"
    assert ask(run, restoring).evidence == "censored"


def test_a_kept_value_that_is_one_of_several_is_not_known() -> None:
    run = run_of([0.9, 0.3, 0.6, 0.6], {1: (0.4,)})
    replay = ask(run, EarlyStopping(patience=2, restore_best_weights=True))
    assert (replay.evidence, replay.kept_epoch) == ("exact", 1)
    assert (replay.outcome.kept_value, replay.outcome.regret) == (None, None)


def test_a_regret_against_a_best_that_is_one_of_several_is_not_known() -> None:
    run = run_of([0.9, 0.5, 0.6, 0.6, 0.4], {4: (0.55,)})
    replay = ask(run, EarlyStopping(patience=2, restore_best_weights=True))
    assert (replay.outcome.kept_value, replay.outcome.regret) == (0.5, None)


@st.composite
def doubled(draw: st.DrawFn) -> Run:
    values = draw(st.lists(SIXTEENTHS, min_size=3, max_size=9))
    positions = draw(st.sets(st.integers(0, len(values) - 1), min_size=1, max_size=4))
    others = {position: (draw(SIXTEENTHS),) for position in positions}
    return run_of(values, others)


@settings(max_examples=300)
@given(
    run=doubled(),
    patience=st.integers(0, 4),
    restores=st.booleans(),
    planned=st.booleans(),
)
def test_it_is_certain_just_where_every_choice_decides_alike(
    run: Run, patience: int, *, restores: bool, planned: bool
) -> None:
    n_epochs = len(run.series["val_loss"])
    run = replace(run, planned_epochs=n_epochs if planned else None)
    series = run.series["val_loss"]
    ways = [
        (series.values[position], *series.others.get(position, ()))
        for position in range(len(series))
    ]
    ends = {
        stop_at(list(map(float, chosen)), patience, "min", restores=restores)
        for chosen in itertools.product(*ways)
    }
    stopping = EarlyStopping(patience=patience, restore_best_weights=restores)
    replay = ask(run, stopping)
    stops = {end.stop for end in ends}
    if stops == {None} and not planned:
        assert replay.evidence == "censored"
    elif len(ends) == 1:
        (end,) = ends
        assert (replay.evidence, replay.stopped_epoch) == ("exact", end.stop)
        assert replay.kept_epoch == end.kept
    else:
        # the first epoch in which one of them ends
        first = min(n_epochs - 1 if stop is None else stop for stop in stops)
        assert (replay.evidence, replay.gap_epoch) == ("incomplete", first)


@given(listed=st.lists(doubled(), min_size=1, max_size=2), planned=st.booleans())
def test_a_sweep_says_the_same(listed: list[Run], *, planned: bool) -> None:
    if planned:
        listed = [replace(run, planned_epochs=run.n_epochs) for run in listed]
    grid = make_grid(
        [choices(EarlyStopping, patience=range(5), restore_best_weights=[True, False])]
    )
    sweep = sweep_runs(listed, grid, semantics="keras-3.15")
    codes = ("exact", "censored", "diverged", "incomplete")
    for row, run in enumerate(listed):
        for column, config in enumerate(grid):
            replay = replay_run(run, config, semantics="keras-3.15")
            at = row, column
            assert codes[sweep.evidence[at]] == replay.evidence
            if replay.outcome.kept_value is None:
                assert not sweep.judged[at]
            else:
                assert sweep.kept_value[at] == pytest.approx(replay.outcome.kept_value)
            if replay.outcome.regret is None:
                assert not sweep.ranked[at]


def headline_and_best(run: Run) -> tuple[str, float | None]:
    staircase = build_staircase(run, semantics="keras-3.15")
    headline = plain_text(staircase_document(staircase).headline)
    return headline, staircase.best_value


def test_a_best_that_is_one_of_several_is_called_best_by_no_answer() -> None:
    # at epoch 2 it is .5 or .51, the best either way; at epoch 5 perhaps .3
    for others in ({2: (0.51,)}, {5: (0.3,)}):
        run = run_of([0.9, 0.8, 0.5, 0.7, 0.6, 0.6, 0.7], others)
        headline, best = headline_and_best(run)
        assert best is None
        assert "several values of val_loss" in headline
        staircase = build_staircase(run, semantics="keras-3.15")
        first = staircase.steps[0]
        # every choice stops and keeps alike, as long as it stops before epoch 5
        assert (first.first_stopped_epoch, first.kept_epoch) == (3, 2)
        assert first.regret is None
        assert (first.kept_value is None) == (2 in others)


def test_several_values_that_are_all_worse_leave_the_best_known() -> None:
    run = run_of([0.9, 0.8, 0.5, 0.7, 0.6, 0.6, 0.7], {3: (0.65,)})
    headline, best = headline_and_best(run)
    assert best == 0.5
    assert "it keeps the best epoch, 3," in headline


def test_a_patience_that_stops_on_another_choice_alone_is_unknown() -> None:
    # patience 4 stops at epoch 6 if that was .7, and goes on if it was .3
    run = run_of([0.9, 0.8, 0.5, 0.7, 0.6, 0.6, 0.3, 0.6], {6: (0.7,)})
    *stopping, rest = build_staircase(run, semantics="keras-3.15").steps
    assert [step.last_patience for step in stopping] == [3]
    assert (rest.first_patience, rest.evidence) == (4, "incomplete")
    replay = ask(run, EarlyStopping(patience=4, restore_best_weights=True))
    assert replay.gap_epoch == 6


@given(
    listed=st.lists(
        st.lists(SIXTEENTHS, min_size=1, max_size=2), min_size=2, max_size=9
    ),
    keep=st.sampled_from(["best", "last"]),
)
def test_a_staircase_says_of_each_patience_what_one_replay_says(
    listed: list[list[float]], keep: Any
) -> None:
    others = {at: (held[1],) for at, held in enumerate(listed) if len(held) > 1}
    run = run_of([held[0] for held in listed], others)
    steps = build_staircase(run, keep=keep, semantics="keras-3.15").steps
    for patience in range(1, 10):
        setting = EarlyStopping(patience=patience, restore_best_weights=keep == "best")
        alone = ask(run, setting)
        (step,) = [
            step
            for step in steps
            if step.first_patience <= patience
            and (step.last_patience is None or patience <= step.last_patience)
        ]
        if step.evidence == "incomplete":
            # from the first patience that is unsure on, none is told
            continue
        assert step.evidence == alone.evidence
        if alone.evidence == "exact":
            assert alone.stopped_epoch is not None
            first, last = step.first_stopped_epoch, step.last_stopped_epoch
            assert first is not None
            assert last is not None
            assert first <= alone.stopped_epoch <= last
            if keep == "best":
                told = (step.kept_epoch, step.kept_value, step.regret)
                outcome = alone.outcome
                assert told == (alone.kept_epoch, outcome.kept_value, outcome.regret)


def test_a_last_best_that_is_one_of_several_is_no_trend() -> None:
    falling = [0.9, 0.8, 0.7, 0.6, 0.5]
    assert was_still_improving(run_of(falling, {}), "val_loss", "min")
    # .5 or .8 at the last epoch
    assert not was_still_improving(run_of(falling, {4: (0.8,)}), "val_loss", "min")
    # .9 or .4 at the second: then the last is not the best
    assert not was_still_improving(run_of(falling, {1: (0.4,)}), "val_loss", "min")
    assert was_still_improving(run_of(falling, {1: (0.85,)}), "val_loss", "min")
