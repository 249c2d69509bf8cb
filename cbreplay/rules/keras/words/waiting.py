"""EarlyStopping and ReduceLROnPlateau in words: both wait, and then act."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cbreplay.digits import (
    nearest_improvement,
    spoken_comparison,
    spoken_float,
    spoken_rate,
    spoken_threshold,
)
from cbreplay.rules.base import Observation
from cbreplay.rules.keras.words.endings import (
    spoken_wait,
    tell_kept_last,
    tell_overlooked,
    tell_reductions,
    tell_restored,
    tell_stop,
    tell_unstopped,
)
from cbreplay.rules.words import RuleWords

if TYPE_CHECKING:
    from cbreplay.rules.base import Callback
    from cbreplay.rules.words import Moment

__all__ = ["REDUCING", "STOPPING"]


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


def _tell_skip(moment: Moment) -> str:
    monitor, wait = moment.callback.monitor, moment.after.wait
    stays = f", wait stays {wait}" if wait else ""
    if moment.value is None:
        return f"no {monitor} in this epoch: skipped{stays}"
    start = moment.callback.start_from_epoch
    if math.isinf(start):
        return f"before start_from_epoch, which is {start}: skipped{stays}"
    first = math.ceil(start)
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
    if callback.shown(after).get("held_epoch") == moment.epoch:
        told += "; holds these weights"
    return told


def _tell_wait(moment: Moment, wait: str) -> str:
    callback, after = moment.callback, moment.after
    left = callback.shown(after).get("cooldown_counter", 0)
    if left > 0:
        return f"cooldown {left:g} left, {wait}"
    if after.wait < callback.patience:
        return wait
    if callback.changes_learning_rate:
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


STOPPING = RuleWords(
    tell_moment,
    tell_unstopped,
    stopper=tell_stop,
    holder=tell_restored,
    not_restored=tell_kept_last,
    overlooked=tell_overlooked,
)
REDUCING = RuleWords(tell_moment, tell_reductions)
