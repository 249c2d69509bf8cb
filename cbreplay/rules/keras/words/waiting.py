"""EarlyStopping and ReduceLROnPlateau in words, epoch by epoch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cbreplay.rules.decisions import Observation
from cbreplay.rules.keras.words.stopping import (
    spoken_wait,
    tell_kept_last,
    tell_overlooked,
    tell_reductions,
    tell_restored,
    tell_stop,
    tell_unstopped,
)
from cbreplay.rules.words import RuleWords
from cbreplay.wording.claims import claim, tell
from cbreplay.wording.spoken_comparisons import (
    nearest_improvement,
    spoken_comparison,
    spoken_rate,
    spoken_threshold,
)

if TYPE_CHECKING:
    from cbreplay.rules.base import Callback
    from cbreplay.rules.words import Moment
    from cbreplay.wording.claims import Told

__all__ = ["REDUCING", "STOPPING"]


def tell_moment(moment: Moment) -> Told:
    """Say what was decided, why, and what the next epoch needs."""
    if moment.decision.improved is None or moment.value is None:
        return _tell_skip(moment)
    compared = _tell_comparison(moment, moment.value)
    wait = _tell_wait(moment)
    if moment.decision.stop:
        return tell(compared, "; ", wait, ": stop", claims=claim("stops"))
    if moment.decision.reduced:
        reached = spoken_wait(moment.before.wait + 1, moment.callback.patience)
        told = tell(compared, f"; {reached}: ", _tell_reduction(moment))
    elif moment.decision.improved:
        told = tell(compared, ": ", _tell_improvement(moment, wait))
    else:
        told = tell(compared, "; ", _tell_waiting(moment, wait))
    return tell(told, _tell_next(moment))


def _tell_wait(moment: Moment) -> Told:
    wait = moment.after.wait
    spoken = spoken_wait(wait, moment.callback.patience)
    return tell(spoken, claims=claim("wait", wait=wait))


def _tell_skip(moment: Moment) -> Told:
    monitor, wait = moment.callback.monitor, moment.after.wait
    stays = f", wait stays {wait}" if wait else ""
    stayed = claim("wait", wait=wait) if wait else ()
    if moment.value is None:
        claims = (*claim("no_value"), *stayed)
        return tell(f"no {monitor} in this epoch: skipped{stays}", claims=claims)
    start = moment.callback.start_from_epoch
    claims = (*claim("before_start"), *stayed)
    which = f"{start}" if math.isinf(start) else f"epoch {math.ceil(start) + 1}"
    told = f"before start_from_epoch, which is {which}: skipped{stays}"
    return tell(told, claims=claims)


def _tell_comparison(moment: Moment, value: float) -> Told:
    if moment.is_first:
        return moment.tell_first()
    best = moment.before.best
    if best is None:
        message = "after a comparison there is a best value"
        raise AssertionError(message)
    told = spoken_comparison(moment.before.comparison, value, best)
    improved = bool(moment.decision.improved)
    claims = claim("compared", value=value, best=best, improved=improved)
    never = ": nothing ever is" if math.isnan(best) else ""
    return tell(told, never, claims=claims)


def _tell_improvement(moment: Moment, wait: Told) -> Told:
    callback, after = moment.callback, moment.after
    told = tell("improvement, ", wait)
    if after.wait and moment.value is not None:
        # only an EarlyStopping with a baseline goes on waiting
        against = spoken_comparison(
            moment.before.comparison, moment.value, callback.baseline
        )
        missed = claim("misses_baseline")
        told = tell(f"improvement, but {against}, the baseline; ", wait, claims=missed)
        if after.wait >= callback.patience:
            told = tell(told, "; an improving epoch never stops")
    if callback.shown(after).get("held_epoch") == moment.epoch:
        told = tell(told, "; holds these weights", claims=claim("holds"))
    return told


def _tell_waiting(moment: Moment, wait: Told) -> Told:
    callback, after = moment.callback, moment.after
    left = callback.shown(after).get("cooldown_counter", 0)
    if left > 0:
        cooling = claim("cooldown", left=left)
        return tell(f"cooldown {left:g} left, ", wait, claims=cooling)
    if after.wait < callback.patience:
        return wait
    if callback.changes_learning_rate:
        floored = claim("at_floor", rate=moment.learning_rate)
        floor = f"min_lr {callback.min_lr:g}"
        rate = spoken_rate(moment.learning_rate)
        told = f", but the learning rate {rate} is at its floor, {floor}: not reduced"
        return tell(wait, told, claims=floored)
    return tell(wait, "; Keras never stops in the first epoch")


def _tell_reduction(moment: Moment) -> Told:
    old, new = moment.learning_rate, moment.decision.learning_rate
    callback, claims = moment.callback, claim("reduces", old=old, new=new)
    if old is None:
        told = f"reduction by factor {callback.factor:g} of a rate not in the log"
        return tell(told, claims=claims)
    told = (
        f"reduction of the learning rate, {spoken_rate(old, new)} to "
        f"{spoken_rate(new, old)}"
    )
    if new == old:
        told += ", the same float32"
    elif (
        new is not None and callback.min_lr and old * callback.factor < callback.min_lr
    ):
        told += ", its floor min_lr"
    # a cooldown of 1 acts like 0: it is counted down before the next check
    if callback.cooldown > 1:
        told += f"; cooldown {callback.cooldown:g}"
    return tell(told, claims=claims)


def _tell_next(moment: Moment) -> Told:
    """Say what the next epoch decides, if the rule may act in it."""
    consequence = _consequence(moment)
    if not consequence:
        return tell()
    comparison, best = moment.after.comparison, moment.after.best
    nearest = nearest_improvement(comparison, best)
    word = "below" if comparison.mode == "min" else "above"
    wall: str | None = None
    if nearest is not None:
        wall = spoken_threshold(comparison, nearest)
    elif best is not None and math.isinf(best) and (best > 0) == (word == "below"):
        wall = f"{best:g}"
    coming = claim("next_acts", wall=None if wall is None else float(wall))
    if wall is None:
        told = f"; {consequence} at {moment.next_value}, whatever it is"
        return tell(told, claims=coming)
    told = f"; {consequence} if {moment.next_value} is not {word} {wall}"
    return tell(told, claims=coming)


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
