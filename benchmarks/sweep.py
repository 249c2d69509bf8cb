"""Sweeps: how many times faster than the real callbacks on the same work.

The work is callback-epochs: for every cell, a run and a config, the epochs until the
config stops, or the whole series of 200. Keras's own EarlyStopping is driven through a
sample of it on a stand-in model, and its time is scaled up; all times are CPU times of
one process, the least of some rounds. Series fall, flatten and rise again, with noise.
Settings of which no two have a value in common come as columns that were drawn, and as
a list of callbacks.

    python benchmarks/sweep.py             # ratios, sizes, the curve of the cost
    python benchmarks/sweep.py --executor  # two processes against one, wall times
    python benchmarks/sweep.py --logs      # 2,000 run directories, on a cluster too
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import tempfile
import time
from concurrent.futures import Executor, ProcessPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay import (
    EarlyStopping,
    LearningRateScheduler,
    ReduceLROnPlateau,
    Run,
    choices,
    make_grid,
    pair_choices,
)
from cbreplay import sweep_runs as sweep

if TYPE_CHECKING:
    from collections.abc import Callable

    from cbreplay.grid import Choices, PairedChoices

N_EPOCHS = 200
ENOUGH_SECONDS = 0.5
SEMANTICS = "keras-3.15"


def make_runs(
    n_runs: int, n_epochs: int = N_EPOCHS, *, rate: bool = False
) -> list[Run]:
    """Return runs with the float32 values that ``fit`` logs."""
    rng = np.random.default_rng(0)
    runs = []
    for number in range(n_runs):
        epochs = np.arange(n_epochs)
        curve = np.exp(-epochs / rng.uniform(10, 60)) + rng.uniform(0, 2e-3) * epochs
        values = (curve + rng.normal(0, 0.02, n_epochs)).astype(np.float32).tolist()
        extra = {"learning_rate": 0.01} if rate else {}
        rows = [{"val_loss": value, **extra} for value in values]
        runs.append(Run.from_logs(rows, name=f"run{number}"))
    return runs


def stopping(n_deltas: int, n_patience: int) -> Choices:
    deltas = np.linspace(0, 0.02, n_deltas).tolist()
    return choices(
        EarlyStopping,
        patience=range(1, n_patience + 1),
        min_delta=deltas,
        restore_best_weights=True,
    )


def draws(n_configs: int) -> PairedChoices:
    """Return settings of which no two have a value in common, as columns."""
    rng = np.random.default_rng(1)
    patience = rng.integers(1, 101, n_configs)
    deltas = rng.uniform(0, 0.02, n_configs)
    drawn = choices(
        EarlyStopping, patience=patience, min_delta=deltas, restore_best_weights=True
    )
    return pair_choices([drawn])


def arbitrary(n_configs: int) -> list[list[Any]]:
    """Return the same as callbacks, one by one."""
    return [list(config) for config in draws(n_configs)]


def cpu_seconds(task: Callable[[], Any], rounds: int = 3) -> tuple[float, Any]:
    """Return the least CPU time of some rounds, and what the last one returned.

    Of a short task there are as many rounds as half a second holds.
    """
    least, answer, spent, done = float("inf"), None, 0.0, 0
    while done < rounds or (rounds > 1 and spent < ENOUGH_SECONDS):
        answer = None
        started = time.process_time()
        answer = task()
        took = time.process_time() - started
        least, spent, done = min(least, took), spent + took, done + 1
    return least, answer


def real_rate(kind: str, seconds: float) -> float:
    """Return the callback-epochs that the real class decides in a CPU second."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    class Model:
        stop_training = False
        optimizer = keras.optimizers.SGD(0.01)

        def get_weights(self) -> None: ...

        def set_weights(self, weights: None) -> None: ...

    # a sample of the same series, each driven until its stop
    losses = [run.series["val_loss"].values.tolist() for run in make_runs(20)]
    settings: Any = itertools.cycle([5, 10, 20, 40, 80])
    done, spent, started = 0, 0.0, time.process_time()
    for values in itertools.cycle(losses):
        given: dict[str, Any] = {"patience": next(settings), "min_delta": 1e-3}
        if kind == "EarlyStopping":
            given["restore_best_weights"] = True
        callback = getattr(keras.callbacks, kind)(**given)
        model = Model()
        callback.set_model(model)
        callback.on_train_begin()
        for epoch, value in enumerate(values):
            callback.on_epoch_end(epoch, {"val_loss": value})
            done += 1
            if model.stop_training:
                break
        spent = time.process_time() - started
        if spent > seconds:
            break
    return done / spent


