"""Findings that only the values of a record can tell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from cbreplay.lint.finding import Finding
from cbreplay.rules import EarlyStopping, ReduceLROnPlateau

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cbreplay.lint.finding import Known
    from cbreplay.monitor import Comparison
    from cbreplay.run import Mode, Run

__all__ = ["RECORD_CHECKS"]

_Monitoring: TypeAlias = "EarlyStopping | ReduceLROnPlateau"
_FEWEST_VALUES = 2


def _min_delta_beyond_record(
    known: Known, run: Run, index: int, one: _Monitoring
) -> Iterator[Finding]:
    values = _seen(run, one)
    comparison = _comparison(known, one)
    if (
        comparison is None
        or len(values) < _FEWEST_VALUES
        or not all(map(math.isfinite, values))
    ):
        return
    delta = -comparison.delta if comparison.mode == "min" else comparison.delta
    span = max(values) - min(values)
    if delta > span:
        yield Finding(
            "min-delta-beyond-record",
            index,
            f"min_delta {delta:g} is more than {one.monitor} changed in the whole "
            f"record ({span:.4g})",
            "no value after the first could count as an improvement",
            "a min_delta of the size of the changes that matter, or 0",
        )


def _baseline_never_beaten(
    known: Known, run: Run, index: int, one: _Monitoring
) -> Iterator[Finding]:
    if not isinstance(one, EarlyStopping) or one.baseline is None:
        return
    values, comparison = _seen(run, one), _comparison(known, one)
    numbers = [value for value in values if not math.isnan(value)]
    if comparison is None or not numbers:
        return
    if not any(comparison.is_improvement(value, one.baseline) for value in values):
        best = min(numbers) if comparison.mode == "min" else max(numbers)
        yield Finding(
            "baseline-never-beaten",
            index,
            f"baseline {one.baseline:g} is never beaten in the record, where the best "
            f"{one.monitor} is {best:.4g}",
            "the wait is reset only by an improvement that beats the baseline (by "
            "min_delta), so patience counts from the first epoch on",
            "a baseline that is reached, or none",
        )


def _seen(run: Run, one: _Monitoring) -> list[float]:
    """Return the values that the callback looks at; none if there is no such series."""
    series = run.series.get(one.monitor)
    if series is None:
        return []
    first = getattr(one, "start_from_epoch", 0)
    columns = zip(
        run.epochs.tolist(),
        series.values.tolist(),
        series.recorded.tolist(),
        strict=True,
    )
    return [value for epoch, value, seen in columns if seen and epoch >= first]


def _comparison(known: Known, one: _Monitoring) -> Comparison | None:
    """Return how the callback compares; None if its direction is not known."""
    mode: Mode | None = known.mode(one)
    if mode is None:
        return None
    semantics = known.training.semantics
    stops = isinstance(one, EarlyStopping)
    rule = semantics.early_stopping if stops else semantics.reduce_lr_on_plateau
    return semantics.comparison(rule, mode, one.min_delta)


RECORD_CHECKS: tuple[
    Callable[[Known, Run, int, _Monitoring], Iterator[Finding]], ...
] = (_min_delta_beyond_record, _baseline_never_beaten)
