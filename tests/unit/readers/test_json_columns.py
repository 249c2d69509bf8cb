"""JSON that pandas wrote of a table column by column, each value at its index."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import pandas as pd
import pytest

from cbreplay import LogError, Run, load_runs

if TYPE_CHECKING:
    from pathlib import Path


def read(directory: Path, text: str, name: str = "log.json") -> Run:
    path = directory / name
    path.write_text(text, encoding="ascii")
    (run,) = load_runs(path)
    return run


# DataFrame.to_json() of a W&B history, an MLflow history, and a log of three epochs
WANDB = """{"_step":{"0":0,"1":1,"2":2},"_timestamp":{"0":5,"1":6,"2":7},
    "epoch":{"0":0,"1":1,"2":2},"val_loss":{"0":0.9,"1":0.7,"2":0.8}}"""
MLFLOW = """{"key":{"0":"val_loss","1":"val_loss","2":"val_loss"},
    "value":{"0":0.9,"1":0.7,"2":0.8},"timestamp":{"0":1000,"1":2000,"2":3000},
    "step":{"0":0,"1":1,"2":2}}"""
PLAIN = '{"val_loss":{"0":0.9,"1":0.7,"2":0.8}}'


@pytest.mark.parametrize("text", [WANDB, MLFLOW, PLAIN])
def test_a_table_that_was_written_by_columns_is_read_by_rows(
    tmp_path: Path, text: str
) -> None:
    assert list(read(tmp_path, text).series["val_loss"]) == [0.9, 0.7, 0.8]


@pytest.mark.parametrize(
    "text",
    [
        '{"val_loss":{"0":0.9,"1":0.7,"4":0.8}}',
        '{"epoch":{"0":0,"1":1,"4":4},"val_loss":{"0":0.9,"1":0.7,"4":0.8}}',
    ],
)
def test_rows_that_were_dropped_before_are_holes(tmp_path: Path, text: str) -> None:
    run = read(tmp_path, text)
    assert list(run.series["val_loss"]) == [0.9, 0.7, None, None, 0.8]


def test_evaluations_within_an_epoch_are_no_epochs(tmp_path: Path) -> None:
    # a metrics.csv of Lightning with two validations an epoch, read and saved by pandas
    text = """{"epoch":{"0":0,"1":0,"2":1,"3":1},"step":{"0":9,"1":19,"2":29,"3":39},
        "val_loss":{"0":0.9,"1":0.7,"2":0.6,"3":0.5},
        "train_loss":{"0":null,"1":0.8,"2":null,"3":0.4}}"""
    run = read(tmp_path, text)
    assert list(run.series) == ["train_loss"]
    assert any("left out val_loss" in note for note in run.notes)


def test_the_restored_model_of_mlflow_is_no_epoch_in_a_pivoted_table(
    tmp_path: Path,
) -> None:
    # the autologger's steps 0 to 2, and those of step 1 once more
    text = """{"loss":{"0":0.91,"1":0.72,"2":0.63,"3":0.72},
        "restored_epoch":{"0":1.0,"1":null,"2":null,"3":null},
        "stopped_epoch":{"0":2.0,"1":null,"2":null,"3":null},
        "val_loss":{"0":0.84,"1":0.55,"2":0.76,"3":0.55}}"""
    run = read(tmp_path, text)
    assert list(run.series) == ["loss", "val_loss"]
    assert list(run.series["val_loss"]) == [0.84, 0.55, 0.76]


@pytest.mark.parametrize("orient", ["split", "table", "index", "columns"])
def test_rows_taken_out_of_a_frame_are_missed_however_pandas_wrote_it(
    tmp_path: Path, orient: Literal["split", "table", "index", "columns"]
) -> None:
    frame = pd.DataFrame({"loss": [0.9, 0.7, 0.5, 0.4], "val_loss": [0.9, 0.8, 0.7, 1]})
    frame.drop(index=2).to_json(tmp_path / "history.json", orient=orient)
    (run,) = load_runs(tmp_path / "history.json")
    assert list(run.series["loss"]) == [0.9, 0.7, None, 0.4]


def test_a_column_called_index_counts_rows_of_which_some_are_lost(
    tmp_path: Path,
) -> None:
    frame = pd.DataFrame({"loss": [0.9, 0.7, 0.5, 0.4]}).drop(index=2).reset_index()
    frame.to_csv(tmp_path / "history.csv", index=False)
    (run,) = load_runs(tmp_path / "history.csv")
    assert list(run.series["loss"]) == [0.9, 0.7, None, 0.4]


STEPS = [0, 7, 9, 20, 31, 32, 45, 58, 59, 77, 80, 93]
ROWS = [(step, 1 / (1 + step)) for step in STEPS]
LISTS = {"_step": STEPS, "val_loss": [loss for _, loss in ROWS]}


@pytest.mark.parametrize(
    "held",
    [
        LISTS,
        {"columns": [*LISTS], "index": [*range(len(ROWS))], "data": ROWS},
        {"history": [dict(zip(LISTS, row, strict=True)) for row in ROWS]},
        {"steps": STEPS, "val_loss": LISTS["val_loss"]},
    ],
)
def test_a_sampled_history_is_told_however_its_rows_are_laid_out(
    tmp_path: Path, held: object
) -> None:
    (tmp_path / "history.json").write_text(json.dumps(held), encoding="ascii")
    with pytest.raises(LogError, match="as in a sample of a longer history"):
        load_runs(tmp_path / "history.json")


def test_a_table_with_its_schema_and_no_row_is_no_log(tmp_path: Path) -> None:
    empty = pd.DataFrame({"epoch": [], "loss": []}).to_json(orient="table")
    (tmp_path / "table.json").write_text(empty, encoding="ascii")
    with pytest.raises(LogError, match="holds no lists of numbers"):
        load_runs(tmp_path / "table.json")
