"""Start-up: what a command costs as a ratio to what it cannot do without.

Every round runs all commands, so that a noisy moment meets them alike. Two ratios are
printed: of the median wall times, and of the least CPU times, which a busy machine
disturbs less. Compiled bytecode is needed: PYTHONDONTWRITEBYTECODE is unset for the
child processes, and a first round is not counted. The commands run where the log lies,
which is no project with a pyproject.toml of its own to look into.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

LOG = Path(__file__).parent.parent / "sample_logs" / "overfit.csv"
# the console script beside this interpreter, as people call it
CBREPLAY = str(Path(sys.executable).parent / "cbreplay")
COMMANDS = {
    "python -c 'import click'": ["-c", "import click"],
    "cbreplay --help": [CBREPLAY, "--help"],
    "python -c 'import click, numpy'": ["-c", "import click, numpy"],
    "cbreplay simulate LOG.csv": [CBREPLAY, "simulate", LOG.name],
}
RATIOS = [
    ("cbreplay --help", "python -c 'import click'", 1.5),
    ("cbreplay simulate LOG.csv", "python -c 'import click, numpy'", 1.3),
]


def run(arguments: list[str]) -> tuple[float, float]:
    """Return the wall time and the CPU time of one child process, in seconds."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONDONTWRITEBYTECODE"
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=LOG.parent,
        env=environment,
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu


def measure(rounds: int) -> dict[str, tuple[float, float]]:
    """Return the median wall time and the least CPU time of each command."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for counted in range(rounds + 1):
        for name, arguments in COMMANDS.items():
            taken = run(arguments)
            if counted:
                times[name].append(taken)
    return {
        name: (
            statistics.median(wall for wall, _ in taken),
            min(cpu for _, cpu in taken),
        )
        for name, taken in times.items()
    }


def main() -> None:
    """Print what each command costs, and the ratios beside their goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    costs = measure(parser.parse_args().rounds)
    print("   wall     CPU")
    for name, (wall, cpu) in costs.items():
        print(f"{wall * 1e3:4.0f} ms {cpu * 1e3:4.0f} ms  {name}")
    for name, peer, goal in RATIOS:
        wall, cpu = (
            one / other for one, other in zip(costs[name], costs[peer], strict=True)
        )
        print(f"{wall:5.2f} x {cpu:5.2f} x  {name} / {peer} (goal {goal} x)")


if __name__ == "__main__":
    main()
