"""Damage logs of every text format for as long as you like.

From the root of the repository, with the tests' environment active, for an hour:

    python -m tests.fuzz.text_logs --minutes 60 --seed 1

Whatever happens, reading must end in runs or in an error of cbreplay. The first other
outcome is printed as the smallest example that Hypothesis finds, and ends the run.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
import warnings
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.oracles.damaged_logs import damaged
from tests.property.test_reader_fuzz import check_outcome

_EXAMPLES = 2000


def fuzz(minutes: float, first_seed: int) -> int:
    """Read damaged logs for some minutes, seed after seed; return how many."""
    ends = time.monotonic() + 60 * minutes
    seeds = itertools.count(first_seed)
    n_read = 0
    with tempfile.TemporaryDirectory() as directory:

        def check(log: tuple[str, bytes]) -> None:
            nonlocal n_read
            n_read += 1
            check_outcome(Path(directory), *log)

        while time.monotonic() < ends:
            chosen = settings(
                max_examples=_EXAMPLES,
                database=None,
                deadline=5000,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            )
            seed(next(seeds))(chosen(given(log=damaged())(check)))()
    return n_read


def main() -> None:
    """Hunt as the command line asks, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    # as in the tests
    warnings.simplefilter("error")
    n_read = fuzz(asked.minutes, asked.seed)
    print(  # noqa: T201 - the report
        f"{n_read} logs read in {asked.minutes:g} minutes, no other outcome; from seed "
        f"{asked.seed} on"
    )


if __name__ == "__main__":
    main()
