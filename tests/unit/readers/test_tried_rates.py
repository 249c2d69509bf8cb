"""Tables without epochs whose rows may be trials of a learning rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cbreplay import LogError, load_runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def table(tmp_path: Path, rates: Sequence[float], header: str = "lr") -> Path:
    log = tmp_path / "table.csv"
    rows = [f"{rate!r},{1 / (at + 1)!r},{at / 7!r}" for at, rate in enumerate(rates)]
    log.write_text("\n".join([f"{header},loss,val_loss", *rows, ""]), encoding="ascii")
    return log


@pytest.mark.parametrize(
    "rates",
    [
        [0.01, 0.1, 0.0001, 0.001],
        [0.1, 0.01, 0.05, 0.005],
        [3e-4, 1e-4, 1e-3, 3e-3, 1e-2],
        # as float32 has them
        [float(np.float32(rate)) for rate in (0.01, 0.001, 0.03, 0.003)],
    ],
)
def test_a_grid_in_no_order_of_a_schedule_is_no_training(
    tmp_path: Path, rates: list[float]
) -> None:
    log = table(tmp_path, rates)
    with pytest.raises(LogError, match="seem to be trials") as caught:
        load_runs(log)
    assert "x_axis='epoch'" in str(caught.value)
    (run,) = load_runs(log, x_axis="epoch")
    assert run.n_epochs == len(rates)


def cyclic(n: int, per_epoch: int, gamma: float = 1.0) -> list[float]:
    """Return what a rate that goes up and down by batches is at the end of epochs."""
    batches = per_epoch * np.arange(1, n + 1)
    cycle, place = np.divmod(batches, 4000)
    height = 1 - np.abs(place / 2000 - 1)
    return [float(rate) for rate in 0.001 + 0.005 * height * gamma**cycle]


@pytest.mark.parametrize(
    "rates",
    [
        # constant, a decay, a warmup, one cycle, restarts, a plateau, a given schedule
        [0.1] * 6,
        [0.1, 0.01, 0.001],
        [0.001, 0.01, 0.1],
        [0.001, 0.01, 0.1, 0.05, 0.005, 0.0005],
        [0.1, 0.05, 0.01] * 3,
        [0.01, 0.01, 0.005, 0.005, 0.0025],
        [0.05 * (1 + float(np.cos(np.pi * (at % 7) / 7))) for at in range(21)],
        # by batches, so that each epoch meets another place of the cycle
        cyclic(30, 391),
        cyclic(30, 1563),
        cyclic(30, 1563, gamma=0.9),
        [float(np.float32(rate)) for rate in cyclic(30, 937)],
    ],
)
def test_schedules_without_a_column_of_epochs_are_read(
    tmp_path: Path, rates: list[float]
) -> None:
    (run,) = load_runs(table(tmp_path, rates))
    assert run.learning_rate is not None
    assert run.n_epochs == len(rates)


@pytest.mark.parametrize("name", ["dropout", "n_units", "kernel size", "Embedding_Dim"])
def test_what_no_training_changes_tells_trials_from_epochs(
    tmp_path: Path, name: str
) -> None:
    log = table(tmp_path, [0.1, 0.2, 0.3, 0.4], name)
    with pytest.raises(LogError, match="its rows are no epochs"):
        load_runs(log)
    # the same in each row, it is a setting of the one training
    (run,) = load_runs(table(tmp_path, [0.1] * 4, name))
    assert run.n_epochs == 4
