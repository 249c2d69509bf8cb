"""Findings about how long a callback waits, and which values count as improvements.

They hold for EarlyStopping and ReduceLROnPlateau alike.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from cbreplay.rules.keras.checks.monitors import MONITOR_CHECKS, find_carried_best
from cbreplay.rules.keras.checks.records import RECORD_CHECKS
from cbreplay.rules.keras.early_stopping import EarlyStopping
from cbreplay.wording.kinds import ordinal
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.checks import CheckedList, Finding
    from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau

__all__ = [
    "WAITING_CHECKS",
    "acts_in_plan",
    "effective_patience",
    "spoken_plan",
]

_Monitoring: TypeAlias = "EarlyStopping | ReduceLROnPlateau"


def effective_patience(callback: _Monitoring) -> float:
    """Return the patience that acts: 0 and less act as 1."""
    return max(callback.patience, 1)


def _fractional_patience(
    known: CheckedList, callback: _Monitoring
) -> Iterator[Finding]:
    patience = callback.patience
    if 0 < patience < math.inf and patience != math.floor(patience):
        yield known.finding(
            "fractional-patience",
            f"patience {patience:g} acts as patience {math.ceil(patience)}",
            "the wait counts whole values, and is compared with patience as it is",
            f"patience={math.ceil(patience)}",
            facts={"acts_as": math.ceil(patience)},
        )


def _negative_patience(known: CheckedList, callback: _Monitoring) -> Iterator[Finding]:
    if callback.patience < 0:
        yield known.finding(
            "negative-patience",
            f"patience {callback.patience:g} acts as patience 1",
            "the first value without improvement is a wait of 1, and that is tested "
            "against patience",
            "patience=1",
        )


def _patience_zero_is_one(
    known: CheckedList, callback: _Monitoring
) -> Iterator[Finding]:
    # 0 is EarlyStopping's default: who leaves patience out did not mean 0 as a number
    is_written = "patience" in known.told.parameters
    silent = isinstance(callback, EarlyStopping) and not is_written
    if callback.patience == 0 and not silent:
        yield known.finding(
            "patience-zero-is-one",
            "patience 0 acts as patience 1",
            "a value without improvement makes the wait 1 before it is compared with "
            "patience",
            "patience=1",
            "remark",
        )


def _negative_min_delta(known: CheckedList, callback: _Monitoring) -> Iterator[Finding]:
    if callback.min_delta >= 0:
        return
    rule, keras = known.monitor_rule(callback), known.training.version
    if rule.absolute_min_delta:
        acts = f"acts as min_delta {-callback.min_delta:g}"
        reason = f"{keras} takes its absolute value"
    else:
        acts = "lets a worse value count as an improvement"
        reason = f"{keras} takes it as it is"
    if callback.changes_learning_rate:
        reason += "; ReduceLROnPlateau takes the absolute value from Keras 3.11 on only"
    yield known.finding(
        "negative-min-delta",
        f"min_delta {callback.min_delta:g} {acts}",
        reason,
        f"min_delta={-callback.min_delta:g}, or 0",
        facts={"size": -callback.min_delta},
    )


def _patience_in_validations(
    known: CheckedList, callback: _Monitoring
) -> Iterator[Finding]:
    every = known.every(callback)
    if every > 1 and callback.patience > 0:
        epochs = effective_patience(callback) * every
        yield known.finding(
            "patience-in-validations",
            f"patience {callback.patience:g} means {count(epochs, 'epoch')}: "
            f"{callback.monitor} is there in every {ordinal(every)} epoch only",
            f"patience counts values, and validation_freq is {every}",
            "the patience in validations: epochs divided by validation_freq",
            "remark",
            facts={"epochs_waited": epochs, "validation_freq": every},
        )


def _patience_beyond_plan(
    known: CheckedList, callback: _Monitoring
) -> Iterator[Finding]:
    if known.epochs is None:
        return
    seen, needed = _values_in_plan(known, callback)
    # a monitor without any value is another finding
    if not 0 < seen < needed:
        return
    acts = "stop" if isinstance(callback, EarlyStopping) else "reduce"
    most = seen - (needed - effective_patience(callback))
    yield known.finding(
        "patience-beyond-plan",
        f"{callback.class_name} cannot {acts} inside the plan: patience "
        f"{callback.patience:g}, and {callback.monitor} has {count(seen, 'value')} "
        "there",
        f"{spoken_plan(known)}{_begun(known)}, and it takes {count(needed, 'value')} "
        f"to {acts}",
        f"patience={most:g} or less, or more epochs" if most >= 1 else "more epochs",
        "remark",
        facts={
            "planned_epochs": known.epochs,
            "values_in_plan": seen,
            "values_needed": needed,
            "largest_patience": most,
        },
    )


def acts_in_plan(known: CheckedList, callback: _Monitoring) -> bool:
    """Return whether a callback can act before the planned training ends."""
    seen, needed = _values_in_plan(known, callback)
    return seen >= needed


def _values_in_plan(known: CheckedList, callback: _Monitoring) -> tuple[float, float]:
    """Return how many values a callback sees in the plan, and how many it needs."""
    start = callback.start_from_epoch if isinstance(callback, EarlyStopping) else 0
    needed = effective_patience(callback) + _first_value_improves(known, callback)
    return known.seen_in_plan(callback, start=start), needed


def _begun(known: CheckedList) -> str:
    """Say how much of a plan a fit finds done that goes on with a later epoch."""
    first = known.facts.first_epoch
    return f" ({first} before this fit)" if first else ""


def _first_value_improves(known: CheckedList, callback: _Monitoring) -> bool:
    """Return whether the first value always improves, whatever it is."""
    starts_empty: bool = known.monitor_rule(callback).starts_empty
    # EarlyStopping waits on a first value that misses the baseline
    waits = isinstance(callback, EarlyStopping) and callback.baseline is not None
    return starts_empty and not waits


def spoken_plan(known: CheckedList) -> str:
    """Say how many epochs are planned, if that is known."""
    epochs = known.epochs or 0
    most = "at most " if known.facts.may_be_shorter else ""
    return f"{most}{count(epochs, 'epoch')} {'is' if epochs == 1 else 'are'} planned"


WAITING_CHECKS = (
    _negative_patience,
    _patience_zero_is_one,
    _fractional_patience,
    _negative_min_delta,
    *MONITOR_CHECKS,
    _patience_in_validations,
    _patience_beyond_plan,
    find_carried_best,
    *RECORD_CHECKS,
)
