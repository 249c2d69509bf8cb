"""One run and one list of callbacks: the question, and the answer it carries."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.errors import ConfigError
from cbreplay.judging import read_judging
from cbreplay.outcomes import (
    judge_epoch,
    measure_outcome,
    resolve_objective,
)
from cbreplay.replay.notes import (
    NAN_IS_BEST,
    Notes,
    name_breaker,
    note_broken_off,
    note_list,
    note_no_number,
    note_run,
)
from cbreplay.replay.records import HypotheticalReplay, Reduction, Replay, Step
from cbreplay.replay.walk import walk_run
from cbreplay.rules.base import (
    Callback,
    describe_training,
    read_series,
    rule_name,
    watched_series,
)
from cbreplay.rules.callbacks_list import CallbacksList, read_callbacks
from cbreplay.rules.keras.semantics import resolve_semantics
from cbreplay.run import LEARNING_RATE_NAMES, Mode, Run, Series
from cbreplay.validity import classify_evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Unpack

    from cbreplay.judging import Judging, JudgingOptions
    from cbreplay.replay.walk import Walk
    from cbreplay.rules.keras.semantics import ResolvedSemantics

__all__ = ["as_list", "replay_list", "replay_run"]


def replay_run(
    run: Run,
    callbacks: Any,  # noqa: ANN401 - ours, Keras's, the user's own, or lists of them
    *,
    hypothetical: bool = False,
    **judging: Unpack[JudgingOptions],
) -> Replay:
    """Replay what a list of callbacks would have decided on a recorded run.

    Parameters
    ----------
    run : Run
        The record.
    callbacks : iterable of Callback or Keras callbacks, or one
        A Keras callbacks list: order matters, they share ``logs`` and the learning
        rate. Keras's own objects are read by their attributes; any other object with
        the hooks of a callback is driven itself, on a copy.
    hypothetical : bool
        Also carry the decisions on past a divergence, as if the curve still held.
    **judging : semantics, initial_learning_rate, objective, objective_mode
        How to judge, as in `Judging`; or ``judging=`` with the whole.

    Raises
    ------
    UnknownMonitorError
        If the run does not hold a monitored series, or the objective.
    ConfigError
        If a mode cannot be resolved, or Keras itself would refuse the list.
    EvidenceError
        If the decisions hang on a learning rate that nothing tells.
    SemanticsError
        If the Keras version is not known.

    Examples
    --------
    >>> from cbreplay import EarlyStopping, Run
    >>> losses = [0.8, 0.6, 0.5, 0.5, 0.52, 0.49]
    >>> run = Run.from_logs({"val_loss": loss} for loss in losses)
    >>> early_stopping = EarlyStopping(patience=2, restore_best_weights=True)
    >>> replay = replay_run(run, early_stopping, semantics="keras-3.15")
    >>> replay.evidence, replay.stopped_epoch, replay.kept_epoch
    ('exact', 4, 2)
    """
    _check_run(run)
    chosen = read_judging(judging)
    resolved = resolve_semantics(chosen.semantics, metadata=run.metadata)
    replay, _ = replay_list(
        run, as_list(callbacks), resolved, chosen, hypothetical=hypothetical
    )
    return replay


def replay_list(
    run: Run,
    listed: CallbacksList,
    resolved: ResolvedSemantics,
    judging: Judging,
    *,
    hypothetical: bool = False,
    states: Sequence[Any] | None = None,
) -> tuple[Replay, tuple[Any, ...]]:
    """Replay as `replay_run`; return also the state of each callback at the end.

    Parameters
    ----------
    run, listed, resolved, judging : Run, CallbacksList, ResolvedSemantics, Judging
        What is replayed on what, by which Keras, judged how.
    hypothetical : bool
        As in `replay_run`.
    states : sequence of object, optional
        The state of each callback when training begins; new ones by default.
    """
    training = describe_training(run, resolved.semantics)
    rules = listed.callbacks
    _check_recorded(run, rules)
    named, mode = resolve_objective(run, rules, training, judging)
    walk = walk_run(
        run,
        listed,
        training,
        initial_learning_rate=judging.initial_learning_rate,
        goes_on=hypothetical,
        states=states,
    )
    _check_met(run, rules, walk)
    question = _Resolved(run, rules, resolved, named, mode)
    return _conclude(question, walk), walk.evident_states


class _Resolved(NamedTuple):
    """What was asked, with every default resolved."""

    run: Run
    callbacks: tuple[Callback, ...]
    resolved: ResolvedSemantics
    objective: str
    mode: Mode


def as_list(callbacks: Any) -> CallbacksList:  # noqa: ANN401 - as replay_run takes it
    """Return the list, which must hold a callback."""
    listed = read_callbacks(callbacks)
    if not listed.callbacks:
        sentence = "there is no callback to replay. Give one with -c or callbacks=."
        raise ConfigError(sentence)
    return listed


def _check_run(run: object) -> None:
    if not isinstance(run, Run):
        sentence = f"{run!r} is not a Run. Read one with load_runs or Run.from_logs"
        raise ConfigError(sentence)


def _check_recorded(run: Run, callbacks: Sequence[Callback]) -> None:
    """Raise UnknownMonitorError where what decides was recorded in no epoch.

    What the run does not even name, a callback before it in the list may write: that
    is known after the walk.
    """
    for monitor in read_series(callbacks):
        if monitor in run.series:
            run.monitored(monitor)


def _check_met(run: Run, callbacks: Sequence[Callback], walk: Walk) -> None:
    """Raise where a monitor was neither recorded nor written by a callback before.

    Raises
    ------
    ConfigError
        If it is the learning rate, and no callback before writes that.
    UnknownMonitorError
        If it is any other series.
    """
    for index in sorted(walk.unmet) if walk.rates else ():
        monitor = str(watched_series(callbacks[index]))
        if monitor in LEARNING_RATE_NAMES:
            sentence = (
                f"monitor={monitor!r}: this Keras writes the learning rate into logs "
                f"as {walk.learning_rate_key!r}, and only in a list with a "
                "ReduceLROnPlateau or LearningRateScheduler, for the callbacks from "
                "that one on. Put it before, or monitor something else."
            )
            raise ConfigError(sentence)
        run.monitored(monitor)
    compared = {one.callback for one in walk.trace if one.decision.improved is not None}
    for index, callback in enumerate(callbacks):
        second: str | None = getattr(callback, "training_monitor", None)
        if second is not None and index not in compared:
            # nothing was compared: it must be there at least
            run.monitored(second, "training_monitor")


def _conclude(question: _Resolved, walk: Walk) -> Replay:
    """Turn a finished walk into what it is evidence for."""
    run, callbacks, resolved, objective, mode = question
    divergence = walk.divergence
    stopped = walk.stopped if divergence is None else None
    evidence = classify_evidence(
        stopped_epoch=stopped,
        divergence_epoch=divergence,
        reached_plan=run.reached_plan,
    )
    last_epoch = walk.last_epoch if divergence is None else divergence
    kept = None
    best_epoch, best = None, None
    if divergence is None:
        kept = walk.weights_epoch
        best_epoch, best = _best(callbacks, walk.evident_states)
    outcome = measure_outcome(
        run,
        evidence=evidence,
        last_epoch=last_epoch,
        kept_epoch=kept,
        objective=objective,
        mode=mode,
    )
    broken_off = stopped is not None and _breaks_off(question, walk)
    if broken_off and kept == stopped:
        # what is recorded there was measured on other weights
        outcome = outcome._replace(kept_value=None, regret=None)
    trained = len(walk.rates) if divergence is None else divergence - run.first_epoch
    return Replay(
        run=run,
        callbacks=callbacks,
        semantics=resolved.semantics,
        objective=objective,
        objective_mode=mode,
        evidence=evidence,
        stopped_epoch=stopped,
        stopped_by=walk.stopped_by if stopped is not None else (),
        best_epoch=best_epoch,
        best=best,
        kept_epoch=kept,
        reductions=_reductions(walk.trace[: walk.evident_steps]),
        learning_rate=_rate_series(walk.rates[:trained]),
        divergence_epoch=divergence,
        diverged_by_weights=walk.diverged_by_weights,
        outcome=outcome,
        hypothetical=_hypothetical(callbacks, walk),
        trace=tuple(walk.trace[: walk.evident_steps]),
        saves=_saves(walk.trace[: walk.evident_steps]),
        files=_files(walk.trace[: walk.evident_steps]),
        noted=Notes(
            run=note_run(
                run, callbacks, resolved, (objective, mode), sets_rate=walk.sets_rate
            ),
            callbacks=note_list(callbacks),
            setting=tuple(
                _setting_notes(question, walk, best, kept, broken_off=broken_off)
            ),
        ),
    )


def _setting_notes(
    question: _Resolved,
    walk: Walk,
    best: float | None,
    kept: int | None,
    *,
    broken_off: bool,
) -> Iterator[str]:
    """Yield what hangs on what the list decides on the run."""
    run, callbacks, _, objective, mode = question
    yield from walk.notes
    if broken_off:
        yield from note_broken_off(
            callbacks, objective, walk.last_epoch, keeps_it=kept == walk.last_epoch
        )
    if best is not None and math.isnan(best):
        yield NAN_IS_BEST
    kept_value, _ = judge_epoch(run, kept, objective, mode)
    if kept is not None and kept_value is None:
        yield note_no_number(objective, kept)


def _hypothetical(
    callbacks: tuple[Callback, ...], walk: Walk
) -> HypotheticalReplay | None:
    """Return the fiction past a divergence, if the walk went on there."""
    if walk.divergence is None or walk.last_epoch < walk.divergence:
        return None
    states = tuple(walk.states)
    best_epoch, best = _best(callbacks, states)
    return HypotheticalReplay(
        stopped_epoch=walk.stopped,
        stopped_by=walk.stopped_by,
        best_epoch=best_epoch,
        best=best,
        kept_epoch=walk.weights_epoch,
        reductions=_reductions(walk.trace),
        learning_rate=_rate_series(walk.rates),
        saves=_saves(walk.trace),
        files=_files(walk.trace),
        trace=tuple(walk.trace),
    )


def _best(
    callbacks: tuple[Callback, ...], states: tuple[Any, ...]
) -> tuple[int | None, float | None]:
    """Return best_epoch and best of the first EarlyStopping."""
    for callback, state in zip(callbacks, states, strict=True):
        if rule_name(callback) == "EarlyStopping":
            if state.best_epoch is None:
                return None, None
            return state.best_epoch, state.best
        driven: Any = callback
        if rule_name(callback) == "DrivenCallback" and driven.extends("EarlyStopping"):
            held = state.attributes
            if not math.isfinite(held.get("best", math.inf)):
                return None, None
            return int(held["best_epoch"]), held["best"]
    return None, None


def _reductions(steps: Sequence[Step]) -> tuple[Reduction, ...]:
    return tuple(
        Reduction(
            step.epoch, step.learning_rate, step.decision.learning_rate, step.callback
        )
        for step in steps
        if step.decision.reduced
    )


def _saves(steps: Sequence[Step]) -> tuple[tuple[int, str, int], ...]:
    return tuple(
        (step.epoch, file, step.callback)
        for step in steps
        if step.decision.saved_file is not None
        for file in (step.decision.saved_file, *step.decision.also_saved)
    )


def _files(steps: Sequence[Step]) -> dict[str, int]:
    """Return the files that were not written over, with whose weights they hold."""
    decisions = [step.decision for step in steps]
    return {
        file: one.saved_epoch
        for one in decisions
        if one.saved_file is not None and one.saved_epoch is not None
        for file in (one.saved_file, *one.also_saved)
    }


def _rate_series(rates: Sequence[float | None]) -> Series | None:
    if all(rate is None for rate in rates):
        return None
    return Series.from_optional(rates, dtype=np.float32)


def _breaks_off(question: _Resolved, walk: Walk) -> bool:
    """Return whether the stop cuts an epoch short that the record has in full."""
    if not walk.broken_off:
        return False
    metadata = question.run.metadata
    ended = metadata.ended if metadata is not None else None
    recorded_so = (
        ended is not None
        and ended.by == name_breaker(question.callbacks)
        and walk.last_epoch == question.run.horizon
    )
    return not recorded_so
