"""Epoch by epoch: what every callback of a list decides on a recorded run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from cbreplay.callbacks.base import Decision, Observation, rule_name
from cbreplay.errors import ConfigError
from cbreplay.replay.records import Step
from cbreplay.validity import RecordedRate, read_recorded_rates

if TYPE_CHECKING:
    from cbreplay.callbacks.base import Callback, Training
    from cbreplay.run import Run

__all__ = ["Walk", "walk_run"]


@dataclass(slots=True, eq=False, repr=False)
class Walk:
    """A replay under way. Everything before the divergence is kept apart."""

    states: list[Any]
    rate: float | None
    has_changed: bool = False
    divergence: int | None = None
    evident_steps: int = 0
    evident_states: tuple[Any, ...] = ()
    stopped: int | None = None
    stopped_by: tuple[int, ...] = ()
    last_epoch: int = 0
    weights_epoch: int = 0
    broken_off: bool = False
    raised: bool = False
    learning_rate_key: str = "learning_rate"
    rates: list[float | None] = field(default_factory=list)
    trace: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def walk_run(
    run: Run,
    callbacks: tuple[Callback, ...],
    training: Training,
    *,
    initial_learning_rate: float | None,
    goes_on: bool,
) -> Walk:
    """Replay a run; where its rate can be read in two ways, the earlier end counts.

    Parameters
    ----------
    run, callbacks, training : Run, tuple of Callback, Training
        What is replayed on what, by which Keras.
    initial_learning_rate : float or None
        The rate of the first epoch, where the log does not record one.
    goes_on : bool
        Whether to carry on past a divergence, as if the curve still held.

    Raises
    ------
    ConfigError, EvidenceError
        As `replay_run`.
    """
    _refuse_schedule(run, callbacks)
    logs = _epoch_logs(run)
    if not any(callback.changes_learning_rate for callback in callbacks):
        recorded = _recorded_if_known(run, initial_learning_rate)
        return _walk(
            callbacks,
            training,
            logs,
            recorded,
            first_epoch=run.first_epoch,
            habit="follow",
        )
    readings = read_recorded_rates(
        run,
        initial_learning_rate=initial_learning_rate,
        needs_value=any(callback.needs_learning_rate for callback in callbacks),
    )
    habit: _Habit = "go on" if goes_on else "end there"
    walks = [
        _walk(
            callbacks, training, logs, reading, first_epoch=run.first_epoch, habit=habit
        )
        for reading in readings
    ]
    first = min(walks, key=_divergence_order)
    if readings[0].is_assumed:
        first.notes.append(
            "no learning rate is recorded: it is taken as constant over the record"
        )
    if len({walk.divergence for walk in walks}) > 1:
        ends = " or ".join(_spoken_divergence(walk) for walk in walks)
        first.notes.append(
            "the log does not tell whether its learning rate was written before or "
            f"after a reduction; by these readings the replay diverges {ends}, and "
            "the earlier one is taken"
        )
    return first


def _divergence_order(walk: Walk) -> float:
    return math.inf if walk.divergence is None else walk.divergence


def _spoken_divergence(walk: Walk) -> str:
    if walk.divergence is None:
        return "nowhere"
    return f"at epoch {walk.divergence + 1}"


def _refuse_schedule(run: Run, callbacks: tuple[Callback, ...]) -> None:
    schedule = run.metadata.schedule if run.metadata is not None else None
    for callback in callbacks:
        if schedule is not None and callback.changes_learning_rate:
            sentence = (
                f"run {run.name!r} was trained with the LearningRateSchedule "
                f"{schedule}: Keras's {type(callback).__name__} raises TypeError "
                "there, so leave it out."
            )
            raise ConfigError(sentence)


def _recorded_if_known(run: Run, initial: float | None) -> RecordedRate:
    """Return the recorded rate for a list that only follows it, with gaps as None."""
    if run.learning_rate is None:
        return RecordedRate((initial,) * run.recorded_epochs, is_assumed=True)
    values = zip(
        run.learning_rate.values.tolist(),
        run.learning_rate.recorded.tolist(),
        strict=True,
    )
    return RecordedRate([value if known else None for value, known in values])


def _epoch_logs(run: Run) -> list[dict[str, float]]:
    """Return Keras's ``logs`` of every epoch; an unrecorded value is absent."""
    logs: list[dict[str, float]] = [{} for _ in range(run.recorded_epochs)]
    for name, series in run.series.items():
        columns = zip(
            logs, series.values.tolist(), series.recorded.tolist(), strict=True
        )
        for epoch_logs, value, recorded in columns:
            if recorded:
                epoch_logs[name] = value
    return logs


