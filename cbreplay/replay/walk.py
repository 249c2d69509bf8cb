"""Epoch by epoch: what every callback of a list decides on a recorded run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cbreplay.errors import ConfigError, EvidenceError
from cbreplay.replay.records import Step
from cbreplay.rules.base import Decision, Observation, rule_name, watched_series
from cbreplay.validity import RecordedRate, read_followed_rates, read_recorded_rates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.rules.base import Callback, Training
    from cbreplay.rules.callbacks_list import CallbacksList
    from cbreplay.run import Run

__all__ = ["Walk", "walk_run"]


@dataclass(slots=True, eq=False, repr=False)
class Walk:
    """A replay under way. Everything before the divergence is kept apart.

    Until `sets_rate`, the rate is the recorded one. `unmet` are the callbacks that
    have not met their monitor yet, which ``fit`` does not log.
    """

    states: list[Any]
    rate: float | None
    sets_rate: bool = False
    has_changed: bool = False
    divergence: int | None = None
    diverged_by_weights: bool = False
    evident_steps: int = 0
    evident_states: tuple[Any, ...] = ()
    stopped: int | None = None
    stopped_by: tuple[int, ...] = ()
    last_epoch: int = 0
    weights_epoch: int = 0
    broken_off: bool = False
    raised: bool = False
    unmet: set[int] = field(default_factory=set)
    learning_rate_key: str = "learning_rate"
    rates: list[float | None] = field(default_factory=list)
    trace: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def walk_run(
    run: Run,
    callbacks: CallbacksList,
    training: Training,
    *,
    initial_learning_rate: float | None,
    goes_on: bool,
    states: Sequence[Any] | None = None,
) -> Walk:
    """Replay a run; where its rate can be read in two ways, the earlier end counts.

    Parameters
    ----------
    run, callbacks, training : Run, CallbacksList, Training
        What is replayed on what, by which Keras.
    initial_learning_rate : float or None
        The rate of the first epoch, where the log does not record one.
    goes_on : bool
        Whether to carry on past a divergence, as if the curve still held.
    states : sequence of object, optional
        The state of each callback when training begins; new ones by default.

    Raises
    ------
    ConfigError, EvidenceError
        As `replay_run`.
    """
    rules = callbacks.callbacks
    _refuse_schedule(run, rules)
    if any(one.changes_learning_rate for one in rules):
        readings = read_recorded_rates(
            run,
            initial_learning_rate=initial_learning_rate,
            needs_value=any(one.needs_learning_rate for one in rules),
            scheduled=any(rule_name(one) == _SCHEDULER for one in rules),
        )
    else:
        readings = read_followed_rates(run, initial_learning_rate)
        if not any(rule_name(one) == _DRIVEN for one in rules):
            # nobody asks for the rate
            readings = readings[:1]
    logs = _epoch_logs(run)
    walks = [
        _Walker(callbacks, training, logs, reading, goes_on=goes_on).walk(states)
        for reading in readings
    ]
    first = min(walks, key=_divergence_order)
    if first.divergence == run.first_epoch and readings[0].initial is None:
        first.notes.append(
            "the log holds the rate of its first epoch as a schedule left it; a "
            "schedule that changes the rate it finds needs the one before, by "
            "--initial-lr or initial_learning_rate="
        )
    _compare_readings(run, walks, first)
    return first


def _compare_readings(run: Run, walks: list[Walk], first: Walk) -> None:
    """Say where the two readings of a rate part; refuse if they decide otherwise."""
    if len({walk.divergence for walk in walks}) > 1:
        ends = " or ".join(_spoken_divergence(walk) for walk in walks)
        first.notes.append(
            "the log does not tell whether its learning rate was written before or "
            f"after a reduction; by these readings the replay diverges {ends}, and "
            "the earlier one is taken"
        )
    elif len({(walk.stopped, walk.weights_epoch) for walk in walks}) > 1:
        sentence = (
            f"run {run.name!r} does not tell whether its learning rate was written "
            "before or after a reduction, and these callbacks decide otherwise by "
            "each. Give the CSV of the same training, or its run.json."
        )
        raise EvidenceError(sentence)


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


def _epoch_logs(run: Run) -> list[dict[str, float]]:
    """Return Keras's ``logs`` of every epoch; an unrecorded value is absent."""
    logs: list[dict[str, float]] = [{} for _ in range(run.n_epochs)]
    for name, series in run.series.items():
        columns = zip(
            logs, series.values.tolist(), series.recorded.tolist(), strict=True
        )
        for epoch_logs, value, recorded in columns:
            if recorded:
                epoch_logs[name] = value
    return logs


