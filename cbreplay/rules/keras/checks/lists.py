"""Findings about a list: callbacks of Keras that defeat or miss each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cbreplay.rules.checks import Finding
from cbreplay.rules.keras.checks.early_stopping import stops_later
from cbreplay.rules.keras.checks.waiting import acts_in_plan, effective_patience
from cbreplay.rules.keras.early_stopping import EarlyStopping
from cbreplay.rules.keras.learning_rate_scheduler import LearningRateScheduler
from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.checks import CheckedList, ListCheck
    from cbreplay.rules.keras.semantics import MonitorRule

__all__ = ["LIST_CHECKS"]


def _reduce_after_stop(known: CheckedList) -> Iterator[Finding]:
    """Find each ReduceLROnPlateau that an EarlyStopping forestalls.

    A ReduceLROnPlateau reduces after `patience` values that it does not count as
    improvements. If EarlyStopping counts none of them either, its wait is at least as
    long, and with a patience no longer than that it stops in the same epoch or before.
    """
    for index, reducer in enumerate(known.callbacks):
        if not isinstance(reducer, ReduceLROnPlateau):
            continue
        # a stop that cannot come inside the plan forestalls nothing
        stoppers = [
            rule
            for rule in known.callbacks
            if isinstance(rule, EarlyStopping) and acts_in_plan(known, rule)
        ]
        forestalled = [_forestalls(known, stopper, reducer) for stopper in stoppers]
        if True in forestalled:
            stopper = stoppers[forestalled.index(True)]
            yield _never_before_stop(index, reducer, stopper)
        elif False in forestalled:
            stopper = stoppers[forestalled.index(False)]
            yield _rarely_before_stop(index, reducer, stopper)


def _never_before_stop(
    index: int, reducer: ReduceLROnPlateau, stopper: EarlyStopping
) -> Finding:
    fix, facts = _longer_before_stop(stopper)
    return Finding(
        "reduce-after-stop",
        index,
        f"ReduceLROnPlateau never acts: its patience {reducer.patience:g} is not below "
        f"the patience {stopper.patience:g} of EarlyStopping on {reducer.monitor}",
        "both count the same epochs as no improvement, so training is stopped when the "
        "learning rate would first be reduced, or before",
        fix,
        facts=facts,
    )


def _rarely_before_stop(
    index: int, reducer: ReduceLROnPlateau, stopper: EarlyStopping
) -> Finding:
    fix, facts = _longer_before_stop(stopper)
    return Finding(
        "reduce-rarely-before-stop",
        index,
        "ReduceLROnPlateau hardly acts before the stop: its patience "
        f"{reducer.patience:g} is not below the patience {stopper.patience:g} of "
        f"EarlyStopping on {reducer.monitor}",
        "it can reduce before the stop only if EarlyStopping (min_delta "
        f"{stopper.min_delta:g}) counts an improvement that it does not count itself "
        f"(min_delta {reducer.min_delta:g})",
        fix,
        "remark",
        facts | {"stopping_min_delta": stopper.min_delta},
    )


def _stop_after_stop(known: CheckedList) -> Iterator[Finding]:
    """Find each EarlyStopping that another one always forestalls."""
    stoppers = [
        (index, rule)
        for index, rule in enumerate(known.callbacks)
        if isinstance(rule, EarlyStopping)
    ]
    at_end = known.training.semantics.restores_without_stop
    for index, later in stoppers:
        sooner = [rule for _, rule in stoppers if stops_later(known, later, rule)]
        if not sooner:
            continue
        first = min(sooner, key=effective_patience)
        reason = (
            "both count the same epochs as no improvement, so the other stops first"
        )
        fix = "one of the two"
        restores = later.restore_best_weights
        if restores and not first.restore_best_weights:
            fix += ", with restore_best_weights=True"
        if restores and at_end:
            reason += "; it only restores its best weights when training ends"
        yield Finding(
            "stop-after-stop",
            index,
            f"EarlyStopping never stops: its patience {later.patience:g} is above the "
            f"patience {first.patience:g} of another on {later.monitor}",
            reason,
            fix,
            "remark" if restores and at_end else "warning",
            {"stopping_patience": first.patience},
        )


def _longer_before_stop(stopper: EarlyStopping) -> tuple[str, dict[str, float]]:
    """Return what to write so that a reduction comes well before the stop."""
    longer = "a longer patience for EarlyStopping"
    facts = {"stopping_patience": stopper.patience}
    if effective_patience(stopper) <= 1 or not math.isfinite(stopper.patience):
        return longer, facts
    shorter = max(int(stopper.patience) // 2, 1)
    fix = f"patience={shorter} here, or {longer}"
    return fix, facts | {"shorter_patience": shorter}


def _forestalls(
    known: CheckedList, stopper: EarlyStopping, reducer: ReduceLROnPlateau
) -> bool | None:
    """Return whether the stop comes first: always (True), mostly (False), else None."""
    semantics = known.training.semantics
    rules = semantics.early_stopping, semantics.reduce_lr_on_plateau
    comparable = (
        stopper.monitor == reducer.monitor
        and _same_mode(known, stopper, reducer)
        # EarlyStopping does not wait in the epochs before start_from_epoch
        and stopper.start_from_epoch <= 0
        and effective_patience(reducer) >= effective_patience(stopper)
        # older versions wait on a first NaN: patience 1 then reduces at epoch 0, where
        # EarlyStopping never stops
        and (rules[1].starts_empty or reducer.patience > 1)
    )
    if not comparable:
        return None
    first, second = rules[0].size(stopper.min_delta), rules[1].size(reducer.min_delta)
    return _compare_alike(*rules, first, second)


def _same_mode(
    known: CheckedList, stopper: EarlyStopping, reducer: ReduceLROnPlateau
) -> bool:
    modes = known.mode(stopper), known.mode(reducer)
    if None in modes:
        # neither direction is known, but both ask the same compiled metric
        return modes == (None, None)
    return modes[0] == modes[1]


def _compare_alike(
    stopping: MonitorRule, reducing: MonitorRule, first: float, second: float
) -> bool:
    """Return whether both count the same values as improvements."""
    alike = (
        first == second
        and stopping.precision == reducing.precision
        and stopping.starts_empty == reducing.starts_empty
    )
    # rounding of value + delta and of best - delta differs
    return alike and (stopping.delta_on == reducing.delta_on or first == 0)


def _schedule_undoes_reduction(known: CheckedList) -> Iterator[Finding]:
    """Find each ReduceLROnPlateau whose rate a schedule overwrites in every epoch."""
    tables = [
        place
        for place, callback in enumerate(known.callbacks)
        if isinstance(callback, LearningRateScheduler)
        and isinstance(callback.schedule, Mapping)
        and min(callback.schedule) == 0
    ]
    for index, callback in enumerate(known.callbacks):
        if isinstance(callback, ReduceLROnPlateau) and tables:
            yield Finding(
                "schedule-undoes-reduction",
                index,
                "ReduceLROnPlateau never acts: no epoch is trained at a rate that it "
                "set",
                f"the schedule of LearningRateScheduler ({known.places_of(tables[0])}) "
                "sets the rate as each epoch begins",
                "one of the two",
                facts={"schedule_callback": tables[0]},
            )


def _rate_not_logged(known: CheckedList) -> Iterator[Finding]:
    reducers = [
        index
        for index, callback in enumerate(known.callbacks)
        if callback.changes_learning_rate
    ]
    key = known.training.semantics.learning_rate_key
    # Keras 3's TensorBoard asks the optimizer; Keras 2's takes what is in `logs`
    by_logs = {"CSVLogger"} | ({"TensorBoard"} if key == "lr" else set())
    for index, callback in enumerate(known.callbacks):
        logger = callback.class_name
        if logger in by_logs and reducers and index < reducers[0]:
            writer = known.callbacks[reducers[0]].class_name
            yield Finding(
                "rate-not-logged",
                index,
                f"{logger} stands before {writer}, so its log has no learning rate",
                f"{writer} writes {key!r} into the logs of callbacks after it only, in "
                f"{known.training.version}",
                f"{logger} as the last callback of the list",
            )


LIST_CHECKS: tuple[ListCheck, ...] = (
    _reduce_after_stop,
    _stop_after_stop,
    _schedule_undoes_reduction,
    _rate_not_logged,
)
