"""True trainings: what callbacks saw in each epoch, before anything was logged."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from hypothesis import strategies as st

from cbreplay import Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["METRICS", "Row", "Training", "single", "trainings"]

METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")
VALIDATIONS = ("val_loss", "val_accuracy")


class Row(NamedTuple):
    """What there is to log at the end of one epoch, which counts from 0."""

    epoch: int
    values: Mapping[str, float]
    rate: float | None


@dataclass(frozen=True)
class Training:
    """One fit: its rows, in order; validations are in every ``validation_freq``-th."""

    rows: tuple[Row, ...]
    validation_freq: int = 1

    @property
    def names(self) -> list[str]:
        """The metrics, as Keras orders them: validations last."""
        held = {name for row in self.rows for name in row.values}
        return [name for name in METRICS if name in held]

    @property
    def first_epoch(self) -> int:
        """The epoch that it begins at."""
        return self.rows[0].epoch

    def as_run(self) -> Run:
        """Return the run that a flawless reader makes of a flawless log."""
        logs = [
            {**row.values, "learning_rate": row.rate} if row.rate else row.values
            for row in self.rows
        ]
        return Run.from_logs(logs, first_epoch=self.first_epoch)

    def changed(self, rows: Iterable[Row]) -> Training:
        """Return the training with other rows."""
        return replace(self, rows=tuple(rows))

    def moved(self, by: int) -> Training:
        """Return the training with `by` added to every epoch."""
        return self.changed(row._replace(epoch=row.epoch + by) for row in self.rows)


def single(value: float) -> float:
    """Return a value as float32 holds it."""
    return float(np.float32(value))


@st.composite
def _series(draw: st.DrawFn, length: int) -> list[float]:
    """Draw a random walk, with plateaus and ties, and perhaps a failure in it."""
    # tiny units make differences that rounding hides
    unit = draw(st.sampled_from([1 / 16, 0.0123456, 3.3e-5]))
    downward = st.integers(-4, 2) if draw(st.booleans()) else st.integers(-3, 3)
    moves = draw(st.lists(downward, min_size=length, max_size=length))
    begin = draw(st.sampled_from([0.5, 1.2345678, 40.0]))
    walked = [single(begin + unit * total) for total in itertools.accumulate(moves)]
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, length - 1))
        walked[at] = draw(st.sampled_from([math.nan, math.inf, -math.inf]))
    return walked


@st.composite
def _rates(draw: st.DrawFn, length: int) -> list[float]:
    """Draw a rate for each epoch: constant, or reduced now and then."""
    rate, factor = single(0.01), draw(st.sampled_from([0.1, 0.5]))
    reductions = draw(st.sets(st.integers(1, max(length - 1, 1)), max_size=2))
    rates = []
    for epoch in range(length):
        rate = single(rate * factor) if epoch in reductions else rate
        rates.append(rate)
    return rates


@st.composite
def trainings(
    draw: st.DrawFn,
    *,
    names: Sequence[str] | None = None,
    first_epoch: int = 0,
    min_epochs: int = 1,
    has_rates: bool | None = None,
    freqs: Sequence[int] = (1, 1, 1, 2, 3),
) -> Training:
    """Draw a fit; without `names`, of one to four metrics with a validation in them."""
    short = st.integers(min_epochs, 12)
    length = draw(short | st.integers(min_epochs, 40))
    if names is None:
        sets = [METRICS, ("loss", "val_loss"), ("val_loss",), ("loss", *VALIDATIONS)]
        names = draw(st.sampled_from(sets))
    series = {name: draw(_series(length)) for name in names}
    rates: list[float] | None = None
    if draw(st.booleans()) if has_rates is None else has_rates:
        rates = draw(_rates(length))
    freq = draw(st.sampled_from(freqs)) if "loss" in names else 1
    rows = []
    for position in range(length):
        epoch = first_epoch + position
        judged = (epoch + 1) % freq == 0
        values = {
            name: own[position]
            for name, own in series.items()
            if judged or not name.startswith("val_")
        }
        rows.append(Row(epoch, values, None if rates is None else rates[position]))
    return Training(tuple(rows), freq)
