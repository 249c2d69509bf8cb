"""TerminateOnNaN: the stop, what the rest of the list sees, and what is not known."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    Replay,
    Run,
    TerminateOnNaN,
    UnknownMonitorError,
    explain_replay,
    replay_run,
)
from cbreplay.run_metadata import Ended, RunMetadata

NAN, INF = math.nan, math.inf
VAL = [0.8, 0.6, 0.7, 0.7]


def replayed(
    losses: list[float],
    *callbacks: Any,
    semantics: str = "keras-3.15",
    metadata: RunMetadata | None = None,
) -> Replay:
    rows = [{"loss": a, "val_loss": b} for a, b in zip(losses, VAL, strict=False)]
    run = replace(Run.from_logs(rows), metadata=metadata)
    return replay_run(run, callbacks, semantics=semantics)


@pytest.mark.parametrize("broken", [NAN, INF, -INF])
def test_it_stops_at_the_first_loss_that_is_not_finite(broken: float) -> None:
    replay = replayed([1.0, 0.9, broken, NAN], TerminateOnNaN())
    assert (replay.evidence, replay.stopped_epoch) == ("exact", 2)
    assert (replay.stopped_by, replay.kept_epoch) == ((0,), 2)
    assert (replay.outcome.trained_epochs, replay.outcome.epochs_saved) == (3, 1)
    # 0.7 stands in the record, measured on the weights of the whole epoch
    assert (replay.outcome.kept_value, replay.outcome.regret) == (None, None)
    ended, note = replay.notes
    assert ended == "loss ended in NaN, from epoch 3 on: the training failed there"
    assert note.endswith("the val_loss of the weights that are kept is not known")


def test_a_loss_that_is_finite_throughout_stops_nothing() -> None:
    replay = replayed([1.0, 0.9, 0.8, 0.7], TerminateOnNaN())
    assert (replay.evidence, replay.stopped_epoch) == ("censored", None)
    assert replay.outcome.kept_value == 0.7


def test_the_rest_of_the_list_sees_the_end_of_the_epoch() -> None:
    # best at epoch 1, then one epoch without an improvement: both stop at 2
    stopping = EarlyStopping(patience=1, restore_best_weights=True)
    replay = replayed([1.0, 0.9, NAN, NAN], TerminateOnNaN(), stopping)
    assert replay.stopped_by == (0, 1)
    assert (replay.kept_epoch, replay.outcome.kept_value) == (1, 0.6)
    told = [note for note in replay.notes if "before epoch" in note]
    assert (
        "ends training before epoch 3 is over: the log may have the values" in told[0]
    )


def test_an_error_leaves_the_list_without_the_end_of_the_epoch() -> None:
    stopping = EarlyStopping(patience=1, restore_best_weights=True)
    replay = replayed([1.0, 0.9, NAN], stopping, TerminateOnNaN(raise_error=True))
    assert (replay.stopped_epoch, replay.stopped_by) == (2, (1,))
    assert (replay.kept_epoch, replay.best_epoch) == (2, 1)
    assert [one.callback for one in replay.trace if one.epoch == 2] == [1]
    closing = explain_replay(replay).closing
    assert closing[0] == (
        "stopped in epoch 3 by TerminateOnNaN, by an error: the loss is NaN"
    )
    assert closing[-1] == (
        "keeps the weights of epoch 3: the error came within it, and nothing is "
        "restored"
    )


def test_a_record_that_it_ended_itself_is_evidence_for_that_epoch() -> None:
    metadata = RunMetadata(ended=Ended("TerminateOnNaN", 2))
    replay = replayed([1.0, 0.9, NAN], TerminateOnNaN(), metadata=metadata)
    assert (replay.kept_epoch, replay.outcome.kept_value) == (2, 0.7)
    assert not any("before epoch" in note for note in replay.notes)


def test_a_run_without_loss_cannot_be_asked() -> None:
    run = Run.from_logs([{"val_loss": 0.5}])
    with pytest.raises(UnknownMonitorError, match="no series 'loss'"):
        replay_run(run, TerminateOnNaN())


def test_raise_error_is_refused_before_keras_had_it() -> None:
    with pytest.raises(ConfigError, match="knows no raise_error"):
        replayed([1.0], TerminateOnNaN(raise_error=True), semantics="keras-3.12")
    replayed([1.0], TerminateOnNaN(raise_error=True), semantics="keras-3.13")


def test_it_is_explained_epoch_by_epoch() -> None:
    explanation = explain_replay(replayed([1.0, NAN], TerminateOnNaN()))
    assert [(row.decision, row.why) for row in explanation.rows] == [
        ("wait", "the loss, 1.000, is finite: goes on"),
        ("stop", "the loss is NaN: stop before the epoch is over"),
    ]
    finite = explain_replay(replayed([1.0, 0.9], TerminateOnNaN()))
    assert "TerminateOnNaN saw no loss that is NaN or infinite" in finite.closing
