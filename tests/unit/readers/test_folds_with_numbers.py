"""Folds in one log whose metrics Keras numbered: ``auc``, then ``auc_1``, ``auc_2``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from cbreplay.loading import load_runs

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay import Run

FOLDS = ((0.9, 0.5, 0.6, 0.7), (0.8, 0.4, 0.3, 0.35), (0.95, 0.6, 0.5, 0.55))
Rows = list[dict[str, Any]]


def rows_of_folds() -> Rows:
    return [
        {f"val_auc_{fold}" if fold else "val_auc": 1 - loss / 2, "val_loss": loss}
        for fold, losses in enumerate(FOLDS)
        for loss in losses
    ]


def as_csv(rows: Rows) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(f"{row.get(name, '')}" for name in names) for row in rows]
    return "\n".join([",".join(names), *lines, ""])


def check_folds(runs: list[Run]) -> None:
    told = [(run.first_epoch, [*run.series["val_loss"]]) for run in runs]
    assert told == [(0, [*losses]) for losses in FOLDS]
    for run, losses in zip(runs, FOLDS, strict=True):
        assert [*run.series["val_auc"]] == [1 - loss / 2 for loss in losses]


@pytest.mark.parametrize("numbered", ["", "Unnamed: 0", "step", "_step"])
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_rows_without_epochs_begin_anew_with_the_model_of_each_fold(
    tmp_path: Path, ending: str, numbered: str
) -> None:
    rows = rows_of_folds()
    if numbered:
        rows = [{numbered: at, **row} for at, row in enumerate(rows)]
    log = tmp_path / f"log.{ending}"
    log.write_text(
        as_csv(rows) if ending == "csv" else "\n".join(map(json.dumps, rows))
    )
    check_folds([*load_runs(log)])


def test_a_column_of_epochs_that_goes_on_says_that_a_fit_was_resumed(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log.csv"
    log.write_text(as_csv([{"epoch": at, **r} for at, r in enumerate(rows_of_folds())]))
    (run,) = load_runs(log)
    assert run.seams == (4, 8)


def test_rows_that_the_user_calls_one_training_are_one(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(as_csv(rows_of_folds()))
    (run,) = load_runs(log, parts="rows")
    assert run.n_epochs == 12


@pytest.mark.parametrize("apart", [1, 100])
def test_folds_in_one_run_of_mlflow_are_told_by_their_times(
    tmp_path: Path, apart: int
) -> None:
    time, points = 1600000000000, []
    for at, row in enumerate(rows_of_folds()):
        # a fold begins some seconds after the one before
        time += 1000 * (apart if at % 4 == 0 else 1)
        points += [f"{name},{value},{time},{at % 4}" for name, value in row.items()]
    log = tmp_path / "metrics.csv"
    log.write_text("\n".join(["key,value,timestamp,step", *points, ""]))
    check_folds([*load_runs(log)])


@pytest.mark.parametrize("ignore_index", [True, False])
def test_histories_of_folds_that_were_put_together_are_folds(
    *, ignore_index: bool
) -> None:
    parts = [pd.DataFrame(rows_of_folds()[at : at + 4]) for at in (0, 4, 8)]
    check_folds([*load_runs(pd.concat(parts, ignore_index=ignore_index))])
