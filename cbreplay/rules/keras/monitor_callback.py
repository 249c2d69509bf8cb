"""What EarlyStopping, ReduceLROnPlateau and ModelCheckpoint share: their monitor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cbreplay.rules.base import Callback
from cbreplay.rules.decisions import Standing
from cbreplay.rules.keras.metric_directions import resolve_mode

if TYPE_CHECKING:
    from cbreplay.rules.keras.semantics import MonitorRule, Semantics
    from cbreplay.rules.training import Training
    from cbreplay.run import Mode

__all__ = ["MonitorCallback"]


class MonitorCallback(Callback):
    """Compares the values of a series with the best one so far.

    Keras has such a class from 3.11 on (keras/src/callbacks/monitor_callback.py).
    """

    __slots__ = ()

    monitor: str
    mode: str
    verbose: int

    @staticmethod
    def monitor_rule(semantics: Semantics) -> MonitorRule:
        """Return how this Keras compares what the callback monitors."""
        raise NotImplementedError

    def resolve_mode(self, training: Training) -> Mode:
        """Return the direction of the monitor as this Keras resolves it."""
        auto = self.monitor_rule(training.semantics).auto
        return resolve_mode(self.class_name, self.monitor, self.mode, training, auto)

    def begin_standing(self, training: Training, min_delta: float) -> Standing:
        """Return how values compare, and what the first one is compared with."""
        semantics: Semantics = training.semantics
        rule, mode = self.monitor_rule(semantics), self.resolve_mode(training)
        worst = math.inf if mode == "min" else -math.inf
        comparison = semantics.comparison(rule, mode, min_delta)
        return Standing(comparison, None if rule.starts_empty else worst)

    def begin_again(self, state: Any, training: Training) -> Any:
        """Return the state at the beginning of another fit with the same instance."""
        begun = self.begin(training)
        carries = self.carries(training.semantics)
        return begun._replace(best=state.best) if carries else begun

    def carries(self, semantics: Semantics) -> bool:
        """Return whether an instance carries ``best`` into the next fit."""
        return self.monitor_rule(semantics).carries_best

    def takes_older_names(self, semantics: Semantics) -> bool:
        """Return whether this version takes its older parameters."""
        return semantics.takes_older_names

    def standing(self, state: Any) -> Standing:
        """Return what the next value is compared with."""
        return Standing(state.comparison, state.best)
