from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest

from cbreplay import ConfigError, LogError, Run
from cbreplay.readers.base import ReadOptions
from cbreplay.readers.csv_logger import CsvLoggerReader
from cbreplay.readers.event_files.tensorboard import TensorBoardReader
from cbreplay.readers.formats import format_of
from cbreplay.readers.in_memory import InMemoryReader
from cbreplay.readers.other_tools.json_history import JsonHistoryReader
from cbreplay.readers.other_tools.lightning import LightningReader
from cbreplay.readers.other_tools.weights_and_biases import WandbReader
from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from collections.abc import Callable

    from cbreplay.readers.base import LogReader

# the same training in every format: powers of two are exact in float32 and in text
CHOICES: tuple[Literal["strict", "skip"], ...] = ("strict", "skip")
LOSSES, RATES = [0.5, 0.25, 0.125], [1.0, 0.5, 0.5]


def make_lists(directory: Path, *, epochs: list[int]) -> dict[str, list[float]]:
    assert directory.is_dir()
    return {"epoch": [*epochs], "loss": LOSSES, "lr": RATES}


def write_csv_log(directory: Path, *, epochs: list[int]) -> str:
    rows = [
        f"{epoch},{rate},{loss}"
        for epoch, rate, loss in zip(epochs, RATES, LOSSES, strict=True)
    ]
    path = directory / "logs.csv"
    path.write_text("\r\n".join(["epoch,learning_rate,loss", *rows, ""]), newline="")
    return str(path)


def write_event_log(directory: Path, *, epochs: list[int]) -> str:
    points = [
        (float(i), epoch, tag, value)
        for i, epoch in enumerate(epochs)
        for tag, value in (("epoch_loss", LOSSES[i]), ("epoch_learning_rate", RATES[i]))
    ]
    return str(write_events(directory / "events.out.tfevents.1", points))


def write_lightning_log(directory: Path, *, epochs: list[int]) -> str:
    # the loss of an epoch and its rate stand in rows of their own
    rows = [
        row
        for step, (epoch, rate, loss) in enumerate(
            zip(epochs, RATES, LOSSES, strict=True)
        )
        for row in (f"{epoch},{step},{loss},", f"{epoch},{step},,{rate}")
    ]
    path = directory / "metrics.csv"
    path.write_text("\n".join(["epoch,step,loss,lr-SGD", *rows, ""]))
    return str(path)


def write_json_log(directory: Path, *, epochs: list[int]) -> str:
    path = directory / "history.json"
    path.write_text(json.dumps(make_lists(directory, epochs=epochs)))
    return str(path)


def write_wandb_log(directory: Path, *, epochs: list[int]) -> str:
    rows = [
        {"_step": step, "epoch": epoch, "loss": loss, "lr": rate}
        for step, (epoch, rate, loss) in enumerate(
            zip(epochs, RATES, LOSSES, strict=True)
        )
    ]
    path = directory / "wandb.json"
    path.write_text(json.dumps(rows))
    return str(path)


@dataclass(frozen=True)
class Format:
    """A reader, and how a log of its format is written."""

    make: Callable[[ReadOptions], LogReader]
    write: Callable[..., Any]
    rows_are_steps: bool = False


