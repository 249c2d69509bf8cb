from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cbreplay import LogError
from cbreplay.evidence.holes import find_gap
from cbreplay.readers.base import ForeignLogError, ReadOptions
from cbreplay.readers.event_files.tensorboard import TensorBoardReader
from cbreplay.run_metadata import EarlierFit, Fit, RunMetadata
from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cbreplay import Run

FIRST, SECOND = "events.out.tfevents.100.host.1.0.v2", "events.out.tfevents.99999.h.v2"


def write_fit(
    directory: Path,
    losses: Sequence[float],
    *,
    val_losses: Sequence[float] = (),
    first: int = 0,
    start: float = 10.0,
    file: str = FIRST,
) -> None:
    """Write one fit; epoch e ends at start + 2 e seconds."""
    for writer, values in (("train", losses), ("validation", val_losses)):
        if values:
            points = [
                (start + 2 * i, first + i, "epoch_loss", value)
                for i, value in enumerate(values)
            ]
            write_events(directory / writer / file, points)


def read(path: Path, metadata: RunMetadata | None = None, **options: str) -> list[Run]:
    made = ReadOptions(**options)  # type: ignore[arg-type]  # literals
    return list(TensorBoardReader(made, metadata).read(str(path)))


def losses(run: Run, name: str = "loss") -> list[float]:
    return [float(value) for value in run.series[name].values]


def test_train_and_validation_are_one_run(tmp_path: Path) -> None:
    write_fit(tmp_path, [0.5, 0.25], val_losses=[0.75, 0.625])
    (run,) = read(tmp_path)
    assert (losses(run), losses(run, "val_loss")) == ([0.5, 0.25], [0.75, 0.625])
    assert run.notes == ()


def test_a_float32_becomes_the_same_float64(tmp_path: Path) -> None:
    write_fit(tmp_path, [0.1])
    assert losses(read(tmp_path)[0]) == [float(np.float32(0.1))]


def test_batch_and_evaluation_tags_are_no_series(tmp_path: Path) -> None:
    points = [
        (1.0, 0, "epoch_loss", 1.0),
        (1.0, 9, "evaluation_loss_vs_iterations", 2.0),
        (1.0, 0, "batch_loss", 3.0),
    ]
    write_events(tmp_path / "train" / FIRST, points)
    assert list(read(tmp_path)[0].series) == ["loss"]


def test_epoch_seconds_are_differences_of_wall_times(tmp_path: Path) -> None:
    write_fit(tmp_path, [3.0, 2.0, 1.0])
    (run,) = read(tmp_path)
    assert run.epoch_seconds is not None
    assert run.epoch_seconds.recorded.tolist() == [False, True, True]
    assert run.epoch_seconds.values[1:].tolist() == [2.0, 2.0]
    assert run.wall_seconds == 4.0
    # by the wall time of the first row
    assert run.started == 10


def test_a_second_fit_from_the_start_is_another_run(tmp_path: Path) -> None:
    write_fit(tmp_path, [3.0, 2.0], val_losses=[5.0, 4.0])
    write_fit(tmp_path, [1.0], val_losses=[2.0], start=50.0, file=SECOND)
    first, second = read(tmp_path)
    assert (losses(first), losses(second)) == ([3.0, 2.0], [1.0])
    assert losses(second, "val_loss") == [2.0]


def test_validation_goes_to_the_fit_that_was_running(tmp_path: Path) -> None:
    write_fit(tmp_path, [3.0, 2.0])
    write_fit(tmp_path, [1.0], val_losses=[2.0], start=50.0, file=SECOND)
    first, second = read(tmp_path)
    assert (list(first.series), list(second.series)) == (["loss"], ["loss", "val_loss"])


def test_a_fit_that_goes_on_upwards_is_one_run_with_a_seam(tmp_path: Path) -> None:
    write_fit(tmp_path, [3.0, 2.0])
    write_fit(tmp_path, [1.0], first=2, start=50.0, file=SECOND)
    (run,) = read(tmp_path)
    assert losses(run) == [3.0, 2.0, 1.0]
    assert f"{SECOND} begins at epoch 3 (counted from 1)" in run.notes[0]
    # a fit was resumed there, or its writer began another file
    assert run.seams == (2,)
    assert run.possible_seams == {2}
    assert run.epoch_seconds is not None
    assert run.epoch_seconds.recorded.tolist() == [False, True, False]


