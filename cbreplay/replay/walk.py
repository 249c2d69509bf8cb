"""Epoch by epoch: what every callback of a list decides on a recorded run."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.errors import ConfigError, EvidenceError
from cbreplay.holes import find_gap_of
from cbreplay.replay.records import Step, Waited, read_waited
from cbreplay.replay.unsure_stops import UnsureStops
from cbreplay.rounded import find_unclear
from cbreplay.rules.base import Decision, Observation, read_series
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.validity import RecordedRate, read_followed_rates, read_recorded_rates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from cbreplay.rules.base import Callback, Training
    from cbreplay.rules.callbacks_list import CallbacksList
    from cbreplay.rules.family import Family
    from cbreplay.run import Run

__all__ = ["Walk", "find_unsure_stops", "walk_run"]


@dataclass(slots=True, eq=False, repr=False)
class Walk:
    """A replay under way. Everything before the divergence is kept apart.

    Until `sets_rate`, the rate is the recorded one. `unmet` are the callbacks that
    have not met what they watch yet, which ``fit`` does not log. `trainer` is the
    state of the training loop, and `overruled` whether it ever went on although a
    callback had asked for the stop. `broken_off_by` is who ended the last epoch
    before its end. `gap` is the first epoch of which the log lacks what the list
    decides by, if the walk came there.
    """

    states: list[Any]
    rate: float | None
    trainer: Any = None
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
    broken_off_by: int | None = None
    raised: bool = False
    overruled: bool = False
    gap: int | None = None
    candidates: tuple[int, ...] = ()
    unmet: set[int] = field(default_factory=set)
    learning_rate_key: str = "learning_rate"
    rates: list[float | None] = field(default_factory=list)
    trace: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_evident(self) -> bool:
        """Whether the log is evidence for all that was decided so far."""
        return self.divergence is None and self.gap is None

    @property
    def end_of_evidence(self) -> int | None:
        """The first epoch for which it is none; None if there is no such."""
        return self.gap if self.divergence is None else self.divergence


def walk_run(
    run: Run,
    callbacks: CallbacksList,
    training: Training,
    family: Family,
    *,
    initial_learning_rate: float | None,
    goes_on: bool,
    states: Sequence[Any] | None = None,
) -> Walk:
    """Replay a run; where its rate can be read in two ways, the earlier end counts.

    Parameters
    ----------
    run, callbacks, training, family : Run, CallbacksList, Training, Family
        What is replayed on what, by whose rules.
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
    family.check_run(run, callbacks.callbacks)
    readings = _read_rates(run, callbacks.callbacks, initial_learning_rate)
    logs = _epoch_logs(run)
    gap = _find_gap(run, callbacks.callbacks)
    others = _other_logs(run, callbacks.callbacks, logs)
    walks = []
    for reading in readings:
        walker = _Walker(
            callbacks,
            training,
            family,
            logs,
            reading,
            gap=gap,
            seams=_find_seams(run, callbacks.callbacks),
            possible_seams=run.possible_seams,
            same_callbacks=run.same_callbacks,
            goes_on=goes_on,
        )
        candidates: tuple[int, ...] = ()
        if others or run.possible_seams:
            found, candidates = _find_uncertain(
                walker, states, others, rounded=bool(run.rounded_to)
            )
            walker.gap = _earlier(gap, found)
        walks.append(walker.walk(states))
        walks[-1].candidates = candidates
    first = min(walks, key=_divergence_order)
    if first.divergence == run.first_epoch and readings[0].initial is None:
        first.notes.append(
            "the log holds the rate of its first epoch as a schedule left it; a "
            "schedule that changes the rate it finds needs the one before, by "
            "--initial-lr or initial_learning_rate="
        )
    _compare_readings(run, walks, first)
    return first


