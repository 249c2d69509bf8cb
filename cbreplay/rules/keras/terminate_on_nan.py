"""TerminateOnNaN: its parameter and step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from cbreplay.errors import ConfigError
from cbreplay.rules.base import Callback
from cbreplay.rules.decisions import Decision
from cbreplay.rules.parameters import check_flags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.rules.decisions import Observation, Phase
    from cbreplay.rules.training import Training

__all__ = ["TerminateOnNaN"]

_GOES_ON = Decision()
_STOPPED = Decision(stop=True)


@dataclass(frozen=True, slots=True)
class TerminateOnNaN(Callback):
    """Stop at the first loss that is NaN or infinite.

    Keras looks at the running mean of the loss after every batch; at the end of the
    epoch that mean is the logged ``loss``. So it stops in the first epoch whose logged
    ``loss`` is not finite; the log does not tell in which batch. ``val_loss`` does not
    matter.

    Parameters
    ----------
    raise_error : bool
        As in ``keras.callbacks.TerminateOnNaN``, from Keras 3.13 on: training ends by
        an exception, nothing that follows the batch is run and no weights are restored.

    References
    ----------
    keras/src/callbacks/terminate_on_nan.py, Keras 3.15.1.
    """

    raise_error: bool = False

    acts_at: ClassVar[frozenset[Phase]] = frozenset({"batch"})

    def __post_init__(self) -> None:
        check_flags(self, "raise_error")

    @property
    def watched(self) -> str:
        """The series by which it decides."""
        return "loss"

    @property
    def margin(self) -> float:
        """Infinite: no value is compared with another."""
        return math.inf

    @property
    def raises(self) -> bool:
        """Whether it ends training by an exception."""
        return self.raise_error

    def begin(self, training: Training) -> None:
        """Return the state at the beginning of training: there is none."""
        if self.raise_error and not training.semantics.terminate_on_nan_can_raise:
            sentence = (
                f"TerminateOnNaN: {training.semantics.name} knows no raise_error; "
                "Keras does from 3.13 on"
            )
            raise ConfigError(sentence)

    def ends_in_batch(self, logs: Mapping[str, float]) -> bool:
        """Return whether it ends training within the epoch that these are logs of."""
        return not math.isfinite(logs.get("loss", 0.0))

    def step(self, state: None, seen: Observation) -> tuple[None, Decision]:  # noqa: ARG002
        """Return what was decided in an epoch."""
        return None, _STOPPED if self.ends_in_batch(seen.logs) else _GOES_ON
