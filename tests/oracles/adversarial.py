"""Random trainings at the edges where a careless replay decides wrongly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cbreplay import EarlyStopping, ReduceLROnPlateau

if TYPE_CHECKING:
    from numpy.random import Generator

    from cbreplay.callbacks.base import Callback


@dataclass
class Case:
    """One training: its logs, the callbacks, the rate it starts with."""

    logs: list[dict[str, float]]
    callbacks: list[Callback]
    learning_rate: float
    first_epoch: int


def draw_case(rng: Generator, kinds: str) -> Case:
    """Draw a training; `kinds` has a letter for each callback: E or R."""
    pool = _pool(rng)
    n_epochs = int(rng.integers(1, 26))
    logs = [_epoch_logs(rng, pool) for _ in range(n_epochs)]
    # a monitor that is absent everywhere is refused; that has its own test
    logs[int(rng.integers(n_epochs))] |= {"val_loss": 0.5, "loss": 0.5}
    draw = {"E": _early_stopping, "R": _reduce_lr_on_plateau}
    return Case(
        logs=logs,
        callbacks=[draw[kind](rng, pool) for kind in kinds],
        learning_rate=float(np.float32(rng.choice([0.01, 1e-3, 1.0, 3e-4, 1e-44]))),
        first_epoch=int(rng.choice([0, 0, 0, 1, 4])),
    )


def _pool(rng: Generator) -> list[float]:
    """Draw a few values that stand near each other in one of several ways."""
    kind = rng.integers(5)
    center = float(rng.normal(0, 1))
    if kind == 0:  # ties
        return [round(center, 2), round(center, 2), round(center + 0.01, 2)]
    if kind == 1:  # neighbours in float32
        near = np.float32(center)
        steps = [near, np.nextafter(near, np.float32(9)), np.nextafter(near, -near)]
        return [float(one) for one in steps]
    if kind == 2:  # differences that only float64 sees
        return [center, center * (1 + 1e-9), center * (1 - 1e-9), center + 1e-4]
    if kind == 3:  # subnormals in float32
        return [0.0, 1e-40, -1e-40, 1e-38, 2e-38, 1e-45]
    falling = center + np.cumsum(-rng.random(6)) * 0.1
    return [*falling.tolist(), *(falling + rng.normal(0, 0.05, 6)).tolist()]


def _epoch_logs(rng: Generator, pool: list[float]) -> dict[str, float]:
    logs = {}
    for name in ("loss", "val_loss"):
        fate = rng.random()
        if fate < 0.06:
            continue
        if fate < 0.10:
            logs[name] = math.nan
        elif fate < 0.13:
            logs[name] = math.inf if rng.random() < 0.5 else -math.inf
        else:
            logs[name] = float(rng.choice(pool))
    return logs


def _min_delta(rng: Generator, pool: list[float]) -> float:
    spread = abs(pool[0] - pool[-1])
    return float(rng.choice([0, 0, 1e-4, 1e-3, -1e-3, 0.05, -0.1, spread, 1e-40]))


def _early_stopping(rng: Generator, pool: list[float]) -> Callback:
    baseline = None if rng.random() < 0.6 else float(rng.choice(pool))
    return EarlyStopping(
        monitor=str(rng.choice(["val_loss", "loss"])),
        min_delta=_min_delta(rng, pool),
        patience=int(rng.choice([-1, 0, 1, 2, 3, 5, 8])),
        mode=str(rng.choice(["auto", "min", "max"])),
        baseline=baseline,
        restore_best_weights=bool(rng.integers(2)),
        start_from_epoch=int(rng.choice([0, 0, 0, 1, 2, 5])),
    )


def _reduce_lr_on_plateau(rng: Generator, pool: list[float]) -> Callback:
    return ReduceLROnPlateau(
        monitor=str(rng.choice(["val_loss", "loss"])),
        factor=float(rng.choice([0.1, 0.5, 0.3, 0.25, 0.0, 1 - 1e-9, 0.9])),
        patience=int(rng.choice([-1, 0, 1, 2, 3, 5])),
        mode=str(rng.choice(["auto", "min", "max"])),
        min_delta=_min_delta(rng, pool),
        cooldown=int(rng.choice([0, 0, 1, 2, 3])),
        min_lr=float(rng.choice([0.0, 0.0, 1e-5, 1e-3, 0.002])),
    )
