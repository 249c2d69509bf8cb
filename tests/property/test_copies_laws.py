"""Copies are found as if every log had been compared with every other one."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cbreplay import Run
from cbreplay.run_metadata import RunMetadata
from cbreplay.setting_costs.copies import find_copies

RELATIVE, ABSOLUTE = 1e-5, 1e-6
CURVES = ([0.9, 0.7, 0.5, 0.4, 0.45, 0.43, 0.3], [0.9, 0.7, 0.5, 0.4, 0.45, 0.44, 0.2])
# in units of what rounding may move a value: copies, half copies, and another training
MOVES = (0.0, 0.0, 0.4, -0.4, 0.9, -0.9, 1.5)

_holes = st.sampled_from([*[False] * 20, True])


@st.composite
def logs(draw: st.DrawFn) -> Run:
    """A log of one of two trainings, with other last digits or other columns."""
    columns = {"val_loss": CURVES[draw(st.integers(0, 1))], "loss": CURVES[0]}
    if draw(st.booleans()):
        columns["val_accuracy"] = [1 - loss for loss in columns["val_loss"]]
    moved: dict[str, list[float | None]] = {}
    for name, values in columns.items():
        move = draw(st.sampled_from(MOVES))
        only = draw(st.sampled_from([None, *range(len(values))]))
        moved[name] = [
            value + move * (RELATIVE * value + ABSOLUTE) * (only in (None, epoch))
            for epoch, value in enumerate(values)
        ]
        if draw(_holes):
            moved[name][2] = draw(st.sampled_from([None, math.nan, math.inf]))
    n_epochs = draw(st.sampled_from([7, 7, 7, 6]))
    rows = [
        {name: values[epoch] for name, values in moved.items()}
        for epoch in range(n_epochs)
    ]
    run = Run.from_logs(rows)
    return replace(run, metadata=RunMetadata()) if draw(_holes) else run


def told(run: Run, name: str) -> list[float]:
    series = run.series[name]
    pairs = zip(series.values.tolist(), series.recorded.tolist(), strict=True)
    return [value if recorded else math.nan for value, recorded in pairs]


def near(one: float, other: float) -> bool:
    if not (math.isfinite(one) and math.isfinite(other)):
        return one == other or (math.isnan(one) and math.isnan(other))
    largest = max(abs(one), abs(other))
    return abs(one - other) <= RELATIVE * largest + ABSOLUTE


def is_copy(one: Run, other: Run) -> bool:
    if one.n_epochs != other.n_epochs:
        return False
    shared = one.series.keys() & other.series.keys()
    agreeing = all(
        near(left, right)
        for name in shared
        for left, right in zip(told(one, name), told(other, name), strict=True)
    )
    return agreeing and changes_often(one) and changes_often(other)


def is_identical(one: Run, other: Run) -> bool:
    return one.series.keys() == other.series.keys() and all(
        one.series[name].values.tobytes() == other.series[name].values.tobytes()
        and one.series[name].recorded.tolist() == other.series[name].recorded.tolist()
        for name in one.series
    )


def changes_often(run: Run) -> bool:
    values = [value for value in told(run, "val_loss") if math.isfinite(value)]
    moves = [
        abs(after - before) > 2 * (RELATIVE * abs(after) + ABSOLUTE)
        for before, after in pairwise(values)
    ]
    return sum(moves) >= 5


def compare_all(runs: list[Run]) -> dict[int, int]:
    """Go from the log that tells most to the least: it keeps, or it is a copy."""

    def rank(row: int) -> tuple[bool, int, int]:
        run = runs[row]
        names = {"val_loss", "loss"}
        n_told = sum(int(run.series[name].recorded.sum()) for name in names)
        return run.metadata is None, -n_told, row

    copies: dict[int, int] = {}
    kept: list[int] = []
    for alike in (is_identical, is_copy):
        waiting = sorted(set(range(len(runs))) - copies.keys(), key=rank)
        kept = []
        for row in waiting:
            of = next((one for one in kept if alike(runs[one], runs[row])), None)
            if of is None:
                kept.append(row)
            else:
                copies[row] = of
    return {row: copies.get(of, of) for row, of in copies.items()}


@given(st.lists(logs(), max_size=12))
@settings(deadline=None, max_examples=200)
def test_copies_are_those_that_comparing_all_pairs_finds(runs: list[Run]) -> None:
    assert find_copies(runs, "val_loss") == compare_all(runs)


@given(st.lists(logs(), max_size=12))
@settings(deadline=None)
def test_no_two_that_are_kept_are_copies(runs: list[Run]) -> None:
    copies = find_copies(runs, "val_loss")
    kept = [run for row, run in enumerate(runs) if row not in copies]
    assert find_copies(kept, "val_loss") == {}
    assert not set(copies.values()) & copies.keys()
