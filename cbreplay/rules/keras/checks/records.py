"""Findings about min_delta and baseline beside values: of a log, or of a metric."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from cbreplay.rules.keras.early_stopping import EarlyStopping
from cbreplay.rules.keras.metric_directions import lies_within_one
from cbreplay.wording.shown_digits import spoken_figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.monitor import Comparison
    from cbreplay.rules.checks import CheckedList, Finding
    from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau

__all__ = ["RECORD_CHECKS", "never_beaten"]

_Monitoring: TypeAlias = "EarlyStopping | ReduceLROnPlateau"
# fewer new bests than these show nothing about their size
_FEWEST_BESTS = 5
# the sum of two such values is a float32
_LARGE = 2.0**125
# so many new bests for each that counts are many
_MANY_TIMES = 5
# of a metric between 0 and 1, hardly meant: 0.5 for half a percent
_LARGE_SHARE = 0.2


def _min_delta_beyond_record(
    known: CheckedList, callback: _Monitoring
) -> Iterator[Finding]:
    values = _seen(known, callback)
    comparison = _comparison(known, callback)
    if comparison is None or len(values) <= 1 or not all(map(math.isfinite, values)):
        return
    delta = known.monitor_rule(callback).size(callback.min_delta)
    span = max(values) - min(values)
    where = "in the whole record"
    if isinstance(callback, EarlyStopping) and callback.start_from_epoch > 0:
        where = "from start_from_epoch on"
    message = (
        f"min_delta {delta:g} is more than {callback.monitor} changed {where} "
        f"({spoken_figure(span)})"
    )
    fix = "a min_delta of the size of the changes that matter, or 0"
    if span == 0:
        message = f"{callback.monitor} never changes {where}"
        fix = "a monitor that changes"
    if delta > span:
        yield known.finding(
            "min-delta-beyond-record",
            message,
            "no value after the first could count as an improvement",
            fix,
            facts={"least_improvement": delta, "change_in_record": span},
        )


def _min_delta_beyond_steps(
    known: CheckedList, callback: _Monitoring
) -> Iterator[Finding]:
    values, comparison = _seen(known, callback), _comparison(known, callback)
    if comparison is None or not all(abs(value) < _LARGE for value in values):
        return
    delta = known.monitor_rule(callback).size(callback.min_delta)
    if delta <= 0 or not values or delta > max(values) - min(values):
        return
    n_bests = _count_bests(values, comparison._replace(delta=0))
    n_counted = _count_bests(values, comparison)
    if n_bests < _FEWEST_BESTS or n_counted * _MANY_TIMES > n_bests:
        return
    yield known.finding(
        "min-delta-beyond-steps",
        f"of the {n_bests} epochs of the record with a new best {callback.monitor} "
        f"after the first, {n_counted} {'is' if n_counted == 1 else 'are'} counted as "
        f"an improvement: min_delta is {delta:g}",
        "a value has to beat the last one that counted by more than min_delta",
        "a min_delta of the size of the changes that matter, or 0",
        "remark",
        facts={"new_bests": n_bests, "counted_bests": n_counted},
    )


def _min_delta_beyond_range(
    known: CheckedList, callback: _Monitoring
) -> Iterator[Finding]:
    """Find a min_delta of a metric between 0 and 1 that hardly an improvement beats."""
    # a log tells more than the name, and may hold percents
    if known.run is not None or callback.min_delta < _LARGE_SHARE:
        return
    if not _is_share(known, callback.monitor):
        return
    # each improvement is by more than min_delta, and all together are by at most 1
    most = max(math.ceil(1 / callback.min_delta) - 1, 0)
    counted = f"at most {most} count" if most else "none counts"
    yield known.finding(
        "min-delta-beyond-range",
        f"with min_delta {callback.min_delta:g}, of the values of {callback.monitor} "
        f"between 0 and 1 {counted} as an improvement after the first",
        "a value has to be better than the best so far by more than min_delta, and two "
        "between 0 and 1 are at most 1 apart",
        "a min_delta of the size of the changes that matter, for example 0.001, or 0",
        "warning" if most == 0 else "remark",
        facts={"most_improvements": most},
    )


def _starts_after_record(
    known: CheckedList, callback: _Monitoring
) -> Iterator[Finding]:
    # with a plan the record may only have ended early
    if known.run is None or known.epochs is not None:
        return
    last = int(known.run.epochs[-1])
    if isinstance(callback, EarlyStopping) and callback.start_from_epoch > last:
        yield known.finding(
            "starts-after-record",
            f"EarlyStopping looks at no epoch of the record: start_from_epoch is "
            f"{callback.start_from_epoch:g}, and the record ends with epoch {last + 1}",
            "start_from_epoch is an absolute epoch, counted from 0, and every epoch "
            "before it is skipped",
            f"start_from_epoch below {last + 1}, where no more epochs are planned",
            "remark",
            facts={"last_epoch": last},
        )


def _count_bests(values: list[float], comparison: Comparison) -> int:
    """Return how often a value beats the best one before it."""
    n_bests, best = 0, values[0]
    for value in values[1:]:
        if comparison.is_improvement(value, best):
            n_bests, best = n_bests + 1, value
    return n_bests


def _baseline_never_beaten(
    known: CheckedList, callback: _Monitoring
) -> Iterator[Finding]:
    if not isinstance(callback, EarlyStopping) or callback.baseline is None:
        return
    comparison = _comparison(known, callback)
    if comparison is None:
        return
    found = never_beaten(
        known, callback.monitor, callback.baseline, comparison, _seen(known, callback)
    )
    if found is not None:
        where, facts = found
        yield known.finding(
            "baseline-never-beaten",
            f"baseline {callback.baseline:g} is never beaten {where}",
            "the wait is reset only by an improvement that beats the baseline (by "
            "min_delta), so patience counts from the first epoch on",
            "a baseline that is reached, or none",
            facts=facts,
        )


def never_beaten(
    known: CheckedList,
    monitor: str,
    bound: float,
    comparison: Comparison,
    values: list[float],
) -> tuple[str, dict[str, float]] | None:
    """Say where no value beats a bound, with the facts of that; None if one may.

    It is a fact of the values of a log, or, without one, of a metric that is called as
    those between 0 and 1.
    """
    numbers = [value for value in values if not math.isnan(value)]
    if known.run is None and _is_share(known, monitor):
        # none is larger than 1, but any may be smaller than the bound
        beaten = comparison.mode == "min" or comparison.is_improvement(1, bound)
        return None if beaten else (f"by a {monitor} between 0 and 1", {})
    if not numbers or any(comparison.is_improvement(own, bound) for own in values):
        return None
    best = min(numbers) if comparison.mode == "min" else max(numbers)
    where = f"in the record, where the best {monitor} is {spoken_figure(best)}"
    return where, {"best_value": best}


def _is_share(known: CheckedList, monitor: str) -> bool:
    """Return whether a metric lies between 0 and 1, by its class or else its name."""
    compiled = known.facts.compiled
    kinds = {} if compiled is None else compiled.kinds
    return lies_within_one(kinds.get(monitor.removeprefix("val_"), monitor))


def _seen(known: CheckedList, callback: _Monitoring) -> list[float]:
    """Return the recorded values that the callback looks at."""
    run = known.run
    series = None if run is None else run.series.get(callback.monitor)
    if run is None or series is None:
        return []
    first = callback.start_from_epoch if isinstance(callback, EarlyStopping) else 0
    columns = zip(
        run.epochs.tolist(),
        series.values.tolist(),
        series.recorded.tolist(),
        strict=True,
    )
    return [value for epoch, value, seen in columns if seen and epoch >= first]


def _comparison(known: CheckedList, callback: _Monitoring) -> Comparison | None:
    """Return how the callback compares; None if its direction is not known."""
    mode = known.mode(callback)
    return mode and known.comparison(callback, mode, callback.min_delta)


RECORD_CHECKS = (
    _min_delta_beyond_record,
    _min_delta_beyond_steps,
    _min_delta_beyond_range,
    _baseline_never_beaten,
    _starts_after_record,
)
