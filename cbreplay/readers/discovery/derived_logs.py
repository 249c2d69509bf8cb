"""Files made of a log beside them: some of its rows, or its values smoothed."""

from __future__ import annotations

import itertools
import os
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.by_key import by_key
from cbreplay.readers.discovery.comparison import is_extract

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.readers.discovery.found_logs import FoundLogs, RunsOfLog
    from cbreplay.run import FloatArray, Run

__all__ = ["leave_out_extracts", "leave_out_smoothed"]


def leave_out_extracts(found: FoundLogs) -> None:
    """Leave out what holds some rows of another log, and begins later than it."""
    # nearly always all begin at epoch 0, and none of them is looked at
    if not any(log.run.first_epoch for log in found.logs):
        return
    single = [log for log in found.logs if len(log.runs) == 1]
    at_place = by_key(single, lambda log: os.path.dirname(log.run.source))
    homes: dict[RunsOfLog, RunsOfLog] = {}
    for place, logs in at_place.items():
        above = [log for own in _with_parents(place) for log in at_place.get(own, ())]
        homes |= _homes_among(above, logs)
    for log in [log for log in found.logs if log in homes]:
        note = f"some of its rows stand in {log.name} too: they were read once"
        homes[log].note(note)
    reasons = {log: f"rows of {home.name}" for log, home in homes.items()}
    found.take_out(reasons, "passed by")


def _with_parents(place: str) -> list[str]:
    """Return a directory and those above it, as far as its path names them.

    >>> _with_parents("logs/run/checkpoints")
    ['logs/run/checkpoints', 'logs/run', 'logs']
    """
    parents = [place]
    while (above := os.path.dirname(parents[-1])) not in {"", parents[-1]}:
        parents.append(above)
    return parents


def _homes_among(
    others: Sequence[RunsOfLog], logs: Sequence[RunsOfLog]
) -> dict[RunsOfLog, RunsOfLog]:
    """Return, by each log that holds some rows of another one, that one."""
    first = np.array([log.run.first_epoch for log in others])
    last = np.array([log.run.horizon for log in others])
    found: dict[RunsOfLog, RunsOfLog] = {}
    for log in logs:
        run = log.run
        # one may count from 0, and the other from 1
        wider = (first < run.first_epoch) & (run.horizon - 1 <= last)
        for at in np.flatnonzero(wider).tolist() if run.first_epoch else ():
            if is_extract(run, others[at].run):
                found[log] = others[at]
                break
    return found


# fewer values may fit by chance
_FEWEST = 8
# up to this many logs that begin alike, each is compared with all others
_MOST = 64
_LONGEST = 50
_NEAR = 1e-5


def leave_out_smoothed(found: FoundLogs) -> None:
    """Leave out logs that hold another log's values smoothed, with a note on that one.

    Each smoothing begins with the first value itself, so that both logs begin alike.
    """
    left_out: dict[RunsOfLog, str] = {}
    for logs in by_key(found.logs, _beginning).values():
        for log, other in itertools.permutations(logs[:_MOST], 2):
            taken = {log, other} & left_out.keys()
            if not taken and _is_smoothed(other.run, log.run):
                left_out[other] = f"the smoothed values of {log.name}"
                log.note(
                    f"{other.name} holds its values smoothed, and no other training: "
                    "it was left out"
                )
    found.take_out(left_out, "passed by")


def _beginning(log: RunsOfLog) -> tuple[object, ...] | None:
    run = log.run
    if len(log.runs) > 1 or run.n_epochs < _FEWEST:
        return None
    begin = [f"{own.values[0]:.6g}" for _, own in sorted(run.series.items())]
    return run.first_epoch, run.n_epochs, *sorted(run.series), *begin


def _is_smoothed(run: Run, other: Run) -> bool:
    """Tell whether every series is the other one's, smoothed in one way."""
    held = [(own.values, other.series[name].values) for name, own in run.series.items()]
    if not np.isfinite(held).all():
        return False
    pairs = [(drawn, values) for drawn, values in held if np.ptp(values) > 0]
    if not pairs:
        return False
    return any(
        all(_fits(smooth(values), drawn) for drawn, values in pairs)
        for smooth in _ways(*pairs[0])
    )


def _fits(expected: FloatArray, drawn: FloatArray) -> bool:
    reach = float(np.ptp(drawn))
    return bool(reach > 0 and np.abs(expected - drawn).max() <= _NEAR * reach)


def _ways(
    drawn: FloatArray, values: FloatArray
) -> list[Callable[[FloatArray], FloatArray]]:
    """Return the ways of smoothing that the second value of a series leaves open.

    With the weight w of what was before: w * first + (1 - w) * second, as pandas writes
    with ``adjust=False``; or (w * first + second) / (w + 1), as TensorBoard's page and
    pandas write without it. A mean of the last values is found by trying.
    """
    first, second = values[:2].tolist()
    own = float(drawn[1])
    ways: list[Callable[[FloatArray], FloatArray]] = []
    if first != second and 0 < (weight := (own - second) / (first - second)) < 1:
        ways.append(partial(_decayed, weight=weight))
    if first != own and 0 < (ratio := (own - second) / (first - own)) < 1:
        ways.append(partial(_weighted, weight=ratio))
    if np.isclose(own, (first + second) / 2):
        longest = min(_LONGEST, len(values))
        ways += [partial(_windowed, length=each) for each in range(2, longest + 1)]
    return ways


def _decayed(values: FloatArray, weight: float) -> FloatArray:
    """Return the averages of which each is the one before and a share of its value."""
    return _sums(np.append(values[:1], (1 - weight) * values[1:]), weight)


def _weighted(values: FloatArray, weight: float) -> FloatArray:
    """Return the averages of all values so far, each worth `weight` of the next one."""
    return _sums(values, weight) / _sums(np.ones(len(values)), weight)


def _sums(values: FloatArray, weight: float) -> FloatArray:
    """Return each value with those before it, each of which is worth less again."""
    told = itertools.accumulate(
        values.tolist(), lambda before, own: weight * before + own
    )
    return np.array([*told])


def _windowed(values: FloatArray, length: int) -> FloatArray:
    """Return the mean of the last values up to each, of fewer at the beginning."""
    sums = np.append(0.0, np.cumsum(values))
    ends = np.arange(1, len(values) + 1)
    begins = np.maximum(ends - length, 0)
    means: FloatArray = (sums[ends] - sums[begins]) / (ends - begins)
    return means
