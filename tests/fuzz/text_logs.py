"""Damage logs of every text format for as long as you like.

From the root of the repository, with the tests' environment active, for an hour:

    python -m tests.fuzz.text_logs 60

Whatever happens, reading must end in runs or in an error of cbreplay. The first other
outcome is printed as the smallest example that Hypothesis finds, and ends the run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.oracles.damaged_logs import damaged
from tests.property.test_reader_fuzz import check_outcome

_EXAMPLES = 2000


def fuzz(minutes: float) -> int:
    """Read damaged logs for some minutes; return how many."""
    ends = time.monotonic() + 60 * minutes
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
            seed(time.time_ns())(chosen(given(log=damaged())(check)))()
    return n_read


if __name__ == "__main__":
    wanted = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    sys.stdout.write(f"{fuzz(wanted)} logs read, no other outcome\n")
