"""EarlyStopping: parameters and step."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, NamedTuple

from cbreplay.monitor import Comparison
from cbreplay.rules.decisions import NOTHING, BestSeen, Decision, Observation
from cbreplay.rules.keras.monitor_callback import MonitorCallback
from cbreplay.rules.keras.semantics import MonitorRule, Semantics
from cbreplay.rules.parameters import check_monitor, check_numbers
from cbreplay.rules.training import Training

__all__ = ["EarlyStopping", "EarlyStoppingState"]

_IMPROVED = Decision(improved=True)
_WAITED = Decision(improved=False)
_STOPPED = Decision(improved=False, stop=True)


class EarlyStoppingState(NamedTuple):
    """What EarlyStopping carries from epoch to epoch.

    Parameters
    ----------
    comparison : Comparison
        How this training's Keras compares.
    wait : int
        Monitored epochs since ``best`` improved (and beat the baseline).
    best : float or None
        The best value so far; None before the first monitored epoch.
    best_epoch : int or None
        Its epoch.
    held_epoch : int or None
        The epoch whose weights are held for restoring.
    restores_without_stop : bool
        Whether they are put back when training ends, stopped or not; else only in the
        epoch in which this callback stops it.
    first_weights_set_best_epoch : bool
        Whether `best_epoch` names the first held weights, before any improvement.
    """

    comparison: Comparison
    wait: int
    best: float | None
    best_epoch: int | None
    held_epoch: int | None
    restores_without_stop: bool
    first_weights_set_best_epoch: bool


@dataclass(frozen=True, slots=True)
class EarlyStopping(MonitorCallback):
    """Stop when a monitored series has stopped improving.

    Parameters
    ----------
    monitor, min_delta, patience, verbose, mode, baseline : Keras's
        As in ``keras.callbacks.EarlyStopping``; `verbose` is accepted and ignored.
    restore_best_weights, start_from_epoch : Keras's
        As there; `start_from_epoch` is an absolute, zero-based epoch.

    Raises
    ------
    ConfigError
        If a parameter has a type or a mode that Keras cannot compute with.

    References
    ----------
    keras/src/callbacks/early_stopping.py and monitor_callback.py, Keras 3.15.1; what
    other versions do differently stands in ``semantics.py``.
    """

    monitor: str = "val_loss"
    min_delta: float = 0
    patience: float = 0
    verbose: int = 0
    mode: str = "auto"
    baseline: float | None = None
    restore_best_weights: bool = False
    start_from_epoch: float = 0

    stops_early: ClassVar[bool] = True
    sets_objective: ClassVar[bool] = True
    shown_state: ClassVar[tuple[str, ...]] = (
        "wait",
        "best",
        "best_epoch",
        "held_epoch",
    )
    # in Keras 3 and tf_keras alike
    on_no_number: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "min_delta": "",
            "patience": "in the first epoch without improvement",
            "start_from_epoch": "in the first epoch with its monitor",
            "verbose": "when it stops training",
        }
    )
    on_text: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"baseline": "in the first epoch that it judges"}
    )

    def __post_init__(self) -> None:
        check_numbers(self, "min_delta", "patience", "start_from_epoch")
        if self.baseline is not None:
            check_numbers(self, "baseline")
        check_monitor(self, "verbose", "restore_best_weights")

    @property
    def margin(self) -> float | None:
        """By how much a value has to beat the best; None with a baseline."""
        return abs(self.min_delta) if self.baseline is None else None

    @property
    def begins_later(self) -> bool:
        """Whether it may look for the best from a later epoch on."""
        return self.start_from_epoch > 0

    @staticmethod
    def monitor_rule(semantics: Semantics) -> MonitorRule:
        """Return how this Keras compares what EarlyStopping monitors."""
        return semantics.early_stopping

    def begin(self, training: Training) -> EarlyStoppingState:
        """Return the state at the beginning of training."""
        semantics: Semantics = training.semantics
        comparison, best = self.begin_standing(training, self.min_delta)
        return EarlyStoppingState(
            comparison=comparison,
            wait=0,
            best=best,
            best_epoch=None,
            held_epoch=None,
            restores_without_stop=semantics.restores_without_stop,
            first_weights_set_best_epoch=semantics.first_weights_set_best_epoch,
        )

    def step(
        self, state: EarlyStoppingState, seen: Observation
    ) -> tuple[EarlyStoppingState, Decision]:
        """Return the state after an epoch, and what was decided at its end."""
        comparison, wait, best, best_epoch, held = state[:5]
        current = seen.logs.get(self.monitor)
        if current is None or seen.epoch < self.start_from_epoch:
            return state, NOTHING
        if self.restore_best_weights and held is None:
            # the first monitored weights are held, whatever their value
            held = seen.weights_epoch
            if state.first_weights_set_best_epoch:
                best_epoch = seen.epoch

        wait += 1
        if comparison.is_improvement(current, best):
            best, best_epoch = current, seen.epoch
            if self.restore_best_weights:
                held = seen.weights_epoch
            if self.baseline is None or comparison.is_improvement(
                current, self.baseline
            ):
                wait = 0
            decision = _IMPROVED
        elif wait >= self.patience and seen.epoch > 0:
            # Keras never stops at epoch 0, whatever the patience
            decision = _STOPPED
            if not state.restores_without_stop:
                decision = Decision(improved=False, stop=True, restored_epoch=held)
        else:
            decision = _WAITED
        after = EarlyStoppingState(comparison, wait, best, best_epoch, held, *state[5:])
        return after, decision

    def held_epoch(self, state: EarlyStoppingState) -> int | None:
        """Return whose weights it puts back when training ends; None if none."""
        return state.held_epoch if state.restores_without_stop else None

    def best_of(self, state: EarlyStoppingState) -> BestSeen:
        """Return the best that it has seen; empty before the first monitored epoch."""
        if state.best_epoch is None:
            return BestSeen()
        return BestSeen(state.best_epoch, state.best)
