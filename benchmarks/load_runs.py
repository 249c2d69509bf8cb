"""Reading many small logs: what `load_runs` costs as a ratio to csv and float alone.

The logs are as Keras's CSVLogger writes them: 100 epochs of five columns beside the
epoch, float32 values in all their digits. Every round reads them in each way, so that a
noisy moment meets all alike; the least CPU time of each is compared.

    python benchmarks/load_runs.py               # run directories, then side by side
    python benchmarks/load_runs.py --logs 200 --rounds 9
    python benchmarks/load_runs.py --profile     # where the time goes
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cbreplay import load_runs

if TYPE_CHECKING:
    from collections.abc import Callable

N_EPOCHS = 100
NAMES = ("accuracy", "learning_rate", "loss", "val_accuracy", "val_loss")
GOAL = 2.0


def write_logs(root: Path, n_logs: int, *, own_directories: bool) -> list[Path]:
    """Write logs of CSVLogger, each in a directory of its own or all in one."""
    rng = np.random.default_rng(0)
    paths = []
    for number in range(n_logs):
        name = f"run-{number:04}"
        path = root / name / "logs.csv" if own_directories else root / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        values = rng.uniform(0, 1, (N_EPOCHS, len(NAMES))).astype(np.float32)
        values[:, 1] = np.float32(0.001)
        with path.open("w", newline="", encoding="ascii") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", *NAMES])
            for epoch, row in enumerate(values.tolist()):
                writer.writerow([epoch, *row])
        paths.append(path)
    return paths


def read_plainly(paths: list[Path]) -> None:
    """Read each log with csv and float, as one would without any doubt."""
    for path in paths:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            next(rows)
            for row in rows:
                list(map(float, row))


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def measure(root: Path, paths: list[Path], rounds: int) -> None:
    """Print the least time of each way, and their ratio."""
    plain, ours = [], []
    for counted in range(rounds + 1):
        plainly = seconds(lambda: read_plainly(paths))
        read = seconds(lambda: load_runs(root))
        # the first round also imports
        if counted:
            plain.append(plainly)
            ours.append(read)
    ratio = min(ours) / min(plain)
    print(
        f"  csv + float {min(plain):.3f} s, load_runs {min(ours):.3f} s: "
        f"{ratio:.2f} x (goal: at most {GOAL:g} x)"
    )


def profile(root: Path) -> None:
    """Print what the time of one `load_runs` is made of."""
    import cProfile
    import pstats

    load_runs(root)
    profiler = cProfile.Profile()
    profiler.runcall(load_runs, root)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(35)


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    for what, own_directories in (
        ("each in a directory of its own", True),
        ("all in one directory", False),
    ):
        print(f"{asked.logs} logs of {N_EPOCHS} epochs, {what}")
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            paths = write_logs(root, asked.logs, own_directories=own_directories)
            if asked.profile:
                profile(root)
            else:
                measure(root, paths, asked.rounds)


if __name__ == "__main__":
    main()
