"""What Comet's ``get_metrics()`` answers, as JSON and as a CSV."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import LogError, load_runs

if TYPE_CHECKING:
    from pathlib import Path

VAL_LOSS = [0.9, 0.7, 0.8, 0.75, 0.74, 0.7]
# of a machine, with neither step nor epoch
MACHINE = {"metricName": "sys.gpu.0.free_memory", "metricValue": "12.5"}


def rows(steps: int = 1, *, of_steps: bool = True, of_epochs: bool = True) -> list[Any]:
    """Return so many values of the loss an epoch, and one of the validation."""
    told = []
    for epoch, value in enumerate(VAL_LOSS):
        told += [
            ("loss", value / 2 + step / 1000, step, epoch)
            for step in range(epoch * steps, (epoch + 1) * steps)
        ]
        told.append(("val_loss", value, (epoch + 1) * steps - 1, epoch))
    return [
        {
            "metricName": name,
            "metricValue": repr(value),
            "timestamp": 1_700_000_000_000 + at,
            "step": step if of_steps else None,
            "epoch": epoch if of_epochs else None,
            "runContext": None,
        }
        for at, (name, value, step, epoch) in enumerate(told)
    ]


def write(tmp_path: Path, held: object) -> Path:
    log = tmp_path / "metrics.json"
    log.write_text(json.dumps(held), encoding="utf-8")
    return log


@pytest.mark.parametrize("of_steps", [True, False])
def test_metrics_of_each_epoch_are_a_training(
    tmp_path: Path, *, of_steps: bool
) -> None:
    held = [*rows(of_steps=of_steps), MACHINE]
    for shape in (held, {"metrics": held}, held[::-1]):
        (run,) = load_runs(write(tmp_path, shape))
        assert list(run.series["val_loss"]) == VAL_LOSS
        assert set(run.series) == {"loss", "val_loss"}
        assert any("sys.gpu.0.free_memory" in note for note in run.notes)


def test_steps_are_those_of_their_epochs(tmp_path: Path) -> None:
    (run,) = load_runs(write(tmp_path, rows(steps=4)))
    assert list(run.series["val_loss"]) == VAL_LOSS


def test_a_table_that_pandas_wrote_of_it_is_read(tmp_path: Path) -> None:
    log = tmp_path / "metrics.csv"
    with log.open("w", newline="") as file:
        table = csv.DictWriter(file, ["", *rows()[0]])
        table.writeheader()
        table.writerows({"": at, **row} for at, row in enumerate(rows(steps=3)))
    (run,) = load_runs(log)
    assert list(run.series["val_loss"]) == VAL_LOSS


def test_each_experiment_is_a_run(tmp_path: Path) -> None:
    two = [{**row, "experimentKey": key} for key in ("a", "b") for row in rows()]
    two[-1]["metricValue"] = "0.6"
    names = [run.name for run in load_runs(write(tmp_path, two))]
    assert names == ["metrics.json#a", "metrics.json#b"]


def test_steps_without_epochs_ask_what_counts(tmp_path: Path) -> None:
    # the last step repeats an earlier one, as in MLflow a restored model's would
    log = write(tmp_path, rows(steps=4, of_epochs=False))
    with pytest.raises(LogError, match="a value at 6 of 24"):
        load_runs(log)
    (run,) = load_runs(log, x_axis="epoch")
    assert list(run.series["val_loss"]) == VAL_LOSS


def test_values_without_step_and_epoch_say_how_to_log_them(tmp_path: Path) -> None:
    log = write(tmp_path, rows(of_steps=False, of_epochs=False))
    with pytest.raises(LogError, match="no value in it has a step") as caught:
        load_runs(log)
    assert "log_metric(name, value, epoch=epoch)" in str(caught.value)


@pytest.mark.parametrize("value", [None, "NaN", "inf"])
def test_a_value_that_is_no_number_is_missing_or_as_written(
    tmp_path: Path, value: str | None
) -> None:
    held = rows()
    held[5]["metricValue"] = value
    (run,) = load_runs(write(tmp_path, held))
    assert run.n_epochs == len(VAL_LOSS)
    assert run.series["val_loss"].recorded[2] == (value is not None)


@pytest.mark.parametrize("name", [["loss"], {"a": 1}, ""])
def test_a_metric_without_a_name_is_refused(tmp_path: Path, name: object) -> None:
    held = rows()
    held[3]["metricName"] = name
    with pytest.raises(LogError, match="a metric's metricname is"):
        load_runs(write(tmp_path, held))
