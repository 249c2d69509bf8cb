"""One log's answer: the steps of patience, and the usual change to compare with."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from cbreplay.errors import ConfigError
from cbreplay.given import as_run
from cbreplay.holes import find_gap
from cbreplay.judging import read_judging
from cbreplay.median import median_of
from cbreplay.outcomes import (
    best_recorded_epoch,
    has_ambiguous_best,
    judge_certainly,
    never_changes,
    seconds_after,
)
from cbreplay.replay import (
    Replay,
    Step,
    find_unsure_stops,
    read_waited,
    replay_run,
)
from cbreplay.rules.registry import stopping_rule
from cbreplay.rules.training import describe_training
from cbreplay.showing import show_frame, show_html, show_plot, show_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Unpack

    import pandas as pd
    from matplotlib.figure import Figure

    from cbreplay.judging import Judging, JudgingOptions
    from cbreplay.run import Mode, Run, Series
    from cbreplay.staircase.rate_history import RateHistory
    from cbreplay.validity import Evidence

__all__ = [
    "Staircase",
    "StaircaseStep",
    "build_staircase",
    "measure_usual_change",
]


class StaircaseStep(NamedTuple):
    """Patience values that end with the same weights.

    Parameters
    ----------
    first_patience, last_patience : int, int or None
        The values, both ends included; None where there is no upper end.
    first_stopped_epoch, last_stopped_epoch : int or None
        Where the smallest and the largest of them stop; None where nothing stops.
    evidence : {"exact", "censored", "incomplete"}
        "censored" where the log ends before these values would have stopped,
        "incomplete" where it has a hole before that, or where these alone act in rows
        that were written again.
    kept_epoch : int or None
        Whose weights they keep; provisional when censored, None when incomplete.
    kept_value, regret : float or None
        The objective there, and how much worse it is than the best on record.
    others : mapping of str to float or None
        The other validation series at the kept epoch.
    most_epochs_saved, fewest_epochs_saved : int
        Recorded epochs that the smallest and the largest would not have trained.
    most_seconds_saved : float or None
        The wall time of those that the smallest would not; None where it is not known.
    gap_epoch : int or None
        Where the log stops telling of these values alone, and tells of larger ones.
    """

    first_patience: int
    last_patience: int | None
    first_stopped_epoch: int | None
    last_stopped_epoch: int | None
    evidence: Evidence
    kept_epoch: int | None
    kept_value: float | None
    regret: float | None
    others: Mapping[str, float | None]
    most_epochs_saved: int
    fewest_epochs_saved: int
    most_seconds_saved: float | None = None
    gap_epoch: int | None = None


class RateExplanation:
    """What explains a recorded rate, which takes replays of its own to find out.

    Parameters
    ----------
    run, monitor, mode, semantics : Run, str, str, str
        As `explain_rate` takes them.
    """

    def __init__(self, run: Run, monitor: str, mode: str, semantics: str) -> None:
        self._run, self._semantics = run, semantics
        self._monitor, self._mode = monitor, mode

    @cached_property
    def found(self) -> RateHistory:
        """The recorded changes of the learning rate, and what explains them."""
        from cbreplay.staircase.rate_history import explain_rate

        return explain_rate(
            self._run,
            monitor=self._monitor,
            mode=self._mode,
            semantics=self._semantics,
        )


class Staircase(NamedTuple):
    """What every patience would have done on one log.

    Parameters
    ----------
    replay : Replay
        The replay of the largest patience: it never stops, and the steps are read
        from it. It names the run, the rules and the objective.
    monitor : str
        The series that EarlyStopping watches.
    keep : {"best", "last"}
        Whether the best weights are restored.
    steps : tuple of StaircaseStep
        In the order of patience.
    best_epoch, best_value : int or None, float or None
        The best recorded value of the objective; None where it hangs on which of
        several values an epoch had.
    usual_change : float or None
        The median absolute change of the objective from one epoch to the next, over
        the second half of the record.
    other_best : mapping of str to (epoch, value)
        The best recorded epoch of each other validation series whose direction is
        known.
    explanation : RateExplanation
        Of the recorded learning rate; it is only worked out when `rate` is asked for.
    notes : tuple of str
        What was assumed, and what a careful reader should know.
    """

    replay: Replay
    monitor: str
    keep: Literal["best", "last"]
    steps: tuple[StaircaseStep, ...]
    best_epoch: int | None
    best_value: float | None
    usual_change: float | None
    other_best: Mapping[str, tuple[int, float]]
    explanation: RateExplanation
    notes: tuple[str, ...]

    def _repr_html_(self) -> str:
        return show_html(self)

    def __str__(self) -> str:
        return show_text(self)

    def plot(self, *, patience: float | Sequence[float] | None = None) -> Figure:
        """Draw the patience that was enough, or the ones that are named."""
        return show_plot(self, patience=patience)

    def to_frame(self) -> pd.DataFrame:
        """Return its table as a DataFrame; epochs count from 0."""
        return show_frame(self)

    @property
    def rate(self) -> RateHistory:
        """The recorded changes of the learning rate, and what explains them."""
        return self.explanation.found

    @property
    def objective(self) -> str:
        """The series that outcomes are judged by."""
        # a rule that stops monitors a series, and that is the objective by default
        return self.replay.objective or self.monitor

    @property
    def objective_mode(self) -> Mode:
        """Its direction."""
        return self.replay.objective_mode or "min"

    @property
    def has_several_bests(self) -> bool:
        """Whether the best hangs on which of several values an epoch had."""
        return _has_several_bests(self.replay)

    @property
    def lacks_values(self) -> bool:
        """Whether the log lacks values of the objective, a better one perhaps."""
        return find_gap(self.replay.run, self.objective) is not None

    @property
    def unchanging(self) -> str | None:
        """The monitor or the objective, if all its numbers are one; None otherwise.

        No patience then decides anything that the log could tell.
        """
        for name in dict.fromkeys((self.monitor, self.objective)):
            if never_changes(self.replay.run, name):
                return name
        return None

    def sufficient_step(self) -> StaircaseStep | None:
        """Return the first step that stops inside the log and has the least regret.

        None where nothing stops there with a finite value, or where a series never
        changes. It describes this log and is no advice.
        """
        if self.unchanging is not None:
            return None
        stopping = [
            step
            for step in self.steps
            if step.first_stopped_epoch is not None
            and step.regret is not None
            and math.isfinite(step.regret)
            and _is_finite(step.kept_value)
        ]
        return min(stopping, key=lambda step: step.regret or 0.0, default=None)

    def sufficient_patience(self) -> int | None:
        """Return the smallest patience of `sufficient_step`, as people write it."""
        step = self.sufficient_step()
        if step is None or step.last_patience is None:
            return None
        # 0 and 1 are the same to Keras
        return max(step.first_patience, min(1, step.last_patience))


def build_staircase(
    run: object,
    *,
    monitor: str = "val_loss",
    mode: str = "auto",
    keep: Literal["best", "last"] = "best",
    **judging: Unpack[JudgingOptions],
) -> Staircase:
    """Answer, for one log, what every patience of EarlyStopping would have done.

    Parameters
    ----------
    run : Run, History, dict of lists, DataFrame, or path
        The record, or what `load_runs` reads it from.
    monitor, mode : str
        As in ``keras.callbacks.EarlyStopping``.
    keep : {"best", "last"}
        ``restore_best_weights=True`` or Keras's default False.
    **judging : semantics, initial_learning_rate, objective, objective_mode
        As in `replay_run`; the monitor is judged by default.

    Raises
    ------
    UnknownMonitorError, ConfigError, SemanticsError
        As `replay_run`.
    """
    if keep not in ("best", "last"):
        sentence = f"keep is {keep!r}, where 'best' or 'last' is expected"
        raise ConfigError(sentence)
    # before the stop, `wait` does not depend on patience: one replay tells all
    endless = stopping_rule()(
        monitor=monitor,
        mode=mode,
        patience=math.inf,
        restore_best_weights=keep == "best",
    )
    record = as_run(run)
    chosen = read_judging(judging)
    replay = replay_run(record, endless, judging=chosen)
    replay, stops, unknown = _known_stops(replay, endless, chosen)
    judged = record.series[replay.objective or monitor]
    best_epoch = _best_epoch(replay)
    return Staircase(
        replay=replay,
        monitor=monitor,
        keep=keep,
        steps=tuple(_steps(replay, stops, keep, unknown)),
        best_epoch=best_epoch,
        best_value=_value_at(judged, record, best_epoch),
        usual_change=measure_usual_change(judged),
        other_best=_other_best(replay),
        explanation=RateExplanation(record, monitor, mode, replay.semantics.name),
        notes=(*replay.notes, *_own_stop_notes(record)),
    )


def _best_epoch(replay: Replay) -> int | None:
    """Return the epoch of the best value; None where several may be it."""
    if _has_several_bests(replay):
        return None
    return best_recorded_epoch(replay.run, replay.objective, replay.objective_mode)


def _has_several_bests(replay: Replay) -> bool:
    objective = replay.objective
    return objective is not None and has_ambiguous_best(
        replay.run, objective, replay.objective_mode
    )


def _known_stops(
    replay: Replay,
    endless: Any,  # noqa: ANN401 - the rule that the registry names
    judging: Judging,
) -> tuple[Replay, list[_Stop], _Unknown | None]:
    """Return the stops that are certain, and a replay of the patience after them.

    Where an epoch has several values, or rounded ones, the stop of one patience may be
    certain and that of another not: stops count up to the first that is not. Where rows
    were written again, it may only be some values in between that are unknown.
    """
    run, stops = replay.run, list(_stops(replay.trace))
    training = describe_training(run, replay.semantics, replay.family)
    waits = [stop.wait for stop in stops]
    # the next larger patience stops nowhere on the recorded values, but may stop on the
    # other values that an epoch has
    waits.append(waits[-1] + 1 if waits else 1)
    unsure = find_unsure_stops(run, endless, training, replay.family, waits)
    for at, (wait, epoch) in enumerate(zip(waits, unsure, strict=True)):
        if epoch is not None:
            finite = replace(endless, patience=wait)
            alone = replay_run(run, finite, judging=judging)
            return alone._replace(callbacks=replay.callbacks), stops[:at], None
    return replay, stops, _unknown_between(replay, endless, stops, judging)


class _Unknown(NamedTuple):
    """Patience values, both ends included, of which the log does not tell."""

    first: int
    last: int
    gap_epoch: int


def _unknown_between(
    replay: Replay,
    endless: Any,  # noqa: ANN401 - the rule that the registry names
    stops: Sequence[_Stop],
    judging: Judging,
) -> _Unknown | None:
    """Return the patience values that act in rows that a later fit wrote again.

    Of those that stop behind such rows the smallest acts there if any does, and from
    the first that does not none does.
    """
    run = replay.run

    def gap_of(patience: int) -> int | None:
        rule = replace(endless, patience=patience)
        return replay_run(run, rule, judging=judging).gap_epoch

    largest = stops[-1].wait if stops else 0
    found: list[_Unknown] = []
    for seam, fit in run.replaced:
        first = max((stop.wait for stop in stops if stop.epoch < seam), default=-1) + 1
        gap = gap_of(first)
        if gap is None or replay.gap_epoch is not None:
            continue
        last = first
        step = max(largest, fit.n_epochs if fit else 0) + 1 - first
        while step:
            # the last that is unknown, by halves
            if gap_of(last + step) is not None:
                last += step
            else:
                step //= 2
        found.append(_Unknown(first, last, gap))
    if not found:
        return None
    return _Unknown(
        min(own.first for own in found),
        max(own.last for own in found),
        min(own.gap_epoch for own in found),
    )


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def measure_usual_change(series: Series) -> float | None:
    """Return the median absolute change from one epoch to the next.

    Over the second half of the record, where a training no longer falls steeply; a
    difference smaller than this is of the size of what every epoch changes anyway.
    None without two finite neighbours.

    >>> from cbreplay.run import Series
    >>> round(measure_usual_change(Series.from_optional([9, 5, 1.0, 1.2, 1.1])), 9)
    0.15
    """
    second_half: list[float] = series.values[len(series.values) // 2 :].tolist()
    pairs = itertools.pairwise(second_half)
    changes = [
        abs(after - before) for before, after in pairs if math.isfinite(after - before)
    ]
    return median_of(changes) if changes else None


def _steps(
    replay: Replay,
    stops: Sequence[_Stop],
    keep: Literal["best", "last"],
    unknown: _Unknown | None,
) -> Iterator[StaircaseStep]:
    """Group the patience values that keep the same epoch, and end with the rest."""
    if unknown is not None:
        known = [stop for stop in stops if stop.wait < unknown.first]
        *before, _ = _steps(replay, known, keep, None)
        yield from before
        yield _unknown_step(replay, unknown)
        stops = [stop for stop in stops if stop.wait > unknown.last]
    behind = 0 if unknown is None else unknown.last + 1
    start = 0
    for position, stop in enumerate(stops):
        following = stops[position + 1] if position + 1 < len(stops) else None
        if following and keep == "best" and following.held == stop.held:
            continue
        lowest = behind if start == 0 else stops[start - 1].wait + 1
        stopped = (stops[start].epoch, stop.epoch)
        kept = stop.held if keep == "best" else stop.epoch
        yield _step(replay, (lowest, stop.wait), stopped, kept)
        start = position + 1
    yield _rest(replay, stops[-1].wait + 1 if stops else behind)


def _unknown_step(replay: Replay, unknown: _Unknown) -> StaircaseStep:
    """Return the step of patience values that alone are not told of."""
    return StaircaseStep(
        first_patience=unknown.first,
        last_patience=unknown.last,
        first_stopped_epoch=None,
        last_stopped_epoch=None,
        evidence="incomplete",
        kept_epoch=None,
        kept_value=None,
        regret=None,
        others=_others(replay, None),
        most_epochs_saved=0,
        fewest_epochs_saved=0,
        gap_epoch=unknown.gap_epoch,
    )


class _Stop(NamedTuple):
    """The first non-improving epoch with this `wait`, and the epoch held by then."""

    wait: int
    epoch: int
    held: int


def _stops(trace: tuple[Step, ...]) -> Iterator[_Stop]:
    """Yield the stop at each new largest `wait`.

    It is that of every patience up to this `wait` that has not stopped before.
    """
    largest = 0
    for step in trace:
        waited = read_waited(step)
        if waited is not None and waited.wait > largest:
            largest = waited.wait
            yield _Stop(waited.wait, step.epoch, waited.held)


def _step(
    replay: Replay,
    patience: tuple[int, int],
    stopped: tuple[int, int],
    kept_epoch: int,
) -> StaircaseStep:
    run = replay.run
    kept_value, regret = judge_certainly(
        run, kept_epoch, replay.objective, replay.objective_mode
    )
    return StaircaseStep(
        first_patience=patience[0],
        last_patience=patience[1],
        first_stopped_epoch=stopped[0],
        last_stopped_epoch=stopped[1],
        evidence="exact",
        kept_epoch=kept_epoch,
        kept_value=kept_value,
        regret=regret,
        others=_others(replay, kept_epoch),
        most_epochs_saved=run.horizon - stopped[0],
        fewest_epochs_saved=run.horizon - stopped[1],
        most_seconds_saved=seconds_after(run, stopped[0]),
    )


def _rest(replay: Replay, first_patience: int) -> StaircaseStep:
    """Return the last step: the patience values that do not stop inside the log."""
    kept = replay.kept_epoch
    return StaircaseStep(
        first_patience=first_patience,
        last_patience=None,
        first_stopped_epoch=None,
        last_stopped_epoch=None,
        evidence=replay.evidence,
        kept_epoch=kept,
        kept_value=replay.outcome.kept_value,
        regret=replay.outcome.regret,
        others=_others(replay, kept),
        most_epochs_saved=0,
        fewest_epochs_saved=0,
    )


def _value_at(series: Series, run: Run, epoch: int | None) -> float | None:
    if epoch is None or not series.recorded[epoch - run.first_epoch]:
        return None
    return float(series.values[epoch - run.first_epoch])


def _others(replay: Replay, epoch: int | None) -> dict[str, float | None]:
    """Return the other validation series, and the monitor where it is not judged."""
    run = replay.run
    return {
        name: _value_at(series, run, epoch)
        for name, series in run.series.items()
        if name.startswith("val_") and name != replay.objective
    }


def _other_best(replay: Replay) -> dict[str, tuple[int, float]]:
    """Return the best recorded epoch of the other validation series."""
    run = replay.run
    training = describe_training(run, replay.semantics, replay.family)
    best = {}
    for name in _others(replay, run.first_epoch):
        mode = training.find_direction(name)
        if mode is None or not run.series[name].recorded.any():
            continue
        epoch = best_recorded_epoch(run, name, mode)
        value = _value_at(run.series[name], run, epoch)
        if epoch is not None and value is not None:
            best[name] = (epoch, value)
    return best


def _own_stop_notes(run: Run) -> tuple[str, ...]:
    ended = run.metadata.ended if run.metadata is not None else None
    if ended is None or ended.by in ("plan", ""):
        return ()
    if ended.by == "unknown":
        return ("the training was broken off",)
    if ended.broken_off:
        return (f"the training was ended by an {ended.by}",)
    note = (
        f"its own {ended.by} ended this training: the log says nothing about a "
        "setting that trains for longer"
    )
    return (note,)
