"""The rules in words: the mean and how long it waits; the value and its target."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cbreplay.rules.words import RuleWords, tell_not_restored, tell_restored
from cbreplay.wording.spoken_comparisons import spoken_float

if TYPE_CHECKING:
    from cbreplay.rules.words import Course, Moment

__all__ = ["SMOOTHED", "TARGET"]


def _tell_mean(moment: Moment) -> str:
    """Say how an epoch's mean compares with the best one, and how long it waits."""
    callback, after = moment.callback, moment.after
    if moment.value is None:
        return f"no {callback.monitor} in this epoch: skipped"
    waited = f"{after.wait} of {callback.patience} waited"
    if moment.decision.stop:
        waited += ": stop"
    if not math.isfinite(moment.value):
        value = spoken_float(moment.value)
        return f"{callback.monitor} {value} is no part of the mean; {waited}"
    told = f"{callback.spoken_mean} is {spoken_float(after.smoothed)}"
    if moment.decision.improved:
        return f"{told}, the best so far"
    return f"{told}, the best {spoken_float(after.best_smoothed)}; {waited}"


def _tell_longest_wait(course: Course) -> str:
    """Say how near a rule came to a stop that it did not ask for."""
    rule = course.callback
    longest = max((row.after.wait for row in course.rows), default=0)
    return f"{course.name} did not stop: it waited at most {longest} of {rule.patience}"


def _tell_waited(course: Course) -> str:
    """Say what a rule that stopped had waited for."""
    rule = course.callback
    wait = course.rows[-1].after.wait
    return (
        f"{course.name}: {rule.spoken_mean} was not better for {wait} of "
        f"{rule.patience}"
    )


def _tell_value(moment: Moment) -> str:
    """Say whether an epoch's value reaches the target."""
    callback = moment.callback
    if moment.value is None:
        return f"no {callback.monitor} in this epoch: skipped"
    value, target = spoken_float(moment.value), f"{callback.target:g}"
    if moment.decision.stop:
        return f"{callback.monitor} {value} reaches the target {target}: stop"
    return f"{callback.monitor} {value} does not reach the target {target}"


def _tell_unreached(course: Course) -> str:
    """Say how near the best value came to the target."""
    rule = course.callback
    name, rows = course.name, course.rows
    state = rows[-1].after if rows else None
    if state is None or state.best is None:
        return f"{name} saw no {rule.monitor} that is a number"
    return (
        f"{name} did not stop: the best {rule.monitor}, {spoken_float(state.best)} at "
        f"epoch {state.best_epoch + 1}, does not reach {rule.target:g}"
    )


def _tell_reached(course: Course) -> str:
    """Say which value reached the target."""
    rule = course.callback
    last = course.rows[-1].value
    value = "" if last is None else f" {spoken_float(last)}"
    return f"{course.name}: {rule.monitor}{value} reaches {rule.target:g}"


SMOOTHED = RuleWords(
    _tell_mean,
    _tell_longest_wait,
    stopper=_tell_waited,
    holder=tell_restored,
    not_restored=tell_not_restored,
)
TARGET = RuleWords(
    _tell_value,
    _tell_unreached,
    stopper=_tell_reached,
    holder=tell_restored,
    not_restored=tell_not_restored,
)