def find_unsure_stops(
    run: Run,
    endless: Any,  # noqa: ANN401 - the rule that the registry names
    training: Training,
    family: Family,
    patience: Sequence[float],
) -> list[int | None]:
    """Return the first epoch in which a log leaves open what each patience decides.

    Parameters
    ----------
    run : Run
        What is replayed on.
    endless : EarlyStopping
        A rule that stops by patience, with one that never ends.
    training, family : Training, Family
        By whose rules.
    patience : sequence of float
        What is asked for.

    Returns
    -------
    list of int or None
        As `Replay.gap_epoch`, as far as several values of an epoch, rounding, and seams
        that may be one make it; None where all that it may have been decides alike.
    """
    rules = (endless,)
    logs = _epoch_logs(run)
    others = _other_logs(run, rules, logs)
    if not (others or run.possible_seams):
        return [None] * len(patience)
    walker = _Walker(
        read_callbacks(rules),
        training,
        family,
        logs,
        _read_rates(run, rules, None)[0],
        gap=_find_gap(run, rules),
        seams=_find_seams(run, rules),
        possible_seams=run.possible_seams,
        same_callbacks=run.same_callbacks,
        goes_on=False,
    )
    if run.rounded_to and len(others) > _MOST_CHOICES:
        return [_first_choice(walker, others)] * len(patience)
    restores = endless.restore_best_weights
    return walker.find_unsure_stops(others, patience, restores=restores)


def _read_rates(
    run: Run, rules: tuple[Callback, ...], initial_learning_rate: float | None
) -> tuple[RecordedRate, ...]:
    """Return every reading of the recorded rate that the list may decide by."""
    if any(rule.changes_learning_rate for rule in rules):
        return read_recorded_rates(
            run,
            initial_learning_rate=initial_learning_rate,
            needs_value=any(rule.needs_learning_rate for rule in rules),
            scheduled=any(map(_schedules_rate, rules)),
        )
    readings = read_followed_rates(run, initial_learning_rate)
    # without code of the user's nobody asks for the rate, and one reading will do
    own_code = any(rule.holds_own_code for rule in rules)
    return readings if own_code else readings[:1]


def _find_gap(run: Run, rules: tuple[Callback, ...]) -> int | None:
    """Return the first epoch of which the log lacks what a list decides by."""
    if any(rule.holds_own_code for rule in rules):
        # it may read whatever is logged
        return find_gap_of(run, run.series)
    return find_gap_of(run, read_series(rules))


def _find_seams(run: Run, rules: tuple[Callback, ...]) -> dict[int, bool]:
    """Return where a resumed fit began, and whether the one before had this list."""
    if not run.seams:
        return {}
    earlier = () if run.metadata is None else run.metadata.earlier_fits
    asked = [_bare(rule.code) for rule in rules if rule.acts_at]
    alike = [
        [text for text in map(_bare, fit.callbacks) if text in asked] == asked
        for fit in earlier
    ]
    known = dict(zip(run.seams, alike, strict=False))
    return {seam: known.get(seam, False) for seam in run.seams}


def _bare(code: str) -> str:
    return code.replace(" ", "").replace('"', "'")


def _other_logs(
    run: Run, rules: tuple[Callback, ...], logs: Sequence[dict[str, float]]
) -> dict[int, list[dict[str, float]]]:
    """Return the other logs that epochs with several values may have had."""
    own_code = any(rule.holds_own_code for rule in rules)
    reads = [*run.series] if own_code else read_series(rules)
    several = [
        (name, _other_values(run, name, rules)) for name in reads if name in run.series
    ]
    positions = {position for _, others in several for position in others}
    found = {}
    for position in positions:
        ways = [logs[position]]
        for name, others in several:
            ways += [
                way | {name: value}
                for way in ways
                for value in others.get(position, ())
            ]
        found[position] = ways[1:_MOST_WAYS]
    return found


