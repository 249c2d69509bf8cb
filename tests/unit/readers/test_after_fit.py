"""Rows that are no epoch: what is logged when a training is over, or has not begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import Run, load_runs

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path, text: str, name: str = "metrics.csv") -> Run:
    log = path / name
    log.write_text(text, encoding="utf-8")
    (run,) = load_runs(log)
    return run


HEADER = "epoch,step,train_loss,val_loss,test_loss\n"
# two epochs of ten steps, each validated once, before the row of the training
TWO = "0,9,,.8,\n0,9,.9,,\n1,19,,.6,\n1,19,.7,,\n"


@pytest.mark.parametrize(
    "after",
    [
        # trainer.test: at the epoch and step that come next, or once more at the last
        "2,20,,,.65\n",
        "1,19,,,.65\n",
        # trainer.validate, of the last or the best weights
        "2,20,,.6,\n",
        "1,19,,.61,\n",
        # both, in either order
        "2,20,,.6,\n2,20,,,.65\n",
        "2,20,,,.65\n2,20,,.6,\n",
    ],
)
def test_tests_and_validations_after_fit_are_left_out(
    tmp_path: Path, after: str
) -> None:
    run = read(tmp_path, HEADER + TWO + after)
    assert (run.first_epoch, run.horizon) == (0, 1)
    assert list(run.series["val_loss"]) == [0.8, 0.6]
    assert list(run.series["train_loss"]) == [0.9, 0.7]
    assert "test_loss" not in run.series
    assert any("that is not the training's own" in note for note in run.notes)


@pytest.mark.parametrize("rows", [TWO, "0,9,.9,,\n0,9,,.8,\n1,19,.7,,\n1,19,,.6,\n"])
def test_the_last_validation_of_the_training_stays(tmp_path: Path, rows: str) -> None:
    run = read(tmp_path, HEADER + rows)
    assert list(run.series["val_loss"]) == [0.8, 0.6]
    assert not any("left out" in note for note in run.notes)


def test_a_validation_before_the_first_step_is_left_out(tmp_path: Path) -> None:
    run = read(tmp_path, HEADER + "0,0,,2.5,\n" + TWO)
    assert list(run.series["val_loss"]) == [0.8, 0.6]


def test_columns_are_known_by_words_in_their_names(tmp_path: Path) -> None:
    header = "Test MSE,Train loss,Valid MSE,epoch,step\n"
    rows = ",,5.5,0,0\n,,4.5,1,1\n,3.5,,1,1\n,,2.5,2,2\n1.5,,,3,3\n"
    run = read(tmp_path, header + rows)
    assert list(run.series["Valid MSE"]) == [5.5, 4.5, 2.5]
    assert "Test MSE" not in run.series


@pytest.mark.parametrize(
    ("rows", "values"),
    [
        # every validation has three steps before it, the last one step
        ("0,2,.9\n1,5,.8\n2,8,.7\n3,9,.8\n", [0.9, 0.8, 0.7]),
        # once more at the last epoch
        ("0,2,.9\n1,5,.8\n2,8,.7\n2,8,.8\n", [0.9, 0.8, 0.7]),
        # epochs of one step each: nothing tells the last from the others
        ("0,0,.9\n1,1,.8\n2,2,.7\n3,3,.8\n", [0.9, 0.8, 0.7, 0.8]),
    ],
)
def test_a_log_of_validations_only_is_judged_by_its_steps(
    tmp_path: Path, rows: str, values: list[float]
) -> None:
    run = read(tmp_path, "epoch,step,val_loss\n" + rows)
    assert list(run.series["val_loss"]) == values


def test_a_test_series_of_every_epoch_is_a_series(tmp_path: Path) -> None:
    rows = "0,9,.9,,.8\n1,19,.7,,.6\n2,29,.5,,.5\n"
    run = read(tmp_path, HEADER + rows)
    assert list(run.series["test_loss"]) == [0.8, 0.6, 0.5]
