"""The rate of each epoch, gaps filled; which rates differ; the verdict on a replay."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from cbreplay.errors import ConfigError, EvidenceError
from cbreplay.evidence.rounded import NOT_ROUNDED
from cbreplay.evidence.several_rates import fill_gaps, find_rates_apart
from cbreplay.monitor import round_float32

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import RateEnds, Run, Series

__all__ = [
    "Evidence",
    "RecordedRate",
    "classify_evidence",
    "is_recorded_whole",
    "read_followed_rates",
    "read_recorded_rates",
]

Evidence: TypeAlias = Literal["exact", "censored", "diverged", "incomplete"]


class RecordedRate(NamedTuple):
    """One reading of the learning rate that each epoch of a run was trained at.

    Parameters
    ----------
    values : sequence of float or None
        L(e), float32 values, one per epoch; None where nothing tells it.
    initial : float or None
        The optimizer's rate when training began, before any schedule set it, where
        ``run.json`` tells it.
    rounding : mapping of float to (lowest, highest)
        As `Run.learning_rate_rounding`.
    """

    values: Sequence[float | None]
    initial: float | None = None
    rounding: RateEnds = NOT_ROUNDED

    def differs(
        self,
        position: int,
        rate: float | None,
        *,
        before: float | None,
        has_changed: bool,
    ) -> bool:
        """Return whether an epoch was trained at another rate than a simulated one.

        Parameters
        ----------
        position : int
            The epoch, counted from the first recorded one.
        rate : float or None
            The simulated rate, a float32 value; None if its value is unknown.
        before : float or None
            The simulated rate of the epoch before; None in the first one.
        has_changed : bool
            Whether the simulated rate was ever changed; it decides where the values
            are unknown.
        """
        if rate is None:
            return has_changed
        recorded = self.values[position]
        if recorded is None or recorded not in self.rounding:
            return recorded != rate
        lowest, highest = self.rounding[recorded]
        if not lowest <= rate <= highest:
            return True
        # too few digits to tell the two rates apart: they differ where only one of them
        # changes at this epoch
        changes = position > 0 and recorded != self.values[position - 1]
        return changes != (before is not None and rate != before)


def classify_evidence(
    *,
    stopped_epoch: int | None,
    divergence_epoch: int | None,
    gap_epoch: int | None,
    reached_plan: bool,
) -> Evidence:
    """Say how far a replay is evidence.

    Parameters
    ----------
    stopped_epoch : int or None
        Where the list stops, if it stops before the divergence and the hole.
    divergence_epoch : int or None
        The first epoch that would have been trained at another rate.
    gap_epoch : int or None
        The first epoch of which the log lacks what the list decides by, if that is
        before the stop and the divergence.
    reached_plan : bool
        Whether the record ends where ``fit`` was told to end.
    """
    if stopped_epoch is not None:
        return "exact"
    if gap_epoch is not None:
        return "incomplete"
    if divergence_epoch is not None:
        return "diverged"
    return "exact" if reached_plan else "censored"


def read_recorded_rates(
    run: Run,
    *,
    initial_learning_rate: float | None,
    needs_value: bool,
    scheduled: bool = False,
) -> tuple[RecordedRate, ...]:
    """Return every reading of a run's recorded rate, the likelier first.

    Nothing is told of epochs in which another optimizer's rate, or another group's, is
    not in proportion to it: whatever sets one rate does not train all at the recorded.

    Parameters
    ----------
    run : Run
        The record.
    initial_learning_rate : float or None
        The rate of the first epoch, as the user gives it where the log does not.
    needs_value : bool
        Whether the decisions depend on the value of the rate.
    scheduled : bool
        Whether a schedule sets the rate as the first epoch begins: the given rate is
        then the one before that, and the record may begin with another.

    Raises
    ------
    EvidenceError
        If the rate's value is needed, or its start, and nothing tells it.
    ConfigError
        If `initial_learning_rate` is not a rate, or contradicts the record.
    """
    initial = _checked_rate(initial_learning_rate)
    recorded = run.learning_rate
    if recorded is None:
        if initial is None and needs_value:
            sentence = (
                f"run {run.name!r} records no learning rate, and these callbacks "
                "decide by its value. Give --initial-lr or initial_learning_rate=."
            )
            raise EvidenceError(sentence)
        return (RecordedRate((initial,) * run.n_epochs),)
    began = _initial_rate(run)
    if scheduled and initial is not None and recorded.recorded[0]:
        began, initial = initial, None
    return tuple(
        RecordedRate(_filled(series, initial, run), began, run.learning_rate_rounding)
        for series in (recorded, run.other_learning_rate)
        if series is not None
    )


def read_followed_rates(
    run: Run, initial_learning_rate: float | None
) -> tuple[RecordedRate, ...]:
    """Return every reading of the recorded rate for a list that leaves it alone.

    Arguments and errors are those of `read_recorded_rates`.
    """
    recorded = run.learning_rate
    if recorded is None:
        initial = _checked_rate(initial_learning_rate)
        return (RecordedRate((initial,) * run.n_epochs),)
    return tuple(
        RecordedRate(fill_gaps(list(series)))
        for series in (recorded, run.other_learning_rate)
        if series is not None
    )


def _initial_rate(run: Run) -> float | None:
    """Return the rate of ``run.json``, if it is that of the first recorded epoch."""
    metadata = run.metadata
    if metadata is None or metadata.fit.initial_epoch != run.first_epoch:
        return None
    return _checked_rate(metadata.initial_learning_rate)


def _checked_rate(initial: float | None) -> float | None:
    if initial is None:
        return None
    try:
        rate = round_float32(initial)
    except (OverflowError, struct.error):
        # too large, or no number at all
        rate = float("inf")
    if not 0 < rate < float("inf"):
        sentence = (
            f"the initial learning rate is {initial!r}, where a positive float32 is "
            "expected. Correct --initial-lr or initial_learning_rate=."
        )
        raise ConfigError(sentence)
    return rate


def _filled(series: Series, initial: float | None, run: Run) -> list[float | None]:
    """Return the rates without gaps; the first has to be known."""
    rates = list(series)
    if initial is not None:
        if rates[0] is not None and rates[0] != initial:
            sentence = (
                f"run {run.name!r} records the learning rate {rates[0]!r} for its "
                f"first epoch, not {initial!r}. "
                "Leave --initial-lr (initial_learning_rate=) out."
            )
            raise ConfigError(sentence)
        rates[0] = initial
    if rates[0] is None:
        sentence = (
            f"run {run.name!r} does not record the learning rate of its first epoch. "
            "Give --initial-lr or initial_learning_rate=."
        )
        raise EvidenceError(sentence)
    apart = find_rates_apart(run, series).tolist()
    return [
        None if differs else rate
        for rate, differs in zip(fill_gaps(rates), apart, strict=True)
    ]


def is_recorded_whole(run: Run, epoch: int, breaker: str | None) -> bool:
    """Return whether the recorded list broke this epoch off as well, by such a rule.

    The values recorded for it were then measured on the weights that are kept.
    """
    ended = run.ended
    return ended is not None and ended.by == breaker and epoch == run.horizon
