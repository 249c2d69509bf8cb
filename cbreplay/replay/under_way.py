"""The state of a replay under way, which `walker` and `hooks` change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cbreplay.replay.records import Step

__all__ = ["Walk", "earlier_of"]


class Walk:
    """A replay under way.

    The fields that begin with `evident` hold what was known when the log stopped being
    evidence. Unless `sets_rate`, the rate is the recorded one. `unmet` are the indices
    of the callbacks whose monitor ``fit`` does not log and no callback has written so
    far. `trainer` is the state of the training loop, and `overruled` tells whether the
    loop ever went on although a callback had asked for the stop. `broken_off_by` is the
    index of the callback that ended the last epoch before its end. `gap` is the first
    epoch of which the log lacks a value that decides, if the walk came there.
    `candidates` and `open_best` are what `choices` found that the log leaves open.
    `begun` holds, by the epoch in which each fit began, the states of the callbacks.
    """

    trainer: Any = None
    sets_rate: bool = False
    has_changed: bool = False
    divergence: int | None = None
    diverged_by_weights: bool = False
    evident_steps: int = 0
    evident_states: tuple[Any, ...] = ()
    stopped: int | None = None
    stopped_by: tuple[int, ...] = ()
    broken_off_by: int | None = None
    raised: bool = False
    overruled: bool = False
    gap: int | None = None
    candidates: tuple[int, ...] = ()
    open_best: bool = False
    learning_rate_key: str = "learning_rate"

    def __init__(self, states: list[Any], rate: float | None, first_epoch: int) -> None:
        self.states, self.rate = states, rate
        self.begun = {first_epoch: tuple(states)}
        self.last_epoch = self.weights_epoch = first_epoch - 1
        self.unmet: set[int] = set()
        self.rates: list[float | None] = []
        self.trace: list[Step] = []
        self.notes: list[str] = []

    @property
    def is_evident(self) -> bool:
        """Whether the log is evidence for all that was decided so far."""
        return self.divergence is None and self.gap is None

    @property
    def end_of_evidence(self) -> int | None:
        """The first epoch for which the log is no evidence; None if there is none."""
        return self.gap if self.divergence is None else self.divergence


def earlier_of(first: int | None, second: int | None) -> int | None:
    """Return the earlier of two epochs, of which each may be None."""
    known = [epoch for epoch in (first, second) if epoch is not None]
    return min(known, default=None)
