"""What Prechelt's stopping rules share: their state, and ratios of errors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from cbreplay.errors import ConfigError, EvidenceError
from cbreplay.rules.beyond_keras import BEST, RuleBeyondKeras
from cbreplay.rules.parameters import check_numbers, resolve_direction

if TYPE_CHECKING:
    from cbreplay.monitor import Comparison
    from cbreplay.rules.training import Training
    from cbreplay.run import Mode

__all__ = [
    "TRIED_BY",
    "PrecheltRule",
    "PrecheltState",
    "RatioRule",
    "generalization_loss",
]


# whose values `recommend` tries
TRIED_BY = "the values of Prechelt (1998)"


class PrecheltState(NamedTuple):
    """What a rule of Prechelt's carries from epoch to epoch.

    Parameters
    ----------
    comparison : Comparison
        What counts as a new best: plain float64, no ``min_delta``.
    best : float
        E_opt, the best validation error so far; infinite before the first number.
    best_epoch : int or None
        Its epoch.
    held_epoch : int or None
        The epoch whose weights are held for restoring.
    strip : tuple of float
        The values so far of the current strip: training errors for PQ, validation
        errors for UP. GL has no strips.
    strip_error : float or None
        UP's validation error at the end of the last strip.
    rises : int
        Over how many strips in a row it rose.
    measured : float or None
        What was last compared with the threshold: GL, GL / P_k, or `rises`; None in the
        middle of a strip.
    """

    comparison: Comparison
    best: float
    best_epoch: int | None = None
    held_epoch: int | None = None
    strip: tuple[float, ...] = ()
    strip_error: float | None = None
    rises: int = 0
    measured: float | None = None


class PrecheltRule(RuleBeyondKeras):
    """What the three share: they hold the best weights, and show their state."""

    __slots__ = ()

    shown_state: ClassVar[tuple[str, ...]] = (*BEST, "measured")
    has_strips: ClassVar[bool] = True
    counts_rises: ClassVar[bool] = False

    def begin(self, training: Training) -> PrecheltState:
        """Return the state at the beginning of training."""
        mode = self.resolve_mode(training)
        comparison = self.compare_plainly(mode)
        return PrecheltState(comparison, math.inf if mode == "min" else -math.inf)


class RatioRule(PrecheltRule):
    """What GL and PQ share: a ratio of errors is held against alpha."""

    __slots__ = ()

    alpha: float

    @property
    def threshold(self) -> float:
        """What the measure must exceed."""
        return self.alpha

    def check_alpha(self) -> None:
        """Raise ConfigError unless alpha is a threshold."""
        check_numbers(self, "alpha")
        if not 0 <= self.alpha < math.inf:
            sentence = (
                f"{self.class_name}: alpha is {self.alpha!r}, where a finite number "
                "from 0 on is expected"
            )
            raise ConfigError(sentence)

    def check_mode(self) -> None:
        """Raise ConfigError where larger values are better."""
        if self.mode == "max":
            sentence = f"{self.class_name}: mode is 'max', and {_NO_RATIO}"
            raise ConfigError(sentence)

    def resolve_mode(self, training: Training) -> Mode:
        """Return "min", or refuse a monitor that is no error."""
        if self.mode != "min" and training.find_direction(self.monitor) == "max":
            sentence = (
                f"{self.class_name}: {self.monitor!r} should be large, and {_NO_RATIO}"
            )
            raise ConfigError(sentence)
        return resolve_direction(self.class_name, self.monitor, self.mode, training)

    def check_error(self, monitor: str, error: float, epoch: int) -> None:
        """Raise EvidenceError where an error has no ratio to another."""
        if error <= 0:
            sentence = (
                f"{self.class_name}: {monitor} is {error!r} in epoch {epoch + 1}, and "
                "a ratio of errors means nothing where one is 0 or less. Monitor a "
                "positive error, or use PrecheltUP, which takes no ratio."
            )
            raise EvidenceError(sentence)


_NO_RATIO = (
    "its ratio of an error to the least error means nothing where large is good. "
    "Monitor a loss, or use PrecheltUP, which takes no ratio"
)


def generalization_loss(error: float, best: float) -> float:
    """Return GL: by how many percent an error lies above the best one.

    >>> round(generalization_loss(0.55, 0.5), 6)
    10.0
    """
    return 100 * (error / best - 1)
