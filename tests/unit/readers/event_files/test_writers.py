"""What the files of one directory are to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import EarlyStopping, load_runs, replay_run
from cbreplay.errors import LogError
from cbreplay.readers.base import ReadOptions
from cbreplay.readers.event_files.tensorboard import TensorBoardReader
from tests.oracles.tensorboard_loader import (
    event,
    record,
    restart_event,
    value,
    version_event,
    write_events,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cbreplay import Replay, Run

FILE = "events.out.tfevents.{}.host.1.0"


def read(path: Path, **options: str) -> list[Run]:
    made = ReadOptions(**options)  # type: ignore[arg-type]  # literals
    return list(TensorBoardReader(made).read(str(path)))


def write(
    directory: Path, begun: int, steps: Iterable[int], tag: str = "epoch_loss"
) -> Path:
    """Write a value of step s at 100 + s seconds: s / 8."""
    points = [(100.0 + step, step, tag, step / 8) for step in steps]
    return write_events(directory / FILE.format(begun), points)


def write_payloads(path: Path, payloads: Iterable[bytes]) -> None:
    path.write_bytes(b"".join(map(record, [version_event(), *payloads])))


def scalars(steps: Iterable[int], wall_time: float, offset: float = 0) -> list[bytes]:
    return [event(wall_time, s, value("val_loss", s / 8 + offset)) for s in steps]


def losses(run: Run, name: str = "loss") -> list[float | None]:
    return list(run.series[name])


def test_a_marked_restart_drops_what_was_written_from_its_step_on(
    tmp_path: Path,
) -> None:
    # torch's SummaryWriter(purge_step=3) in a second process
    write_payloads(tmp_path / FILE.format(1), scalars(range(6), 1.0))
    resumed = [restart_event(9.0, 3), *scalars(range(3, 8), 9.0, offset=16)]
    write_payloads(tmp_path / FILE.format(2), resumed)
    (run,) = read(tmp_path, x_axis="epoch")
    expected = [0, 1 / 8, 2 / 8, *(16 + step / 8 for step in range(3, 8))]
    assert losses(run, "val_loss") == expected
    # the mark says that a fit was resumed
    assert run.seams == (3,)
    assert run.possible_seams == set()
    assert not run.series["val_loss"].others
    assert any(
        "resumed at step 3 and marked it, which drops 3 values" in note
        for note in run.notes
    )


def test_what_a_mark_takes_back_is_not_forgotten(tmp_path: Path) -> None:
    # steps 0 to 5 fall to step 2 and rise after it; from 3 on they are taken back
    first = [0.5, 0.4, 0.3, 0.4, 0.5, 0.6]
    later = [0.25, 0.2, 0.15, 0.1]
    payloads = [event(1.0, s, value("val_loss", one)) for s, one in enumerate(first)]
    write_payloads(tmp_path / FILE.format(1), payloads)
    again = [event(9.0, 3 + s, value("val_loss", one)) for s, one in enumerate(later)]
    write_payloads(tmp_path / FILE.format(2), [restart_event(9.0, 3), *again])
    (run,) = read(tmp_path, x_axis="epoch")
    ((seam, fit),) = run.replaced
    assert fit is not None
    assert (seam, fit.epochs.tolist()) == (3, [0, 1, 2, 3, 4, 5])
    assert list(fit.series["val_loss"]) == pytest.approx(first)

    def asked(patience: int) -> Replay:
        return replay_run(run, EarlyStopping(patience=patience), semantics="keras-3.15")

    # it waits for 3 epochs there, and in no other place
    assert [asked(patience).gap_epoch for patience in (1, 2, 3, 4)] == [3, 3, 3, None]
    assert asked(4).evidence == "censored"


@pytest.mark.parametrize("marks", [(4, 3), (3, 4), (3, 3)])
def test_a_fit_that_ends_before_its_first_value_hides_no_other(
    tmp_path: Path, marks: tuple[int, int]
) -> None:
    # patience 3 ends the first fit at step 5, which both marks take back
    first = [0.5, 0.4, 0.3, 0.4, 0.5, 0.6]
    payloads = [event(1.0, s, value("val_loss", one)) for s, one in enumerate(first)]
    write_payloads(tmp_path / FILE.format(1), payloads)
    begins = [restart_event(9.0, step) for step in marks]
    later = [event(9.0, s, value("val_loss", 0.5 / s)) for s in range(marks[1], 8)]
    write_payloads(tmp_path / FILE.format(2), [*begins, *later])
    (run,) = read(tmp_path, x_axis="epoch")
    seam, fit = run.replaced[0]
    assert fit is not None
    assert (seam, fit.horizon) == (marks[1], 5)
    asked = replay_run(run, EarlyStopping(patience=3), semantics="keras-3.15")
    assert (asked.evidence, asked.stopped_epoch) == ("incomplete", None)


def test_a_mark_is_one_of_all_curves_of_add_scalars(tmp_path: Path) -> None:
    # torch hands purge_step to none of the writers that add_scalars opens
    for begun, steps in ((1, range(6)), (9, range(3, 8))):
        mark = [restart_event(begun + 0.0, 3)] if begun == 9 else []
        write_payloads(tmp_path / FILE.format(begun), mark)
        for name in ("loss_train", "loss_val"):
            (tmp_path / name).mkdir(exist_ok=True)
            points = [event(begun + s / 8, s, value("loss", s / begun)) for s in steps]
            write_payloads(tmp_path / name / FILE.format(begun), points)
    (run,) = read(tmp_path, x_axis="epoch")
    expected = pytest.approx([0, 1, 2, 3 / 9, 4 / 9, 5 / 9, 6 / 9, 7 / 9], rel=1e-6)
    assert losses(run, "loss_val") == losses(run, "loss_train") == expected
    assert (run.seams, len(run.replaced)) == ((3,), 1)


def test_a_mark_within_the_steps_of_a_file_of_a_later_clock_resumed_it(
    tmp_path: Path,
) -> None:
    write_payloads(tmp_path / FILE.format(9000), scalars(range(6), 9000.0))
    resumed = [restart_event(500.0, 4), *scalars(range(4, 7), 501.0, offset=16)]
    write_payloads(tmp_path / FILE.format(500), resumed)
    _, second = read(tmp_path, x_axis="epoch")
    assert any("its clock set back, --parts join" in note for note in second.notes)
    (run,) = read(tmp_path, x_axis="epoch", parts="join")
    later = [16 + step / 8 for step in range(4, 7)]
    assert losses(run, "val_loss") == [0, 1 / 8, 2 / 8, 3 / 8, *later]
    ((seam, fit),) = run.replaced
    assert fit is not None
    assert (seam, fit.horizon, run.possible_seams) == (4, 5, frozenset())


@pytest.mark.parametrize("ahead", [-3600, 3600])
def test_a_mark_takes_nothing_from_a_writer_with_another_clock(
    tmp_path: Path, ahead: int
) -> None:
    for name, begins in (("train", 0.0), ("validation", 0.0 + ahead)):
        (tmp_path / name).mkdir()
        mark = [restart_event(9.0, 3)] if name == "train" else []
        for time, steps in ((1.0, range(6)), (9.0, range(3, 8))):
            again = [event(begins + time, s, value("epoch_loss", s)) for s in steps]
            kept = [*mark, *again] if time > 1 else again
            write_payloads(tmp_path / name / FILE.format(int(time)), kept)
    found = [losses(run, "val_loss") for run in read(tmp_path)]
    assert found == [[*range(6)], [*range(3, 8)]]


def test_a_mark_of_one_writer_tells_what_the_other_had_written(tmp_path: Path) -> None:
    for name in ("train", "validation"):
        (tmp_path / name).mkdir()
        tag = "epoch_loss"
        marked = name == "train"
        first = [event(1.0, s, value(tag, s / 8)) for s in range(6 if marked else 3)]
        again = [event(9.0, s, value(tag, s / 8)) for s in range(3, 8)]
        mark = [restart_event(9.0, 3)] if marked else []
        write_payloads(tmp_path / name / FILE.format(1), first)
        write_payloads(tmp_path / name / FILE.format(2), [*mark, *again])
    (run,) = read(tmp_path)
    ((seam, fit),) = run.replaced
    assert fit is not None
    assert (seam, fit.horizon) == (3, 5)
    assert list(fit.series["val_loss"]) == [0, 1 / 8, 2 / 8, None, None, None]
    asked = replay_run(run, EarlyStopping(patience=9), semantics="keras-3.15")
    assert (asked.evidence, asked.gap_epoch) == ("incomplete", 3)


@pytest.mark.parametrize("marked", [True, False])
def test_a_file_behind_another_is_no_turn_if_all_were_written_at_one_instant(
    tmp_path: Path, *, marked: bool
) -> None:
    # as a converter writes them, which knows no times
    first = scalars(range(6 if marked else 3), 1.0)
    write_payloads(tmp_path / FILE.format(1), first)
    mark = [restart_event(1.0, 3)] if marked else []
    later = scalars(range(3, 8), 1.0, offset=16)
    write_payloads(tmp_path / FILE.format(2), [*mark, *later])
    (run,) = read(tmp_path, x_axis="epoch")
    expected = [0, 1 / 8, 2 / 8, *(16 + step / 8 for step in range(3, 8))]
    assert losses(run, "val_loss") == expected
    assert run.seams == (3,)
    assert run.possible_seams == (set() if marked else {3})


def test_a_mark_within_a_file_counts_too(tmp_path: Path) -> None:
    again = [restart_event(5.0, 2), *scalars(range(2, 5), 5.0, offset=16)]
    write_payloads(tmp_path / FILE.format(1), [*scalars(range(4), 1.0), *again])
    (run,) = read(tmp_path, x_axis="epoch")
    assert losses(run, "val_loss") == [0, 1 / 8, 16.25, 16.375, 16.5]
    assert run.seams == (2,)


def test_a_mark_at_the_end_takes_nothing_back(tmp_path: Path) -> None:
    write_payloads(tmp_path / FILE.format(1), scalars(range(3), 1.0))
    resumed = [restart_event(9.0, 3), *scalars([3], 9.0)]
    write_payloads(tmp_path / FILE.format(2), resumed)
    (run,) = read(tmp_path, x_axis="epoch")
    assert losses(run, "val_loss") == [0, 1 / 8, 2 / 8, 3 / 8]
    assert not any("dropped" in note for note in run.notes)


def test_a_series_that_ends_before_a_mark_is_not_left_out(tmp_path: Path) -> None:
    # Lightning logs the epoch itself, and the part behind the mark knows all tags
    def epoch(step: int, *more: bytes) -> bytes:
        held = [value("epoch", step), value("val_loss", step / 8), *more]
        return event(float(step), step, *held)

    payloads = [epoch(step, value("val_acc", 0.5)) for step in range(3)]
    payloads += [restart_event(3.0, 3), *map(epoch, range(3, 6))]
    write_payloads(tmp_path / FILE.format(1), payloads)
    (run,) = read(tmp_path)
    assert losses(run, "val_acc") == [0.5, 0.5, 0.5, None, None, None]
    assert not any("left out" in note for note in run.notes)


def test_whether_a_fit_was_resumed_in_another_file_may_be_given(tmp_path: Path) -> None:
    write(tmp_path, 1, range(3))
    write(tmp_path, 2, range(3, 6))
    (run,) = read(tmp_path)
    assert run.seams == (3,)
    assert run.possible_seams == {3}
    given = ReadOptions(seams=(3,))
    (run,) = TensorBoardReader(given).read(str(tmp_path))
    assert run.seams == (3,)
    assert run.possible_seams == set()


def test_writers_that_take_turns_wrote_one_training(tmp_path: Path) -> None:
    for directory in ("train", "validation"):
        write(tmp_path / directory, 1, [0, 1, 2, 6, 7])
        write(tmp_path / directory, 2, [3, 4, 5])
    (run,) = read(tmp_path)
    assert losses(run) == losses(run, "val_loss") == [step / 8 for step in range(8)]
    assert run.seams == ()
    assert any("in turn" in note for note in run.notes)


@pytest.mark.parametrize("below", ["", "logs"])
def test_writers_in_directories_of_their_own_may_take_turns(
    tmp_path: Path, below: str
) -> None:
    for worker in range(2):
        place = tmp_path / f"rank{worker}" / below
        for directory in ("train", "validation"):
            write(place / directory, 1 + worker, range(worker, 16, 2))
        (place / "model.keras").write_bytes(b"")
    (run,) = load_runs(tmp_path)
    assert run.name == tmp_path.name
    assert losses(run) == losses(run, "val_loss") == [step / 8 for step in range(16)]


def test_three_writers_may_take_turns(tmp_path: Path) -> None:
    write(tmp_path, 1, [0, 1, 6])
    write(tmp_path, 2, [2, 3, 7])
    write(tmp_path, 3, [4, 5, 8])
    (run,) = read(tmp_path)
    assert losses(run) == [step / 8 for step in range(9)]


# the times of two of the three still go up with their steps where they differ little
@pytest.mark.parametrize(("ahead", "n_runs"), [(15, 2), (36_000, 3)])
def test_writers_whose_clocks_differ_may_be_said_to_have_written_one_training(
    tmp_path: Path, ahead: int, n_runs: int
) -> None:
    for writer in range(3):
        points = [
            (100.0 + 10 * step + ahead * writer, step, "epoch_loss", step / 8)
            for step in range(writer, 18, 3)
        ]
        write_events(tmp_path / FILE.format(writer), points)
    runs = read(tmp_path)
    assert len(runs) == n_runs
    # two trainings that were validated at other epochs may look like this
    assert all("--parts join" in " ".join(run.notes) for run in runs[1:])
    (run,) = read(tmp_path, parts="join")
    assert losses(run) == [step / 8 for step in range(18)]
    assert (run.seams, run.epoch_seconds) == ((), None)
    assert not any("training of its own" in note for note in run.notes)


def test_writers_whose_steps_cross_in_time_are_trainings_of_their_own(
    tmp_path: Path,
) -> None:
    write(tmp_path, 1, [0, 1, 2, 3])
    # step 9 was written before step 3
    points = [(102.5, 9, "epoch_loss", 1.0), (104.0, 10, "epoch_loss", 1.0)]
    write_events(tmp_path / FILE.format(2), points)
    (run,) = read(tmp_path)
    assert any("as by several workers" in note for note in run.notes)
    # none went on with the model of another that was trained at the same time
    assert not any("--parts" in note for note in run.notes)
    assert run.series["loss"].recorded.tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1]


def test_a_fit_that_was_resumed_with_the_clock_set_back_may_be_joined(
    tmp_path: Path,
) -> None:
    for clock, steps in ((9000, range(4)), (500, range(4, 7))):
        points = [(float(clock + s), s, "epoch_loss", s / 8) for s in steps]
        write_events(tmp_path / FILE.format(clock), points)
    *_, last = read(tmp_path)
    assert any("its clock set back, --parts join" in note for note in last.notes)
    (run,) = read(tmp_path, parts="join")
    assert losses(run) == [step / 8 for step in range(7)]
    # the pause between the files is no epoch's time
    assert run.epoch_seconds is not None
    assert list(run.epoch_seconds) == [None, 1, 1, 1, None, 1, 1]
    assert run.possible_seams == {4}


def test_a_mark_shows_a_resumed_fit_where_its_clock_was_set_back(
    tmp_path: Path,
) -> None:
    write_payloads(tmp_path / FILE.format(9000), scalars(range(4), 9000.0))
    resumed = [restart_event(500.0, 4), *scalars(range(4, 7), 501.0)]
    write_payloads(tmp_path / FILE.format(500), resumed)
    (run,) = read(tmp_path, x_axis="epoch", parts="join")
    assert losses(run, "val_loss") == [step / 8 for step in range(7)]
    assert (run.seams, run.possible_seams) == ((4,), frozenset())


def test_workers_that_wrote_at_one_time_are_not_said_to_be_saves(
    tmp_path: Path,
) -> None:
    for begun, steps in ((1, range(4, 7)), (2, range(4))):
        points = [(begun + at, s, "epoch_loss", s / 8) for at, s in enumerate(steps)]
        write_events(tmp_path / FILE.format(begun), points)
    *_, last = read(tmp_path)
    assert any("its clock set back, --parts join" in note for note in last.notes)


@pytest.mark.parametrize("longer", [1, 2])
def test_a_copy_of_a_file_as_it_grew_is_read_once(tmp_path: Path, longer: int) -> None:
    for begun in (1, 2):
        write(tmp_path, begun, range(8 if begun == longer else 5))
    (run,) = read(tmp_path)
    assert losses(run) == [step / 8 for step in range(8)]
    assert any("one is a copy of the other" in note for note in run.notes)
    assert not any("workers" in note for note in run.notes)


def written_later(
    directory: Path, fits: Iterable[Iterable[int]], evaluated: Iterable[int], tag: str
) -> list[Run]:
    """Write fits in a file each, an evaluator's when they have ended; read all."""
    for number, steps in enumerate(fits):
        write(directory, 1 + number, steps, "Loss/train")
    points = [(900.0 + step, step, tag, 2 + step / 8) for step in evaluated]
    write_events(directory / FILE.format(900), points)
    return read(directory, x_axis="epoch")


