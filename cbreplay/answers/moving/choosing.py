"""What a page with sliders offers: lists, monitors, and values of min_delta."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.answers.moving.steps import MovedRule
from cbreplay.errors import CbreplayError
from cbreplay.rules.families import resolve_semantics
from cbreplay.rules.parameters import parameters_of
from cbreplay.rules.registry import row_of
from cbreplay.rules.training import describe_training
from cbreplay.series_names import validation_metrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.judging import Judging
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = [
    "MOVES",
    "NamedSetting",
    "likeness",
    "min_deltas_of",
    "monitors_of",
    "watching",
]

MOVES = ("patience", "min_delta", "monitor", "mode")

_DIGITS = (1, 2, 5)
_SMALLEST_POWER = -6
_MOST_POWERS = 9
_MOST_MONITORS = 4
# larger values are those of a training that failed
_LARGEST = 1e15


class NamedSetting(NamedTuple):
    """A setting that a page begins with, or offers by a name."""

    name: str
    callbacks: tuple[Callback, ...]

    @property
    def moved(self) -> MovedRule | None:
        """The list with the rule whose patience the slider sets; None without one.

        It is the first rule that stops by a patience, or else the first that reduces
        the rate by one. Only lists that a sweep decides at once are asked at every
        patience.
        """
        rows = [row_of(type(callback)) for callback in self.callbacks]
        kernels = [None if row is None else row.kernel for row in rows]
        if None in kernels or kernels.count("reduces") > 1:
            return None
        for wanted in ("stops", "reduces"):
            if wanted in kernels:
                return MovedRule(self.callbacks, kernels.index(wanted))
        return None


def watching(moved: MovedRule, monitor: str) -> MovedRule:
    """Return the list with the moved rule watching another series."""
    if moved.rule.monitor == monitor:
        return moved
    rule = replace(moved.rule, monitor=monitor, mode="auto")
    return moved._replace(callbacks=moved.holding(rule))


def likeness(moved: MovedRule) -> tuple[Any, ...]:
    """Return a key that is equal for lists that differ only in what the sliders set."""
    own = parameters_of(moved.rule)
    rest = {name: own[name] for name in own if name not in (*MOVES, "verbose")}
    others = [rule for rule in moved.callbacks if rule is not moved.rule]
    mode = own["mode"] if own["mode"] != "auto" else ""
    return (
        moved.place,
        type(moved.rule).__name__,
        repr(rest),
        repr(others),
        (mode, own["monitor"]) if mode else (),
    )


def monitors_of(
    runs: Sequence[Run], asked: Iterable[str], judging: Judging
) -> Iterator[str]:
    """Yield the series that can be watched on every run.

    Those that were asked for come first, then validation series of known direction.
    """
    names = list(dict.fromkeys(asked))
    for name in dict.fromkeys([*names, *validation_metrics(runs[0].series)]):
        many = len(names) >= _MOST_MONITORS and name not in names
        if many or not all(run.holds(name) for run in runs):
            continue
        if name in names:
            yield name
        elif _directed(runs, name, judging):
            names.append(name)
            yield name


def _directed(runs: Sequence[Run], name: str, judging: Judging) -> bool:
    """Return whether it is known on every run which way a series gets better."""
    for run in runs:
        try:
            found = resolve_semantics(judging.semantics, metadata=run.metadata)
        except CbreplayError:
            return False
        training = describe_training(run, found.semantics, found.family)
        if training.find_direction(name) is None:
            return False
    return True


def min_deltas_of(
    runs: Sequence[Run], monitor: str, asked: Iterable[float]
) -> list[float]:
    """Return the values of min_delta that are tried: 0, 1-2-5 steps, and those asked.

    The steps end at the width that the values of the middle run have.
    """
    widths = sorted(filter(None, (_width(run, monitor) for run in runs)))
    usual = widths[len(widths) // 2] if widths else 0.0
    top = math.ceil(math.log10(usual)) if usual else _SMALLEST_POWER
    lowest = max(min(_SMALLEST_POWER, top - 3), top - _MOST_POWERS)
    series = [
        float(f"{digit}e{power}")
        for power in range(lowest, top + 1)
        for digit in _DIGITS
    ]
    held = [value for value in series if value <= usual]
    return sorted({0.0, *held, *map(float, asked)})


def _width(run: Run, monitor: str) -> float:
    """Return the width of the middle nine tenths of a series' values."""
    values = run.series[monitor].values
    finite = values[np.abs(values) < _LARGEST]
    if finite.size == 0:
        return 0.0
    low, high = np.percentile(finite, [5, 95])
    return float(high - low)
