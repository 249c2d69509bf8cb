"""Steps of what was logged to MLflow without one: the times of the values tell them.

``mlflow.log_metric(key, value)`` writes every value at step 0. So do the callbacks for
Keras with ``validation_loss``, beside a ``val_loss`` with steps.
"""

from __future__ import annotations

import math
from bisect import bisect, bisect_left
from collections import Counter
from datetime import UTC, datetime
from itertools import chain, pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.arguments import shown_value
from cbreplay.by_key import by_key
from cbreplay.errors import LogError
from cbreplay.readers.columns.numbered_names import without_number
from cbreplay.readers.columns.roles import EXACT
from cbreplay.readers.other_tools.json_rows import as_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["fits_of", "steps_go_back", "tell_steps", "whole_number"]

_HINT = "Log with a step: mlflow.log_metric(key, value, step=epoch)"


class _Stretch(NamedTuple):
    """Values of one metric whose steps rise: when they begin and end, and at which."""

    begin: float
    end: float
    step: int


def fits_of(rows: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return the rows of each fit, where several were logged to one run in turn.

    The steps of all metrics begin anew then at the same step, and by the times no fit
    logs before the one above it has ended.

    >>> def row(step, time):
    ...     return {"key": "loss", "step": step, "timestamp": time}
    >>> fits = fits_of([row(0, 1), row(1, 2), row(0, 3), row(1, 4)])
    >>> [[own["timestamp"] for own in fit] for fit in fits]
    [[1, 2], [3, 4]]
    """
    timed = [(_instant(row.get("timestamp")), row) for row in rows]
    in_order = [(time, row) for time, row in timed if time is not None]
    in_order.sort(key=lambda pair: pair[0])
    stretches = _stretches(in_order, str)
    if len(set(map(len, stretches))) > 1:
        # Keras numbers the metrics of each model, and so of each fold
        stretches = _stretches(in_order, without_number)
    n_fits = {len(own) for own in stretches}
    first_steps = {stretch.step for own in stretches for stretch in own}
    if len(in_order) < len(rows) or len(n_fits) != 1 or len(first_steps) > 1:
        return [[*rows]]
    fits = [*zip(*stretches, strict=True)]
    ends = [max(stretch.end for stretch in fit) for fit in fits]
    begins = [min(stretch.begin for stretch in fit) for fit in fits]
    if any(end > begin for end, begin in zip(ends, begins[1:], strict=False)):
        return [[*rows]]
    counts = Counter(row.get("key") for row in rows)
    found: list[list[Mapping[str, Any]]] = [[] for _ in fits]
    for time, row in in_order:
        # what is logged once a fit, as a test, comes after it
        often = counts[row.get("key")] > len(fits)
        fit = bisect_left(ends[:-1], time) if often else bisect(begins[1:], time)
        found[fit].append(row)
    return found


def steps_go_back(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a metric was logged at an earlier step than before, by the times.

    Without times the rows are taken to be in the order of logging.

    >>> rows = [{"key": "loss", "step": step} for step in (0, 1, 2, 1)]
    >>> steps_go_back(rows), steps_go_back(rows[:3])
    (True, False)
    """
    for own in by_key(rows, _metric_of).values():
        points = list(map(_point, own))
        if all(time is not None for _, time in points):
            points.sort(key=lambda point: point[1] or 0.0)
        steps = [step or 0 for step, _ in points]
        if any(after < before for before, after in pairwise(steps)):
            return True
    return False


def _metric_of(row: Mapping[str, Any]) -> str:
    return str(row.get("key"))


def _point(row: Mapping[str, Any]) -> tuple[int | None, float | None]:
    """Return the step of a row, and when it was logged; None for what is not told."""
    return whole_number(row.get("step")), _instant(row.get("timestamp"))


def _stretches(
    in_order: Sequence[tuple[float, Mapping[str, Any]]], called: Callable[[str], str]
) -> list[list[_Stretch]]:
    """Return the rising stretches of each metric that has several steps.

    Metrics that are `called` alike are one. None where a metric has two values of one
    step, one behind the other.
    """
    found = []
    of_metrics = by_key(in_order, lambda point: called(_metric_of(point[1])))
    for points in of_metrics.values():
        steps = [whole_number(row.get("step")) for _, row in points]
        if len(set(steps)) == 1:
            continue
        own: list[_Stretch] = []
        for at, ((time, _), step) in enumerate(zip(points, steps, strict=True)):
            if step is None or (at and step == steps[at - 1]):
                return []
            if at and step > (steps[at - 1] or 0):
                own[-1] = own[-1]._replace(end=time)
            else:
                own.append(_Stretch(time, time, step))
        found.append(own)
    return found


class ToldRows(NamedTuple):
    """Rows with steps of their own, what to note, and which keys were left out, why."""

    rows: Sequence[Mapping[str, Any]]
    notes: Sequence[str] = ()
    left_out: Mapping[str, str] = MappingProxyType({})


def tell_steps(rows: Sequence[Mapping[str, Any]], path: str) -> ToldRows:
    """Give values that were logged without a step those that their times tell.

    Raises
    ------
    LogError
        If no value has a step, and their times do not tell them apart.
    """
    of_key = by_key(rows, _metric_of)
    steps = {key: {row.get("step") for row in own} for key, own in of_key.items()}
    stepless = [key for key, own in of_key.items() if len(steps[key]) == 1 < len(own)]
    if stepless and all(len(own) == 1 for own in steps.values()):
        return _all_by_times(rows, path)
    again = _logged_again(of_key)
    stepless = [key for key in stepless if steps[key].isdisjoint(again)]
    late = _late_ones(of_key, _spans(rows))
    others = [row for row in rows if row.get("key") not in {*stepless, *late}]
    placed = {key: _between(of_key[key], others) for key in stepless}
    told = [key for key, own in placed.items() if own]
    left_out = {
        str(key): f"all {len(of_key[key])} values stand at one step"
        for key in stepless
        if key not in told
    } | dict.fromkeys(map(str, late), "one value, of no epoch")
    notes = [f"left out {key}: {reason}" for key, reason in left_out.items()]
    if told:
        all_values = f"all values of {', '.join(map(str, told))} stand at one step"
        notes.append(f"{all_values}: their times tell those of the others")
    return ToldRows([*others, *chain(*placed.values())], notes, left_out)


def _logged_again(of_key: Mapping[Any, Sequence[Mapping[str, Any]]]) -> set[Any]:
    """Return the steps of which a metric that has several steps has several values."""
    counts = [Counter(row.get("step") for row in own) for own in of_key.values()]
    several = chain(*(own.items() for own in counts if len(own) > 1))
    return {step for step, number in several if number > 1}


def _spans(rows: Sequence[Mapping[str, Any]]) -> dict[int, tuple[float, float]]:
    """Return when the first and the last value of each step were logged."""
    spans: dict[int, tuple[float, float]] = {}
    for step, time in map(_point, rows):
        if step is not None and time is not None:
            first, last = spans.get(step, (time, time))
            spans[step] = min(first, time), max(last, time)
    return spans


def _late_ones(
    of_key: Mapping[Any, Sequence[Mapping[str, Any]]],
    spans: Mapping[int, tuple[float, float]],
) -> list[Any]:
    """Return the metrics of one value that was logged after later steps of others.

    So is a test after the fit that was given no step, and stands at the first one.
    """
    found = []
    for key, (first, *more) in of_key.items():
        step, time = _point(first)
        if more or step is None or time is None:
            continue
        if any(time > begin for own, (begin, _) in spans.items() if own > step):
            found.append(key)
    return found


def _all_by_times(rows: Sequence[Mapping[str, Any]], path: str) -> ToldRows:
    """Return the values of each key, numbered by their times."""
    counts = Counter(row.get("key") for row in rows)
    # what was logged once, as a test after the fit, is of no epoch
    once = sorted(str(key) for key, number in counts.items() if number == 1)
    rows = [row for row in rows if counts[row.get("key")] > 1]
    times = [_instant(row.get("timestamp")) for row in rows]
    step = rows[0].get("step")
    where = f"all values stand at step {step}"
    if step in {None, ""}:
        where = "no value has a step"
    no_order = _lose_order(rows, times)
    untold = None in times or no_order or _stand_twice(rows)
    numbered = None if untold else _numbered(rows, times, counts)
    if numbered is None:
        told = ", ".join(f"{key} {n}" for key, n in counts.most_common() if n > 1)
        if no_order:
            told = f"{told}; those of one time are not in the order of logging"
        if None in times:
            told = f"a time is {shown_value(rows[times.index(None)].get('timestamp'))}"
        problem = f"{where}, and cannot be told apart: {told}"
        raise LogError(problem, source=path, hint=_HINT)
    notes = [f"{where}: they were numbered {_way(rows, times)}; {_ONE_BELOW_OTHER}"]
    if once:
        notes.append(f"left out {', '.join(once)}: one value, of no epoch")
    return ToldRows(numbered, notes)


def _lose_order(
    rows: Sequence[Mapping[str, Any]], times: Sequence[float | None]
) -> bool:
    """Tell whether nothing says in which order the values of one time were logged.

    MLflow's files keep it. Its databases sort them by size instead
    (`SqlAlchemyStore.get_metric_history`), and who goes back in time, otherwise.

    >>> rows = [{"key": "loss", "value": value} for value in (0.7, 0.9, 0.8)]
    >>> [_lose_order(rows, times) for times in ([5, 5, 6], [5, 6, 6], [6, 5, 5])]
    [True, False, True]
    """
    timed = by_key(zip(times, rows, strict=True), lambda each: _metric_of(each[1]))
    goes_back, tied = False, []
    for own in timed.values():
        moments = [time or 0.0 for time, _ in own]
        goes_back |= moments != sorted(moments)
        values = [as_number(row.get("value")) or 0.0 for _, row in own]
        pairs = zip(moments, values, strict=True)
        of_time = by_key(pairs, lambda each: str(each[0])).values()
        tied += [[value for _, value in several] for several in of_time]
    tied = [values for values in tied if len({*values}) > 1]
    return bool(tied) and (goes_back or all(own == sorted(own) for own in tied))


def _stand_twice(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether each key has one value, twice: so is one step that stands twice."""
    return all(
        len(own) == _TWICE and own[0].get("value") == own[1].get("value")
        for own in by_key(rows, _metric_of).values()
    )


_TWICE = 2


def _numbered(
    rows: Sequence[Mapping[str, Any]],
    times: Sequence[float | None],
    counts: Mapping[Any, int],
) -> list[Mapping[str, Any]] | None:
    """Give the values of each key steps, in the order of their times.

    Those of a key with fewer values than others, as a validation every fifth epoch has,
    stand at the last step begun; None if two of them do, or times leave it open.
    """
    most = max(counts.values())
    timed = zip(times, rows, strict=True)
    usual = {time for time, row in timed if counts[row.get("key")] == most}
    met: Counter[Any] = Counter()
    taken: set[tuple[Any, int]] = set()
    numbered: list[Mapping[str, Any]] = []
    for at in sorted(range(len(rows)), key=lambda at: times[at] or 0):
        key = rows[at].get("key")
        step = met[key]
        if counts[key] < most:
            step = max([1, *met.values()]) - 1
        if (key, step) in taken or (counts[key] < most and times[at] in usual):
            return None
        taken.add((key, step))
        met[key] += counts[key] == most
        numbered.append({**rows[at], "step": step})
    return numbered


_ONE_BELOW_OTHER = (
    "if several fits logged them in turn, as those of folds, they stand in it one "
    "after the other"
)


def _way(rows: Sequence[Mapping[str, Any]], times: Sequence[float | None]) -> str:
    """Say by what values were numbered: by their times, as far as these differ."""
    instants = {(row.get("key"), time) for row, time in zip(rows, times, strict=True)}
    if len(instants) == len(rows):
        return "by their times"
    if len({time for _, time in instants}) > 1:
        return "by their times, and where these are equal as they stand in the file"
    return "as they stand in the file, for their times are equal"


def _between(
    rows: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return rows with the steps of the others, where all times leave no other step.

    Each has to be logged after the step before its own, and before the step after it.
    """
    if any(None in point for point in map(_point, others)):
        return []
    spans = _spans(others)
    steps = sorted(spans)
    own = [(_instant(row.get("timestamp")), row) for row in rows]
    times = [time for time, _ in own if time is not None]
    if len(set(times)) < len(own) or len(own) > len(steps):
        return []
    placed = sorted(own, key=lambda pair: pair[0] or 0)
    before = [-math.inf, *(spans[step][1] for step in steps)]
    after = [*(spans[step][0] for step in steps[1:]), math.inf]
    between = zip(before, sorted(times), after, strict=False)
    if not all(begin < time < end for begin, time, end in between):
        return []
    return [
        {**row, "step": step} for step, (_, row) in zip(steps, placed, strict=False)
    ]


def _instant(value: object) -> float | None:
    """Return a time as a number, also if it is written as a date.

    >>> _instant("1600000000000"), _instant("1970-01-01 00:00:02")
    (1600000000000.0, 2.0)
    """
    number = as_number(value)
    if number is not None:
        return number if math.isfinite(number) else None
    try:
        told = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()


def whole_number(value: object) -> int | None:
    """Return a whole number, which may be written as text; None if it is none."""
    number = as_number(value)
    whole = number is not None and number.is_integer() and abs(number) < EXACT
    return int(number) if number is not None and whole else None
