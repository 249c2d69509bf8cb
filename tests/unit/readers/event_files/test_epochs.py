"""Which steps are epochs, where only the user says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay.errors import LogError, as_options
from cbreplay.readers.base import ForeignLogError, ReadOptions
from cbreplay.readers.event_files.tensorboard import TensorBoardReader
from tests.oracles.tensorboard_loader import Point, write_events

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay import Run

FILE = "events.out.tfevents.1.host.1.0"
BATCHES = 10


def read(tmp_path: Path, points: list[Point], **options: object) -> list[Run]:
    write_events(tmp_path / FILE, points, "simple_value")
    made = ReadOptions(**{"x_axis": "epoch", **options})  # type: ignore[arg-type]  # a few
    return list(TensorBoardReader(made).read(str(tmp_path)))


def pytorch_loop(n_epochs: int, *, own_scale: bool, first: int = 0) -> list[Point]:
    """A loss for each batch by the global step, a validation at the end of epochs.

    Its step is that of the last batch, or the number of the epoch.
    """
    points: list[Point] = []
    for epoch in range(n_epochs):
        for batch in range(BATCHES):
            step = epoch * BATCHES + batch
            points.append((float(step), step, "Loss/train", 1 / (step + 1)))
        last = epoch * BATCHES + BATCHES - 1
        at = epoch + first if own_scale else last
        points += [
            (last + 0.5, at, "Loss/val", 2.0 - epoch / 8),
            (last + 0.5, last, "lr", 0.5**epoch),
        ]
    return points


def test_a_validation_by_epochs_beside_a_loss_by_batches_has_its_own_epochs(
    tmp_path: Path,
) -> None:
    (run,) = read(tmp_path, pytorch_loop(40, own_scale=True))
    assert (run.first_epoch, run.n_epochs) == (0, 40)
    assert list(run.series["Loss/val"]) == [2.0 - epoch / 8 for epoch in range(40)]
    assert "Loss/train" in run.left_out
    assert "each step with a value of Loss/val is one epoch, as given" in run.notes


def test_one_test_at_the_end_leaves_the_epochs_of_the_training(tmp_path: Path) -> None:
    points: list[Point] = [(s + 0.0, s, "Loss/train", 1 - s / 8) for s in range(8)]
    (run,) = read(tmp_path, [*points, (9.0, 7, "Loss/test", 0.5)])
    assert list(run.series["Loss/train"]) == [1 - s / 8 for s in range(8)]
    assert list(run.series["Loss/test"]) == [*[None] * 7, 0.5]


@pytest.mark.parametrize("x_axis", ["step", "epoch"])
def test_a_training_that_was_resumed_at_a_step_is_numbered_by_it(
    tmp_path: Path, x_axis: str
) -> None:
    # fits from step 0, then from checkpoints at 400 and 300, evaluated every 100 steps
    fits = [range(1, 9), range(5, 11), range(4, 8)]
    points: list[Point] = [
        (1000.0 * fit + at, 100 * at, "Loss/val", fit + at / 16)
        for fit, evaluations in enumerate(fits)
        for at in evaluations
    ]
    runs = read(tmp_path, points, x_axis=x_axis)
    assert [(run.first_epoch, run.horizon) for run in runs] == [(0, 7), (4, 9), (3, 6)]
    (run,) = read(tmp_path, points, x_axis=x_axis, parts="join")
    expected = [at / 16 for at in (1, 2, 3)] + [2 + at / 16 for at in (4, 5, 6, 7)]
    assert list(run.series["Loss/val"]) == expected
    assert run.steps is None or run.steps.tolist() == [*range(100, 701, 100)]
    assert {name for _, fit in run.replaced if fit for name in fit.series} == {
        "Loss/val"
    }


@pytest.mark.parametrize(("begins", "first"), [(1010, 10), (10, 0)])
def test_a_log_that_begins_at_a_late_step_has_evaluations_before_it(
    tmp_path: Path, begins: int, first: int
) -> None:
    # the second training logs from its first step on, and was evaluated late
    points: list[Point] = [(s / 10, s, "loss", 0.5) for s in range(begins, 1500, 10)]
    points += [(s / 10, s, "val_loss", 0.5) for s in range(1100, 1501, 100)]
    (run,) = read(tmp_path, points, x_axis="step")
    assert (run.first_epoch, run.n_epochs) == (first, 5)
    came = any("10 epochs came before it" in note for note in run.notes)
    assert came is (first == 10)


def test_a_training_evaluated_less_often_than_the_one_before_begins_anew(
    tmp_path: Path,
) -> None:
    points: list[Point] = [
        (1000.0 * fit + at, every * at, "Loss/val", at / 16)
        for fit, every in enumerate((100, 200))
        for at in range(1, 7)
    ]
    runs = read(tmp_path, points, x_axis="step")
    assert [(run.first_epoch, run.horizon) for run in runs] == [(0, 5), (0, 5)]


def test_one_validation_at_a_scale_of_its_own_is_one_epoch(tmp_path: Path) -> None:
    (run,) = read(tmp_path, pytorch_loop(1, own_scale=True))
    assert (run.n_epochs, list(run.series["Loss/val"])) == (1, [2.0])


def test_validations_at_every_tenth_step_are_numbered(tmp_path: Path) -> None:
    (run,) = read(tmp_path, pytorch_loop(40, own_scale=False))
    assert (run.first_epoch, run.n_epochs, run.recorded_epochs) == (0, 40, 40)
    assert list(run.series) == ["Loss/val"]
    assert any("steps from 9 to 399 were numbered" in note for note in run.notes)
    # the rate stands at the same steps
    assert run.learning_rate is not None
    assert run.learning_rate.values[:3].tolist() == [1.0, 0.5, 0.25]


def test_a_lost_validation_keeps_its_number(tmp_path: Path) -> None:
    points = pytorch_loop(9, own_scale=False)
    lost = [point for point in points if point[1:3] != (49, "Loss/val")]
    (run,) = read(tmp_path, lost)
    assert run.series["Loss/val"].recorded.tolist() == [1, 1, 1, 1, 0, 1, 1, 1, 1]


def test_a_validation_that_broke_off_leaves_the_epochs_of_the_training(
    tmp_path: Path,
) -> None:
    points: list[Point] = [(float(e), e, "Loss/train", 1.0) for e in range(20)]
    points += [(e + 0.5, e, "Loss/val", 1.0) for e in range(8)]
    (run,) = read(tmp_path, sorted(points))
    assert run.n_epochs == 20
    assert int(run.series["Loss/val"].recorded.sum()) == 8


def test_one_epoch_more_of_the_training_is_no_other_scale(tmp_path: Path) -> None:
    points: list[Point] = [(float(e), e, "train/loss", 1.0) for e in range(6)]
    points += [(e + 0.5, e, "val/loss", 1.0) for e in range(5)]
    (run,) = read(tmp_path, sorted(points))
    assert (run.n_epochs, list(run.series)) == (6, ["train/loss", "val/loss"])


def test_series_of_both_kinds_without_a_validation_are_refused(tmp_path: Path) -> None:
    points: list[Point] = [(float(s), s, "loss", 1.0) for s in range(40)]
    points += [(s + 0.5, s, "accuracy", 1.0) for s in range(9, 40, 10)]
    with pytest.raises(ForeignLogError, match="loss has values at 40 steps, accuracy"):
        read(tmp_path, points)


def test_steps_from_1_are_epochs_counted_from_1(tmp_path: Path) -> None:
    points: list[Point] = [(float(e), e, "val/loss", 1.0) for e in range(1, 6)]
    (run,) = read(tmp_path, points)
    assert (run.first_epoch, run.horizon) == (0, 4)
    assert any("counted from 1" in note for note in run.notes)
    (run,) = read(tmp_path, points, first_epoch=1)
    assert run.first_epoch == 1


def test_lightning_s_own_epochs_stand_above_what_is_given(tmp_path: Path) -> None:
    points: list[Point] = []
    for epoch in range(4):
        for batch in range(BATCHES):
            step = epoch * BATCHES + batch
            points += [(1.0, step, "train_loss", 1.0), (1.0, step, "epoch", epoch)]
        last = epoch * BATCHES + BATCHES - 1
        points.append((1.0, last, "val_loss", 1.0 - epoch / 8))
    (run,) = read(tmp_path, points)
    assert (run.n_epochs, list(run.series)) == (4, ["val_loss"])
    assert any("tags of Lightning" in note for note in run.notes)


def test_the_first_error_names_all_that_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ForeignLogError) as caught:
        read(tmp_path, pytorch_loop(3, own_scale=True), x_axis=None)
    for needed in ("--x-axis epoch", "--monitor Loss/val", "--mode min"):
        assert needed in as_options(caught.value.sentence)
    for needed in ("x_axis='epoch'", "monitor='Loss/val'", "mode='min'"):
        assert needed in str(caught.value)


def test_seldom_values_without_a_name_are_evaluations(tmp_path: Path) -> None:
    points = [(float(at), at, "loss", 1 / (at + 1)) for at in range(12)]
    points += [(4.0 * at + 3.5, at, "accuracy", at / 8) for at in range(3)]
    with pytest.raises(ForeignLogError) as caught:
        read(tmp_path, points, x_axis=None)
    assert str(caught.value).endswith(
        "To count evaluations: x_axis='step', monitor='accuracy', mode='max'"
    )
    (run,) = read(tmp_path, points, x_axis="step")
    assert list(run.series["accuracy"]) == [0, 1 / 8, 2 / 8]
    assert "loss" not in run.series
    assert run.left_out["loss"].startswith("values between the evaluations")


def ultralytics(n_epochs: int, *, n_batches: int) -> list[Point]:
    """The tags of Ultralytics; of 8.0, with a value of each batch and no rate."""
    points: list[Point] = []
    for epoch in range(1, n_epochs + 1):
        losses = [(float(epoch), epoch, "train/box_loss", 1.0)] * n_batches
        points += [*losses, (float(epoch), epoch, "val/box_loss", 2.0)]
        points.append((float(epoch), epoch, "metrics/mAP50-95(B)", epoch / 8))
        if n_batches == 1:
            points.append((float(epoch), epoch, "lr/pg0", 0.25))
    return points


@pytest.mark.parametrize("n_batches", [1, 7])
@pytest.mark.parametrize("n_more", [0, 1, 2])
def test_the_last_validation_of_ultralytics_is_no_epoch(
    tmp_path: Path, n_batches: int, n_more: int
) -> None:
    points = ultralytics(5, n_batches=n_batches)
    points += [(9.0 + i, 5, "metrics/mAP50-95(B)", 0.875) for i in range(n_more)]
    (run,) = read(tmp_path, points, x_axis=None)
    series = run.series["metrics/mAP50-95(B)"]
    assert list(series) == [epoch / 8 for epoch in range(1, 6)]
    assert not series.others
    assert any("of a validation after the training" in n for n in run.notes) == (
        n_more > 0
    )
    assert ("train/box_loss" in run.left_out) == (n_batches > 1)


def test_batch_losses_of_ultralytics_8_0_are_left_out(tmp_path: Path) -> None:
    (run,) = read(tmp_path, ultralytics(5, n_batches=7), x_axis=None)
    assert list(run.series) == ["val/box_loss", "metrics/mAP50-95(B)"]
    assert (run.first_epoch, run.n_epochs) == (0, 5)
    assert run.left_out["train/box_loss"].startswith("several values at most steps")


def test_a_validation_in_the_middle_of_a_training_is_another_value(
    tmp_path: Path,
) -> None:
    points = ultralytics(5, n_batches=1)
    points.insert(11, (2.5, 2, "metrics/mAP50-95(B)", 0.875))
    (run,) = read(tmp_path, sorted(points, key=lambda point: point[1]), x_axis=None)
    assert list(run.series["metrics/mAP50-95(B)"].others) == [1]


def test_a_log_of_nothing_but_a_rate_is_refused(tmp_path: Path) -> None:
    # found by reading made files in every way: there is no series to compare
    points = [(float(epoch), epoch, "lr", 0.5**epoch) for epoch in range(5)]
    with pytest.raises(LogError, match="no metric, only a learning rate"):
        read(tmp_path, points)


def test_validations_alone_at_global_steps_are_numbered(tmp_path: Path) -> None:
    steps = [467 + 468 * epoch for epoch in range(30) if epoch != 7]
    points: list[Point] = [(float(at), at, "Loss/val", 1 / at) for at in steps]
    (run,) = read(tmp_path, points)
    assert (run.first_epoch, run.horizon, run.recorded_epochs) == (0, 29, 29)
    assert not run.series["Loss/val"].recorded[7]
    assert "the steps from 467 to 14039 were numbered" in " ".join(run.notes)


def test_validations_on_a_short_cadence_stand_at_their_epochs(tmp_path: Path) -> None:
    points: list[Point] = [(float(at), at, "Loss/val", 1 / at) for at in (4, 9, 14, 19)]
    (run,) = read(tmp_path, points)
    assert (run.first_epoch, run.horizon, run.recorded_epochs) == (4, 19, 4)


def test_the_largest_step_of_an_event_is_a_step(tmp_path: Path) -> None:
    # a float64 holds 2**63 in its place, and an int64 does not
    points: list[Point] = [(1.0, 2**63 - 512, "Loss/val", 0.5)]
    (run,) = read(tmp_path, points, x_axis="step")
    assert run.steps is not None
    assert 2**63 - 2_000 < run.steps[0] < 2**63
