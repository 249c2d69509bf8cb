"""How good is the advice: the tables behind what is said of it, on real curves.

From each set of `curves` some runs are drawn, a patience is chosen from them, and it is
judged on the other runs of the set by J = the share of the scale that is lost +
0.05 x the share of the plan that is trained. "Always 10" and the best fixed
patience in hindsight are the ends of a distance; the figure is the share of it that is
closed, pooled over the sets: the sum of what is gained over the sum of the distances.
What is learned from other sets is learned from the half of the sets that is not judged.

    python -m benchmarks.advice sets        # what the curves are like
    python -m benchmarks.advice choices     # ways to choose, from 3, 10 and 30 runs
    python -m benchmarks.advice answers     # the same of what cbreplay itself answers
    python -m benchmarks.advice others      # ... on curves of other makers
    python -m benchmarks.advice unseen      # ... of one that nothing was tuned on
    python -m benchmarks.advice promises    # how often a promise is kept
    python -m benchmarks.advice rules       # early stopping beyond patience
    python -m benchmarks.advice named       # how often recommend names such a rule
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.advice.asked import print_answers
from benchmarks.advice.choices import (
    CHOICES,
    COST_WEIGHT,
    PLANS,
    SIZES,
    USUAL,
    find_sufficient,
    judge_choice,
    make_priors,
    part_sets,
    populate,
)
from benchmarks.advice.curves import load_curves
from benchmarks.advice.kept_promises import print_promises
from benchmarks.advice.named_rules import print_named
from benchmarks.advice.other_makers import print_others
from benchmarks.advice.other_stops import compare_rules
from benchmarks.advice.unseen_maker import print_unseen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.advice.curves import Curves


_TABLES = (
    "sets",
    "choices",
    "answers",
    "others",
    "unseen",
    "promises",
    "rules",
    "named",
)


def print_sets(sets: Sequence[Curves]) -> None:
    """Print what the curves are like."""
    print(
        f"{'set':36s} plan    J of 10   J of best  at  best in the last 5 %  "
        "sufficient: 10 %, median, 90 %"
    )
    for plan in PLANS[1:]:
        ends = []
        for population in populate(sets, plan):
            mean = 1000 * population.score.mean(axis=0)
            late = (np.nanargmin(population.values, axis=1) >= 0.95 * plan).mean()
            enough = np.quantile(
                find_sufficient(population.costs.lost), (0.1, 0.5, 0.9)
            )
            ends.append((mean[USUAL - 1], mean.min(), late))
            print(
                f"{population.name:36s} {plan:4d} {mean[USUAL - 1]:10.1f} "
                f"{mean.min():10.1f} {mean.argmin() + 1:4d} {late:20.2f}  "
                + " ".join(f"{value:4.0f}" for value in enough)
            )
        usual, best, late = np.mean(ends, axis=0)
        print(
            f"all {len(sets)} sets of {plan} epochs: always 10 {usual:.1f}, best fixed "
            f"{best:.1f}, best in the last 5 % {100 * late:.0f} %\n"
        )


def print_choices(
    sets: Sequence[Curves], draws: int, *, by: str, monitor: str, cost_weight: float
) -> None:
    """Print what share of the distance each way to choose closes."""
    learned_from = part_sets(sets, by)
    if "accuracy" in monitor:
        learned_from = [
            others
            for curves, others in zip(sets, learned_from, strict=True)
            if curves.classes
        ]
        sets = [curves for curves in sets if curves.classes]
    halves = [range(part, len(sets), 2) for part in (0, 1)]
    print(f"{monitor}, share closed in %, from 3 / 10 / 30 runs (first | second half)")
    for plan in PLANS:
        populations = populate(sets, plan, monitor, cost_weight)
        priors = make_priors(learned_from, plan, monitor)
        print(f"plan of {plan} epochs")
        for name, choose in CHOICES.items():
            judged = [
                judge_choice(populations, priors, choose, n_runs, draws)
                for n_runs in SIZES
            ]
            whole, *parts = (
                " / ".join(f"{one.closed(rows):4.0f}" for one in judged)
                for rows in (None, *halves)
            )
            print(f"  {name:34s} {whole}   ({' | '.join(parts)})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", choices=_TABLES)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--draws", type=int, default=60)
    parser.add_argument("--by", choices=("halves", "tasks"), default="halves")
    parser.add_argument("--monitor", default="val_loss")
    parser.add_argument("--cost-weight", type=float, default=COST_WEIGHT)
    options = parser.parse_args()
    draws = options.draws
    if options.table == "unseen":
        # the curves of the other tables have no part in this one
        print_unseen(options.cache, draws)
        return
    sets = load_curves(options.cache)
    tables: dict[str, Callable[[], None]] = {
        "sets": partial(print_sets, sets),
        "choices": partial(
            print_choices,
            sets,
            draws,
            by=options.by,
            monitor=options.monitor,
            cost_weight=options.cost_weight,
        ),
        "answers": partial(print_answers, sets, draws),
        "others": partial(print_others, options.cache, draws),
        "promises": partial(print_promises, sets, draws),
        "rules": partial(compare_rules, sets, draws),
        "named": partial(print_named, sets, draws),
    }
    tables[options.table]()


if __name__ == "__main__":
    main()
