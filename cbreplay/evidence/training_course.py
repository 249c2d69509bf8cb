"""What a record shows of how its training went: improving, failed, or frozen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.evidence.median import median_of
from cbreplay.evidence.outcomes import best_recorded_epoch
from cbreplay.series_names import find_series, is_validation

if TYPE_CHECKING:
    from cbreplay.run import FloatArray, Mode, Run, Series

__all__ = [
    "bad_end_epoch",
    "cuts_schedule",
    "ends_badly",
    "falls_by_schedule",
    "find_bad_end",
    "find_frozen_end",
    "find_rounded_tie",
    "improves_after",
    "never_changes",
    "was_still_improving",
]

_SHORTEST_TREND = 2
_SHORTEST_FROZEN = 10
# for `falls_by_schedule`: fewer rates than this show no schedule; after a constant part
# there must be this many falls, over this part of the record; and the largest fall must
# be this many times the first one, as in no decay by a fixed share
_SHORTEST_SCHEDULE, _FEWEST_FALLS, _LEAST_PART = 10, 5, 0.1
_FALLS_FASTER = 1.2
# how many values in a row are averaged by `improves_after`
_WINDOW = 5


def was_still_improving(run: Run, objective: str | None, mode: Mode | None) -> bool:
    """Return whether the best value is in the last epochs, and is not lost since.

    The last epochs are the last twentieth of the record, at least two; a record of
    one or two epochs shows no trend. A run that got worse after its best by more than
    it usually did from one value to the next, or that ended in NaN or infinity, was
    improving no longer. Of several values in an epoch nobody knows which one counts, so
    what depends on them is not said.
    """
    if run.n_epochs <= _SHORTEST_TREND or objective is None:
        return False
    if find_bad_end(run, objective) is not None:
        return False
    best = best_recorded_epoch(run, objective, mode)
    last_epochs = max(2, math.ceil(run.n_epochs / 20))
    if best is None or best <= run.horizon - last_epochs:
        return False
    sign = 1.0 if mode == "min" else -1.0
    series = run.monitored(objective)
    values = sign * series.values
    position = best - run.first_epoch
    earlier = (sign * value for own in series.others.values() for value in own)
    if position in series.others or any(own <= values[position] for own in earlier):
        return False
    return bool(
        values[np.isfinite(values)][-1] - values[position]
        <= _usual_rise(values, position)
    )


def improves_after(values: FloatArray, kept: int) -> bool:
    """Return whether a series (smaller is better) falls clearly after an epoch.

    The least mean of five values in a row after it is compared with the least one
    before, and with the kept value; and the least single value after it with the least
    one before. Clearly means that both fall by more than the usual change from one
    value to the next.

    >>> falling = np.linspace(1, 0.1, 40)
    >>> improves_after(falling, 10), improves_after(falling, 39)
    (True, False)
    """
    at = np.flatnonzero(np.isfinite(values))
    finite = values[at]
    if len(finite) < 2 * _WINDOW:
        return False
    smooth = np.convolve(finite, np.full(_WINDOW, 1 / _WINDOW), mode="valid")
    ends = at[_WINDOW - 1 :]
    # a mean belongs to the last epoch of its window; those after `kept` must hold none
    # of the epochs before
    before = smooth[ends <= kept]
    if not len(before):
        before = finite[at <= kept].mean(keepdims=True) if at[0] <= kept else before
    after = smooth[at[: len(smooth)] > kept]
    if not len(before) or not len(after):
        return False
    held = values[kept] if np.isfinite(values[kept]) else np.inf
    half = finite[len(finite) // 2 :]
    usual = float(np.median(np.abs(np.diff(half))))
    fall = min(before.min(), held) - after.min()
    fall_of_best = finite[at <= kept].min(initial=held) - finite[at > kept].min()
    return bool(min(fall, fall_of_best) > max(usual, 1e-12))


def find_bad_end(run: Run, objective: str) -> str | None:
    """Return which of the loss and the objective ended in NaN or infinity, if one did.

    >>> from cbreplay.run import Run
    >>> run = Run.from_logs([{"loss": 1.0}, {"loss": math.nan}])
    >>> find_bad_end(run, "val_loss")
    'loss'
    """
    for name in dict.fromkeys((objective, "loss")):
        series = run.series.get(name)
        if series is not None and ends_badly(series):
            return name
    return None


def ends_badly(series: Series) -> bool:
    """Return whether the last recorded value is NaN or infinity."""
    logged = series.values[series.recorded]
    return bool(len(logged)) and not math.isfinite(logged[-1])


def bad_end_epoch(run: Run, name: str) -> int:
    """Return from which epoch on a series that ended badly has no finite value.

    >>> from cbreplay.run import Run
    >>> logs = ({"loss": value} for value in (1.0, math.nan, 0.9, math.nan, math.nan))
    >>> bad_end_epoch(Run.from_logs(logs), "loss")
    3
    """
    series = run.series[name]
    (logged,) = np.nonzero(series.recorded)
    (finite,) = np.nonzero(np.isfinite(series.values[logged]))
    return run.first_epoch + int(logged[finite[-1] + 1 if len(finite) else 0])


def never_changes(run: Run, name: str) -> bool:
    """Return whether all numbers of a series, two or more, are the same.

    >>> from cbreplay.run import Run
    >>> stuck = Run.from_logs([{"loss": 1.0}, {"loss": 1.0}])
    >>> (
    ...     never_changes(stuck, "loss"),
    ...     never_changes(Run.from_logs([{"loss": 1}]), "loss"),
    ... )
    (True, False)
    """
    series = run.series.get(name)
    if series is None or series.others or name in run.rounded_to:
        return False
    values = series.values[series.recorded]
    numbers = values[~np.isnan(values)]
    if len(numbers) <= 1 or math.isinf(numbers[0]):
        return False
    return bool((numbers == numbers[0]).all())


def find_frozen_end(run: Run, name: str) -> int | None:
    """Return from which epoch on a series repeats one number, to the last digit.

    None unless it does so for its last tenth and for ten values or more, and if it
    never was another number. None too for 0 and 1, where a metric may have its limit,
    and for a metric whose loss still changes: a share of few examples comes again.

    >>> from cbreplay.run import Run
    >>> logs = ({"loss": max(epoch, 5.5)} for epoch in range(9, -9, -1))
    >>> find_frozen_end(Run.from_logs(logs), "loss")
    4
    """
    series = run.series.get(name)
    if series is None or series.others or name in run.rounded_to:
        return None
    (logged,) = np.nonzero(series.recorded)
    values = series.values[logged]
    least = max(_SHORTEST_FROZEN, math.ceil(len(values) / 10))
    if len(values) <= least or (values[-least:] != values[-1]).any():
        return None
    if values[-1] in (0, 1) or (values == values[-1]).all():
        return None
    (others,) = np.nonzero(values != values[-1])
    since = int(logged[others[-1] + 1])
    beside = find_series("loss", run.series, validation=is_validation(name))
    if beside is not None and beside != name:
        loss = run.series[beside]
        going_on = loss.values[since:][loss.recorded[since:]]
        if (going_on != going_on[:1]).any():
            return None
    return run.first_epoch + since


def find_rounded_tie(run: Run, name: str, mode: Mode | None) -> tuple[int, int] | None:
    """Return how many epochs share the least value of a loss, and its decimals.

    None unless so few decimals may have made them equal: a loss hardly comes again to
    the last digit by itself, as a share of right answers does.

    >>> from cbreplay.run import Run
    >>> logs = [{"loss": loss} for loss in [0.9, 0.8, 0.7, 0.62, 0.5, 0.48, 0.48, 0.5]]
    >>> find_rounded_tie(Run.from_logs([*logs, *logs]), "loss", "min")
    (4, 2)
    """
    series = run.series.get(name)
    if series is None or mode != "min" or series.others or name in run.rounded_to:
        return None
    values = series.values[series.recorded]
    if len(values) < _SHORTEST_FROZEN or not np.isfinite(values).all():
        return None
    n_best = int((values == values.min()).sum())
    few = range(1, _FEW_DECIMALS + 1)
    decimals = next((d for d in few if (values.round(d) == values).all()), None)
    is_whole = bool((values.round() == values).all())
    if n_best in (1, len(values)) or decimals is None or is_whole or values.min() == 0:
        return None
    return n_best, decimals


# most writers keep more decimals of a loss; a rounded one of four may well come again
_FEW_DECIMALS = 4


def _usual_rise(values: FloatArray, position: int) -> float:
    """Return the median of the rises up to a position; 0 where values only fell."""
    before = values[: position + 1]
    changes = np.diff(before[np.isfinite(before)])
    rises = changes[changes > 0]
    return median_of(rises.tolist()) if len(rises) else 0.0


def falls_by_schedule(run: Run) -> bool:
    """Return whether the recorded rate falls as a schedule with an end makes it fall.

    It must fall in every epoch up to the last, unlike reductions on a plateau, and by a
    larger share later than at first, unlike a decay without an end. So do a cosine, a
    line, one cycle, and a constant rate that falls in the end.

    >>> from cbreplay.run import Run
    >>> line = ({"loss": 1.0, "learning_rate": 1 - e / 20} for e in range(20))
    >>> decay = ({"loss": 1.0, "learning_rate": 0.9**e} for e in range(20))
    >>> falls_by_schedule(Run.from_logs(line)), falls_by_schedule(Run.from_logs(decay))
    (True, False)
    """
    if run.learning_rate is None:
        return False
    rates = run.learning_rate.values[run.learning_rate.recorded]
    half = rates[len(rates) // 2 :]
    if len(rates) < _SHORTEST_SCHEDULE or not (half[:-1] > 0).all():
        return False
    shares = 1 - half[1:] / half[:-1]
    held = np.flatnonzero(~(shares > 0))
    falls = shares[held[-1] + 1 :] if len(held) else shares
    if len(falls) < max(_FEWEST_FALLS, _LEAST_PART * len(rates)) and len(held):
        return False
    return bool(falls.max() > _FALLS_FASTER * falls[0])


def cuts_schedule(run: Run, stopped_epoch: int | None) -> bool:
    """Return whether a stop comes before the end of a schedule of the rate.

    >>> from cbreplay.run import Run
    >>> line = ({"loss": 1.0, "learning_rate": 1 - e / 20} for e in range(20))
    >>> run = Run.from_logs(line)
    >>> cuts_schedule(run, 18), cuts_schedule(run, 19), cuts_schedule(run, None)
    (True, False, False)
    """
    end = max(run.horizon, (run.planned_epochs or 0) - 1)
    return stopped_epoch is not None and stopped_epoch < end and falls_by_schedule(run)