_SCHEDULER, _DRIVEN = "LearningRateScheduler", "DrivenCallback"


class _Walker:
    """Replays one list on one reading of one record, epoch by epoch."""

    def __init__(
        self,
        callbacks: CallbacksList,
        training: Training,
        logs: list[dict[str, float]],
        recorded: RecordedRate,
        *,
        goes_on: bool,
    ) -> None:
        self.callbacks, self.groups = callbacks
        self.training, self.logs, self.recorded = training, logs, recorded
        self.goes_on = goes_on
        self.walked = Walk(states=[], rate=None)

    def walk(self, states: Sequence[Any] | None) -> Walk:
        """Replay until a stop, a divergence, or the horizon."""
        training, first_epoch = self.training, self.training.first_epoch
        if any(rule_name(one) == _DRIVEN for one in self.callbacks):
            from cbreplay.rules.keras.stand_in import Stage

            training = training._replace(stage=Stage(training))
        if states is None:
            states = [callback.begin(training) for callback in self.callbacks]
        walk = self.walked = Walk(
            states=list(states),
            rate=self._first_rate(),
            sets_rate=any(one.changes_learning_rate for one in self.callbacks),
            last_epoch=first_epoch - 1,
            weights_epoch=first_epoch - 1,
            learning_rate_key=training.semantics.learning_rate_key,
            unmet=set(self._unlogged()),
        )
        for position, fit_logs in enumerate(self.logs):
            epoch = first_epoch + position
            steps_before = len(walk.trace)
            if not walk.sets_rate:
                # nothing in the list has set it
                walk.rate = self.recorded.values[position]
            asked = self._begin_epoch(epoch, is_first=position == 0)
            if walk.divergence is None and self._diverges(position, epoch):
                walk.divergence = epoch
                walk.evident_steps = steps_before
                walk.evident_states = tuple(walk.states)
                if not self.goes_on:
                    break
            walk.rates.append(walk.rate)
            walk.last_epoch = walk.weights_epoch = epoch
            walk.stopped_by = self._end_epoch(epoch, fit_logs, asked)
            if walk.stopped_by:
                walk.stopped = epoch
                break
        ended_here = walk.divergence is None or self.goes_on
        if walk.rates and ended_here and not walk.raised:
            self._end_training()
        if walk.divergence is None:
            walk.evident_steps = len(walk.trace)
            walk.evident_states = tuple(walk.states)
        return walk

    def _end_training(self) -> None:
        """Let every callback see the end of training, where weights are put back."""
        walk = self.walked
        fit_logs = self.logs[walk.last_epoch - self.training.first_epoch]
        asked = list(walk.stopped_by)
        for index, callback in enumerate(self.callbacks):
            if rule_name(callback) == _DRIVEN:
                driven: Any = callback
                seen = self._observe(walk.last_epoch, dict(fit_logs), asked, fit_logs)
                walk.states[index], decision = driven.end_training(
                    walk.states[index], seen
                )
                # what it does to the rate or the stop there comes too late
                if decision.saved_file or decision.restored_epoch is not None:
                    decision = decision._replace(
                        stop=False, cancels_stop=False, scheduled=False, reduced=False
                    )
                    self._take(index, walk.last_epoch, decision, [])
                continue
            held = callback.held_epoch(walk.states[index])
            if held is not None:
                walk.weights_epoch = held

    def _first_rate(self) -> float | None:
        """Return S before the first epoch begins: mostly L of that epoch."""
        schedules = any(rule_name(one) == _SCHEDULER for one in self.callbacks)
        if schedules and self.recorded.initial is not None:
            # the row of the first epoch holds what a schedule made of it
            return self.recorded.initial
        return self.recorded.values[0]

    def _unlogged(self) -> Iterator[int]:
        """Yield the callbacks whose monitor ``fit`` logs in no epoch."""
        logged = set().union(*self.logs)
        for index, callback in enumerate(self.callbacks):
            if watched_series(callback) not in (None, *logged):
                yield index

    def _diverges(self, position: int, epoch: int) -> bool:
        """Return whether an epoch would be trained otherwise than it was."""
        walk = self.walked
        if walk.weights_epoch != epoch - 1:
            # earlier weights were put back, and training goes on from them
            walk.diverged_by_weights = True
            return True
        before = walk.rates[-1] if walk.rates else None
        return walk.sets_rate and self.recorded.differs(
            position, walk.rate, before=before, has_changed=walk.has_changed
        )

    def _begin_epoch(self, epoch: int, *, is_first: bool) -> list[int]:
        """Let callbacks act at the begin; return who asked for the stop there."""
        walk = self.walked
        asked: list[int] = []
        for phase in (
            ("begin_training", "begin_epoch") if is_first else ("begin_epoch",)
        ):
            for index, callback in enumerate(self.callbacks):
                kind = rule_name(callback)
                if kind == _DRIVEN:
                    seen = self._observe(epoch, {}, asked)
                    hook = getattr(callback, phase)
                    walk.states[index], decision = hook(walk.states[index], seen)
                    self._take(index, epoch, decision, asked)
                elif (
                    kind == _SCHEDULER
                    and phase == "begin_epoch"
                    and walk.rate is not None
                ):
                    scheduler: Any = callback
                    rate = scheduler.begin_epoch(epoch, walk.rate)
                    decision = Decision(scheduled=True, learning_rate=rate)
                    self._take(index, epoch, decision, asked)
        return asked

    def _end_epoch(
        self, epoch: int, fit_logs: dict[str, float], asked: list[int]
    ) -> tuple[int, ...]:
        """Let every callback see the end of an epoch; return who stops training."""
        walk = self.walked
        enders, walk.raised = _ends_in_batch(self.callbacks, fit_logs)
        # training ends within the epoch, after its first batch or at that loss
        walk.broken_off = bool(enders or asked)
        logs_of: dict[tuple[int, ...], dict[str, float]] = {(): dict(fit_logs)}
        for index, callback in enumerate(self.callbacks):
            if walk.raised and index not in enders:
                # an exception in a batch: on_epoch_end is called of none
                continue
            logs = _shared_logs(logs_of, self.groups[index])
            seen = self._observe(epoch, logs, asked, fit_logs)
            known = set(logs)
            logs.update(callback.written_logs(seen))
            value = logs.get(watched_series(callback) or "")
            if value is not None:
                walk.unmet.discard(index)
            walk.states[index], decision = callback.step(walk.states[index], seen)
            self._check_written(index, logs, known)
            if rule_name(callback) != _SCHEDULER:
                # its step stands at the beginning of the epoch
                self._take(index, epoch, decision, asked, value, is_end=True)
        return tuple(asked)

    def _observe(
        self,
        epoch: int,
        logs: dict[str, float],
        asked: list[int],
        fit_logs: Mapping[str, float] | None = None,
    ) -> Observation:
        walk = self.walked
        return Observation(
            epoch,
            logs,
            walk.rate,
            walk.weights_epoch,
            walk.learning_rate_key,
            bool(asked),
            logs if fit_logs is None else fit_logs,
        )

    def _take(
        self,
        index: int,
        epoch: int,
        decision: Decision,
        asked: list[int],
        value: float | None = None,
        *,
        is_end: bool = False,
    ) -> None:
        """Enter a decision into the trace, and do what it says."""
        walk = self.walked
        if is_end or decision != _NOTHING:
            walk.trace.append(
                Step(epoch, index, walk.rate, walk.states[index], decision, value)
            )
        if decision.reduced or decision.scheduled:
            walk.rate = decision.learning_rate
            walk.has_changed = walk.sets_rate = True
        if decision.restored_epoch is not None:
            walk.weights_epoch = decision.restored_epoch
        if decision.cancels_stop:
            asked.clear()
        elif decision.stop:
            asked.append(index)

    def _check_written(
        self, index: int, logs: dict[str, float], known: set[str]
    ) -> None:
        """Refuse what a callback wrote and the next would compare in its own way."""
        for name in logs.keys() - known:
            watched = any(watched_series(one) == name for one in self.callbacks)
            if watched and type(logs[name]) is not float:
                sentence = (
                    f"{getattr(self.callbacks[index], 'name', 'a callback')} writes "
                    f"{name!r} into logs as {type(logs[name]).__name__}, which Keras "
                    "compares in another precision than a Python float. "
                    "Write float(...)"
                )
                raise ConfigError(sentence)


_NOTHING = Decision()


def _shared_logs(
    logs_of: dict[tuple[int, ...], dict[str, float]], group: tuple[int, ...]
) -> dict[str, float]:
    """Return the logs of a nested list: a copy of those around it, once it is met."""
    if group not in logs_of:
        logs_of[group] = dict(_shared_logs(logs_of, group[:-1]))
    return logs_of[group]


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
