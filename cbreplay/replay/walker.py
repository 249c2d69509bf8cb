"""One callbacks list on one run, epoch by epoch, by one reading of its rate."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from cbreplay.errors import ConfigError
from cbreplay.replay.records import Step
from cbreplay.replay.under_way import Seam, Walk, earlier_of
from cbreplay.rules.base import begin_all, best_seen
from cbreplay.rules.decisions import NOTHING, BestSeen, Decision, Observation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from cbreplay.evidence.validity import RecordedRate
    from cbreplay.replay.epoch_logs import EpochLogs
    from cbreplay.rules.base import Callback
    from cbreplay.rules.callbacks_list import CallbacksList
    from cbreplay.rules.training import Training
    from cbreplay.run import Run

__all__ = ["Walker", "schedules_rate"]


class Walker:
    """Replays one callbacks list on one run, epoch by epoch.

    It decides by one reading of the recorded rate.
    """

    def __init__(
        self,
        run: Run,
        callbacks: CallbacksList,
        training: Training,
        logs: EpochLogs,
        recorded: RecordedRate,
        *,
        gap: int | None,
        seams: Mapping[int, Seam],
        goes_on: bool,
    ) -> None:
        self.callbacks, self.groups = callbacks
        self.gap, self.seams = gap, seams
        self.possible_seams = run.possible_seams
        self.same_callbacks = run.same_callbacks
        # by the seam: with which states a fit ended that wrote rows behind it too
        self.carried: Mapping[int, Sequence[Any]] = {}
        self.earlier_rows: dict[int, dict[str, float]] = {}
        for name, series in run.series.items():
            for at, (value, *_) in series.others.items():
                self.earlier_rows.setdefault(at, {})[name] = value
        self.training = training._replace(shared={})
        self.framework = training.framework
        self.logs, self.recorded = logs, recorded
        self.goes_on = goes_on
        acting = [rule.acts_at for rule in self.callbacks]
        self.at_begin = [i for i, phases in enumerate(acting) if "begin" in phases]
        self.in_batch = [i for i, phases in enumerate(acting) if "batch" in phases]
        # callbacks that act only as an epoch begins are in the trace from there
        self.at_end = [i for i, phases in enumerate(acting) if phases != {"begin"}]
        self.watched = [rule.watched for rule in self.callbacks]
        self.walked = Walk([], None, training.first_epoch)

    def walk(self, states: Sequence[Any] | None) -> Walk:
        """Replay until a stop, a divergence, or the horizon."""
        walk = self.walked = self.begin(states)
        for position, fit_logs in enumerate(self.logs):
            if self.live(position, fit_logs):
                break
        ended_here = walk.is_evident or self.goes_on
        if walk.rates and ended_here and not walk.raised:
            self._end_training()
        if walk.is_evident:
            walk.evident_steps = len(walk.trace)
            walk.evident_states = tuple(walk.states)
        return walk

    def live(self, position: int, fit_logs: dict[str, float]) -> bool:
        """Go through one epoch; return whether it is the last that is walked."""
        walk, epoch = self.walked, self.training.first_epoch + position
        steps_before = len(walk.trace)
        resumes = epoch in self.seams and position > 0
        if resumes:
            self._resume(epoch)
        if not walk.sets_rate:
            # nothing in the list has set the rate
            walk.rate = self.recorded.values[position]
        asked = self._begin_epoch(epoch, is_first=position == 0 or resumes)
        if walk.is_evident and self._ends_evidence(position, epoch):
            walk.evident_steps = steps_before
            walk.evident_states = tuple(walk.states)
            if not self.goes_on:
                return True
        walk.rates.append(walk.rate)
        walk.last_epoch = walk.weights_epoch = epoch
        asked = self._end_epoch(epoch, fit_logs, asked)
        return self._ends_training(epoch, tuple(asked))

    def _resume(self, epoch: int) -> None:
        """End the fit before a seam, and begin the next one.

        If the list leaves other weights in memory there than the recorded fit did, the
        next fit would have been another training; and if it does not stop where a
        callback of the recorded fit did, that fit would have gone on.
        """
        walk, seam = self.walked, self.seams[epoch]
        if walk.rates and not walk.raised and not seam.broken_off:
            self._end_training()
        other_weights = walk.weights_epoch != epoch - 1 and not seam.same_list
        if other_weights or seam.cut_short:
            self.gap = earlier_of(self.gap, epoch)
        walk.weights_epoch = epoch - 1
        if walk.sets_rate and self._is_raised(epoch):
            walk.rate = self.recorded.values[epoch - self.training.first_epoch]
            walk.notes.append(
                f"the learning rate rises at epoch {epoch + 1}, where a fit was "
                "resumed: that fit is taken to have set it"
            )
        self._end_fit_with_earlier_row(epoch)
        training = self.training._replace(first_epoch=epoch)
        carried = self.carried.get(epoch, walk.states) if self.same_callbacks else None
        walk.states = begin_all(self.callbacks, training, carried)
        walk.begun[epoch] = tuple(walk.states)
        walk.trainer = self.framework.begin_trainer(training)

    def _end_fit_with_earlier_row(self, epoch: int) -> None:
        """Hand on what a fit did in its own row of the first epoch of the next."""
        position = epoch - self.training.first_epoch
        if epoch not in self.carried and self.hands_on(position):
            before = self.fork()
            before.seams = {}
            before.live(position, self.logs[position] | self.earlier_rows[position])
            self.hand_on(before, epoch)

    def _is_raised(self, epoch: int) -> bool:
        """Return whether a resumed fit has set a higher rate than the fit before it.

        No reduction does that, and so the fit begins with it whatever was reduced.
        """
        position = epoch - self.training.first_epoch
        before, rate = self.recorded.values[position - 1 : position + 1]
        if before is None or rate is None or any(map(schedules_rate, self.callbacks)):
            return False
        return rate > before

    def end_and_keep(self) -> int | None:
        """End the training, and return what `kept` does."""
        self._end_training()
        return self.kept()

    def kept(self) -> int | None:
        """Return whose weights an ended walk keeps; None where the log cannot tell."""
        return self.walked.weights_epoch if self.walked.is_evident else None

    def best(self) -> BestSeen:
        """Return the best value so far of the first callback that keeps one."""
        return best_seen(self.callbacks, self.walked.states)

    def seams_at(self, epoch: int) -> list[Mapping[int, Seam]]:
        """Return the seams; where an epoch may be one, also the seams without it."""
        if epoch not in self.possible_seams:
            return [self.seams]
        return [self.seams, {at: own for at, own in self.seams.items() if at != epoch}]

    def hands_on(self, position: int) -> bool:
        """Return whether a fit that wrote a row of its own here hands something on."""
        hands_on = self.same_callbacks or self.walked.sets_rate
        return hands_on and position in self.earlier_rows

    def hand_on(self, before: Walker, epoch: int) -> None:
        """Go on at a seam as the fit before it ended."""
        self.walked.rate = before.walked.rate
        self.carried = {**self.carried, epoch: before.walked.states}

    def fork(self) -> Walker:
        """Return a copy that goes on from the same epoch by itself."""
        fork, walk = copy(self), copy(self.walked)
        fork.walked = walk
        walk.states, walk.unmet = list(walk.states), set(walk.unmet)
        walk.begun = dict(walk.begun)
        # later epochs need the last rate; all rates are read from the original
        walk.rates, walk.trace, walk.notes = walk.rates[-1:], [], []
        return fork

    def situation(self) -> str:
        """Return what later decisions depend on, as text, so that NaN equals NaN.

        And what was written last: no state tells which of two fits wrote a file.
        """
        walk = self.walked
        evidence = (walk.divergence, walk.gap)
        written = [step.decision.saved_file for step in walk.trace]
        weights = (walk.weights_epoch, written)
        return repr((walk.states, walk.rate, walk.trainer, weights, evidence))

    def decided(self, epoch: int) -> str:
        """Return what was decided in the last epoch as text; ends a stopped training.

        Without `improved`: two ways may disagree about the best and decide the same.
        """
        walk = self.walked
        decisions = [
            (step.callback, step.decision._replace(improved=None))
            for step in walk.trace
        ]
        kept = None
        if walk.stopped is not None and not walk.raised:
            self._end_training()
            kept = walk.weights_epoch
        return repr((epoch, walk.divergence, walk.stopped_by, decisions, kept))

    def begin(self, states: Sequence[Any] | None) -> Walk:
        """Return a walk whose training is about to begin."""
        training = self.training
        if states is None:
            states = begin_all(self.callbacks, training)
        logged = {None, *self.logs.names}
        walk = Walk(list(states), self._first_rate(), training.first_epoch)
        walk.trainer = self.framework.begin_trainer(training)
        walk.sets_rate = any(rule.changes_learning_rate for rule in self.callbacks)
        walk.learning_rate_key = training.semantics.learning_rate_key
        watched = enumerate(self.watched)
        walk.unmet = {index for index, name in watched if name not in logged}
        return walk

    def _first_rate(self) -> float | None:
        """Return the rate before the first epoch: mostly the recorded one."""
        schedules = any(map(schedules_rate, self.callbacks))
        if schedules and self.recorded.initial is not None:
            # the log's first row holds the rate after the schedule has set it
            return self.recorded.initial
        return self.recorded.values[0]

    def _diverges(self, position: int, epoch: int) -> bool:
        """Return whether an epoch would be trained at another rate or weights."""
        walk = self.walked
        if walk.weights_epoch != epoch - 1:
            # earlier weights were put back, and training goes on from them
            walk.diverged_by_weights = True
            return True
        before = walk.rates[-1] if walk.rates else None
        return walk.sets_rate and self.recorded.differs(
            position, walk.rate, before=before, has_changed=walk.has_changed
        )

    def _ends_evidence(self, position: int, epoch: int) -> bool:
        """Return whether the log is no evidence from this epoch on, and note why."""
        if self._diverges(position, epoch):
            self.walked.divergence = epoch
        elif self.gap is not None and epoch >= self.gap:
            self.walked.gap = epoch
        return not self.walked.is_evident

    def _begin_epoch(self, epoch: int, *, is_first: bool) -> list[int]:
        """Let callbacks act at the begin; return who asked for the stop there."""
        asked: list[int] = []
        if not self.at_begin:
            return asked
        walk = self.walked
        rules = [(index, self.callbacks[index]) for index in self.at_begin]
        acts = [(index, rule.begin_epoch) for index, rule in rules]
        if is_first:
            acts = [*((index, rule.begin_training) for index, rule in rules), *acts]
        for index, act in acts:
            seen = self._observe(epoch, {}, asked)
            walk.states[index], decision = act(walk.states[index], seen)
            self._take(index, epoch, decision, asked)
        return asked

    def _end_epoch(
        self, epoch: int, fit_logs: dict[str, float], asked: list[int]
    ) -> list[int]:
        """Let every callback see the end of an epoch; return who asks for the stop."""
        walk = self.walked
        enders = self._enders_in_batch(fit_logs) if self.in_batch else []
        # asked for as the epoch began, or at a loss: training ends within the epoch
        walk.broken_off_by = next(iter([*asked, *enders]), None)
        logs_of: dict[tuple[int, ...], dict[str, float]] = {(): dict(fit_logs)}
        for index, callback in enumerate(self.callbacks):
            if walk.raised and index not in enders:
                # after an exception in a batch no callback sees the epoch's end
                continue
            logs = _shared_logs(logs_of, self.groups[index])
            seen = self._observe(epoch, logs, asked, fit_logs)
            own_code = callback.holds_own_code
            known = set(logs) if own_code else _NO_NAMES
            logs.update(callback.written_logs(seen))
            value = logs.get(self.watched[index] or "")
            if value is not None:
                walk.unmet.discard(index)
            walk.states[index], decision = callback.step(walk.states[index], seen)
            if own_code:
                self._check_written(index, logs, known)
            if index in self.at_end:
                self._take(index, epoch, decision, asked, value, is_end=True)
        return asked

    def _enders_in_batch(self, fit_logs: dict[str, float]) -> list[int]:
        """Return who ends the epoch in mid-batch, up to the first that raises."""
        enders = []
        for index in self.in_batch:
            if self.callbacks[index].ends_in_batch(fit_logs):
                enders.append(index)
                if self.callbacks[index].raises:
                    self.walked.raised = True
                    break
        return enders

    def _ends_training(self, epoch: int, asked: tuple[int, ...]) -> bool:
        """Return whether training ends here: the loop may overrule a stop."""
        walk = self.walked
        stopped_by, why_not = asked, ""
        if not walk.raised:
            walk.trainer, stopped_by, why_not = self.framework.end_epoch(
                walk.trainer, epoch, asked
            )
        if asked and not stopped_by and not walk.overruled:
            walk.overruled = True
            walk.notes.append(
                f"{self.callbacks[asked[0]].class_name} asks for the stop at the end "
                f"of epoch {epoch + 1}: {why_not}"
            )
        if stopped_by:
            walk.stopped, walk.stopped_by = epoch, stopped_by
        return bool(stopped_by)

    def _end_training(self) -> None:
        """Let every callback see the end of training, where weights are put back."""
        walk = self.walked
        fit_logs = self.logs[walk.last_epoch - self.training.first_epoch]
        asked = list(walk.stopped_by)
        for index, callback in enumerate(self.callbacks):
            seen = self._observe(walk.last_epoch, dict(fit_logs), asked, fit_logs)
            held = callback.held_epoch(walk.states[index])
            walk.states[index], decision = callback.end_training(
                walk.states[index], seen
            )
            if decision.saved_file or decision.restored_epoch != held:
                # training is over: a rate or a stop that is set now changes nothing
                decision = decision._replace(
                    stop=False, cancels_stop=False, scheduled=False, reduced=False
                )
                self._take(index, walk.last_epoch, decision, [])
            elif held is not None:
                walk.weights_epoch = held

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
        if is_end or decision != NOTHING:
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
        self, index: int, logs: dict[str, float], known: AbstractSet[str]
    ) -> None:
        """Refuse a written value that is no float, if another callback monitors it."""
        for name in logs.keys() - known:
            if name in self.watched and type(logs[name]) is not float:
                sentence = (
                    f"{self.callbacks[index].class_name} writes {name!r} into logs as "
                    f"{type(logs[name]).__name__}, which {self.framework.title} "
                    "compares in another precision than a Python float. Write "
                    "float(...)"
                )
                raise ConfigError(sentence)


def schedules_rate(rule: Callback) -> bool:
    """Return whether a rule sets the rate that an epoch begins with."""
    return rule.changes_learning_rate and "begin" in rule.acts_at


_NO_NAMES: frozenset[str] = frozenset()


def _shared_logs(
    logs_of: dict[tuple[int, ...], dict[str, float]], group: tuple[int, ...]
) -> dict[str, float]:
    """Return the logs of a nested list: at first a copy of the outer list's logs."""
    if group not in logs_of:
        logs_of[group] = dict(_shared_logs(logs_of, group[:-1]))
    return logs_of[group]