# what a walk does about the recorded rate: take it as it comes (the list cannot change
# the rate), or compare with it and end, or go on, where the two part
_Habit: TypeAlias = Literal["follow", "end there", "go on"]


def _walk(
    callbacks: tuple[Callback, ...],
    training: Training,
    logs: list[dict[str, float]],
    recorded: RecordedRate,
    *,
    first_epoch: int,
    habit: _Habit,
) -> Walk:
    """Replay epoch by epoch until a stop, a divergence, or the horizon."""
    walk = Walk(
        states=[callback.begin(training) for callback in callbacks],
        rate=recorded.values[0],
        last_epoch=first_epoch - 1,
        learning_rate_key=training.semantics.learning_rate_key,
    )
    for position, epoch_logs in enumerate(logs):
        epoch = first_epoch + position
        steps_before = len(walk.trace)
        _begin_epoch(walk, callbacks, epoch)
        if habit == "follow":
            # nothing in the list sets the rate
            walk.rate = recorded.values[position]
        elif walk.divergence is None and recorded.differs(
            position, walk.rate, has_changed=walk.has_changed
        ):
            walk.divergence = epoch
            walk.evident_steps = steps_before
            walk.evident_states = tuple(walk.states)
            if habit == "end there":
                break
        walk.rates.append(walk.rate)
        walk.last_epoch = walk.weights_epoch = epoch
        walk.stopped_by = _end_epoch(walk, callbacks, epoch, dict(epoch_logs))
        if walk.stopped_by:
            walk.stopped = epoch
            break
    if walk.divergence is None:
        walk.evident_steps = len(walk.trace)
        walk.evident_states = tuple(walk.states)
    return walk


_SCHEDULER = "LearningRateScheduler"


def _begin_epoch(walk: Walk, callbacks: tuple[Callback, ...], epoch: int) -> None:
    """Let the callbacks that act at the beginning of an epoch set the rate."""
    for index, callback in enumerate(callbacks):
        if rule_name(callback) == _SCHEDULER and walk.rate is not None:
            scheduler: Any = callback
            rate = scheduler.begin_epoch(epoch, walk.rate)
            decision = Decision(scheduled=True, learning_rate=rate)
            walk.trace.append(
                Step(epoch, index, walk.rate, walk.states[index], decision)
            )
            walk.rate, walk.has_changed = rate, True


def _end_epoch(
    walk: Walk, callbacks: tuple[Callback, ...], epoch: int, logs: dict[str, float]
) -> tuple[int, ...]:
    """Let every callback see the end of an epoch; return who asked for the stop."""
    stopped_by = []
    enders, walk.raised = _ends_in_batch(callbacks, logs)
    walk.broken_off = bool(enders)
    for index, callback in enumerate(callbacks):
        if walk.raised and index not in enders:
            # an exception in a batch: on_epoch_end is called of none
            continue
        seen = Observation(
            epoch, logs, walk.rate, walk.weights_epoch, walk.learning_rate_key
        )
        logs.update(callback.written_logs(seen))
        state, decision = callback.step(walk.states[index], seen)
        walk.states[index] = state
        if rule_name(callback) != _SCHEDULER:
            # its step stands at the beginning of the epoch
            walk.trace.append(Step(epoch, index, walk.rate, state, decision))
        if decision.reduced:
            walk.rate, walk.has_changed = decision.learning_rate, True
        if decision.restored_epoch is not None:
            walk.weights_epoch = decision.restored_epoch
        if decision.stop:
            stopped_by.append(index)
    return tuple(stopped_by)


def _ends_in_batch(
    callbacks: tuple[Callback, ...], logs: dict[str, float]
) -> tuple[list[int], bool]:
    """Return who ends an epoch within it, and whether by an error."""
    enders = []
    for index, callback in enumerate(callbacks):
        ender: Any = callback
        if rule_name(callback) == "TerminateOnNaN" and ender.ends_in_batch(logs):
            enders.append(index)
            if ender.raise_error:
                return enders, True
    return enders, False