@pytest.mark.parametrize("fits", [[range(8)], [range(3), range(3, 8)]])
def test_what_an_evaluator_wrote_after_the_training_is_of_its_epochs(
    tmp_path: Path, fits: list[Iterable[int]]
) -> None:
    (run,) = written_later(tmp_path, fits, range(8), "Loss/val")
    assert losses(run, "Loss/train") == [step / 8 for step in range(8)]
    assert losses(run, "Loss/val") == [2 + step / 8 for step in range(8)]
    assert run.possible_seams == {*([3] if len(fits) > 1 else [])}
    assert any("written after the training" in note for note in run.notes)


@pytest.mark.parametrize(
    ("evaluated", "tag"),
    [
        # the numbers of epochs beside those of batches, or of another training
        (range(3), "Loss/val"),
        (range(12), "Loss/val"),
        # a training of its own may have other series
        (range(8), "Loss/all"),
    ],
)
def test_what_may_be_of_another_training_is_not_put_beside_one(
    tmp_path: Path, evaluated: Iterable[int], tag: str
) -> None:
    assert len(written_later(tmp_path, [range(8)], evaluated, tag)) > 1


def test_two_values_of_an_epoch_are_both_kept(tmp_path: Path) -> None:
    points = [
        (step + part / 4, step, "val_loss", step / 8 + part)
        for step in range(4)
        for part in (0, 1)
    ]
    write_events(tmp_path / FILE.format(1), points)
    (run,) = read(tmp_path, x_axis="epoch")
    series = run.series["val_loss"]
    assert list(series) == [1, 1.125, 1.25, 1.375]
    assert series.others == {0: (0.0,), 1: (0.125,), 2: (0.25,), 3: (0.375,)}
    assert any("several values in 4 epochs" in note for note in run.notes)


