"""Two callbacks that write the rate: each row, and what the epoch was trained at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cbreplay import load_runs, parse_callbacks, replay_run

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay import Run

# flat from epoch 0 on: a patience of 1 reduces at the end of every epoch from 1 on
LOSSES = [1.0, 1.0, 1.0, 1.0]
TWO = ["ReduceLROnPlateau(patience=1, factor=0.5)", "ReduceLROnPlateau(patience=2)"]


def read(
    directory: Path, callbacks: list[str], rates: list[float], initial: float
) -> Run:
    rows = [f"{i},{a},{b}" for i, (a, b) in enumerate(zip(LOSSES, rates, strict=True))]
    text = "\r\n".join(["epoch,val_loss,learning_rate", *rows, ""])
    (directory / "logs.csv").write_bytes(text.encode())
    written = {
        "schema": 1,
        "keras": {"package": "keras", "version": "3.15.1"},
        "fit": {"epochs": 4, "initial_epoch": 0},
        "callbacks": [*callbacks, "CSVLogger('logs.csv')"],
        "optimizer": {"initial_learning_rate": initial, "schedule": None},
    }
    (directory / "run.json").write_text(json.dumps(written))
    (run,) = load_runs(directory)
    return run


def rates_of(run: Run) -> list[float]:
    assert run.learning_rate is not None
    return [float(one) for one in run.learning_rate.values]


def test_the_row_of_a_reduction_is_read_as_the_rate_before_it(tmp_path: Path) -> None:
    # the first halves at the end of 1, 2, 3; the second, of patience 2, takes a tenth
    # at the end of 2. It writes the row: after the first's halving, before its own.
    #   epoch    trained at    row
    #   0        1             1
    #   1        1             .5
    #   2        .5            .25
    #   3        .025          .0125
    tenth = float(np.float32(np.float32(0.25) * 0.1))
    run = read(tmp_path, TWO, [1.0, 0.5, 0.25, tenth / 2], initial=1.0)
    assert rates_of(run) == [1.0, 1.0, 0.5, tenth]
    assert any("replayed in the order of run.json" in note for note in run.notes)
    replay = replay_run(run, parse_callbacks(*TWO))
    assert (replay.evidence, replay.divergence_epoch) == ("exact", None)


def test_a_schedule_before_a_plateau_has_rows_as_trained(tmp_path: Path) -> None:
    # the plateau is the last writer: each row is what the epoch was trained at
    listed = ["LearningRateScheduler({0: 0.5, 2: 0.25})", "ReduceLROnPlateau()"]
    run = read(tmp_path, listed, [0.5, 0.5, 0.25, 0.25], initial=1.0)
    assert rates_of(run) == [0.5, 0.5, 0.25, 0.25]
    assert replay_run(run, parse_callbacks(*listed)).evidence == "exact"


@pytest.mark.parametrize(
    ("listed", "rows"),
    [
        # these two would have written other rows
        (TWO, [1.0, 0.5, 0.25, 0.2]),
        # a function in run.json has no text
        (["LearningRateScheduler(...)", "ReduceLROnPlateau()"], [1.0, 0.5, 0.5, 0.5]),
    ],
)
def test_what_the_list_does_not_explain_is_left_and_noted(
    listed: list[str], rows: list[float], tmp_path: Path
) -> None:
    run = read(tmp_path, listed, rows, initial=1.0)
    assert rates_of(run) == [float(np.float32(one)) for one in rows]
    assert any("both wrote the learning rate" in note for note in run.notes)
