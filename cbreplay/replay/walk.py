"""Replay a list of callbacks on a run that may be readable in more than one way.

The two readings of its learning rate are replayed one after the other (`RecordedRate`);
several values of an epoch, rounding and possible seams are left to `choices`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cbreplay.errors import EvidenceError
from cbreplay.evidence.holes import find_gap_of
from cbreplay.evidence.rounded import find_unclear
from cbreplay.evidence.validity import (
    RecordedRate,
    read_followed_rates,
    read_recorded_rates,
)
from cbreplay.replay.epoch_logs import EpochLogs
from cbreplay.replay.seams import find_seams
from cbreplay.replay.under_way import Walk, earlier_of
from cbreplay.replay.walker import Walker
from cbreplay.rules.base import read_series
from cbreplay.rules.callbacks_list import read_callbacks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.replay.choices import Uncertain
    from cbreplay.replay.seams import HandedOn
    from cbreplay.rules.base import Callback
    from cbreplay.rules.callbacks_list import CallbacksList
    from cbreplay.rules.training import Training
    from cbreplay.run import Run

__all__ = ["find_unsure_stops", "walk_run"]

# a log with choices in more epochs than these is uncertain from the first of them on
_MOST_CHOICES = 5000
_RATE_BEFORE = (
    "the log holds the rate of its first epoch as a schedule left it; a schedule that "
    "changes the rate it finds needs the one before, by --initial-lr or "
    "initial_learning_rate="
)


def walk_run(
    run: Run,
    callbacks: CallbacksList,
    training: Training,
    *,
    initial_learning_rate: float | None,
    goes_on: bool,
    states: Sequence[Any] | None = None,
    gap: int | None = None,
    handed_on: dict[int, HandedOn] | None = None,
) -> Walk:
    """Replay a run by each reading of its rate; the earliest end of evidence counts.

    Parameters
    ----------
    run, callbacks, training : Run, CallbacksList, Training
        The record, the list, and the training whose rules decide.
    initial_learning_rate : float or None
        The rate of the first epoch, where the log does not record one.
    goes_on : bool
        Whether to carry on past a divergence, as if the curve still held.
    states : sequence of object, optional
        The state of each callback when training begins; new ones by default.
    gap : int, optional
        A further epoch from which on the log is no evidence for the list.
    handed_on : mapping of int to HandedOn
        By the seam, how the fit before it ended, where later rows stand for its last
        ones.

    Raises
    ------
    ConfigError, EvidenceError
        As `replay_run`.
    """
    training.framework.check_run(run, callbacks.callbacks, training)
    readings = _read_rates(run, callbacks.callbacks, initial_learning_rate)
    logs = EpochLogs(run)
    others = _other_logs(run, callbacks.callbacks, logs)
    walks = []
    for reading in readings:
        walker = _walker_on(
            run, callbacks, training, logs=logs, reading=reading, goes_on=goes_on
        )
        walker.gap = earlier_of(walker.gap, gap)
        walker.seams = walker.seams._replace(handed_on=handed_on or {})
        unsure = None
        if others or run.possible_seams:
            unsure = _find_uncertain(run, walker, states, others)
            walker.gap = earlier_of(walker.gap, unsure.epoch)
        walks.append(walker.walk(states))
        if unsure is not None:
            walks[-1].candidates = unsure.kept
            walks[-1].open_best = unsure.open_best
    first = min(walks, key=_divergence_order)
    if first.divergence == run.first_epoch and readings[0].initial is None:
        first.notes.append(_RATE_BEFORE)
    _compare_readings(run, walks, first)
    return first


def find_unsure_stops(
    run: Run,
    endless: Any,  # noqa: ANN401 - the rule that the registry names
    training: Training,
    patience: Sequence[float],
) -> list[int | None]:
    """Return, for each patience, the first epoch in which the log leaves its stop open.

    Parameters
    ----------
    run : Run
        The record.
    endless : EarlyStopping
        A rule that stops by patience, with an infinite one.
    training : Training
        The training whose rules decide.
    patience : sequence of float
        The patience values.

    Returns
    -------
    list of int or None
        As `Replay.gap_epoch`, where it comes from several values of an epoch, rounding
        or a possible seam; None where every choice decides alike.
    """
    rules = (endless,)
    logs = EpochLogs(run)
    others = _other_logs(run, rules, logs)
    if not (others or run.possible_seams):
        return [None] * len(patience)
    from cbreplay.replay.choices import follow_every_patience

    callbacks, reading = read_callbacks(rules), _read_rates(run, rules, None)[0]
    walker = _walker_on(
        run, callbacks, training, logs=logs, reading=reading, goes_on=False
    )
    if run.rounded_to and len(others) > _MOST_CHOICES:
        return [_first_choice(walker, others)] * len(patience)
    restores = endless.restore_best_weights
    return follow_every_patience(walker, others, patience, restores=restores)


def _walker_on(
    run: Run,
    callbacks: CallbacksList,
    training: Training,
    *,
    logs: EpochLogs,
    reading: RecordedRate,
    goes_on: bool,
) -> Walker:
    """Return the walker of a list on a run, with its holes and seams."""
    rules = callbacks.callbacks
    return Walker(
        callbacks,
        training,
        logs,
        reading,
        gap=_find_gap(run, rules),
        seams=find_seams(run, rules),
        goes_on=goes_on,
    )


def _read_rates(
    run: Run, rules: tuple[Callback, ...], initial_learning_rate: float | None
) -> tuple[RecordedRate, ...]:
    """Return the readings of the recorded rate that the list may tell apart."""
    if any(rule.changes_learning_rate for rule in rules):
        return read_recorded_rates(
            run,
            initial_learning_rate=initial_learning_rate,
            needs_value=any(rule.needs_learning_rate for rule in rules),
            scheduled=any(rule.schedules_rate for rule in rules),
        )
    readings = read_followed_rates(run, initial_learning_rate)
    # only a callback of the user's own may read the rate: else one reading will do
    own_code = any(rule.holds_own_code for rule in rules)
    return readings if own_code else readings[:1]


def _find_gap(run: Run, rules: tuple[Callback, ...]) -> int | None:
    """Return the first epoch of which the log lacks what a list decides by."""
    if any(rule.holds_own_code for rule in rules):
        # a callback of the user's own may read whatever is logged
        return find_gap_of(run, run.series)
    return find_gap_of(run, read_series(rules))


def _other_logs(
    run: Run, rules: tuple[Callback, ...], logs: EpochLogs
) -> dict[int, list[dict[str, float]]]:
    """Return, by position, the other ``logs`` that an epoch may have had."""
    own_code = any(rule.holds_own_code for rule in rules)
    reads = [*run.series] if own_code else read_series(rules)
    several = [
        (name, _other_values(run, name, rules)) for name in reads if name in run.series
    ]
    positions = {position for _, others in several for position in others}
    if not positions:
        return {}
    from cbreplay.replay.choices import MOST_WAYS

    found = {}
    for position in positions:
        ways = [logs[position]]
        for name, others in several:
            ways += [
                way | {name: value}
                for way in ways
                for value in others.get(position, ())
            ]
        found[position] = ways[1:MOST_WAYS]
    return found


def _other_values(
    run: Run, name: str, rules: tuple[Callback, ...]
) -> Mapping[int, tuple[float, ...]]:
    """Return, by position, the other values that an epoch may have had.

    For a rounded value these are both ends of the interval that it stands for.
    """
    # a user's own callback is assumed to ask only which value is the best
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
    run: Run,
    walker: Walker,
    states: Sequence[Any] | None,
    others: Mapping[int, list[dict[str, float]]],
) -> Uncertain:
    from cbreplay.replay.choices import Uncertain, find_uncertain

    rounded = bool(run.rounded_to)
    if any(rule.holds_own_code for rule in walker.callbacks):
        # a callback of the user's own cannot be followed on several ways at once
        return Uncertain(_first_choice(walker, others))
    if rounded and len(others) > _MOST_CHOICES:
        return Uncertain(_first_choice(walker, others))
    # what is kept at the end of a log of several values, without a plan, is provisional
    counts_end = rounded or run.reached_plan or bool(run.possible_seams)
    return find_uncertain(
        walker, states, others, rounded=rounded, counts_end=counts_end
    )


def _first_choice(walker: Walker, others: Mapping[int, object]) -> int:
    """Return the first epoch with a choice, from which on nothing is certain."""
    positions = [walker.training.first_epoch + position for position in others]
    return min([*positions, *walker.seams.possible])


def _compare_readings(run: Run, walks: list[Walk], first: Walk) -> None:
    """Note where two readings of a rate diverge; refuse if their decisions differ."""
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