def test_an_equal_value_is_no_other_one(tmp_path: Path) -> None:
    points = [(1.0, step, "epoch_loss", v) for step in range(2) for v in (0.5, 0.5)]
    write_events(tmp_path / FILE.format(1), points)
    (run,) = read(tmp_path)
    assert (losses(run), run.series["loss"].others) == ([0.5, 0.5], {})


def test_two_validations_beside_one_training_are_both_kept(tmp_path: Path) -> None:
    write(tmp_path / "train", 1, range(2))
    write(tmp_path / "validation", 1, range(2))
    points = [(200.0, step, "epoch_loss", 7.0) for step in range(2)]
    write_events(tmp_path / "validation" / FILE.format(2), points)
    (run,) = read(tmp_path)
    assert run.series["val_loss"].others == {0: (0.0,), 1: (0.125,)}
    assert losses(run, "val_loss") == [7.0, 7.0]


def test_values_that_all_stand_at_one_step_are_refused_or_numbered(
    tmp_path: Path,
) -> None:
    points = [
        (float(i), 0, tag, i / 8) for i in range(5) for tag in ("loss", "val_loss")
    ]
    write_events(tmp_path / FILE.format(1), points)
    with pytest.raises(Exception, match="parts='rows'"):
        read(tmp_path, x_axis="epoch")
    (run,) = read(tmp_path, x_axis="epoch", parts="rows")
    assert losses(run, "val_loss") == [i / 8 for i in range(5)]