def _other_values(
    run: Run, name: str, rules: tuple[Callback, ...]
) -> Mapping[int, tuple[float, ...]]:
    """Return what else an epoch may have held: values beside, or ends of rounding."""
    # code of the user's own is taken to ask which value is the best
    margins = [
        0.0 if rule.holds_own_code else rule.margin
        for rule in rules
        if rule.holds_own_code or name in rule.reads
    ]
    found: dict[int, tuple[float, ...]] = dict(run.series[name].others)
    later = any(rule.begins_later for rule in rules)
    for position, ends in find_unclear(run, name, margins, begins_later=later).items():
        found[position] = (*found.get(position, ()), *ends)
    return found


def _find_uncertain(
    walker: _Walker,
    states: Sequence[Any] | None,
    others: Mapping[int, list[dict[str, float]]],
    *,
    rounded: bool,
) -> tuple[int | None, tuple[int, ...]]:
    if any(rule.holds_own_code for rule in walker.callbacks):
        # it cannot be followed on several ways at once
        return _first_choice(walker, others), ()
    if rounded and len(others) > _MOST_CHOICES:
        return _first_choice(walker, others), ()
    return walker.find_uncertain(states, others, rounded=rounded)


def _first_choice(walker: _Walker, others: Mapping[int, object]) -> int:
    """Return the first epoch that may have been another: nothing is told from it on."""
    positions = [walker.training.first_epoch + position for position in others]
    return min([*positions, *walker.possible_seams])


def _earlier(first: int | None, second: int | None) -> int | None:
    known = [epoch for epoch in (first, second) if epoch is not None]
    return min(known, default=None)


def _schedules_rate(rule: Callback) -> bool:
    """Return whether a rule sets the rate that an epoch begins with."""
    return rule.changes_learning_rate and "begin" in rule.acts_at


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
    end = walk.end_of_evidence
    return math.inf if end is None else end


def _spoken_divergence(walk: Walk) -> str:
    if walk.divergence is None:
        return "nowhere"
    return f"at epoch {walk.divergence + 1}"


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


class _Roles(NamedTuple):
    """Which callbacks of a list act when, by their index."""

    at_begin: tuple[int, ...]
    in_batch: tuple[int, ...]
    at_end: tuple[int, ...]

    @classmethod
    def of(cls, callbacks: tuple[Callback, ...]) -> _Roles:
        acting = [rule.acts_at for rule in callbacks]
        places = range(len(callbacks))
        return cls(
            tuple(index for index in places if "begin" in acting[index]),
            tuple(index for index in places if "batch" in acting[index]),
            # what acts only as an epoch begins is entered into the trace there
            tuple(index for index in places if acting[index] != {"begin"}),
        )


# of as many choices at once nobody follows each, nor as many one after another
_MOST_WAYS = 256
_MOST_CHOICES = 5000


class _Fan(NamedTuple):
    """The ways that are followed, after an epoch.

    `ended` is which of them go no further, and `came_from` the places, among the ways
    that were open before, of those that each goes on from.
    """

    epoch: int
    ways: list[_Walker]
    ended: list[bool]
    came_from: list[list[int]]

    def open_ways(self) -> list[_Walker]:
        """Return those that go on."""
        return [way for way, end in zip(self.ways, self.ended, strict=True) if not end]

    def ended_ways(self) -> list[_Walker]:
        """Return those that do not."""
        return [way for way, end in zip(self.ways, self.ended, strict=True) if end]

    def follow(self, wanted: Sequence[bool]) -> None:
        """Follow no others any further."""
        self.ended[:] = [not follows for follows in wanted]


def _waited_of(walk: Walk) -> Waited | None:
    """Return how long a rule had waited at the end of the epoch that was walked."""
    return read_waited(walk.trace[-1]) if walk.trace else None


