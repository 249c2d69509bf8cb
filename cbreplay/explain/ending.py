"""How a replay ended, in words: by whom or why not, and whose weights it keeps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.explain.digits import (
    nearest_improvement,
    spoken_comparison,
    spoken_float,
    spoken_rate,
    spoken_threshold,
)
from cbreplay.explain.sentences import spoken_wait
from cbreplay.explain.unmonitored import ENDINGS, STOPPERS
from cbreplay.monitor import round_float32
from cbreplay.rules.keras.early_stopping import EarlyStopping
from cbreplay.rules.keras.terminate_on_nan import TerminateOnNaN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.explain.trace import TraceRow
    from cbreplay.replay import Replay

__all__ = ["Ending", "tell_ending"]


class Ending(NamedTuple):
    """What is known when training ends, or when the log does.

    Parameters
    ----------
    replay : Replay
        What was asked.
    rows : list of TraceRow
        The trace up to the end.
    stopped_epoch, stopped_by, kept_epoch : as in Replay
        Or as in its fiction.
    """

    replay: Replay
    rows: list[TraceRow]
    stopped_epoch: int | None
    stopped_by: tuple[int, ...]
    kept_epoch: int | None

    @property
    def goes_on(self) -> bool:
        """Whether training would have gone on past the log."""
        return self.stopped_epoch is None and not self.replay.run.reached_plan

    @property
    def raised(self) -> bool:
        """Whether training ended by an error."""
        stoppers = [self.replay.callbacks[one] for one in self.stopped_by]
        return TerminateOnNaN(raise_error=True) in stoppers

    def rows_of(self, index: int) -> list[TraceRow]:
        """Return the rows of one callback."""
        return [row for row in self.rows if row.callback == index]

    def name_of(self, index: int) -> str:
        """Return a callback's class; the second of a kind is ``EarlyStopping#2``."""
        kinds = [
            getattr(one, "name", type(one).__name__)
            for one in self.replay.callbacks[: index + 1]
        ]
        before = kinds.count(kinds[-1])
        return kinds[-1] if before == 1 else f"{kinds[-1]}#{before}"


def tell_ending(ending: Ending) -> Iterator[str]:
    """Yield where it stopped, how near every callback came, and whose weights stay."""
    yield _tell_stop(ending)
    for index in dict.fromkeys(row.callback for row in ending.rows):
        callback = ending.replay.callbacks[index]
        tell = ENDINGS.get(type(callback).__name__)
        if tell is not None:
            if index not in ending.stopped_by:
                yield tell(ending, index)
        elif hasattr(callback, "min_lr"):
            yield _tell_reductions(ending, index)
        elif index not in ending.stopped_by:
            yield _tell_unstopped(ending, index)
    if ending.kept_epoch is not None:
        yield _tell_kept(ending, ending.kept_epoch)
        overlooked = _tell_overlooked(ending)
        if overlooked:
            yield overlooked


def _tell_stop(ending: Ending) -> str:
    run = ending.replay.run
    if ending.stopped_epoch is not None:
        spoken = " and ".join(_tell_stopper(ending, one) for one in ending.stopped_by)
        return f"stopped at the end of epoch {ending.stopped_epoch + 1} by {spoken}"
    if not ending.goes_on:
        return f"not stopped: training went to its planned end, epoch {run.horizon + 1}"
    return f"not stopped in the log, which ends at epoch {run.horizon + 1}"


def _tell_stopper(ending: Ending, index: int) -> str:
    callback: Any = ending.replay.callbacks[index]
    last = ending.rows_of(index)[-1]
    if isinstance(callback, TerminateOnNaN):
        spoken = spoken_float(math.nan if last.value is None else last.value)
        by_error = ", by an error" if callback.raise_error else ""
        return f"{ending.name_of(index)}{by_error}: the loss is {spoken}"
    if not isinstance(callback, EarlyStopping):
        tell = STOPPERS.get(type(callback).__name__)
        return ending.name_of(index) if tell is None else tell(ending, index)
    margin = f" by {callback.min_delta:g}" if callback.min_delta else ""
    told = (
        f"{ending.name_of(index)} (patience {callback.patience:g}): "
        f"{callback.monitor} has not improved{margin}"
    )
    if last.after.best is not None and math.isnan(last.after.best):
        name = f"{ending.name_of(index)} (patience {callback.patience:g})"
        return (
            f"{name}: its first {callback.monitor} is NaN, and nothing improves on it"
        )
    if last.after.best_epoch is None or callback.baseline is not None:
        return f"{told} in {last.after.wait} epochs that count"
    return f"{told} since epoch {last.after.best_epoch + 1}"


def _tell_unstopped(ending: Ending, index: int) -> str:
    """Say how near it came to a stop, and what the stop would have needed."""
    callback: Any = ending.replay.callbacks[index]
    rows, name = ending.rows_of(index), ending.name_of(index)
    last, longest = rows[-1], max(rows, key=lambda row: row.after.wait)
    told = f"{name} ended with {spoken_wait(last.after.wait, callback.patience)}"
    if longest.after.wait > last.after.wait:
        told += (
            f"; its longest wait was {longest.after.wait}, at epoch {longest.epoch + 1}"
        )
    if ending.goes_on:
        left = max(math.ceil(callback.patience) - last.after.wait, 1)
        counted = "epoch" if left == 1 else "epochs"
        told += f"; it stops after {left} more {counted} {_without(callback, last)}"
    return told


