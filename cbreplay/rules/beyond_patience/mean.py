"""MeanStopping: patience on the mean of the monitor's last values."""

from __future__ import annotations

from dataclasses import dataclass

from cbreplay.rules.beyond_patience.smoothed import SmoothedRule
from cbreplay.rules.parameters import check_count

__all__ = ["MeanStopping"]


@dataclass(frozen=True, slots=True)
class MeanStopping(SmoothedRule):
    """Stop when the mean of the last values of a series has stopped improving.

    The mean is over the last `window` values, over fewer at the beginning. Everything
    else is as in `EmaStopping`: the weights of the best single value are put back.

    Parameters
    ----------
    patience, monitor, min_delta, mode, restore_best_weights : as in `EmaStopping`
        Patience counts epochs in which the mean is not best.
    window : int
        Over how many values the mean is taken.

    Raises
    ------
    ConfigError
        If a parameter is impossible, or the direction is not known.
    """

    patience: int
    monitor: str = "val_loss"
    window: int = 5
    min_delta: float = 0
    mode: str = "auto"
    restore_best_weights: bool = True

    def __post_init__(self) -> None:
        self.check_waiting()
        check_count(self, "window")

    @property
    def spoken_mean(self) -> str:
        """How the mean is named in a sentence."""
        return f"the mean of the last {self.window} {self.monitor}"

    def smooth(
        self, recent: tuple[float, ...], value: float
    ) -> tuple[tuple[float, ...], float]:
        """Return the last values with this one, and their mean."""
        values, total = (*recent, value)[-self.window :], 0.0
        # sum() rounds otherwise from Python 3.12 on
        for one_value in values:
            total += one_value
        return values, total / len(values)
