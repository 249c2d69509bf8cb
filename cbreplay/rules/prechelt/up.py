"""PrecheltUP: stop when the validation error has risen over several strips in a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from cbreplay.rules.decisions import NOTHING, Decision
from cbreplay.rules.parameters import check_count, check_monitor
from cbreplay.rules.prechelt.state import TRIED_BY, PrecheltRule, PrecheltState
from cbreplay.rules.tried_values import TriedValues

if TYPE_CHECKING:
    from cbreplay.rules.decisions import Observation

__all__ = ["PrecheltUP"]


@dataclass(frozen=True, slots=True)
class PrecheltUP(PrecheltRule):
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

    tried: ClassVar[TriedValues] = TriedValues("strips", (2, 3, 4, 6, 8), TRIED_BY)
    counts_rises: ClassVar[bool] = True
    measure_name: ClassVar[str] = "the number of rises in a row"

    def __post_init__(self) -> None:
        check_count(self, "strips")
        check_count(self, "strip_length")
        check_monitor(self, "restore_best_weights")

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
            return state, NOTHING
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
