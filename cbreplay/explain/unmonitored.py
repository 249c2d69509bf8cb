"""The rules that have no wait: a decision, and how they ended, in a sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cbreplay.explain.digits import spoken_comparison, spoken_float, spoken_rate
from cbreplay.explain.prechelt import tell_measure, tell_measured, tell_reached

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cbreplay.explain.ending import Ending
    from cbreplay.explain.sentences import Moment

__all__ = ["ENDINGS", "MOMENTS", "STOPPERS"]


def _tell_loss(moment: Moment) -> str:
    if moment.value is None:
        return "no loss in this epoch: goes on"
    if not moment.decision.stop:
        return f"the loss, {spoken_float(moment.value)}, is finite: goes on"
    told = f"the loss is {spoken_float(moment.value)}: stop within the epoch"
    if moment.callback.raise_error:
        told += ", by an error; no callback sees its end"
    return told


def _tell_save(moment: Moment) -> str:
    decision, monitor = moment.decision, moment.callback.monitor
    file, compared = decision.saved_file, ""
    if moment.callback.save_best_only:
        compared = _tell_comparison(moment)
    if file is None:
        return compared + (": not saved" if moment.value is not None else ": skipped")
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
    if best is None or (math.isinf(best) and moment.decision.improved):
        return f"the first {callback.monitor}, {spoken_float(moment.value)}"
    return spoken_comparison(moment.before.comparison, moment.value, best)


def _tell_saves(ending: Ending, index: int) -> str:
    saved = [one for one in ending.rows_of(index) if one.decision == "save"]
    if not saved:
        return f"{ending.name_of(index)} saved nothing"
    times = "once" if len(saved) == 1 else f"{len(saved)} times"
    return (
        f"{ending.name_of(index)} saved {times}, last at the end of epoch "
        f"{saved[-1].epoch + 1}"
    )


def _tell_rate(moment: Moment) -> str:
    old, new = moment.learning_rate, moment.decision.learning_rate
    if old == new:
        return f"begins at the learning rate {spoken_rate(new)}, as before"
    return (
        f"begins at the learning rate {spoken_rate(new)}, which was {spoken_rate(old)}"
    )


def _tell_rates(ending: Ending, index: int) -> str:
    changed = [one for one in ending.rows_of(index) if one.decision == "schedule"]
    if not changed:
        return f"{ending.name_of(index)} never changed the learning rate"
    times = "once" if len(changed) == 1 else f"{len(changed)} times"
    return (
        f"{ending.name_of(index)} changed the learning rate {times}, last at the "
        f"beginning of epoch {changed[-1].epoch + 1}, "
        f"to {spoken_rate(changed[-1].new_learning_rate)}"
    )


def _tell_finite(ending: Ending, index: int) -> str:
    return f"{ending.name_of(index)} saw no loss that is NaN or infinite"


def _tell_driven(moment: Moment) -> str:
    """Say what a callback of the user's own did; why, only its code can tell."""
    decision, done = moment.decision, []
    if decision.learning_rate is not None:
        old, new = moment.learning_rate, decision.learning_rate
        done.append(
            f"sets the learning rate, {spoken_rate(old)}, to {spoken_rate(new)}"
        )
    if decision.saved_file is not None:
        files = (decision.saved_file, *decision.also_saved)
        done.append(f"saves {', '.join(files)}")
    if decision.restored_epoch is not None:
        done.append(f"puts back the weights of epoch {decision.restored_epoch + 1}")
    if decision.stop:
        done.append("asks for the stop")
    if decision.cancels_stop:
        done.append("takes back the stop that was asked for")
    seen = ""
    if moment.value is not None:
        seen = f"sees {moment.callback.monitor} {spoken_float(moment.value)}: "
    return seen + (", ".join(done) or "nothing") + _tell_attributes(moment)


def _tell_attributes(moment: Moment) -> str:
    """Say which of its own numbers have changed."""
    before, after = moment.before.attributes, moment.after.attributes
    changed = [
        f"{name} {spoken_float(value) if isinstance(value, float) else value}"
        for name, value in after.items()
        # NaN is no other NaN
        if repr(value) != repr(before.get(name))
    ]
    return f"; {', '.join(changed)}" if changed else ""


def _tell_deeds(ending: Ending, index: int) -> str:
    rows, name = ending.rows_of(index), ending.name_of(index)
    rates = sum(one.decision in ("reduction", "schedule") for one in rows)
    saves = sum(one.decision == "save" for one in rows)
    done = [
        f"{what} {'once' if times == 1 else f'{times} times'}"
        for what, times in (("set the learning rate", rates), ("saved", saves))
        if times
    ]
    return f"{name} {' and '.join(done) or 'did nothing that a replay can see'}"


# by the callback's class
MOMENTS: Mapping[str, Callable[[Moment], str]] = {
    "DrivenCallback": _tell_driven,
    "LearningRateScheduler": _tell_rate,
    "ModelCheckpoint": _tell_save,
    "PrecheltGL": tell_measure,
    "PrecheltPQ": tell_measure,
    "PrecheltUP": tell_measure,
    "TerminateOnNaN": _tell_loss,
}
ENDINGS: Mapping[str, Callable[[Ending, int], str]] = {
    "DrivenCallback": _tell_deeds,
    "LearningRateScheduler": _tell_rates,
    "ModelCheckpoint": _tell_saves,
    "PrecheltGL": tell_measured,
    "PrecheltPQ": tell_measured,
    "PrecheltUP": tell_measured,
    "TerminateOnNaN": _tell_finite,
}
# how one that stopped says why
STOPPERS: Mapping[str, Callable[[Ending, int], str]] = {
    "PrecheltGL": tell_reached,
    "PrecheltPQ": tell_reached,
    "PrecheltUP": tell_reached,
}
