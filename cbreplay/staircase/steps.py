"""The steps of a staircase: patience values that end with the same weights."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from cbreplay.evidence.outcomes import (
    best_recorded_epoch,
    judge_certainly,
    seconds_after,
)
from cbreplay.evidence.validity import Evidence
from cbreplay.judging import Judging
from cbreplay.replay import Replay, Step, find_unsure_stops, read_waited, replay_run
from cbreplay.replay.records import Waited
from cbreplay.rules.training import describe_training
from cbreplay.run import Run, Series
from cbreplay.series_names import validation_metrics

__all__ = ["StaircaseStep", "find_other_best", "known_stops", "steps_of", "value_at"]


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
        "incomplete" where it has a hole before that, or where only these values act in
        rows that were written again.
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
        For a step of values that the log does not tell, between others that it does:
        the epoch from which on the log is no evidence for them.
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


class _Unknown(NamedTuple):
    """Patience values, both ends included, whose stop the log does not tell."""

    first: int
    last: int
    gap_epoch: int


def known_stops(
    replay: Replay,
    endless: Any,  # noqa: ANN401 - the rule that the registry names
    judging: Judging,
) -> tuple[Replay, list[Waited], _Unknown | None]:
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
    unsure = find_unsure_stops(run, endless, training, waits)
    for at, (wait, epoch) in enumerate(zip(waits, unsure, strict=True)):
        if epoch is not None:
            finite = replace(endless, patience=wait)
            alone = replay_run(run, finite, judging=judging)
            return alone._replace(callbacks=replay.callbacks), stops[:at], None
    return replay, stops, _unknown_between(replay, endless, stops, judging)


def _unknown_between(
    replay: Replay,
    endless: Any,  # noqa: ANN401 - the rule that the registry names
    stops: Sequence[Waited],
    judging: Judging,
) -> _Unknown | None:
    """Return the patience values whose stop depends on rows that were written again.

    A resumed fit replaced these rows, so the log no longer holds what the first fit saw
    there. If any patience that stops later depends on them, the smallest such does, and
    those that do are neighbours: the largest is found by bisection.
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
            # bisect for the last unknown value
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


def steps_of(
    replay: Replay,
    stops: Sequence[Waited],
    keep: Literal["best", "last"],
    unknown: _Unknown | None,
) -> Iterator[StaircaseStep]:
    """Group the patience values that keep the same epoch, and end with the rest."""
    if unknown is not None:
        known = [stop for stop in stops if stop.wait < unknown.first]
        *before, _ = steps_of(replay, known, keep, None)
        yield from before
        asked = (unknown.first, unknown.last)
        yield _step(replay, asked, "incomplete", gap_epoch=unknown.gap_epoch)
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
        yield _step(replay, (lowest, stop.wait), "exact", kept, stopped)
        start = position + 1
    # the patience values that do not stop inside the log
    rest = (stops[-1].wait + 1 if stops else behind, None)
    yield _step(replay, rest, replay.evidence, replay.kept_epoch)


def _stops(trace: tuple[Step, ...]) -> Iterator[Waited]:
    """Yield a stop at each new largest `wait`.

    It is the stop of all patience values above the last one, up to this `wait`.
    """
    largest = 0
    for step in trace:
        waited = read_waited(step)
        if waited is not None and waited.wait > largest:
            largest = waited.wait
            yield waited


def _step(
    replay: Replay,
    patience: tuple[int, int | None],
    evidence: Evidence,
    kept_epoch: int | None = None,
    stopped: tuple[int, int] | None = None,
    *,
    gap_epoch: int | None = None,
) -> StaircaseStep:
    """Return a step; what does not stop inside the log saves nothing.

    `patience` and `stopped` are the first and the last.
    """
    run = replay.run
    kept_value, regret = judge_certainly(
        run, kept_epoch, replay.objective, replay.objective_mode
    )
    first, last = stopped or (None, None)
    return StaircaseStep(
        *patience,
        first,
        last,
        evidence,
        kept_epoch,
        kept_value,
        regret,
        _others(replay, kept_epoch),
        most_epochs_saved=0 if first is None else run.horizon - first,
        fewest_epochs_saved=0 if last is None else run.horizon - last,
        most_seconds_saved=None if first is None else seconds_after(run, first),
        gap_epoch=gap_epoch,
    )


def value_at(series: Series, run: Run, epoch: int | None) -> float | None:
    """Return what a series holds at an epoch; None where it holds nothing."""
    if epoch is None or not series.recorded[epoch - run.first_epoch]:
        return None
    return float(series.values[epoch - run.first_epoch])


def _others(replay: Replay, epoch: int | None) -> dict[str, float | None]:
    """Return the other validation series, and the monitor where it is not judged."""
    run = replay.run
    return {
        name: value_at(run.series[name], run, epoch)
        for name in validation_metrics(run.series)
        if name != replay.objective
    }


def find_other_best(replay: Replay) -> dict[str, tuple[int, float]]:
    """Return the best recorded epoch of the other validation series."""
    run = replay.run
    training = describe_training(run, replay.semantics, replay.family)
    best = {}
    for name in _others(replay, run.first_epoch):
        mode = training.tell_direction(name)
        if mode is None or not run.series[name].recorded.any():
            continue
        epoch = best_recorded_epoch(run, name, mode)
        value = value_at(run.series[name], run, epoch)
        if epoch is not None and value is not None:
            best[name] = (epoch, value)
    return best
