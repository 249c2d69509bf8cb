"""What the stopping rules that Keras does not have share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from cbreplay.monitor import Comparison
from cbreplay.rules.base import Callback
from cbreplay.rules.decisions import Standing
from cbreplay.rules.parameters import resolve_direction

if TYPE_CHECKING:
    from cbreplay.rules.decisions import Observation
    from cbreplay.rules.training import Training
    from cbreplay.run import Mode

__all__ = ["BEST", "RuleBeyondKeras"]

# of the state of each: the best value of the monitor, its epoch, whose weights are held
BEST = ("best", "best_epoch", "held_epoch")


class RuleBeyondKeras(Callback):
    """Stops training, holds the weights of the best value, and can be pasted."""

    __slots__ = ()

    monitor: str
    mode: str
    restore_best_weights: bool

    stops_early: ClassVar[bool] = True
    shown_state: ClassVar[tuple[str, ...]] = BEST

    def resolve_mode(self, training: Training) -> Mode:
        """Return the direction of the monitor."""
        return resolve_direction(self.class_name, self.monitor, self.mode, training)

    @staticmethod
    def compare_plainly(mode: Mode, min_delta: float = 0.0) -> Comparison:
        """Return what counts as better: in float64, by more than `min_delta`."""
        return Comparison(
            mode,
            -abs(min_delta) if mode == "min" else abs(min_delta),
            delta_on="value",
            precision="float64",
            flush_subnormals=False,
        )

    def take_best(
        self, state: Any, value: float, seen: Observation
    ) -> tuple[Any, bool]:
        """Return the state with the best value of the monitor, and whether it is new.

        NaN is never the best, not even as the first value.
        """
        best, is_min = state.best, state.comparison.mode == "min"
        is_better = best is None or (value < best if is_min else value > best)
        if math.isnan(value) or not is_better:
            return state, False
        held = seen.weights_epoch if self.restore_best_weights else None
        return state._replace(best=value, best_epoch=seen.epoch, held_epoch=held), True

    def standing(self, state: Any) -> Standing:
        """Return what the next value is compared with."""
        return Standing(state.comparison, state.best)

    def held_epoch(self, state: Any) -> int | None:
        """Return whose weights it puts back when training ends; None if none."""
        held: int | None = state.held_epoch
        return held

    def to_keras_code(self) -> str:
        """Return Python code of a Keras callback that decides the same."""
        from cbreplay.rules.keras.keras_code import write_keras_code

        return write_keras_code([self])
