"""The rules: what each Keras callback decides at the end of an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cbreplay.rules.keras.bystander import BYSTANDERS, Bystander
    from cbreplay.rules.keras.early_stopping import EarlyStopping
    from cbreplay.rules.keras.learning_rate_scheduler import LearningRateScheduler
    from cbreplay.rules.keras.model_checkpoint import ModelCheckpoint
    from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau
    from cbreplay.rules.keras.terminate_on_nan import TerminateOnNaN
    from cbreplay.rules.prechelt import PrecheltGL, PrecheltPQ, PrecheltUP

__all__ = [
    "BYSTANDERS",
    "CALLBACKS",
    "Bystander",
    "EarlyStopping",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "PrecheltGL",
    "PrecheltPQ",
    "PrecheltUP",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]

# one line for each callback that has a rule, and the module that has it; it is imported
# when it is asked for
_RULES = {
    "EarlyStopping": "keras.early_stopping",
    "ReduceLROnPlateau": "keras.reduce_lr_on_plateau",
    "LearningRateScheduler": "keras.learning_rate_scheduler",
    "ModelCheckpoint": "keras.model_checkpoint",
    "TerminateOnNaN": "keras.terminate_on_nan",
    "PrecheltGL": "prechelt",
    "PrecheltPQ": "prechelt",
    "PrecheltUP": "prechelt",
}


class _Rules(Mapping[str, type[Any]]):
    """The class of every rule by its name, each imported when it is taken out."""

    def __getitem__(self, name: str) -> type[Any]:
        if name not in _RULES:
            raise KeyError(name)
        kind: type[Any] = __getattr__(name)
        return kind

    def __contains__(self, name: object) -> bool:
        return name in _RULES

    def __iter__(self) -> Iterator[str]:
        return iter(_RULES)

    def __len__(self) -> int:
        return len(_RULES)


CALLBACKS: Mapping[str, type[Any]] = _Rules()


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module holds anything
    if name not in __all__:
        message = f"module 'cbreplay.rules' has no attribute {name!r}"
        raise AttributeError(message)
    module = _RULES.get(name, "keras.bystander")
    return getattr(import_module(f"cbreplay.rules.{module}"), name)
