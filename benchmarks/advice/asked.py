"""What cbreplay itself answers, judged as any other way to choose: slow, and the truth.

Each draw is written down as logs, with their plan or without, and `recommend_config` is
asked. Where it recommends nothing, a fixed 10 stands for its answer. The kinds of
curves that it leans on are learned from the half of the sets that is not judged; those
that come with the package are learned from all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np

from benchmarks.advice.choices import (
    PLANS,
    SIZES,
    USUAL,
    Judged,
    Population,
    draw_runs,
    make_priors,
    part_sets,
    populate,
)
from cbreplay import Run
from cbreplay.recommend import recommend_config, sweep_patience

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.advice.curves import Curves
    from cbreplay.generalization.prior import Prior
    from cbreplay.run import EpochArray

__all__ = ["ENDS_AT_ONE", "judge_answers", "print_answers"]

SEMANTICS = "keras-3.15"
ENDS_AT_ONE = ("val_accuracy", "val_auc")


def write_logs(population: Population, *, planned: bool) -> list[Run]:
    """Return a set as logs of its monitor, which tell their plan or not."""
    monitor, logged = population.monitor, population.values
    if monitor in ENDS_AT_ONE:
        logged = 1 - logged
    return [
        Run.from_logs(
            ({monitor: value} for value in values.tolist()),
            name=f"run{number}",
            planned_epochs=len(values) if planned else None,
        )
        for number, values in enumerate(logged)
    ]


def ask(runs: Sequence[Run], drawn: EpochArray, prior: Prior, monitor: str) -> int:
    """Return the patience that cbreplay recommends from some of the runs."""
    sweep, _ = sweep_patience(
        [runs[row] for row in drawn], monitor=monitor, semantics=SEMANTICS
    )
    with patch("cbreplay.recommend.choice.read_prior", lambda: prior):
        return recommend_config(sweep).patience or USUAL


def judge_answers(
    populations: Sequence[Population],
    priors: Sequence[tuple[Prior, Prior]],
    n_runs: int,
    draws: int,
    *,
    planned: bool,
) -> Judged:
    """Draw runs of each set, ask, and judge by the others."""
    distance, gained = [], []
    for place, population in enumerate(populations):
        score, runs = population.score, write_logs(population, planned=planned)
        longest, gains = score.shape[1], []
        for order in draw_runs(place, n_runs, len(score), draws):
            drawn, prior = order[:n_runs], priors[place][0]
            asked = ask(runs, drawn, prior, population.monitor)
            patience = min(asked, longest)
            others = score[order[n_runs:]]
            gains.append((others[:, USUAL - 1] - others[:, patience - 1]).mean())
        mean = score.mean(axis=0)
        distance.append(mean[USUAL - 1] - mean.min())
        gained.append(np.mean(gains))
    return Judged(np.array(distance), np.array(gained))


def print_answers(sets: Sequence[Curves], draws: int) -> None:
    """Print what share of the distance cbreplay's answers close."""
    print("cbreplay's answers, share closed in %, from 3 / 10 / 30 runs")
    learned_from = part_sets(sets, "halves")
    for plan in PLANS[1:]:
        populations = populate(sets, plan)
        priors = make_priors(learned_from, plan, "val_loss")
        for planned in (True, False):
            closed = [
                judge_answers(
                    populations, priors, n_runs, draws, planned=planned
                ).closed()
                for n_runs in SIZES
            ]
            said = "plan given" if planned else "plan not given"
            shares = " / ".join(f"{share:4.0f}" for share in closed)
            print(f"  {plan} epochs, {said:15s} {shares}", flush=True)
