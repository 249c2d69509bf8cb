"""Rate reductions of a replay beside the recorded ones, and what came after them.

`rate_kept_until` and `recorded_reductions` read the record alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from cbreplay.evidence.holes import find_gap
from cbreplay.evidence.outcomes import has_ambiguous_best
from cbreplay.evidence.rounded import may_hide_reduction, rate_ends
from cbreplay.evidence.several_rates import find_rates_apart
from cbreplay.staircase.rate_history import RecordedReduction, recorded_changes

if TYPE_CHECKING:
    from cbreplay.replay import Replay
    from cbreplay.run import Mode, Run
    from cbreplay.staircase.build import Staircase

__all__ = [
    "LaterGain",
    "ReductionAccount",
    "account_reductions",
    "later_gain",
    "later_gains",
    "rate_kept_until",
    "recorded_reductions",
]


class ReductionAccount(NamedTuple):
    """The reductions of a list on one run, as far as the record is evidence.

    Parameters
    ----------
    first_reduction_epoch : int or None
        The epoch at whose end a rule of the list first reduces the rate; None if it
        does not before the stop, the divergence or the horizon.
    explained, recorded : int or None
        How many of the recorded drops of the rate the list makes as well, in the same
        epoch and to the same float32; and how many there are up to its stop. None where
        the log holds no rate.
    evident_epochs, recorded_epochs : int
        The number of epochs for which the record is evidence, up to the stop or the
        divergence; and the number up to the stop or the horizon.
    acts_first : {"reduce", "stop"} or None
        Whether it is seen to reduce before training stops, or to stop before any
        reduction could act; None where the record shows neither.
    """

    first_reduction_epoch: int | None
    explained: int | None
    recorded: int | None
    evident_epochs: int
    recorded_epochs: int
    acts_first: Literal["reduce", "stop"] | None


def account_reductions(replay: Replay) -> ReductionAccount:
    """Say what the record shows about the rule in a list that reduces the rate.

    Nothing after a divergence counts: the log does not tell how it would have gone on.

    Parameters
    ----------
    replay : Replay
        Of a list with such a rule.
    """
    run, end = replay.run, replay.last_evident_epoch
    epochs = [
        made.epoch
        for made in replay.reductions
        if replay.callbacks[made.callback].reduction is not None
    ]
    first = epochs[0] if epochs else None
    explained, recorded = None, None
    if run.learning_rate is not None:
        drops = [
            drop for drop in recorded_reductions(run) if drop.epoch <= _until(replay)
        ]
        recorded = len(drops)
        explained = sum(_makes(replay, drop, end) for drop in drops)
    return ReductionAccount(
        first_reduction_epoch=first,
        explained=explained,
        recorded=recorded,
        evident_epochs=end - run.first_epoch + 1,
        recorded_epochs=_until(replay) - run.first_epoch + 1,
        acts_first=_acts_first(first, replay.stopped_epoch),
    )


def rate_kept_until(run: Run) -> int:
    """Return the epoch up to which the record certainly kept its first rate.

    That is the first epoch if the recorded rate rises anywhere, in one reading or both:
    such a training did not keep its rate; or that it is rounded too far to show its
    half.
    """
    until = run.horizon
    if may_hide_reduction(run, run.first_epoch):
        return run.first_epoch
    for rate in (run.learning_rate, run.other_learning_rate):
        changes = [] if rate is None else recorded_changes(run, rate)
        if any(change.new > change.old for change in changes):
            return run.first_epoch
        until = min(until, changes[0].epoch if changes else until)
        if rate is not None and (apart := find_rates_apart(run, rate)).any():
            until = min(until, run.first_epoch + int(apart.argmax()) - 1)
    return until


def recorded_reductions(run: Run) -> list[RecordedReduction]:
    """Return where the recorded rate falls from one recorded epoch to the next."""
    if run.learning_rate is None:
        return []
    changes = recorded_changes(run, run.learning_rate)
    return [change for change in changes if change.new < change.old]


def _until(replay: Replay) -> int:
    """Return the last epoch whose recorded reductions are compared with the list's."""
    return replay.run.horizon if replay.stopped_epoch is None else replay.stopped_epoch


def _makes(replay: Replay, drop: RecordedReduction, end: int) -> bool:
    """Return whether a list lowers the rate as recorded, to the digits of the log.

    Up to the divergence its rate is the recorded one, so it makes each drop that acts
    before; the one at the end of its last epoch is a decision of its own.
    """
    if drop.epoch < end:
        return True
    made = [
        reduction.new
        for reduction in replay.reductions
        if drop.epoch <= reduction.epoch <= drop.latest
    ]
    if drop.epoch != end or not made or made[-1] is None:
        return False
    lowest, highest = rate_ends(replay.run, drop.new)
    return lowest <= made[-1] <= highest


def _acts_first(
    first: int | None, stopped: int | None
) -> Literal["reduce", "stop"] | None:
    # a reduction in the epoch of the stop acts on nothing
    if first is not None and (stopped is None or first < stopped):
        return "reduce"
    return None if stopped is None else "stop"


class LaterGain(NamedTuple):
    """How much the best loss fell after the epoch in which a patience first reduces.

    Parameters
    ----------
    patience, epoch : int
        The patience, and the epoch (zero-based) at whose end it would first reduce.
    gain : float
        The fall of the best value after it, as a share of the best value up to it.
    """

    patience: int
    epoch: int
    gain: float


def later_gains(staircase: Staircase) -> tuple[LaterGain, ...]:
    """Return what the record still gained after each earlier first reduction.

    Only of reductions before any recorded one; none if the recorded rate rises: later
    epochs were not trained at the first rate.

    Parameters
    ----------
    staircase : Staircase
        The log's staircase; its `rate` says where a ReduceLROnPlateau would first act.
    """
    run, rate = staircase.replay.run, staircase.rate
    if rate.rises:
        return ()
    ends = rate.reductions[0].epoch if rate.reductions else run.horizon
    gains = []
    for patience, epoch in rate.first_reductions:
        gain = later_gain(run, staircase.objective, staircase.objective_mode, epoch)
        if gain is not None and epoch < ends:
            gains.append(LaterGain(patience, epoch, gain))
    return tuple(gains)


def later_gain(run: Run, name: str, mode: Mode, epoch: int) -> float | None:
    """Return by what share the best value of a loss fell after an epoch.

    None if shares of it mean nothing: for a series that should be large, or has zero or
    negative values; and if the best is not certain, because values are missing or an
    epoch has several.

    >>> from cbreplay.run import Run
    >>> run = Run.from_logs({"val_loss": loss} for loss in (4, 2, 3, 1.5))
    >>> later_gain(run, "val_loss", "min", 2), later_gain(run, "val_loss", "min", 3)
    (0.25, 0.0)
    """
    series = run.series[name]
    told = series.recorded & np.isfinite(series.values)
    before = series.values[told & (run.epochs <= epoch)]
    unsure = find_gap(run, name) is not None or has_ambiguous_best(run, name, mode)
    if mode == "max" or not len(before) or unsure:
        return None
    by_then, least = float(before.min()), float(series.values[told].min())
    return (by_then - least) / by_then if by_then > 0 <= least else None
