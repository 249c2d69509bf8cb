"""How EarlyStopping and ReduceLROnPlateau ended, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cbreplay.monitor import round_float32
from cbreplay.rules.words import best_row, spoken_times, tell_not_restored
from cbreplay.wording.claims import claim, tell
from cbreplay.wording.spoken_comparisons import (
    nearest_improvement,
    spoken_comparison,
    spoken_float,
    spoken_rate,
    spoken_threshold,
)
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.rules.words import Ending, TraceRow
    from cbreplay.wording.claims import Claim, Told

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


def tell_stop(ending: Ending, index: int) -> Told:
    """Say why an EarlyStopping stopped."""
    callback: Any = ending.callbacks[index]
    last, monitor = ending.rows_of(index)[-1], callback.monitor
    name = f"{ending.name_of(index)} (patience {callback.patience:g})"
    # EarlyStopping takes its absolute value, on every Keras
    margin = f" by {abs(callback.min_delta):g}" if callback.min_delta else ""
    wait, best = last.after.wait, last.after.best
    if best is not None and math.isnan(best):
        return tell(
            f"{name}: its first {monitor} is NaN, and nothing improves on it",
            claims=claim("first_is_nan", callback=index),
        )
    if callback.baseline is not None and not _was_set_back(ending, index):
        predicate, missed = "baseline_stands", f"no {monitor} beat"
        if _beat_baseline(ending, index):
            # it did not improve on the best one as well
            predicate = "improvements_miss_baseline"
            missed = f"no {monitor} that improved beat"
        return tell(
            f"{name}: in {wait} epochs that count, {missed} the baseline "
            f"{callback.baseline:g}{margin}",
            claims=claim(predicate, callback=index, epochs=wait),
        )
    told = f"{name}: {monitor} has not improved{margin}"
    if last.after.best_epoch is None:
        return tell(
            f"{told} in {wait} epochs that count",
            claims=claim("not_improved_in", callback=index, epochs=wait),
        )
    return tell(
        f"{told} since epoch {last.after.best_epoch + 1}",
        claims=claim("not_improved_since", callback=index, epoch=last.after.best_epoch),
    )


def _was_set_back(ending: Ending, index: int) -> bool:
    """Tell whether a value ever reset the wait: one better than best and baseline."""
    rows = ending.rows_of(index)
    return any(row.decision == "improvement" and not row.after.wait for row in rows)


def _beat_baseline(ending: Ending, index: int) -> bool:
    """Tell whether any value that counts was better than the baseline."""
    callback: Any = ending.callbacks[index]
    return any(
        row.after.comparison.is_improvement(row.value, callback.baseline)
        for row in ending.rows_of(index)
        if row.decision != "skip" and row.value is not None
    )


def tell_unstopped(ending: Ending, index: int) -> Told:
    """Say how near an EarlyStopping came to a stop, and what that would still need."""
    callback: Any = ending.callbacks[index]
    rows, name = ending.rows_of(index), ending.name_of(index)
    if _counted_nothing(rows):
        return _told_nothing_counted(ending, index)
    last, longest = rows[-1], max(rows, key=lambda row: row.after.wait)
    told = tell(
        f"{name} ended with {spoken_wait(last.after.wait, callback.patience)}",
        claims=claim("wait", callback=index, epoch=last.epoch, wait=last.after.wait),
    )
    if longest.after.wait > last.after.wait:
        wait = f"{longest.after.wait}, at epoch {longest.epoch + 1}"
        claims = _claim_longest(index, longest)
        told = tell(told, f"; its longest wait was {wait}", claims=claims)
    if ending.goes_on and math.isfinite(callback.patience):
        left = max(math.ceil(callback.patience) - last.after.wait, 1)
        needs = _tell_coming(ending, index, left)
        told = tell(told, "; it stops after ", needs)
    return told


def _counted_nothing(rows: Sequence[TraceRow]) -> bool:
    return all(row.decision == "skip" for row in rows)


def _told_nothing_counted(ending: Ending, index: int) -> Told:
    return tell(
        f"{ending.name_of(index)} has not begun to wait: no epoch had a "
        f"{ending.callbacks[index].watched} that counted",
        claims=claim("none_counted", callback=index),
    )


def _claim_longest(index: int, longest: TraceRow) -> tuple[Claim, ...]:
    return claim(
        "longest_wait", callback=index, epoch=longest.epoch, wait=longest.after.wait
    )


def _tell_coming(ending: Ending, index: int, left: int) -> Told:
    """Say after how many more values it acts, and which value would prevent that."""
    callback: Any = ending.callbacks[index]
    rows, monitor = ending.rows_of(index), callback.monitor
    after = rows[-1].after
    nearest = nearest_improvement(after.comparison, after.best)
    word = "below" if after.comparison.mode == "min" else "above"
    needed: float | None = None
    if nearest is None:
        without = f"an improvement of {monitor}"
    else:
        wall = spoken_threshold(after.comparison, nearest)
        needed, without = float(wall), f"a {monitor} {word} {wall}"
    claims = claim("acts_after", callback=index, values=left, wall=needed)
    if all(row.value is not None for row in rows):
        return tell(f"{count(left, 'more epoch')} without {without}", claims=claims)
    # an epoch without a value does not count
    return tell(
        f"{count(left, 'more value')} of {monitor} without {without}", claims=claims
    )


def tell_reductions(ending: Ending, index: int) -> Told:
    """Say how often a ReduceLROnPlateau reduced, and what the next one needs."""
    callback: Any = ending.callbacks[index]
    rows, name = ending.rows_of(index), ending.name_of(index)
    if _counted_nothing(rows):
        return _told_nothing_counted(ending, index)
    reductions = [row for row in rows if row.decision == "reduction"]
    if reductions:
        told = _tell_done(name, index, reductions)
    else:
        told = _tell_never(name, index, callback.patience, rows)
    return tell(told, _tell_next_reduction(ending, index))


def _tell_done(name: str, index: int, reductions: Sequence[TraceRow]) -> Told:
    last, times = reductions[-1], len(reductions)
    rate = last.new_learning_rate
    return tell(
        f"{name} reduced {spoken_times(times)}, last at the end of epoch "
        f"{last.epoch + 1}",
        "" if rate is None else f", to {spoken_rate(rate)}",
        claims=claim(
            "reduced", callback=index, times=times, epoch=last.epoch, rate=rate
        ),
    )


def _tell_never(
    name: str, index: int, patience: float, rows: Sequence[TraceRow]
) -> Told:
    longest = max(rows, key=lambda row: row.after.wait)
    claims = claim("reduced", callback=index, times=0, epoch=None, rate=None)
    claims += _claim_longest(index, longest)
    if longest.after.wait == 0:
        return tell(f"{name} never reduced: it never waited", claims=claims)
    wait = spoken_wait(longest.after.wait, patience).removeprefix("wait ")
    return tell(
        f"{name} never reduced: its longest wait was {wait}, at epoch "
        f"{longest.epoch + 1}",
        claims=claims,
    )


def _tell_next_reduction(ending: Ending, index: int) -> Told:
    callback: Any = ending.callbacks[index]
    last = ending.rows_of(index)[-1]
    rate = last.learning_rate
    if last.new_learning_rate is not None:
        rate = last.new_learning_rate
    if rate is not None and rate <= round_float32(callback.min_lr):
        return tell(
            f"; the learning rate {spoken_rate(rate)} is at its floor",
            claims=claim("at_floor", callback=index, rate=rate),
        )
    never = math.isinf(callback.patience + last.after.cooldown_counter)
    if not ending.goes_on or last.decision == "reduction" or never:
        return tell()
    left = max(math.ceil(callback.patience) - last.after.wait, 1)
    left += max(math.ceil(last.after.cooldown_counter) - 1, 0)
    return tell("; it reduces after ", _tell_coming(ending, index, left))


def tell_restored(ending: Ending, index: int, kept: int) -> Told:
    """Say why an EarlyStopping put back the weights of this epoch."""
    monitor = ending.callbacks[index].monitor
    row = next(row for row in ending.rows_of(index) if row.epoch == kept)
    value = spoken_float(row.value) if row.value is not None else ""
    what = f"its {monitor}, {value}, is the last improvement"
    claims = claim("last_improvement", callback=index, epoch=kept, value=row.value)
    if row.value is not None and math.isnan(row.value):
        what = f"its {monitor}, NaN, came first and nothing improves on it"
        claims = claim("first_is_nan", callback=index)
    elif row.decision != "improvement":
        what = f"it has the first {monitor} that counts and nothing improved on it"
        claims = claim("first_and_unbeaten", callback=index, epoch=kept)
    return tell(f"restore_best_weights=True, and {what}", claims=claims)


def tell_kept_last(ending: Ending, index: int, kept: int) -> Told:
    """Say why an EarlyStopping put no weights back."""
    callback: Any = ending.callbacks[index]
    held = ending.rows_of(index)[-1].after.held_epoch
    if callback.restore_best_weights and held is not None:
        return tell("this Keras restores the best ones only after its own stop")
    because = ", which is Keras's default"
    return tell_not_restored(ending, index, kept, because=because)


def tell_overlooked(ending: Ending, index: int) -> Told:
    """Say why a better value than the kept one was passed over."""
    rows = ending.rows_of(index)
    comparison, best = rows[-1].after.comparison, best_row(ending, index)
    kept = next((row for row in rows if row.epoch == ending.kept_epoch), None)
    if best is None or kept is None or best.value is None or kept.value is None:
        return tell()
    sign = 1 if comparison.mode == "min" else -1
    if not sign * best.value < sign * kept.value:
        return tell()
    monitor = ending.callbacks[index].monitor
    told = tell(
        f"the better {monitor} of epoch {best.epoch + 1}, {spoken_float(best.value)}, "
        "did not count: ",
        claims=claim("is_best", callback=index, value=best.value, epoch=best.epoch),
    )
    if best.decision == "skip":
        before = "it lies before start_from_epoch"
        skipped = claim("before_start", callback=index, epoch=best.epoch)
        return tell(told, before, claims=skipped)
    if best.before.best is None:
        return tell()
    compared = spoken_comparison(comparison, best.value, best.before.best)
    not_improved = claim("not_improved", callback=index, epoch=best.epoch)
    return tell(told, compared, claims=not_improved)
