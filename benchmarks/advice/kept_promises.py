"""How often a promise is kept on real curves: the k-th smallest sufficient patience.

Some runs of a set are drawn, the promise is read off them, and it is held against the
other runs of the set, over many draws and all sets. Columns:

- given: in what share of the draws there is a promise;
- kept: on what share of the other runs its patience loses at most the tolerance,
  averaged over the draws with a promise, and (worst) in the set where it is least;
- beside: the same for the patience that `prior` chooses, over the draws where it is no
  shorter than the promised one, so that the sentence could stand beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.advice.choices import (
    alike_kinds,
    draw_runs,
    find_sufficient,
    make_priors,
    part_sets,
    populate,
    sample_runs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.advice.choices import Population
    from benchmarks.advice.curves import Curves
    from cbreplay.generalization.prior import Prior
    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = ["print_promises"]

SIZES = ((4, 0.8), (8, 0.8), (9, 0.9), (12, 0.9), (20, 0.9), (30, 0.9))
_PLANS = (100, 200)
_OWN_PATIENCE = 5
_BROKEN_OFF, _UNDER_PATIENCE = 0.05, 0.1
_SHORTEST_GAP = 2
_FEWEST_ALIKE = 3


class _Logs(NamedTuple):
    """What is drawn: who tells, and whether the plan can be read off the logs."""

    telling: BoolArray
    inferred: bool


def _all_reach_the_plan(gaps: EpochArray, rng: np.random.Generator) -> _Logs:
    del rng
    return _Logs(np.full(len(gaps), fill_value=True), inferred=True)


def _plan_is_inferred(gaps: EpochArray, rng: np.random.Generator) -> _Logs:
    """Only where the gaps after the best are not those of one rule."""
    del rng
    alike = len(set(gaps.tolist())) == 1 and gaps[0] >= _SHORTEST_GAP
    return _Logs(np.full(len(gaps), fill_value=True), not alike)


def _some_broke_off(gaps: EpochArray, rng: np.random.Generator) -> _Logs:
    """One log in twenty ends somewhere before the plan."""
    telling = rng.random(len(gaps)) >= _BROKEN_OFF
    return _read_plan(gaps, telling)


def _some_stopped(gaps: EpochArray, rng: np.random.Generator) -> _Logs:
    """One log in ten was recorded under its own EarlyStopping(patience=5)."""
    under = rng.random(len(gaps)) < _UNDER_PATIENCE
    return _read_plan(gaps, ~(under & (gaps >= _OWN_PATIENCE)))


def _read_plan(gaps: EpochArray, telling: BoolArray) -> _Logs:
    ended = gaps[telling]
    alike = len(set(ended.tolist())) == 1 and ended[0] >= _SHORTEST_GAP
    return _Logs(telling, len(ended) >= _FEWEST_ALIKE and not alike)


SCENES: dict[str, Callable[[EpochArray, np.random.Generator], _Logs]] = {
    "the plan is known": _all_reach_the_plan,
    "the plan is inferred": _plan_is_inferred,
    "..., one log in twenty broke off": _some_broke_off,
    "..., one in ten under patience 5": _some_stopped,
}


class _Counted(NamedTuple):
    """Of one set: what was given in how many draws, and how far it was kept."""

    given: float
    kept: float
    beside: float
    n_beside: int


def _count(
    population: Population,
    priors: tuple[Prior, Prior],
    scene: str,
    size: tuple[int, float],
    orders: Sequence[Any],
) -> _Counted:
    (n_runs, confidence), plan = size, population.score.shape[1]
    gaps = plan - 1 - np.nanargmin(population.values, axis=1)
    enough = find_sufficient(population.costs.lost)
    rng, kept, beside = np.random.default_rng([11, n_runs]), [], []
    for order in orders:
        drawn, others = order[:n_runs], order[n_runs:]
        logs = SCENES[scene](gaps[drawn], rng)
        promised = _promised(enough[drawn], logs, confidence)
        if promised is None:
            continue
        kept.append((enough[others] <= promised).mean())
        told = drawn[logs.telling]
        chosen = alike_kinds(sample_runs(population, told, priors))
        if chosen >= promised:
            beside.append((enough[others] <= chosen).mean())
    return _Counted(
        len(kept) / len(orders),
        float(np.mean(kept)) if kept else np.nan,
        float(np.mean(beside)) if beside else np.nan,
        len(beside),
    )


def _promised(enough: FloatArray, logs: _Logs, confidence: float) -> float | None:
    """Return the order statistic; a log that does not tell needs nobody knows what."""
    rank = int(np.ceil((len(enough) + 1) * confidence - 1e-9))
    if not logs.inferred or rank > len(enough):
        return None
    found = np.sort(np.where(logs.telling, enough, np.inf))[rank - 1]
    return float(found) if np.isfinite(found) else None


def print_promises(sets: Sequence[Curves], draws: int) -> None:
    """Print how often promises are given and kept."""
    learned_from = part_sets(sets, "halves")
    for plan in _PLANS:
        populations = populate(sets, plan)
        priors = make_priors(learned_from, plan, "val_loss")
        print(f"plan of {plan} epochs      runs promise  given   kept  worst  beside")
        for scene in SCENES:
            for n_runs, confidence in SIZES:
                counted = [
                    _count(
                        population,
                        priors[place],
                        scene,
                        (n_runs, confidence),
                        list(draw_runs(place, n_runs, len(population.values), draws)),
                    )
                    for place, population in enumerate(populations)
                ]
                _print_row(scene, n_runs, confidence, counted)


def _print_row(
    scene: str, n_runs: int, confidence: float, counted: Sequence[_Counted]
) -> None:
    given, kept, beside, n_beside = np.array(counted).T
    promised = given > 0
    mean = (given * kept)[promised].sum() / given.sum() if promised.any() else np.nan
    told = n_beside > 0
    shown = (n_beside * beside)[told].sum() / n_beside.sum() if told.any() else np.nan
    worst = kept[promised].min() if promised.any() else np.nan
    print(
        f"  {scene:34s} {n_runs:3d} {confidence:7.2f} {given.mean():6.2f} "
        f"{mean:6.3f} {worst:6.3f}  {shown:6.3f}",
        flush=True,
    )
