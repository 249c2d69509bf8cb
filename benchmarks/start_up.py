"""Start-up: wall time of a command as a ratio to what it cannot do without.

Every round runs all commands, so that a noisy moment meets them alike; the ratio is
that of the medians. Compiled bytecode is needed: PYTHONDONTWRITEBYTECODE is unset for
the child processes, and a first round is not counted.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

LOG = Path(__file__).parent.parent / "sample_logs" / "overfit.csv"
COMMANDS = {
    "python -c 'import click'": ["-c", "import click"],
    "cbreplay --help": ["-m", "cbreplay", "--help"],
    "python -c 'import click, numpy'": ["-c", "import click, numpy"],
    "cbreplay simulate LOG.csv": ["-m", "cbreplay", "simulate", str(LOG)],
}
RATIOS = [
    ("cbreplay --help", "python -c 'import click'", 1.5),
    ("cbreplay simulate LOG.csv", "python -c 'import click, numpy'", 1.3),
]


def seconds(arguments: list[str]) -> float:
    """Return the wall time of one child process."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONDONTWRITEBYTECODE"
    }
    started = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        env=environment,
    )
    return time.perf_counter() - started


def measure(rounds: int) -> dict[str, float]:
    """Return the median wall time of each command, in seconds."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for counted in range(rounds + 1):
        for name, arguments in COMMANDS.items():
            taken = seconds(arguments)
            if counted:
                times[name].append(taken)
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> None:
    """Print every median, and the ratios beside their goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    medians = measure(parser.parse_args().rounds)
    for name, median in medians.items():
        print(f"{median * 1e3:7.0f} ms  {name}")
    for name, peer, goal in RATIOS:
        print(f"{medians[name] / medians[peer]:7.2f} x  {name} / {peer} (goal {goal})")


if __name__ == "__main__":
    main()
