"""The kinds of curves that the advice leans on at few runs.

Each set of the benchmark gives its mean curves of what a patience loses and trains, for
val_loss and, in classification, for val_accuracy, at plans of 25, 50, 100 and 200
epochs. On the common axis log(patience) / log(plan) these are alike enough to be sorted
into two dozen kinds (k-means on their logarithms).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.advice.stopping import (
    Costs,
    measure_costs,
    stop_by_patience,
    watch_series,
)
from cbreplay.generalization.prior import Prior, parse_prior

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.advice.curves import Curves
    from cbreplay.run import FloatArray

__all__ = ["make_prior", "monitored", "price_patience"]

PLANS = (25, 50, 100, 200)
MONITORS = ("val_loss", "val_accuracy")
POSITIONS = np.linspace(0, 1, 21)
N_KINDS = 24
WEIGHT, FLOOR, WIDTH = 4, 0.01, 0.3
ROUGH_WIDTH, ROUGH = 0.3, 0.2
SMOOTHING = 1.0
# a mean of very different sets says less of each
WEIGHT_OF_ONE = 3
_STARTS, _ROUNDS = 10, 50
_DIGITS = 4
# as the package's scale for a series that ends at 1
_HIGHEST = 1.0


class _Tables(NamedTuple):
    """What the positions lose and train, for each curve: (n_curves, n_positions)."""

    lost: FloatArray
    trained: FloatArray


def monitored(curves: Curves, monitor: str, n_epochs: int) -> FloatArray:
    """Return a series whose least is best: an accuracy as its error."""
    values = curves.series(monitor, n_epochs)
    return _HIGHEST - values if "accuracy" in monitor else values


def price_patience(values: FloatArray) -> Costs:
    """Return what every patience from 1 to the plan costs each run."""
    every = range(1, values.shape[1] + 1)
    return measure_costs(stop_by_patience(watch_series(values), every), values)


def tabulate(
    sets: Sequence[Curves],
    plans: Sequence[int] = PLANS,
    monitors: Sequence[str] = MONITORS,
) -> _Tables:
    """Return the mean curves of sets, monitors and plans, at the positions."""
    lost, trained = [], []
    for curves in sets:
        for monitor in monitors:
            if "accuracy" in monitor and not curves.classes:
                continue
            for plan in plans:
                costs = price_patience(monitored(curves, monitor, plan))
                at = np.log(np.arange(1, plan + 1)) / np.log(plan)
                lost.append(np.interp(POSITIONS, at, costs.lost.mean(axis=0)))
                trained.append(np.interp(POSITIONS, at, costs.trained.mean(axis=0)))
    return _Tables(np.array(lost), np.array(trained))


def sort_into_kinds(tables: _Tables, n_kinds: int) -> FloatArray:
    """Return the kind of each curve, by k-means on the logarithms."""
    rows = np.concatenate([np.log(tables.lost + FLOOR), np.log(tables.trained)], axis=1)
    rng = np.random.default_rng(0)
    tried = [
        _sort_from(rows, rows[rng.choice(len(rows), n_kinds, replace=False)])
        for _ in range(_STARTS)
    ]
    return min(tried, key=lambda sorted_rows: sorted_rows[1])[0]


def _sort_from(rows: FloatArray, centres: FloatArray) -> tuple[FloatArray, float]:
    """Return the nearest centre of each row, and how far the rows are from theirs."""
    for _ in range(_ROUNDS):
        nearest = _square_distances(rows, centres).argmin(axis=1)
        centres = np.array(
            [
                rows[nearest == place].mean(axis=0) if (nearest == place).any() else old
                for place, old in enumerate(centres)
            ]
        )
    apart = _square_distances(rows, centres)
    return apart.argmin(axis=1), float(apart.min(axis=1).sum())


def _square_distances(rows: FloatArray, centres: FloatArray) -> FloatArray:
    apart: FloatArray = np.square(rows[:, None] - centres[None]).sum(axis=2)
    return apart


def describe_prior(
    sets: Sequence[Curves], date: str, n_kinds: int = N_KINDS
) -> dict[str, Any]:
    """Return what `prior.json` holds."""
    tables = tabulate(sets)
    kind = sort_into_kinds(tables, n_kinds)
    kinds = [
        {
            "curves": int((kind == one).sum()),
            "lost": np.round(tables.lost[kind == one].mean(axis=0), _DIGITS).tolist(),
            "trained": np.round(
                tables.trained[kind == one].mean(axis=0), _DIGITS
            ).tolist(),
        }
        for one in np.unique(kind)
    ]
    kinds.sort(key=lambda one: one["lost"][0])
    n_runs = sum(len(curves.logged[0]) for curves in sets)
    return {
        "schema": 1,
        "what": "mean share lost and share trained by patience, for kinds of learning "
        "curves; a position is log(patience) / log(planned epochs)",
        "command": "python -m benchmarks.advice.write_prior",
        "date": date,
        "origin": f"{n_runs} trainings of small networks on scikit-learn's bundled "
        f"and generated data, in {len(sets)} sets; {' and '.join(MONITORS)}; the first "
        f"{', '.join(str(plan) for plan in PLANS)} epochs",
        "sets": [curves.name for curves in sets],
        "weight": WEIGHT,
        "floor": FLOOR,
        "width": WIDTH,
        "rough_width": ROUGH_WIDTH,
        "rough": ROUGH,
        "smoothing": SMOOTHING,
        "positions": np.round(POSITIONS, _DIGITS).tolist(),
        "kinds": kinds,
    }


def make_prior(sets: Sequence[Curves], n_kinds: int = N_KINDS) -> Prior:
    """Return the prior that some sets make."""
    return parse_prior(describe_prior(sets, "", n_kinds))


def average_curve(sets: Sequence[Curves], plan: int, monitor: str) -> Prior:
    """Return a prior of one kind: the mean curve of a monitor at a plan."""
    tables = tabulate(sets, (plan,), (monitor,))
    return Prior(
        POSITIONS,
        tables.lost.mean(axis=0, keepdims=True),
        tables.trained.mean(axis=0, keepdims=True),
        np.ones(1),
        WEIGHT_OF_ONE,
        FLOOR,
        WIDTH,
        ROUGH_WIDTH,
        ROUGH,
        SMOOTHING,
    )