def compare(rate: float) -> None:
    """Print each ratio beside its goal."""
    many = make_runs(100)
    questions: list[tuple[str, list[Run], Callable[[], Any], float]] = [
        ("10^4 cells, grid", many[:1], lambda: make_grid([stopping(100, 100)]), 3e4),
        ("10^6 cells, grid", many, lambda: make_grid([stopping(100, 100)]), 3e5),
        (
            "10^6 cells, one run",
            many[:1],
            lambda: make_grid([stopping(5000, 200)]),
            3e5,
        ),
        ("10^7 cells, grid", many, lambda: make_grid([stopping(500, 200)]), 3e5),
    ]
    some = arbitrary(10_000)
    questions += [
        ("10^4 cells, drawn", many[:1], lambda: draws(10_000), 2e4),
        ("10^6 cells, drawn", many, lambda: draws(10_000), 2e4),
        ("10^4 cells, listed", many[:1], lambda: some, 2e4),
        ("10^6 cells, listed", many, lambda: some, 2e4),
    ]
    print("                            seconds   ns/cell  times the real callbacks")
    for name, runs, make, goal in questions:
        seconds, answer = cpu_seconds(lambda: sweep(runs, make(), semantics=SEMANTICS))  # noqa: B023
        work = int(answer.trained_epochs.sum(dtype=np.int64))
        per_cell = seconds / answer.stopped.size * 1e9
        ratio = work / rate / seconds
        print(f"{name:24} {seconds:10.4f} {per_cell:9.0f}  {ratio:12,.0f}", end="")
        print(f" (goal {goal:,.0f})")


def large() -> None:
    """Print the large sweeps, by themselves: their time and memory."""
    print("                                             seconds  peak GB")
    (long,) = make_runs(1, 1000)
    seconds, answer = cpu_seconds(
        lambda: sweep(long, make_grid([stopping(10_000, 1000)]), semantics=SEMANTICS), 1
    )
    print_large("10^7 configs x 1,000 epochs (goal 2 s, 1 GB)", seconds)
    answer = None
    runs = make_runs(1000)
    seconds, answer = cpu_seconds(
        lambda: sweep(runs, make_grid([stopping(100, 100)]), semantics=SEMANTICS), 1
    )
    print_large("1,000 runs x 10^4 configs (goal 3 s)", seconds)
    answer = None
    some = arbitrary(10_000)
    seconds, answer = cpu_seconds(lambda: sweep(runs, some, semantics=SEMANTICS), 1)
    print_large("1,000 runs x 10^4 listed configs (goal 3 s)", seconds)
    del answer


