"""Findings about one EarlyStopping: whose weights it keeps, from when it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.rules.checks import Finding, RuleChecks, find_text_flags
from cbreplay.rules.keras.checks.waiting import (
    WAITING_CHECKS,
    effective_patience,
    spoken_plan,
)
from cbreplay.rules.keras.early_stopping import EarlyStopping
from cbreplay.series_names import is_validation
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.checks import CheckedList

__all__ = ["STOPPING", "stops_later"]


def _keeps_later_weights(
    known: CheckedList, callback: EarlyStopping
) -> Iterator[Finding]:
    # with a baseline, an epoch may be the best and still not reset `wait`
    if (
        callback.restore_best_weights
        # with patience 1 the kept weights are only one epoch past the best
        or effective_patience(callback) <= 1
        or callback.baseline is not None
        or known.facts.keeps_best
    ):
        return
    if any(_saves_better(other, callback.monitor) for other in known.callbacks):
        return
    others = [other for other in known.callbacks if isinstance(other, EarlyStopping)]
    if any(
        _may_restore(known, other, callback) or stops_later(known, callback, other)
        for other in others
    ):
        return
    epochs = effective_patience(callback) * known.every(callback)
    yield known.finding(
        "keeps-later-weights",
        f"a stop keeps the weights of the last epoch, {count(epochs, 'epoch')} or more "
        f"after the best {callback.monitor}",
        "restore_best_weights is False by default",
        "restore_best_weights=True, or a ModelCheckpoint with save_best_only=True",
        "remark",
        facts={"epochs_after_best": epochs},
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
    that only `sooner` has makes its wait longer, so that does not matter; with one of
    its own `later` may have waited through improvements, and stop in the same epoch.
    """
    rule = known.monitor_rule(sooner)
    return (
        later.monitor == sooner.monitor
        and known.mode(later) == known.mode(sooner)
        and rule.size(later.min_delta) == rule.size(sooner.min_delta)
        and later.baseline is None
        and max(later.start_from_epoch, 0) == max(sooner.start_from_epoch, 0)
        and effective_patience(later) > effective_patience(sooner)
        # none stops in the first epoch: where a NaN is no improvement in it, both may
        # stop in the second
        and (
            rule.starts_empty
            or later.start_from_epoch > 0
            or later.patience > _LONGEST_WAIT_IN_SECOND_EPOCH
        )
    )


_LONGEST_WAIT_IN_SECOND_EPOCH = 2


def _saves_better(callback: object, monitor: str) -> bool:
    """Return whether better weights than the last are on disk, whatever is in memory.

    They are the best by the same monitor or another value of the validation data, or
    those of each epoch.
    """
    from cbreplay.rules.keras.model_checkpoint import ModelCheckpoint

    if not isinstance(callback, ModelCheckpoint):
        return False
    if not callback.save_best_only:
        return "{epoch" in str(callback.filepath)
    return callback.monitor == monitor or is_validation(callback.monitor)


def _starts_after_plan(
    known: CheckedList, callback: EarlyStopping
) -> Iterator[Finding]:
    if known.epochs is not None and callback.start_from_epoch >= known.epochs:
        yield known.finding(
            "starts-after-plan",
            f"EarlyStopping never looks: start_from_epoch is "
            f"{callback.start_from_epoch:g}, and "
            f"{spoken_plan(known)}",
            "start_from_epoch is an absolute epoch, counted from 0, and every epoch "
            "before it is skipped",
            f"start_from_epoch below {known.epochs}",
            facts={"planned_epochs": known.epochs},
        )


def _restores_by_training_loss(
    known: CheckedList, callback: EarlyStopping
) -> Iterator[Finding]:
    minimal = known.mode(callback) == "min"
    # without validation data there is no val_loss to restore by
    if known.facts.validated is False:
        return
    # at the end of training the last of a list restores last
    at_end = known.training.semantics.restores_without_stop
    others = known.callbacks[known.checked + 1 :] if at_end else known.callbacks
    if any(
        isinstance(other, EarlyStopping)
        and other is not callback
        and _may_restore(known, other, callback)
        for other in others
    ):
        return
    if callback.monitor == "loss" and callback.restore_best_weights and minimal:
        yield known.finding(
            "restores-by-training-loss",
            "the weights of the least training loss are restored, not those of the "
            "least val_loss",
            "the training loss tends to fall until the end, also while val_loss rises, "
            "so they are mostly those of one of the last epochs",
            "monitor='val_loss', where fit gets validation data",
            "remark",
        )


STOPPING = RuleChecks(
    (
        find_text_flags,
        _keeps_later_weights,
        _restores_by_training_loss,
        _starts_after_plan,
        *WAITING_CHECKS,
    ),
    when_it_stays="may stop it too",
)