def test_fits_of_one_epoch_each_may_be_numbered(tmp_path: Path) -> None:
    for begun in range(4):
        points = [(float(begun), 0, "epoch_loss", begun / 8)]
        write_events(tmp_path / "train" / FILE.format(begun), points)
        write_events(tmp_path / "validation" / FILE.format(begun), points)
    assert len(read(tmp_path)) == 4
    (run,) = read(tmp_path, parts="rows")
    assert losses(run) == losses(run, "val_loss") == [0, 0.125, 0.25, 0.375]
    assert run.seams == ()


def test_names_with_the_path_of_windows_tell_the_writer(tmp_path: Path) -> None:
    for writer in ("train", "validation"):
        points = [(100.0 + step, step, "epoch_loss", step / 8) for step in range(3)]
        name = f"logs\\{writer}\\{FILE.format(1)}"
        write_events(tmp_path / name, points)
    (run,) = read(tmp_path)
    assert losses(run) == losses(run, "val_loss") == [0.0, 0.125, 0.25]


@pytest.mark.parametrize("first", [0, 3])
def test_a_mark_of_one_worker_takes_nothing_back_from_another(
    tmp_path: Path, first: int
) -> None:
    # SummaryWriter(purge_step=first) in each of two workers, whose first epoch lasts
    # longer than it takes both to begin; 10 s an epoch
    for begun, offset in (100.0, 0), (103.0, 16):
        times = {step: begun + 10 * (step - first + 1) for step in range(first, 8)}
        values = [scalars([s], at, offset)[0] for s, at in times.items()]
        path = tmp_path / FILE.format(int(begun))
        write_payloads(path, [restart_event(begun, first), *values])
    one, other = read(tmp_path, x_axis="epoch")
    assert losses(one, "val_loss") == [step / 8 for step in range(first, 8)]
    assert losses(other, "val_loss") == [16 + step / 8 for step in range(first, 8)]
    assert any("as by several workers" in note for note in one.notes)


def test_an_evaluator_of_each_third_checkpoint_leaves_the_losses_of_epochs(
    tmp_path: Path,
) -> None:
    trained = [(100.0 + step, step, "loss", step / 8) for step in range(12)]
    judged = [(900.0 + step, step, "val_loss", step / 4) for step in (2, 5, 8, 11)]
    write_events(tmp_path / FILE.format(100), trained)
    write_events(tmp_path / FILE.format(900), judged)
    (run,) = read(tmp_path, x_axis="epoch")
    assert losses(run) == [step / 8 for step in range(12)]
    assert list(run.series["val_loss"].recorded.nonzero()[0]) == [2, 5, 8, 11]


def test_that_nothing_is_left_offers_nothing_that_was_asked(tmp_path: Path) -> None:
    points = [(1.0, -1 - step, "val_loss", step / 8) for step in range(5)]
    write_events(tmp_path / FILE.format(1), points)
    with pytest.raises(LogError, match="no epoch is left: val_loss has the step -1"):
        read(tmp_path, x_axis="epoch", errors="skip")
