"""Prechelt's rules in words: what was measured, and against which threshold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cbreplay.explain.digits import spoken_float

if TYPE_CHECKING:
    from cbreplay.explain.ending import Ending
    from cbreplay.explain.sentences import Moment
    from cbreplay.explain.trace import TraceRow

__all__ = ["tell_measure", "tell_measured", "tell_reached"]


def tell_measure(moment: Moment) -> str:
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
    if hasattr(callback, "strip_length"):
        told += "; end of a strip"
    if math.isnan(after.measured):
        return f"{told}; {_name(callback)} is not a number: goes on"
    told += f": {_spoken_measure(callback, after)}"
    if moment.decision.stop:
        return f"{told}: stop"
    return told


def tell_measured(ending: Ending, index: int) -> str:
    """Say how near a rule came to a stop that it did not ask for."""
    callback, name = ending.replay.callbacks[index], ending.name_of(index)
    rows = [row for row in ending.rows_of(index) if _is_number(row)]
    if not rows:
        return f"{name} measured nothing that could stop: {_needs(callback)}"
    largest = max(rows, key=lambda row: row.after.measured)
    return (
        f"{name} did not stop: {_name(callback)} was at most "
        f"{_spoken_number(callback, largest.after.measured)}, at epoch "
        f"{largest.epoch + 1}, "
        f"and {_threshold(callback)}"
    )


def tell_reached(ending: Ending, index: int) -> str:
    """Say what a rule that stopped had measured."""
    callback: Any = ending.replay.callbacks[index]
    last = ending.rows_of(index)[-1]
    return f"{ending.name_of(index)}: {_spoken_measure(callback, last.after)}"


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


def _spoken_measure(callback: Any, after: Any) -> str:  # noqa: ANN401 - a rule, a state
    """Write what was measured beside its threshold."""
    measured = after.measured
    if hasattr(callback, "strips"):
        rises = "rise" if measured == 1 else "rises"
        return f"{measured:g} {rises} in a row, of {callback.strips}"
    reached = "is above" if measured > callback.alpha else "is not above"
    return (
        f"{_name(callback)} {_spoken_number(callback, measured)} {reached} alpha "
        f"{callback.alpha:g}"
    )


def _threshold(callback: Any) -> str:  # noqa: ANN401 - any rule
    if hasattr(callback, "strips"):
        return f"{callback.strips} are needed"
    return f"alpha is {callback.alpha:g}"


def _name(callback: Any) -> str:  # noqa: ANN401 - any rule
    if hasattr(callback, "strips"):
        return "the number of rises in a row"
    if hasattr(callback, "training_monitor"):
        return f"GL / P_{callback.strip_length}"
    return "GL"


def _needs(callback: Any) -> str:  # noqa: ANN401 - any rule
    if not hasattr(callback, "strip_length"):
        return f"no epoch had a {callback.monitor} that is a number"
    return f"no strip of {callback.strip_length} epochs ended with a number"


def _is_number(row: TraceRow) -> bool:
    measured: float | None = row.after.measured
    return measured is not None and not math.isnan(measured)


def _spoken_number(callback: Any, measured: float) -> str:  # noqa: ANN401 - any rule
    """Write a measure with as many digits as tell on which side of alpha it is."""
    if hasattr(callback, "strips"):
        return f"{measured:g}"
    texts = [spoken_float(measured, digits) for digits in range(3, 18)]
    above = measured > callback.alpha
    return next(
        (one for one in texts if (float(one) > callback.alpha) == above), texts[-1]
    )
