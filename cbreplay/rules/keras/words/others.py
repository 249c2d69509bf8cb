"""The callbacks of Keras that wait for nothing, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cbreplay.rules.words import RuleWords, spoken_times, tell_deeds, tell_with_numbers
from cbreplay.wording.spoken_comparisons import (
    spoken_comparison,
    spoken_float,
    spoken_rate,
)

if TYPE_CHECKING:
    from cbreplay.rules.words import Course, Moment

__all__ = ["BREAKING", "DRIVING", "SAVING", "SCHEDULING"]


def _tell_loss(moment: Moment) -> str:
    if moment.value is None:
        return "no loss in this epoch: goes on"
    if not moment.decision.stop:
        return f"the loss, {spoken_float(moment.value)}, is finite: goes on"
    told = f"the loss is {spoken_float(moment.value)}: stop before the epoch is over"
    if moment.callback.raise_error:
        told += ", by an error; no callback sees its end"
    return told


def _tell_save(moment: Moment) -> str:
    decision, monitor = moment.decision, moment.callback.monitor
    compared = ""
    if moment.callback.save_best_only:
        compared = _tell_comparison(moment)
    if not decision.saved_files:
        return compared + (": not saved" if moment.value is not None else ": skipped")
    (file,) = decision.saved_files
    told = f"{compared}: saved as {file}" if compared else f"saved as {file}"
    if compared and moment.value is None:
        told = f"no {monitor} in this epoch: saved all the same, as {file}"
    if decision.saved_epoch is not None and decision.saved_epoch != moment.epoch:
        told += f", with the weights of epoch {decision.saved_epoch + 1} put back"
    return told


def _tell_comparison(moment: Moment) -> str:
    """Say how the monitored value compares with the best one so far."""
    callback, best = moment.callback, moment.before.best
    if moment.value is None:
        return f"no {callback.monitor} in this epoch"
    if moment.is_first:
        return moment.tell_first().words
    if best is None:
        # values were compared before, but none of them was a number
        return f"{callback.monitor} is {spoken_float(moment.value)}"
    return spoken_comparison(moment.before.comparison, moment.value, best)


def _tell_saves(course: Course) -> str:
    saved = [row for row in course.rows if row.decision == "save"]
    if not saved:
        return f"{course.name} saved nothing"
    return (
        f"{course.name} saved {spoken_times(len(saved))}, last at the end of "
        f"epoch {saved[-1].epoch + 1}"
    )


def _tell_rate(moment: Moment) -> str:
    old, new = moment.learning_rate, moment.decision.learning_rate
    if old == new:
        return f"begins at the learning rate {spoken_rate(new)}, as before"
    return (
        f"begins at the learning rate {spoken_rate(new, old)}, which was "
        f"{spoken_rate(old, new)}"
    )


def _tell_rates(course: Course) -> str:
    changed = [row for row in course.rows if row.decision == "schedule"]
    if not changed:
        return f"{course.name} never changed the learning rate"
    return (
        f"{course.name} changed the learning rate "
        f"{spoken_times(len(changed))}, last at the beginning of epoch "
        f"{changed[-1].epoch + 1}, to {spoken_rate(changed[-1].new_learning_rate)}"
    )


def _tell_finite(course: Course) -> str:
    return f"{course.name} saw no loss that is NaN or infinite"


def _tell_driven(moment: Moment) -> str:
    return tell_with_numbers(moment, moment.before.attributes, moment.after.attributes)


def _tell_broken(course: Course) -> str:
    """Say at which loss training was ended, and how."""
    last = course.rows[-1]
    spoken = spoken_float(math.nan if last.value is None else last.value)
    by_error = ", by an error" if course.callback.raises else ""
    return f"{course.name}{by_error}: the loss is {spoken}"


SCHEDULING = RuleWords(_tell_rate, _tell_rates)
SAVING = RuleWords(_tell_save, _tell_saves)
BREAKING = RuleWords(_tell_loss, _tell_finite, stopper=_tell_broken)
DRIVING = RuleWords(_tell_driven, tell_deeds)
