"""One callback at the end of one epoch, in a sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.explain.digits import (
    nearest_improvement,
    spoken_comparison,
    spoken_float,
    spoken_rate,
    spoken_threshold,
)
from cbreplay.rules.base import Observation

if TYPE_CHECKING:
    from cbreplay.rules.base import Callback, Decision

__all__ = ["Moment", "spoken_wait", "tell_moment"]


class Moment(NamedTuple):
    """What a sentence speaks of.

    Parameters
    ----------
    callback : Callback
        Whose decision it is.
    epoch : int
        The epoch, zero-based.
    value : float or None
        The monitored value.
    before, after : object
        The callback's states.
    decision : Decision
        What it decided.
    learning_rate : float or None
        The rate before it decided.
    next_value : str
        How the next value is named: ``"epoch 13"``.
    """

    callback: Any
    epoch: int
    value: float | None
    before: Any
    after: Any
    decision: Decision
    learning_rate: float | None
    next_value: str


def tell_moment(moment: Moment) -> str:
    """Say what was decided, why, and what the next epoch needs."""
    if moment.decision.improved is None or moment.value is None:
        return _tell_skip(moment)
    compared = _tell_comparison(moment, moment.value)
    wait = spoken_wait(moment.after.wait, moment.callback.patience)
    if moment.decision.stop:
        return f"{compared}; {wait}: stop"
    if moment.decision.reduced:
        reached = spoken_wait(moment.before.wait + 1, moment.callback.patience)
        return f"{compared}; {reached}: {_tell_reduction(moment)}{_tell_next(moment)}"
    if moment.decision.improved:
        return f"{compared}: {_tell_improvement(moment, wait)}{_tell_next(moment)}"
    return f"{compared}; {_tell_wait(moment, wait)}{_tell_next(moment)}"


def spoken_wait(wait: int, patience: float) -> str:
    """Write a counter beside its limit.

    >>> spoken_wait(3, 5), spoken_wait(7, 5)
    ('wait 3 of 5', 'wait 7, patience 5')
    """
    if wait > patience:
        return f"wait {wait}, patience {patience:g}"
    return f"wait {wait} of {patience:g}"


def _tell_skip(moment: Moment) -> str:
    monitor, wait = moment.callback.monitor, moment.after.wait
    stays = f", wait stays {wait}" if wait else ""
    if moment.value is None:
        return f"no {monitor} in this epoch: skipped{stays}"
    first = math.ceil(moment.callback.start_from_epoch)
    return f"before start_from_epoch, which is epoch {first + 1}: skipped{stays}"


def _tell_comparison(moment: Moment, value: float) -> str:
    best = moment.before.best
    is_first = best is None or (math.isinf(best) and moment.decision.improved)
    if is_first:
        return f"the first {moment.callback.monitor}, {spoken_float(value)}"
    told = spoken_comparison(moment.before.comparison, value, best)
    if math.isnan(best):
        return f"{told}: nothing ever is"
    return told


def _tell_improvement(moment: Moment, wait: str) -> str:
    callback, after = moment.callback, moment.after
    told = f"improvement, {wait}"
    if after.wait and moment.value is not None:
        # only an EarlyStopping with a baseline goes on waiting
        against = spoken_comparison(
            moment.before.comparison, moment.value, callback.baseline
        )
        told = f"improvement, but {against}, the baseline; {wait}"
        if after.wait >= callback.patience:
            told += "; an improving epoch never stops"
    if getattr(after, "held_epoch", None) == moment.epoch:
        told += "; holds these weights"
    return told


def _tell_wait(moment: Moment, wait: str) -> str:
    callback, after = moment.callback, moment.after
    left = getattr(after, "cooldown_counter", 0)
    if left > 0:
        return f"cooldown {left:g} left, {wait}"
    if after.wait < callback.patience:
        return wait
    if hasattr(callback, "min_lr"):
        floor = f"min_lr {callback.min_lr:g}"
        return (
            f"{wait}, but the learning rate {spoken_rate(moment.learning_rate)} is at "
            f"its floor, {floor}: not reduced"
        )
    return f"{wait}; Keras never stops in the first epoch"


def _tell_reduction(moment: Moment) -> str:
    old, new = moment.learning_rate, moment.decision.learning_rate
    callback = moment.callback
    if old is None:
        return f"reduction by factor {callback.factor:g} of a rate not in the log"
    told = f"reduction of the learning rate, {spoken_rate(old)} to {spoken_rate(new)}"
    if new == old:
        told += ", the same float32"
    elif (
        new is not None and callback.min_lr and old * callback.factor < callback.min_lr
    ):
        told += ", its floor min_lr"
    # a cooldown of 1 acts like 0: it is counted down before the next check
    if callback.cooldown > 1:
        told += f"; cooldown {callback.cooldown:g}"
    return told


def _tell_next(moment: Moment) -> str:
    """Say what the next epoch needs, where a decision hangs on it."""
    consequence = _consequence(moment)
    if not consequence:
        return ""
    comparison, best = moment.after.comparison, moment.after.best
    nearest = nearest_improvement(comparison, best)
    word = "below" if comparison.mode == "min" else "above"
    if nearest is not None:
        wall = spoken_threshold(comparison, nearest)
        return f"; {consequence} if {moment.next_value} is not {word} {wall}"
    if best is not None and math.isinf(best) and (best > 0) == (word == "below"):
        return f"; {consequence} if {moment.next_value} is not {word} {best:g}"
    return f"; {consequence} at {moment.next_value}, whatever it is"


def _consequence(moment: Moment) -> str:
    """Ask the rule what it does if the next value is no improvement."""
    callback: Callback = moment.callback
    rate = moment.learning_rate
    if moment.decision.reduced:
        rate = moment.decision.learning_rate
    logs = {str(callback.monitor): math.nan}
    epoch = moment.epoch + 1
    seen = Observation(epoch, logs, rate, epoch, learning_rate_key="learning_rate")
    _, decision = callback.step(moment.after, seen)
    if decision.stop:
        return "stops"
    return "reduces" if decision.reduced else ""
