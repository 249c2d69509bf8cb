"""`replay_run`: one run and one list of callbacks, from the arguments to a `Replay`."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from cbreplay.arguments import checked
from cbreplay.errors import ConfigError
from cbreplay.evidence.outcomes import judge_epoch, measure_outcome, resolve_objective
from cbreplay.evidence.validity import classify_evidence, is_recorded_whole
from cbreplay.given import as_run
from cbreplay.judging import read_judging
from cbreplay.replay.notes import (
    NAN_IS_BEST,
    Notes,
    note_broken_off,
    note_candidates,
    note_list,
    note_no_number,
    note_run,
)
from cbreplay.replay.records import HypotheticalReplay, Reduction, Replay, Step
from cbreplay.replay.walk import walk_run
from cbreplay.rules.base import Callback, best_seen, read_series
from cbreplay.rules.callbacks_list import CallbacksList, read_callbacks
from cbreplay.rules.decisions import BestSeen
from cbreplay.rules.families import resolve_semantics
from cbreplay.rules.training import describe_training
from cbreplay.run import Mode, Run, Series

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Unpack

    from cbreplay.evidence.outcomes import Outcome
    from cbreplay.evidence.validity import Evidence
    from cbreplay.judging import Judging, JudgingOptions
    from cbreplay.replay.under_way import Walk
    from cbreplay.rules.family import ResolvedSemantics
    from cbreplay.rules.training import Training

__all__ = ["as_list", "replay_list", "replay_run"]


@checked
def replay_run(
    run: object,
    callbacks: Any,  # noqa: ANN401 - ours, Keras's, the user's own, or lists of them
    *,
    hypothetical: bool = False,
    resume: Literal["fresh", "carried", "interrupted", "never"] = "fresh",
    **judging: Unpack[JudgingOptions],
) -> Replay:
    """Replay what a list of callbacks would have decided on a recorded run.

    Parameters
    ----------
    run : Run, History, dict of lists, DataFrame, or path
        The record, or what `load_runs` reads it from.
    callbacks : iterable of Callback or Keras callbacks, or one
        A Keras callbacks list: order matters, they share ``logs`` and the learning
        rate. Keras's own objects are read by their attributes; any other object with
        the hooks of a callback is driven itself, on a copy.
    hypothetical : bool
        Also carry the decisions on past the end of the evidence (a divergence or a
        hole), as if the recorded curve still held.
    resume : {"fresh", "carried", "interrupted", "never"}
        Whether the callbacks are created anew where a resumed fit begins (`run.seams`),
        as by a script that is started again, or are the same instances, which carry
        state into the next fit as in `replay_fits`; or are created anew after a fit
        that was broken off, whose callbacks did not see its end.
    **judging : semantics, initial_learning_rate, objective, objective_mode
        How to judge, as in `Judging`; or ``judging=`` with the whole.

    Raises
    ------
    UnknownMonitorError
        If the run does not hold a monitored series, or the objective.
    ConfigError
        If a mode cannot be resolved, or Keras itself would refuse the list.
    EvidenceError
        If the decisions depend on a learning rate that is not known.
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
    record = as_run(run)
    if resume != "fresh":
        from cbreplay.replay.resume import resumed_as

        record = resumed_as(record, resume)
    chosen, listed = read_judging(judging), as_list(callbacks)
    resolved = resolve_semantics(
        chosen.semantics, metadata=record.metadata, callbacks=listed.callbacks
    )
    replay, _ = replay_list(record, listed, resolved, chosen, hypothetical=hypothetical)
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

    `states` are those when training begins; new ones by default.
    """
    training = describe_training(run, resolved.semantics, resolved.family)
    rules = listed.callbacks
    _check_recorded(run, rules)
    named, mode = resolve_objective(run, rules, training, judging)
    walk_on = partial(
        walk_run,
        run,
        listed,
        training,
        initial_learning_rate=judging.initial_learning_rate,
        goes_on=hypothetical,
        states=states,
    )
    if run.replaced or run.first_epoch in run.seams:
        from cbreplay.replay.replaced_rows import walk_replaced

        walk_on = partial(
            walk_replaced,
            run,
            listed,
            training,
            initial_learning_rate=judging.initial_learning_rate,
            walk=walk_on,
        )
    walk = walk_on()
    _check_met(run, rules, walk, training)
    question = _Resolved(run, rules, resolved, named, mode)
    return _conclude(question, walk), walk.evident_states


class _Resolved(NamedTuple):
    """What was asked, with every default resolved."""

    run: Run
    callbacks: tuple[Callback, ...]
    resolved: ResolvedSemantics
    objective: str | None
    mode: Mode | None


def as_list(callbacks: Any) -> CallbacksList:  # noqa: ANN401 - as replay_run takes it
    """Read a callbacks list; raise ConfigError if it is empty."""
    listed = read_callbacks(callbacks)
    if not listed.callbacks:
        sentence = "there is no callback to replay. Give one with -c or callbacks=."
        raise ConfigError(sentence)
    return listed


def _check_recorded(run: Run, callbacks: Sequence[Callback]) -> None:
    """Raise UnknownMonitorError where a monitored series has a value in no epoch.

    A series that the log does not name may be written into ``logs`` by a callback
    earlier in the list: that is known only after the walk.
    """
    for monitor in read_series(callbacks):
        if monitor in run.series:
            run.monitored(monitor)


def _check_met(
    run: Run, callbacks: Sequence[Callback], walk: Walk, training: Training
) -> None:
    """Raise where a series was neither recorded nor written by an earlier callback."""
    for index in sorted(walk.unmet) if walk.rates else ():
        watched = str(callbacks[index].watched)
        training.framework.check_unlogged(watched, training)
        run.monitored(watched)
    compared = {
        step.callback for step in walk.trace if step.decision.improved is not None
    }
    for index, callback in enumerate(callbacks):
        for name, parameter in callback.reads.items():
            if name != callback.watched and index not in compared:
                # the callback never had all its series in one epoch: this raises if
                # the log lacks this one
                run.monitored(name, parameter)


class _End(NamedTuple):
    """How a walk ended, and how far that is evidence."""

    evidence: Evidence
    stopped_epoch: int | None
    last_epoch: int
    kept_epoch: int | None
    best: BestSeen
    broken_off: bool


def _conclude(question: _Resolved, walk: Walk) -> Replay:
    """Turn a finished walk into a `Replay`, as far as the log is evidence for it."""
    run, callbacks, resolved, objective, mode = question
    ended = _read_end(question, walk)
    evident = walk.trace[: walk.evident_steps]
    trained, end = len(walk.rates), walk.end_of_evidence
    if end is not None:
        trained = end - run.first_epoch
    return Replay(
        run=run,
        callbacks=callbacks,
        semantics=resolved.semantics,
        family=resolved.family,
        objective=objective,
        objective_mode=mode,
        evidence=ended.evidence,
        stopped_epoch=ended.stopped_epoch,
        stopped_by=walk.stopped_by if ended.stopped_epoch is not None else (),
        best_epoch=ended.best.epoch,
        best=ended.best.value,
        kept_epoch=ended.kept_epoch,
        divergence_epoch=walk.divergence,
        gap_epoch=walk.gap,
        candidates=walk.candidates if walk.gap is not None else (),
        diverged_by_weights=walk.diverged_by_weights,
        outcome=_measure(question, ended),
        hypothetical=_hypothetical(callbacks, walk),
        begun=walk.begun,
        **_decided(evident, walk.rates[:trained]),
        noted=Notes(
            run=note_run(
                run, callbacks, resolved, (objective, mode), sets_rate=walk.sets_rate
            ),
            callbacks=note_list(callbacks),
            setting=tuple(_setting_notes(question, walk, ended)),
        ),
    )


def _read_end(question: _Resolved, walk: Walk) -> _End:
    """Return how a walk ended; where evidence ends first, what is kept is unknown."""
    end = walk.end_of_evidence
    stopped = walk.stopped if end is None else None
    evidence = classify_evidence(
        stopped_epoch=stopped,
        divergence_epoch=walk.divergence,
        gap_epoch=walk.gap,
        reached_plan=question.run.reached_plan,
    )
    if end is not None:
        return _End(evidence, None, end, None, BestSeen(), broken_off=False)
    return _End(
        evidence,
        stopped,
        walk.last_epoch,
        walk.weights_epoch,
        BestSeen()
        if walk.open_best
        else best_seen(question.callbacks, walk.evident_states),
        broken_off=stopped is not None and _breaks_off(question, walk),
    )


def _measure(question: _Resolved, ended: _End) -> Outcome:
    """Measure what was saved and what it cost."""
    outcome = measure_outcome(
        question.run,
        evidence=ended.evidence,
        last_epoch=ended.last_epoch,
        kept_epoch=ended.kept_epoch,
        objective=question.objective,
        mode=question.mode,
    )
    if ended.broken_off and ended.kept_epoch == ended.stopped_epoch:
        # the recorded value was measured at the end of the epoch, on other weights
        outcome = outcome._replace(kept_value=None, regret=None)
    return outcome


def _setting_notes(question: _Resolved, walk: Walk, ended: _End) -> Iterator[str]:
    """Yield the notes that depend on what the list decides on the run."""
    run, callbacks, _, objective, mode = question
    yield from walk.notes
    if walk.gap is not None and walk.candidates:
        yield note_candidates(run, walk.candidates)
    kept, best = ended.kept_epoch, ended.best.value
    breaker = walk.broken_off_by if ended.broken_off else None
    keeps_it = breaker is not None and kept == walk.last_epoch
    if breaker is not None:
        yield from note_broken_off(
            callbacks, breaker, objective, walk.last_epoch, keeps_it=keeps_it
        )
    if best is not None and math.isnan(best):
        yield NAN_IS_BEST
    if keeps_it or kept is None or objective is None:
        return
    kept_value, _ = judge_epoch(run, kept, objective, mode)
    if kept_value is None:
        yield note_no_number(objective, kept)


def _hypothetical(
    callbacks: tuple[Callback, ...], walk: Walk
) -> HypotheticalReplay | None:
    """Return the fiction past the end of the evidence, if the walk went on there."""
    end = walk.end_of_evidence
    if end is None or walk.last_epoch < end:
        return None
    states = tuple(walk.states)
    best_epoch, best = best_seen(callbacks, states)
    return HypotheticalReplay(
        stopped_epoch=walk.stopped,
        stopped_by=walk.stopped_by,
        best_epoch=best_epoch,
        best=best,
        kept_epoch=walk.weights_epoch,
        **_decided(walk.trace, walk.rates),
    )


def _decided(steps: Sequence[Step], rates: Sequence[float | None]) -> dict[str, Any]:
    """Return what the steps of a walk come to, by the names of a replay's fields.

    `files` are those that are left, each with the epoch whose weights it holds.
    """
    saved = [(step, file) for step in steps for file in step.decision.saved_files]
    rate = None
    if any(value is not None for value in rates):
        rate = Series.from_optional(rates, dtype=np.float32)
    return {
        "trace": tuple(steps),
        "reductions": tuple(
            Reduction(
                step.epoch,
                step.learning_rate,
                step.decision.learning_rate,
                step.callback,
            )
            for step in steps
            if step.decision.reduced
        ),
        "learning_rate": rate,
        "saves": tuple((step.epoch, file, step.callback) for step, file in saved),
        "files": {
            file: step.decision.saved_epoch
            for step, file in saved
            if step.decision.saved_epoch is not None
        },
    }


def _breaks_off(question: _Resolved, walk: Walk) -> bool:
    """Return whether the stop cuts an epoch short that the recorded training ended."""
    if walk.broken_off_by is None:
        return False
    breaker = question.callbacks[walk.broken_off_by].class_name
    return not is_recorded_whole(question.run, walk.last_epoch, breaker)
