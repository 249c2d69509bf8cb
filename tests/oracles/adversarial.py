"""Random trainings at the edges where a careless replay decides wrongly."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay import (
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from tests.oracles.keras_driver import Written, parameters

if TYPE_CHECKING:
    from numpy.random import Generator

    from cbreplay.rules.base import Callback


@dataclass
class Case:
    """One training: its logs, the callbacks, the rate it starts with."""

    logs: list[dict[str, float]]
    callbacks: list[Callback]
    learning_rate: float
    first_epoch: int

    def question(self) -> dict[str, Any]:
        """Return it as `keras_driver.answer` takes it."""
        return vars(self) | {"callbacks": [parameters(one) for one in self.callbacks]}


def draw_case(rng: Generator, kinds: str) -> Case:
    """Draw a training; `kinds` has a letter for each callback: C, E, L, R or T."""
    pool = _pool(rng) if rng.random() < 0.85 else _one_delta_apart(rng)
    n_epochs = int(rng.integers(1, 26))
    logs = [_epoch_logs(rng, pool) for _ in range(n_epochs)]
    if rng.random() < 0.15:
        # versions part on a first value that is no number
        first = float(rng.choice([math.nan, math.inf, -math.inf]))
        logs[0] |= {"val_loss": first, "loss": first}
    # a monitor that is absent everywhere is refused; that has its own test
    logs[int(rng.integers(n_epochs))] |= {"val_loss": 0.5, "loss": 0.5}
    draw = {
        "C": _model_checkpoint,
        "E": _early_stopping,
        "L": _learning_rate_scheduler,
        "R": _reduce_lr_on_plateau,
        "T": _terminate_on_nan,
    }
    return Case(
        logs=logs,
        callbacks=[draw[kind](rng, pool) for kind in kinds],
        learning_rate=float(
            np.float32(rng.choice([0.01, 1e-3, 1.0, 3e-4, 1e-44, 1e-40, rng.random()]))
        ),
        first_epoch=int(rng.choice([0, 0, 0, 1, 4])),
    )


def version_cases() -> list[Case]:
    """Return the smallest trainings that tell versions apart, as the unit tests do."""
    restoring = EarlyStopping(monitor="loss", patience=1, restore_best_weights=True)
    late = EarlyStopping(monitor="loss", start_from_epoch=1, restore_best_weights=True)
    plateau = ReduceLROnPlateau(monitor="loss", patience=1, min_delta=0)
    best = ModelCheckpoint("{epoch}.keras", monitor="loss", save_best_only=True)
    weights = replace(best, filepath="{epoch}.weights.h5", save_weights_only=True)
    rated = ModelCheckpoint("{learning_rate}.keras")
    nan, inf = math.nan, math.inf
    trainings: list[tuple[list[float], list[Callback], float]] = [
        ([nan, 1, 0.5, 0.4], [replace(restoring, patience=2)], 0.5),
        ([1, 1 - 1e-9], [replace(restoring, restore_best_weights=False)], 0.5),
        ([1, 1 - 1e-9], [plateau], 0.5),
        ([1, 1.05, 1.1, 1.12], [replace(plateau, min_delta=-0.1)], 0.5),
        ([0.4, 0.3], [replace(plateau, min_delta=0.1)], 0.5),
        ([0.4, 0.3], [replace(restoring, min_delta=0.1)], 0.5),
        ([1, 1, 1], [replace(plateau, factor=0.3)], 0.01),
        ([1, 2, 3], [replace(restoring, patience=9)], 0.5),
        ([1, inf], [restoring, late], 0.5),
        ([1, nan, nan], [replace(late, patience=5)], 0.5),
        ([1, 1], [replace(plateau, factor=-1e39, min_lr=0.001)], 0.5),
        ([nan, 1, 0.5], [best], 0.5),
        ([inf, 1, 1], [weights], 0.5),
        ([1, 1 - 1e-9, 1e-40, 0], [best], 0.5),
        ([1, 1], [replace(best, filepath="a.h5")], 0.5),
        ([1, 1], [replace(best, filepath="whole")], 0.5),
        ([1, 1], [replace(weights, filepath="a.h5")], 0.5),
        ([1, 1, 1], [plateau, rated], 0.01),
        ([1, 1, 1], [rated, plateau], 0.01),
        ([1, 1], [plateau, replace(rated, filepath="{lr}.keras")], 0.01),
        ([1, nan, 1], [restoring, best, TerminateOnNaN()], 0.5),
        ([1, -inf, 1], [restoring, TerminateOnNaN(raise_error=True), best], 0.5),
        ([1, 1], [LearningRateScheduler(Written("lambda epoch: 1e39"))], 0.5),
        ([1, 1], [LearningRateScheduler({1: 1e39})], 0.5),
    ]
    return [
        *(
            Case(
                [{"loss": one, "val_loss": 1.0} for one in values],
                asked,
                float(np.float32(rate)),
                0,
            )
            for values, asked, rate in trainings
        ),
        # an epoch without the monitor
        Case([{"loss": 1.0}, {"mae": 1.0}, {"loss": 0.5}], [best], 0.5, 0),
    ]


def _pool(rng: Generator) -> list[float]:
    """Draw a few values that stand near each other in one of several ways."""
    kind = rng.integers(6)
    center = float(rng.normal(0, 1))
    if kind == 0:  # ties, and decimals
        return [round(center + i / 100, 2) for i in (0, 0, 1, -1, 5, -5)]
    if kind == 1:  # neighbours in float32
        near = np.float32(center)
        steps = [near, np.nextafter(near, np.float32(9)), np.nextafter(near, -near)]
        return [float(one) for one in steps]
    if kind == 2:  # differences that only float64 sees
        return [center, center * (1 + 1e-9), center * (1 - 1e-9), center + 1e-4]
    if kind == 3:  # subnormals in float32
        return [0.0, 1e-40, -1e-40, 1e-38, 2e-38, 1e-45]
    if kind == 5:  # steps of a usual min_delta, and one rounding beside it
        steps = [center - i * delta for delta in (1e-4, 0.05) for i in range(3)]
        return [float(np.nextafter(one, rng.choice([-9, one, 9]))) for one in steps]
    falling = center + np.cumsum(-rng.random(6)) * 0.1
    return [*falling.tolist(), *(falling + rng.normal(0, 0.05, 6)).tolist()]


def _one_delta_apart(rng: Generator) -> list[float]:
    """Draw values for which it matters to which side min_delta is added."""
    precision = np.float64 if rng.random() < 0.5 else np.float32
    while True:
        best, apart = np.round(rng.normal(), 2), np.round(rng.choice([0.1, 0.05]), 2)
        value = np.round(best - apart, 2)
        best, value = float(precision(best)), float(precision(value))
        on_value = precision(value + apart) < precision(best)
        if on_value != (precision(value) < precision(best - apart)):
            return [best, best, round(best + 1, 2), value]


def _epoch_logs(rng: Generator, pool: list[float]) -> dict[str, float]:
    # Keras never logs nothing
    logs = {"accuracy": 0.5}
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
    decimal = round(spread, 2)
    usual = [0, 0, 1e-4, -1e-3, 0.01, 0.05, -0.1, 1e-40]
    return float(rng.choice([*usual, spread, decimal, decimal, decimal]))


def _early_stopping(rng: Generator, pool: list[float]) -> Callback:
    baseline = None if rng.random() < 0.6 else float(rng.choice(pool))
    return EarlyStopping(
        monitor=str(rng.choice(["val_loss", "loss"])),
        min_delta=_min_delta(rng, pool),
        patience=int(rng.choice([-1, 0, 1, 2, 3, 5, 8])),
        mode=str(rng.choice(["auto", "min", "max"])),
        baseline=baseline,
        restore_best_weights=bool(rng.random() < 0.7),
        start_from_epoch=int(rng.choice([0, 0, 0, 1, 2, 5])),
    )


def _reduce_lr_on_plateau(rng: Generator, pool: list[float]) -> Callback:
    return ReduceLROnPlateau(
        monitor=str(rng.choice(["val_loss", "loss"])),
        factor=float(
            rng.choice([0.1, 0.5, 0.3, 0.25, 0.0, 1 - 1e-9, 0.9, rng.random()])
        ),
        patience=int(rng.choice([-1, 0, 1, 2, 3, 5])),
        mode=str(rng.choice(["auto", "min", "max"])),
        min_delta=_min_delta(rng, pool),
        cooldown=int(rng.choice([0, 0, 1, 2, 3])),
        min_lr=float(rng.choice([0.0, 0.0, 1e-5, 1e-3, 0.002])),
    )


def _terminate_on_nan(rng: Generator, pool: list[float]) -> Callback:  # noqa: ARG001
    return TerminateOnNaN(raise_error=bool(rng.random() < 0.2))


_PLAIN_NAMES = ["best", "{epoch:02d}", "a/{epoch}", "{epoch:03d}-x", "b/{epoch}/c"]
# what is not logged in every epoch gives no name there
_LOGGED_NAMES = [
    "{epoch}-{loss:.3f}",
    "{val_loss}",
    "a/{loss:.2f}/{epoch:02d}-{val_loss:+.4e}",
    "{learning_rate}",
    "{epoch}-{lr:.4g}",
    "{epoch}-{lr}",
    "{loss:d}",
]


def _model_checkpoint(rng: Generator, pool: list[float]) -> Callback:
    weights = bool(rng.random() < 0.5)
    names = _PLAIN_NAMES if rng.random() < 0.75 else _LOGGED_NAMES
    suffixes = [".weights.h5"] if weights else [".keras"]
    if rng.random() < 0.08:
        suffixes = [".keras", ".h5", ".weights.h5", ".tf", ""]
    return ModelCheckpoint(
        str(rng.choice(names)) + str(rng.choice(suffixes)),
        monitor=str(rng.choice(["val_loss", "loss"])),
        save_best_only=bool(rng.random() < 0.85),
        save_weights_only=weights,
        mode=str(rng.choice(["auto", "min", "max"])),
        initial_value_threshold=(
            None
            if rng.random() < 0.6
            else float(rng.choice([*pool, math.inf, -math.inf]))
        ),
    )


def _learning_rate_scheduler(rng: Generator, pool: list[float]) -> Callback:  # noqa: ARG001
    if rng.random() < 0.35:
        firsts = rng.integers(0, 12, size=int(rng.integers(1, 4)))
        rates = [0.01, 3e-4, 1e-40, rng.random()]
        table = {int(one): float(rng.choice(rates)) for one in firsts}
        return LearningRateScheduler(table)
    factor = float(rng.choice([0.3, 0.9, 1.0, 0.1, rng.random()]))
    # a rate is recorded after the schedule set it, so what depends on the one before
    # starts behind every first epoch
    texts = [
        f"lambda epoch, rate: rate * {factor!r} ** (epoch > 4)",
        f"lambda epoch, rate: rate if epoch < 5 else max(rate - {factor!r}, 1e-3)",
        f"lambda epoch, rate: np.float32(rate) * np.float32({factor!r} ** (epoch > 4))",
        f"lambda epoch, rate: np.float64(rate * {factor!r} ** (epoch % 6 == 5))",
        f"lambda epoch, rate: rate - {factor!r} * (epoch == 7)",
        f"lambda epoch: {factor!r}",
        f"lambda epoch: {factor!r} / (1 + epoch)",
        f"lambda epoch: np.float32({factor!r}) * np.cos(epoch / 7)",
        f"lambda epoch: {factor!r} * 2.0 ** -(epoch // 3)",
        f"lambda epoch, rate={factor!r}: rate / 2 if epoch == 6 else {factor!r}",
    ]
    if rng.random() < 0.1:
        # Keras takes nothing but a float
        wrong = str(rng.choice(["0", "1", "True", "None", "'0.1'", "np.float16(0.1)"]))
        since = int(rng.integers(0, 20))
        texts = [f"lambda epoch: {factor!r} if epoch < {since} else {wrong}"]
    return LearningRateScheduler(Written(str(rng.choice(texts))))
