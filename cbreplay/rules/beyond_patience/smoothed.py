"""What EmaStopping and MeanStopping share: patience on a smoothed monitor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from cbreplay.rules.beyond_keras import BEST, RuleBeyondKeras
from cbreplay.rules.decisions import NOTHING, Decision, Standing
from cbreplay.rules.parameters import check_count, check_monitor, check_numbers
from cbreplay.rules.tried_values import TriedValues

if TYPE_CHECKING:
    from cbreplay.monitor import Comparison
    from cbreplay.rules.decisions import Observation
    from cbreplay.rules.training import Training

__all__ = ["SMOOTHED_PATIENCE", "SmoothedRule", "SmoothedState"]

SMOOTHED_PATIENCE = (1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 56, 80)


class SmoothedState(NamedTuple):
    """What a smoothed rule carries from epoch to epoch.

    Parameters
    ----------
    comparison : Comparison
        What counts as a better mean: plain float64, with ``min_delta``.
    wait : int
        Monitored epochs since the mean was best.
    recent : tuple of float
        What the next mean is made of, besides the next value: the last mean, or the
        last values.
    smoothed, best_smoothed : float or None
        The mean, and the best one so far; None before the first number.
    best, best_epoch : float and int, or None
        The best value of the monitor itself, and its epoch.
    held_epoch : int or None
        The epoch whose weights are held for restoring.
    """

    comparison: Comparison
    wait: int = 0
    recent: tuple[float, ...] = ()
    smoothed: float | None = None
    best_smoothed: float | None = None
    best: float | None = None
    best_epoch: int | None = None
    held_epoch: int | None = None


class SmoothedRule(RuleBeyondKeras):
    """Waits for a better mean of the values; holds the weights of the best value.

    A rule that inherits from this defines the mean, in `smooth`.
    """

    __slots__ = ()

    patience: int
    min_delta: float

    shown_state: ClassVar[tuple[str, ...]] = (
        *("wait", "smoothed", "best_smoothed"),
        *BEST,
    )
    tried: ClassVar[TriedValues] = TriedValues(
        "patience", SMOOTHED_PATIENCE, "patience 1 to 80"
    )

    def smooth(
        self, recent: tuple[float, ...], value: float
    ) -> tuple[tuple[float, ...], float]:
        """Return the new `SmoothedState.recent`, and the mean with this value.

        A sweep gives arrays in place of numbers, with a value of each of many runs.
        """
        raise NotImplementedError

    def check_waiting(self) -> None:
        """Raise ConfigError where a parameter that both share is impossible."""
        check_count(self, "patience")
        check_numbers(self, "min_delta")
        check_monitor(self, "restore_best_weights")

    def begin(self, training: Training) -> SmoothedState:
        """Return the state at the beginning of training."""
        mode = self.resolve_mode(training)
        return SmoothedState(self.compare_plainly(mode, self.min_delta))

    def step(
        self, state: SmoothedState, seen: Observation
    ) -> tuple[SmoothedState, Decision]:
        """Return the state after an epoch, and what was decided at its end."""
        value = seen.logs.get(self.monitor)
        if value is None:
            return state, NOTHING
        after = state._replace(wait=state.wait + 1)
        improved = False
        # NaN and infinity would stay in the mean for ever: they only count as waiting
        if math.isfinite(value):
            after, _ = self.take_best(after, value, seen)
            recent, smoothed = self.smooth(state.recent, value)
            after = after._replace(recent=recent, smoothed=smoothed)
            improved = state.comparison.is_improvement(smoothed, state.best_smoothed)
            if improved:
                after = after._replace(best_smoothed=smoothed, wait=0)
        return after, Decision(improved=improved, stop=after.wait >= self.patience)

    def standing(self, state: SmoothedState) -> Standing:
        """Return how values compare; None as best, for a mean is compared instead."""
        return Standing(state.comparison, None)
