"""What ``add_hparams`` of PyTorch writes below a training is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import LogError, load_runs
from tests.oracles.tensorboard_loader import event, message, record, value, write_events

if TYPE_CHECKING:
    from pathlib import Path

LOSSES = [0.75, 0.5, 0.625]
EVENTS = "events.out.tfevents.1700000000.host"


def hparams(tag: str) -> bytes:
    """Return a value that is for the plugin hparams and holds no number."""
    plugin = message(1, message(1, b"hparams"))
    return message(1, tag.encode()) + message(9, plugin)


def write_session(directory: Path, results: dict[str, float]) -> Path:
    """Write a session with the tags that PyTorch and tensorboardX give it."""
    held = [
        hparams(f"_hparams_/{name}")
        for name in ("experiment", "session_start_info", "session_end_info")
    ]
    held += [value(tag, number, "simple_value") for tag, number in results.items()]
    directory.mkdir(parents=True)
    content = b"".join(record(event(1.7e9, 0, own)) for own in held)
    (directory / EVENTS).write_bytes(content)
    return directory


def test_a_session_is_no_run_beside_its_training(tmp_path: Path) -> None:
    points = [(float(at), at, "Loss/val", loss) for at, loss in enumerate(LOSSES)]
    write_events(tmp_path / "run" / EVENTS, points)
    session = write_session(tmp_path / "run" / "1700000000.25", {"hparam/best": 0.5})
    (run,) = load_runs(tmp_path, x_axis="epoch")
    assert list(run.series["Loss/val"]) == LOSSES
    assert any("hyperparameters" in note for note in run.notes)
    with pytest.raises(LogError, match="Give the directory above it"):
        load_runs(session, x_axis="epoch")


def test_one_epoch_of_keras_is_a_training_whatever_stands_beside(
    tmp_path: Path,
) -> None:
    (run,) = load_runs(write_session(tmp_path / "run", {"epoch_loss": 0.5}))
    assert list(run.series["loss"]) == [0.5]