def print_large(name: str, seconds: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{name:46} {seconds:6.2f} {peak:8.2f}")


def curve() -> None:
    """Print how the cost grows: with groups, runs and epochs, not with patience."""
    runs = make_runs(64)
    print("ms for 64 runs       by patience values of each group")
    counts = (1, 10, 100, 1000)
    print("groups       ", *(f"{count:8}" for count in counts))
    for n_deltas in (1, 10, 100):
        row = []
        for count in counts:
            grid = make_grid([stopping(n_deltas, count)])
            seconds, _ = cpu_seconds(
                lambda: sweep(runs, grid, semantics=SEMANTICS),  # noqa: B023
                5,
            )
            row.append(f"{seconds * 1e3:8.1f}")
        print(f"{n_deltas:6}       ", *row)
    print("ms for 100 groups of 100, by runs and epochs")
    for n_runs, n_epochs in ((16, 100), (16, 200), (16, 400), (32, 200), (64, 200)):
        some = make_runs(n_runs, n_epochs)
        grid = make_grid([stopping(100, 100)])
        seconds, _ = cpu_seconds(lambda: sweep(some, grid, semantics=SEMANTICS), 5)  # noqa: B023
        print(f"{n_runs:6} runs {n_epochs:5} epochs {seconds * 1e3:8.1f}")


def together(rate: float) -> None:
    """Print the sweep of both callbacks; the work is that of both."""
    runs = make_runs(100, rate=True)
    grid = make_grid(
        [
            stopping(20, 50),
            choices(
                ReduceLROnPlateau, patience=[5, 10], factor=[0.1, 0.5], min_delta=0
            ),
        ]
    )
    seconds, answer = cpu_seconds(lambda: sweep(runs, grid, semantics=SEMANTICS))
    work = 2 * int(answer.trained_epochs.sum(dtype=np.int64))
    per_cell = seconds / answer.stopped.size * 1e9
    print(
        f"{answer.stopped.size:,} cells of both: {seconds:.3f} s, {per_cell:.0f} ns a "
        f"cell, {work / rate / seconds:,.0f} times the real callbacks"
    )


def elsewhere() -> None:
    """Print what two processes bring, in wall time; to start them is part of it."""
    runs, few = make_runs(4000), make_runs(12, rate=True)
    drawn, listed = draws(10_000), arbitrary(10_000)
    scheduling = LearningRateScheduler({0: 0.01, 100: 0.001})
    slow = make_grid([scheduling, stopping(20, 50)])

    def asked(some: list[Run], configs: object, executor: Executor | None) -> object:
        return sweep(some, configs, semantics=SEMANTICS, executor=executor).shape

    jobs: list[tuple[str, Callable[[Executor | None], Any]]] = [
        (
            "3 x 4,000 runs x 10^4 drawn settings",
            lambda executor: [asked(runs, drawn, executor) for _ in range(3)],
        ),
        (
            "3 x 4,000 runs x 10^4 listed configs",
            lambda executor: [asked(runs, listed, executor) for _ in range(3)],
        ),
        (
            "12 runs x 1,000 lists without a kernel",
            lambda executor: asked(few, slow, executor),
        ),
    ]
    print("wall time (CPU time)                      one process    two processes")
    for name, job in jobs:
        one, one_busy = wall_and_cpu(lambda: job(None))  # noqa: B023

        def apart() -> None:
            with ProcessPoolExecutor(2) as executor:
                job(executor)  # noqa: B023

        two, two_busy = wall_and_cpu(apart)
        print(f"{name:38} {one:6.1f} s ({one_busy:.1f}) {two:6.1f} s", end="")
        print(f" ({two_busy:.1f})  {one / two:.2f} x", end="")
        print(f" (goal 1.7 x; load {os.getloadavg()[0]:.1f})")


def wall_and_cpu(task: Callable[[], Any]) -> tuple[float, float]:
    """Return a task's wall time, and the CPU time of it and what it started."""
    before, started = os.times(), time.perf_counter()
    task()
    wall, after = time.perf_counter() - started, os.times()
    return wall, sum(after[:4]) - sum(before[:4])


def logs() -> None:
    """Print what a cluster of one and of two workers adds to reading and sweeping."""
    from cbreplay.distributed import sweep_logs

    dask: Any = import_module("distributed")

    grid = make_grid([stopping(10, 50)])
    with tempfile.TemporaryDirectory() as folder:
        paths = write_directories(Path(folder), 2000)
        started = time.perf_counter()
        sweep_logs(paths, grid, semantics=SEMANTICS)
        here = time.perf_counter() - started
        print(f"2,000 run directories x 500 configs: {here:.2f} s here")
        for n_workers in (1, 2):
            with (
                dask.LocalCluster(
                    n_workers=n_workers,
                    threads_per_worker=1,
                    # a free port: another cluster may have the usual one
                    dashboard_address="127.0.0.1:0",
                ) as cluster,
                dask.Client(cluster) as client,
            ):
                executor = client.get_executor()
                # a worker imports what it needs once
                sweep_logs(
                    paths[:4],
                    grid,
                    semantics=SEMANTICS,
                    executor=executor,
                    batch_size=1,
                )
                started = time.perf_counter()
                sweep_logs(paths, grid, semantics=SEMANTICS, executor=executor)
                there = time.perf_counter() - started
            overhead = 1 - here / n_workers / there
            print(f"{n_workers} workers: {there:.2f} s, {overhead:.0%} of it overhead")


def write_directories(folder: Path, n_runs: int) -> list[Path]:
    """Write a logs.csv for each run, in a directory of its own."""
    paths = []
    for run in make_runs(n_runs):
        path = folder / run.name
        path.mkdir()
        values = run.series["val_loss"].values.tolist()
        rows = [f"{epoch},{value!r}\r\n" for epoch, value in enumerate(values)]
        (path / "logs.csv").write_text("epoch,val_loss\r\n" + "".join(rows), newline="")
        paths.append(path)
    return paths


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executor", action="store_true")
    parser.add_argument("--logs", action="store_true")
    parser.add_argument("--sample-seconds", type=float, default=5)
    asked = parser.parse_args()
    if asked.executor:
        elsewhere()
        return
    if asked.logs:
        logs()
        return
    large()
    curve()
    rate = real_rate("EarlyStopping", asked.sample_seconds)
    other = real_rate("ReduceLROnPlateau", asked.sample_seconds)
    print(
        f"the real EarlyStopping decides {rate:,.0f} callback-epochs a second, "
        f"ReduceLROnPlateau {other:,.0f}: a sample of {asked.sample_seconds:g} CPU "
        "seconds each, scaled up"
    )
    compare(rate)
    together(2 / (1 / rate + 1 / other))


if __name__ == "__main__":
    main()
