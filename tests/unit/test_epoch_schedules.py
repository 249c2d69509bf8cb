"""What `lint` says of a ReduceLROnPlateau beside a schedule that is a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay.lint.scripts import lint_script
from cbreplay.scripts.training_scripts import read_training_script

if TYPE_CHECKING:
    from pathlib import Path

_SCRIPT = """
import keras
import math
import numpy as np
import tensorflow as tf
from keras.callbacks import LearningRateScheduler, ReduceLROnPlateau

START = 0.01
rate_now = keras.Variable(0.01)

{function}

callbacks = [ReduceLROnPlateau(patience=4, factor=0.5), LearningRateScheduler({given})]
model.fit(x, y, validation_split=0.2, epochs=50, callbacks=callbacks)
"""

_STEPPED = """
def drop(epoch):
    rate = START
    if epoch > 30:
        rate *= 0.1
    print("rate {:.4f}".format(rate))
    return rate
"""
_LOOKED_UP = """
steps = [(10, 0.01), (20, 0.001)]
def drop(epoch):
    for last, rate in steps:
        if epoch < last:
            return rate
    return 1e-4
"""


def undone(path: Path, function: str, given: str) -> bool:
    file = path / "train.py"
    file.write_text(_SCRIPT.format(function=function, given=given), encoding="utf-8")
    found = lint_script(read_training_script(str(file)), semantics="keras-3.15")
    return any(each.finding.code == "schedule-undoes-reduction" for each in found)


@pytest.mark.parametrize(
    ("function", "given"),
    [
        ("", "lambda epoch: 1e-3 * 10 ** (-epoch / 20)"),
        ("", "schedule=lambda epoch: 0.1"),
        (_STEPPED, "drop"),
        ("def drop(e, rate):\n    return START * math.pow(0.5, np.floor(e))", "drop"),
        ("drop = lambda epoch: float(tf.math.exp(-0.1 * epoch))", "drop"),
        (_LOOKED_UP, "drop"),
    ],
)
def test_a_schedule_of_the_epoch_alone_undoes_each_reduction(
    tmp_path: Path, function: str, given: str
) -> None:
    # Keras sets the rate as each epoch begins: keras/src/callbacks/
    # learning_rate_scheduler.py, on_epoch_begin
    assert undone(tmp_path, function, given)


@pytest.mark.parametrize(
    ("function", "given"),
    [
        ("", "lambda epoch, rate: rate * 0.9"),
        ("def drop(epoch, rate=0.1):\n    return rate", "drop"),
        ("def drop(epoch, rate):\n    return rate if epoch < 9 else 0.001", "drop"),
        ("def drop(epoch):\n    return float(model.optimizer.learning_rate)", "drop"),
        ("def drop(epoch):\n    return rate_now * 0.5", "drop"),
        ("def drop(*given):\n    return given[1] * 0.5", "drop"),
        ("@keep\ndef drop(epoch):\n    return 0.1", "drop"),
        ("def make(start):\n    return lambda epoch: start", "make(0.1)"),
        ("from schedules import drop", "drop"),
    ],
)
def test_a_schedule_that_may_know_the_rate_is_not_said_to_undo_one(
    tmp_path: Path, function: str, given: str
) -> None:
    assert not undone(tmp_path, function, given)
