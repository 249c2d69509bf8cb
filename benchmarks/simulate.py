"""Tables of many runs and settings: how long they take beside reading the runs.

Each command runs in a process of its own, and so does ``load_runs`` of the same logs;
all times are CPU times of such a process, the least of some rounds. The logs are
CSVLogger files of 60 epochs with four metrics and a learning rate.

    python benchmarks/simulate.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROUNDS = 5
N_EPOCHS = 60
SEMANTICS = ("--semantics", "keras-3.15")


def write_logs(folder: Path, n_runs: int) -> None:
    """Write a run directory for each run, with the float32 values that ``fit`` logs."""
    rng = np.random.default_rng(0)
    epochs = np.arange(N_EPOCHS)
    for number in range(n_runs):
        curve = np.exp(-epochs / rng.uniform(5, 25)) + rng.uniform(0, 4e-3) * epochs
        noisy = curve + rng.normal(0, 0.02, N_EPOCHS)
        columns = [1 - curve / 2, curve, 1 - noisy / 2, noisy]
        values = np.stack(columns).astype(np.float32).astype(np.float64).T.tolist()
        rows = [
            ",".join([str(epoch), *map(repr, row), "0.001"])
            for epoch, row in enumerate(values)
        ]
        head = "epoch,accuracy,loss,val_accuracy,val_loss,learning_rate"
        (folder / f"run{number:04}").mkdir(parents=True)
        path = folder / f"run{number:04}" / "logs.csv"
        path.write_text("\r\n".join([head, *rows, ""]), newline="")


def cpu_seconds(*words: str) -> tuple[float, int]:
    """Return the CPU time of a process, and how many bytes it prints."""
    before = os.times()
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *words], capture_output=True, check=True
    )
    after = os.times()
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system, len(done.stdout)


def compare(folder: Path, patience: str, form: str, goal: str) -> None:
    """Print how long a table takes beside reading, and how large it is.

    The two take turns, so that a noisy moment meets both alike.
    """
    reading = f"import cbreplay; cbreplay.load_runs({str(folder)!r})"
    words = ("simulate", str(folder), "--patience", patience, "--format", form)
    pairs = [
        (cpu_seconds("-c", reading), cpu_seconds("-m", "cbreplay", *words, *SEMANTICS))
        for _ in range(ROUNDS)
    ]
    read = min(reading[0] for reading, _ in pairs)
    took = min(table[0] for _, table in pairs)
    n_runs = len(list(folder.iterdir()))
    print(
        f"{n_runs:5} runs, --patience {patience:6} {form:6} {took:6.2f} s, "
        f"{took / read:5.2f} x load_runs ({read:.2f} s; goal {goal}), "
        f"{pairs[0][1][1] / 1e6:.1f} MB"
    )


def main() -> None:
    """Compare tables of both shapes, and JSON, which replays what the cells share."""
    with tempfile.TemporaryDirectory() as folder:
        counts = (1000, 720, 60)
        places = {n_runs: Path(folder) / str(n_runs) for n_runs in counts}
        for n_runs, place in places.items():
            write_logs(place, n_runs)
        for form in ("csv", "table"):
            compare(places[1000], "5,10", form, "1.3 x")
        compare(places[720], "1:100", "csv", "2 x")
        compare(places[60], "1:100", "json", "6 MB")


if __name__ == "__main__":
    main()
