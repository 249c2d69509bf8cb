"""Laws that every replay keeps, and false friends that it must not."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cbreplay import EarlyStopping, ReduceLROnPlateau, Replay, Run, Series, replay_run
from tests.strategies import early_stoppings, plateaus, runs


def replayed(run: Run, *callbacks: Any, **options: Any) -> Replay:
    return replay_run(run, callbacks, semantics="keras-3.15", **options)


def stop_of(replay: Replay) -> float:
    return math.inf if replay.stopped_epoch is None else replay.stopped_epoch


def transformed(run: Run, factor: float) -> Run:
    recorded = run.series["val_loss"]
    scaled = Series(recorded.values * factor, recorded.recorded)
    return replace(run, series={"val_loss": scaled})


@given(runs(), early_stoppings(), st.integers(1, 5))
def test_more_patience_never_stops_earlier(
    run: Run, one: EarlyStopping, more: int
) -> None:
    patient = replace(one, patience=one.patience + more)
    assert stop_of(replayed(run, patient)) >= stop_of(replayed(run, one))


@given(runs(), early_stoppings(), st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_a_power_of_two_changes_no_decision(
    run: Run, one: EarlyStopping, factor: float
) -> None:
    scaled = replace(
        one,
        min_delta=one.min_delta * factor,
        baseline=None if one.baseline is None else one.baseline * factor,
    )
    before, after = replayed(run, one), replayed(transformed(run, factor), scaled)
    assert (before.stopped_epoch, before.kept_epoch) == (
        after.stopped_epoch,
        after.kept_epoch,
    )


@given(runs(), early_stoppings())
def test_negating_the_series_and_swapping_the_mode_changes_no_decision(
    run: Run, one: EarlyStopping
) -> None:
    mirrored = replace(
        one,
        mode="min" if one.mode == "max" else "max",
        baseline=None if one.baseline is None else -one.baseline,
    )
    before, after = replayed(run, one), replayed(transformed(run, -1.0), mirrored)
    assert (before.stopped_epoch, before.kept_epoch) == (
        after.stopped_epoch,
        after.kept_epoch,
    )


@given(runs(min_epochs=2), early_stoppings(), plateaus(), st.data())
def test_a_decision_does_not_read_later_epochs(
    run: Run, one: EarlyStopping, two: ReduceLROnPlateau, data: st.DataObject
) -> None:
    keep = data.draw(st.integers(1, run.n_epochs - 1))
    rows = [
        {"val_loss": value if known else None, "learning_rate": 0.01}
        for value, known in zip(
            run.series["val_loss"].values.tolist()[:keep],
            run.series["val_loss"].recorded.tolist()[:keep],
            strict=True,
        )
    ]
    if not any(row["val_loss"] is not None for row in rows):
        return
    cut = Run.from_logs(rows, first_epoch=run.first_epoch)
    whole, part = replayed(run, one, two), replayed(cut, one, two)
    seen = [step for step in whole.trace if step.epoch <= cut.horizon]
    assert [step.decision for step in part.trace] == [
        step.decision for step in seen[: len(part.trace)]
    ]


@given(runs(), early_stoppings(), plateaus())
def test_evidence_is_as_defined(
    run: Run, one: EarlyStopping, two: ReduceLROnPlateau
) -> None:
    replay = replayed(run, one, two)
    if replay.evidence == "exact":
        assert replay.divergence_epoch is None
        assert replay.stopped_epoch is not None or run.reached_plan
        assert replay.outcome.bounds == {}
    elif replay.evidence == "censored":
        assert (replay.stopped_epoch, replay.divergence_epoch) == (None, None)
        assert replay.outcome.provisional != ()
    else:
        assert replay.divergence_epoch is not None
        assert (replay.kept_epoch, replay.best_epoch) == (None, None)
        assert all(one.epoch < replay.divergence_epoch for one in replay.reductions)
    assert replay.outcome.trained_epochs + replay.outcome.epochs_saved == (run.n_epochs)
    regret = replay.outcome.regret
    assert regret is None or regret >= 0


@given(runs(), early_stoppings(), plateaus())
def test_the_fiction_changes_no_field_of_the_answer(
    run: Run, one: EarlyStopping, two: ReduceLROnPlateau
) -> None:
    plain = replayed(run, one, two)
    asked = replayed(run, one, two, hypothetical=True)
    for name in ("evidence", "stopped_epoch", "kept_epoch", "reductions", "outcome"):
        assert repr(getattr(plain, name)) == repr(getattr(asked, name))
    assert (asked.hypothetical is None) == (asked.divergence_epoch is None)


def test_a_larger_min_delta_does_not_always_stop_earlier() -> None:
    run = Run.from_logs([{"val_loss": loss} for loss in (1.5, 0.5, 0.0, 0.0)])
    small = replayed(run, EarlyStopping(patience=2, min_delta=0.5))
    large = replayed(run, EarlyStopping(patience=2, min_delta=1.0))
    # 0.0 does not beat 0.5 by 0.5, but 0.5 does not beat 1.5 by 1 either, and 0.0 does
    assert (small.stopped_epoch, large.stopped_epoch) == (3, None)
