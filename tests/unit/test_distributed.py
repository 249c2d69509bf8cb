"""Logs that are read and swept elsewhere: the same answer, whoever does the work."""

from __future__ import annotations

import inspect
import os
import signal
import threading
import time
from concurrent.futures import (
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    LogError,
    Sweep,
    choices,
    load_runs,
    make_grid,
    sweep_runs,
)
from cbreplay.distributed import sweep_logs
from cbreplay.readers.base import ReadOptions
from cbreplay.sweep.pieces import run_tasks
from tests.conftest import start_workers, write_csv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GRID = make_grid([choices(EarlyStopping, patience=range(1, 6), min_delta=[0, 0.01])])


def write_logs(folder: Path, n_logs: int) -> list[Path]:
    paths = []
    for number in range(n_logs):
        rng = np.random.default_rng(number)
        values = (1 / np.arange(1, 12) + rng.normal(0, 0.05, 11)).tolist()
        paths.append(write_csv(folder / f"{number:03}.csv", values))
    return paths


def as_bytes(sweep: Sweep) -> bytes:
    return sweep.to_frame().to_csv(index=False).encode()


def end_the_worker(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("sweep", [sweep_logs, sweep_runs])
def test_a_lost_worker_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sweep: Any
) -> None:
    (path,) = write_logs(tmp_path, 1)
    given = [path] if sweep is sweep_logs else load_runs(path)
    for name in ("distributed._sweep_batch", "sweep.engine._sweep_piece"):
        monkeypatch.setattr(f"cbreplay.{name}", end_the_worker)
    # a second sweep finds the pool broken already
    with ProcessPoolExecutor(1) as executor:
        for _ in range(2):
            with pytest.raises(ConfigError, match="a worker of the executor was lost"):
                sweep(given, GRID, executor=executor)


class Backwards(Executor):
    """Does the last task first."""

    def __init__(self, n_tasks: int) -> None:
        self.left, self.waiting = n_tasks, list[tuple[Future[Any], Any]]()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        future: Future[Any] = Future()
        self.waiting.append((future, lambda: fn(*args, **kwargs)))
        if len(self.waiting) == self.left:
            for one, task in reversed(self.waiting):
                one.set_result(task())
        return future


def test_logs_are_swept_as_their_runs(tmp_path: Path) -> None:
    paths = write_logs(tmp_path, 5)
    runs = [run for path in paths for run in load_runs(path)]
    expected = as_bytes(sweep_runs(runs, GRID))
    seen: list[tuple[int, int]] = []
    swept = sweep_logs(
        paths, GRID, batch_size=2, progress=lambda *counts: seen.append(counts)
    )
    assert as_bytes(swept) == expected
    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert as_bytes(sweep_logs(paths, GRID)) == expected
    elsewhere = sweep_logs(paths, GRID, batch_size=2, executor=Backwards(3))
    assert as_bytes(elsewhere) == expected


def test_a_bad_log_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    paths = write_logs(tmp_path, 4)
    paths[1].write_text("epoch,val_loss\n0,not a number\n")
    paths[3].write_text("epoch,loss\n0,0.5\n1,0.4\n")
    absent = tmp_path / "absent.csv"
    swept = sweep_logs([*paths, absent], GRID, batch_size=3)
    assert [run.source for run in swept.runs] == [str(paths[0]), str(paths[2])]
    assert [one.source for one in swept.failures] == [
        str(paths[1]),
        str(paths[3]),
        str(absent),
    ]
    problems = [one.problem for one in swept.failures]
    assert "no cell of a metric is a number" in problems[0]
    assert "has no series 'val_loss'" in problems[1]
    assert "absent.csv" in problems[2]
    good = [paths[0], paths[2]]
    assert as_bytes(swept) == as_bytes(sweep_logs(good, GRID))


def test_nothing_to_sweep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no log to sweep"):
        sweep_logs([], GRID)
    with pytest.raises(ConfigError, match="batch_size is 0"):
        sweep_logs(["a"], GRID, batch_size=0)
    with pytest.raises(LogError, match="none of 1 logs could be swept"):
        sweep_logs([tmp_path / "absent.csv"], GRID)


