"""PrecheltGL: stop as soon as the generalization loss exceeds a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from cbreplay.rules.decisions import NOTHING, Decision
from cbreplay.rules.parameters import check_monitor
from cbreplay.rules.prechelt.state import (
    TRIED_BY,
    PrecheltState,
    RatioRule,
    generalization_loss,
)
from cbreplay.rules.tried_values import TriedValues

if TYPE_CHECKING:
    from cbreplay.rules.decisions import Observation

__all__ = ["PrecheltGL"]


@dataclass(frozen=True, slots=True)
class PrecheltGL(RatioRule):
    """Stop as soon as the generalization loss exceeds a threshold.

    GL(t) = 100 (E_va(t) / E_opt(t) - 1), tested after every epoch: by how many percent
    the validation error lies above its best so far.

    Keras has no such callback; ``to_keras_code()`` writes one. An epoch in which the
    monitor is missing is skipped as if it were not there. NaN is neither below nor
    above anything: it is never the best and never stops.

    Parameters
    ----------
    alpha : float
        The threshold in percent; Prechelt tried 1, 2, 3 and 5.
    monitor : str
        The validation error. It has to be positive, for a ratio of errors means
        nothing else.
    mode : {"auto", "min"}
        ``"max"`` is refused for the same reason.
    restore_best_weights : bool
        Whether training ends with the weights of E_opt, which is what Prechelt does;
        stopped or not.

    Raises
    ------
    ConfigError
        If `alpha` is negative or no finite number, or larger values are better.
    EvidenceError
        In `step`, if the error is 0 or less.

    References
    ----------
    L. Prechelt, "Early stopping - but when?", in: Neural Networks: Tricks of the
    Trade, Springer 1998.
    """

    alpha: float
    monitor: str = "val_loss"
    mode: str = "auto"
    restore_best_weights: bool = True

    tried: ClassVar[TriedValues] = TriedValues("alpha", (1, 2, 3, 5), TRIED_BY)
    has_strips: ClassVar[bool] = False
    measure_name: ClassVar[str] = "GL"

    def __post_init__(self) -> None:
        self.check_alpha()
        check_monitor(self, "restore_best_weights")
        self.check_mode()

    @property
    def fewest_values(self) -> int:
        """After how many values it can stop at the earliest."""
        # the first value is the best, the second may be worse
        return 2

    def step(
        self, state: PrecheltState, seen: Observation
    ) -> tuple[PrecheltState, Decision]:
        """Return the state after an epoch, and what was decided at its end."""
        error = seen.logs.get(self.monitor)
        if error is None:
            return state, NOTHING
        self.check_error(self.monitor, error, seen.epoch)
        state, improved = self.take_best(state, error, seen)
        loss = generalization_loss(error, state.best)
        after = state._replace(measured=loss)
        return after, Decision(improved=improved, stop=loss > self.alpha)
