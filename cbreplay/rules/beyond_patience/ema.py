"""EmaStopping: patience on an exponential mean of the monitor."""

from __future__ import annotations

from dataclasses import dataclass

from cbreplay.errors import ConfigError
from cbreplay.rules.beyond_patience.smoothed import SmoothedRule
from cbreplay.rules.parameters import check_numbers

__all__ = ["EmaStopping"]


@dataclass(frozen=True, slots=True)
class EmaStopping(SmoothedRule):
    """Stop when an exponential mean of a series has stopped improving.

    The mean begins at the first value, and then m(t) = smoothing x m(t - 1) +
    (1 - smoothing) x value(t). Training ends after `patience` epochs in a row in which
    the mean is not a new best. The weights that are put back are those of the best
    single value: the best mean comes later, and its weights lose more.

    Keras has no such callback; ``to_keras_code()`` writes one. An epoch in which the
    monitor is missing is skipped as if it were not there. An epoch with NaN or infinity
    counts as waiting, and is left out of the mean.

    Parameters
    ----------
    patience : int
        Monitored epochs in a row, from 1 on.
    monitor, mode : str
        As in EarlyStopping.
    smoothing : float
        The weight of the mean before, from 0 (the plain value) to below 1.
    min_delta : float
        By how much a mean has to be better than the best one.
    restore_best_weights : bool
        Whether training ends with the weights of the best value, stopped or not.

    Raises
    ------
    ConfigError
        If a parameter is impossible, or the direction is not known.
    """

    patience: int
    monitor: str = "val_loss"
    smoothing: float = 0.9
    min_delta: float = 0
    mode: str = "auto"
    restore_best_weights: bool = True

    def __post_init__(self) -> None:
        self.check_waiting()
        check_numbers(self, "smoothing")
        if not 0 <= self.smoothing < 1:
            sentence = (
                f"EmaStopping: smoothing is {self.smoothing!r}, where a share from 0 "
                "to below 1 is expected"
            )
            raise ConfigError(sentence)

    @property
    def spoken_mean(self) -> str:
        """How the mean is named in a sentence."""
        return f"the exponential mean of {self.monitor}"

    def smooth(
        self, recent: tuple[float, ...], value: float
    ) -> tuple[tuple[float, ...], float]:
        """Return the state of the mean with this value, and the mean itself."""
        mean = value
        if recent:
            (before,) = recent
            mean = self.smoothing * before + (1 - self.smoothing) * value
        return (mean,), mean
