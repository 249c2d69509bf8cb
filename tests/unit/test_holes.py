"""Where a log lacks a value that a callback saw."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from cbreplay import (
    EarlyStopping,
    Run,
    Series,
    build_staircase,
    load_runs,
    replay_run,
)
from cbreplay.answers.staircase import staircase_document
from cbreplay.document import plain_text
from cbreplay.evidence.holes import find_cadence, find_gap, find_gap_of
from cbreplay.run_metadata import Fit, RunMetadata

if TYPE_CHECKING:
    from pathlib import Path


def run_of(pattern: str, *, first_epoch: int = 0, name: str = "val_loss") -> Run:
    """A run whose series has a value at each x; every epoch has a loss."""
    values = [0.5 if mark == "x" else None for mark in pattern]
    series = {
        name: Series.from_optional(values),
        "loss": Series.from_optional([1.0] * len(pattern)),
    }
    return Run(name="run", source="", first_epoch=first_epoch, series=series)


@pytest.mark.parametrize(
    ("pattern", "cadence", "gap"),
    [
        ("xxxxxxxx", 1, None),
        # one is missing between
        ("xxx.xxxx", 1, 3),
        ("xx...xxxx", 1, 2),
        ("xx...xxx", 1, 2),
        # one lost value is no cadence of two, and two are none of four
        ("xx.xx", 1, 2),
        (".x.x...x.x.", 2, 5),
        ("xx.x.xx", None, 1),
        ("x.xx.x", None, 1),
        # NaN that pandas wrote as empty cells, or a validation file that broke off
        ("xxxxx...", 1, 5),
        # every second, every third; the last epoch is validated besides
        (".x.x.x.x", 2, None),
        ("..x..x..xx", 3, None),
        # epochs 1, 10, 20, 30: the first stands off the cadence
        ("x........x.........x.........x", 10, None),
        # 4, 9, 14, 19 with one of them lost
        ("....x....x....x.........x....x....x", 5, 19),
        (".x.x...x.x.x.x", 2, 5),
        # on the cadence after the last value, and to the horizon
        (".x.x.x..", 2, 7),
        (".x.x.x.", 2, None),
        # a head is missing where it begins a whole cadence late: every epoch, every
        # second one, the first among them
        ("...xxxxx", 1, 0),
        (".xxxxxxx", 1, 0),
        ("..x.x.x.", 2, 0),
        # no cadence: unknown from the epoch after its first value on
        ("x.xx...x....x", None, 1),
        ("xxx.x..x..x.xx", None, 1),
        # 1, 3, 5, 6 of which two may be lost; 2, 4, 6 are where `fit` validates
        ("x.x.xx", None, 1),
        (".x.x.xx", 2, None),
        # two is the most frequent distance, and not the cadence: others stand between
        ("xx.x.xxx.xx", None, 1),
        ("..x.xx...x....x", None, 0),
        # one value alone
        ("x", None, None),
        ("x..", None, 1),
        ("xx", 1, None),
    ],
)
def test_the_first_hole_is_where_the_cadence_lacks_a_value(
    pattern: str, cadence: int | None, gap: int | None
) -> None:
    run = run_of(pattern)
    assert find_cadence(run, "val_loss") == cadence
    assert find_gap(run, "val_loss") == gap


@pytest.mark.parametrize(
    ("pattern", "first_epoch", "cadence"),
    [
        # one distance is no cadence
        ("x.x", 0, None),
        ("x....x", 0, None),
        # as fit validates by validation_freq 2, 3 and 5
        (".x.x", 0, 2),
        ("..x..x.", 0, 3),
        # resumed at epoch 20 (from 0): validation_freq 3 validates 20, 23
        ("x..x.", 20, 3),
        ("x..x.", 21, None),
        # two equal distances are
        ("x.x.x", 0, 2),
    ],
)
def test_one_distance_is_a_cadence_only_where_fit_puts_it(
    pattern: str, first_epoch: int, cadence: int | None
) -> None:
    run = run_of(pattern, first_epoch=first_epoch)
    assert find_cadence(run, "val_loss") == cadence


@pytest.mark.parametrize(
    ("n_dropped", "cadence"), [(0, 2), (1, 2), (3, None), (4, None)]
)
def test_what_damaged_rows_leave_is_no_cadence(
    n_dropped: int, cadence: int | None
) -> None:
    # three epochs have no value: three dropped rows may have had it
    run = replace(run_of("x.x.x.x"), n_dropped=n_dropped)
    assert find_cadence(run, "val_loss") == cadence


def test_rows_that_were_skipped_leave_a_hole(tmp_path: Path) -> None:
    log = tmp_path / "logs.csv"
    log.write_text("epoch,loss,val_loss\n0,1.0,.9\n1,.8,oops\n2,.7,.8\n")
    (run,) = load_runs(log, errors="skip")
    said = plain_text(staircase_document(build_staircase(run)).headline)
    assert "every 2nd epoch" not in said
    # the value of epoch 1 (from 0) was there, and nobody knows it
    assert find_gap(run, "val_loss") == 1


def test_a_gap_is_an_absolute_epoch() -> None:
    assert find_gap(run_of("xxx.xxxx", first_epoch=7), "val_loss") == 10


def test_what_was_not_logged_is_no_hole() -> None:
    run = replace(run_of("xx.x..xx"), not_logged=frozenset(["val_loss"]))
    assert find_gap(run, "val_loss") is None
    # but an epoch without any row is
    lost = Series.from_optional([1.0, 1.0, 1.0, None, None, 1.0, 1.0, 1.0])
    run = replace(run, series=dict(run.series) | {"loss": lost})
    assert find_gap(run, "val_loss") == 4


@pytest.mark.parametrize(
    ("pattern", "gap"),
    [
        # the first five epochs, then every fifth: the log may have been thinned
        ("xxxxx....x....x....x....x....x", 5),
        # every second, then every sixth
        ("x.x.x.x.....x.....x.....x.....x", 8),
        # one value alone may stand off the cadence: that of the first epoch
        ("x...x....x....x....x....x", None),
    ],
)
def test_epochs_without_a_row_behind_closer_ones_may_be_lost(
    pattern: str, gap: int | None
) -> None:
    run = run_of(pattern)
    # where the epochs between have a row, validations became seldom
    assert find_gap(run, "val_loss") is None
    lost = replace(run, series={"val_loss": run.series["val_loss"]})
    assert find_gap(lost, "val_loss") == gap


def test_keras_logs_say_themselves_what_was_not_logged() -> None:
    rows = [{"loss": 1.0, "val_loss": 0.5}, {"loss": 1.0}, {"loss": 1.0}] * 3
    assert find_gap(Run.from_logs(rows[:5]), "val_loss") is None


def test_a_known_validation_freq_says_which_epochs_were_validated() -> None:
    run = run_of(".x.x...x")
    metadata = RunMetadata(fit=Fit(validation_freq=2))
    assert find_gap(replace(run, metadata=metadata), "val_loss") == 5
    # epochs 2, 4 and 8 of fit, counted from 1
    metadata = RunMetadata(fit=Fit(validation_freq=[2, 4, 8]))
    assert find_gap(replace(run, metadata=metadata), "val_loss") is None
    metadata = RunMetadata(fit=Fit(validation_freq=[2, 3, 8]))
    assert find_gap(replace(run, metadata=metadata), "val_loss") == 2


def test_a_training_whose_beginning_is_not_in_the_log_has_a_hole_there() -> None:
    """A tracker's epochs begin at 0; Keras's begin where initial_epoch says."""
    run = run_of("xxxxxxxx", first_epoch=5)
    assert find_gap(run, "val_loss") is None
    assert find_gap(replace(run, begins_at=0), "val_loss") == 5
    # one epoch is enough: EarlyStopping(patience=0) may have stopped behind it
    second = run_of("xxxxxxxx", first_epoch=1)
    assert find_gap(replace(second, begins_at=0), "val_loss") == 1
    # validated every tenth epoch, the first value may stand at the tenth
    tenth = run_of("x.........x.........x.........x", first_epoch=9)
    assert find_gap(replace(tenth, begins_at=0), "val_loss") is None


def test_a_first_value_that_is_lost_may_have_been_the_best(tmp_path: Path) -> None:
    """The training had 0.2 in its first epoch: patience 1 stopped at its second."""
    path = tmp_path / "log.csv"
    rows = ["0,0.9,", "1,0.8,0.5", "2,0.7,0.4", "3,0.6,0.6", ""]
    path.write_text("\n".join(["epoch,loss,val_loss", *rows]), encoding="utf-8")
    (run,) = load_runs(path)
    replay = replay_run(run, EarlyStopping(patience=1), semantics="keras-3.15")
    assert (replay.evidence, replay.gap_epoch) == ("incomplete", 0)


def test_the_first_of_several_series_counts() -> None:
    run = run_of("xxxx.xxx")
    lost = Series.from_optional([1.0, 1.0, None, *[1.0] * 5])
    run = replace(run, series=dict(run.series) | {"loss": lost})
    assert find_gap_of(run, ["val_loss"]) == 4
    assert find_gap_of(run, ["val_loss", "loss"]) == 2
    assert find_gap_of(run, ["absent"]) is None


def headline_of(path: Path) -> str:
    (run,) = load_runs(path)
    staircase = build_staircase(run, semantics="keras-3.15")
    return plain_text(staircase_document(staircase).headline)


def test_a_log_of_every_tenth_epoch_says_for_whom_its_answer_holds(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log.csv"
    losses = [0.9, 0.8, 0.6, 0.7, 0.75, 0.8]
    rows = [f"{10 * at + 10},{loss},{loss}" for at, loss in enumerate(losses)]
    path.write_text("\n".join(["epoch,loss,val_loss", *rows, ""]))
    headline = headline_of(path)
    assert headline.endswith(
        "It holds for callbacks that act only at every 10th epoch, as the log has it."
    )
    # a log of every epoch whose validation is seldom has no such limit
    rows = [f"{at},{1 / (at + 1)},{at if at % 3 == 2 else ''}" for at in range(12)]
    path.write_text("\n".join(["epoch,loss,val_loss", *rows, ""]))
    assert "callbacks that act only" not in headline_of(path)


def test_a_cadence_with_values_between_is_none_that_callbacks_act_at(
    tmp_path: Path,
) -> None:
    # every third row is lost: 2 is the usual distance, and half of them are 1
    rows = [f"{epoch},{1 / (epoch + 1)}" for epoch in range(30) if epoch % 3]
    path = tmp_path / "logs.csv"
    path.write_text("\n".join(["epoch,val_loss", *rows, ""]))
    said = headline_of(path)
    assert "callbacks that act only" not in said
    assert "this log cannot tell" in said


def test_rows_that_are_not_there_are_lost_and_not_left_out_by_fit() -> None:
    """`fit` logs a row in each epoch, also where it does not validate."""
    values = [0.5 if mark == "x" else None for mark in "xx.x.x.x"]
    losses = Series.from_optional(values)
    run = Run(name="run", source="", first_epoch=0, series={"val_loss": losses})
    assert find_cadence(run, "val_loss") is None
    assert find_gap(run, "val_loss") == 1


def test_every_second_row_and_the_last_are_a_cadence() -> None:
    """Of a loop that logs ``if epoch % 2 == 0 or epoch == last``."""
    values = [0.5 if mark == "x" else None for mark in "x.x.x.x.xx"]
    losses = Series.from_optional(values)
    run = Run(name="run", source="", first_epoch=0, series={"val_loss": losses})
    assert find_cadence(run, "val_loss") == 2
    assert find_gap(run, "val_loss") is None


def test_values_that_a_frame_may_hold_as_nan_leave_no_cadence() -> None:
    """Keras's callback saw NaN in epochs 4 and 6, and stopped at 5, not at 7."""
    losses = [0.5, 0.5, 0.5, float("nan"), 0.5, float("nan"), 0.5, 0.5]
    seen = Run.from_logs([{"val_loss": loss} for loss in losses], first_epoch=1)
    stopping = EarlyStopping(patience=4)
    assert replay_run(seen, stopping, semantics="keras-3.15").stopped_epoch == 5
    epochs = range(1, 9)
    frame = pd.DataFrame({"epoch": epochs, "loss": 0.5, "val_loss": losses})
    (run,) = load_runs(frame, first_epoch=1)
    assert find_cadence(run, "val_loss") is None
    assert replay_run(run, stopping, semantics="keras-3.15").evidence == "incomplete"
