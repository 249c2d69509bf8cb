"""Rows behind a training of which a column says that they are a test's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cbreplay import load_runs

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay import Run

LOSSES = [0.9, 0.7, 0.6, 0.65]
SAID = "after the training, as"


def epochs(column: str, word: str, *, step: bool = True) -> list[dict[str, object]]:
    return [
        {
            "epoch": epoch,
            **({"step": 50 * epoch + 49} if step else {}),
            "loss": loss / 2,
            "val_loss": loss,
            column: word,
        }
        for epoch, loss in enumerate(LOSSES)
    ]


def read(tmp_path: Path, rows: list[dict[str, object]]) -> list[Run]:
    log = tmp_path / "metrics.csv"
    names = list(rows[0])
    lines = [",".join(str(row.get(name, "")) for name in names) for row in rows]
    log.write_text("\n".join([",".join(names), *lines, ""]))
    return load_runs(log)


@pytest.mark.parametrize("step", [True, False])
@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("stage", ("fit", "test")),
        ("phase", ("train", "testing")),
        ("mode", ("FIT", "TEST")),
        ("where", ("RunningStage.TRAINING", "RunningStage.TESTING")),
        ("comment", ("", "final test")),
    ],
)
def test_a_test_that_reuses_the_loss_is_no_epoch(
    tmp_path: Path, column: str, words: tuple[str, str], *, step: bool
) -> None:
    rows = epochs(column, words[0], step=step)
    test = {**rows[0], "epoch": 4, "loss": 0.44, "val_loss": "", column: words[1]}
    (run,) = read(tmp_path, [*rows, test | ({"step": 200} if step else {})])
    assert list(run.series["loss"]) == [loss / 2 for loss in LOSSES]
    assert any(SAID in note and words[1] in note for note in run.notes)


def test_a_test_at_the_last_step_replaces_no_value_of_the_training(
    tmp_path: Path,
) -> None:
    rows = epochs("stage", "fit")
    test = {**rows[-1], "loss": 0.44, "val_loss": "", "stage": "test"}
    (run,) = read(tmp_path, [*rows, test, test])
    assert list(run.series["loss"]) == [loss / 2 for loss in LOSSES]


def test_each_training_of_a_file_has_its_own_test(tmp_path: Path) -> None:
    rows = epochs("stage", "fit", step=False)
    test = {**rows[0], "epoch": 4, "loss": 0.44, "val_loss": "", "stage": "test"}
    later = [{**row, "loss": 0.1, "val_loss": 0.2 + row["epoch"]} for row in rows]  # type: ignore[operator]  # epochs are numbers
    runs = read(tmp_path, [*rows, test, *later, test])
    assert [run.n_epochs for run in runs] == [4, 4]


def test_a_validation_after_a_fit_that_validated_is_no_epoch(tmp_path: Path) -> None:
    rows = epochs("stage", "fit")
    last = {"epoch": 4, "step": 200, "loss": "", "val_loss": 0.6, "stage": "validate"}
    (run,) = read(tmp_path, [*rows, last])
    assert list(run.series["val_loss"]) == LOSSES


def test_rows_of_json_say_so_too(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    test = {"epoch": 4, "loss": 0.44, "stage": "test"}
    log.write_text(json.dumps([*epochs("stage", "fit", step=False), test]))
    (run,) = load_runs(log)
    assert run.n_epochs == len(LOSSES)


@pytest.mark.parametrize(
    ("first", "then"),
    # phases of a training; tests in each epoch; the only validation there is
    [("pretrain", "finetune"), ("test", "test"), ("train", "contest")],
)
def test_other_words_are_of_the_training(tmp_path: Path, first: str, then: str) -> None:
    rows = epochs("stage", first)
    rows[-1]["stage"] = then
    (run,) = read(tmp_path, rows)
    assert run.n_epochs == len(LOSSES)


def test_the_only_validation_of_a_training_stays(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"epoch": epoch, "step": epoch, "loss": 0.5 - epoch / 10, "val_loss": ""}
        for epoch in range(3)
    ]
    for row in rows:
        row["stage"] = "train"
    last = {"epoch": 2, "step": 2, "loss": "", "val_loss": 0.6, "stage": "validate"}
    (run,) = read(tmp_path, [*rows, last])
    assert run.series["val_loss"].values[-1] == 0.6


def test_one_metric_for_all_stages_is_a_series_of_each(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"epoch": epoch, "step": 50 * epoch + 49, "loss": loss + at / 8, "stage": stage}
        for epoch, loss in enumerate(LOSSES)
        for at, stage in enumerate(("val", "train"))
    ]
    (run,) = read(tmp_path, rows)
    assert list(run.series["val_loss"]) == LOSSES
    assert list(run.series["loss"]) == [loss + 1 / 8 for loss in LOSSES]
    # a rate that stands in every row is no metric of both
    apart = [
        {**row, "lr": 0.1, "loss" if row["stage"] == "val" else "val_loss": ""}
        for row in rows
    ]
    for row, told in zip(apart, rows, strict=True):
        row["val_loss" if told["stage"] == "val" else "loss"] = told["loss"]
    (run,) = read(tmp_path, apart)
    assert list(run.series["val_loss"]) == LOSSES


def test_a_test_behind_thousands_of_rows_is_no_epoch(tmp_path: Path) -> None:
    # more than the cells of a column of text that are kept
    rows = [f"{epoch},fit,{1 / (epoch + 1)}" for epoch in range(3000)]
    path = tmp_path / "long.csv"
    path.write_text("\n".join(["epoch,stage,loss", *rows, "3000,test,0.25", ""]))
    (run,) = load_runs(path)
    assert run.horizon == 2999
    assert any("1 row after the training" in note for note in run.notes)
