"""What a replayed decision saves and costs, and which figures are only bounds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from cbreplay.errors import ConfigError
from cbreplay.holes import find_gap
from cbreplay.median import median_of
from cbreplay.rules.base import monitored_series
from cbreplay.run import LEARNING_RATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.judging import Judging
    from cbreplay.rules.base import Callback
    from cbreplay.rules.training import Training
    from cbreplay.run import FloatArray, Mode, Run, Series
    from cbreplay.validity import Evidence

__all__ = [
    "Bound",
    "Outcome",
    "bad_end_epoch",
    "best_recorded_epoch",
    "bounds_of",
    "cuts_schedule",
    "ends_badly",
    "falls_by_schedule",
    "find_bad_end",
    "find_frozen_end",
    "has_ambiguous_best",
    "judge_certainly",
    "judge_epoch",
    "measure_outcome",
    "never_changes",
    "provisional_of",
    "resolve_objective",
    "seconds_after",
    "was_still_improving",
]

_SHORTEST_TREND = 2
_SHORTEST_FROZEN = 10
# for `falls_by_schedule`: fewer rates than this show no schedule; after a constant part
# there must be this many falls, over this part of the record; and the largest fall must
# be this many times the first one, as in no decay by a fixed share
_SHORTEST_SCHEDULE, _FEWEST_FALLS, _LEAST_PART = 10, 5, 0.1
_FALLS_FASTER = 1.2
_DEFAULT_OBJECTIVE = "val_loss"
Bound: TypeAlias = Literal["lower", "upper"]
_BOUNDS: Mapping[str, Bound] = {
    "trained_epochs": "lower",
    "epochs_saved": "upper",
    "seconds_saved": "upper",
}


class Outcome(NamedTuple):
    """What a list of callbacks would have cost and saved on one run.

    Parameters
    ----------
    trained_epochs : int
        Epochs trained, from the first recorded one on.
    epochs_saved : int
        Recorded epochs that would not have been trained.
    seconds_saved : float or None
        Wall time of the epochs saved; None where it was not recorded.
    kept_value : float or None
        The objective at the kept epoch, in its unit.
    regret : float or None
        `kept_value` against the best recorded objective, in its unit, never negative.
        A lower bound on the true regret where the run was still improving.
    bounds : mapping of str to {"lower", "upper"}
        Which fields are bounds: at least, or at most.
    provisional : tuple of str
        Which fields hold as if training had ended at the horizon. They are never
        ranked, averaged or used to choose.
    """

    trained_epochs: int
    epochs_saved: int
    seconds_saved: float | None
    kept_value: float | None
    regret: float | None
    bounds: Mapping[str, Bound]
    provisional: tuple[str, ...]


def resolve_objective(
    run: Run,
    callbacks: Sequence[Callback],
    training: Training,
    judging: Judging,
) -> tuple[str, Mode] | tuple[None, None]:
    """Return the series that outcomes are judged by, and its direction.

    (None, None) where no callback monitors a series, none was named, and the run has no
    ``val_loss``: then nothing judges what is kept.

    Raises
    ------
    UnknownMonitorError
        If the run does not hold it.
    ConfigError
        If nothing tells its direction.
    """
    # a series that a callback writes into logs is not in the log, and judges nothing
    own_code = any(callback.holds_own_code for callback in callbacks)
    watching = [
        callback
        for callback in callbacks
        if monitored_series([callback])
        and (
            callback.monitor in run.series
            or not _may_write(callback.monitor, own_code=own_code)
        )
    ]
    first = next((rule for rule in watching if rule.sets_objective), None)
    first = first or next(iter(watching), None)
    monitor = first.monitor if first is not None else None
    name = judging.objective or monitor or _DEFAULT_OBJECTIVE
    if judging.objective is None and monitor is None and name not in run.series:
        return None, None
    run.monitored(name, "monitor" if name == monitor else "objective")
    if judging.objective_mode is not None:
        return name, judging.objective_mode
    if first is not None and name == first.monitor:
        return name, first.resolve_mode(training)
    mode = training.find_direction(name)
    if mode is None:
        sentence = (
            f"nothing tells whether {name!r} should be small or large. "
            "Give --objective-mode min|max or objective_mode=."
        )
        raise ConfigError(sentence)
    return name, mode


def _may_write(monitor: str | None, *, own_code: bool) -> bool:
    """Return whether a callback could be what puts a series into ``logs``."""
    return own_code or monitor in LEARNING_RATE_NAMES


def best_recorded_epoch(
    run: Run, objective: str | None, mode: Mode | None
) -> int | None:
    """Return the first epoch with the best finite value; None without one."""
    if objective is None:
        return None
    values = run.monitored(objective).values
    position = values.argmin() if mode == "min" else values.argmax()
    if math.isfinite(values[position]):
        return run.first_epoch + int(position)
    # a NaN, or an infinity that is better than every number
    finite = np.isfinite(values)
    if not finite.any():
        return None
    worst = math.inf if mode == "min" else -math.inf
    ranked = np.where(finite, values, worst)
    position = np.argmin(ranked) if mode == "min" else np.argmax(ranked)
    return run.first_epoch + int(position)


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
        _last_finite(values) - values[position] <= _usual_rise(values, position)
    )


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
    never was another number. None too for 0 and 1, where a metric may have its limit.

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
    return run.first_epoch + int(logged[others[-1] + 1])


def _last_finite(values: FloatArray) -> float:
    return float(values[np.isfinite(values)][-1])


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


def measure_outcome(
    run: Run,
    *,
    evidence: Evidence,
    last_epoch: int,
    kept_epoch: int | None,
    objective: str | None,
    mode: Mode | None,
) -> Outcome:
    """Measure what was saved and what it cost.

    Parameters
    ----------
    run : Run
        The record.
    evidence : {"exact", "censored", "diverged", "incomplete"}
        How far the replay is evidence.
    last_epoch : int
        The last epoch that is trained for sure: where it stopped, the horizon, or the
        first epoch for which the log is no evidence.
    kept_epoch : int or None
        Whose weights are kept; None when diverged or incomplete.
    objective : str or None
        The series that is judged.
    mode : {"min", "max"} or None
        Its direction.
    """
    seconds = seconds_after(run, last_epoch)
    kept_value, regret = judge_certainly(run, kept_epoch, objective, mode)
    has_hole = False
    if objective is not None:
        has_hole = regret is not None and find_gap(run, objective) is not None
    return Outcome(
        trained_epochs=last_epoch - run.first_epoch + 1,
        epochs_saved=run.horizon - last_epoch,
        seconds_saved=seconds,
        kept_value=kept_value,
        regret=regret,
        bounds=bounds_of(
            evidence,
            has_seconds=seconds is not None,
            has_hole=has_hole,
        ),
        provisional=provisional_of(evidence),
    )


def judge_certainly(
    run: Run, kept_epoch: int | None, objective: str | None, mode: Mode | None
) -> tuple[float | None, float | None]:
    """Return what `judge_epoch` does; None where several values of an epoch decide."""
    kept_value, regret = judge_epoch(run, kept_epoch, objective, mode)
    if objective is None:
        return kept_value, regret
    if _is_ambiguous(run, kept_epoch, objective):
        return None, None
    return kept_value, None if has_ambiguous_best(run, objective, mode) else regret


def _is_ambiguous(run: Run, epoch: int | None, name: str) -> bool:
    """Return whether the log holds several values of a series for an epoch."""
    return epoch is not None and epoch - run.first_epoch in run.series[name].others


def has_ambiguous_best(run: Run, name: str, mode: Mode | None) -> bool:
    """Return whether the best value depends on which of an epoch's values is taken."""
    others = run.series[name].others
    if not others:
        return False
    best = best_recorded_epoch(run, name, mode)
    if best is None or best - run.first_epoch in others:
        return True
    value = float(run.series[name].values[best - run.first_epoch])
    sign = 1 if mode == "min" else -1
    return any(
        sign * other < sign * value for values in others.values() for other in values
    )


