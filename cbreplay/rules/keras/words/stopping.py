"""How EarlyStopping and ReduceLROnPlateau ended, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cbreplay.monitor import round_float32
from cbreplay.rules.words import best_row, spoken_times, tell_not_restored
from cbreplay.wording.claims import tell
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

    from cbreplay.rules.words import Course, TraceRow
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


def tell_stop(course: Course) -> Told:
    """Say why an EarlyStopping stopped."""
    callback = course.callback
    last, monitor = course.rows[-1], callback.monitor
    name = f"{course.name} (patience {callback.patience:g})"
    # EarlyStopping takes its absolute value, on every Keras
    margin = f" by {abs(callback.min_delta):g}" if callback.min_delta else ""
    wait, best = last.after.wait, last.after.best
    if best is not None and math.isnan(best):
        return tell(
            f"{name}: its first {monitor} is NaN, and nothing improves on it",
            claims=course.claim("first_is_nan"),
        )
    if callback.baseline is not None and not _was_set_back(course):
        predicate, missed = "baseline_stands", f"no {monitor} beat"
        if _beat_baseline(course):
            # it did not improve on the best one as well
            predicate = "improvements_miss_baseline"
            missed = f"no {monitor} that improved beat"
        return tell(
            f"{name}: in {wait} epochs that count, {missed} the baseline "
            f"{callback.baseline:g}{margin}",
            claims=course.claim(predicate, epochs=wait),
        )
    told = f"{name}: {monitor} has not improved{margin}"
    if last.after.best_epoch is None:
        return tell(
            f"{told} in {wait} epochs that count",
            claims=course.claim("not_improved_in", epochs=wait),
        )
    return tell(
        f"{told} since epoch {last.after.best_epoch + 1}",
        claims=course.claim("not_improved_since", epoch=last.after.best_epoch),
    )


def _was_set_back(course: Course) -> bool:
    """Tell whether a value ever reset the wait: one better than best and baseline."""
    rows = course.rows
    return any(row.decision == "improvement" and not row.after.wait for row in rows)


def _beat_baseline(course: Course) -> bool:
    """Tell whether any value that counts was better than the baseline."""
    callback = course.callback
    return any(
        row.after.comparison.is_improvement(row.value, callback.baseline)
        for row in course.rows
        if row.decision != "skip" and row.value is not None
    )


def tell_unstopped(course: Course) -> Told:
    """Say how near an EarlyStopping came to a stop, and what that would still need."""
    callback = course.callback
    rows, name = course.rows, course.name
    if _counted_nothing(rows):
        return _told_nothing_counted(course)
    last, longest = rows[-1], max(rows, key=lambda row: row.after.wait)
    told = tell(
        f"{name} ended with {spoken_wait(last.after.wait, callback.patience)}",
        claims=course.claim("wait", epoch=last.epoch, wait=last.after.wait),
    )
    if longest.after.wait > last.after.wait:
        wait = f"{longest.after.wait}, at epoch {longest.epoch + 1}"
        claims = _claim_longest(course, longest)
        told = tell(told, f"; its longest wait was {wait}", claims=claims)
    if course.ending.goes_on and math.isfinite(callback.patience):
        left = max(math.ceil(callback.patience) - last.after.wait, 1)
        needs = _tell_coming(course, left)
        told = tell(told, "; it stops after ", needs)
    return told


def _counted_nothing(rows: Sequence[TraceRow]) -> bool:
    return all(row.decision == "skip" for row in rows)


def _told_nothing_counted(course: Course) -> Told:
    return tell(
        f"{course.name} has not begun to wait: no epoch had a "
        f"{course.callback.watched} that counted",
        claims=course.claim("none_counted"),
    )


def _claim_longest(course: Course, longest: TraceRow) -> tuple[Claim, ...]:
    return course.claim("longest_wait", epoch=longest.epoch, wait=longest.after.wait)


def _tell_coming(course: Course, left: int) -> Told:
    """Say after how many more values it acts, and which value would prevent that."""
    callback = course.callback
    rows, monitor = course.rows, callback.monitor
    after = rows[-1].after
    nearest = nearest_improvement(after.comparison, after.best)
    word = "below" if after.comparison.mode == "min" else "above"
    needed: float | None = None
    if nearest is None:
        without = f"an improvement of {monitor}"
    else:
        wall = spoken_threshold(after.comparison, nearest)
        needed, without = float(wall), f"a {monitor} {word} {wall}"
    claims = course.claim("acts_after", values=left, wall=needed)
    if all(row.value is not None for row in rows):
        return tell(f"{count(left, 'more epoch')} without {without}", claims=claims)
    # an epoch without a value does not count
    return tell(
        f"{count(left, 'more value')} of {monitor} without {without}", claims=claims
    )


def tell_reductions(course: Course) -> Told:
    """Say how often a ReduceLROnPlateau reduced, and what the next one needs."""
    if _counted_nothing(course.rows):
        return _told_nothing_counted(course)
    reductions = [row for row in course.rows if row.decision == "reduction"]
    told = _tell_done(course, reductions) if reductions else _tell_never(course)
    return tell(told, _tell_next_reduction(course))


def _tell_done(course: Course, reductions: Sequence[TraceRow]) -> Told:
    last, times = reductions[-1], len(reductions)
    rate = last.new_learning_rate
    return tell(
        f"{course.name} reduced {spoken_times(times)}, last at the end of epoch "
        f"{last.epoch + 1}",
        "" if rate is None else f", to {spoken_rate(rate)}",
        claims=course.claim("reduced", times=times, epoch=last.epoch, rate=rate),
    )


def _tell_never(course: Course) -> Told:
    name, patience = course.name, course.callback.patience
    longest = max(course.rows, key=lambda row: row.after.wait)
    claims = course.claim("reduced", times=0, epoch=None, rate=None)
    claims += _claim_longest(course, longest)
    if longest.after.wait == 0:
        return tell(f"{name} never reduced: it never waited", claims=claims)
    wait = spoken_wait(longest.after.wait, patience).removeprefix("wait ")
    return tell(
        f"{name} never reduced: its longest wait was {wait}, at epoch "
        f"{longest.epoch + 1}",
        claims=claims,
    )


def _tell_next_reduction(course: Course) -> Told:
    callback = course.callback
    last = course.rows[-1]
    rate = last.learning_rate
    if last.new_learning_rate is not None:
        rate = last.new_learning_rate
    if rate is not None and rate <= round_float32(callback.min_lr):
        return tell(
            f"; the learning rate {spoken_rate(rate)} is at its floor",
            claims=course.claim("at_floor", rate=rate),
        )
    never = math.isinf(callback.patience + last.after.cooldown_counter)
    if not course.ending.goes_on or last.decision == "reduction" or never:
        return tell()
    left = max(math.ceil(callback.patience) - last.after.wait, 1)
    left += max(math.ceil(last.after.cooldown_counter) - 1, 0)
    return tell("; it reduces after ", _tell_coming(course, left))


def tell_restored(course: Course) -> Told:
    """Say why an EarlyStopping put back the weights of this epoch."""
    monitor = course.callback.monitor
    kept = course.ending.kept_epoch
    row = next(row for row in course.rows if row.epoch == kept)
    value = spoken_float(row.value) if row.value is not None else ""
    what = f"its {monitor}, {value}, is the last improvement"
    claims = course.claim("last_improvement", epoch=kept, value=row.value)
    if row.value is not None and math.isnan(row.value):
        what = f"its {monitor}, NaN, came first and nothing improves on it"
        claims = course.claim("first_is_nan")
    elif row.decision != "improvement":
        what = f"it has the first {monitor} that counts and nothing improved on it"
        claims = course.claim("first_and_unbeaten", epoch=kept)
    return tell(f"restore_best_weights=True, and {what}", claims=claims)


def tell_kept_last(course: Course) -> Told:
    """Say why an EarlyStopping put no weights back."""
    callback = course.callback
    held = course.rows[-1].after.held_epoch
    if callback.restore_best_weights and held is not None:
        return tell("this Keras restores the best ones only after its own stop")
    because = ", which is Keras's default"
    return tell_not_restored(course, because=because)


def tell_overlooked(course: Course) -> Told:
    """Say why a better value than the kept one was passed over."""
    rows = course.rows
    comparison, best = rows[-1].after.comparison, best_row(course)
    kept = next((row for row in rows if row.epoch == course.ending.kept_epoch), None)
    if best is None or kept is None or best.value is None or kept.value is None:
        return tell()
    sign = 1 if comparison.mode == "min" else -1
    if not sign * best.value < sign * kept.value:
        return tell()
    monitor = course.callback.monitor
    told = tell(
        f"the better {monitor} of epoch {best.epoch + 1}, {spoken_float(best.value)}, "
        "did not count: ",
        claims=course.claim("is_best", value=best.value, epoch=best.epoch),
    )
    if best.decision == "skip":
        before = "it lies before start_from_epoch"
        skipped = course.claim("before_start", epoch=best.epoch)
        return tell(told, before, claims=skipped)
    if best.before.best is None:
        return tell()
    compared = spoken_comparison(comparison, best.value, best.before.best)
    not_improved = course.claim("not_improved", epoch=best.epoch)
    return tell(told, compared, claims=not_improved)
