"""PrecheltPQ: stop when generalization loss is large against training progress."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from cbreplay.rules.decisions import NOTHING, Decision
from cbreplay.rules.parameters import check_count, check_monitor, check_text
from cbreplay.rules.prechelt.state import (
    TRIED_BY,
    PrecheltState,
    RatioRule,
    generalization_loss,
)
from cbreplay.rules.tried_values import TriedValues

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.rules.decisions import Observation

__all__ = ["PrecheltPQ", "training_progress"]


@dataclass(frozen=True, slots=True)
class PrecheltPQ(RatioRule):
    """Stop when the generalization loss is large against the training progress.

    P_k(t) = 1000 (sum of E_tr over the strip / (k min E_tr over the strip) - 1), and at
    the end of each strip of k epochs GL(t) / P_k(t) is tested. Progress 0 counts as an
    infinite quotient if GL(t) > 0.

    Strips are counted from the first epoch of the fit. An epoch in which one of the two
    series is missing is skipped as if it were not there: with ``validation_freq=2`` a
    strip is k validations. NaN and infinite quotients of infinities never stop.

    Parameters
    ----------
    alpha : float
        The threshold; Prechelt tried .5, .75, 1, 2 and 3.
    monitor, training_monitor : str
        The validation and the training error; both have to be positive.
    strip_length : int
        k, the epochs of a training strip.
    mode, restore_best_weights : str, bool
        As in `PrecheltGL`.

    Raises
    ------
    ConfigError, EvidenceError
        As in `PrecheltGL`.

    References
    ----------
    As in `PrecheltGL`.
    """

    alpha: float
    monitor: str = "val_loss"
    training_monitor: str = "loss"
    strip_length: int = 5
    mode: str = "auto"
    restore_best_weights: bool = True

    tried: ClassVar[TriedValues] = TriedValues("alpha", (0.5, 0.75, 1, 2, 3), TRIED_BY)

    def __post_init__(self) -> None:
        self.check_alpha()
        check_count(self, "strip_length")
        check_monitor(self, "restore_best_weights")
        check_text(self, "training_monitor")
        self.check_mode()

    @property
    def reads(self) -> Mapping[str, str]:
        """Both errors."""
        return {self.monitor: "monitor", self.training_monitor: "training_monitor"}

    @property
    def measure_name(self) -> str:
        """What it measures."""
        return f"GL / P_{self.strip_length}"

    @property
    def fewest_values(self) -> int:
        """After how many values it can stop at the earliest."""
        return max(self.strip_length, 2)

    def step(
        self, state: PrecheltState, seen: Observation
    ) -> tuple[PrecheltState, Decision]:
        """Return the state after an epoch, and what was decided at its end."""
        error = seen.logs.get(self.monitor)
        training_error = seen.logs.get(self.training_monitor)
        if error is None or training_error is None:
            return state, NOTHING
        self.check_error(self.monitor, error, seen.epoch)
        self.check_error(self.training_monitor, training_error, seen.epoch)
        state, improved = self.take_best(state, error, seen)
        strip = (*state.strip, training_error)
        if len(strip) < self.strip_length:
            after = state._replace(strip=strip, measured=None)
            return after, Decision(improved=improved)
        loss = generalization_loss(error, state.best)
        progress = training_progress(strip)
        quotient = loss
        if loss > 0:
            quotient = math.inf if progress == 0 else loss / progress
        after = state._replace(strip=(), measured=quotient)
        return after, Decision(improved=improved, stop=quotient > self.alpha)


def training_progress(strip: tuple[float, ...]) -> float:
    """Return P_k: by how many per mille a strip's mean error lies above its least one.

    The differences are summed, so that a flat strip has progress 0 and not what
    rounding leaves.

    >>> training_progress((0.5, 0.5, 0.5)), training_progress((0.75, 0.5, 0.25))
    (0.0, 1000.0)
    """
    least, total = min(strip), 0.0
    # sum() rounds otherwise from Python 3.12 on
    for error in strip:
        total += error - least
    return 1000 * total / (len(strip) * least)
