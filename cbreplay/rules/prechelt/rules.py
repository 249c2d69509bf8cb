"""Prechelt's stopping rules GL, PQ and UP: parameters and step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from cbreplay.errors import ConfigError, EvidenceError
from cbreplay.rules.beyond_keras import RuleBeyondKeras
from cbreplay.rules.decisions import Decision
from cbreplay.rules.parameters import (
    check_count,
    check_numbers,
    check_text,
    resolve_direction,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.monitor import Comparison
    from cbreplay.rules.decisions import Observation
    from cbreplay.rules.training import Training
    from cbreplay.run import Mode

__all__ = [
    "PrecheltGL",
    "PrecheltPQ",
    "PrecheltState",
    "PrecheltUP",
    "generalization_loss",
    "training_progress",
]

_SKIPPED = Decision()


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


class _PrecheltRule(RuleBeyondKeras):
    """What the three share: they hold the best weights, and show their state."""

    __slots__ = ()

    shown_state: ClassVar[tuple[str, ...]] = (
        "best",
        "best_epoch",
        "held_epoch",
        "measured",
    )
    has_strips: ClassVar[bool] = True
    counts_rises: ClassVar[bool] = False

    def begin(self, training: Training) -> PrecheltState:
        """Return the state at the beginning of training."""
        mode = self.resolve_mode(training)
        comparison = self.compare_plainly(mode)
        return PrecheltState(comparison, math.inf if mode == "min" else -math.inf)

    def take_best(
        self, state: PrecheltState, error: float, seen: Observation
    ) -> tuple[PrecheltState, bool]:
        """Return the state with E_opt(t), and whether it is new."""
        if not state.comparison.is_improvement(error, state.best):
            return state, False
        held = seen.weights_epoch if self.restore_best_weights else None
        return state._replace(best=error, best_epoch=seen.epoch, held_epoch=held), True


class _RatioRule(_PrecheltRule):
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


@dataclass(frozen=True, slots=True)
class PrecheltGL(_RatioRule):
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

    has_strips: ClassVar[bool] = False
    measure_name: ClassVar[str] = "GL"

    def __post_init__(self) -> None:
        self.check_alpha()
        self.check_shared()
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
            return state, _SKIPPED
        self.check_error(self.monitor, error, seen.epoch)
        state, improved = self.take_best(state, error, seen)
        loss = generalization_loss(error, state.best)
        after = state._replace(measured=loss)
        return after, Decision(improved=improved, stop=loss > self.alpha)


@dataclass(frozen=True, slots=True)
class PrecheltPQ(_RatioRule):
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

    def __post_init__(self) -> None:
        self.check_alpha()
        check_count(self, "strip_length")
        self.check_shared()
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
            return state, _SKIPPED
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


@dataclass(frozen=True, slots=True)
class PrecheltUP(_PrecheltRule):
    """Stop when the validation error has risen over several strips in a row.

    At the end of each strip of k epochs E_va(t) is compared with E_va(t - k); after
    `strips` rises in a row training stops. The first strip has nothing to be compared
    with, so the earliest stop is at the end of strip `strips` + 1.

    Strips are counted from the first epoch of the fit. An epoch in which the monitor is
    missing is skipped as if it were not there. NaN at the end of a strip is no rise,
    and neither is what follows it.

    Parameters
    ----------
    strips : int
        s, the rises in a row; Prechelt tried 2, 3, 4, 6 and 8.
    monitor : str
        The validation error, or with mode "max" a measure that should be large: no
        ratio is taken, so a rise is then a fall.
    strip_length : int
        k, the epochs of a training strip.
    mode : {"auto", "min", "max"}
        Whether small or large is better; "auto" goes by the compiled metric.
    restore_best_weights : bool
        As in `PrecheltGL`.

    Raises
    ------
    ConfigError
        If a count is no positive integer, or nothing tells the direction.

    References
    ----------
    As in `PrecheltGL`.
    """

    strips: int
    monitor: str = "val_loss"
    strip_length: int = 5
    mode: str = "auto"
    restore_best_weights: bool = True

    counts_rises: ClassVar[bool] = True
    measure_name: ClassVar[str] = "the number of rises in a row"

    def __post_init__(self) -> None:
        check_count(self, "strips")
        check_count(self, "strip_length")
        self.check_shared()

    @property
    def threshold(self) -> int:
        """How many rises in a row stop."""
        return self.strips

    @property
    def fewest_values(self) -> int:
        """After how many values it can stop at the earliest."""
        # the first strip has nothing to be compared with
        return (self.strips + 1) * self.strip_length

    def step(
        self, state: PrecheltState, seen: Observation
    ) -> tuple[PrecheltState, Decision]:
        """Return the state after an epoch, and what was decided at its end."""
        error = seen.logs.get(self.monitor)
        if error is None:
            return state, _SKIPPED
        state, improved = self.take_best(state, error, seen)
        strip = (*state.strip, error)
        if len(strip) < self.strip_length:
            after = state._replace(strip=strip, measured=None)
            return after, Decision(improved=improved)
        last = state.strip_error
        # a rise: the last strip's end is better than this one's
        rose = last is not None and state.comparison.is_improvement(last, error)
        rises = state.rises + 1 if rose else 0
        after = state._replace(
            strip=(), strip_error=error, rises=rises, measured=float(rises)
        )
        return after, Decision(improved=improved, stop=rises >= self.strips)


def generalization_loss(error: float, best: float) -> float:
    """Return GL: by how many percent an error lies above the best one.

    >>> round(generalization_loss(0.55, 0.5), 6)
    10.0
    """
    return 100 * (error / best - 1)


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