def bounds_of(
    evidence: Evidence, *, has_seconds: bool, has_hole: bool = False
) -> dict[str, Bound]:
    """Return which fields of an outcome are bounds, and of which kind.

    Parameters
    ----------
    evidence : Evidence
        How far the replay is evidence.
    has_seconds : bool
        Whether the seconds saved are known.
    has_hole : bool
        Whether the log lacks values of the objective, a better one perhaps.
    """
    bounds: dict[str, Bound] = {"regret": "lower"} if has_hole else {}
    if evidence != "exact":
        bounds |= _BOUNDS
    if not has_seconds:
        bounds.pop("seconds_saved", None)
    return bounds


def provisional_of(evidence: Evidence) -> tuple[str, ...]:
    """Return which fields of an outcome hold as if training had ended with the log."""
    return ("kept_epoch", "kept_value", "regret") if evidence == "censored" else ()


def seconds_after(run: Run, last_epoch: int) -> float | None:
    """Return the wall time of the epochs after one; None where some is not known."""
    if run.epoch_seconds is None:
        return None
    start = last_epoch - run.first_epoch + 1
    if not run.epoch_seconds.recorded[start:].all():
        return None
    return float(run.epoch_seconds.values[start:].sum())


def judge_epoch(
    run: Run, kept_epoch: int | None, objective: str | None, mode: Mode | None
) -> tuple[float | None, float | None]:
    """Return the kept value and its regret; None where the epoch has no number.

    An infinity that counts as better than every number has no regret.
    """
    if kept_epoch is None or objective is None:
        return None, None
    series = run.monitored(objective)
    kept = float(series.values[kept_epoch - run.first_epoch])
    # NaN also where the epoch has no recorded value
    if math.isnan(kept):
        return None, None
    best_epoch = best_recorded_epoch(run, objective, mode)
    if best_epoch is None:
        return kept, None
    best = float(series.values[best_epoch - run.first_epoch])
    lost = kept - best if mode == "min" else best - kept
    return kept, None if lost == -math.inf else max(0.0, lost)
