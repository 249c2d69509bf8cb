"""A log that lacks what a callback saw is evidence up to there, and no further."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay import (
    EarlyStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    Series,
    TerminateOnNaN,
    choices,
    make_grid,
    replay_run,
    sweep_runs,
)
from cbreplay.evidence.holes import find_gap
from tests.strategies import runs

# falls to epoch 7, then worse; epochs 10 to 14 are lost. With them patience 3 stops
# at epoch 15: what was there was better
FULL = [1.0, 0.9, 0.8, 0.7, 0.6, 0.55, 0.52, 0.5, 0.51, 0.52]
LATER = [0.6, 0.61, 0.62, 0.63, 0.64, 0.65, 0.66, 0.67, 0.68, 0.69]


def lost(*, rate: float | None = None) -> Run:
    values = [*FULL, *[None] * 5, *LATER]
    series = {
        "val_loss": Series.from_optional(values),
        "loss": Series.from_optional([1.0 if one else None for one in values]),
    }
    known = None if rate is None else Series.from_optional([rate] * len(values))
    return Run(
        name="lost", source="", first_epoch=0, series=series, learning_rate=known
    )


def ask(run: Run, *callbacks: Any, **judging: Any) -> Any:
    return replay_run(run, callbacks, semantics="keras-3.15", **judging)


@pytest.mark.parametrize("patience", [1, 2])
def test_what_is_decided_before_the_hole_is_exact(patience: int) -> None:
    replay = ask(lost(), EarlyStopping(patience=patience, restore_best_weights=True))
    # .5 at epoch 7, then one or two epochs without improvement
    assert (replay.evidence, replay.stopped_epoch) == ("exact", 7 + patience)
    assert replay.gap_epoch is None
    # the objective has a hole all the same: a better value may have been there
    assert replay.outcome.bounds == {"regret": "lower"}


@pytest.mark.parametrize("patience", [3, 30])
def test_from_the_hole_on_nothing_is_known(patience: int) -> None:
    replay = ask(lost(), EarlyStopping(patience=patience, restore_best_weights=True))
    assert (replay.evidence, replay.gap_epoch) == ("incomplete", 10)
    assert replay.stopped_epoch is None
    assert replay.kept_epoch is None
    assert (replay.best_epoch, replay.best) == (None, None)
    outcome = replay.outcome
    # as after a divergence at that epoch: 11 epochs at least, of 25
    assert (outcome.trained_epochs, outcome.epochs_saved) == (11, 14)
    assert outcome.bounds == {"trained_epochs": "lower", "epochs_saved": "upper"}
    assert (outcome.kept_value, outcome.regret) == (None, None)
    assert max(step.epoch for step in replay.trace) == 9


def test_a_plan_that_is_reached_does_not_fill_a_hole() -> None:
    run = replace(lost(), planned_epochs=25)
    assert ask(run, EarlyStopping(patience=30)).evidence == "incomplete"


def test_a_divergence_before_the_hole_comes_first() -> None:
    # flat from epoch 8 on: reduced at the end of 9, so epoch 10 is another training
    early = ask(lost(rate=0.5), ReduceLROnPlateau(patience=1, min_delta=0))
    assert (early.evidence, early.divergence_epoch, early.gap_epoch) == (
        "diverged",
        9,
        None,
    )
    same = ask(lost(rate=0.5), ReduceLROnPlateau(patience=2, min_delta=0))
    # both would be epoch 10, and the log says nothing of it for either reason
    assert (same.evidence, same.divergence_epoch) == ("diverged", 10)


def test_only_what_a_list_reads_counts() -> None:
    run = lost()
    series = dict(run.series) | {"val_mae": Series.from_optional([1.0] * 25)}
    run = replace(run, series=series)
    stopping = EarlyStopping(monitor="val_mae", patience=3, mode="min")
    assert ask(run, stopping).evidence == "exact"
    assert ask(run, stopping, TerminateOnNaN()).evidence == "exact"
    late = EarlyStopping(monitor="val_mae", patience=15, mode="min")
    assert ask(run, late).evidence == "exact"
    assert ask(run, late, TerminateOnNaN()).evidence == "incomplete"
    every = ModelCheckpoint("a.keras")
    assert ask(run, late, every).evidence == "exact"
    assert ask(run, late, every, objective="val_loss").outcome.bounds == {
        "regret": "lower"
    }


def test_the_fiction_goes_on_past_the_hole() -> None:
    replay = replay_run(
        lost(), EarlyStopping(patience=3), semantics="keras-3.15", hypothetical=True
    )
    assert replay.evidence == "incomplete"
    # two epochs without improvement before the hole, the third is the first after it
    assert replay.hypothetical is not None
    assert replay.hypothetical.stopped_epoch == 15


@st.composite
def holed(draw: st.DrawFn) -> Run:
    """Runs whose missing values were seen by somebody."""
    run = draw(runs(min_epochs=4))
    return replace(run, not_logged=frozenset())


GRID = make_grid(
    [
        choices(
            EarlyStopping,
            patience=range(8),
            min_delta=[0, 0.125],
            restore_best_weights=[True, False],
        )
    ]
)
BOTH = make_grid(
    [
        choices(EarlyStopping, patience=[1, 3, 6], monitor=["val_loss", "loss"]),
        choices(ReduceLROnPlateau, patience=[1, 2, 4], factor=0.5),
    ]
)


@pytest.mark.parametrize("grid", [GRID, BOTH], ids=["stops", "both"])
@given(listed=st.lists(holed(), min_size=1, max_size=3))
def test_a_sweep_is_incomplete_where_a_replay_is(grid: Any, listed: list[Run]) -> None:
    sweep = sweep_runs(listed, grid, semantics="keras-3.15")
    codes = ("exact", "censored", "diverged", "incomplete")
    for row, run in enumerate(listed):
        for column, config in enumerate(grid):
            replay = replay_run(run, config, semantics="keras-3.15")
            at = row, column
            assert codes[sweep.evidence[at]] == replay.evidence
            for mask, epochs, epoch in (
                (sweep.stopped, sweep.stopped_epoch, replay.stopped_epoch),
                (sweep.kept, sweep.kept_epoch, replay.kept_epoch),
                (sweep.diverged, sweep.divergence_epoch, replay.divergence_epoch),
                (sweep.incomplete, sweep.gap_epoch, replay.gap_epoch),
            ):
                assert (int(epochs[at]) if mask[at] else None) == epoch
            assert sweep.trained_epochs[at] == replay.outcome.trained_epochs
            assert sweep.n_reductions[at] == len(replay.reductions)
            bounded = bool(sweep.ranked[at] and sweep.lacks_values[at])
            assert bounded == ("regret" in replay.outcome.bounds)


@given(run=holed(), patience=st.integers(0, 8))
def test_a_decision_before_a_hole_does_not_hang_on_it(run: Run, patience: int) -> None:
    """The law behind the word: whatever stood in the hole, it decides the same."""
    gap = find_gap(run, "val_loss")
    replay = replay_run(run, EarlyStopping(patience=patience), semantics="keras-3.15")
    if replay.evidence != "exact" or gap is None or replay.stopped_epoch is None:
        return
    assert replay.stopped_epoch < gap
    series = run.series["val_loss"]
    for value in (-100.0, 100.0):
        filled = [value if one is None else one for one in series]
        other = Series.from_optional(
            [*list(series)[: gap - run.first_epoch], *filled[gap - run.first_epoch :]]
        )
        # no other epoch lacks a value, whichever cadence the filled ones show
        whole = replace(
            run,
            series=dict(run.series) | {"val_loss": other},
            not_logged=frozenset({"val_loss"}),
        )
        again = replay_run(
            whole, EarlyStopping(patience=patience), semantics="keras-3.15"
        )
        assert again.stopped_epoch == replay.stopped_epoch
