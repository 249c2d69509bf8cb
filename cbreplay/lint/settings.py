"""Findings about one callback by its parameters alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from cbreplay.lint.finding import Finding, effective_patience
from cbreplay.monitor import round_float32
from cbreplay.rules import (
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
)
from cbreplay.rules.keras.metric_directions import find_direction
from cbreplay.rules.keras.reduce_lr_on_plateau import reduce_rate
from cbreplay.words import spoken_semantics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cbreplay.lint.finding import Known

__all__ = [
    "EARLY_STOPPING_CHECKS",
    "MONITOR_CHECKS",
    "REDUCE_CHECKS",
    "find_opposite_mode",
]

# from here on to 1, float32 keeps the rate: half a unit in its last place is 2**-25
_FACTOR_OF_ONE = 1 - 2.0**-26


# --- EarlyStopping


def _keeps_later_weights(
    known: Known, index: int, one: EarlyStopping
) -> Iterator[Finding]:
    # with a baseline, an epoch may be the best and still not end the wait
    if one.restore_best_weights or one.patience <= 0 or one.baseline is not None:
        return
    if any(_saves_best(other, one.monitor) for other in known.callbacks):
        return
    epochs = effective_patience(one) * known.every(one)
    yield Finding(
        "keeps-later-weights",
        index,
        f"a stop keeps the weights of the last epoch, {_epochs(epochs, 'or more')} "
        f"after the best {one.monitor}",
        "restore_best_weights is False by default",
        "restore_best_weights=True, or a ModelCheckpoint with save_best_only=True",
        "remark",
    )


def _saves_best(callback: object, monitor: str) -> bool:
    """Return whether the best weights are on disk, whatever is kept in memory."""
    return (
        isinstance(callback, ModelCheckpoint)
        and callback.save_best_only
        and callback.monitor == monitor
    )


def _starts_after_plan(
    known: Known, index: int, one: EarlyStopping
) -> Iterator[Finding]:
    if known.epochs is not None and one.start_from_epoch >= known.epochs:
        yield Finding(
            "starts-after-plan",
            index,
            f"EarlyStopping never looks: start_from_epoch is {one.start_from_epoch:g}, "
            f"and {_epochs(known.epochs, 'are planned')}",
            "start_from_epoch is an absolute epoch, counted from 0, and every epoch "
            "before it is skipped",
            f"start_from_epoch below {known.epochs}",
        )


# --- ReduceLROnPlateau


def _cooldown_of_one(
    known: Known,  # noqa: ARG001 - one signature for all checks
    index: int,
    one: ReduceLROnPlateau,
) -> Iterator[Finding]:
    if 0 < one.cooldown <= 1:
        yield Finding(
            "cooldown-of-one",
            index,
            f"cooldown {one.cooldown:g} acts as cooldown 0",
            "the cooldown is counted down before the epoch after a reduction is judged",
            "cooldown=2 to leave out one epoch, or no cooldown",
        )


def _factor_without_effect(
    known: Known, index: int, one: ReduceLROnPlateau
) -> Iterator[Finding]:
    if one.factor > _FACTOR_OF_ONE:
        yield Finding(
            "factor-of-one",
            index,
            f"factor {one.factor!r} does not change the learning rate",
            "the learning rate is a float32 number, and the product rounds to it again",
            "a smaller factor, for example factor=0.5",
        )
        return
    rate = known.initial_rate
    precision = known.training.semantics.factor_precision
    start = 1.0 if rate is None else rate
    if one.factor > 0 and reduce_rate(start, one.factor, precision) > 0:
        return
    yield Finding(
        "factor-leaves-nothing",
        index,
        f"factor {one.factor!r} takes the learning rate to min_lr, {one.min_lr:g}, at "
        "the first reduction",
        "the product with the learning rate is 0 or less in float32, and min_lr takes "
        "its place",
        "a factor between 0 and 1, for example factor=0.5",
    )


def _floor_above_rate(
    known: Known, index: int, one: ReduceLROnPlateau
) -> Iterator[Finding]:
    rate = known.initial_rate
    if any(isinstance(other, LearningRateScheduler) for other in known.callbacks):
        return  # it can raise the rate
    if rate is not None and round_float32(rate) <= round_float32(one.min_lr):
        yield Finding(
            "floor-above-rate",
            index,
            f"ReduceLROnPlateau never acts: min_lr {one.min_lr:g} is not below the "
            f"initial learning rate {rate:g}",
            "only a learning rate above min_lr is reduced",
            f"a min_lr below {rate:g}, for example min_lr={rate / 100:g}",
        )


# --- both

_Monitoring: TypeAlias = "EarlyStopping | ReduceLROnPlateau"


def _negative_patience(
    known: Known,  # noqa: ARG001 - one signature for all checks
    index: int,
    one: _Monitoring,
) -> Iterator[Finding]:
    if one.patience < 0:
        yield Finding(
            "negative-patience",
            index,
            f"patience {one.patience:g} acts as patience 1",
            "the first value without improvement is a wait of 1, and that is tested "
            "against patience",
            "patience=1",
        )


def _negative_min_delta(
    known: Known, index: int, one: _Monitoring
) -> Iterator[Finding]:
    if one.min_delta >= 0:
        return
    semantics = known.training.semantics
    stops = isinstance(one, EarlyStopping)
    rule = semantics.early_stopping if stops else semantics.reduce_lr_on_plateau
    keras = spoken_semantics(semantics.name)
    if rule.absolute_min_delta:
        acts = f"acts as min_delta {-one.min_delta:g}"
        reason = f"{keras} takes its absolute value"
    else:
        acts = "lets a worse value count as an improvement"
        reason = f"{keras} takes it as it is"
    if not stops:
        reason += "; ReduceLROnPlateau takes the absolute value from Keras 3.11 on only"
    yield Finding(
        "negative-min-delta",
        index,
        f"min_delta {one.min_delta:g} {acts}",
        reason,
        f"min_delta={-one.min_delta:g}, or 0",
    )


def find_opposite_mode(
    known: Known,
    index: int,
    one: Any,  # noqa: ANN401 - any rule with a monitor and a mode
) -> Iterator[Finding]:
    """Find a mode that takes the monitor's worse values for better ones."""
    direction, mode = find_direction(one.monitor, known.training), known.mode(one)
    if direction is None or mode is None or direction == mode:
        return
    better = "larger" if direction == "max" else "smaller"
    if one.mode == "auto":
        code = "auto-mode-against-metric"
        message = f"mode='auto' means {mode!r} for {one.monitor}"
        keras = spoken_semantics(known.training.semantics.name)
        reason = (
            f"{type(one).__name__} of {keras} goes by the name of the monitor, and "
            f"here {better} is better"
        )
    else:
        code = "mode-against-metric"
        message = f"mode={mode!r} with monitor={one.monitor!r}"
        reason = (
            f"{better} is better, so every step for the better counts as no improvement"
        )
    yield Finding(code, index, message, reason, f"mode={direction!r}")


