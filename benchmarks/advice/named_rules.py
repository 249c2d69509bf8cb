"""How often `recommend --beyond-patience` names another rule, and how often rightly.

From some runs of each set cbreplay is asked for its patience; the rules that it ships
beside it are tried at the values that it tries, by the arithmetic of this benchmark,
and named by its own test: clearly better on the drawn runs, each left out of its
choice. cbreplay applies it from 30 runs on; what it would name from fewer is counted
too. Then the rule and the patience are judged on the other runs of the set. A win is a
score that is better by more than half a thousandth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.advice.asked import SEMANTICS, write_logs
from benchmarks.advice.choices import COST_WEIGHT, USUAL, draw_runs, populate
from benchmarks.advice.other_stops import smooth_exponentially, smooth_window
from benchmarks.advice.stopping import measure_costs, stop_when, watch_series
from cbreplay.recommend import recommend_config, sweep_patience
from cbreplay.recommend.scores import cheapest_patience, is_clearly_better
from cbreplay.rules.beyond_patience.smoothed import SMOOTHED_PATIENCE
from cbreplay.rules.beyond_patience.target import TargetStopping, spread_targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.advice.choices import Population
    from benchmarks.advice.curves import Curves
    from cbreplay import Run
    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = ["print_named"]

_PLANS, _SIZES = (100, 200), (10, 20, 30)
_WIN = 0.0005


class _Named(NamedTuple):
    """A rule on one draw: whether it is named, and what it gains on the other runs."""

    rule: str
    named: bool
    gained: float


def print_named(sets: Sequence[Curves], draws: int) -> None:
    """Print how often each rule is named, and how that turns out."""
    print("named: of the cases; then better / the same / worse than the patience there")
    for plan in _PLANS:
        populations = populate(sets, plan)
        for n_runs in _SIZES:
            print(f"plan of {plan} epochs, {n_runs} runs")
            cases: dict[str, list[_Named]] = {}
            for place, population in enumerate(populations):
                for tried in _follow(population, place, n_runs, draws):
                    cases.setdefault(tried.rule, []).append(tried)
            for rule, tried_cases in cases.items():
                _print_row(rule, tried_cases)


def _print_row(rule: str, cases: Sequence[_Named]) -> None:
    gained = np.array([case.gained for case in cases if case.named])
    better, worse = (gained > _WIN).sum(), (gained < -_WIN).sum()
    mean = 1000 * gained.mean() if len(gained) else 0.0
    print(
        f"  {rule:15s} named {len(gained):4d} of {len(cases)}: {better:3d} / "
        f"{len(gained) - better - worse:3d} / {worse:3d}, mean gain {mean:+.1f} "
        "thousandths",
        flush=True,
    )


def _follow(
    population: Population, place: int, n_runs: int, draws: int
) -> Iterator[_Named]:
    """Yield what is named from each draw of a set, and what it gains."""
    runs, by_patience = write_logs(population, planned=True), population.score
    longest = by_patience.shape[1]
    for order in draw_runs(place, n_runs, len(by_patience), draws):
        drawn, others = order[:n_runs], order[n_runs:]
        patience, without_each = _ask(runs, drawn, longest)
        own = by_patience[drawn]
        rivals = [
            own[np.arange(n_runs), without_each - 1],
            own[:, USUAL - 1],
            _left_out_by_score(own),
        ]
        beside = by_patience[others, patience - 1].mean()
        for rule, score in _score_rules(population.values, drawn):
            settings = np.arange(score.shape[1])
            cheapest = cheapest_patience(settings, score[drawn])
            if cheapest is None:
                continue
            chosen, chosen_without, _ = cheapest
            left_out = score[drawn, chosen_without]
            named = all(is_clearly_better(left_out, rival) for rival in rivals)
            yield _Named(rule, named, float(beside - score[others, chosen].mean()))


def _ask(
    runs: Sequence[Run], drawn: EpochArray, longest: int
) -> tuple[int, EpochArray]:
    """Return the recommended patience, and what it would be without each run."""
    sweep, _ = sweep_patience([runs[row] for row in drawn], semantics=SEMANTICS)
    advice = recommend_config(sweep, group_by="none")
    without = [group.left_out_patience or USUAL for group in advice.groups]
    return min(advice.patience or USUAL, longest), np.minimum(without, longest)


def _left_out_by_score(score: FloatArray) -> FloatArray:
    """Return what a patience chosen by its score alone costs each run without it."""
    cheapest = cheapest_patience(np.arange(score.shape[1]), score)
    if cheapest is None:
        return np.full(len(score), np.nan)
    return score[np.arange(len(score)), cheapest[1]]


def _score_rules(
    losses: FloatArray, drawn: EpochArray
) -> Iterator[tuple[str, FloatArray]]:
    """Yield the scores of each rule's settings on all runs, (n_runs, n_settings)."""
    watch = watch_series(losses)
    for rule, smoothed in (
        ("EmaStopping", smooth_exponentially(losses, 0.9)),
        ("MeanStopping", smooth_window(losses, 5)),
    ):
        wait = watch_series(smoothed).wait
        asked = [wait >= patience for patience in SMOOTHED_PATIENCE]
        yield rule, _score(asked, watch.best_epoch, losses)
    targets = spread_targets(np.nanmin(losses[drawn], axis=1).tolist(), "min")
    reached = [losses <= target for target in targets]
    yield "TargetStopping", _score(reached, watch.best_epoch, losses)
    both = [
        met | (watch.wait >= value)
        for met in reached
        for value in TargetStopping.tried.beside_patience
    ]
    yield "AnyOf", _score(both, watch.best_epoch, losses)


def _score(
    asked: Sequence[BoolArray], best_epoch: EpochArray, losses: FloatArray
) -> FloatArray:
    return measure_costs(stop_when(asked, best_epoch), losses).score(COST_WEIGHT)
