"""JSON of a training whose lists stand there again, or beside what is of no epoch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import Run, load_runs

if TYPE_CHECKING:
    from pathlib import Path

LOSS = [0.91, 0.72, 0.63, 0.54]
JUDGED = [0.95, 0.66, 0.77, 0.88]
LISTS: dict[str, Any] = {"loss": LOSS, "val_loss": JUDGED}
# as MLflow's autologger leaves them: the values of epoch 1 stand there once more
RESTORED: dict[str, Any] = {
    "loss": [*LOSS, LOSS[1]],
    "val_loss": [*JUDGED, JUDGED[1]],
    "stopped_epoch": [3.0],
    "restored_epoch": [1.0],
}


def read(directory: Path, held: object) -> list[Run]:
    path = directory / "log.json"
    path.write_text(json.dumps(held), encoding="ascii")
    return load_runs(path)


@pytest.mark.parametrize(
    "held",
    [
        LISTS | {"test_loss": [0.7]},
        LISTS | {"classes": ["cat", "dog"], "confusion": [[3, 1], [0, 4]]},
        RESTORED,
        # pairs of a step and a value; a metric without steps stands at 0
        {name: [*map(list, enumerate(own))] for name, own in LISTS.items()}
        | {"validation_loss": [[0, loss] for loss in JUDGED]},
    ],
)
def test_what_is_of_no_epoch_is_left_out(tmp_path: Path, held: dict[str, Any]) -> None:
    (run,) = read(tmp_path, held)
    assert {name: list(own) for name, own in run.series.items()} == LISTS
    assert any("left out" in note for note in run.notes)


def test_a_last_value_of_its_own_is_an_epoch(tmp_path: Path) -> None:
    (run,) = read(tmp_path, RESTORED | {"val_loss": [*JUDGED, 0.6]})
    assert run.n_epochs == 5


@pytest.mark.parametrize("name", ["{}", "epoch_{}", "after {}"])
def test_lists_that_each_save_wrote_under_its_epoch_are_one_training(
    tmp_path: Path, name: str
) -> None:
    saved = {
        name.format(n_epochs): {key: own[:n_epochs] for key, own in LISTS.items()}
        for n_epochs in (2, 3, 4)
    }
    (run,) = read(tmp_path, saved)
    assert list(run.series["val_loss"]) == JUDGED


def test_lists_of_several_trainings_may_stand_under_numbers(tmp_path: Path) -> None:
    runs = read(tmp_path, {"1": LISTS, "2": {"loss": JUDGED, "val_loss": LOSS}})
    assert [list(run.series["loss"]) for run in runs] == [LOSS, JUDGED]
