"""A fit that was resumed, in a CSV that goes on and in event files of each fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay.loading import load_runs
from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from pathlib import Path

FILE = "events.out.tfevents.{}.host.7.{}.v2"
FIRST = [(0, 0.75), (1, 0.5), (2, 0.375), (3, 0.3125)]
LATER = [(4, 0.25), (5, 0.21875), (6, 0.1875)]
# the tutorial on transfer learning: fit(initial_epoch=history.epoch[-1])
AGAIN = [(3, 0.34375), *LATER]


def write_both(path: Path, *fits: list[tuple[int, float]]) -> None:
    """Write what CSVLogger(append=True) and TensorBoard leave of fits in turn."""
    rows = [f"{epoch},{loss!r}" for fit in fits for epoch, loss in fit]
    path.mkdir()
    text = "\r\n".join(["epoch,loss", *rows, ""])
    (path / "log.csv").write_text(text, newline="")
    for number, fit in enumerate(fits):
        points = [
            (100.0 * number + epoch, epoch, "epoch_loss", loss) for epoch, loss in fit
        ]
        write_events(path / "logs" / "train" / FILE.format(100, 2 * number), points)


@pytest.mark.parametrize(
    ("second", "possible", "replaced"), [(LATER, {4}, []), (AGAIN, set(), [3])]
)
def test_the_seam_that_event_files_show_holds_for_the_csv_too(
    tmp_path: Path,
    second: list[tuple[int, float]],
    possible: set[int],
    replaced: list[int],
) -> None:
    write_both(tmp_path / "a", FIRST, second)
    (run,) = load_runs(tmp_path / "a")
    assert run.seams == (second[0][0],)
    assert set(run.possible_seams) == possible
    assert [seam for seam, _ in run.replaced] == replaced
    # what one log leaves open and the other tells is no doubt
    doubted = [note for note in run.notes if "what hangs on it is not told" in note]
    assert bool(doubted) == bool(possible)
    losses = dict([*FIRST, *second])
    assert list(run.series["loss"]) == [losses[epoch] for epoch in range(7)]


def test_folds_in_both_stay_a_run_each(tmp_path: Path) -> None:
    # three folds of four epochs: each begins at epoch 0
    folds = [[(e, loss - shift) for e, loss in FIRST] for shift in (0, 1 / 64, 1 / 32)]
    write_both(tmp_path / "a", *folds)
    assert [run.n_epochs for run in load_runs(tmp_path / "a")] == [4, 4, 4]


def test_two_processes_that_write_one_csv_at_once_are_two_trainings(
    tmp_path: Path,
) -> None:
    # a script that was started twice: the CSV has the rows of both in turn
    fits = [[(e, loss - shift) for e, loss in FIRST] for shift in (0, 1 / 64)]
    rows = [
        f"{epoch},{loss!r}" for pair in zip(*fits, strict=True) for epoch, loss in pair
    ]
    (tmp_path / "log.csv").write_text(
        "\r\n".join(["epoch,loss", *rows, ""]), newline=""
    )
    for number, fit in enumerate(fits):
        points = [(e + number / 4, e, "epoch_loss", loss) for e, loss in fit]
        write_events(tmp_path / "logs" / "train" / FILE.format(100, 2 * number), points)
    runs = load_runs(tmp_path)
    assert [run.seams for run in runs] == [(), ()]
    assert [list(run.series["loss"]) for run in runs] == [
        [loss for _, loss in fit] for fit in fits
    ]
    # the CSV holds what both wrote
    assert not [note for run in runs for note in run.notes if "none of the" in note]


def test_event_files_of_one_second_are_read_in_the_order_of_their_numbers(
    tmp_path: Path,
) -> None:
    # a process numbers its writers; here a fit of one epoch each, and 10 is after 8
    losses = [1 / (epoch + 1) for epoch in range(12)]
    for epoch, loss in enumerate(losses):
        begun = 100 + epoch // 6
        file = tmp_path / "logs" / "train" / FILE.format(begun, 2 * epoch)
        write_events(file, [(begun + epoch / 12, epoch, "epoch_loss", loss)])
    (run,) = load_runs(tmp_path / "logs")
    assert list(run.series["loss"]) == pytest.approx(losses)