FORMATS = {
    "csv": Format(CsvLoggerReader, write_csv_log),
    "lightning": Format(LightningReader, write_lightning_log, rows_are_steps=True),
    "json": Format(JsonHistoryReader, write_json_log),
    "wandb": Format(WandbReader, write_wandb_log, rows_are_steps=True),
    "events": Format(TensorBoardReader, write_event_log),
    "memory": Format(InMemoryReader, make_lists),
}
FILES = ["csv", "events", "lightning", "json", "wandb"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_of_its_own_format_and_no_other(name: str, tmp_path: Path) -> None:
    source = FORMATS[name].write(tmp_path, epochs=[0, 1, 2])
    assert format_of(source) == name


@pytest.mark.parametrize("name", ["absent.csv", "readme.md", "zeros.csv"])
def test_what_is_no_log_is_of_no_format(tmp_path: Path, name: str) -> None:
    (tmp_path / "readme.md").write_text("epoch,loss\n0,1\n")
    (tmp_path / "zeros.csv").write_bytes(bytes(100))
    assert format_of(str(tmp_path / name)) is None
    assert not InMemoryReader(ReadOptions()).accepts(str(tmp_path / name))


@pytest.mark.parametrize("log", FORMATS.values(), ids=FORMATS)
class TestReader:
    def test_the_values_are_those_of_the_log(self, log: Format, tmp_path: Path) -> None:
        (run,) = self.read(log, tmp_path, [3, 4, 5])
        assert run.epochs.tolist() == [3, 4, 5]
        assert run.series["loss"].values.tolist() == LOSSES
        assert run.series["loss"].values.dtype == np.float64

    def test_the_rate_is_no_metric(self, log: Format, tmp_path: Path) -> None:
        (run,) = self.read(log, tmp_path, [0, 1, 2])
        assert run.learning_rate is not None
        assert run.learning_rate.values.tolist() == RATES
        assert run.learning_rate.values.dtype == np.float32
        assert list(run.series) == ["loss"]

    def test_a_gap_is_missing_and_noted(self, log: Format, tmp_path: Path) -> None:
        (run,) = self.read(log, tmp_path, [0, 2, 3])
        assert run.series["loss"].recorded.tolist() == [True, False, True, True]
        assert "no row for 1 of 4 epochs: 2 (counted from 1)" in run.notes

    def test_an_epoch_that_stands_twice_loses_no_value(
        self, log: Format, tmp_path: Path
    ) -> None:
        epochs = [0, 1, 1]
        if log.rows_are_steps:
            # rows of the same epoch are its steps there
            with pytest.raises(LogError, match="no column has one value"):
                self.read(log, tmp_path, epochs)
            return
        runs = self.read(log, tmp_path, epochs)
        held = [value for run in runs for value in run.series["loss"].values.tolist()]
        beside = [own for run in runs for own in run.series["loss"].others.values()]
        held += [value for own in beside for value in own]
        assert sorted(held) == sorted(LOSSES)

    @pytest.mark.parametrize("epochs", [[0, 1, 0], [5, 6, 2]])
    def test_a_step_back_is_another_run(
        self, log: Format, tmp_path: Path, epochs: list[int]
    ) -> None:
        first, second = self.read(log, tmp_path, epochs)
        assert first.series["loss"].values.tolist() == LOSSES[:2]
        assert (second.first_epoch, second.recorded_epochs) == (epochs[2], 1)
        assert any("number 2" in note for note in second.notes)

    def test_the_given_plan_is_the_run_s(self, log: Format, tmp_path: Path) -> None:
        (run,) = self.read(log, tmp_path, [0, 1, 2], planned_epochs=3)
        assert run.reached_plan

    def test_a_plan_that_the_log_outlasts_is_refused(
        self, log: Format, tmp_path: Path
    ) -> None:
        with pytest.raises(
            ConfigError, match="holds 3 epochs, more than the 2 planned"
        ):
            self.read(log, tmp_path, [0, 1, 2], planned_epochs=2)

    def test_an_absurd_epoch_is_refused(self, log: Format, tmp_path: Path) -> None:
        with pytest.raises(LogError, match="run from 0 to 1000000000000"):
            self.read(log, tmp_path, [0, 1, 10**12])

    def read(
        self, log: Format, directory: Path, epochs: list[int], **options: int
    ) -> list[Run]:
        source = log.write(directory, epochs=epochs)
        made = ReadOptions(**options)  # type: ignore[arg-type]  # only the plan
        return list(log.make(made).read(source))


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_at_any_byte_is_a_prefix_or_an_error(
    name: str, tmp_path: Path
) -> None:
    log = FORMATS[name]
    path = Path(log.write(tmp_path, epochs=[0, 1, 2]))
    content = path.read_bytes()
    for n_bytes in range(len(content)):
        path.write_bytes(content[:n_bytes])
        for errors in CHOICES:
            found: list[float] = []
            with contextlib.suppress(LogError):
                (run,) = log.make(ReadOptions(errors=errors)).read(str(path))
                found = run.series["loss"].values.tolist()
            assert found == LOSSES[: len(found)]
