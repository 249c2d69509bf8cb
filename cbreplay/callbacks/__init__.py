"""The rules: what each Keras callback decides at the end of an epoch."""

from __future__ import annotations

from typing import Any

from cbreplay.callbacks.bystander import BYSTANDERS, Bystander
from cbreplay.callbacks.early_stopping import EarlyStopping
from cbreplay.callbacks.learning_rate_scheduler import LearningRateScheduler
from cbreplay.callbacks.model_checkpoint import ModelCheckpoint
from cbreplay.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from cbreplay.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BYSTANDERS",
    "CALLBACKS",
    "Bystander",
    "EarlyStopping",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]

# one line for each callback that has a rule
CALLBACKS: dict[str, type[Any]] = {
    "EarlyStopping": EarlyStopping,
    "ReduceLROnPlateau": ReduceLROnPlateau,
    "LearningRateScheduler": LearningRateScheduler,
    "ModelCheckpoint": ModelCheckpoint,
    "TerminateOnNaN": TerminateOnNaN,
}
