"""Findings about one EarlyStopping or ReduceLROnPlateau by its parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from cbreplay.monitor import round_float32
from cbreplay.rules.checks import Finding, RuleChecks, find_text_flags
from cbreplay.rules.keras.checks.monitors import MONITOR_CHECKS
from cbreplay.rules.keras.checks.records import RECORD_CHECKS
from cbreplay.rules.keras.early_stopping import EarlyStopping
from cbreplay.rules.keras.metric_directions import lies_within_one
from cbreplay.rules.keras.semantics import spoken_semantics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.checks import CheckedList
    from cbreplay.rules.keras.learning_rate_scheduler import LearningRateScheduler
    from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau

__all__ = ["REDUCING", "SCHEDULING", "STOPPING", "effective_patience", "stops_later"]

# a larger factor leaves every float32 rate as it is: half a unit in the last place of
# a float32 is at least 2**-25 of it
_FACTOR_OF_ONE = 1 - 2.0**-26
_STEEP, _SHORT_WAIT = 0.1, 5
_Monitoring: TypeAlias = "EarlyStopping | ReduceLROnPlateau"


def effective_patience(callback: _Monitoring) -> float:
    """Return the patience that acts: 0 and less act as 1."""
    return max(callback.patience, 1)


# --- EarlyStopping


def _keeps_later_weights(
    known: CheckedList, index: int, callback: EarlyStopping
) -> Iterator[Finding]:
    # with a baseline, an epoch may be the best and still not reset `wait`
    if (
        callback.restore_best_weights
        # with patience 1 the kept weights are only one epoch past the best
        or effective_patience(callback) <= 1
        or callback.baseline is not None
    ):
        return
    if any(_saves_best(other, callback.monitor) for other in known.callbacks):
        return
    others = [other for other in known.callbacks if isinstance(other, EarlyStopping)]
    if any(
        _may_restore(known, other, callback) or stops_later(known, callback, other)
        for other in others
    ):
        return
    epochs = effective_patience(callback) * known.every(callback)
    yield Finding(
        "keeps-later-weights",
        index,
        f"a stop keeps the weights of the last epoch, {_epochs(epochs, 'or more')} "
        f"after the best {callback.monitor}",
        "restore_best_weights is False by default",
        "restore_best_weights=True, or a ModelCheckpoint with save_best_only=True",
        "remark",
        {"epochs_after_best": epochs},
    )


def _may_restore(
    known: CheckedList, other: EarlyStopping, stopper: EarlyStopping
) -> bool:
    """Return whether another EarlyStopping may put weights back where one stops.

    Keras 3 does so when training ends, whoever stopped it; Keras 2 only in the epoch of
    its own stop, which never comes where it counts the same and waits longer.
    """
    if not other.restore_best_weights:
        return False
    if known.training.semantics.restores_without_stop:
        return True
    return not stops_later(known, other, stopper)


def stops_later(
    known: CheckedList, later: EarlyStopping, sooner: EarlyStopping
) -> bool:
    """Return whether one EarlyStopping certainly waits longer than another.

    Both must count the same epochs as no improvement, from the same one on. A baseline
    that only `sooner` has makes its wait longer, so that does not matter.
    """
    rule = sooner.monitor_rule(known.training.semantics)
    deltas = (later.min_delta, sooner.min_delta)
    first, second = map(abs, deltas) if rule.absolute_min_delta else deltas
    return (
        later.monitor == sooner.monitor
        and known.mode(later) == known.mode(sooner)
        and first == second
        and later.baseline in (None, sooner.baseline)
        and max(later.start_from_epoch, 0) == max(sooner.start_from_epoch, 0)
        and effective_patience(later) > effective_patience(sooner)
    )


def _saves_best(callback: object, monitor: str) -> bool:
    """Return whether the best weights are on disk, whatever is kept in memory."""
    from cbreplay.rules.keras.model_checkpoint import ModelCheckpoint

    return (
        isinstance(callback, ModelCheckpoint)
        and callback.save_best_only
        and callback.monitor == monitor
    )


def _starts_after_plan(
    known: CheckedList, index: int, callback: EarlyStopping
) -> Iterator[Finding]:
    if known.epochs is not None and callback.start_from_epoch >= known.epochs:
        yield Finding(
            "starts-after-plan",
            index,
            f"EarlyStopping never looks: start_from_epoch is "
            f"{callback.start_from_epoch:g}, and "
            f"{_epochs(known.epochs, 'are planned')}",
            "start_from_epoch is an absolute epoch, counted from 0, and every epoch "
            "before it is skipped",
            f"start_from_epoch below {known.epochs}",
            facts={"planned_epochs": known.epochs},
        )


def _restores_by_training_loss(
    known: CheckedList, index: int, callback: EarlyStopping
) -> Iterator[Finding]:
    minimal = known.mode(callback) == "min"
    # without validation data there is no val_loss to restore by
    if known.facts.validated is False:
        return
    # at the end of training the last of a list restores last
    at_end = known.training.semantics.restores_without_stop
    others = [*known.callbacks[index + 1 :]] if at_end else [*known.callbacks]
    if any(
        isinstance(other, EarlyStopping)
        and other is not callback
        and _may_restore(known, other, callback)
        for other in others
    ):
        return
    if callback.monitor == "loss" and callback.restore_best_weights and minimal:
        yield Finding(
            "restores-by-training-loss",
            index,
            "the weights of the least training loss are restored, not those of the "
            "least val_loss",
            "the training loss tends to fall until the end, also while val_loss rises, "
            "so they are mostly those of one of the last epochs",
            "monitor='val_loss', where fit gets validation data",
            "remark",
        )


# --- ReduceLROnPlateau


def _steep_factor(
    known: CheckedList, index: int, callback: ReduceLROnPlateau
) -> Iterator[Finding]:
    steep = callback.factor <= _STEEP and callback.patience < _SHORT_WAIT
    another = _leaves_nothing(known, callback) or callback.min_lr > 0
    if not steep or another or _is_forestalled(known, callback):
        return
    waited = math.ceil(effective_patience(callback))
    few = "1 value" if waited == 1 else f"{waited} values in a row"
    yield Finding(
        "steep-factor",
        index,
        f"{few} without improvement can take the learning rate to {callback.factor:g} "
        "of what it was",
        f"factor is {callback.factor:g} and patience {callback.patience:g}, and "
        "ReduceLROnPlateau never raises the rate again",
        f"factor=0.5, or patience={_SHORT_WAIT} or more",
        "remark",
        {"values_waited": waited},
    )


def _is_forestalled(known: CheckedList, callback: ReduceLROnPlateau) -> bool:
    """Return whether a stop may come before its first reduction."""
    return any(
        isinstance(other, EarlyStopping)
        and effective_patience(other) <= effective_patience(callback)
        for other in known.callbacks
    )


def _cooldown_of_one(
    known: CheckedList,  # noqa: ARG001 - one signature for all checks
    index: int,
    callback: ReduceLROnPlateau,
) -> Iterator[Finding]:
    if 0 < callback.cooldown <= 1:
        yield Finding(
            "cooldown-of-one",
            index,
            f"cooldown {callback.cooldown:g} acts as cooldown 0",
            "the cooldown is counted down before the epoch after a reduction is judged",
            "cooldown=2 to leave out one epoch, or no cooldown",
        )


def _factor_without_effect(
    known: CheckedList, index: int, callback: ReduceLROnPlateau
) -> Iterator[Finding]:
    if callback.factor > _FACTOR_OF_ONE:
        yield Finding(
            "factor-of-one",
            index,
            f"factor {callback.factor!r} does not change the learning rate",
            "the learning rate is a float32 number, and the product rounds to it again",
            "a smaller factor, for example factor=0.5",
        )
        return
    if not _leaves_nothing(known, callback):
        return
    yield Finding(
        "factor-leaves-nothing",
        index,
        f"factor {callback.factor!r} takes the learning rate to min_lr, "
        f"{callback.min_lr:g}, at the first reduction",
        "the product with the learning rate is 0 or less in float32, and min_lr takes "
        "its place",
        "a factor between 0 and 1, for example factor=0.5",
    )


def _leaves_nothing(known: CheckedList, callback: ReduceLROnPlateau) -> bool:
    from cbreplay.rules.keras.reduce_lr_on_plateau import reduce_rate

    rate = known.initial_rate
    precision = known.training.semantics.factor_precision
    start = 1.0 if rate is None else rate
    return callback.factor <= 0 or reduce_rate(start, callback.factor, precision) <= 0


def _floor_above_rate(
    known: CheckedList, index: int, callback: ReduceLROnPlateau
) -> Iterator[Finding]:
    from cbreplay.rules.keras.learning_rate_scheduler import LearningRateScheduler

    rate = known.initial_rate
    if any(isinstance(other, LearningRateScheduler) for other in known.callbacks):
        return  # it can raise the rate
    if rate is not None and round_float32(rate) <= round_float32(callback.min_lr):
        yield Finding(
            "floor-above-rate",
            index,
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


# --- both


def _fractional_patience(
    known: CheckedList,  # noqa: ARG001 - one signature for all checks
    index: int,
    callback: _Monitoring,
) -> Iterator[Finding]:
    patience = callback.patience
    if 0 < patience < math.inf and patience != math.floor(patience):
        yield Finding(
            "fractional-patience",
            index,
            f"patience {patience:g} acts as patience {math.ceil(patience)}",
            "the wait counts whole values, and is compared with patience as it is",
            f"patience={math.ceil(patience)}",
            facts={"acts_as": math.ceil(patience)},
        )


def _negative_patience(
    known: CheckedList,  # noqa: ARG001 - one signature for all checks
    index: int,
    callback: _Monitoring,
) -> Iterator[Finding]:
    if callback.patience < 0:
        yield Finding(
            "negative-patience",
            index,
            f"patience {callback.patience:g} acts as patience 1",
            "the first value without improvement is a wait of 1, and that is tested "
            "against patience",
            "patience=1",
        )


def _patience_zero_is_one(
    known: CheckedList,
    index: int,
    callback: _Monitoring,
) -> Iterator[Finding]:
    # 0 is EarlyStopping's default: who leaves patience out did not mean 0 as a number
    silent = isinstance(callback, EarlyStopping) and not known.writes(index, "patience")
    if callback.patience == 0 and not silent:
        yield Finding(
            "patience-zero-is-one",
            index,
            "patience 0 acts as patience 1",
            "a value without improvement makes the wait 1 before it is compared with "
            "patience",
            "patience=1",
            "remark",
        )


def _negative_min_delta(
    known: CheckedList, index: int, callback: _Monitoring
) -> Iterator[Finding]:
    if callback.min_delta >= 0:
        return
    semantics = known.training.semantics
    rule = callback.monitor_rule(semantics)
    keras = spoken_semantics(semantics.name)
    if rule.absolute_min_delta:
        acts = f"acts as min_delta {-callback.min_delta:g}"
        reason = f"{keras} takes its absolute value"
    else:
        acts = "lets a worse value count as an improvement"
        reason = f"{keras} takes it as it is"
    if callback.changes_learning_rate:
        reason += "; ReduceLROnPlateau takes the absolute value from Keras 3.11 on only"
    yield Finding(
        "negative-min-delta",
        index,
        f"min_delta {callback.min_delta:g} {acts}",
        reason,
        f"min_delta={-callback.min_delta:g}, or 0",
        facts={"size": -callback.min_delta},
    )


def _min_delta_beyond_range(
    known: CheckedList, index: int, callback: _Monitoring
) -> Iterator[Finding]:
    """Find a min_delta of 1 or more for a metric whose values lie between 0 and 1."""
    # a log tells more than the name, and may hold percents
    if known.run is not None or callback.min_delta < 1:
        return
    if not lies_within_one(callback.monitor):
        return
    yield Finding(
        "min-delta-beyond-range",
        index,
        f"with min_delta {callback.min_delta:g} no {callback.monitor} between 0 and 1 "
        "counts as an improvement after the first",
        "a value has to be better than the best so far by more than min_delta, and two "
        "between 0 and 1 are not so far apart",
        "a min_delta of the size of the changes that matter, for example 0.001, or 0",
    )


def _patience_in_validations(
    known: CheckedList, index: int, callback: _Monitoring
) -> Iterator[Finding]:
    every = known.every(callback)
    if every > 1 and callback.patience > 0:
        epochs = effective_patience(callback) * every
        yield Finding(
            "patience-in-validations",
            index,
            f"patience {callback.patience:g} means {_epochs(epochs)}: "
            f"{callback.monitor} is there in every {_ordinal(every)} epoch only",
            f"patience counts values, and validation_freq is {every}",
            "the patience in validations: epochs divided by validation_freq",
            "remark",
            {"epochs_waited": epochs, "validation_freq": every},
        )


def _patience_beyond_plan(
    known: CheckedList, index: int, callback: _Monitoring
) -> Iterator[Finding]:
    if known.epochs is None:
        return
    start = callback.start_from_epoch if isinstance(callback, EarlyStopping) else 0
    seen, needed = (
        known.seen_in_plan(callback, start=start),
        effective_patience(callback),
    )
    if _first_value_improves(known, callback):
        needed += 1
    # a monitor without any value is another finding
    if not 0 < seen < needed:
        return
    acts = "stop" if isinstance(callback, EarlyStopping) else "reduce"
    most = seen - (needed - effective_patience(callback))
    yield Finding(
        "patience-beyond-plan",
        index,
        f"{callback.class_name} cannot {acts} inside the plan: patience "
        f"{callback.patience:g}, and {callback.monitor} has {_values(seen)} there",
        f"{_epochs(known.epochs, 'are planned')}, and it takes {_values(needed)} to "
        f"{acts}",
        f"patience={most:g} or less, or more epochs" if most >= 1 else "more epochs",
        "remark",
        {
            "planned_epochs": known.epochs,
            "values_in_plan": seen,
            "values_needed": needed,
            "largest_patience": most,
        },
    )


def _first_value_improves(known: CheckedList, callback: _Monitoring) -> bool:
    """Return whether the first value always improves, whatever it is."""
    starts_empty = callback.monitor_rule(known.training.semantics).starts_empty
    # EarlyStopping waits on a first value that misses the baseline
    waits = isinstance(callback, EarlyStopping) and callback.baseline is not None
    return starts_empty and not waits


def _epochs(number: float, rest: str = "") -> str:
    noun = "epoch" if number == 1 else "epochs"
    if rest == "are planned" and number == 1:
        rest = "is planned"
    return f"{number:g} {noun} {rest}".rstrip()


def _values(number: float) -> str:
    return f"{number:g} {'value' if number == 1 else 'values'}"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


# first the optimizers of Keras 2.11 to 2.15 and of tf_keras, then the older ones
_SET_AGAIN = (
    "a LearningRateSchedule sets its own rate again at the next step; with an "
    "optimizer of optimizers.legacy it is a TypeError"
)


def _schedule_beside_plateau(
    known: CheckedList,
    index: int,
    callback: ReduceLROnPlateau,  # noqa: ARG001 - one signature for all checks
) -> Iterator[Finding]:
    """Find a ReduceLROnPlateau whose optimizer has a LearningRateSchedule."""
    schedule = known.training.schedule
    if schedule is None:
        return
    what = "raises TypeError where it would first reduce"
    why = "the rate of an optimizer with a LearningRateSchedule cannot be set"
    if not known.training.semantics.refuses_rate_of_schedule:
        what = "changes no rate that is trained at"
        why = _SET_AGAIN
    yield Finding(
        "schedule-beside-plateau",
        index,
        f"ReduceLROnPlateau {what}: the optimizer's learning rate is the schedule "
        f"{schedule}",
        why,
        "a number as the learning rate, or no ReduceLROnPlateau",
    )


def _schedule_beside_scheduler(
    known: CheckedList,
    index: int,
    callback: LearningRateScheduler,  # noqa: ARG001 - one signature for all checks
) -> Iterator[Finding]:
    """Find a LearningRateScheduler whose optimizer has a LearningRateSchedule."""
    schedule = known.training.schedule
    if schedule is None:
        return
    what = "raises TypeError at the beginning of the first epoch"
    why = "the rate of an optimizer with a LearningRateSchedule cannot be set"
    if not known.training.semantics.refuses_rate_of_schedule:
        what = "sets no rate that is trained at"
        why = _SET_AGAIN
    yield Finding(
        "schedule-beside-scheduler",
        index,
        f"LearningRateScheduler {what}: the optimizer's learning rate is the schedule "
        f"{schedule}",
        why,
        "a number as the learning rate, or no LearningRateScheduler",
    )


_BOTH = (
    _negative_patience,
    _patience_zero_is_one,
    _fractional_patience,
    _negative_min_delta,
    _min_delta_beyond_range,
    *MONITOR_CHECKS,
    _patience_in_validations,
    _patience_beyond_plan,
    *RECORD_CHECKS,
)
STOPPING = RuleChecks(
    (
        find_text_flags,
        _keeps_later_weights,
        _restores_by_training_loss,
        _starts_after_plan,
        *_BOTH,
    )
)
REDUCING = RuleChecks(
    (
        _schedule_beside_plateau,
        _cooldown_of_one,
        _factor_without_effect,
        _steep_factor,
        _floor_above_rate,
        *_BOTH,
    ),
    stands_twice=_reduces_twice,
)
SCHEDULING = RuleChecks((_schedule_beside_scheduler,))
