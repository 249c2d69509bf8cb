"""What a list would have done in rows that a resumed fit wrote again.

A fit that is broken off and resumed from a checkpoint writes the epochs after the
checkpoint once more, and the run holds the later rows. The earlier fit was real all
the same: if the list stops it in the replaced rows, there is no later fit.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cbreplay.errors import CbreplayError
from cbreplay.replay.seams import HandedOn, Seam, find_seams
from cbreplay.replay.walk import walk_run
from cbreplay.rules.base import begin_all
from cbreplay.rules.training import describe_training

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.replay.under_way import Walk
    from cbreplay.rules.callbacks_list import CallbacksList
    from cbreplay.rules.training import Training
    from cbreplay.run import Run

__all__ = ["walk_replaced"]


def walk_replaced(
    run: Run,
    listed: CallbacksList,
    training: Training,
    *,
    initial_learning_rate: float | None,
    walk: Callable[..., Walk],
) -> Walk:
    """Replay up to the first row of a fit that the list would not lead to.

    There is none if, under the list, every fit with replaced rows ends as recorded.

    Parameters
    ----------
    run, listed, training : Run, CallbacksList, Training
        The record, the list, and the training whose rules decide.
    initial_learning_rate : float or None
        As `walk_run` takes it.
    walk : callable
        Replays the list on the run, as if nothing had been replaced but what is given
        as `handed_on`, and up to a `gap`.
    """
    carriers = [rule for rule in listed.callbacks if rule.carries(training.semantics)]
    carries = run.same_callbacks and bool(carriers)
    if carries and run.first_epoch in run.seams:
        # all rows of the fit before it were written again, and none is left
        return walk(gap=run.first_epoch)
    # a callback of the user's own cannot be taken through two walks
    is_lost = carries and any(rule.holds_own_code for rule in carriers)
    known = find_seams(run, listed.callbacks).known
    fits = sorted(run.replaced, key=lambda own: own[0])
    # behind each fit the record of the one that resumed it
    later = [*(fit for _, fit in fits[1:]), run]
    handed_on: dict[int, HandedOn] = {}
    states = None
    for (seam, fit), resumed in zip(fits, later, strict=False):
        before = None
        if fit is not None and not is_lost:
            own = _read_as(run, fit)
            before = _walk_fit(own, listed, training, initial_learning_rate, states)
        at_seam = known.get(seam, Seam())
        if before is None or _ends_otherwise(
            seam, at_seam, before, resumed, carries=carries
        ):
            return walk(gap=seam)
        handed_on[seam] = HandedOn(before.evident_states, before.rate)
        states = before.evident_states if carries else None
        walk = partial(walk, handed_on=handed_on)
        if _leaves_files(seam, before, walk):
            return walk(gap=seam)
    return walk()


def _read_as(run: Run, fit: Run) -> Run:
    """Return a fit with what is given of its run."""
    return replace(
        fit,
        rounded_to=run.rounded_to,
        same_callbacks=run.same_callbacks,
        broken_off=run.broken_off,
    )


def _walk_fit(
    fit: Run,
    listed: CallbacksList,
    training: Training,
    initial_learning_rate: float | None,
    states: Sequence[Any] | None,
) -> Walk | None:
    """Replay a fit by itself, with states that the one before it handed on, if any.

    None where it lacks what the list asks for.
    """
    own = describe_training(fit, training.semantics, training.framework)
    begun = None if states is None else begin_all(listed.callbacks, own, states)
    try:
        return walk_run(
            fit,
            listed,
            own,
            initial_learning_rate=initial_learning_rate,
            goes_on=False,
            states=begun,
        )
    except CbreplayError:
        return None


def _ends_otherwise(
    seam: int, known: Seam, before: Walk, resumed: Run | None, *, carries: bool
) -> bool:
    """Return whether the earlier fit ends in replaced rows, or hands on other things.

    Its other rows are in the run, whose own replay covers them. `resumed` is the record
    of the fit that resumed it.
    """
    if resumed is None or (carries and before.end_of_evidence is not None):
        # the log lacks what the callbacks took from there on
        return True
    if known.same_list:
        return False
    if before.end_of_evidence is not None:
        return before.end_of_evidence >= seam
    if before.stopped is not None:
        return before.stopped >= seam
    began = max(seam, resumed.first_epoch)
    if before.sets_rate and _hands_on_another_rate(began, before, resumed):
        return True
    # the later fit went on from the weights of the epoch before it
    as_recorded = before.weights_epoch in (before.last_epoch, began - 1)
    return not (as_recorded or known.broken_off)


def _hands_on_another_rate(began: int, before: Walk, resumed: Run) -> bool:
    """Return whether the later fit, begun at an epoch, has a rate of its own."""
    rates = resumed.learning_rate
    recorded = None if rates is None else rates[began - resumed.first_epoch]
    if before.rate not in (before.rates[-1], recorded):
        # it was reduced in the last row, and the later fit did not begin with that
        return True
    if recorded is None or resumed.first_epoch < began:
        # the walk of the run finds where that diverges
        return False
    position = began - min(before.begun)
    # from the checkpoint on, where its fit has rows there; or from its end on
    of_checkpoint = before.rates[position : position + 1] if position >= 0 else []
    return recorded not in (before.rate, *of_checkpoint)


def _leaves_files(seam: int, before: Walk, walk: Callable[[], Walk]) -> bool:
    """Return whether a file of the replaced rows is not written again later."""
    replaced = _files_from(seam, before)
    return bool(replaced) and not replaced <= _files_from(seam, walk())


def _files_from(epoch: int, walk: Walk) -> set[str]:
    steps = [step for step in walk.trace if step.epoch >= epoch]
    return {file for step in steps for file in step.decision.saved_files}
