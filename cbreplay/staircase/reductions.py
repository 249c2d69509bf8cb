"""Compare the rate reductions of a replay with the recorded ones.

`rate_kept_until` and `recorded_reductions` read the record alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from cbreplay.rounded import may_hide_reduction
from cbreplay.staircase.rate_history import RecordedReduction, recorded_changes

if TYPE_CHECKING:
    from cbreplay.replay import Replay
    from cbreplay.run import Run

__all__ = [
    "ReductionAccount",
    "account_reductions",
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
    """Return whether a list lowers the rate as recorded.

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
    return drop.epoch == end and made[-1:] == [drop.new]


def _acts_first(
    first: int | None, stopped: int | None
) -> Literal["reduce", "stop"] | None:
    # a reduction in the epoch of the stop acts on nothing
    if first is not None and (stopped is None or first < stopped):
        return "reduce"
    return None if stopped is None else "stop"