def test_the_x_axis_reaches_the_reader(tmp_path: Path) -> None:
    from tests.oracles.tensorboard_loader import write_events

    points = [(1.0, step, "val_loss", 1 / (step + 1)) for step in (10, 20, 30)]
    log = write_events(tmp_path / "events.out.tfevents.1", points)
    with pytest.raises(LogError, match="x_axis="):
        sweep_logs([log], GRID)
    swept = sweep_logs([log], GRID, x_axis="step")
    assert as_bytes(swept) == as_bytes(sweep_runs(load_runs(log, x_axis="step"), GRID))


def test_every_option_of_reading_reaches_the_workers(tmp_path: Path) -> None:
    named = {field.name for field in fields(ReadOptions)}
    for function in (sweep_logs, load_runs):
        assert named <= set(inspect.signature(function).parameters)
    # one validation of six epochs: after the fourth, the fifth or the sixth
    log = tmp_path / "history.json"
    log.write_text('{"loss": [9, 8, 7, 6, 5, 4], "val_loss": [0.5]}')
    with pytest.raises(LogError, match="Give the value of fit: validation_freq="):
        sweep_logs([log], GRID)
    expected = sweep_runs(load_runs(log, validation_freq=5), GRID)
    assert as_bytes(sweep_logs([log], GRID, validation_freq=5)) == as_bytes(expected)


@pytest.mark.slow
def test_processes_give_the_same_bytes(tmp_path: Path) -> None:
    paths = write_logs(tmp_path, 7)
    with ProcessPoolExecutor(2) as executor:
        elsewhere = sweep_logs(paths, GRID, batch_size=2, executor=executor)
    assert as_bytes(elsewhere) == as_bytes(sweep_logs(paths, GRID))


class LosingExecutor(ThreadPoolExecutor):
    """Loses the first result, as dask's does if a worker dies just after its task."""

    def __init__(self) -> None:
        super().__init__(1)
        self.n_submitted = 0

    def submit(self, task: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        self.n_submitted += 1
        if self.n_submitted > 1:
            return super().submit(task, *arguments, **named)
        lost: Future[Any] = Future()
        lost.set_exception(ValueError("too many values to unpack (expected 3)"))
        return lost


def test_a_result_that_was_lost_on_its_way_is_asked_for_again() -> None:
    with LosingExecutor() as executor:
        found = list(run_tasks(executor, divmod, [(7, 2), (9, 4)]))
    assert found == [(3, 1), (2, 1)]
    assert executor.n_submitted == 3


def test_a_task_that_fails_by_itself_fails() -> None:
    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match="'x'"):
        list(run_tasks(executor, int, [("1",), ("x",)]))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_cluster_that_loses_a_worker_gives_the_same_bytes(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    paths = write_logs(tmp_path, 60)
    expected = as_bytes(sweep_logs(paths, GRID))
    with (
        start_workers(2) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        begun = threading.Event()

        def kill_one() -> None:
            begun.wait(60)
            os.kill(next(iter(pids.values())), signal.SIGKILL)

        killer = threading.Thread(target=kill_one)
        killer.start()
        # in the middle: the first part is there, most are not
        swept = sweep_logs(
            paths,
            GRID,
            batch_size=1,
            executor=client.get_executor(),
            progress=lambda *_: (begun.set(), time.sleep(0.01)),  # type: ignore[arg-type, func-returns-value]
        )
        killer.join()
        assert set(client.run(os.getpid).values()) != set(pids.values())
    assert as_bytes(swept) == expected


def test_a_source_that_is_left_out_is_named_without_its_password(
    tmp_path: Path,
) -> None:
    paths = [*map(str, write_logs(tmp_path, 1)), "http:me:pw@host/logs.csv"]
    (failure,) = sweep_logs(paths, GRID).failures
    assert failure.source == "http:host/logs.csv"
