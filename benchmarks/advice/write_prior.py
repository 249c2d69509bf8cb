"""Write `prior.json`: the kinds of curves, and what became of advice that used them.

python -m benchmarks.advice.write_prior --output prior.json --date 2026-01-31
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.advice.choices import (
    COST_WEIGHT,
    PLANS,
    USUAL,
    draw_runs,
    make_priors,
    part_sets,
    populate,
    sample_runs,
)
from benchmarks.advice.curves import load_curves
from benchmarks.advice.make_prior import describe_prior

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.advice.curves import Curves

SIZES = (3, 5, 10, 30)
GAINS = (0.0, 0.001, 0.003, 0.01, 0.03)
MARGIN = 0.0005


def describe_track_record(sets: Sequence[Curves], draws: int) -> dict[str, Any]:
    """Return what `prior.json` holds of what became of such advice."""
    shape = (len(SIZES), len(GAINS))
    better, same, cases = (np.zeros(shape) for _ in range(3))
    for size, expected, gained in _follow_advice(sets, draws):
        at = size, max(int(np.searchsorted(GAINS, expected, side="right")) - 1, 0)
        better[at] += gained > MARGIN
        same[at] += abs(gained) <= MARGIN
        cases[at] += 1
    told = np.maximum(cases, 1)
    return {
        "what": "advice from so many runs that was expected to score better than a "
        "fixed 10 by at least so much: in what share of the cases it was, and was as "
        "good, on the other runs of a set that it had not learned from",
        "plans": list(PLANS),
        "cost_weight": COST_WEIGHT,
        "margin": MARGIN,
        "runs": list(SIZES),
        "gains": list(GAINS),
        "better": np.round(better / told, 3).tolist(),
        "same": np.round(same / told, 3).tolist(),
        "cases": cases.astype(int).tolist(),
    }


def _follow_advice(
    sets: Sequence[Curves], draws: int
) -> Iterator[tuple[int, float, float]]:
    """Yield the size, what was expected beside a fixed 10, and what was gained."""
    learned_from = part_sets(sets, "halves")
    for plan in PLANS:
        priors = make_priors(learned_from, plan, "val_loss")
        for place, population in enumerate(populate(sets, plan)):
            score = population.score
            for size, n_runs in enumerate(SIZES):
                for order in draw_runs(place, n_runs, len(score), draws):
                    sample = sample_runs(population, order[:n_runs], priors[place])
                    blended, others = sample.blended(), score[order[n_runs:]]
                    at = blended.cheapest()
                    expected = blended.score[USUAL - 1] - blended.score[at]
                    gained = (others[:, USUAL - 1] - others[:, at]).mean()
                    yield size, float(expected), float(gained)


def format_rows(written: dict[str, Any]) -> str:
    """Return JSON with a line for each key, and for each kind.

    >>> print(format_rows({"weight": 12, "kinds": [{"curves": 1}, {"curves": 2}]}))
    {
     "weight": 12,
     "kinds": [
      {"curves": 1},
      {"curves": 2}
     ]
    }
    """
    kinds = ",\n".join(f"  {json.dumps(kind)}" for kind in written["kinds"])
    rows = [
        f" {json.dumps(key)}: {json.dumps(value)}"
        for key, value in written.items()
        if key != "kinds"
    ]
    return "{\n" + ",\n".join([*rows, f' "kinds": [\n{kinds}\n ]']) + "\n}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--draws", type=int, default=60)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--date", required=True, help="when it is made: 2026-01-31")
    options = parser.parse_args()
    sets = load_curves(options.cache)
    written = describe_prior(sets, options.date)
    written["track_record"] = describe_track_record(sets, options.draws)
    options.output.write_text(format_rows(written) + "\n", "utf-8")


if __name__ == "__main__":
    main()