def _without(callback: Any, last: TraceRow) -> str:  # noqa: ANN401 - any rule
    """Say which value the coming epochs must not reach for a decision."""
    comparison, best = last.after.comparison, last.after.best
    nearest = nearest_improvement(comparison, best)
    word = "below" if comparison.mode == "min" else "above"
    if nearest is None:
        return f"without an improvement of {callback.monitor}"
    return (
        f"without a {callback.monitor} {word} {spoken_threshold(comparison, nearest)}"
    )


def _tell_reductions(ending: Ending, index: int) -> str:
    callback: Any = ending.replay.callbacks[index]
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
        times = "once" if len(reductions) == 1 else f"{len(reductions)} times"
        told = f"{name} reduced {times}, last at the end of epoch"
        told += f" {reductions[-1].epoch + 1}"
        if reductions[-1].new_learning_rate is not None:
            told += f", to {spoken_rate(reductions[-1].new_learning_rate)}"
    return told + _tell_next_reduction(ending, callback, last)


def _tell_next_reduction(ending: Ending, callback: Any, last: TraceRow) -> str:  # noqa: ANN401
    rate = last.new_learning_rate or last.learning_rate
    if rate is not None and rate <= round_float32(callback.min_lr):
        return f"; the learning rate {spoken_rate(rate)} is at its floor"
    if not ending.goes_on or last.decision == "reduction":
        return ""
    left = max(math.ceil(callback.patience) - last.after.wait, 1)
    left += max(math.ceil(last.after.cooldown_counter) - 1, 0)
    counted = "epoch" if left == 1 else "epochs"
    return f"; it reduces after {left} more {counted} {_without(callback, last)}"


def _tell_kept(ending: Ending, kept: int) -> str:
    provisional = "if training ended with the log, it " if ending.goes_on else ""
    told = f"{provisional}keeps the weights of epoch {kept + 1}"
    if ending.raised:
        return f"{told}: the error came within it, and nothing is restored"
    holder = _holder(ending)
    if holder is not None:
        return f"{told}: {_tell_holder(ending, holder, kept)}"
    told += ", the last one trained"
    stoppers = [
        (index, one)
        for index, one in enumerate(ending.replay.callbacks)
        if hasattr(one, "restore_best_weights") and ending.rows_of(index)
    ]
    if not stoppers:
        return f"{told}: no callback in the list restores others"
    index, stopper = stoppers[0]
    state = ending.rows_of(index)[-1].after
    if stopper.restore_best_weights and state.held_epoch is not None:
        return f"{told}: this Keras restores the best ones only after its own stop"
    if stopper.restore_best_weights:
        return f"{told}: no epoch had a {stopper.monitor} that counted"
    told += ": restore_best_weights is False"
    if isinstance(stopper, EarlyStopping):
        told += ", which is Keras's default"
    if state.best_epoch is not None and state.best_epoch != kept:
        best = f"{stopper.monitor}, {spoken_float(state.best)}"
        told += f"; the best {best}, was at epoch {state.best_epoch + 1}"
    return told


def _tell_holder(ending: Ending, holder: int, kept: int) -> str:
    """Say why a callback puts the weights of just this epoch back."""
    if type(ending.replay.callbacks[holder]).__name__ in STOPPERS:
        best = spoken_float(ending.rows_of(holder)[-1].after.best)
        monitor = ending.replay.callbacks[holder].monitor
        return f"restore_best_weights=True, and its {monitor}, {best}, is the best seen"
    if not _is_stopper(ending, holder):
        return f"{ending.name_of(holder)} puts them back"
    monitor = ending.replay.callbacks[holder].monitor
    row = next(one for one in ending.rows_of(holder) if one.epoch == kept)
    value = spoken_float(row.value) if row.value is not None else ""
    what = f"its {monitor}, {value}, is the last improvement"
    if row.value is not None and math.isnan(row.value):
        what = f"its {monitor}, NaN, came first and nothing improves on it"
    elif row.decision != "improvement":
        what = f"it has the first {monitor} and nothing improved on it"
    return f"restore_best_weights=True, and {what}"


def _holder(ending: Ending) -> int | None:
    """Return the callback whose weights are put back: the last that holds some."""
    found = None
    for index, callback in enumerate(ending.replay.callbacks):
        rows = ending.rows_of(index)
        if not rows:
            continue
        # every Keras puts weights back when it stops, most also when nothing stopped
        holds = getattr(rows[-1].after, "held_epoch", None) is not None
        restores = rows[-1].decision == "stop" and holds
        if restores or callback.held_epoch(rows[-1].after) is not None:
            found = index
    return found


def _is_stopper(ending: Ending, index: int) -> bool:
    return isinstance(ending.replay.callbacks[index], EarlyStopping)


def _tell_overlooked(ending: Ending) -> str:
    """Say why a better value than the kept one was passed over."""
    holder = _holder(ending)
    if holder is None or ending.raised or not _is_stopper(ending, holder):
        return ""
    rows = [
        row
        for row in ending.rows_of(holder)
        if row.value is not None and math.isfinite(row.value)
    ]
    comparison = ending.rows_of(holder)[-1].after.comparison
    sign = 1 if comparison.mode == "min" else -1
    best = min(rows, key=lambda row: sign * (row.value or 0.0), default=None)
    kept = next((row for row in rows if row.epoch == ending.kept_epoch), None)
    if best is None or kept is None or best.value is None or kept.value is None:
        return ""
    if not sign * best.value < sign * kept.value:
        return ""
    told = (
        f"the better {ending.replay.callbacks[holder].monitor} of epoch "
        f"{best.epoch + 1}, {spoken_float(best.value)}, did not count: "
    )
    if best.decision == "skip":
        return f"{told}it lies before start_from_epoch"
    if best.before.best is None:
        return ""
    return told + spoken_comparison(comparison, best.value, best.before.best)
