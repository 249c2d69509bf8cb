"""The rules: what each callback decides.

`registry` has a row for each; the rules of one framework or author are a folder. `base`
has what a replay asks of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cbreplay.rules.beyond_patience import EmaStopping, MeanStopping, TargetStopping
    from cbreplay.rules.bystander import Bystander
    from cbreplay.rules.keras.early_stopping import EarlyStopping
    from cbreplay.rules.keras.learning_rate_scheduler import LearningRateScheduler
    from cbreplay.rules.keras.model_checkpoint import ModelCheckpoint
    from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau
    from cbreplay.rules.keras.terminate_on_nan import TerminateOnNaN
    from cbreplay.rules.prechelt.gl import PrecheltGL
    from cbreplay.rules.prechelt.pq import PrecheltPQ
    from cbreplay.rules.prechelt.up import PrecheltUP

__all__ = [
    "Bystander",
    "EarlyStopping",
    "EmaStopping",
    "LearningRateScheduler",
    "MeanStopping",
    "ModelCheckpoint",
    "PrecheltGL",
    "PrecheltPQ",
    "PrecheltUP",
    "ReduceLROnPlateau",
    "TargetStopping",
    "TerminateOnNaN",
]


def __getattr__(name: str) -> Any:
    from cbreplay.rules.registry import rule_named

    if name not in __all__:
        message = f"module 'cbreplay.rules' has no attribute {name!r}"
        raise AttributeError(message)
    return rule_named(name).load()