class _Walker:
    """Replays one list on one reading of one record, epoch by epoch."""

    def __init__(
        self,
        callbacks: CallbacksList,
        training: Training,
        family: Family,
        logs: list[dict[str, float]],
        recorded: RecordedRate,
        *,
        gap: int | None,
        seams: Mapping[int, bool],
        possible_seams: Collection[int],
        same_callbacks: bool,
        goes_on: bool,
    ) -> None:
        self.callbacks, self.groups = callbacks
        self.gap, self.seams = gap, seams
        self.possible_seams = possible_seams
        self.same_callbacks = same_callbacks
        self.training = training._replace(shared={})
        self.family, self.logs, self.recorded = family, logs, recorded
        self.goes_on, self.roles = goes_on, _Roles.of(self.callbacks)
        self.watched = [rule.watched for rule in self.callbacks]
        self.walked = Walk(states=[], rate=None)

    def walk(self, states: Sequence[Any] | None) -> Walk:
        """Replay until a stop, a divergence, or the horizon."""
        walk = self.walked = self._begin(states)
        for position, fit_logs in enumerate(self.logs):
            if self._live(position, fit_logs):
                break
        ended_here = walk.is_evident or self.goes_on
        if walk.rates and ended_here and not walk.raised:
            self._end_training()
        if walk.is_evident:
            walk.evident_steps = len(walk.trace)
            walk.evident_states = tuple(walk.states)
        return walk

    def _live(self, position: int, fit_logs: dict[str, float]) -> bool:
        """Go through one epoch; return whether it is the last that is walked."""
        walk, epoch = self.walked, self.training.first_epoch + position
        steps_before = len(walk.trace)
        resumes = epoch in self.seams and position > 0
        if resumes:
            self._resume(epoch)
        if not walk.sets_rate:
            # nothing in the list has set it
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
        next fit would have been another training.
        """
        walk = self.walked
        if walk.rates and not walk.raised:
            self._end_training()
        is_recorded_list = self.seams[epoch]
        if walk.weights_epoch != epoch - 1 and not is_recorded_list:
            self.gap = _earlier(self.gap, epoch)
        walk.weights_epoch = epoch - 1
        training = self.training._replace(first_epoch=epoch)
        if self.same_callbacks:
            walk.states = [
                callback.begin_again(state, training)
                for callback, state in zip(self.callbacks, walk.states, strict=True)
            ]
        else:
            walk.states = [callback.begin(training) for callback in self.callbacks]
        walk.trainer = self.family.begin_trainer(training)

    def find_uncertain(
        self,
        states: Sequence[Any] | None,
        others: Mapping[int, list[dict[str, float]]],
        *,
        rounded: bool,
    ) -> tuple[int | None, tuple[int, ...]]:
        """Return the first epoch in which a choice decides otherwise, and what is kept.

        Which of several values it was, and whether a fit was resumed where that is not
        known: every choice is followed, and choices that come to the same state are one
        from there on; None where all of them decide alike.

        Parameters
        ----------
        states : sequence of object or None
            As `walk` takes them.
        others : mapping of int to list of dict
            The other ``logs`` that an epoch may have had, by its position.
        rounded : bool
            Whether the choices are those that rounding leaves: then each is followed to
            its end, for the epochs that may be kept.
        """
        found: int | None = None
        kept: set[int | None] = set()
        fan = None
        for fan in self._follow(states, others):
            ways = fan.ways
            told = {way._decided(fan.epoch) for way in ways}  # noqa: SLF001 - another one of its own class
            if found is None and (len(told) > 1 or len(ways) > _MOST_WAYS):
                found = fan.epoch
            if found is not None and (not rounded or len(ways) > _MOST_WAYS):
                return found, ()
            kept |= {way._kept() for way in fan.ended_ways()}  # noqa: SLF001 - as above
        if rounded and fan is not None:
            kept |= {way._end_and_keep() for way in fan.open_ways()}  # noqa: SLF001 - as above
            if found is None and len(kept) > 1:
                # training ends with the record, and not with the same weights
                found = fan.epoch
        known = sorted(epoch for epoch in kept if epoch is not None)
        is_choice = found is not None and len(known) == len(kept) > 1
        return found, tuple(known) if is_choice else ()

    def find_unsure_stops(
        self,
        others: Mapping[int, list[dict[str, float]]],
        patience: Sequence[float],
        *,
        restores: bool,
    ) -> list[int | None]:
        """Return `find_uncertain` for every patience of a rule that never stops itself.

        All are followed at once: before its stop, nothing hangs on patience.

        Parameters
        ----------
        others : mapping of int to list of dict
            As `find_uncertain` takes them.
        patience : sequence of float
            What is asked for.
        restores : bool
            Whether a stop puts back the weights that are held.
        """
        stops = UnsureStops(patience, restores=restores, most_ways=_MOST_WAYS)
        fan = None
        for fan in self._follow(None, others):
            waits = [_waited_of(way.walked) for way in fan.ways]
            fan.follow(stops.go_on(fan.epoch, fan.came_from, waits, ended=fan.ended))
        if fan is not None:
            ends = [way._end_and_keep() for way in fan.open_ways()]  # noqa: SLF001 - another one of its own class
            stops.end(fan.epoch, ends)
        return stops.unsure

    def _follow(
        self,
        states: Sequence[Any] | None,
        others: Mapping[int, list[dict[str, float]]],
    ) -> Iterator[_Fan]:
        """Yield, epoch by epoch, the ways that the choices up to there lead to.

        Choices that come to the same state are one from there on.
        """
        self.walked = self._begin(states)
        open_ways = [self]
        for position, fit_logs in enumerate(self.logs):
            epoch = self.training.first_epoch + position
            turns = [
                *product(self._seams_at(epoch), [fit_logs, *others.get(position, ())])
            ]
            ways: dict[str, _Walker] = {}
            ended: dict[str, bool] = {}
            came_from: dict[str, list[int]] = {}
            for (number, way), (seams, logs) in product(enumerate(open_ways), turns):
                # where there is nothing to choose each goes on as it is
                fork = way._fork() if len(turns) > 1 else way  # noqa: SLF001 - another one of its own class
                fork.seams = seams
                fork.walked.trace.clear()
                is_last = fork._live(position, logs)  # noqa: SLF001 - as above
                situation = fork._situation()  # noqa: SLF001 - as above
                ended[situation], ways[situation] = is_last, fork
                came_from.setdefault(situation, []).append(number)
            fan = _Fan(
                epoch, [*ways.values()], [*ended.values()], [*came_from.values()]
            )
            yield fan
            open_ways = fan.open_ways()
            if not open_ways:
                return

    def _end_and_keep(self) -> int | None:
        """End the training, and return whose weights are kept as `_kept` does."""
        self._end_training()
        return self._kept()

    def _kept(self) -> int | None:
        """Return whose weights an ended walk keeps; None where the log cannot tell."""
        return self.walked.weights_epoch if self.walked.is_evident else None

    def _seams_at(self, epoch: int) -> list[Mapping[int, bool]]:
        """Return the seams, and what else they may be where that is not known."""
        if epoch not in self.possible_seams:
            return [self.seams]
        return [self.seams, {at: own for at, own in self.seams.items() if at != epoch}]

    def _fork(self) -> _Walker:
        """Return a walker that stands where this one does and goes its own way."""
        fork, walk = copy(self), self.walked
        fork.walked = replace(
            walk,
            states=list(walk.states),
            unmet=set(walk.unmet),
            # how many there were, and which, only the first way is asked
            rates=walk.rates[-1:],
            trace=[],
            notes=[],
        )
        return fork

    def _situation(self) -> str:
        """Write all that later decisions hang on; NaN is written like NaN."""
        walk = self.walked
        evidence = (walk.divergence, walk.gap)
        return repr(
            (walk.states, walk.rate, walk.trainer, walk.weights_epoch, evidence)
        )

    def _decided(self, epoch: int) -> str:
        """Write what was decided in the last epoch: not what was held to be best."""
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

    def _begin(self, states: Sequence[Any] | None) -> Walk:
        """Return a walk whose training is about to begin."""
        training = self.training
        if states is None:
            states = [callback.begin(training) for callback in self.callbacks]
        logged = {None}.union(*self.logs)
        return Walk(
            states=list(states),
            rate=self._first_rate(),
            trainer=self.family.begin_trainer(training),
            sets_rate=any(rule.changes_learning_rate for rule in self.callbacks),
            last_epoch=training.first_epoch - 1,
            weights_epoch=training.first_epoch - 1,
            learning_rate_key=training.semantics.learning_rate_key,
            unmet={
                index for index, name in enumerate(self.watched) if name not in logged
            },
        )

    def _first_rate(self) -> float | None:
        """Return S before the first epoch begins: mostly L of that epoch."""
        schedules = any(map(_schedules_rate, self.callbacks))
        if schedules and self.recorded.initial is not None:
            # the row of the first epoch holds what a schedule made of it
            return self.recorded.initial
        return self.recorded.values[0]

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

    def _ends_evidence(self, position: int, epoch: int) -> bool:
        """Note it where the log is no evidence from this epoch on."""
        if self._diverges(position, epoch):
            self.walked.divergence = epoch
        elif self.gap is not None and epoch >= self.gap:
            self.walked.gap = epoch
        return not self.walked.is_evident

    def _begin_epoch(self, epoch: int, *, is_first: bool) -> list[int]:
        """Let callbacks act at the begin; return who asked for the stop there."""
        asked: list[int] = []
        if not self.roles.at_begin:
            return asked
        walk = self.walked
        if is_first:
            for index in self.roles.at_begin:
                walk.states[index], decision = self.callbacks[index].begin_training(
                    walk.states[index], self._observe(epoch, {}, asked)
                )
                self._take(index, epoch, decision, asked)
        for index in self.roles.at_begin:
            walk.states[index], decision = self.callbacks[index].begin_epoch(
                walk.states[index], self._observe(epoch, {}, asked)
            )
            self._take(index, epoch, decision, asked)
        return asked

    def _end_epoch(
        self, epoch: int, fit_logs: dict[str, float], asked: list[int]
    ) -> list[int]:
        """Let every callback see the end of an epoch; return who asks for the stop."""
        walk = self.walked
        enders = self._enders_in_batch(fit_logs) if self.roles.in_batch else []
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
            if index in self.roles.at_end:
                self._take(index, epoch, decision, asked, value, is_end=True)
        return asked

    def _enders_in_batch(self, fit_logs: dict[str, float]) -> list[int]:
        """Return who ends the epoch within it; the first exception ends all."""
        enders = []
        for index in self.roles.in_batch:
            if self.callbacks[index].ends_in_batch(fit_logs):
                enders.append(index)
                if self.callbacks[index].raises:
                    self.walked.raised = True
                    break
        return enders

    def _ends_training(self, epoch: int, asked: tuple[int, ...]) -> bool:
        """Return whether training ends with an epoch: the loop has its own say."""
        walk = self.walked
        stopped_by, why_not = asked, ""
        if not walk.raised:
            walk.trainer, stopped_by, why_not = self.family.end_epoch(
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
                # what it does to the rate or the stop there comes too late
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
        self, index: int, logs: dict[str, float], known: AbstractSet[str]
    ) -> None:
        """Refuse what a callback wrote and the next would compare in its own way."""
        for name in logs.keys() - known:
            if name in self.watched and type(logs[name]) is not float:
                sentence = (
                    f"{self.callbacks[index].class_name} writes {name!r} into logs as "
                    f"{type(logs[name]).__name__}, which {self.family.title} compares "
                    "in another precision than a Python float. Write float(...)"
                )
                raise ConfigError(sentence)


_NOTHING = Decision()
_NO_NAMES: frozenset[str] = frozenset()


def _shared_logs(
    logs_of: dict[tuple[int, ...], dict[str, float]], group: tuple[int, ...]
) -> dict[str, float]:
    """Return the logs of a nested list: a copy of those around it, once it is met."""
    if group not in logs_of:
        logs_of[group] = dict(_shared_logs(logs_of, group[:-1]))
    return logs_of[group]
