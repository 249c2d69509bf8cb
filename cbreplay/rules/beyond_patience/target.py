"""TargetStopping: stop as soon as the monitor reaches a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from cbreplay.rules.beyond_keras import RuleBeyondKeras
from cbreplay.rules.decisions import NOTHING, Decision
from cbreplay.rules.parameters import check_monitor, check_numbers
from cbreplay.rules.tried_values import TriedValues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.monitor import Comparison
    from cbreplay.rules.decisions import Observation
    from cbreplay.rules.training import Training
    from cbreplay.run import Mode

__all__ = ["TargetState", "TargetStopping", "spread_targets"]

# targets easier than the worst run's best are tried too, by these shares of it
_EASIER = (0.05, 0.1, 0.25)
_TENTHS = range(0, 11, 2)


class TargetState(NamedTuple):
    """What TargetStopping carries from epoch to epoch.

    Parameters
    ----------
    comparison : Comparison
        What counts as better: plain float64.
    best, best_epoch : float and int, or None
        The best value so far, and its epoch.
    held_epoch : int or None
        The epoch whose weights are held for restoring.
    """

    comparison: Comparison
    best: float | None = None
    best_epoch: int | None = None
    held_epoch: int | None = None


def spread_targets(best: Sequence[float], mode: Mode) -> tuple[float, ...]:
    """Return targets: those that 0, 1/5, ... 5/5 of the runs reach, and easier ones.

    `best` are the best values of the runs. Targets are rounded to three digits, as
    people would write them.

    Examples
    --------
    >>> spread_targets([0.30004, 0.5], "min")
    (0.3, 0.5, 0.525, 0.55, 0.625)
    >>> spread_targets([0.9], "max")
    (0.9, 0.855, 0.81, 0.675)
    """
    hardest_first = sorted(best, reverse=mode == "max")
    last = len(hardest_first) - 1
    reached = [hardest_first[round(last * tenth / 10)] for tenth in _TENTHS]
    away = abs(reached[-1]) if mode == "min" else -abs(reached[-1])
    values = [*reached, *(reached[-1] + share * away for share in _EASIER)]
    return tuple(dict.fromkeys(float(f"{value:.3g}") for value in values))


@dataclass(frozen=True, slots=True)
class TargetStopping(RuleBeyondKeras):
    """Stop as soon as a series reaches a value.

    Keras has no such callback; ``to_keras_code()`` writes one. An epoch in which the
    monitor is missing is skipped as if it were not there. NaN reaches nothing. Where
    the value is never reached it does not stop at all: put a patience beside it, for
    the first callback that asks stops the training.

    Parameters
    ----------
    target : float
        The value; a better one reaches it too.
    monitor, mode : str
        As in EarlyStopping.
    restore_best_weights : bool
        Whether training ends with the weights of the best value, stopped or not.

    Raises
    ------
    ConfigError
        If a parameter is impossible, or the direction is not known.
    """

    target: float
    monitor: str = "val_loss"
    mode: str = "auto"
    restore_best_weights: bool = True

    tried: ClassVar[TriedValues] = TriedValues(
        "target",
        spread_targets,
        "values that some of the runs reach",
        beside_patience=(5, 10, 20),
    )

    def __post_init__(self) -> None:
        check_numbers(self, "target")
        check_monitor(self, "restore_best_weights")

    def begin(self, training: Training) -> TargetState:
        """Return the state at the beginning of training."""
        mode = self.resolve_mode(training)
        return TargetState(self.compare_plainly(mode))

    def step(
        self, state: TargetState, seen: Observation
    ) -> tuple[TargetState, Decision]:
        """Return the state after an epoch, and what was decided at its end."""
        value = seen.logs.get(self.monitor)
        if value is None:
            return state, NOTHING
        state, improved = self.take_best(state, value, seen)
        is_min = state.comparison.mode == "min"
        reached = value <= self.target if is_min else value >= self.target
        return state, Decision(improved=improved, stop=reached)
