"""How EarlyStopping and ReduceLROnPlateau ended, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cbreplay.digits import (
    nearest_improvement,
    spoken_comparison,
    spoken_float,
    spoken_rate,
    spoken_threshold,
)
from cbreplay.monitor import round_float32
from cbreplay.rules.words import spoken_times, tell_not_restored

if TYPE_CHECKING:
    from cbreplay.rules.words import Ending, TraceRow

__all__ = [
    "spoken_wait",
    "tell_kept_last",
    "tell_overlooked",
    "tell_reductions",
    "tell_restored",
    "tell_stop",
    "tell_unstopped",
]


def spoken_wait(wait: int, patience: float) -> str:
    """Write a counter beside its limit.

    >>> spoken_wait(3, 5), spoken_wait(7, 5)
    ('wait 3 of 5', 'wait 7, patience 5')
    """
    if wait > patience:
        return f"wait {wait}, patience {patience:g}"
    return f"wait {wait} of {patience:g}"


def tell_stop(ending: Ending, index: int) -> str:
    """Say why an EarlyStopping stopped."""
    callback: Any = ending.callbacks[index]
    last = ending.rows_of(index)[-1]
    margin = f" by {callback.min_delta:g}" if callback.min_delta else ""
    name = f"{ending.name_of(index)} (patience {callback.patience:g})"
    told = f"{name}: {callback.monitor} has not improved{margin}"
    if last.after.best is not None and math.isnan(last.after.best):
        return (
            f"{name}: its first {callback.monitor} is NaN, and nothing improves on it"
        )
    if last.after.best_epoch is None or callback.baseline is not None:
        return f"{told} in {last.after.wait} epochs that count"
    return f"{told} since epoch {last.after.best_epoch + 1}"


def tell_unstopped(ending: Ending, index: int) -> str:
    """Say how near it came to a stop, and what the stop would have needed."""
    callback: Any = ending.callbacks[index]
    rows, name = ending.rows_of(index), ending.name_of(index)
    last, longest = rows[-1], max(rows, key=lambda row: row.after.wait)
    told = f"{name} ended with {spoken_wait(last.after.wait, callback.patience)}"
    if longest.after.wait > last.after.wait:
        told += (
            f"; its longest wait was {longest.after.wait}, at epoch {longest.epoch + 1}"
        )
    if ending.goes_on and math.isfinite(callback.patience):
        left = max(math.ceil(callback.patience) - last.after.wait, 1)
        told += f"; it stops after {_more_epochs(left)} {_without(callback, last)}"
    return told


def _more_epochs(left: int) -> str:
    return f"{left} more {'epoch' if left == 1 else 'epochs'}"


def _without(callback: Any, last: TraceRow) -> str:  # noqa: ANN401 - one of the two
    """Say which value the coming epochs must not reach for a decision."""
    comparison, best = last.after.comparison, last.after.best
    nearest = nearest_improvement(comparison, best)
    word = "below" if comparison.mode == "min" else "above"
    if nearest is None:
        return f"without an improvement of {callback.monitor}"
    return (
        f"without a {callback.monitor} {word} {spoken_threshold(comparison, nearest)}"
    )


def tell_reductions(ending: Ending, index: int) -> str:
    """Say how often a ReduceLROnPlateau reduced, and what the next one needs."""
    callback: Any = ending.callbacks[index]
    rows, name = ending.rows_of(index), ending.name_of(index)
    last, reductions = rows[-1], [row for row in rows if row.decision == "reduction"]
    if not reductions:
        longest = max(rows, key=lambda row: row.after.wait)
        told = (
            f"{name} never reduced: its longest wait was {longest.after.wait} of "
            f"{callback.patience:g}, at epoch {longest.epoch + 1}"
        )
        if longest.after.wait == 0:
            told = f"{name} never reduced: it never waited"
    else:
        told = f"{name} reduced {spoken_times(len(reductions))}, last at the end of"
        told += f" epoch {reductions[-1].epoch + 1}"
        if reductions[-1].new_learning_rate is not None:
            told += f", to {spoken_rate(reductions[-1].new_learning_rate)}"
    return told + _tell_next_reduction(ending, callback, last)


def _tell_next_reduction(ending: Ending, callback: Any, last: TraceRow) -> str:  # noqa: ANN401
    rate = last.new_learning_rate or last.learning_rate
    if rate is not None and rate <= round_float32(callback.min_lr):
        return f"; the learning rate {spoken_rate(rate)} is at its floor"
    never = math.isinf(callback.patience + last.after.cooldown_counter)
    if not ending.goes_on or last.decision == "reduction" or never:
        return ""
    left = max(math.ceil(callback.patience) - last.after.wait, 1)
    left += max(math.ceil(last.after.cooldown_counter) - 1, 0)
    return f"; it reduces after {_more_epochs(left)} {_without(callback, last)}"


def tell_restored(ending: Ending, index: int, kept: int) -> str:
    """Say why an EarlyStopping put the weights of just this epoch back."""
    monitor = ending.callbacks[index].monitor
    row = next(row for row in ending.rows_of(index) if row.epoch == kept)
    value = spoken_float(row.value) if row.value is not None else ""
    what = f"its {monitor}, {value}, is the last improvement"
    if row.value is not None and math.isnan(row.value):
        what = f"its {monitor}, NaN, came first and nothing improves on it"
    elif row.decision != "improvement":
        what = f"it has the first {monitor} and nothing improved on it"
    return f"restore_best_weights=True, and {what}"


def tell_kept_last(ending: Ending, index: int, kept: int) -> str:
    """Say why an EarlyStopping put no weights back."""
    callback: Any = ending.callbacks[index]
    held = ending.rows_of(index)[-1].after.held_epoch
    if callback.restore_best_weights and held is not None:
        return "this Keras restores the best ones only after its own stop"
    because = ", which is Keras's default"
    return tell_not_restored(ending, index, kept, because=because)


def tell_overlooked(ending: Ending, index: int) -> str:
    """Say why a better value than the kept one was passed over."""
    rows = [
        row
        for row in ending.rows_of(index)
        if row.value is not None and math.isfinite(row.value)
    ]
    comparison = ending.rows_of(index)[-1].after.comparison
    sign = 1 if comparison.mode == "min" else -1
    best = min(rows, key=lambda row: sign * (row.value or 0.0), default=None)
    kept = next((row for row in rows if row.epoch == ending.kept_epoch), None)
    if best is None or kept is None or best.value is None or kept.value is None:
        return ""
    if not sign * best.value < sign * kept.value:
        return ""
    told = (
        f"the better {ending.callbacks[index].monitor} of epoch "
        f"{best.epoch + 1}, {spoken_float(best.value)}, did not count: "
    )
    if best.decision == "skip":
        return f"{told}it lies before start_from_epoch"
    if best.before.best is None:
        return ""
    return told + spoken_comparison(comparison, best.value, best.before.best)