def test_what_stands_before_a_fit_that_steps_back_is_not_lost(tmp_path: Path) -> None:
    # a loop of PyTorch: broken off after its third epoch, resumed after its second
    for first, start, file in ((0, 10.0, FIRST), (2, 50.0, SECOND)):
        points = [(start + i, first + i, "Loss/val", 0.5) for i in range(3)]
        write_events(tmp_path / file, points)
    first_fit, second_fit = read(tmp_path, x_axis="epoch")
    assert (first_fit.begins_at, second_fit.begins_at) == (0, None)
    assert find_gap(second_fit, "Loss/val") is None
    # alone, the second file lacks the beginning
    (alone,) = read(tmp_path / SECOND, x_axis="epoch")
    assert find_gap(alone, "Loss/val") == 2


def test_a_resumed_fit_of_run_json_replaces_rows(tmp_path: Path) -> None:
    write_fit(tmp_path, [5.0, 4.0, 3.0], val_losses=[8.0, 7.0, 6.0])
    write_fit(tmp_path, [2.0, 1.0], val_losses=[0.5], first=1, start=50, file=SECOND)
    earlier = EarlierFit(Fit(epochs=3), (), None)
    metadata = RunMetadata(fit=Fit(epochs=5, initial_epoch=1), earlier_fits=(earlier,))
    (run,) = read(tmp_path, metadata)
    assert losses(run) == [5.0, 2.0, 1.0]
    assert run.series["val_loss"].recorded.tolist() == [True, True, False]
    assert "its rows stand for the 2 earlier ones" in " ".join(run.notes)


def test_one_event_file_is_read_by_itself(tmp_path: Path) -> None:
    write_fit(tmp_path, [0.5], val_losses=[0.75])
    (run,) = read(tmp_path / "validation" / FIRST)
    assert losses(run, "val_loss") == [0.75]


def test_files_without_epochs_name_the_tags_they_hold(tmp_path: Path) -> None:
    write_events(tmp_path / FIRST, [(1.0, 0, "Loss/train", 1.0)])
    with pytest.raises(ForeignLogError, match="its tags are Loss/train"):
        read(tmp_path)


def test_a_negative_step_is_refused(tmp_path: Path) -> None:
    write_events(tmp_path / FIRST, [(1.0, -1, "epoch_loss", 1.0)])
    with pytest.raises(LogError, match="step -1, below 0"):
        read(tmp_path)


def test_a_series_of_nothing_but_negative_steps_is_none(tmp_path: Path) -> None:
    below, others = (1.0, -1, "accuracy", 0.5), [(2.0, 0, "loss", 3.0)]
    write_events(tmp_path / FIRST, [below])
    with pytest.raises(LogError, match="accuracy"):
        read(tmp_path, errors="skip", x_axis="epoch")
    write_events(tmp_path / FIRST, [below, *others])
    (run,) = read(tmp_path, errors="skip", x_axis="epoch")
    assert list(run.series) == ["loss"]


def test_an_event_that_is_none_is_refused_with_its_byte(tmp_path: Path) -> None:
    from tests.oracles.tensorboard_loader import record

    path = write_events(tmp_path / FIRST, [(1.0, 0, "epoch_loss", 1.0)])
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + record(b"\x0b"))
    with pytest.raises(LogError, match="not an event") as caught:
        read(tmp_path)
    assert caught.value.byte == size


def test_a_file_that_is_still_written_is_read_as_far_as_it_is_whole(
    tmp_path: Path,
) -> None:
    write_fit(tmp_path, [3.0, 2.0])
    path = tmp_path / "train" / FIRST
    path.write_bytes(path.read_bytes()[:-1])
    for errors in ("strict", "skip"):
        (run,) = read(tmp_path, errors=errors)
        assert losses(run) == [3.0]
        assert f"{FIRST} was read as far as it is whole" in run.notes[0]
