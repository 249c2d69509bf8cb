"""One callbacks list on one run, epoch by epoch, by one reading of its rate."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from cbreplay.replay.hooks import Hooks
from cbreplay.replay.seams import HandedOn, is_raised
from cbreplay.replay.under_way import Walk, earlier_of
from cbreplay.rules.base import begin_all, best_seen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.evidence.validity import RecordedRate
    from cbreplay.replay.epoch_logs import EpochLogs
    from cbreplay.replay.seams import Seams
    from cbreplay.rules.callbacks_list import CallbacksList
    from cbreplay.rules.decisions import BestSeen
    from cbreplay.rules.training import Training

__all__ = ["Walker"]


class Walker:
    """Replays one callbacks list on one run, epoch by epoch.

    It decides by one reading of the recorded rate.
    """

    def __init__(
        self,
        callbacks: CallbacksList,
        training: Training,
        logs: EpochLogs,
        recorded: RecordedRate,
        *,
        gap: int | None,
        seams: Seams,
        goes_on: bool,
    ) -> None:
        self.callbacks = callbacks.callbacks
        self.gap, self.seams = gap, seams
        self.training = training._replace(shared={})
        self.hooks = Hooks(callbacks, training.framework)
        self.logs, self.recorded = logs, recorded
        self.goes_on = goes_on
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
        resumes = epoch in self.seams.known and position > 0
        if resumes:
            self._resume(epoch)
        if not walk.sets_rate:
            # nothing in the list has set the rate
            walk.rate = self.recorded.values[position]
        is_first = position == 0 or resumes
        asked = self.hooks.begin_epoch(walk, epoch, is_first=is_first)
        if walk.is_evident and self._ends_evidence(position, epoch):
            walk.evident_steps = steps_before
            walk.evident_states = tuple(walk.states)
            if not self.goes_on:
                return True
        walk.rates.append(walk.rate)
        walk.last_epoch = walk.weights_epoch = epoch
        asked = self.hooks.end_epoch(walk, epoch, fit_logs, asked)
        return self.hooks.ends_training(walk, epoch, tuple(asked))

    def _resume(self, epoch: int) -> None:
        """End the fit before a seam, and begin the next one.

        If the list leaves other weights in memory there than the recorded fit did, the
        next fit would have been another training; and if it does not stop where a
        callback of the recorded fit did, that fit would have gone on.
        """
        walk, seam = self.walked, self.seams.known[epoch]
        position = epoch - self.training.first_epoch
        if walk.rates and not walk.raised and not seam.broken_off:
            self._end_training()
        other_weights = walk.weights_epoch != epoch - 1 and not seam.same_list
        if other_weights or seam.cut_short:
            self.gap = earlier_of(self.gap, epoch)
        walk.weights_epoch = epoch - 1
        if walk.sets_rate and is_raised(self.recorded, position, self.callbacks):
            walk.rate = self.recorded.values[position]
            walk.notes.append(
                f"the learning rate rises at epoch {epoch + 1}, where a fit was "
                "resumed: that fit is taken to have set it"
            )
        self._end_fit_with_earlier_row(epoch, position)
        # most fits end with the row before
        handed = self.seams.handed_on.get(epoch, HandedOn(walk.states, walk.rate))
        if walk.sets_rate and handed.rate == self.recorded.values[position]:
            # else the rate is that of a checkpoint, or set anew
            walk.rate = handed.rate
        training = self.training._replace(first_epoch=epoch)
        carried = handed.states if self.seams.same_callbacks else None
        walk.states = begin_all(self.callbacks, training, carried)
        walk.begun[epoch] = tuple(walk.states)
        walk.trainer = training.framework.begin_trainer(training)

    def _end_fit_with_earlier_row(self, epoch: int, position: int) -> None:
        """Hand on what a fit did in its own row of the first epoch of the next."""
        if epoch not in self.seams.handed_on and self.hands_on(epoch):
            before = self.fork()
            before.seams = self.seams._replace(known={})
            row = self.logs[position] | self.seams.earlier_rows[epoch]
            before.live(position, row)
            self.hand_on(before, epoch)

    def hands_on(self, epoch: int) -> bool:
        """Return whether a fit that wrote a row of its own here hands something on."""
        hands_on = self.seams.same_callbacks or self.walked.sets_rate
        return hands_on and epoch in self.seams.earlier_rows

    def hand_on(self, before: Walker, epoch: int) -> None:
        """Go on at a seam as the fit before it ended."""
        ended = before.walked
        self.walked.rate = ended.rate
        handed_on = {epoch: HandedOn(ended.states, ended.rate)}
        self.seams = self.seams._replace(handed_on=self.seams.handed_on | handed_on)

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
        written = [step.decision.saved_files for step in walk.trace]
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
        walk.trainer = training.framework.begin_trainer(training)
        walk.sets_rate = any(rule.changes_learning_rate for rule in self.callbacks)
        walk.learning_rate_key = training.semantics.learning_rate_key
        watched = enumerate(self.hooks.watched)
        walk.unmet = {index for index, name in watched if name not in logged}
        return walk

    def _first_rate(self) -> float | None:
        """Return the rate before the first epoch: mostly the recorded one."""
        schedules = any(rule.schedules_rate for rule in self.callbacks)
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

    def _end_training(self) -> None:
        walk = self.walked
        fit_logs = self.logs[walk.last_epoch - self.training.first_epoch]
        self.hooks.end_training(walk, fit_logs)
