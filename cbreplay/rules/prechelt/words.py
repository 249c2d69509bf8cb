"""Prechelt's rules in words: what was measured, and against which threshold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cbreplay.rules.words import RuleWords, tell_not_restored, tell_restored
from cbreplay.wording.spoken_comparisons import spoken_float

if TYPE_CHECKING:
    from cbreplay.rules.words import Course, Moment, TraceRow

__all__ = ["GL", "PQ", "UP"]


def _tell_measure(moment: Moment) -> str:
    """Say how an epoch's error compares with the best, and what the rule measures."""
    callback, after = moment.callback, moment.after
    if moment.value is None:
        return f"no {callback.monitor} in this epoch: skipped"
    if moment.decision.improved is None:
        return f"no {callback.training_monitor} in this epoch: skipped"
    told = _tell_best(moment, moment.value)
    if after.measured is None:
        done, all_of = len(after.strip), callback.strip_length
        return f"{told}; epoch {done} of {all_of} of its strip"
    if callback.has_strips:
        told += "; end of a strip"
    if math.isnan(after.measured):
        return f"{told}; {callback.measure_name} is not a number: goes on"
    told += f": {_spoken_measure(callback, after.measured)}"
    if moment.decision.stop:
        return f"{told}: stop"
    return told


def _tell_best(moment: Moment, value: float) -> str:
    best, monitor = moment.after.best, moment.callback.monitor
    if moment.decision.improved:
        return f"{monitor} {spoken_float(value)} is the best so far"
    if math.isinf(best):
        return f"{monitor} {spoken_float(value)}: there is no best one yet"
    return (
        f"{monitor} {spoken_float(value)}, the best {spoken_float(best)} of epoch "
        f"{moment.after.best_epoch + 1}"
    )


def _tell_measured(course: Course) -> str:
    """Say how near a rule came to a stop that it did not ask for."""
    callback = course.callback
    name = course.name
    rows = [row for row in course.rows if _is_number(row)]
    if not rows:
        needs = f"no epoch had a {callback.monitor} that is a number"
        if callback.has_strips:
            needs = f"no strip of {callback.strip_length} epochs ended with a number"
        return f"{name} measured nothing that could stop: {needs}"
    largest = max(rows, key=lambda row: row.after.measured)
    threshold = f"alpha is {callback.threshold:g}"
    if callback.counts_rises:
        threshold = f"{callback.threshold} are needed"
    return (
        f"{name} did not stop: {callback.measure_name} was at most "
        f"{_spoken_number(callback, largest.after.measured)}, at epoch "
        f"{largest.epoch + 1}, and {threshold}"
    )


def _is_number(row: TraceRow) -> bool:
    measured: float | None = row.after.measured
    return measured is not None and not math.isnan(measured)


def _tell_reached(course: Course) -> str:
    """Say what a rule that stopped had measured."""
    last = course.rows[-1]
    told = _spoken_measure(course.callback, last.after.measured)
    return f"{course.name}: {told}"


def _spoken_measure(callback: Any, measured: float) -> str:
    """Write what was measured beside its threshold."""
    if callback.counts_rises:
        rises = "rise" if measured == 1 else "rises"
        return f"{measured:g} {rises} in a row, of {callback.threshold}"
    reached = "is above" if measured > callback.threshold else "is not above"
    return (
        f"{callback.measure_name} {_spoken_number(callback, measured)} {reached} alpha "
        f"{callback.threshold:g}"
    )


def _spoken_number(callback: Any, measured: float) -> str:
    """Write a measure with as many digits as tell on which side of alpha it is."""
    if callback.counts_rises:
        return f"{measured:g}"
    texts = [spoken_float(measured, digits) for digits in range(3, 18)]
    above = measured > callback.threshold
    return next(
        (text for text in texts if (float(text) > callback.threshold) == above),
        texts[-1],
    )


GL = PQ = UP = RuleWords(
    _tell_measure,
    _tell_measured,
    stopper=_tell_reached,
    holder=tell_restored,
    not_restored=tell_not_restored,
)
