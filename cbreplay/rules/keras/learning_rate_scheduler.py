"""LearningRateScheduler: parameters and the rate of an epoch."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from cbreplay.arguments import shown_value
from cbreplay.errors import CbreplayError, ConfigError, EvidenceError
from cbreplay.monitor import round_float32
from cbreplay.rules.base import Callback
from cbreplay.rules.decisions import NOTHING, Decision
from cbreplay.rules.parameters import check_flags

if TYPE_CHECKING:
    from cbreplay.rules.decisions import Observation, Phase
    from cbreplay.rules.keras.semantics import Semantics

__all__ = ["LearningRateScheduler", "TableSchedule", "as_function"]

_MOST_EPOCHS = 2**31
_HINT = "Write a table, {0: 0.001, 80: 0.0001}: the rate from that epoch on"


@dataclass(frozen=True, slots=True)
class TableSchedule:
    """A table of rates as the function that Keras takes.

    It has the rate from each zero-based epoch on; before the first, the rate stays.
    """

    table: Mapping[int, float] = field(hash=False)

    def __call__(self, epoch: int, learning_rate: float) -> float:
        """Return the rate of an epoch, given the rate before it."""
        begun = [first for first in self.table if first <= epoch]
        return self.table[max(begun)] if begun else learning_rate


@dataclass(frozen=True, slots=True)
class LearningRateScheduler(Callback):
    """Set the learning rate at the beginning of every epoch.

    Parameters
    ----------
    schedule : callable or mapping of int to float
        As in ``keras.callbacks.LearningRateScheduler``: a function of the zero-based
        epoch and the rate, or of the epoch alone. Or a table, ``{0: 1e-3, 80: 1e-4}``:
        the rate from that epoch on.
    verbose : int
        As there; accepted and ignored.

    Raises
    ------
    ConfigError
        If `schedule` is neither, or a rate is one that Keras refuses.

    References
    ----------
    keras/src/callbacks/learning_rate_scheduler.py, Keras 3.15.1.
    """

    # a function, or a mapping of epochs to rates
    schedule: Any = field(hash=False)
    verbose: int = 0

    acts_at: ClassVar[frozenset[Phase]] = frozenset({"begin"})
    changes_learning_rate: ClassVar[bool] = True

    def takes_older_names(self, semantics: Semantics) -> bool:
        """Return whether this version takes what older ones did: a tensor as rate."""
        return semantics.takes_older_names

    def __post_init__(self) -> None:
        if isinstance(self.schedule, Mapping):
            object.__setattr__(self, "schedule", _checked_table(self.schedule))
        elif not callable(self.schedule):
            sentence = (
                f"LearningRateScheduler: schedule is {shown_value(self.schedule)}, "
                f"neither a function nor a table. {_HINT}"
            )
            raise ConfigError(sentence)
        check_flags(self, "verbose")

    @property
    def needs_learning_rate(self) -> bool:
        """Whether its decisions depend on the rate's value: `schedule` is given it."""
        return True

    def begin_epoch(self, state: None, seen: Observation) -> tuple[None, Decision]:
        """Set the rate of an epoch, unless none is known."""
        if seen.learning_rate is None:
            return state, NOTHING
        rate = self.rate_of(seen.epoch, seen.learning_rate)
        return state, Decision(scheduled=True, learning_rate=rate)

    def rate_of(self, epoch: int, learning_rate: float) -> float:
        """Return the rate that it sets at the beginning of an epoch, a float32 value.

        Raises
        ------
        ConfigError
            If the schedule returns no float, where Keras raises ValueError.
        """
        function = as_function(self.schedule)
        # a user's function may return anything
        rate: Any
        before = _kept_by(self.schedule)
        try:
            rate = _called(function, epoch, learning_rate)
        except CbreplayError:
            raise
        except Exception as error:
            sentence = (
                f"LearningRateScheduler: schedule raises {type(error).__name__}: "
                f"{error} in epoch {epoch + 1}"
            )
            raise ConfigError(sentence) from error
        if _kept_by(self.schedule) != before:
            sentence = (
                "LearningRateScheduler: schedule changes what it keeps from call to "
                "call, so that a second replay would start from it. Let it depend on "
                "the epoch and the rate alone"
            )
            raise EvidenceError(sentence)
        # Keras takes floats and numpy's float32, which is none to Python
        if not isinstance(rate, float) and type(rate).__name__ != "float32":
            sentence = (
                f"LearningRateScheduler: schedule returns {rate!r} in epoch "
                f"{epoch + 1}, where Keras wants a float"
            )
            raise ConfigError(sentence)
        try:
            return round_float32(float(rate))
        except OverflowError:
            # the optimizer's float32 variable holds it as infinite, in every Keras
            return math.copysign(math.inf, rate)

    def written_logs(self, seen: Observation) -> Mapping[str, float]:
        """Return what it writes into ``logs``: the rate at that moment."""
        if seen.learning_rate is None:
            return {}
        return {seen.learning_rate_key: seen.learning_rate}


def as_function(
    schedule: Callable[..., float] | Mapping[int, float],
) -> Callable[..., float]:
    """Return a schedule as the function that Keras takes."""
    return TableSchedule(schedule) if isinstance(schedule, Mapping) else schedule


def _called(function: Callable[..., Any], epoch: int, rate: float) -> Any:
    try:
        return function(epoch, rate)
    except TypeError:
        # a schedule that takes the epoch alone: Keras finds out in the same way
        return function(epoch)


def _kept_by(function: Any) -> str:
    """Return as text what a schedule keeps between calls: attributes and cells."""
    owner = getattr(function, "__self__", function)
    cells = [
        repr(cell.cell_contents)
        for cell in getattr(function, "__closure__", None) or ()
        if isinstance(cell.cell_contents, (int, float, str, list, dict, set))
    ]
    return repr((getattr(owner, "__dict__", {}), cells))


def _checked_table(table: Mapping[Any, Any]) -> dict[int, float]:
    """Return the table in the order of its epochs, its rates as floats."""
    for epoch, rate in table.items():
        wrong = isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 0
        if wrong or isinstance(rate, bool) or not isinstance(rate, (int, float)):
            pair = f"{shown_value(epoch)}: {shown_value(rate)}"
            problem = f"{pair} is no epoch and its rate"
        elif epoch > _MOST_EPOCHS:
            problem = f"{shown_value(epoch)} is no epoch"
        elif not 0 <= rate <= sys.float_info.max:
            problem = f"{shown_value(rate)} is no learning rate"
        else:
            continue
        sentence = f"LearningRateScheduler: {problem}. {_HINT}"
        raise ConfigError(sentence)
    if not table:
        sentence = f"LearningRateScheduler: schedule is an empty table. {_HINT}"
        raise ConfigError(sentence)
    return {epoch: float(table[epoch]) for epoch in sorted(table)}
