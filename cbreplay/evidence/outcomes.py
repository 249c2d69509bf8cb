"""What a replayed decision saves and costs, and which figures are only bounds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from cbreplay.errors import ConfigError
from cbreplay.evidence.holes import find_gap
from cbreplay.rules.base import monitored_series
from cbreplay.series_names import LEARNING_RATE_NAMES, direction_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.evidence.validity import Evidence
    from cbreplay.judging import Judging
    from cbreplay.rules.base import Callback
    from cbreplay.rules.training import Training
    from cbreplay.run import Mode, Run

__all__ = [
    "Bound",
    "Outcome",
    "best_recorded_epoch",
    "bounds_of",
    "has_ambiguous_best",
    "judge_certainly",
    "judge_epoch",
    "measure_outcome",
    "provisional_of",
    "resolve_objective",
    "seconds_after",
]

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

    @property
    def priced(self) -> float | None:
        """The regret where it may be averaged: finite, no bound, not provisional."""
        regret = self.regret
        if regret is None or "regret" in (*self.bounds, *self.provisional):
            return None
        return regret if math.isfinite(regret) else None


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
            or not (own_code or callback.monitor in LEARNING_RATE_NAMES)
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
            f"Give {direction_options(name, 'objective_mode')}."
        )
        raise ConfigError(sentence)
    return name, mode


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

    `last_epoch` is the last one that is trained for sure: where it stopped, the
    horizon, or the first epoch for which the log is no evidence. `kept_epoch` is None
    when diverged or incomplete.
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

    `has_seconds` is whether the seconds saved are known, `has_hole` whether the log
    lacks values of the objective, a better one perhaps.
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