def _patience_in_validations(
    known: Known, index: int, one: _Monitoring
) -> Iterator[Finding]:
    every = known.every(one)
    if every > 1 and one.patience > 0:
        epochs = effective_patience(one) * every
        yield Finding(
            "patience-in-validations",
            index,
            f"patience {one.patience:g} means {_epochs(epochs)}: {one.monitor} is "
            f"there in every {_ordinal(every)} epoch only",
            f"patience counts values, and validation_freq is {every}",
            "the patience in validations: epochs divided by validation_freq",
            "remark",
        )


def _patience_beyond_plan(
    known: Known, index: int, one: _Monitoring
) -> Iterator[Finding]:
    if known.epochs is None:
        return
    seen, needed = known.seen_in_plan(one), effective_patience(one)
    if _first_value_improves(known, one):
        needed += 1
    # a callback that sees nothing at all is another finding
    if not 0 < seen < needed:
        return
    acts = "stop" if isinstance(one, EarlyStopping) else "reduce"
    most = seen - (needed - effective_patience(one))
    yield Finding(
        "patience-beyond-plan",
        index,
        f"{type(one).__name__} cannot {acts} inside the plan: patience "
        f"{one.patience:g}, and {one.monitor} has {_values(seen)} there",
        f"{_epochs(known.epochs, 'are planned')}, and it takes {_values(needed)} to "
        f"{acts}",
        f"patience={most:g} or less, or more epochs" if most >= 1 else "more epochs",
        "remark",
    )


def _first_value_improves(known: Known, one: _Monitoring) -> bool:
    """Return whether the first value cannot be waited on, whatever it is."""
    semantics = known.training.semantics
    if isinstance(one, EarlyStopping):
        # a first value that misses the baseline is waited on
        return semantics.early_stopping.starts_empty and one.baseline is None
    return semantics.reduce_lr_on_plateau.starts_empty


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


EARLY_STOPPING_CHECKS: tuple[
    Callable[[Known, int, EarlyStopping], Iterator[Finding]], ...
] = (_keeps_later_weights, _starts_after_plan)
REDUCE_CHECKS: tuple[
    Callable[[Known, int, ReduceLROnPlateau], Iterator[Finding]], ...
] = (_cooldown_of_one, _factor_without_effect, _floor_above_rate)
MONITOR_CHECKS: tuple[Callable[[Known, int, _Monitoring], Iterator[Finding]], ...] = (
    _negative_patience,
    _negative_min_delta,
    find_opposite_mode,
    _patience_in_validations,
    _patience_beyond_plan,
)
