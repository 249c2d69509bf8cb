"""What a script logs in the directory of Keras's TensorBoard callback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay.readers.base import ReadOptions
from cbreplay.readers.event_files.tensorboard import TensorBoardReader
from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cbreplay import Run

KERAS, SCRIPT = "events.out.tfevents.100.h.1.0.v2", "events.out.tfevents.101.h.1.1.v2"
NO_EPOCHS = "nothing shows that its steps are the epochs of what Keras wrote"
READ = "logged beside what Keras wrote, at the steps of its epochs"


def write(
    directory: Path,
    steps: Iterable[tuple[float, int]],
    tag: str = "val_loss",
    *,
    keras: str = "train",
    script: str = ".",
) -> Run:
    """Write six epochs of ten seconds each, and a script's values beside them.

    Epoch e ends at 10 (e + 1) seconds with the loss 1 / (e + 1); each value of the
    script is its step plus a half.
    """
    own = [(10.0 * (e + 1), e, "epoch_loss", 1 / (e + 1)) for e in range(6)]
    write_events(directory / keras / KERAS, own)
    points = [(time, step, tag, step + 0.5) for time, step in steps]
    write_events(directory / script / SCRIPT, points)
    (run,) = TensorBoardReader(ReadOptions()).read(str(directory))
    assert run.series["loss"].values[:3].tolist() == [1.0, 0.5, pytest.approx(1 / 3)]
    return run


@pytest.mark.parametrize(
    ("keras", "script"), [(".", "."), ("train", "."), ("train", "train")]
)
@pytest.mark.parametrize("late", [-1.0, 1.0])
def test_a_validation_at_each_epoch_is_a_series(
    tmp_path: Path, keras: str, script: str, late: float
) -> None:
    steps = [(10.0 * (e + 1) + late, e) for e in range(6)]
    run = write(tmp_path, steps, keras=keras, script=script)
    assert run.series["val_loss"].values.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    assert run.recorded_epochs == 6
    assert f"val_loss: {READ}" in run.notes


def test_a_validation_every_second_epoch_is_a_series(tmp_path: Path) -> None:
    run = write(tmp_path, [(20.0, 1), (40.0, 3), (60.0, 5)])
    assert run.series["val_loss"].recorded.tolist() == [False, True] * 3
    assert run.series["val_loss"].values[1::2].tolist() == [1.5, 3.5, 5.5]


@pytest.mark.parametrize(
    "steps",
    [
        # counted from 1
        [(10.0 * e + 1, e) for e in range(1, 7)],
        # of batches: two a second
        [(batch / 2, batch) for batch in range(6)],
        # of batches, every second epoch's number
        [(batch / 2, batch) for batch in range(1, 6, 2)],
        # irregular, or not to the end
        [(11.0, 0), (21.0, 1), (51.0, 4)],
        [(11.0, 0), (21.0, 1), (31.0, 2)],
        # a single value: anything that is logged once has a step
        [(1.0, 0)],
        # written when all was over
        [(99.0 + e, e) for e in range(6)],
        # twice
        [(10.0 * (e + 1), e) for e in range(6) for _ in range(2)],
    ],
)
def test_other_steps_are_no_epochs(
    tmp_path: Path, steps: list[tuple[float, int]]
) -> None:
    run = write(tmp_path, steps)
    assert list(run.series) == ["loss"]
    assert run.notes == (f"left out val_loss: {NO_EPOCHS}",)


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("loss", "Keras wrote a series of this name too"),
        ("learning rate", "a learning rate beside what Keras wrote"),
    ],
)
def test_what_keras_tells_better_is_left_out_and_said(
    tmp_path: Path, tag: str, reason: str
) -> None:
    run = write(tmp_path, [(10.0 * (e + 1), e) for e in range(6)], tag)
    assert (list(run.series), run.learning_rate) == (["loss"], None)
    assert f"left out {tag}: {reason}" in run.notes[0]


def test_the_validation_of_keras_stands_before_that_of_a_script(
    tmp_path: Path,
) -> None:
    judged = [(10.0 * (e + 1), e, "epoch_loss", 9.0) for e in range(6)]
    write_events(tmp_path / "validation" / KERAS, judged)
    run = write(tmp_path, [(10.0 * (e + 1), e) for e in range(6)])
    assert run.series["val_loss"].values.tolist() == [9.0] * 6
    assert any("left out val_loss: Keras wrote" in note for note in run.notes)


def test_two_fits_in_one_directory_keep_what_a_script_wrote_out(
    tmp_path: Path,
) -> None:
    for begun, file in ((0.0, KERAS), (100.0, SCRIPT)):
        points = [
            (begun + epoch, epoch, tag, 0.5)
            for epoch in range(3)
            for tag in ("epoch_loss", "IoU", "batch_loss")
        ]
        write_events(tmp_path / file, points)
    runs = list(TensorBoardReader(ReadOptions()).read(str(tmp_path)))
    assert [list(run.series) for run in runs] == [["loss"], ["loss"]]
    assert all(f"left out IoU: {NO_EPOCHS}" in run.notes for run in runs)


def test_where_the_user_counts_the_rows_no_step_tells_an_epoch(tmp_path: Path) -> None:
    # numbered as the next ones, these three would be those of the epochs 0 to 2
    write(tmp_path, [(20.0, 1), (40.0, 3), (60.0, 5)])
    (run,) = TensorBoardReader(ReadOptions(parts="rows")).read(str(tmp_path))
    assert list(run.series) == ["loss"]
    assert f"left out val_loss: {NO_EPOCHS}" in run.notes
