"""Kept promises: what a recommendation promises, against runs it has not seen.

From a population of runs, some are drawn, a patience is chosen from them, and it is
judged on all the others, over many draws:

- promised, coverage: in what share of the draws a promise is given, and on what share
  of the others its patience keeps the tolerance. `confidence` is promised.
- unbroken: the same over all draws, where one without a promise breaks none. This is
  what the theory says: at least `confidence`, whatever the population.
- headline: coverage where the promise goes with what is recommended ("guaranteed").
- no worse: in what share of the draws the mean score of what is recommended is no
  worse on the others than that of a fixed patience of 10.

The families of curves are textbook shapes with AR(1) noise, written down before they
were first run, and not tuned; their parameters are drawn anew for each run. A directory
of logs can be named as a population instead. The tables of
docs/how-good-is-the-advice.md are of real curves: `--page` prints all of them that are
about advice. It trains the curves first, unless `--cache` has them.

    python benchmarks/recommend.py                    # all families
    python benchmarks/recommend.py --logs runs/       # real ones
    python benchmarks/recommend.py --seconds          # how long an answer takes
    python benchmarks/recommend.py --growth           # how that grows with the runs
    python -m benchmarks.recommend --page             # what the page says, in an hour
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay import Run, load_runs
from cbreplay.recommend import Advising, recommend_config, sweep_patience
from cbreplay.recommend.choice import pick_patience
from cbreplay.setting_costs.study import begin_studies
from cbreplay.setting_costs.swept_settings import USUAL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cbreplay import Sweep
    from cbreplay.setting_costs.pricing import Priced

    Curve = NDArray[np.floating[Any]]

SEMANTICS = "keras-3.15"
N_EPOCHS = 100
_ROUNDING = 1e-12
_SIZES = ((4, 0.8), (8, 0.8), (9, 0.9), (12, 0.9), (20, 0.9), (50, 0.9))
# fewer others to judge by would say little
_MOST_DRAWN = 0.8


class Kept(NamedTuple):
    """What was counted over many draws.

    Parameters
    ----------
    promised, coverage, unbroken : float
        How often a promise was given, and how far it was kept: where it was given, and
        over all draws.
    guaranteed, headline : float
        How often it went with what was recommended, and how far it was kept then.
    no_worse : float
        The share of draws whose answer scores no worse than patience 10.
    tuned : float
        The share of draws whose answer is another than 10.
    gain : float
        The mean score of patience 10 less that of the answer.
    """

    promised: float
    coverage: float
    unbroken: float
    guaranteed: float
    headline: float
    no_worse: float
    tuned: float
    gain: float


def _noise(rng: np.random.Generator, size: float) -> Curve:
    """Return AR(1) noise, as a validation loss wanders."""
    noise = np.empty(N_EPOCHS)
    previous, keep = 0.0, rng.uniform(0, 0.7)
    for epoch in range(N_EPOCHS):
        previous = keep * previous + rng.normal(0, size)
        noise[epoch] = previous
    return noise


def overfitting(rng: np.random.Generator) -> Curve:
    """Falls, and rises again."""
    epochs = np.arange(N_EPOCHS)
    fall = np.exp(-epochs / rng.uniform(3, 25))
    rise = rng.uniform(0.0005, 0.01) * np.maximum(epochs - rng.uniform(5, 50), 0)
    curve: Curve = rng.uniform(0.2, 0.6) + fall + rise
    return curve + _noise(rng, rng.uniform(0.003, 0.03))


def saturating(rng: np.random.Generator) -> Curve:
    """Falls by a power law and wanders."""
    epochs = np.arange(1, N_EPOCHS + 1)
    fall = epochs ** -rng.uniform(0.3, 1.2)
    return rng.uniform(0.1, 0.5) + fall + _noise(rng, rng.uniform(0.002, 0.02))


def stepping(rng: np.random.Generator) -> Curve:
    """Rests on plateaus and drops again, as with a stepped learning rate."""
    epochs = np.arange(N_EPOCHS)
    curve = np.exp(-epochs / rng.uniform(3, 10))
    for drop in rng.uniform(10, 80, rng.integers(1, 4)):
        curve = curve + rng.uniform(0.02, 0.15) * (epochs < drop)
    return rng.uniform(0.2, 0.5) + curve + _noise(rng, rng.uniform(0.002, 0.01))


def spiking(rng: np.random.Generator) -> Curve:
    """Falls with single bad epochs."""
    curve = overfitting(rng)
    bad = rng.random(N_EPOCHS) < rng.uniform(0.02, 0.2)
    return curve + bad * rng.exponential(0.3, N_EPOCHS)


def mixed(rng: np.random.Generator) -> Curve:
    """Any of the others, run by run."""
    return FAMILIES[list(FAMILIES)[rng.integers(0, 4)]](rng)


FAMILIES: dict[str, Callable[[np.random.Generator], Curve]] = {
    "overfitting": overfitting,
    "saturating": saturating,
    "stepping": stepping,
    "spiking": spiking,
    "mixed": mixed,
}


def make_runs(
    family: str, n_runs: int, seed: int = 0, *, planned: bool = True
) -> list[Run]:
    """Return runs of one family, with the float32 values that ``fit`` logs."""
    rng = np.random.default_rng(seed)
    runs = []
    for number in range(n_runs):
        values = FAMILIES[family](rng).astype(np.float32).tolist()
        runs.append(
            Run.from_logs(
                ({"val_loss": value} for value in values),
                name=f"run{number}",
                planned_epochs=N_EPOCHS if planned else None,
            )
        )
    return runs


def price_runs(
    runs: Sequence[Run], tolerance: str = "1%", monitor: str = "val_loss"
) -> Priced:
    """Price every patience on every run; each stands for itself."""
    sweep, _ = sweep_patience(runs, monitor=monitor, semantics=SEMANTICS)
    (study, *_), _ = begin_studies(sweep, Advising(tolerance, 0.9, 0.05, "none", None))
    return study.price(study.axes.slices[0].columns)


def count_kept(
    population: Priced,
    n_runs: int,
    confidence: float,
    *,
    draws: int = 2000,
    seed: int = 1,
) -> Kept:
    """Draw runs, choose, and judge the choice on all the others."""
    rng = np.random.default_rng(seed)
    total = len(population.sufficient)
    headline, promised, gains, tuned = [], [], [], []
    for _ in range(draws):
        order = rng.permutation(total)
        drawn, others = order[:n_runs], population.take(order[n_runs:])
        choice = pick_patience(population.take(drawn), confidence)
        if choice.rank_patience is not None:
            kept = (others.sufficient <= choice.rank_patience).mean()
            promised.append(kept)
            if choice.kind == "guaranteed":
                headline.append(kept)
        apart = others.at(others.score, USUAL) - others.at(
            others.score, choice.patience
        )
        known = apart[~np.isnan(apart)]
        gains.append(known.mean() if len(known) else 0.0)
        tuned.append(choice.patience != USUAL)
    gained = np.array(gains)
    return Kept(
        len(promised) / draws,
        float(np.mean(promised)) if promised else np.nan,
        1 - float(np.sum(1 - np.array(promised))) / draws,
        len(headline) / draws,
        float(np.mean(headline)) if headline else np.nan,
        float((gained >= -_ROUNDING).mean()),
        float(np.mean(tuned)),
        float(gained.mean()),
    )


def _table(populations: dict[str, Priced], draws: int) -> None:
    print(
        "population   runs   n  promise  promised  coverage  unbroken  headline  "
        "no worse  not 10      gain"
    )
    for name, population in populations.items():
        total = len(population.sufficient)
        for n_runs, confidence in _SIZES:
            if n_runs > _MOST_DRAWN * total:
                continue
            kept = count_kept(population, n_runs, confidence, draws=draws)
            print(
                f"{name:12s} {total:4d}  {n_runs:2d}  {confidence:7.2f}  "
                f"{kept.promised:8.2f}  {kept.coverage:8.3f}  {kept.unbroken:8.3f}  "
                f"{kept.headline:8.3f}  {kept.no_worse:8.3f}  {kept.tuned:6.2f}  "
                f"{kept.gain:+.5f}"
            )


def _seconds() -> None:
    runs = [
        run
        for number in range(5)
        for run in make_runs(list(FAMILIES)[number], 100, number)
    ]
    started = time.perf_counter()
    sweep, _ = sweep_patience(runs, semantics=SEMANTICS)
    swept = time.perf_counter()
    recommend_config(sweep)
    print(
        f"500 runs x {len(sweep.configs)} patience values: sweep "
        f"{swept - started:.2f} s, recommendation {time.perf_counter() - swept:.2f} s"
    )


def _noisy(size: float) -> Callable[[Curve, int, np.random.Generator], Curve]:
    return lambda first, _, rng: first + rng.normal(0, size, N_EPOCHS)


# what a run is, of the first one, of its number and of chance
_LIKENESS: dict[str, Callable[[Curve, int, np.random.Generator], Curve]] = {
    "distinct": lambda _first, _number, rng: mixed(rng),
    "identical": lambda first, _number, _rng: first,
    "a millionth more each": lambda first, number, _: first * (1 + 1e-6 * number),
    "alike to 1e-6": _noisy(1e-6),
    "alike to 1e-5": _noisy(1e-5),
    "alike to 1e-4": _noisy(1e-4),
}


def _alike_runs(likeness: str, n_runs: int) -> list[Run]:
    rng = np.random.default_rng(0)
    first = overfitting(rng)
    return [
        Run.from_logs(
            [{"val_loss": loss} for loss in _LIKENESS[likeness](first, number, rng)],
            name=f"run{number}",
            planned_epochs=N_EPOCHS,
        )
        for number in range(n_runs)
    ]


def _growth(sizes: Sequence[int], rounds: int = 3) -> None:
    """Print the CPU time of the advice, and how it grows against n log n."""
    print(f"{'runs':24s}" + "".join(f"{size:>9d}" for size in sizes) + "   growth")
    for likeness in _LIKENESS:
        seconds = []
        for size in sizes:
            sweep, _ = sweep_patience(_alike_runs(likeness, size), semantics=SEMANTICS)
            seconds.append(min(_cpu_seconds(sweep) for _ in range(rounds)))
        small, large = sizes[0], sizes[-1]
        expected = large * np.log(large) / (small * np.log(small))
        growth = seconds[-1] / seconds[0] / expected
        line = "".join(f"{took:8.2f}s" for took in seconds)
        print(f"{likeness:24s}{line}   {growth:.2f} x n log n")


def _cpu_seconds(sweep: Sweep) -> float:
    started = time.process_time()
    recommend_config(sweep)
    return time.process_time() - started


def _page(cache: Path | None) -> None:
    """Print the tables of docs/how-good-is-the-advice.md, with its own draws."""
    from benchmarks.advice.asked import print_answers
    from benchmarks.advice.curves import load_curves
    from benchmarks.advice.named_rules import print_named
    from benchmarks.advice.other_makers import print_others
    from benchmarks.advice.other_stops import compare_rules
    from benchmarks.advice.unseen_maker import print_unseen

    sets = load_curves(cache)
    for print_table, draws in (
        (print_answers, 10),
        (compare_rules, 20),
        (print_named, 8),
    ):
        print_table(sets, draws)
        print()
    print_others(cache, 20)
    print_unseen(cache, 20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", nargs="*", default=[])
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--population", type=int, default=400)
    parser.add_argument("--tolerance", default="1%")
    parser.add_argument("--seconds", action="store_true")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--sizes", default="1000,2000,4000,8000")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    if options.page:
        _page(options.cache)
        return
    if options.growth:
        _growth([int(size) for size in options.sizes.split(",")])
        return
    if options.seconds:
        _seconds()
        return
    if options.logs:
        runs = load_runs(*options.logs, errors="skip")
        populations = {"logs": price_runs(runs, options.tolerance)}
    else:
        populations = {
            name: price_runs(
                make_runs(name, options.population, number), options.tolerance
            )
            for number, name in enumerate(FAMILIES)
        }
    _table(populations, options.draws)


if __name__ == "__main__":
    main()
