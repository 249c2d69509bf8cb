"""Hunt for false labels on disturbed logs of true trainings for as long as you like.

From the root of the repository, with the tests' environment active, for an hour:

    python -m tests.fuzz.true_logs --minutes 60 --seed 1

The first false label is printed as the smallest example that Hypothesis finds, and ends
the run.
"""

from __future__ import annotations

import argparse
import itertools
import time
import warnings

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisWarning

from tests.oracles.disturbed_logs import cases
from tests.property.test_true_logs import check_disturbed, check_flawless

_EXAMPLES = 300


def hunt(minutes: float, first_seed: int) -> int:
    """Check both laws for some minutes, seed after seed; return how many seeds."""
    ends = time.monotonic() + 60 * minutes
    chosen = settings(
        max_examples=_EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    for n_seeds in itertools.count():
        if time.monotonic() >= ends:
            return n_seeds
        for law, drawn in (
            (check_disturbed, cases()),
            (check_flawless, cases(["undisturbed"])),
        ):
            seed(first_seed + n_seeds)(chosen(given(case=drawn)(law)))()
    return 0


def main() -> None:
    """Hunt as the command line asks, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    # as in the tests; a long log has a long text
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", HypothesisWarning)
    n_seeds = hunt(asked.minutes, asked.seed)
    print(  # noqa: T201 - the report
        f"no false label in {asked.minutes:g} minutes: {n_seeds} seeds of {_EXAMPLES} "
        f"logs of each law; from seed {asked.seed} on"
    )


if __name__ == "__main__":
    main()
