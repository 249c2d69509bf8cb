"""A column that says that another phase, or another process, goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cbreplay import EarlyStopping, replay_run
from cbreplay.loading import load_runs
from cbreplay.replay.resume import resumed_as

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay import Run

# best in the third epoch; the second fit begins with worse values
LOSSES = [0.9, 0.6, 0.3, 0.35, 0.36, 0.34, 0.55, 0.5, 0.47, 0.45]
FIRST = 6


def read(path: Path, name: str, words: list[str]) -> Run:
    rows = [
        f"{epoch},{word},{loss}"
        for epoch, (word, loss) in enumerate(zip(words, LOSSES, strict=True))
    ]
    log = path / "log.csv"
    log.write_text("\n".join([f"epoch,{name},val_loss", *rows, ""]))
    (run,) = load_runs(log)
    return run


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("phase", "frozen", "tuned"),
        ("stage", "1", "2"),
        ("run_id", "a7", "b9"),
        ("batch_size", "32", "64"),
    ],
)
def test_where_a_phase_begins_a_fit_may_have_been_resumed(
    tmp_path: Path, name: str, before: str, after: str
) -> None:
    run = read(tmp_path, name, [before] * FIRST + [after] * (len(LOSSES) - FIRST))
    assert (run.seams, run.possible_seams) == ((FIRST,), frozenset({FIRST}))
    (note,) = (note for note in run.notes if "goes from" in note)
    assert f"{name} goes from {before!r} to {after!r} at epoch 7" in note
    assert "--seam 6 or seams=[6] says the former, --resume never" in note
    # under the same callbacks the fifth value after the best stops; under new ones
    # each value of the second fit is better than the one before
    assert replay_run(run, EarlyStopping(patience=5)).evidence == "incomplete"
    assert replay_run(run, EarlyStopping(patience=2)).stopped_epoch == 2 + 2


def test_who_says_that_the_same_fit_went_on_gets_one_fit(tmp_path: Path) -> None:
    words = ["frozen"] * FIRST + ["tuned"] * (len(LOSSES) - FIRST)
    run = resumed_as(read(tmp_path, "phase", words), "never")
    assert replay_run(run, EarlyStopping(patience=5)).stopped_epoch == 2 + 5


@pytest.mark.parametrize(
    ("name", "words"),
    [
        # they come again, they differ in each row, or tell no fit
        ("phase", ["slow", "fast"] * 5),
        ("stage", [str(number) for number in range(10)]),
        ("note", ["saved"] * 5 + ["kept"] * 5),
        ("phase", ["all"] * 10),
    ],
)
def test_other_words_tell_of_no_fit(
    tmp_path: Path, name: str, words: list[str]
) -> None:
    assert read(tmp_path, name, words).seams == ()


@pytest.mark.parametrize("said", ["--- New Fine-tuning Run ---", "# resumed from 6"])
def test_where_a_line_says_that_a_fit_begins_one_may_have_been_resumed(
    tmp_path: Path, said: str
) -> None:
    rows = [f"{epoch},{loss}" for epoch, loss in enumerate(LOSSES)]
    lines = ["# a comment", "epoch,val_loss", *rows[:FIRST], said, *rows[FIRST:]]
    log = tmp_path / "log.csv"
    log.write_text("\n".join([*lines, "saved", ""]))
    (run,) = load_runs(log)
    assert (run.seams, run.possible_seams) == ((FIRST,), frozenset({FIRST}))
    (note,) = (note for note in run.notes if "line 9 says" in note)
    assert f"{said!r} at epoch 7 (counted from 1): a fit was resumed there" in note
    assert replay_run(run, EarlyStopping(patience=5)).evidence == "incomplete"


@pytest.mark.parametrize("name", ["time", "elapsed_seconds", "time_since_restore"])
def test_a_clock_that_begins_again_may_be_that_of_a_resumed_fit(
    tmp_path: Path, name: str
) -> None:
    clock = [24.5 * (at + 1 if at < FIRST else at + 1 - FIRST) for at in range(10)]
    run = read(tmp_path, name, [f"{seconds:g}" for seconds in clock])
    assert run.possible_seams == frozenset({FIRST})
    assert f"{name} begins again at epoch {FIRST + 1}" in " ".join(run.notes)


def test_how_long_each_epoch_took_tells_of_no_resumed_fit(tmp_path: Path) -> None:
    seconds = ["61", "24.1", "24.9", "24.3", "25.5", "24.2", "24.8", "25", "26", "24"]
    run = read(tmp_path, "time", seconds)
    assert run.possible_seams == frozenset()


def test_ultralytics_counts_its_time_anew_where_it_was_resumed(tmp_path: Path) -> None:
    rows = [
        f"{at + 1},{24.5 * (at % FIRST + 1):g},0.5,0.5,{loss}"
        for at, loss in enumerate(LOSSES)
    ]
    names = "epoch,time,train/box_loss,metrics/mAP50-95(B),val/box_loss"
    log = tmp_path / "results.csv"
    log.write_text("\n".join([names, *rows, ""]))
    (run,) = load_runs(log)
    assert run.possible_seams == frozenset({FIRST})


def test_what_a_process_says_at_its_start_may_begin_a_resumed_fit(
    tmp_path: Path,
) -> None:
    rows = [{"mode": "val", "epoch": at, "loss": own} for at, own in enumerate(LOSSES)]
    head = {"env_info": "linux", "seed": 0}
    log = tmp_path / "run.log.json"
    lines = [head, *rows[:FIRST], head, *rows[FIRST:]]
    log.write_text("".join(f"{json.dumps(row)}\n" for row in lines))
    (run,) = load_runs(log)
    assert list(run.series) == ["val_loss"]
    assert run.possible_seams == frozenset({FIRST})
    assert "left out rows of env_info, seed" in run.notes
