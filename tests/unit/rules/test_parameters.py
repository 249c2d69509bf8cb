"""Parameters of other types: plain in the rule, or refused."""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum, StrEnum
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    EmaStopping,
    MeanStopping,
    ReduceLROnPlateau,
    Run,
    TerminateOnNaN,
    replay_run,
)


class Monitor(StrEnum):
    """A project's own names, as many keep them."""

    LOSS = "loss"


class Wait(IntEnum):
    """A project's own settings."""

    LONG = 7


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (
            EarlyStopping(patience=np.int64(3)),  # type: ignore[arg-type]
            "EarlyStopping(patience=3)",
        ),
        (EarlyStopping(patience=Wait.LONG), "EarlyStopping(patience=7)"),
        (EarlyStopping(min_delta=np.float64(0.5)), "EarlyStopping(min_delta=0.5)"),
        (
            EarlyStopping(min_delta=Fraction(1, 4)),  # type: ignore[arg-type]
            "EarlyStopping(min_delta=0.25)",
        ),
        (EarlyStopping(monitor=Monitor.LOSS), "EarlyStopping(monitor='loss')"),
        (
            EarlyStopping("loss", mode=np.str_("min")),
            "EarlyStopping(monitor='loss', mode='min')",
        ),
        (
            EarlyStopping(restore_best_weights=np.True_),  # type: ignore[arg-type]
            "EarlyStopping(restore_best_weights=True)",
        ),
        (
            ReduceLROnPlateau(factor=np.sqrt(0.25)),
            "ReduceLROnPlateau(factor=0.5)",
        ),
        (EmaStopping(np.int64(3)), "EmaStopping(patience=3)"),  # type: ignore[arg-type]
        (
            MeanStopping(2, window=np.uint8(5)),  # type: ignore[arg-type]
            "MeanStopping(patience=2)",
        ),
        (
            TerminateOnNaN(raise_error=np.True_),  # type: ignore[arg-type]
            "TerminateOnNaN(raise_error=True)",
        ),
    ],
)
def test_a_rule_holds_the_plain_value(rule: Any, code: str) -> None:
    assert rule.code == code


def test_an_unsigned_min_delta_has_a_sign() -> None:
    # -np.uint8(1) is 255; 0.5 beats 2 by more than 1, and 0.25 does not beat 0.5 so
    run = Run.from_logs([{"val_loss": value} for value in (2.0, 0.5, 0.25)])
    rule = EarlyStopping(min_delta=np.uint8(1))  # type: ignore[arg-type]
    replay = replay_run(run, rule, semantics="keras-3.15")
    assert (replay.stopped_epoch, replay.best_epoch) == (2, 1)


@pytest.mark.parametrize(
    "value", [np.float32(0.1), np.float16(0.1), np.array(0.1), Decimal("0.1")]
)
@pytest.mark.parametrize(
    "make",
    [
        lambda value: EarlyStopping(min_delta=value),
        lambda value: EarlyStopping(baseline=value),
        lambda value: ReduceLROnPlateau(factor=value),
        lambda value: ReduceLROnPlateau(min_lr=value),
    ],
)
def test_a_float_of_another_precision_is_refused(make: Any, value: Any) -> None:
    # 1.0 - np.float32(0.1) is a float32 in numpy 2 and a float64 before, and Keras
    # computes with what it was given
    with pytest.raises(ConfigError, match=r"where float\(\.\.\.\) of that number is"):
        make(value)
