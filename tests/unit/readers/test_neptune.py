"""A table of one series, as Neptune's ``fetch_values`` makes it: step, value, time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import load_runs

if TYPE_CHECKING:
    from pathlib import Path

VAL_LOSS = [0.9, 0.7, 0.6, 0.65]


def write(log: Path, values: list[float], header: str, row: str) -> Path:
    log.parent.mkdir(exist_ok=True)
    lines = [row.format(at=at, value=value) for at, value in enumerate(values)]
    log.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return log


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (",step,value,timestamp", "{at},{at}.0,{value},2024-03-01 10:00:0{at}.5"),
        ("_id,value,timestamp", "{at},{value},170000000{at}000"),
        ("step,value", "{at},{value}"),
    ],
)
@pytest.mark.parametrize("name", ["val_loss.csv", "val_loss (1).csv"])
def test_the_series_is_called_as_its_file(
    tmp_path: Path, header: str, row: str, name: str
) -> None:
    (run,) = load_runs(write(tmp_path / name, VAL_LOSS, header, row))
    assert list(run.series["val_loss"]) == VAL_LOSS
    assert any("as the file is called" in note for note in run.notes)


def test_a_file_that_tells_no_series_has_a_value(tmp_path: Path) -> None:
    log = write(tmp_path / "export.csv", VAL_LOSS, "step,value", "{at},{value}")
    (run,) = load_runs(log)
    assert list(run.series) == ["value"]


def test_times_are_seconds_whatever_they_count(tmp_path: Path) -> None:
    row = "{at},{value},170000000{at}000"
    log = write(tmp_path / "val_loss.csv", VAL_LOSS, "_id,value,timestamp", row)
    (run,) = load_runs(log)
    assert run.wall_seconds is not None
    assert run.wall_seconds <= len(VAL_LOSS)


def test_the_series_of_a_directory_are_one_training(tmp_path: Path) -> None:
    for name, factor in (("val_loss", 1.0), ("train_loss", 0.5)):
        values = [value * factor for value in VAL_LOSS]
        write(tmp_path / "RUN-1" / f"{name}.csv", values, "step,value", "{at},{value}")
    (run,) = load_runs(tmp_path)
    assert set(run.series) == {"val_loss", "train_loss"}
    assert list(run.series["val_loss"]) == VAL_LOSS


def test_one_series_of_several_trainings_is_none(tmp_path: Path) -> None:
    for name in ("a", "b"):
        values = [value + ord(name) for value in VAL_LOSS]
        write(tmp_path / name / "val_loss.csv", values, "step,value", "{at},{value}")
    assert len(load_runs(tmp_path)) == 2


def test_a_rate_is_that_of_the_training_beside_it(tmp_path: Path) -> None:
    for name, values in (("lr", [0.5, 0.5, 0.25, 0.25]), ("val_loss", VAL_LOSS)):
        write(tmp_path / "RUN-1" / f"{name}.csv", values, "step,value", "{at},{value}")
    (run,) = load_runs(tmp_path)
    assert list(run.series) == ["val_loss"]
    assert run.learning_rate is not None
    assert list(run.learning_rate) == [0.5, 0.5, 0.25, 0.25]
    # its rows say the rate of each epoch
    assert run.rate_source == ""
