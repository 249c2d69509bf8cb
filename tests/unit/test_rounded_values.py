"""A writer that rounds: certain while all that it may have rounded decides alike."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbreplay import (
    EarlyStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    Series,
    build_staircase,
    choices,
    load_runs,
    make_grid,
    replay_run,
    sweep_runs,
)
from cbreplay.answers.json_fields import describe_replay
from cbreplay.evidence.rounded import find_unclear, half_units
from cbreplay.evidence.words import Limit
from cbreplay.replay.walker import Walker
from tests.oracles.plain_stop import stop_at

if TYPE_CHECKING:
    from pathlib import Path

HUNDREDTHS = st.integers(41, 47).map(lambda count: count / 100)


def run_of(values: list[float], **rounded: tuple[int, int]) -> Run:
    series = {"val_loss": Series.from_optional(values)}
    return Run(name="run", source="", first_epoch=0, series=series, rounded_to=rounded)


def ask(run: Run, *callbacks: Any) -> Any:
    return replay_run(run, callbacks, semantics="keras-3.15")


def test_a_tie_of_rounded_values_is_not_decided() -> None:
    # .45 at epochs 1 and 2: if the second was lower, patience 1 goes on there
    run = run_of([0.47, 0.45, 0.45, 0.46, 0.47], val_loss=(2, 2))
    replay = ask(run, EarlyStopping(patience=1))
    assert (replay.evidence, replay.gap_epoch) == ("incomplete", 2)
    # it stops after epoch 2, or after 3: one epoch without improvement
    assert replay.candidates == (2, 3)
    (note,) = replay.noted.setting
    assert note == (
        "the weights of epoch 3 or 4 are kept: the log rounds to 2 digits, too few to "
        "tell which"
    )
    assert describe_replay(replay)["candidates"] == [2, 3]
    said = Limit(run, "incomplete", gap_epoch=2).spoken()
    assert said == (
        "unknown from epoch 3 on: the log rounds too far to tell which of two values "
        "is better"
    )


def test_the_same_values_of_any_other_writer_are_ties() -> None:
    replay = ask(run_of([0.47, 0.45, 0.45, 0.46]), EarlyStopping(patience=1))
    assert (replay.evidence, replay.stopped_epoch) == ("exact", 2)
    assert replay.candidates == ()


def test_neighbours_in_the_last_digit_are_told_apart() -> None:
    run = run_of([0.47, 0.45, 0.44, 0.45, 0.45], val_loss=(2, 2))
    replay = ask(run, EarlyStopping(patience=2, restore_best_weights=True))
    assert (replay.evidence, replay.stopped_epoch) == ("exact", 4)
    assert replay.kept_epoch == 2


def test_a_margin_is_compared_with_what_rounding_leaves() -> None:
    # .45 is .02 below .47, at .445 to .455 and .465 to .475: by .01 to .03
    run = run_of([0.47, 0.45, 0.46, 0.46], val_loss=(2, 2))
    unclear = ask(run, EarlyStopping(patience=1, min_delta=0.02))
    assert (unclear.evidence, unclear.gap_epoch) == ("incomplete", 1)
    certain = ask(run, EarlyStopping(patience=1, min_delta=0.01))
    assert (certain.evidence, certain.stopped_epoch) == ("exact", 2)


def test_a_file_that_may_be_saved_is_not_known() -> None:
    run = run_of([0.47, 0.45, 0.45], val_loss=(2, 2))
    saving = ModelCheckpoint("{epoch}.keras", save_best_only=True)
    assert ask(run, saving).gap_epoch == 2


@settings(max_examples=150, deadline=None)
@given(
    values=st.lists(HUNDREDTHS, min_size=3, max_size=6),
    patience=st.integers(0, 3),
    restores=st.booleans(),
)
def test_it_is_certain_just_where_all_ends_of_the_intervals_decide_alike(
    values: list[float], patience: int, *, restores: bool
) -> None:
    # just within half a hundredth, so that neighbours do not touch
    ways = [(value - 0.0049, value, value + 0.0049) for value in values]
    ends = {
        stop_at(list(chosen), patience, "min", restores=restores)
        for chosen in itertools.product(*ways)
    }
    run = run_of(values, val_loss=(2, 2))
    replay = ask(run, EarlyStopping(patience=patience, restore_best_weights=restores))
    kept = sorted({end.kept for end in ends})
    if len(ends) == 1:
        stop = next(iter(ends)).stop
        assert replay.evidence == ("censored" if stop is None else "exact")
        assert (replay.stopped_epoch, replay.kept_epoch) == (stop, kept[0])
    else:
        stops = [len(values) - 1 if end.stop is None else end.stop for end in ends]
        assert (replay.evidence, replay.gap_epoch) == ("incomplete", min(stops))
        assert list(replay.candidates) == (kept if len(kept) > 1 else [])


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(HUNDREDTHS, min_size=3, max_size=9),
    patience=st.integers(1, 3),
    min_delta=st.sampled_from([0.0, 0.01, 0.02]),
    seed=st.integers(0, 2**32 - 1),
)
def test_whatever_was_rounded_decides_as_the_answer_says(
    values: list[float], patience: int, min_delta: float, seed: int
) -> None:
    stopping = EarlyStopping(
        patience=patience, min_delta=min_delta, restore_best_weights=True
    )
    told = ask(run_of(values, val_loss=(2, 2)), stopping)
    generator = np.random.default_rng(seed)
    for _ in range(20):
        noise = generator.uniform(-0.0049, 0.0049, len(values))
        true = ask(run_of([*(np.array(values) + noise).tolist()]), stopping)
        if told.evidence == "incomplete":
            stop = true.stopped_epoch
            assert stop is None or stop >= told.gap_epoch
        else:
            assert true.stopped_epoch == told.stopped_epoch
            assert true.kept_epoch == told.kept_epoch


@settings(max_examples=30, deadline=None)
@given(values=st.lists(HUNDREDTHS, min_size=3, max_size=9))
def test_a_sweep_says_the_same(values: list[float]) -> None:
    run = run_of(values, val_loss=(2, 2))
    stopping = choices(
        EarlyStopping, patience=range(1, 5), restore_best_weights=[True, False]
    )
    reducing = choices(ReduceLROnPlateau, patience=[1, 2], min_delta=[0.0, 0.01])
    codes = ("exact", "censored", "diverged", "incomplete")
    # one that only stops is followed for every patience at once, others one by one
    waiting = choices(
        EarlyStopping,
        patience=[0, 1, 2.5, 4, math.inf],
        min_delta=[0.0, 0.01],
        start_from_epoch=[0, 2],
    )
    for grid in map(make_grid, ([stopping], [waiting], [stopping, reducing])):
        sweep = sweep_runs(run, grid, semantics="keras-3.15")
        for column, config in enumerate(grid):
            replay = ask(run, *config)
            assert codes[sweep.evidence[0, column]] == replay.evidence
            if replay.evidence == "incomplete":
                assert sweep.gap_epoch[0, column] == replay.gap_epoch
            if replay.stopped_epoch is not None:
                assert sweep.stopped_epoch[0, column] == replay.stopped_epoch


def test_of_more_ways_than_can_be_followed_a_sweep_says_the_same() -> None:
    # every pair of these may be a tie: each epoch leads to more ways to go on
    run = run_of([0.45, 0.44, 0.45, 0.44, 0.43, 0.44] * 6, val_loss=(1, 1))
    stopping = choices(EarlyStopping, patience=range(1, 37), restore_best_weights=True)
    grid = make_grid([stopping])
    sweep = sweep_runs(run, grid, semantics="keras-3.15")
    replays = [ask(run, *config) for config in grid]
    assert {replay.evidence for replay in replays} == {"incomplete"}
    assert sweep.gap_epoch[0].tolist() == [replay.gap_epoch for replay in replays]


@settings(max_examples=60, deadline=None)
@given(values=st.lists(HUNDREDTHS, min_size=3, max_size=9))
def test_no_step_of_a_staircase_says_more_than_its_replay(values: list[float]) -> None:
    run = run_of(values, val_loss=(2, 2))
    for step in build_staircase(run, semantics="keras-3.15").steps:
        if step.last_patience is None:
            continue
        for patience in range(step.first_patience, step.last_patience + 1):
            stopping = EarlyStopping(patience=patience, restore_best_weights=True)
            replay = ask(run, stopping)
            assert replay.evidence == "exact"
            assert replay.kept_epoch == step.kept_epoch


@pytest.mark.no_cover
@pytest.mark.parametrize("n_epochs", [600, 4_000])
def test_in_a_long_record_that_rounds_everything_away_few_ways_are_followed(
    monkeypatch: pytest.MonkeyPatch, n_epochs: int
) -> None:
    """No replay goes through more than twice 80,000 epochs, on all ways together."""
    # .499, .5 and .501 in turn, and a few steps down: nearly every epoch is a choice
    values = [0.5 + (7 * at % 5 % 3 - 1 - at // 150) / 1000 for at in range(n_epochs)]
    run = run_of(values, val_loss=(3, 3))
    lived, live = Counter[int](), Walker.live

    def counted(walker: Walker, position: int, logs: dict[str, float]) -> bool:
        lived[number] += 1
        return live(walker, position, logs)

    monkeypatch.setattr(Walker, "live", counted)
    number = -1
    grid = make_grid([choices(EarlyStopping, patience=[1, 5, 40, 200, 10_000])])
    sweep = sweep_runs(run, grid, semantics="keras-3.15")
    for number, config in enumerate(grid):
        is_unsure = sweep.incomplete[0, number]
        gap = sweep.gap_epoch[0, number] if is_unsure else None
        assert ask(run, *config).gap_epoch == gap
        assert 0 < lived[number] <= 2 * 80_000


def test_half_a_unit_of_both_the_digits_and_the_decimals() -> None:
    # %.5g of numbers with five decimals: 12.298 was 12.2975 to 12.2985
    widths = half_units(np.array([12.298, 1.1469, 0.95250, 0.00333, 0.0]), 5, 5)
    assert widths == pytest.approx([5e-4, 5e-5, 5e-6, 5e-6, 5e-6])


def test_values_that_surely_fell_behind_in_between_are_never_compared() -> None:
    # .47 comes again after .45 was lower and .49 higher: as best in neither direction
    run = run_of([0.47, 0.45, 0.49, 0.47], val_loss=(2, 2))
    assert find_unclear(run, "val_loss", [0.0]) == {}
    assert set(find_unclear(run, "val_loss", [None])) == {0, 1, 2, 3}


def test_a_csv_of_ultralytics_is_known_to_round(tmp_path: Path) -> None:
    log = tmp_path / "results.csv"
    rows = [(1, 1.1469, 0.95250), (2, 0.98864, 0.94731), (3, 0.97, 0.94731)]
    lines = ["epoch,train/box_loss,metrics/mAP50(B),val/box_loss"]
    lines += [f"{epoch},{loss},{score},{loss}" for epoch, loss, score in rows]
    log.write_text("\n".join(lines) + "\n")
    (run,) = load_runs(log)
    assert run.rounded_to["metrics/mAP50(B)"] == (5, 5)
    # in min mode epochs 2 and 3 tie
    replay = ask(run, EarlyStopping(monitor="metrics/mAP50(B)", mode="min", patience=1))
    assert (replay.evidence, replay.gap_epoch) == ("incomplete", 2)
    json.dumps(describe_replay(replay))
