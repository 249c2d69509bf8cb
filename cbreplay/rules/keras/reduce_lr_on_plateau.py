"""ReduceLROnPlateau: parameters and step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from cbreplay.arguments import shown_value
from cbreplay.errors import ConfigError, RefusedValueError
from cbreplay.monitor import LARGEST_FLOAT32, round_float32
from cbreplay.rules.decisions import NOTHING, Decision
from cbreplay.rules.keras.monitor_callback import MonitorCallback
from cbreplay.rules.parameters import check_monitor, check_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.monitor import Comparison, Precision
    from cbreplay.rules.decisions import Observation
    from cbreplay.rules.keras.semantics import MonitorRule, Semantics
    from cbreplay.rules.training import Training

__all__ = ["ReduceLROnPlateau", "ReduceLROnPlateauState", "reduce_rate"]

_IMPROVED = Decision(improved=True)
_WAITED = Decision(improved=False)


class ReduceLROnPlateauState(NamedTuple):
    """What ReduceLROnPlateau carries from epoch to epoch.

    Parameters
    ----------
    comparison : Comparison
        How this training's Keras compares.
    wait : int
        Monitored epochs without improvement outside a cooldown.
    best : float or None
        The best value so far; None before the first monitored epoch.
    cooldown_counter : int
        The monitored epochs that the cooldown still lasts.
    factor_precision : {"float32", "float64"}
        To what this Keras rounds `factor`.
    """

    comparison: Comparison
    wait: int
    best: float | None
    cooldown_counter: float
    factor_precision: Precision


@dataclass(frozen=True, slots=True)
class ReduceLROnPlateau(MonitorCallback):
    """Reduce the learning rate when a monitored series has stopped improving.

    Parameters
    ----------
    monitor, factor, patience, verbose, mode, min_delta, cooldown, min_lr : Keras's
        As in ``keras.callbacks.ReduceLROnPlateau``; `verbose` is accepted and
        ignored.

    Raises
    ------
    ConfigError
        If a parameter has a type or a mode that Keras cannot compute with, or if
        `factor` is 1 or more, where Keras raises ValueError.

    References
    ----------
    keras/src/callbacks/reduce_lr_on_plateau.py and monitor_callback.py, Keras 3.15.1;
    what other versions do differently stands in ``semantics.py``.
    """

    monitor: str = "val_loss"
    factor: float = 0.1
    patience: float = 10
    verbose: int = 0
    mode: str = "auto"
    min_delta: float = 1e-4
    cooldown: float = 0
    min_lr: float = 0.0

    shown_state: ClassVar[tuple[str, ...]] = ("wait", "best", "cooldown_counter")
    changes_learning_rate: ClassVar[bool] = True
    # Keras 2 took it for min_delta
    older_parameters: ClassVar[Mapping[str, str]] = {"epsilon": "min_delta"}
    # its **kwargs, in every version since 2.15
    on_unknown_name: ClassVar[str] = (
        "it takes any name, and ignores those that it does not have"
    )

    on_older_name: ClassVar[str] = "Keras 3 ignores it; tf_keras takes it for min_delta"
    on_no_number: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "cooldown": "in the first epoch after one in which it reduces",
            "factor": "",
            # tf_keras raises only there
            "min_delta": "in the first epoch with its monitor at the latest",
            "patience": "in the first epoch without improvement",
            "verbose": "where it would first reduce",
        }
    )
    on_text: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"min_lr": "where it would first reduce"}
    )

    def __post_init__(self) -> None:
        if self.min_lr is None:
            # numpy.float32(None) is NaN, which no rate is above
            raise RefusedValueError(
                callback="ReduceLROnPlateau",
                parameter="min_lr",
                shown="None",
                wanted="a number",
                outcome="never reduces, and raises no error, for",
                fails_at_once=False,
                instead="min_lr=0, which is the default",
            )
        check_numbers(self, "factor", "patience", "min_delta", "cooldown", "min_lr")
        check_monitor(self, "verbose")
        if self.factor >= 1:
            raise RefusedValueError(
                callback="ReduceLROnPlateau",
                parameter="factor",
                shown=shown_value(self.factor),
                wanted="a number below 1",
                instead="a factor below 1, such as 0.5",
            )
        if abs(self.min_lr) > LARGEST_FLOAT32:
            sentence = f"ReduceLROnPlateau: min_lr {self.min_lr!r} is no float32 rate"
            raise ConfigError(sentence)

    @property
    def needs_learning_rate(self) -> bool:
        """Whether the rate's value decides: with a floor, or a factor near 1."""
        # a factor this near to 1 can round back to the same float32 rate
        return self.min_lr != 0 or not 0 < self.factor < 1 - 2**-20

    @property
    def reduction(self) -> float:
        """By what it multiplies the rate."""
        return self.factor

    @property
    def margin(self) -> float:
        """By how much a value has to beat the best."""
        return abs(self.min_delta)

    @staticmethod
    def monitor_rule(semantics: Semantics) -> MonitorRule:
        """Return how this Keras compares what ReduceLROnPlateau monitors."""
        return semantics.reduce_lr_on_plateau

    def begin(self, training: Training) -> ReduceLROnPlateauState:
        """Return the state at the beginning of training."""
        comparison, best = self.begin_standing(training, self.min_delta)
        return ReduceLROnPlateauState(
            comparison=comparison,
            wait=0,
            best=best,
            cooldown_counter=0,
            factor_precision=training.semantics.factor_precision,
        )

    def step(
        self, state: ReduceLROnPlateauState, seen: Observation
    ) -> tuple[ReduceLROnPlateauState, Decision]:
        """Return the state after an epoch, and what was decided at its end."""
        comparison, wait, best, cooldown_counter, precision = state
        current = seen.logs.get(self.monitor)
        if current is None:
            return state, NOTHING
        if cooldown_counter > 0:
            # Keras counts down before it looks, so a cooldown of 1 acts like 0
            cooldown_counter -= 1
            wait = 0

        decision = _WAITED
        if comparison.is_improvement(current, best):
            best, wait, decision = current, 0, _IMPROVED
        elif not cooldown_counter > 0:
            wait += 1
            if wait >= self.patience and self._above_floor(seen.learning_rate):
                rate = seen.learning_rate
                if rate is not None:
                    rate = reduce_rate(rate, self.factor, precision, self.min_lr)
                decision = Decision(improved=False, reduced=True, learning_rate=rate)
                cooldown_counter, wait = self.cooldown, 0
        after = ReduceLROnPlateauState(
            comparison, wait, best, cooldown_counter, precision
        )
        return after, decision

    def written_logs(self, seen: Observation) -> Mapping[str, float]:
        """Return what it writes into ``logs``: the rate before it decides."""
        if seen.learning_rate is None:
            return {}
        return {seen.learning_rate_key: seen.learning_rate}

    def _above_floor(self, learning_rate: float | None) -> bool:
        # an unknown rate counts as above the floor: any floor but 0 needs a known rate
        return learning_rate is None or learning_rate > round_float32(self.min_lr)


def reduce_rate(
    rate: float, factor: float, precision: Precision, min_lr: float = -math.inf
) -> float:
    """Return the rate after a reduction, a float32 value.

    Two float32 values have an exact product in float64, so rounding the factor before
    and the product after is float32 arithmetic. `precision` is that to which this Keras
    rounds `factor`.

    Examples
    --------
    >>> rate = round_float32(0.003)
    >>> reduce_rate(rate, 0.3, "float64"), reduce_rate(rate, 0.3, "float32")
    (0.0008999999845400453, 0.0009000000427477062)
    """
    if precision == "float32":
        # numpy would turn a factor below the range of float32 into -inf; the new rate
        # is min_lr either way
        factor = round_float32(max(factor, -LARGEST_FLOAT32))
    return round_float32(max(rate * factor, min_lr))
