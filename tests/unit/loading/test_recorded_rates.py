"""What a row of a learning rate means, by the callbacks of the training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay.loading.recorded_rates import read_rate
from cbreplay.readers.base import ReadOptions
from cbreplay.readers.event_files.tensorboard import TensorBoardReader
from cbreplay.run_metadata import RunMetadata
from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FIRST = "events.out.tfevents.100.host.1.0.v2"


def write_rates(directory: Path, tag: str, rates: Sequence[float]) -> None:
    points = [
        (float(i), i, name, value)
        for i, rate in enumerate(rates)
        for name, value in (("epoch_loss", 1.0), (tag, rate))
    ]
    write_events(directory / "train" / FIRST, points)


def read_rates(
    path: Path, *callbacks: str, **fields: object
) -> list[list[float] | None]:
    metadata = RunMetadata(callbacks=callbacks, **fields) if callbacks else None  # type: ignore[arg-type]  # few fields
    (run,) = TensorBoardReader(ReadOptions(), metadata).read(str(path))
    assert run.other_learning_rate is None
    run = read_rate(run)
    assert run.rate_source == ""
    # what was read is not read again
    assert read_rate(run) is run
    readings = (run.learning_rate, run.other_learning_rate)
    return [None if rate is None else rate.values.tolist() for rate in readings]


REDUCER, BOARD = "ReduceLROnPlateau(patience=1)", "TensorBoard('tensorboard')"
SCHEDULER = "keras.callbacks.LearningRateScheduler(<lambda>)"


def test_without_run_json_both_readings_of_a_changing_rate_are_kept(
    tmp_path: Path,
) -> None:
    write_rates(tmp_path, "epoch_learning_rate", [1.0, 0.5, 0.5])
    assert read_rates(tmp_path) == [[1.0, 0.5, 0.5], [1.0, 1.0, 0.5]]


def test_a_constant_rate_has_one_reading(tmp_path: Path) -> None:
    write_rates(tmp_path, "epoch_learning_rate", [1.0, 1.0])
    assert read_rates(tmp_path) == [[1.0, 1.0], None]


def test_the_rate_of_keras_2_has_one_reading(tmp_path: Path) -> None:
    write_rates(tmp_path, "epoch_lr", [1.0, 0.5])
    assert read_rates(tmp_path) == [[1.0, 0.5], None]


@pytest.mark.parametrize(
    ("callbacks", "readings"),
    [
        ((BOARD, REDUCER), [[1.0, 0.5, 0.5], None]),
        ((REDUCER, BOARD), [[1.0, 1.0, 0.5], None]),
        ((SCHEDULER, BOARD), [[1.0, 0.5, 0.5], None]),
        (("EarlyStopping()", BOARD), [[1.0, 0.5, 0.5], None]),
        ((SCHEDULER, REDUCER, BOARD), [[1.0, 0.5, 0.5], None]),
        (("mine.Annealer()", BOARD), [[1.0, 0.5, 0.5], [1.0, 1.0, 0.5]]),
        ((REDUCER,), [[1.0, 0.5, 0.5], [1.0, 1.0, 0.5]]),
    ],
)
def test_the_recorded_callbacks_decide_what_a_row_holds(
    tmp_path: Path, callbacks: tuple[str, ...], readings: list[list[float] | None]
) -> None:
    write_rates(tmp_path, "epoch_learning_rate", [1.0, 0.5, 0.5])
    assert read_rates(tmp_path, *callbacks) == readings


def test_the_first_rate_comes_from_the_optimizer(tmp_path: Path) -> None:
    write_rates(tmp_path, "epoch_learning_rate", [0.5, 0.25])
    found = read_rates(tmp_path, REDUCER, BOARD, initial_learning_rate=1.0)
    assert found == [[1.0, 0.5], None]
