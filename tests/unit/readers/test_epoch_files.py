"""A directory with a JSON file for each epoch, as AllenNLP writes one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import cbreplay
from cbreplay.errors import LogError

if TYPE_CHECKING:
    from pathlib import Path

LOSSES = [0.9, 0.7, 0.8]


def written(path: Path, name: str, held: dict[str, Any]) -> None:
    (path / name).write_text(json.dumps(held, indent=2))


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("metrics_epoch_{}.json", {"epoch": True, "first": 0}),
        ("epoch_{:03}.json", {"epoch": False, "first": 1}),
        ("epoch{}.json", {"epoch": True, "first": 1}),
    ],
)
def test_each_file_is_an_epoch_of_one_training(
    tmp_path: Path, name: str, inside: dict[str, int]
) -> None:
    first = inside["first"]
    for at, loss in enumerate(LOSSES, start=first):
        held = {"training_duration": "0:00:01", "validation_loss": loss}
        own = {"epoch": at} if inside["epoch"] else {}
        written(tmp_path, name.format(at), {**own, **held})
    (run,) = cbreplay.load_runs(tmp_path)
    assert run.series["validation_loss"].values.tolist() == LOSSES
    assert run.counts_from == first


def test_ten_comes_behind_nine_and_a_lost_file_is_a_hole(tmp_path: Path) -> None:
    for at in range(12):
        if at != 5:
            written(tmp_path, f"metrics_epoch_{at}.json", {"loss": 1 / (at + 1)})
    (run,) = cbreplay.load_runs(tmp_path)
    assert run.n_epochs == 12
    assert run.series["loss"].values[10] == 1 / 11
    assert not run.series["loss"].recorded[5]


def test_files_that_hold_lists_are_trainings_of_their_own(tmp_path: Path) -> None:
    for at in range(2):
        written(
            tmp_path, f"epoch_{at}.json", {"loss": [0.5, at / 8], "val_loss": [1, 2]}
        )
    assert len(cbreplay.load_runs(tmp_path)) == 2


def test_a_file_that_says_another_epoch_than_its_name_is_refused(
    tmp_path: Path,
) -> None:
    for at, said in enumerate((0, 1, 5)):
        written(tmp_path, f"metrics_epoch_{at}.json", {"epoch": said, "loss": 0.5})
    with pytest.raises(LogError, match="it says epoch 5"):
        cbreplay.load_runs(tmp_path)


def test_the_summary_of_all_epochs_is_no_run(tmp_path: Path) -> None:
    """AllenNLP writes the last epoch into metrics.json too, with what was best."""
    names = [f"metrics_epoch_{at}.json" for at in range(3)]
    for at, name in enumerate([*names, "metrics.json"]):
        own = {"epoch": min(at, 2), "validation_loss": LOSSES[min(at, 2)]}
        written(tmp_path, name, {**own, "best_epoch": 1})
    (run,) = cbreplay.load_runs(tmp_path)
    assert run.series["validation_loss"].values.tolist() == LOSSES
