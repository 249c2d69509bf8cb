"""Findings about one callback that sets the learning rate, by its parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cbreplay.monitor import round_float32
from cbreplay.rules.checks import Finding, RuleChecks
from cbreplay.rules.keras.checks.waiting import WAITING_CHECKS, effective_patience
from cbreplay.rules.keras.early_stopping import EarlyStopping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.checks import CheckedList
    from cbreplay.rules.keras.learning_rate_scheduler import LearningRateScheduler
    from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau

__all__ = ["REDUCING", "SCHEDULING"]

# a larger factor leaves every float32 rate as it is: half a unit in the last place of
# a float32 is at least 2**-25 of it
_FACTOR_OF_ONE = 1 - 2.0**-26
_STEEP, _SHORT_WAIT = 0.1, 5


def _steep_factor(known: CheckedList, callback: ReduceLROnPlateau) -> Iterator[Finding]:
    steep = callback.factor <= _STEEP and callback.patience < _SHORT_WAIT
    another = _leaves_nothing(known, callback) or callback.min_lr > 0
    if not steep or another or _is_forestalled(known, callback):
        return
    waited = math.ceil(effective_patience(callback))
    few = "1 value" if waited == 1 else f"{waited} values in a row"
    yield known.finding(
        "steep-factor",
        f"{few} without improvement can take the learning rate to {callback.factor:g} "
        "of what it was",
        f"factor is {callback.factor:g} and patience {callback.patience:g}, and "
        "ReduceLROnPlateau never raises the rate again",
        f"factor=0.5, or patience={_SHORT_WAIT} or more",
        "remark",
        facts={"values_waited": waited},
    )


def _is_forestalled(known: CheckedList, callback: ReduceLROnPlateau) -> bool:
    """Return whether a stop may come before its first reduction."""
    return any(
        isinstance(other, EarlyStopping)
        and effective_patience(other) <= effective_patience(callback)
        for other in known.callbacks
    )


def _cooldown_of_one(
    known: CheckedList, callback: ReduceLROnPlateau
) -> Iterator[Finding]:
    if 0 < callback.cooldown <= 1:
        yield known.finding(
            "cooldown-of-one",
            f"cooldown {callback.cooldown:g} acts as cooldown 0",
            "the cooldown is counted down before the epoch after a reduction is judged",
            "cooldown=2 to leave out one epoch, or no cooldown",
        )


def _factor_without_effect(
    known: CheckedList, callback: ReduceLROnPlateau
) -> Iterator[Finding]:
    if callback.factor > _FACTOR_OF_ONE:
        yield known.finding(
            "factor-of-one",
            f"factor {callback.factor!r} does not change the learning rate",
            "the learning rate is a float32 number, and the product rounds to it again",
            "a smaller factor, for example factor=0.5",
        )
        return
    if not _leaves_nothing(known, callback):
        return
    yield known.finding(
        "factor-leaves-nothing",
        f"factor {callback.factor!r} takes the learning rate to min_lr, "
        f"{callback.min_lr:g}, at the first reduction",
        "the product with the learning rate is 0 or less in float32, and min_lr takes "
        "its place",
        "a factor between 0 and 1, for example factor=0.5",
    )


def _leaves_nothing(known: CheckedList, callback: ReduceLROnPlateau) -> bool:
    from cbreplay.rules.keras.reduce_lr_on_plateau import reduce_rate

    precision = known.training.semantics.factor_precision
    # not the 0 that a warmup begins at
    start = known.initial_rate or 1.0
    return callback.factor <= 0 or reduce_rate(start, callback.factor, precision) <= 0


def _floor_above_rate(
    known: CheckedList, callback: ReduceLROnPlateau
) -> Iterator[Finding]:
    from cbreplay.rules.keras.learning_rate_scheduler import LearningRateScheduler

    rate = known.initial_rate
    if any(isinstance(other, LearningRateScheduler) for other in known.callbacks):
        return  # it can raise the rate
    # no min_lr is below the 0 that a warmup begins at
    if rate and round_float32(rate) <= round_float32(callback.min_lr):
        yield known.finding(
            "floor-above-rate",
            f"ReduceLROnPlateau never acts: min_lr {callback.min_lr:g} is not below "
            f"the initial learning rate {rate:g}",
            "only a learning rate above min_lr is reduced",
            f"a min_lr below {rate:g}, for example min_lr={rate / 100:g}",
            facts={"initial_rate": rate, "lower_min_lr": rate / 100},
        )


def _reduces_twice(callback: ReduceLROnPlateau) -> str:
    return (
        "both reduce in the same epochs, so the learning rate is multiplied "
        f"by {callback.factor:g} twice"
    )


def _beside_a_schedule(
    known: CheckedList, callback: ReduceLROnPlateau | LearningRateScheduler
) -> Iterator[Finding]:
    """Find a callback that sets the rate of an optimizer with a schedule."""
    from cbreplay.rules.keras.learning_rate_scheduler import LearningRateScheduler

    schedule = known.training.schedule
    if schedule is None:
        return
    code = "schedule-beside-plateau"
    refused, undone = "raises TypeError where it would first reduce", "changes"
    if isinstance(callback, LearningRateScheduler):
        code = "schedule-beside-scheduler"
        refused, undone = "raises TypeError at the beginning of the first epoch", "sets"
    what, why = f"{undone} no rate that is trained at", _SET_AGAIN
    if known.training.semantics.refuses_rate_of_schedule:
        what = refused
        why = "the rate of an optimizer with a LearningRateSchedule cannot be set"
    name = callback.class_name
    yield known.finding(
        code,
        f"{name} {what}: the optimizer's learning rate is the schedule {schedule}",
        why,
        f"a number as the learning rate, or no {name}",
    )


# first the optimizers of Keras 2.11 to 2.15 and of tf_keras, then the older ones
_SET_AGAIN = (
    "a LearningRateSchedule sets its own rate again at the next step; with an "
    "optimizer of optimizers.legacy it is a TypeError"
)
REDUCING = RuleChecks(
    (
        _beside_a_schedule,
        _cooldown_of_one,
        _factor_without_effect,
        _steep_factor,
        _floor_above_rate,
        *WAITING_CHECKS,
    ),
    stands_twice=_reduces_twice,
    when_it_stays="reduces the rate too: where they agree, several times in an epoch",
)
SCHEDULING = RuleChecks(
    (_beside_a_schedule,), when_it_stays="sets the learning rate too"
)
