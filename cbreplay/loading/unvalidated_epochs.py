"""A 0 or -1 that a loop wrote in epochs without a validation is read as no value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.run import Series
from cbreplay.series_names import is_validation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.run import Run

__all__ = ["leave_out_stand_ins"]

_STAND_INS = (0.0, -1.0)
_FEW_CHANGES = 3


class _StandIn(NamedTuple):
    """The number that means "not validated", and which epochs were: e % every."""

    number: float
    every: int
    remainder: int


def leave_out_stand_ins(run: Run) -> Run:
    """Take a 0 or -1 as missing if it is in all epochs but, say, every third.

    Some loops write one where they did not validate; Keras never does. The fits whose
    rows were replaced in the run are of the same loop: what one of them shows holds
    for all, even for one that is too short to show it.
    """
    if run.metadata is not None:
        return run
    found: dict[str, _StandIn] = {}
    for fit in [run, *(fit for _, fit in run.replaced if fit is not None)]:
        found = _find_stand_ins(fit) | found
    if not found:
        return run
    told = _without(run, found)
    names: dict[tuple[float, int], list[str]] = {}
    for name, own in found.items():
        if told.series.get(name) is not run.series.get(name):
            names.setdefault((own.number, own.every), []).append(name)
    notes = [
        f"{', '.join(called)}: {number:g} stands in all epochs but one in {every}, and "
        "was read as no value"
        for (number, every), called in names.items()
    ]
    replaced = tuple((seam, fit and _without(fit, found)) for seam, fit in run.replaced)
    return replace(told, replaced=replaced).with_notes(*notes)


def _find_stand_ins(run: Run) -> dict[str, _StandIn]:
    """Return the validation series with a 0 or -1 in all epochs but every n-th."""
    found = {}
    for name, own in run.series.items():
        values = own.values
        # such a number must be among the first two values: in most series it is not
        number = next((v for v in values[:2].tolist() if v in _STAND_INS), None)
        if number is None or not own.recorded.all() or own.others:
            continue
        if not is_validation(name):
            continue
        told = np.flatnonzero(values != number)
        distances = np.diff(told)
        if len(distances) < _FEW_CHANGES or len(set(values[told].tolist())) == 1:
            continue
        every = int(distances[0])
        ends = int(told[0]) < every and len(values) - int(told[-1]) <= every
        if every > 1 and ends and (distances == every).all():
            remainder = (run.first_epoch + int(told[0])) % every
            found[name] = _StandIn(number, every, remainder)
    return found


def _without(run: Run, found: Mapping[str, _StandIn]) -> Run:
    series = dict(run.series)
    for name in found.keys() & series.keys():
        own, (number, every, remainder) = series[name], found[name]
        told = run.epochs % every == remainder
        if (own.values[own.recorded & ~told] == number).all() and not own.others:
            values = np.where(told, own.values, np.nan)
            series[name] = Series(values, own.recorded & told)
    return replace(run, series=series)
