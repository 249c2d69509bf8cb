"""What a finding is, and what is known when one is looked for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

from cbreplay.errors import ConfigError
from cbreplay.rules.base import Training, format_callback

if TYPE_CHECKING:
    from cbreplay.rules import EarlyStopping, ReduceLROnPlateau
    from cbreplay.rules.base import Callback
    from cbreplay.run import Mode, Run

__all__ = ["Finding", "Known", "effective_patience"]

_NO_FLOAT32 = 2.0**127


class Finding(NamedTuple):
    """A setting that can never act, or acts otherwise than it looks.

    Parameters
    ----------
    code : str
        What kind of finding it is, a name that stays, for example
        ``"reduce-after-stop"``.
    callback : int
        The callback's index in the list.
    message : str
        What it is, with the values.
    reason : str
        Why it is so: the rule of Keras behind it.
    fix : str
        What to write instead.
    severity : {"warning", "remark"}
        A remark is about a setting that may be meant as it is.
    """

    code: str
    callback: int
    message: str
    reason: str
    fix: str
    severity: Literal["warning", "remark"] = "warning"


class Known(NamedTuple):
    """What is known about the training that the callbacks are for.

    Parameters
    ----------
    callbacks : tuple of Callback
        The list, in order.
    training : Training
        Which Keras decides, and the direction of each compiled metric.
    epochs : int or None
        The ``epochs`` of ``fit``.
    validation_freq : int
        As in ``fit``.
    run : Run or None
        A record of such a training.
    """

    callbacks: tuple[Callback, ...]
    training: Training
    epochs: int | None
    validation_freq: int
    run: Run | None

    def code(self, index: int) -> str:
        """Return a callback as Keras code."""
        return format_callback(self.callbacks[index])

    def mode(self, callback: Callback) -> Mode | None:
        """Return the direction as this Keras resolves it; None if nothing tells."""
        try:
            return callback.resolve_mode(self.training)
        except ConfigError:
            return None

    def every(self, callback: Callback) -> int:
        """Return how many epochs lie between two values of the monitor."""
        validated = (callback.monitor or "").startswith("val_")
        return self.validation_freq if validated else 1

    def seen_in_plan(self, callback: EarlyStopping | ReduceLROnPlateau) -> float:
        """Return in how many epochs of the plan the callback sees a value."""
        if self.epochs is None:
            return math.inf
        # EarlyStopping alone has it, and an epoch is seen from it on
        first = min(max(getattr(callback, "start_from_epoch", 0), 0), self.epochs)
        every = self.every(callback)
        # Keras validates at the end of epochs every - 1, 2 * every - 1, ...
        return max(self.epochs // every - math.ceil(first) // every, 0)

    @property
    def initial_rate(self) -> float | None:
        """The rate of the first recorded epoch; None if nothing tells."""
        if self.run is None:
            return None
        rate = self.run.learning_rate
        if rate is not None and rate.recorded[0]:
            return float(rate.values[0])
        metadata = self.run.metadata
        told = None if metadata is None else metadata.initial_learning_rate
        # what float32 cannot hold is no rate
        return told if told is not None and 0 < told < _NO_FLOAT32 else None


def effective_patience(callback: EarlyStopping | ReduceLROnPlateau) -> float:
    """Return the least patience that decides the same: 0 and less act as 1."""
    return max(callback.patience, 1)
