"""Event files of other tools, and of other Keras versions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import pytest

from cbreplay import LogError
from cbreplay.loading import load_runs
from cbreplay.readers.base import ForeignLogError, ReadOptions
from cbreplay.readers.event_files.tensorboard import TensorBoardReader
from tests.oracles.tensorboard_loader import Point, write_events

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cbreplay import Run

FILE = "events.out.tfevents.{}.host.1.0"
Axis = Literal["epoch", "step"] | None


def write(directory: Path, points: Iterable[Point], begun: int = 100) -> Path:
    return write_events(directory / FILE.format(begun), points, "simple_value")


def read(path: Path, x_axis: Axis = None, *, skip: bool = False) -> list[Run]:
    errors: Literal["skip", "strict"] = "skip" if skip else "strict"
    options = ReadOptions(errors=errors, x_axis=x_axis)
    return list(TensorBoardReader(options).read(str(path)))


def values(run: Run, name: str) -> list[float | None]:
    pairs = zip(
        run.series[name].values.tolist(),
        run.series[name].recorded.tolist(),
        strict=True,
    )
    return [value if recorded else None for value, recorded in pairs]


def test_keras_1_wrote_bare_tags_by_epoch(tmp_path: Path) -> None:
    write(
        tmp_path,
        [
            (float(epoch), epoch, tag, number / 2**epoch)
            for epoch in range(3)
            for tag, number in (("loss", 2), ("val_loss", 4), ("lr", 1))
        ],
    )
    (run,) = read(tmp_path)
    assert values(run, "val_loss") == [4.0, 2.0, 1.0]
    assert run.learning_rate is not None
    assert run.learning_rate.values.tolist() == [1.0, 0.5, 0.25]
    assert "each step is one epoch" in run.notes[0]


def write_bare_tags(directory: Path, begun: int, epochs: Iterable[int]) -> None:
    tags = (("loss", 0.5), ("val_loss", 1.0))
    points = [(float(begun + e), e, tag, n / 2**e) for e in epochs for tag, n in tags]
    write(directory, points, begun)


def test_keras_1_went_on_in_another_file(tmp_path: Path) -> None:
    write_bare_tags(tmp_path, 100, range(3))
    # a fit with its initial_epoch at 3
    write_bare_tags(tmp_path, 200, range(3, 6))
    (run,) = read(tmp_path)
    assert values(run, "val_loss") == [1 / 2**epoch for epoch in range(6)]
    # or the same fit in another file
    assert run.possible_seams == {3}


def test_bare_tags_that_lack_steps_are_not_taken_for_epochs(tmp_path: Path) -> None:
    write_bare_tags(tmp_path, 100, range(3))
    write_bare_tags(tmp_path, 200, range(5, 8))
    with pytest.raises(ForeignLogError, match="x_axis='epoch'"):
        read(tmp_path)


@pytest.mark.parametrize("steps", [[0, 100, 200], [5, 6, 7]])
def test_bare_tags_at_other_steps_are_not_taken_for_epochs(
    tmp_path: Path, steps: list[int]
) -> None:
    write(tmp_path, [(1.0, s, tag, 1.0) for s in steps for tag in ("loss", "val_loss")])
    with pytest.raises(ForeignLogError, match="x_axis='epoch'"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        # torch's writer, and that of TensorFlow 2: fit(initial_epoch=1)
        ("events.out.tfevents.1.host.1.0", 0),
        ("events.out.tfevents.1.host.1.0.v2", 1),
        ("train/events.out.tfevents.1.host.1.0", 1),
        ("exp-train/events.out.tfevents.1.host.1.0", 0),
    ],
)
def test_tags_like_those_of_keras_may_count_from_1(
    tmp_path: Path, name: str, first: int
) -> None:
    points = [(1.0 * s, s, "epoch_loss", 1 / s) for s in range(1, 5)]
    write_events(tmp_path / name, points)
    (run,) = load_runs(tmp_path)
    assert (run.first_epoch, run.recorded_epochs) == (first, 4)


def test_tensorflow_1_wrote_val_tags_beside_the_others(tmp_path: Path) -> None:
    tags = ["epoch_loss", "epoch_val_loss"]
    write(tmp_path, [(1.0, e, tag, 1.0) for e in range(2) for tag in tags])
    (run,) = read(tmp_path)
    assert list(run.series) == ["loss", "val_loss"]


def test_tensorflow_1_may_count_samples(tmp_path: Path) -> None:
    points = [(1.0, s, "batch_loss", 1.0) for s in (20, 40, 60, 80)]
    points[2:2] = [(1.0, 40, "epoch_loss", 8.0), (1.0, 40, "epoch_val_loss", 4.0)]
    points += [(1.0, 80, "epoch_loss", 2.0), (1.0, 80, "epoch_val_loss", 1.0)]
    write(tmp_path, points)
    (run,) = read(tmp_path)
    assert (run.first_epoch, values(run, "val_loss")) == (0, [4.0, 1.0])
    assert "the steps count samples" in run.notes[0]


def lightning(n_epochs: int = 3, per_epoch: int = 1) -> list[Point]:
    """What TensorBoardLogger writes: the epoch beside every metric."""
    points: list[Point] = [(0.0, 0, "hp_metric", -1.0)]
    for epoch in range(n_epochs):
        for batch in range(4):
            step = epoch * 4 + batch
            points += [(1.0, step, "train_loss_step", 1.0), (1.0, step, "epoch", epoch)]
            if (batch + 1) % (4 // per_epoch) == 0:
                points += [
                    (1.0, step, "val_loss", 8.0 - step),
                    (1.0, step, "epoch", epoch),
                ]
    return points


def test_lightning_logs_the_epoch_of_each_step(tmp_path: Path) -> None:
    write(tmp_path, lightning())
    (run,) = read(tmp_path)
    assert list(run.series) == ["val_loss"]
    assert values(run, "val_loss") == [5.0, 1.0, -3.0]
    assert "left out train_loss_step: several values in an epoch" in run.notes
    assert run.left_out["train_loss_step"] == "several values in an epoch"


def test_an_epoch_that_is_far_beyond_the_others_takes_no_memory(
    tmp_path: Path,
) -> None:
    far = [(1.0, 12, "epoch", 2.0**50), (1.0, 12, "val_loss", 1.0)]
    write(tmp_path, [*lightning(), *far])
    with pytest.raises(LogError, match="the epochs run from 0 to 1125899906842624"):
        read(tmp_path)


@pytest.mark.no_cover
@pytest.mark.parametrize("x_axis", [None, "epoch"])
def test_a_log_of_thousands_of_tags_has_a_series_of_each(
    tmp_path: Path, x_axis: Axis
) -> None:
    tags = [f"m{number}" for number in range(20_000)]
    points = [(1.0, 0, "epoch", 0.0), (1.0, 0, "loss", 0.5), (1.0, 0, "val_loss", 0.5)]
    write(tmp_path, [*points, *((1.0, 0, tag, 1.0) for tag in tags)])
    (run,) = read(tmp_path, x_axis)
    assert {"val_loss", *tags} <= run.series.keys()


def test_lightning_with_two_evaluations_an_epoch_counts_steps(tmp_path: Path) -> None:
    write(tmp_path, lightning(per_epoch=2))
    with pytest.raises(ForeignLogError, match="has values within epochs") as caught:
        read(tmp_path)
    assert "x_axis='step'" in str(caught.value)
    # each evaluation would be an epoch
    assert "x_axis='epoch'" not in str(caught.value)
    (run,) = read(tmp_path, "step")
    assert run.recorded_epochs == 6
    assert run.steps is not None
    assert run.steps.tolist() == [1, 3, 5, 7, 9, 11]


def test_lightning_validations_across_epochs_are_no_epochs(tmp_path: Path) -> None:
    # val_check_interval=6 with check_val_every_n_epoch=None, of epochs of 4 batches:
    # at the steps 5, 11, 17 and 23, of which the first and third end no epoch
    points = [(1.0, step, "epoch", float(step // 4)) for step in range(24)]
    points += [(1.0, step, "val_loss", 1.0 / step) for step in range(5, 24, 6)]
    write(tmp_path, points)
    with pytest.raises(ForeignLogError, match="val_loss has values within epochs"):
        read(tmp_path)
    (run,) = read(tmp_path, "step")
    assert run.steps is not None
    assert run.steps.tolist() == [5, 11, 17, 23]


def hugging_face(epochs: Iterable[float]) -> list[Point]:
    points: list[Point] = []
    step = 0
    for i, epoch in enumerate(epochs, start=1):
        step = 100 * i
        points += [
            (1.0, step - 50, "train/loss", 9.0),
            (1.0, step - 50, "train/epoch", 0.3),
        ]
        points += [
            (1.0, step, "train/loss", 1 / i),
            (1.0, step, "train/epoch", epoch),
            (1.0, step, "eval/loss", 2.0 / i),
            (1.0, step, "train/epoch", epoch),
        ]
    return [*points, (1.0, step, "train/train_runtime", 5.0)]


def test_hugging_face_evaluations_at_the_end_of_epochs_are_epochs(
    tmp_path: Path,
) -> None:
    write(tmp_path, hugging_face([1, 2, 4]))
    (run,) = read(tmp_path)
    assert values(run, "eval/loss") == [2.0, 1.0, None, pytest.approx(2 / 3)]
    assert list(run.series) == ["train/loss", "eval/loss"]
    assert run.first_epoch == 0


def test_hugging_face_evaluations_within_epochs_are_not(tmp_path: Path) -> None:
    write(tmp_path, hugging_face([0.5, 1, 1.5, 2]))
    for given in (None, "epoch"):
        # nobody can say that its steps are epochs: it says what they are
        with pytest.raises(ForeignLogError, match="parts of epochs") as caught:
            read(tmp_path, given)
        assert "x_axis='step'" in str(caught.value)
        assert "x_axis='epoch'" not in str(caught.value)


def test_hugging_face_evaluations_are_rows_as_in_its_own_state(tmp_path: Path) -> None:
    told = (("train/learning_rate", 0.1), ("eval/runtime", 3.0))
    more = [(1.0, 100 * i, tag, v) for i in (1, 2, 3) for tag, v in told]
    write(tmp_path, [*hugging_face([0.5, 1, 1.5]), *more])
    (run,) = read(tmp_path, "step")
    assert list(run.series) == ["train/loss", "eval/loss"]
    assert values(run, "eval/loss") == [2.0, 1.0, pytest.approx(2 / 3)]
    assert run.learning_rate is None
    assert any(note.startswith("left out train/learning_rate: ") for note in run.notes)
    assert any("eval/runtime" in note and "machine" in note for note in run.notes)


@pytest.mark.parametrize(
    ("rate", "first"), [("lr/pg0", 1), ("lr/pg0", 0), ("x/lr0", 0)]
)
def test_ultralytics_counts_epochs_from_1(
    tmp_path: Path, rate: str, first: int
) -> None:
    tags = ["train/box_loss", rate, "metrics/mAP50(B)", "val/box_loss"]
    write(tmp_path, [(1.0, e + first, tag, 0.5) for e in range(3) for tag in tags])
    (run,) = read(tmp_path)
    assert (run.first_epoch, run.recorded_epochs) == (0, 3)
    assert list(run.series) == ["train/box_loss", "metrics/mAP50(B)", "val/box_loss"]
    assert run.learning_rate is not None


PYTORCH = [
    (float(step), step, tag, number / (step + 1))
    for step in range(4)
    for tag, number in (("Loss/train", 1.0), ("Loss/test", 2.0))
]


def test_a_summary_writer_s_steps_may_be_anything(tmp_path: Path) -> None:
    write(tmp_path, PYTORCH)
    with pytest.raises(ForeignLogError, match="its tags are Loss/train, Loss/test"):
        read(tmp_path)


def test_the_user_may_say_that_steps_are_epochs(tmp_path: Path) -> None:
    write(tmp_path, PYTORCH)
    (run,) = read(tmp_path, "epoch")
    assert values(run, "Loss/test") == [2.0, 1.0, pytest.approx(2 / 3), 0.5]
    assert "each step is one epoch, as given" in run.notes
    assert run.steps is None


def test_rows_of_evaluations_are_counted(tmp_path: Path) -> None:
    points = [(1.0, step, "loss", float(step)) for step in range(0, 1_000, 10)]
    evaluated = [0, 250, 500, 750, 990]
    points += [(1.0, step, "eval/loss", float(step)) for step in evaluated]
    write(tmp_path, sorted(points, key=lambda point: point[1]))
    (run,) = read(tmp_path, "step")
    assert run.steps is not None
    assert run.steps.tolist() == evaluated
    assert run.epochs.tolist() == [0, 1, 2, 3, 4]
    assert values(run, "loss") == evaluated
    assert "patience counts evaluations" in run.notes[0]
    assert "95 values between them were left out" in run.notes[0]


def test_without_a_validation_series_every_step_is_a_row(tmp_path: Path) -> None:
    write(tmp_path, [(1.0, step, "loss", 1.0) for step in (1, 101, 201)])
    (run,) = read(tmp_path, "step")
    assert run.steps is not None
    assert run.steps.tolist() == [1, 101, 201]


def test_evaluations_of_a_second_training_are_counted_anew(tmp_path: Path) -> None:
    write(tmp_path, [(1.0, step, "val/loss", 1.0) for step in (10, 20, 30)])
    write(tmp_path, [(9.0, step, "val/loss", 2.0) for step in (15, 25)], begun=200)
    first, second = read(tmp_path, "step")
    assert first.steps is not None
    assert second.steps is not None
    assert (first.steps.tolist(), second.steps.tolist()) == ([10, 20, 30], [15, 25])
    assert second.epochs.tolist() == [0, 1]


def test_evaluations_of_a_resumed_training_go_on(tmp_path: Path) -> None:
    write(tmp_path, [(1.0, step, "val/loss", 1.0) for step in (10, 20)])
    write(tmp_path, [(9.0, step, "val/loss", 2.0) for step in (30, 40)], begun=200)
    (run,) = read(tmp_path, "step")
    assert run.steps is not None
    assert run.steps.tolist() == [10, 20, 30, 40]
    assert any("begins at epoch 3" in note for note in run.notes)


def test_series_out_of_step_with_each_other_are_one_training(tmp_path: Path) -> None:
    # TensorFlow 1 writes global_step/sec of an earlier step after the loss
    points = [(1.0, 1, "loss", 1.0), (1.0, 101, "loss", 0.5), (1.0, 100, "rate", 7.0)]
    points += [(1.0, 201, "loss", 0.25), (1.0, 200, "rate", 8.0)]
    write(tmp_path, points)
    (run,) = read(tmp_path, "step")
    assert run.steps is not None
    assert run.steps.tolist() == [1, 100, 101, 200, 201]


def test_series_dumped_one_after_the_other_are_one_training(tmp_path: Path) -> None:
    points = [(1.0, e, tag, 1.0) for tag in ("a", "val_b") for e in range(3)]
    write(tmp_path, points)
    (run,) = read(tmp_path, "epoch")
    assert (run.recorded_epochs, list(run.series)) == (3, ["a", "val_b"])


def test_the_later_of_two_values_at_a_step_stands(tmp_path: Path) -> None:
    points = [(1.0, 0, "loss", 1.0), (1.0, 0, "loss", 2.0), (1.0, 1, "loss", 3.0)]
    write(tmp_path, points)
    (run,) = read(tmp_path, "epoch")
    assert values(run, "loss") == [2.0, 3.0]


def test_keras_needs_no_axis_and_says_so(tmp_path: Path) -> None:
    write(tmp_path, [(1.0, 0, "epoch_loss", 1.0)])
    (run,) = read(tmp_path, "step")
    assert run.steps is None
    assert "its rows are epochs, by the tags of Keras" in run.notes[0]


def test_two_writers_of_other_series_in_one_directory_are_one_training(
    tmp_path: Path,
) -> None:
    train = tmp_path / "train"
    write(train, [(float(e), e, "epoch_loss", 1.0) for e in range(3)])
    extra = [(e + 0.1, e, "epoch_lr", 0.5) for e in range(3)]
    write(train, [*extra, (2.2, 2, "epoch_f1", 0.5)], begun=101)
    (run,) = read(tmp_path)
    assert list(run.series) == ["loss", "f1"]
    assert "are one training" in run.notes[0]


def test_workers_that_wrote_the_same_series_are_trainings_of_their_own(
    tmp_path: Path,
) -> None:
    for worker in range(3):
        points = [(float(e), e, "epoch_loss", float(worker)) for e in range(2)]
        write(tmp_path / "train", points, begun=100 + worker)
    runs = read(tmp_path)
    assert [values(run, "loss") for run in runs] == [[0.0] * 2, [1.0] * 2, [2.0] * 2]
    assert "as by several workers" in runs[0].notes[0]


def test_empty_files_beside_others_are_passed_by_and_noted(tmp_path: Path) -> None:
    write(tmp_path / "train", [(1.0, 0, "epoch_loss", 1.0)])
    (tmp_path / "train" / f"{FILE.format(90)}.profile-empty").write_bytes(b"")
    write(tmp_path / "validation", [])
    (run,) = read(tmp_path)
    assert any("empty files were passed by" in note for note in run.notes)


@pytest.mark.parametrize(
    "content", [b"", b"version https://git-lfs.github.com/spec/v1\n"]
)
def test_an_empty_file_or_a_pointer_alone_is_refused(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / FILE.format(1)).write_bytes(content)
    with pytest.raises(LogError, match=r"is empty|Git LFS"):
        read(tmp_path)


def test_a_pointer_beside_a_log_is_damage(tmp_path: Path) -> None:
    write(tmp_path, [(1.0, 0, "epoch_loss", 1.0)])
    pointer = tmp_path / FILE.format(200)
    pointer.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(LogError, match="Git LFS pointer"):
        read(tmp_path)
    (run,) = read(tmp_path, skip=True)
    assert "dropped as damaged: this is a Git LFS pointer" in run.notes[0]


STRANGE = [
    "../../etc/passwd",
    "/etc/passwd",
    "<script>alert(1)</script>",
    "a\x1b[31mb\r\nc",
    "\u202etxet",
    "x" * 300,
    "C:\\Windows",
    "a\x00b",
]


@pytest.mark.parametrize("tag", STRANGE, ids=range(len(STRANGE)))
def test_a_tag_is_a_name_and_nothing_else(
    tmp_path: Path, tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    write(log, [(1.0, e, f"epoch_{tag}", 1.0) for e in range(3)])
    monkeypatch.chdir(tmp_path)
    (run,) = load_runs(log)
    assert list(run.series) == [tag]
    assert [one.name for one in tmp_path.rglob("*")] == ["log", FILE.format(100)]


def test_links_are_followed_within_the_directory_only(tmp_path: Path) -> None:
    outside, log = tmp_path / "outside", tmp_path / "log"
    elsewhere = write(outside / "train", [(1.0, 0, "epoch_secret", 1.0)])
    inside = write(log / "train", [(1.0, 0, "epoch_loss", 1.0)])
    (log / "train" / FILE.format(300)).symlink_to(elsewhere)
    (log / "validation").symlink_to(outside / "train", target_is_directory=True)
    (log / "train" / "loop").symlink_to(log, target_is_directory=True)
    (log / "self").symlink_to(log, target_is_directory=True)
    (log / FILE.format(400)).symlink_to(tmp_path / "nowhere")
    (run,) = load_runs(log)
    assert list(run.series) == ["loss"]
    assert inside.exists()


def test_a_pipe_named_as_an_event_file_is_not_waited_for(tmp_path: Path) -> None:
    write(tmp_path, [(1.0, 0, "epoch_loss", 1.0)])
    pipe = tmp_path / FILE.format(500)
    os.mkfifo(pipe)
    (run,) = load_runs(tmp_path)
    assert list(run.series) == ["loss"]
    with pytest.raises(LogError, match="not a regular file"):
        load_runs(pipe)


def test_an_axis_that_is_none_is_refused(tmp_path: Path) -> None:
    from cbreplay import ConfigError

    with pytest.raises(ConfigError, match=r"^x_axis is 'batch', where 'epoch' or"):
        load_runs(tmp_path, x_axis="batch")  # type: ignore[arg-type]  # what it refuses


@pytest.mark.parametrize(
    ("tag", "held"), [("batch_loss", "hold no epoch"), (None, "are not here")]
)
def test_a_validation_alone_says_whether_the_training_wrote(
    tmp_path: Path, tag: str | None, held: str
) -> None:
    write(tmp_path / "validation", [(0.0, 0, "epoch_loss", 0.5)])
    if tag is not None:
        write(tmp_path / "train", [(0.0, 0, tag, 0.5)])
    (run,) = read(tmp_path)
    assert run.notes == (f"the training's own event files {held}: val_ only",)


@pytest.mark.parametrize("name", ["val", "test", "Eval"])
def test_a_directory_called_like_a_validation_is_doubted(
    tmp_path: Path, name: str
) -> None:
    for directory in ("training", name):
        write(tmp_path / directory, [(0.0, 0, "epoch_loss", 0.5)])
    (train, other) = sorted(load_runs(tmp_path), key=lambda run: len(run.notes))
    assert train.notes == ()
    assert f"the directory {name} may hold the validation" in other.notes[0]
    assert "with these names they are read as one run" in other.notes[0]
    # and so they are
    for directory, named in (("training", "train"), (name, "validation")):
        (tmp_path / directory).rename(tmp_path / named)
    (run,) = load_runs(tmp_path)
    assert list(run.series) == ["loss", "val_loss"]


@pytest.mark.parametrize(
    "after", [["test_loss"], ["val_loss"], ["val_loss", "test_loss"]]
)
@pytest.mark.parametrize("x_axis", [None, "step"])
def test_files_of_a_test_after_the_fit_are_no_fit(
    tmp_path: Path, after: list[str], x_axis: Axis
) -> None:
    # Lightning 2.6 with TensorBoardLogger, three epochs of twenty steps: fit,
    # validate and test close a file each
    points = [
        (1.0, 20 * epoch + 19, tag, value)
        for epoch in range(3)
        for tag, value in (
            ("val_loss", 0.5 / 2**epoch),
            ("epoch", float(epoch)),
            ("train_loss", 1.0),
            ("epoch", float(epoch)),
        )
    ]
    write(tmp_path, points)
    for place, tag in enumerate(after):
        write(tmp_path, [(2.0, 60, tag, 0.25), (2.0, 60, "epoch", 3.0)], 200 + place)
    (run,) = read(tmp_path, x_axis)
    assert values(run, "val_loss") == [0.5, 0.25, 0.125]
    said = [note for note in run.notes if "outside the training" in note]
    assert len(said) == len(after)
    assert not run.seams
    assert not any("a new value only every" in note for note in run.notes)


def test_the_next_fit_that_validated_once_is_a_fit(tmp_path: Path) -> None:
    # without values of the training nothing tells it from a validation after it
    points = [
        (1.0, 20 * epoch + 19, tag, value)
        for epoch in range(3)
        for tag, value in (("val_loss", 0.5 / 2**epoch), ("epoch", float(epoch)))
    ]
    write(tmp_path, points)
    write(tmp_path, [(2.0, 79, "val_loss", 0.25), (2.0, 79, "epoch", 3.0)], 200)
    (run,) = read(tmp_path)
    assert values(run, "val_loss") == [0.5, 0.25, 0.125, 0.25]
